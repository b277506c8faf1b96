//! One Mainline DHT node as a value: no socket, no clock, no task, no global randomness.
//!
//! A [`Node`] is driven from outside. Each call hands it one input, together with the time and an
//! [`Outbox`] for datagrams: a datagram that arrived ([`Node::datagram`]), a timer that ran out
//! ([`Node::tick`]), something to do ([`Node::command`]), or the news that a batch of what shall
//! outlive the process is durable ([`Node::stored`]). After each input the driver sends what
//! is in the outbox, takes the events from [`Node::next_event`], and arms its timer for
//! [`Node::deadline`]. A stranger's bytes can never cause an error or a panic, only a drop that is
//! counted with its reason in [`Counters`].
//!
//! A datagram's way through the files: `inbox` (bounds, decoding) → a query: `serve` answers from
//! `table` and `shelf` under `token` and `budget`; a reply: `pending` finds what it answers, then
//! `table` and the `lookup` or `write` that asked hear of it.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod acquaintance;
mod ask;
mod budget;
mod changes;
mod clock;
mod config;
mod counters;
mod dice;
mod durable;
mod hand_off;
mod identity;
mod inbox;
mod inquiry;
pub mod limits;
mod loads;
mod lookup;
mod lost;
mod membership;
mod operation;
mod outbox;
mod pending;
mod persisted;
mod round_trips;
mod seal;
mod serve;
mod set_hand_off;
mod sets;
mod shelf;
mod silences;
mod state;
pub mod table;
mod time;
mod token;
mod verify;
mod waits;
pub mod walk;
mod write;

pub use changes::{BatchNumber, Change, Changes};
pub use clock::SteadyWall;
pub use config::{Config, Network};
pub use counters::{Counters, Drop, Method};
pub use dice::Dice;
pub use hand_off::{Holder, OfferOf};
#[doc(hidden)]
pub use loads::{Loads, Shelved};
pub use operation::{
    Answer, Command, Destination, Ended, Event, Held, Holds, Inquired, Inquiry, LookupResult,
    OperationId, Outcome, Question, Responder, Step, StepOutcome, Until, Written,
};
pub use outbox::Outbox;
pub use persisted::{Persisted, Restorable};
pub use seal::NetworkKey;
pub use shelf::persisted_member::PersistedMember;
pub use shelf::persisted_peer::PersistedPeer;
pub use shelf::{Admission, Lease, Listed, Mainline, Refused, ShelfLimits};
pub use state::Node;
pub use table::{AddressRules, Table};
pub use time::{Instant, Now, UnixMillis};
