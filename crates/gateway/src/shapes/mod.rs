//! What is told to programs: the same objects over HTTP and by the program's `--json`.

mod back;
mod effort;
mod item;
mod lookup;
mod receipt;
mod report;
mod watched;

pub use back::Untrue;
pub use effort::{Effort, Refusal, Replica, Replicas};
pub use item::Item;
pub use lookup::{Closest, Contact, Ended, Holds, Lookup, Outcome, Step};
pub use receipt::{Chunks, Receipt};
pub use report::{Content, Report, written_at};
pub use watched::Watched;

use std::time::Duration;

/// Milliseconds as a number, to the microsecond.
pub fn millis(span: Duration) -> f64 {
    span.as_micros() as f64 / 1000.0
}
