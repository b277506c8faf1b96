//! Who watches a world: sees each datagram and each input, and the machine before and after it.

use kv::{Event, Request, RequestId};
use node::{Instant, Outbox};
use wire::Endpoint;

use super::{Machine, MachineId};
use crate::check::traffic::Traffic;

/// What a machine is about to act on, or has acted on.
#[derive(Clone, Copy, Debug)]
pub enum Input<'i> {
    /// It was started; so many entries came back from its disk.
    Start(usize),
    /// A datagram arrived from this address.
    Datagram(Endpoint, &'i [u8]),
    /// A timer ran out.
    Tick,
    /// Its user asked for something.
    Request(&'i Request),
    /// A batch was committed: durably, or not.
    Committed(bool),
    /// It says that it is not there any more.
    Goodbye,
}

/// Which machine at which time.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The world's time.
    pub at: Instant,
    /// The machine.
    pub machine: MachineId,
}

/// Something that must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// When and where it was seen.
    pub at: Instant,
    /// On which machine; `None`: it concerns the whole network.
    pub machine: Option<MachineId>,
    /// Which check found it.
    pub check: &'static str,
    /// What was seen, and what should have been.
    pub what: String,
}

impl Moment {
    /// Something that must not be, seen now.
    pub fn violates(self, check: &'static str, what: String) -> Violation {
        Violation { at: self.at, machine: Some(self.machine), check, what }
    }
}

/// Watches a world, and tells what must not be. All methods may stay empty.
pub trait Observer {
    /// A machine is about to act.
    fn before(&mut self, _: Moment, _: &mut Machine, _: &Input<'_>) {}

    /// A machine has acted; what it sends is in the outbox.
    fn after(
        &mut self,
        _: Moment,
        _: &mut Machine,
        _: &Input<'_>,
        _: &Outbox,
        _: &mut Vec<Violation>,
    ) {
    }

    /// A machine's user asked for something under this number.
    fn asked(&mut self, _: Moment, _: &Machine, _: RequestId, _: &Request) {}

    /// A machine sends a datagram; nobody knows yet whether it arrives.
    fn sent(&mut self, _: Moment, _from: Endpoint, _to: Endpoint, _: &[u8]) {}

    /// A node tells something.
    fn told(&mut self, _: Moment, _: &Machine, _: &Event, _: &mut Vec<Violation>) {}

    /// A machine's process has ended: by itself, or with the machine's power.
    fn ended(&mut self, _: Moment, _: &mut Machine, _: &mut Vec<Violation>) {}

    /// A machine's wall clock was set forward by so many milliseconds.
    fn clock_set(&mut self, _: Moment, _: &mut Machine, _by_ms: i64) {}

    /// What went over the wire so far, if that is what it counts.
    fn traffic(&self) -> Option<&Traffic> {
        None
    }
}
