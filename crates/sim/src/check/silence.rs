//! Which addresses have given a node a reason to take them for gone since they last did well: the
//! ledger by which it is judged who may leave a table.

use core::time::Duration;

use hashbrown::HashMap;
use node::Instant;
use wire::{Endpoint, NodeId};

use super::exchange::{Answer, Heard, Seen};

/// No query is given up earlier (docs/protocol.md, "Lookups": 1 s, by a clock a tenth fast).
const GIVEN_UP_AFTER: Duration = Duration::from_millis(850);

/// An answer that was let wait says nothing of the way; then this is the most that a node assumes.
const LONGEST_ROUND_TRIP: Duration = Duration::from_secs(1);

/// Addresses that are remembered, before those without a part in anything are forgotten.
const REMEMBERED: usize = 65_536;

/// What is known of an address.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// In what time it answered last.
    pub round_trip: Duration,
    /// It left a question unanswered, answered wrongly or said goodbye since it last did well.
    pub failed: bool,
    heard_at: Instant,
}

/// What is known of each address that a node asked.
#[derive(Debug, Default)]
pub struct Silence {
    known: HashMap<Endpoint, Known, foldhash::fast::FixedState>,
    timeouts: u64,
}

impl Silence {
    /// Takes a step.
    pub fn note(&mut self, seen: &Seen<'_>) {
        let now = seen.moment.at;
        match seen.heard {
            Heard::Answer(from, asked, Answer::Reply(id)) => {
                let took = match asked.waits {
                    true => LONGEST_ROUND_TRIP,
                    false => now.since(asked.at),
                };
                let good = is_good(seen, &id, &from);
                let known = self.of(from, now);
                (known.round_trip, known.failed) = (took, !good);
            }
            // A refusal may say that its sender leaves.
            Heard::Answer(from, _, Answer::Refusal | Answer::Nonsense) => {
                self.of(from, now).failed = true;
            }
            Heard::Query(from, message) if message.read_only => self.of(from, now).failed = true,
            _ => {}
        }
        let timeouts = seen.kv.node().counters().timeouts;
        if timeouts != self.timeouts {
            self.timeouts = timeouts;
            for ((_, to), asked) in seen.open {
                if now.since(asked.at) >= GIVEN_UP_AFTER {
                    self.of(*to, asked.at).failed = true;
                }
            }
        }
        if self.known.len() > REMEMBERED {
            let old = Duration::from_secs(3600);
            self.known.retain(|_, known| now.since(known.heard_at) < old);
        }
    }

    fn of(&mut self, endpoint: Endpoint, now: Instant) -> &mut Known {
        let new = Known { round_trip: LONGEST_ROUND_TRIP, failed: false, heard_at: now };
        let known = self.known.entry(endpoint).or_insert(new);
        known.heard_at = known.heard_at.max(now);
        known
    }

    /// In what time an address answered last.
    pub fn round_trip(&self, endpoint: &Endpoint) -> Option<Duration> {
        self.known.get(endpoint).map(|known| known.round_trip)
    }

    /// Whether an address has given a reason to take it for gone.
    pub fn has_failed(&self, endpoint: &Endpoint) -> bool {
        self.known.get(endpoint).is_none_or(|known| known.failed)
    }
}

/// Whether the one who answered is now taken for good, if it has a place in the table at all.
fn is_good(seen: &Seen<'_>, id: &NodeId, from: &Endpoint) -> bool {
    let entry = seen.kv.node().table(from.family()).get(id);
    entry.is_some_and(|entry| entry.endpoint == *from && entry.is_good())
}
