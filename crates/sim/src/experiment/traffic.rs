//! Counts what machines send, and what for.

use std::cell::{Ref, RefCell};
use std::rc::Rc;

use node::Method;
use wire::{Endpoint, Message};

use crate::world::{Moment, Observer};

/// What travels around a datagram's bytes: headers of IPv4 and UDP (RFC 791, RFC 768).
pub const HEADER_BYTES: u64 = 28;

/// What datagrams are for: one of [`Method::ALL`], a reply, or an error.
const KINDS: usize = Method::ALL.len() + 2;

/// What was sent.
#[derive(Clone, Debug, Default)]
pub struct Sent {
    /// Datagrams that each machine sent.
    pub datagrams: Vec<u64>,
    /// Their bytes, headers left out.
    pub bytes: Vec<u64>,
    by_kind: [(u64, u64); KINDS],
}

impl Sent {
    /// Datagrams and bytes of all machines.
    pub fn total(&self) -> (u64, u64) {
        (self.datagrams.iter().sum(), self.bytes.iter().sum())
    }

    /// Datagrams and bytes of all machines that asked this.
    pub fn asking(&self, method: Method) -> (u64, u64) {
        self.by_kind[method as usize]
    }

    /// Datagrams and bytes by what they are for, leaving out what never came.
    pub fn kinds(&self) -> impl Iterator<Item = (&'static str, u64, u64)> {
        let names = Method::ALL.iter().map(|(_, name)| *name).chain(["reply", "error"]);
        let kinds =
            names.zip(self.by_kind).map(|(name, (datagrams, bytes))| (name, datagrams, bytes));
        kinds.filter(|(_, datagrams, _)| *datagrams > 0)
    }

    fn count(&mut self, machine: usize, bytes: &[u8]) {
        if machine >= self.bytes.len() {
            self.bytes.resize(machine + 1, 0);
            self.datagrams.resize(machine + 1, 0);
        }
        self.bytes[machine] += bytes.len() as u64;
        self.datagrams[machine] += 1;
        let kind = match Message::read(bytes) {
            Ok(Message::Query(query)) => Method::of(&query.query) as usize,
            Ok(Message::Reply(_)) => Method::ALL.len(),
            Ok(Message::Error(_)) => Method::ALL.len() + 1,
            Ok(Message::BadQuery { .. }) | Err(_) => Method::Unknown as usize,
        };
        let (datagrams, sum) = &mut self.by_kind[kind];
        (*datagrams, *sum) = (*datagrams + 1, *sum + bytes.len() as u64);
    }
}

/// Watches what is sent; clones count into the same numbers.
#[derive(Clone, Debug, Default)]
pub struct Traffic(Rc<RefCell<Sent>>);

impl Traffic {
    /// What was counted since the last reset.
    pub fn sent(&self) -> Ref<'_, Sent> {
        self.0.borrow()
    }

    /// Begins anew.
    pub fn reset(&self) {
        *self.0.borrow_mut() = Sent::default();
    }
}

impl Observer for Traffic {
    fn sent(&mut self, moment: Moment, _: Endpoint, _: Endpoint, bytes: &[u8]) {
        self.0.borrow_mut().count(moment.machine.index(), bytes);
    }
}
