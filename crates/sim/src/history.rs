//! What users asked for, and what they were told: the history of a run.

use kv::{Consistency, Version};
use node::{Instant, UnixMillis};

use crate::world::MachineId;

/// What a user asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// To put the value of this number.
    Put {
        /// Each put of a run has a value of its own.
        value: u64,
        /// Under which condition.
        expected: kv::Expected,
    },
    /// To delete the key.
    Delete,
    /// To read the key.
    Get(Consistency),
}

/// What a user was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// It is stored, in this version and until then.
    Stored(Version, Option<UnixMillis>),
    /// Fewer replicas than needed stored it: it may be there.
    Short(Option<Version>),
    /// Another version is there than was expected.
    Conflict,
    /// It may or may not have happened, in this version.
    Undetermined(Version),
    /// This is the value, in this version.
    Found(u64, Version),
    /// There is no value: it never was, or was deleted or expired in this version.
    Absent(Option<Version>),
    /// Too few replicas answered to be sure.
    Unsure,
    /// Nobody answered, or the request failed otherwise.
    Failed,
    /// The machine ended first.
    Cut,
}

/// One request of a user and its end.
#[derive(Clone, Debug)]
pub struct Operation {
    /// At which machine.
    pub machine: MachineId,
    /// To which key.
    pub key: u32,
    /// What was asked.
    pub asked: Asked,
    /// When.
    pub begun: Instant,
    /// When it ended and with what; `None`: it is on its way.
    pub ended: Option<(Instant, Told)>,
}

/// All requests of a run, in the order in which they began.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The requests.
    pub operations: Vec<Operation>,
}
