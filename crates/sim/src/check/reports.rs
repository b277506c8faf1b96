//! `reports`: what a node tells its user fits itself and what the node heard. What is stored is stored at
//! a majority, and its own copy lies on its shelf; what is read was told by a majority; no more nodes
//! answered than spoke; replicas that lack what was found get it; and what has expired is not given.

use core::time::Duration;
use std::collections::BTreeMap;

use hashbrown::HashMap;
use kv::{Consistency, Done, Effort, Event, GetReport, LeaveReport, PutReport, Request, RequestId};
use node::{Instant, Outbox};
use wire::Endpoint;

use super::PerMachine;
use crate::world::{Input, Machine, Moment, Observer, Violation};

/// After a clock was set its node goes by the old time for ten minutes; so long nothing is said of times.
const CLOCK_SETTLES: Duration = Duration::from_secs(40 * 60);

/// What marks a reply.
const REPLY: &[u8] = b"1:y1:r";

/// Compares reports with what was heard.
#[derive(Default)]
pub struct Reports(PerMachine<State>);

#[derive(Default)]
struct State {
    life: u32,
    open: BTreeMap<RequestId, Open>,
    /// When each address replied last.
    replied: HashMap<Endpoint, Instant, foldhash::fast::FixedState>,
    clock_set_at: Option<Instant>,
}

struct Open {
    at: Instant,
    consistency: Option<Consistency>,
}

impl Observer for Reports {
    fn asked(&mut self, moment: Moment, machine: &Machine, id: RequestId, request: &Request) {
        let state = self.0.at(moment.machine);
        if state.life != machine.life {
            *state = State { life: machine.life, ..State::default() };
        }
        let consistency = match request {
            Request::Get(get) => Some(get.consistency),
            Request::Put(_) | Request::Lookup(_) | Request::Leave { .. } => None,
            _ => return,
        };
        state.open.insert(id, Open { at: moment.at, consistency });
    }

    fn after(
        &mut self,
        moment: Moment,
        _: &mut Machine,
        input: &Input<'_>,
        _: &Outbox,
        _: &mut Vec<Violation>,
    ) {
        let Input::Datagram(from, bytes) = input else { return };
        if bytes.windows(REPLY.len()).any(|window| window == REPLY) {
            self.0.at(moment.machine).replied.insert(*from, moment.at);
        }
    }

    fn clock_set(&mut self, moment: Moment, _: &mut Machine, _: i64) {
        self.0.at(moment.machine).clock_set_at = Some(moment.at);
    }

    fn told(
        &mut self,
        moment: Moment,
        machine: &Machine,
        event: &Event,
        found: &mut Vec<Violation>,
    ) {
        let Event::Done(id, done) = event else { return };
        let state = self.0.at(moment.machine);
        let Some(open) = state.open.remove(id) else { return };
        if state.life != machine.life {
            return;
        }
        let fault = match done {
            Done::Put(Ok(report)) => put_fault(machine, report)
                .or_else(|| state.effort_fault(machine, &open, &report.replicas.effort)),
            Done::Got(Ok(report)) => get_fault(&open, report)
                .or_else(|| state.expiry_fault(moment, machine, report))
                .or_else(|| state.effort_fault(machine, &open, &report.effort)),
            Done::Lookup(report) => state.effort_fault(machine, &open, &report.effort),
            Done::Left(report) => leave_fault(machine, report),
            _ => None,
        };
        found.extend(fault.map(|what| moment.violates("reports", what)));
    }
}

impl State {
    /// No more nodes answered than replied since.
    fn effort_fault(&self, machine: &Machine, open: &Open, effort: &Effort) -> Option<String> {
        if machine.config.node.network_key.is_some() {
            // What is sealed cannot be read.
            return None;
        }
        let replied = self.replied.values().filter(|at| **at >= open.at).count();
        (effort.answered > replied).then(|| {
            format!("{} nodes answered, it says, but {replied} did since", effort.answered)
        })
    }

