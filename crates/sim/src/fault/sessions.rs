//! Machines come for a session and go again: the same one after a while, or another one in its place.

use core::time::Duration;

use rand_distr::{Exp, Weibull};

use super::{Fault, Stage};
use crate::chance::Chance;
use crate::world::MachineId;

/// Machines that one fault adds to a world at most; then those come back that were there.
const NEWCOMERS: u32 = 500;

/// The longest session, and the longest time between two.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);

/// The alarm for a newcomer; those of machines are twice their number, and one more for their return.
const NEWCOMER: u32 = u32::MAX;

/// The shape of the distribution of sessions' lengths in large networks: D. Stutzbach and R. Rejaie,
/// "Understanding churn in peer-to-peer networks" (2006), found 0.34 to 0.59.
const HEAVY: f64 = 0.5;

/// How long sessions last.
#[derive(Clone, Copy, Debug)]
pub(super) enum Length {
    /// However long one has lasted, it ends within the next second with the same chance.
    Exponential(Exp<f64>),
    /// The longer one has lasted, the longer it will: many short ones, a few very long ones.
    HeavyTail(Weibull<f64>),
}

impl Length {
    pub(super) fn exponential(median: Duration) -> Self {
        let rate = core::f64::consts::LN_2 / median.as_secs_f64().max(1e-3);
        Length::Exponential(Exp::new(rate).expect("a positive rate"))
    }

    pub(super) fn heavy_tail(median: Duration) -> Self {
        let scale = median.as_secs_f64().max(1e-3) / core::f64::consts::LN_2.powf(1.0 / HEAVY);
        Length::HeavyTail(Weibull::new(scale, HEAVY).expect("a positive scale and shape"))
    }

    pub(super) fn draw(&self, chance: &mut Chance) -> Duration {
        let seconds: f64 = match self {
            Length::Exponential(exponential) => chance.draw(exponential),
            Length::HeavyTail(weibull) => chance.draw(weibull),
        };
        Duration::from_secs_f64(seconds.clamp(0.1, LONGEST.as_secs_f64()))
    }
}

/// Churn.
pub(super) struct Sessions {
    pub name: &'static str,
    pub median: Duration,
    pub length: Length,
    /// The share of machines that come and go.
    pub share: f64,
    /// How long until the next session of a machine.
    pub gap: Length,
    /// Of those that go, the share that hand over what they hold.
    pub graceful: f64,
    /// Of those that go, the share in whose place a new machine comes.
    pub replaced: f64,
    pub members: Vec<MachineId>,
    pub newcomers: u32,
}

impl Sessions {
    /// All that sessions of this length leave open.
    pub(super) fn of(
        name: &'static str,
        median: Duration,
        length: Length,
        chance: &mut Chance,
    ) -> Box<dyn Fault> {
        let away = median.mul_f64(0.2 + chance.share());
        let away = away.clamp(Duration::from_secs(5), Duration::from_secs(1800));
        let [none, half, all] = [0.0, 0.5, 1.0];
        Box::new(Self {
            name,
            median,
            length,
            share: 0.1 + 0.8 * chance.share(),
            gap: Length::exponential(away),
            graceful: *chance.pick(&[none, half, all]).unwrap_or(&half),
            replaced: *chance.pick(&[none, half, all]).unwrap_or(&half),
            members: Vec::new(),
            newcomers: 0,
        })
    }

    fn ends(&mut self, stage: &mut Stage<'_>, id: MachineId) {
        let away = self.gap.draw(stage.chance);
        let graceful = stage.chance.happens(self.graceful);
        let replaced = stage.chance.happens(self.replaced) && self.newcomers < NEWCOMERS;
        if replaced {
            self.newcomers += 1;
            stage.world.give_up(id);
            stage.alarm_in(away, NEWCOMER);
        } else {
            stage.alarm_in(away, id.0 * 2 + 1);
        }
        match graceful {
            true => stage.world.leave(id),
            false => stage.world.kill(id),
        }
    }

    fn begins(&mut self, stage: &mut Stage<'_>, id: MachineId) {
        let lasts = self.length.draw(stage.chance);
        stage.alarm_in(lasts, id.0 * 2);
    }
}

impl Fault for Sessions {
    fn describe(&self) -> String {
        let (name, minutes) = (self.name, self.median.as_secs_f64() / 60.0);
        let [share, graceful, replaced] =
            [self.share, self.graceful, self.replaced].map(|share| share * 100.0);
        format!(
            "{share:.0} % of machines come and go, {name} sessions of {minutes:.1} min median, \
             {graceful:.0} % leave gracefully, {replaced:.0} % are replaced"
        )
    }

    fn begin(&mut self, stage: &mut Stage<'_>) {
        self.members = stage.some_living(self.share, true);
        for id in self.members.clone() {
            // Their sessions have begun some time ago.
            let left = self.length.draw(stage.chance).mul_f64(stage.chance.share());
            stage.alarm_in(left, id.0 * 2);
        }
    }

    fn rings(&mut self, stage: &mut Stage<'_>, number: u32) {
        if number == NEWCOMER {
            let id = stage.newcomer();
            self.members.push(id);
            return self.begins(stage, id);
        }
        let id = MachineId(number / 2);
        if number % 2 == 1 {
            // It may be up already, where another fault started it, or not have left yet.
            stage.world.start(id);
            self.begins(stage, id);
        } else if stage.world.machines[id.index()].kv().is_some() {
            self.ends(stage, id);
        } else if !stage.world.machines[id.index()].gone {
            // Another fault has ended it meanwhile.
            self.begins(stage, id);
        }
    }

    fn end(&mut self, stage: &mut Stage<'_>) {
        stage.start_again(&mut self.members);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_have_their_median_and_only_heavy_tails_are_heavy() {
        let median = Duration::from_secs(84);
        let mut chance = Chance::from_number(4);
        for (length, longest) in
            [(Length::exponential(median), 7..13), (Length::heavy_tail(median), 60..200)]
        {
            let mut all: Vec<Duration> = (0..10_001).map(|_| length.draw(&mut chance)).collect();
            all.sort();
            let middle = all[5_000].as_secs_f64();
            assert!((76.0..92.0).contains(&middle), "{middle}");
            let times = all[9_990].as_secs_f64() / middle;
            assert!(longest.contains(&(times as u32)), "one in a thousand: {times}");
        }
    }
}
