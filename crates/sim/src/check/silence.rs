//! Which addresses have given a node a reason to take them for gone since they last did well: the
//! ledger by which it is judged who may leave a table.

use core::time::Duration;

use hashbrown::HashMap;
use node::Instant;
use wire::{Endpoint, NodeId};

use super::exchange::{Answer, Heard, Seen};

/// A question is given up within so long, the 30 s included that it may wait, by a clock a tenth slow.
const GIVEN_UP_WITHIN: Duration = Duration::from_secs(40);

/// An answer that was let wait says nothing of the way; then this is the most that a node assumes.
const LONGEST_ROUND_TRIP: Duration = Duration::from_secs(1);

/// For so long an address counts as one of many names after it answered under another than before.
const MANY_NAMES_FOR: Duration = Duration::from_secs(3600);

/// Addresses that are remembered, before those without a part in anything are forgotten.
const REMEMBERED: usize = 65_536;

/// What is known of an address.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// In what time it answered last.
    pub round_trip: Duration,
    /// It left a question unanswered for long, answered wrongly or said goodbye since it last did well.
    pub failed: bool,
    /// It refused something or said goodbye since: its next failure is its last.
    pub doubted: bool,
    heard_at: Instant,
    good_at: Instant,
    /// Under which id it answered last, and when that was another than before.
    id: Option<NodeId>,
    renamed_at: Option<Instant>,
}

impl Known {
    fn new(now: Instant) -> Self {
        let (round_trip, good_at) = (LONGEST_ROUND_TRIP, Instant::default());
        let (failed, doubted, heard_at) = (false, false, now);
        Self { round_trip, failed, doubted, heard_at, good_at, id: None, renamed_at: None }
    }
}

/// What is known of each address that a node asked.
#[derive(Debug, Default)]
pub struct Silence {
    known: HashMap<Endpoint, Known, foldhash::fast::FixedState>,
}

impl Silence {
    /// Takes a step.
    pub fn note(&mut self, seen: &Seen<'_>) {
        let now = seen.moment.at;
        match seen.heard {
            Heard::Answer(from, asked, Answer::Reply(id, ..)) => {
                let took = match asked.waits {
                    true => LONGEST_ROUND_TRIP,
                    false => now.since(asked.at),
                };
                let good = is_good(seen, &id, &from);
                let known = self.of(from, now);
                (known.round_trip, known.failed) = (took, !good);
                if known.id.replace(id).is_some_and(|before| before != id) {
                    known.renamed_at = Some(now);
                }
                if good {
                    known.doubted = false;
                    known.good_at = now;
                }
            }
            Heard::Answer(from, _, Answer::Nonsense) => self.of(from, now).failed = true,
            // A refusal may say that its sender leaves.
            Heard::Answer(from, _, Answer::Refusal) => self.of(from, now).doubted = true,
            Heard::Query(from, message) => {
                if message.read_only {
                    self.of(from, now).doubted = true;
                } else if let Some(known) = self.known.get_mut(&from) {
                    known.heard_at = now;
                }
            }
            _ => {}
        }
        for (to, asked_at) in seen.given_up {
            // An answer that came after the question was given up made it good again.
            let known = self.known.entry(*to).or_insert_with(|| Known::new(*asked_at));
            known.failed |= known.good_at < *asked_at + GIVEN_UP_WITHIN;
        }
        if self.known.len() > REMEMBERED {
            let old = Duration::from_secs(3600);
            self.known.retain(|_, known| now.since(known.heard_at) < old);
        }
    }

    fn of(&mut self, endpoint: Endpoint, now: Instant) -> &mut Known {
        let known = self.known.entry(endpoint).or_insert_with(|| Known::new(now));
        known.heard_at = known.heard_at.max(now);
        known
    }

    /// In what time an address answered last.
    pub fn round_trip(&self, endpoint: &Endpoint) -> Option<Duration> {
        self.known.get(endpoint).map(|known| known.round_trip)
    }

    /// Whether an address has given a reason to take it for gone.
    pub fn has_failed(&self, endpoint: &Endpoint, now: Instant) -> bool {
        self.known.get(endpoint).is_none_or(|known| {
            // Where many names live, nobody outside knows which of them is meant by a question.
            let many = known.renamed_at.is_some_and(|at| now.since(at) < MANY_NAMES_FOR);
            known.failed || many
        })
    }

    /// Whether an address may lose its place to another, since it refused or said goodbye.
    pub fn is_doubted(&self, endpoint: &Endpoint) -> bool {
        self.known.get(endpoint).is_some_and(|known| known.doubted)
    }

    /// For how long nothing was heard from an address.
    pub fn quiet_for(&self, endpoint: &Endpoint, now: Instant) -> Duration {
        self.known.get(endpoint).map_or(Duration::ZERO, |known| now.since(known.heard_at))
    }
}

/// Whether the one who answered is now taken for good, if it has a place in the table at all.
fn is_good(seen: &Seen<'_>, id: &NodeId, from: &Endpoint) -> bool {
    let entry = seen.kv.node().table(from.family()).get(id);
    entry.is_some_and(|entry| entry.endpoint == *from && entry.is_good())
}
