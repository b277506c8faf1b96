//! Who does not answer just now. Lookups do not wait for them, so that a node that has died costs each
//! caller some slow moments, and not every lookup of a transfer one.
//!
//! Whoever is silent is asked again once a second, by whatever has a question for it; any answer ends
//! the silence. A patient lookup, such as that before a swap, waits for the one that it asks itself:
//! two that swap must meet at the same arbiter.

use core::time::Duration;

use hashbrown::HashMap;
use wire::Endpoint;

use crate::limits::SILENCES;
use crate::time::Instant;

/// So many slow or lost answers in a row, with none in between, are no bad luck any more.
const IN_A_ROW: u8 = 3;

/// Whoever was not asked for so long may be there again.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(60);

/// How often somebody silent is asked.
const ASKED_EVERY: Duration = Duration::from_secs(1);

struct Silence {
    in_a_row: u8,
    since: Instant,
    asked_at: Instant,
}

/// Addresses that owe us answers.
pub(crate) struct Silences(HashMap<Endpoint, Silence, foldhash::fast::FixedState>);

impl Silences {
    /// Nobody yet.
    pub fn new(hash_seed: u64) -> Self {
        Self(HashMap::with_hasher(foldhash::fast::FixedState::with_seed(hash_seed)))
    }

    /// How many addresses are remembered.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// An answer is late, or was given up.
    pub fn missed(&mut self, endpoint: Endpoint, now: Instant) {
        if self.0.len() >= SILENCES && !self.0.contains_key(&endpoint) {
            self.0.retain(|_, silence| now.since(silence.since) < FORGOTTEN_AFTER);
            if self.0.len() >= SILENCES {
                return;
            }
        }
        let new = Silence { in_a_row: 0, since: now, asked_at: now };
        let silence = self.0.entry(endpoint).or_insert(new);
        if now.since(silence.since) >= FORGOTTEN_AFTER {
            silence.in_a_row = 0;
        }
        (silence.in_a_row, silence.since) = (silence.in_a_row.saturating_add(1), now);
    }

    /// An answer came.
    #[inline]
    pub fn heard(&mut self, endpoint: &Endpoint) {
        if !self.0.is_empty() {
            self.0.remove(endpoint);
            if self.0.is_empty() {
                self.0.shrink_to_fit();
            }
        }
    }

    /// Whether somebody is silent.
    pub fn contains(&self, endpoint: &Endpoint, now: Instant) -> bool {
        self.0.get(endpoint).is_some_and(|silence| {
            silence.in_a_row >= IN_A_ROW && now.since(silence.since) < FORGOTTEN_AFTER
        })
    }

    /// Whether somebody is silent and was asked lately; whoever is not passed over counts as asked.
    pub fn is_passed_over(&mut self, endpoint: &Endpoint, now: Instant) -> bool {
        self.contains(endpoint, now) && !self.may_ask(endpoint, now)
    }

    /// Whether it is time to ask somebody silent again, who then counts as asked.
    fn may_ask(&mut self, endpoint: &Endpoint, now: Instant) -> bool {
        let Some(silence) = self.0.get_mut(endpoint) else { return true };
        let due = now.since(silence.asked_at) >= ASKED_EVERY;
        if due {
            silence.asked_at = now;
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::from_micros(ms * 1000)
    }

    fn host(number: u16) -> Endpoint {
        Endpoint::v4([10, 0, 0, 1], number)
    }

    #[test]
    fn three_misses_in_a_row_are_a_silence_that_any_answer_ends() {
        let mut silences = Silences::new(1);
        for time in [1, 2] {
            silences.missed(host(1), at(time));
            assert!(!silences.contains(&host(1), at(time)));
        }
        silences.heard(&host(1));
        for time in 3..6 {
            silences.missed(host(1), at(time));
        }
        assert!(silences.contains(&host(1), at(6)) && !silences.contains(&host(2), at(6)));
        silences.heard(&host(1));
        assert!(!silences.contains(&host(1), at(7)));
    }

    #[test]
    fn somebody_silent_is_asked_once_a_second_and_forgotten_after_a_minute() {
        let mut silences = Silences::new(1);
        (0..3).for_each(|_| silences.missed(host(1), at(0)));
        let asked = (0..5000).filter(|ms| silences.may_ask(&host(1), at(*ms))).count();
        assert_eq!(asked, 4);
        assert!(
            silences.contains(&host(1), at(59_999)) && !silences.contains(&host(1), at(60_000))
        );
        silences.missed(host(1), at(60_000));
        assert!(!silences.contains(&host(1), at(60_001)), "it begins anew");
    }

    #[test]
    fn no_more_are_remembered_than_there_is_room_for() {
        let mut silences = Silences::new(1);
        for number in 0..2 * SILENCES {
            silences.missed(host(number as u16), at(0));
        }
        assert_eq!(silences.0.len(), SILENCES);
        silences.missed(host(u16::MAX), at(60_000));
        assert_eq!(silences.0.len(), 1);
    }
}
