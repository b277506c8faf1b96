//! What must always hold, and what must hold once the weather has cleared. One check, one file.
//!
//! A check judges from outside, by a ledger of its own: what a machine's datagrams said is read once
//! (`exchange`) and shown to each `Check`. To add one, copy the smallest, `matching`, and name it
//! in `all`.

mod acknowledgements;
mod budgets;
mod claims;
mod closest;
mod datagrams;
mod durability;
mod exchange;
mod expiry;
pub mod history;
mod identity;
mod invariants;
mod issued;
mod lease;
mod lookups;
mod matching;
mod members;
pub mod numbers;
mod pace;
mod queues;
mod replays;
mod reports;
mod requests;
pub mod rest;
mod silence;
mod sound;
pub mod standing;
mod tables;
mod timers;
mod tokens;
pub mod traffic;
mod trouble;
mod versions;
mod walls;

#[cfg(test)]
mod tests;

use crate::plan::Plan;
use crate::run::Run;
use crate::world::{Input, Machine, MachineId, Moment, Observer, Violation};
use exchange::{Before, Ledger, Said, Seen, What};
use issued::Issued;
use node::Outbox;
use sound::Sound;
use walls::Walls;

pub use numbers::Numbers;
pub use trouble::Trouble;

/// Those who watch a run.
pub fn observers(_: &Plan) -> Vec<Box<dyn Observer>> {
    vec![
        Box::new(Witness::new(all())),
        Box::new(requests::Requests::default()),
        Box::new(reports::Reports::default()),
        Box::new(replays::Replays::default()),
        Box::new(invariants::Invariants::default()),
    ]
}

/// All checks of what a machine hears and says.
fn all() -> Vec<Box<dyn Check>> {
    vec![
        Box::new(matching::Matching::default()),
        Box::new(timers::Timers::default()),
        Box::new(datagrams::Datagrams),
        Box::new(tables::Tables::default()),
        Box::new(lookups::Lookups::default()),
        Box::new(tokens::Tokens),
        Box::new(versions::Versions::default()),
        Box::new(members::Members::default()),
        Box::new(expiry::Expiry::default()),
        Box::new(acknowledgements::Acknowledgements::default()),
        Box::new(durability::Durability::default()),
        Box::new(queues::Queues::default()),
        Box::new(budgets::Budgets::default()),
        Box::new(pace::Pace::default()),
        Box::new(closest::Closest::default()),
        Box::new(identity::Identity::default()),
        Box::new(traffic::Traffic::default()),
    ]
}

/// What must hold when a network has had time to heal.
pub fn at_rest(run: &mut Run) {
    rest::look(run);
}

/// Judges what a machine heard and said.
trait Check {
    /// A machine acted.
    fn saw(&mut self, seen: &Seen<'_>, found: &mut Vec<Violation>);

    /// What went over the wire so far, if that is what it counts.
    fn traffic(&self) -> Option<&traffic::Traffic> {
        None
    }
}

/// What a check keeps for each machine.
#[derive(Debug)]
struct PerMachine<T>(Vec<T>);

impl<T> Default for PerMachine<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Default> PerMachine<T> {
    fn at(&mut self, machine: MachineId) -> &mut T {
        let index = machine.index();
        if self.0.len() <= index {
            self.0.resize_with(index + 1, T::default);
        }
        &mut self.0[index]
    }
}

/// What is known of one machine.
#[derive(Default)]
struct Known {
    ledger: Ledger,
    issued: Issued,
    walls: Walls,
    before: Before,
}

/// Reads what each machine hears and says, and shows it to the checks.
struct Witness {
    machines: PerMachine<Known>,
    sound: Sound,
    checks: Vec<Box<dyn Check>>,
}

impl Witness {
    fn new(checks: Vec<Box<dyn Check>>) -> Self {
        Self { machines: PerMachine::default(), sound: Sound::default(), checks }
    }
}

impl Observer for Witness {
    fn before(&mut self, moment: Moment, machine: &mut Machine, input: &Input<'_>) {
        let Some(kv) = machine.kv() else { return };
        if matches!(input, Input::Datagram(..)) {
            self.machines.at(moment.machine).before = Before::of(kv);
        }
    }

    fn after(
        &mut self,
        moment: Moment,
        machine: &mut Machine,
        input: &Input<'_>,
        outbox: &Outbox,
        found: &mut Vec<Violation>,
    ) {
        let Some(kv) = machine.kv() else { return };
        if machine.config.node.network_key.is_some() {
            // What is sealed cannot be read.
            return;
        }
        let known = self.machines.at(moment.machine);
        let local = machine.clock.now(moment.at);
        if matches!(input, Input::Start(_)) {
            known.ledger = Ledger::default();
            known.issued = Issued::default();
            known.walls = Walls::start(local);
        }
        known.walls.look(local);
        let heard = known.ledger.hear(input, local, known.walls.earliest(), &mut self.sound);
        let given_up = known.ledger.take_given_up();
        let own = kv.node().id();
        let shown = known.issued.judge(&heard, &own, local);
        let ledger = &known.ledger;
        let mut said: Vec<Said<'_>> =
            outbox.datagrams().map(|(to, bytes)| ledger.read(to, bytes, None)).collect();
        let mut copies = Vec::new();
        if said.iter().any(|said| matches!(said.what, What::Noise)) {
            // Answers to strangers carry their transaction ids, which may be no ids of ours.
            let copy = |(_, bytes)| exchange::with_own_transaction(bytes);
            copies.extend(outbox.datagrams().map(copy));
            said.clear();
            for ((to, bytes), copy) in outbox.datagrams().zip(&copies) {
                said.push(ledger.read(to, bytes, copy.as_deref()));
            }
        }
        let seen = Seen {
            moment,
            machine,
            kv,
            local,
            walls: &known.walls,
            input: *input,
            heard,
            shown,
            said: &said,
            before: known.before,
            owes_all: known.ledger.owes_all(local),
            ledger: &known.ledger,
            open: known.ledger.open(),
            given_up: &given_up,
        };
        for check in &mut self.checks {
            check.saw(&seen, found);
        }
        known.issued.note(&said, &own, local);
        known.ledger.note(&said, moment.at, local, matches!(input, Input::Tick));
    }

    fn traffic(&self) -> Option<&traffic::Traffic> {
        self.checks.iter().find_map(|check| check.traffic())
    }
}
