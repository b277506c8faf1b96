//! How often strangers may ask where they need no token: token buckets for each of them, and for all
//! together. A stranger is an IPv4 address or an IPv6 /64, which one household or host has.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What a stranger does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    Read,
    Write,
}

/// Who called, as the connection tells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller(pub IpAddr);

/// How many may come at once, and how many come again each second.
#[derive(Clone, Copy, Debug)]
struct Pace {
    burst: f64,
    per_second: f64,
}

/// Reads of one stranger: a resolver that starts asks for some tens of names.
const READS: Pace = Pace { burst: 60.0, per_second: 10.0 };

/// Writes of one stranger: pkarr's packets are renewed every few minutes or hours.
const WRITES: Pace = Pace { burst: 10.0, per_second: 1.0 };

/// Reads of all strangers: each may ask some tens of nodes on the public network.
const ALL_READS: Pace = Pace { burst: 400.0, per_second: 200.0 };

/// Writes of all strangers.
const ALL_WRITES: Pace = Pace { burst: 80.0, per_second: 40.0 };

/// Strangers that are told apart, some 100 bytes each; those beyond share the rate of one.
const STRANGERS: usize = 8192;

/// Those who have been quiet are forgotten at most so often: it takes a look at all.
const SWEEP: Duration = Duration::from_secs(1);

/// The buckets of all strangers.
#[derive(Debug, Default)]
pub(crate) struct Rates(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    strangers: HashMap<IpAddr, Buckets>,
    /// Of those for whom there is no place.
    others: Buckets,
    all: Buckets,
    swept: Option<Instant>,
}

#[derive(Debug, Default)]
struct Buckets {
    reads: Bucket,
    writes: Bucket,
}

/// What was taken and has not come again; the default is a full one.
#[derive(Debug, Default)]
struct Bucket {
    taken: f64,
    at: Option<Instant>,
}

impl Rates {
    /// Lets a stranger do this now, or tells how long to wait.
    pub fn take(&self, caller: IpAddr, deed: Deed, now: Instant) -> Result<(), Duration> {
        // A panic elsewhere leaves numbers, and any will do.
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        table.take(stranger(caller), deed, now)
    }
}

impl Table {
    fn take(&mut self, stranger: IpAddr, deed: Deed, now: Instant) -> Result<(), Duration> {
        if !self.strangers.contains_key(&stranger) && self.strangers.len() >= STRANGERS {
            self.sweep(now);
        }
        let place = self.strangers.len() < STRANGERS || self.strangers.contains_key(&stranger);
        let own = match place {
            true => self.strangers.entry(stranger).or_default(),
            false => &mut self.others,
        };
        let (pace, of_all) = match deed {
            Deed::Read => (READS, ALL_READS),
            Deed::Write => (WRITES, ALL_WRITES),
        };
        // Asked before taken: who is refused costs the others nothing.
        own.of(deed).wait(pace, now)?;
        self.all.of(deed).wait(of_all, now)?;
        own.of(deed).taken += 1.0;
        self.all.of(deed).taken += 1.0;
        Ok(())
    }

    /// Forgets those whose buckets are full again: they are as if they had never asked.
    fn sweep(&mut self, now: Instant) {
        if self.swept.is_some_and(|swept| now.saturating_duration_since(swept) < SWEEP) {
            return;
        }
        self.swept = Some(now);
        self.strangers.retain(|_, buckets| {
            buckets.reads.refill(READS, now);
            buckets.writes.refill(WRITES, now);
            buckets.reads.taken > 0.0 || buckets.writes.taken > 0.0
        });
    }
}

impl Buckets {
    fn of(&mut self, deed: Deed) -> &mut Bucket {
        match deed {
            Deed::Read => &mut self.reads,
            Deed::Write => &mut self.writes,
        }
    }
}

impl Bucket {
    fn refill(&mut self, pace: Pace, now: Instant) {
        let since = self.at.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        self.taken = (self.taken - since.as_secs_f64() * pace.per_second).max(0.0);
        self.at = Some(now);
    }

