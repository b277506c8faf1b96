//! Many puts and gets at once. Each is what it would be alone; together they share what their lookups
//! learn of the nodes near their keys, and a window that paces them.
//!
//! A lookup that starts from the nodes it would end with asks each of them once and nobody else. If
//! one of them has gone, or a closer one has come, the others tell of it, and the lookup goes on as
//! any lookup does: what was learned before can cost queries, never the right answer.

use alloc::collections::VecDeque;
use core::mem;

use hashbrown::HashMap;
use node::{Command, Ended, Instant, LookupResult, Now, Outbox, Outcome};
use wire::Contact;
use wire::planted::{self, Bug};

use crate::limits::BATCHED_WAITING;
use crate::neighbours::Neighbours;
use crate::report::{GetError, PutError};
use crate::request::{Done, GetRequest, PutRequest, RequestId};
use crate::state::Kv;
use crate::window::Window;

/// One of many: it starts when the window has room, and ends as it would alone.
#[derive(Clone, Debug)]
pub enum Batched {
    /// A put or delete.
    Put(PutRequest),
    /// A get.
    Get(GetRequest),
}

impl Batched {
    /// How it ends when too many wait already.
    pub(crate) fn busy(&self) -> Done {
        match self {
            Batched::Put(_) => Done::Put(Err(PutError::Busy)),
            Batched::Get(_) => Done::Got(Err(GetError::Busy)),
        }
    }
}

/// All that is batched: waiting and on its way.
#[derive(Default)]
pub(crate) struct Batch {
    waiting: VecDeque<(RequestId, Batched)>,
    /// On their way: whether somebody was silent.
    started: HashMap<RequestId, bool, foldhash::fast::FixedState>,
    /// Ended since the window was last looked at: with and without silence.
    ended: [usize; 2],
    window: Window,
    neighbours: Neighbours,
}

impl Batch {
    /// Gives a lookup of something batched whom earlier ones heard near its target.
    pub fn seeded(&self, id: RequestId, mut command: Command, now: Instant) -> Command {
        if let Command::Lookup { question, width, seeds, .. } = &mut command
            && self.started.contains_key(&id)
        {
            // As many again may have gone meanwhile.
            *seeds = self.neighbours.closest(&question.target(), 2 * *width, now);
        }
        command
    }

    /// A lookup ended.
    pub fn looked_up(&mut self, id: RequestId, result: &LookupResult, now: Instant) {
        let Some(silence) = self.started.get_mut(&id) else { return };
        // One that is cut short has not waited for whom it asked last.
        if result.ended != Ended::Cancelled {
            *silence |= result.fell_silent || result.answered == 0;
            self.neighbours.learn(result, now);
        }
    }

    /// A write phase ended.
    pub fn wrote(&mut self, id: RequestId, outcomes: &[(Option<Contact>, Outcome)]) {
        if let Some(silence) = self.started.get_mut(&id) {
            *silence |= outcomes.iter().any(|(_, outcome)| *outcome == Outcome::Silent);
        }
    }

    /// A request is done.
    pub fn ended(&mut self, id: RequestId) {
        if let Some(silence) = self.started.remove(&id)
            && !(silence && planted::is(Bug::BatchNeverRefills))
        {
            self.ended[usize::from(silence)] += 1;
        }
    }
}

impl Kv {
    /// Lets something batched wait for its turn.
    pub(crate) fn start_batched(&mut self, id: RequestId, batched: Batched) {
        if self.batch.waiting.len() >= BATCHED_WAITING {
            return self.done(id, batched.busy());
        }
        self.batch.waiting.push_back((id, batched));
    }

    /// Starts what waits as long as the window has room; tells whether anything was started.
    pub(crate) fn advance_batch(&mut self, now: Now, outbox: &mut Outbox) -> bool {
        // A lookup asks as many at once, and a write phase no more.
        let weight = self.width();
        let [heard, silent] = mem::take(&mut self.batch.ended);
        for (silence, count) in [(false, heard), (true, silent)] {
            (0..count).for_each(|_| self.batch.window.ended(weight, silence, now.monotonic));
        }
        let mut any = false;
        while !self.batch.waiting.is_empty() && self.batch.window.enter(weight) {
            let Some((id, batched)) = self.batch.waiting.pop_front() else { break };
            self.batch.started.insert(id, false);
            match batched {
                Batched::Put(put) => self.start_put(now, id, put, outbox),
                Batched::Get(get) => self.start_get(now, id, get, outbox),
            }
            any = true;
        }
        any
    }
}
