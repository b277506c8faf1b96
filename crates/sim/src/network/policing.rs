//! Each machine's access carries so many bytes a second and no more: a token bucket for each direction.
//! What comes too fast waits in a buffer, and is lost when that is full.

use core::time::Duration;

use node::Instant;

use super::lot::Lot;
use super::{Condition, Copy, Way};
use crate::chance::Chance;

/// Bytes of the headers of IPv4 and UDP, which count too.
const HEADERS: usize = 28;

/// What a machine's access carries.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// Bytes a second in the long run.
    pub bytes_per_s: f64,
    /// Bytes that pass at once after a silence.
    pub burst_bytes: f64,
    /// Bytes that wait; 0 drops all that comes too fast.
    pub buffer_bytes: f64,
}

/// Rate policing.
#[derive(Clone, Debug)]
pub struct Policing {
    rate: Rate,
    whom: Lot,
    /// Of each machine, out of it and into it.
    buckets: Vec<[Bucket; 2]>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// Bytes that may pass now; below zero as many wait.
    tokens: f64,
    at: Instant,
}

impl Policing {
    /// Polices some machines.
    pub fn new(rate: Rate, whom: Lot) -> Self {
        Self { rate, whom, buckets: Vec::new() }
    }

    /// How long a datagram waits in a direction of a machine; `None`: it is lost.
    fn pass(
        &mut self,
        machine: usize,
        direction: usize,
        at: Instant,
        bytes: f64,
    ) -> Option<Duration> {
        let rate = self.rate;
        if self.buckets.len() <= machine {
            let full = Bucket { tokens: rate.burst_bytes, at };
            self.buckets.resize(machine + 1, [full; 2]);
        }
        let bucket = &mut self.buckets[machine][direction];
        let passed = at.since(bucket.at).as_secs_f64();
        let tokens = (bucket.tokens + passed * rate.bytes_per_s).min(rate.burst_bytes) - bytes;
        let fits = tokens >= -rate.buffer_bytes;
        // Some overtake others on the way to the far end: no time passes between those.
        bucket.at = bucket.at.max(at);
        bucket.tokens = if fits { tokens } else { tokens + bytes };
        fits.then(|| Duration::from_secs_f64((-tokens).max(0.0) / rate.bytes_per_s))
    }
}

impl Condition for Policing {
    fn change(&mut self, way: &Way, sent: &[u8], copies: &mut Vec<Copy>, _: &mut Chance) {
        for (direction, machine) in [way.from, way.to].into_iter().enumerate() {
            if !self.whom.has(machine) {
                continue;
            }
            copies.retain_mut(|copy| {
                let bytes = copy.spoiled.as_ref().map_or(sent.len(), Vec::len) + HEADERS;
                let reaches = if direction == 0 { way.at } else { way.at + copy.delay };
                let waits = self.pass(machine.index(), direction, reaches, bytes as f64);
                copy.delay += waits.unwrap_or_default();
                waits.is_some()
            });
        }
    }
}
