//! `requests`: each request ends exactly once, and none is on its way long after it should have ended.

use core::time::Duration;
use std::collections::BTreeMap;

use kv::{Event, Request, RequestId};
use node::{Instant, Outbox};

use super::PerMachine;
use crate::world::{Input, Machine, Moment, Observer, Violation};

/// Most requests are a lookup of 30 s and a write, three times at most; this is long after that.
const USUAL: Duration = Duration::from_secs(600);

/// What waits for its turn, or comes in many pieces, may take this long.
const MANY_PIECES: Duration = Duration::from_secs(3600);

/// A machine that did nothing for so long was asleep: that time does not count.
const ASLEEP: Duration = Duration::from_secs(120);

/// How often a machine's open requests are looked through.
const LOOKED_THROUGH_EVERY: Duration = Duration::from_secs(5);

/// Follows the requests of users.
#[derive(Default)]
pub struct Requests(PerMachine<State>);

#[derive(Default)]
struct State {
    life: u32,
    open: BTreeMap<RequestId, Open>,
    acted_at: Instant,
    looked_at: Instant,
    slept: Duration,
}

struct Open {
    what: &'static str,
    at: Instant,
    slept: Duration,
    /// How long it may take; `None`: until it is cancelled.
    most: Option<Duration>,
}

impl Observer for Requests {
    fn asked(&mut self, moment: Moment, machine: &Machine, id: RequestId, request: &Request) {
        let state = self.0.at(moment.machine);
        state.begin(machine.life);
        let (what, most) = match request {
            Request::Join(_) => return,
            Request::Watch(_) => ("watch", None),
            Request::Put(_) => ("put", Some(USUAL)),
            Request::Get(_) => ("get", Some(USUAL)),
            Request::Batched(_) => ("batch", Some(MANY_PIECES)),
            Request::ChunksPut(_) | Request::ChunksGet(_) => ("chunks", Some(MANY_PIECES)),
            Request::Leave { within } => {
                ("leave", Some(within.unwrap_or_default().saturating_add(USUAL)))
            }
            _ => ("request", Some(USUAL)),
        };
        let (at, slept) = (moment.at, state.slept);
        state.open.insert(id, Open { what, at, slept, most });
    }

    fn before(&mut self, moment: Moment, machine: &mut Machine, _: &Input<'_>) {
        let state = self.0.at(moment.machine);
        state.begin(machine.life);
        let idle = moment.at.since(state.acted_at);
        if idle > ASLEEP || machine.paused_until >= moment.at {
            state.slept += idle;
        }
        state.acted_at = moment.at;
    }

    fn after(
        &mut self,
        moment: Moment,
        _: &mut Machine,
        _: &Input<'_>,
        _: &Outbox,
        found: &mut Vec<Violation>,
    ) {
        let state = self.0.at(moment.machine);
        if state.open.is_empty() || moment.at.since(state.looked_at) < LOOKED_THROUGH_EVERY {
            return;
        }
        state.looked_at = moment.at;
        let slept = state.slept;
        state.open.retain(|id, open| {
            let awake = moment.at.since(open.at).saturating_sub(slept - open.slept);
            let late = open.most.is_some_and(|most| awake > most);
            if late {
                let what =
                    format!("a {} ({id:?}) has not ended after {} s", open.what, awake.as_secs());
                found.push(moment.violates("requests", what));
            }
            !late
        });
    }

    fn told(&mut self, moment: Moment, _: &Machine, event: &Event, found: &mut Vec<Violation>) {
        let Event::Done(id, _) = event else { return };
        if self.0.at(moment.machine).open.remove(id).is_none() {
            let what = format!("{id:?} ends, which is not on its way");
            found.push(moment.violates("requests", what));
        }
    }
}

impl State {
    /// What was on its way in an earlier life is void.
    fn begin(&mut self, life: u32) {
        if self.life != life {
            *self = Self { life, ..Self::default() };
        }
    }
}
