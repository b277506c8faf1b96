//! What users asked for, and what they were told: the history of a run.

use core::time::Duration;

use kv::{Consistency, Version};
use node::{Instant, UnixMillis};

use crate::clock::START;
use crate::world::MachineId;

/// What a user asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// To put the value of this number.
    Put {
        /// Each put of a run has a value of its own.
        value: u64,
        /// For how long it shall live.
        ttl: Duration,
        /// Under which condition.
        expected: kv::Expected,
    },
    /// To delete the key.
    Delete,
    /// To read the key.
    Get(Consistency),
}

impl Asked {
    /// Whether it changes the key.
    pub fn writes(&self) -> bool {
        !matches!(self, Asked::Get(_))
    }
}

/// What a user was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// It is stored, in this version and until then.
    Stored(Version, Option<UnixMillis>),
    /// Fewer replicas than needed stored it: it may be there.
    Short(Option<Version>),
    /// Another version is there than was expected: nothing was written.
    Conflict,
    /// It may or may not have happened, in this version.
    Undetermined(Version),
    /// This is the value, in this version.
    Found(u64, Version),
    /// These bytes, in this version, are no value that users write.
    Garbled(Version),
    /// There is no value: it never was, or was deleted or expired in this version.
    Absent(Option<Version>),
    /// Too few replicas answered to be sure.
    Unsure,
    /// Nobody answered, or the request failed otherwise.
    Failed,
    /// It was refused before anything was sent.
    Refused,
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
    /// Machines that said that they stored it.
    pub holders: Vec<MachineId>,
}

impl Operation {
    /// The version in which it was stored, if users were told that it was.
    pub fn stored(&self) -> Option<Version> {
        match self.ended?.1 {
            Told::Stored(version, _) => Some(version),
            _ => None,
        }
    }

    /// When it ended; never, if it is on its way or its machine ended first: whatever it set going may
    /// still come.
    pub fn over(&self) -> Option<Instant> {
        self.ended.filter(|(_, told)| *told != Told::Cut).map(|(at, _)| at)
    }

    /// Whether what it wrote may be in the network, though nobody was told that it is.
    pub fn may_have_written(&self) -> bool {
        let surely_not = |told| {
            matches!(
                told,
                Told::Stored(..)
                    | Told::Conflict
                    | Told::Refused
                    | Told::Absent(_)
                    | Told::Garbled(_)
            )
        };
        self.asked.writes() && !self.ended.is_some_and(|(_, told)| surely_not(told))
    }

    /// When the value that it put ends, by a clock that is right: as was told, or at the earliest; `None`
    /// if it put none.
    pub fn ends(&self) -> Option<Instant> {
        let Asked::Put { ttl, .. } = self.asked else { return None };
        match self.ended {
            Some((_, Told::Stored(_, Some(expires)))) => {
                Some(Instant::default() + expires.since(START))
            }
            _ => Some(self.begun + ttl),
        }
    }
}

/// All requests of a run, in the order in which they began.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The requests.
    pub operations: Vec<Operation>,
}

impl History {
    /// The requests to one key.
    pub fn of_key(&self, key: u32) -> impl Iterator<Item = &Operation> {
        self.operations.iter().filter(move |operation| operation.key == key)
    }

    /// All keys that were asked for, in their order.
    pub fn keys(&self) -> Vec<u32> {
        let mut keys: Vec<u32> = self.operations.iter().map(|operation| operation.key).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}