    fn expiry_fault(
        &self,
        moment: Moment,
        machine: &Machine,
        report: &GetReport,
    ) -> Option<String> {
        let settled = |at: Instant| moment.at.since(at) > CLOCK_SETTLES;
        let wall = machine.clock.now(moment.at).wall;
        let expires = report.expires.filter(|expires| *expires < wall)?;
        self.clock_set_at
            .is_none_or(settled)
            .then(|| format!("a value is given at {wall:?} that expired at {expires:?}"))
    }
}

/// What is wrong with the report of a put.
fn put_fault(machine: &Machine, report: &PutReport) -> Option<String> {
    let replicas = &report.replicas;
    let (stored, needed, known) = (replicas.stored.len(), replicas.needed, replicas.known);
    if stored < needed || 2 * needed <= known {
        return Some(format!(
            "stored at {stored} of {known}, where {needed} are said to be enough"
        ));
    }
    let here = replicas.stored.iter().any(|replica| replica.endpoint.is_none());
    let version = report.version.filter(|_| here && machine.disk.is_some())?;
    let shelved = machine.kv()?.node().shelved(&report.target);
    let has = shelved
        .and_then(|shelved| shelved.seq)
        .is_some_and(|seq| version.get() <= u64::try_from(seq.get()).unwrap_or_default());
    (!has).then(|| format!("stored here in version {version}, and {shelved:?} is there"))
}

/// What is wrong with the report of a leave: nobody is given anything to hold once a node leaves.
fn leave_fault(machine: &Machine, report: &LeaveReport) -> Option<String> {
    let kept = machine.kv()?.node().kept_targets().len();
    (report.items < kept)
        .then(|| format!("{} items were kept for others, it says, and {kept} are", report.items))
}

/// What is wrong with the report of a get.
fn get_fault(open: &Open, report: &GetReport) -> Option<String> {
    let GetReport { agreed, stale, missing, known, repairing, silent, .. } = report;
    let answered = agreed + stale + missing;
    match open.consistency? {
        Consistency::First => None,
        Consistency::Quorum if 2 * answered <= *known => {
            Some(format!("{answered} of {known} replicas answered, which is no majority"))
        }
        Consistency::All if *silent > 0 => {
            Some(format!("all replicas answered, it says, but {silent} of them were silent"))
        }
        _ => (*stale > 0 && *repairing == 0 && report.expires.is_some())
            .then(|| format!("{stale} replicas are behind, and none is given what is newer")),
    }
}

#[cfg(test)]
mod tests {
    use kv::Version;
    use node::Instant;
    use wire::{NodeId, Target};

    use super::*;

    fn read(agreed: usize, stale: usize, repairing: usize) -> GetReport {
        GetReport {
            target: Target::new([1; 20]),
            value: Box::default(),
            manifest: None,
            content_type: None,
            version: Version::new(1).unwrap(),
            expires: Some(node::UnixMillis(u64::MAX)),
            source: kv::Replica { id: NodeId::new([2; 20]), endpoint: None },
            agreed,
            stale,
            missing: 0,
            silent: 5 - agreed - stale,
            known: 5,
            repairing,
            effort: Effort::default(),
        }
    }

    #[test]
    fn reads_that_no_majority_answered_and_replicas_left_behind_are_seen() {
        let open = |consistency| Open { at: Instant::default(), consistency: Some(consistency) };
        let quorum = open(Consistency::Quorum);
        assert_eq!(get_fault(&quorum, &read(3, 0, 0)), None);
        assert_eq!(get_fault(&quorum, &read(2, 1, 1)), None);
        assert!(get_fault(&quorum, &read(2, 0, 0)).is_some());
        assert!(get_fault(&quorum, &read(2, 1, 0)).is_some());
        assert!(get_fault(&open(Consistency::All), &read(4, 0, 0)).is_some());
        assert_eq!(get_fault(&open(Consistency::First), &read(1, 0, 0)), None);
    }
}
