//! One holder of a watched key: whether it is let wait or polled, and when it is asked next.

use alloc::boxed::Box;
use core::time::Duration;

use node::{Instant, OperationId};
use wire::{Contact, Seq};

use crate::limits::{WATCH_FAILURES, WATCH_WAIT_AGAIN, WATCH_WAIT_S};

/// After so long a wait that ends without anything new was granted: its holder's clock and the way
/// there may be a little off.
const GRANTED_AFTER: Duration = Duration::from_secs(WATCH_WAIT_S as u64 * 3 / 4);

/// A first refusal may mean that only the token was too old: then the one that came with it helps.
const REFUSED_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// A question on its way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub operation: OperationId,
    /// What was seen when it was sent.
    pub newer_than: Option<Seq>,
    waits: bool,
}

/// One holder of a watched key.
#[derive(Debug)]
pub(super) struct Holder {
    pub contact: Contact,
    pub token: Option<Box<[u8]>>,
    pub asked: Option<Asked>,
    /// When it is asked next, unless a question is on its way.
    pub ask_at: Instant,
    /// It grants no waits, so none is tried before.
    wait_at: Instant,
    /// Waits that it refused in a row.
    refusals: u8,
    /// Questions in a row that it did not answer.
    failures: u8,
}

impl Holder {
    pub fn new(contact: Contact, token: Option<Box<[u8]>>, now: Instant) -> Self {
        let (asked, refusals, failures) = (None, 0, 0);
        Self { contact, token, asked, ask_at: now, wait_at: now, refusals, failures }
    }

    /// With what to ask it to wait, if it may be willing. After a silence a plain question tells sooner
    /// whether it lives.
    pub fn waits(&self, now: Instant) -> Option<(u8, Box<[u8]>)> {
        let willing = self.wait_at <= now && self.failures == 0;
        self.token.clone().filter(|_| willing).map(|token| (WATCH_WAIT_S, token))
    }

    /// It has been asked.
    pub fn is_asked(&mut self, operation: OperationId, newer_than: Option<Seq>, waits: bool) {
        self.asked = Some(Asked { operation, newer_than, waits });
    }

    /// It answered after `took`, with something new or not. A holder that does not wait is asked again
    /// after `poll`.
    pub fn answered(&mut self, news: bool, took: Duration, poll: Duration, now: Instant) {
        self.failures = 0;
        let waited = self.asked.take().is_some_and(|asked| asked.waits);
        self.ask_at = now;
        if waited && (news || took >= GRANTED_AFTER) {
            self.refusals = 0;
        } else if waited {
            self.refusals = self.refusals.saturating_add(1);
            self.ask_at = now + REFUSED_AGAIN_AFTER;
            if self.refusals > 1 {
                self.refuses(poll, now);
            }
        } else if self.waits(now).is_none() {
            self.ask_at = now + poll;
        }
    }

    /// It answered that it will not.
    pub fn refused(&mut self, poll: Duration, now: Instant) {
        (self.asked, self.failures) = (None, 0);
        self.refuses(poll, now);
    }

    fn refuses(&mut self, poll: Duration, now: Instant) {
        self.wait_at = now + WATCH_WAIT_AGAIN;
        self.ask_at = now + poll;
    }

    /// It did not answer; `true` if it is to be given up.
    pub fn is_silent(&mut self, now: Instant) -> bool {
        self.asked = None;
        self.failures = self.failures.saturating_add(1);
        self.ask_at = now;
        self.failures >= WATCH_FAILURES
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::{Endpoint, NodeId};

    const POLL: Duration = Duration::from_secs(5);
    const WAITED: Duration = Duration::from_secs(WATCH_WAIT_S as u64);

    fn at(second: u64) -> Instant {
        Instant::from_micros(second * 1_000_000)
    }

    fn holder() -> Holder {
        let contact =
            Contact { id: NodeId::new([1; 20]), endpoint: Endpoint::v4([10, 0, 0, 1], 8000) };
        Holder::new(contact, Some(Box::from(*b"token")), at(0))
    }

    fn ask(holder: &mut Holder, now: Instant) -> bool {
        let waits = holder.waits(now).is_some();
        holder.is_asked(OperationId::from_number(1), None, waits);
        waits
    }

    #[test]
    fn a_holder_that_waits_is_asked_again_at_once() {
        let mut holder = holder();
        for (news, took) in [(false, WAITED), (true, Duration::ZERO), (false, WAITED)] {
            assert!(ask(&mut holder, at(0)));
            holder.answered(news, took, POLL, at(9));
            assert_eq!(holder.ask_at, at(9));
        }
    }

    #[test]
    fn one_that_does_not_is_polled_and_asked_to_wait_again_later() {
        let mut holder = holder();
        assert!(ask(&mut holder, at(0)));
        holder.answered(false, Duration::ZERO, POLL, at(0));
        assert_eq!(holder.ask_at, at(1), "perhaps only the token was too old");
        assert!(ask(&mut holder, at(1)));
        holder.answered(false, Duration::ZERO, POLL, at(1));
        for (step, news) in [(1, false), (2, true), (3, false)] {
            assert_eq!(holder.ask_at, at(1 + 5 * step));
            let now = holder.ask_at;
            assert!(!ask(&mut holder, now));
            holder.answered(news, Duration::ZERO, POLL, now);
        }
        assert!(ask(&mut holder, at(1) + WATCH_WAIT_AGAIN));
    }

    #[test]
    fn a_silent_one_is_asked_plainly_and_then_given_up() {
        let mut holder = holder();
        assert!(ask(&mut holder, at(0)));
        assert!(!holder.is_silent(at(30)));
        assert!(!ask(&mut holder, at(30)));
        holder.answered(false, Duration::ZERO, POLL, at(31));
        assert_eq!(holder.ask_at, at(31));
        assert!(ask(&mut holder, at(31)), "it lives");
        assert!(!holder.is_silent(at(60)));
        assert!(holder.is_silent(at(64)));
    }
}