    /// How long until one can be taken; nothing if that is now.
    fn wait(&mut self, pace: Pace, now: Instant) -> Result<(), Duration> {
        self.refill(pace, now);
        let short = self.taken + 1.0 - pace.burst;
        match short <= 0.0 {
            true => Ok(()),
            false => Err(Duration::from_secs_f64(short / pace.per_second)),
        }
    }
}

/// Who counts as one: an IPv4 address, also one that is written as IPv6, or an IPv6 /64.
fn stranger(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// How many of so many are let through.
    fn let_through(rates: &Rates, from: &str, deed: Deed, now: Instant, asked: usize) -> usize {
        (0..asked).filter(|_| rates.take(address(from), deed, now).is_ok()).count()
    }

    #[test]
    fn a_stranger_has_its_burst_then_its_pace_and_writes_less_than_it_reads() {
        let (rates, start) = (Rates::default(), Instant::now());
        assert_eq!(let_through(&rates, "192.0.2.1", Deed::Read, start, 100), 60);
        assert_eq!(let_through(&rates, "192.0.2.1", Deed::Write, start, 100), 10);
        let wait = rates.take(address("192.0.2.1"), Deed::Write, start).unwrap_err();
        assert_eq!(wait, Duration::from_secs(1));
        let later = start + Duration::from_secs(3);
        assert_eq!(let_through(&rates, "192.0.2.1", Deed::Read, later, 100), 30);
        assert_eq!(let_through(&rates, "192.0.2.1", Deed::Write, later, 100), 3);
        let never_more = start + Duration::from_secs(3600);
        assert_eq!(let_through(&rates, "192.0.2.1", Deed::Write, never_more, 100), 10);
    }

    #[test]
    fn an_ipv6_host_is_one_however_many_addresses_it_takes() {
        let (rates, now) = (Rates::default(), Instant::now());
        assert_eq!(let_through(&rates, "2001:db8::1", Deed::Write, now, 100), 10);
        assert_eq!(let_through(&rates, "2001:db8::ffff:2", Deed::Write, now, 100), 0);
        assert_eq!(let_through(&rates, "2001:db8:0:1::1", Deed::Write, now, 100), 10);
        assert_eq!(let_through(&rates, "192.0.2.1", Deed::Write, now, 100), 10);
        assert_eq!(let_through(&rates, "::ffff:192.0.2.1", Deed::Write, now, 100), 0);
    }

    #[test]
    fn all_together_have_a_bound_and_who_is_refused_takes_nothing_from_it() {
        let (rates, now) = (Rates::default(), Instant::now());
        let mut through = 0;
        for last in 0..100 {
            through += let_through(&rates, &format!("192.0.2.{last}"), Deed::Write, now, 20);
        }
        assert_eq!(through, 80);
        let later = now + Duration::from_secs(1);
        assert_eq!(let_through(&rates, "198.51.100.1", Deed::Write, later, 20), 10);
    }

    #[test]
    fn the_table_has_a_bound_and_the_quiet_make_room() {
        let (mut table, start) = (Table::default(), Instant::now());
        let mut now = start;
        for number in 0..2 * STRANGERS as u32 {
            now += Duration::from_micros(10);
            let _ = table.take(std::net::Ipv4Addr::from_bits(number).into(), Deed::Read, now);
            assert!(table.strangers.len() <= STRANGERS);
        }
        assert_eq!(table.strangers.len(), STRANGERS);
        // Those beyond share one rate.
        let beyond = |number| address(&format!("198.51.100.{number}"));
        let refused = (0..100).filter(|n| table.take(beyond(*n), Deed::Read, now).is_err()).count();
        assert_eq!(refused, 100);
        let _ = table.take(beyond(1), Deed::Read, now + Duration::from_secs(60));
        assert_eq!(table.strangers.len(), 1);
    }
}
