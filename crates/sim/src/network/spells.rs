//! Fair and foul spells of a machine's access to the network: a continuous-time Markov chain of two
//! states, one for each machine.

use core::time::Duration;

use node::Instant;
use rand_distr::Exp1;

use crate::chance::Chance;
use crate::world::MachineId;

/// How long spells last, on average.
#[derive(Clone, Copy, Debug)]
pub struct Lengths {
    /// Fair ones.
    pub fair: Duration,
    /// Foul ones.
    pub foul: Duration,
}

impl Lengths {
    /// The share of time that is foul.
    pub fn foul_share(&self) -> f64 {
        self.foul.as_secs_f64() / (self.fair + self.foul).as_secs_f64()
    }
}

/// The spells of all machines. They follow from the seed, whatever is sent.
#[derive(Clone, Debug)]
pub struct Spells {
    lengths: Lengths,
    seed: u64,
    machines: Vec<Option<Spell>>,
}

#[derive(Clone, Debug)]
struct Spell {
    foul: bool,
    until: Instant,
    chance: Chance,
}

impl Spells {
    /// Spells of these lengths.
    pub fn new(seed: u64, lengths: Lengths) -> Self {
        Self { lengths, seed, machines: Vec::new() }
    }

    /// Until when a machine's access is foul, if it is now. Time never goes back.
    pub fn foul_until(&mut self, machine: MachineId, now: Instant) -> Option<Instant> {
        if self.machines.len() <= machine.index() {
            self.machines.resize(machine.index() + 1, None);
        }
        let (lengths, seed) = (self.lengths, self.seed);
        let spell = self.machines[machine.index()].get_or_insert_with(|| {
            let mut chance = Chance::of_one(seed, "spells", machine.0.into());
            let foul = chance.happens(lengths.foul_share());
            let mut spell = Spell { foul, until: now, chance };
            spell.lasts(&lengths);
            spell
        });
        while spell.until <= now {
            spell.foul = !spell.foul;
            spell.lasts(&lengths);
        }
        spell.foul.then_some(spell.until)
    }
}

impl Spell {
    fn lasts(&mut self, lengths: &Lengths) {
        let mean = if self.foul { lengths.foul } else { lengths.fair };
        let times: f64 = self.chance.draw(&Exp1);
        // At least 1 ms, so that catching up after a long silence comes to an end.
        self.until = self.until + mean.mul_f64(times.min(100.0)).max(Duration::from_millis(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spells_take_their_share_of_time_and_do_not_hang_on_who_looks() {
        let lengths = Lengths { fair: Duration::from_secs(9), foul: Duration::from_secs(1) };
        let (mut often, mut seldom) = (Spells::new(4, lengths), Spells::new(4, lengths));
        let mut foul = 0;
        for ms in 0..5_000_000u64 {
            let now = Instant::from_micros(ms * 1000);
            let seen = often.foul_until(MachineId(3), now);
            foul += u64::from(seen.is_some());
            if ms.is_multiple_of(77_777) {
                assert_eq!(seldom.foul_until(MachineId(3), now), seen, "{ms}");
            }
        }
        assert!((400_000..600_000).contains(&foul), "{foul}");
    }
}
