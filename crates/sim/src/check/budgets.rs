//! `budgets`: an address that has not shown that it receives what a node sends gets no more bytes of
//! answers from it than docs/protocol.md ("Budgets") says, and its /24 or /64 no more than four times
//! that. Only global addresses count.

use core::time::Duration;

use hashbrown::HashMap;
use node::Instant;
use wire::{Endpoint, Prefix, Scope};

use super::exchange::{Answer, Heard, Seen, What};
use super::issued::Shown;
use super::{Check, PerMachine};
use crate::world::{Input, Violation};

/// Bytes a second to one address, after so many at once.
const RATE: f64 = 2_000.0;
const BURST: f64 = 20_000.0;

/// How much more a whole network may get.
const NETWORK: f64 = 4.0;

/// For so long an address that showed that it receives what is sent to it counts as one that does.
const PROOF_LIFE: Duration = Duration::from_secs(3600);

/// Addresses that are remembered before those without a part in anything are forgotten.
const REMEMBERED: usize = 1 << 16;

/// Weighs what is sent to whom.
#[derive(Default)]
pub struct Budgets(PerMachine<State>);

#[derive(Default)]
struct State {
    proven: HashMap<[u8; 16], Instant, foldhash::fast::FixedState>,
    addresses: HashMap<[u8; 16], Bucket, foldhash::fast::FixedState>,
    networks: HashMap<Prefix, Bucket, foldhash::fast::FixedState>,
}

/// What has not drained yet of what was sent.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    bytes: f64,
    at: Instant,
}

impl Bucket {
    fn level(&self, now: Instant, rate: f64) -> f64 {
        (self.bytes - now.since(self.at).as_secs_f64() * rate).max(0.0)
    }

    /// Adds bytes, and tells how many have not drained.
    fn add(&mut self, bytes: usize, now: Instant, rate: f64) -> f64 {
        self.bytes = self.level(now, rate) + bytes as f64;
        self.at = now;
        self.bytes
    }
}

impl Check for Budgets {
    fn saw(&mut self, seen: &Seen<'_>, found: &mut Vec<Violation>) {
        let state = self.0.at(seen.moment.machine);
        if matches!(seen.input, Input::Start(_)) {
            *state = State::default();
        }
        let now = seen.local.monotonic;
        match seen.heard {
            Heard::Answer(from, _, Answer::Reply(..) | Answer::Refusal)
                if from.scope() == Scope::Global =>
            {
                state.proven.insert(address(&from), now);
            }
            Heard::Query(from, _)
                if from.scope() == Scope::Global
                    && matches!(seen.shown, Shown::Good | Shown::Unknown) =>
            {
                state.proven.insert(address(&from), now);
            }
            _ => {}
        }
        for said in seen.said {
            let answers = matches!(said.what, What::Reply(..) | What::Refusal(..) | What::Noise);
            if answers && said.to.scope() == Scope::Global {
                state.weigh(&said.to, said.bytes, seen, found);
            }
        }
    }
}

impl State {
    fn weigh(&mut self, to: &Endpoint, bytes: usize, seen: &Seen<'_>, found: &mut Vec<Violation>) {
        let now = seen.local.monotonic;
        let proven = self.proven.get(&address(to));
        if proven.is_some_and(|at| now.since(*at) < PROOF_LIFE) {
            return;
        }
        let one = self.addresses.entry(address(to)).or_default().add(bytes, now, RATE);
        let all = self.networks.entry(to.prefix()).or_default().add(bytes, now, NETWORK * RATE);
        if one > BURST + 1.0 {
            let what = format!("{one:.0} bytes of answers to `{to}`, which proved nothing");
            found.push(seen.moment.violates("budgets", what));
        } else if all > NETWORK * BURST + 1.0 {
            let what = format!("{all:.0} bytes of answers to the network of `{to}`, unproven");
            found.push(seen.moment.violates("budgets", what));
        }
        if self.addresses.len() > REMEMBERED {
            self.addresses.retain(|_, bucket| bucket.level(now, RATE) > 0.0);
            self.networks.retain(|_, bucket| bucket.level(now, NETWORK * RATE) > 0.0);
            self.proven.retain(|_, at| now.since(*at) < PROOF_LIFE);
        }
    }
}

fn address(endpoint: &Endpoint) -> [u8; 16] {
    let mut bytes = [0; 16];
    let ip = endpoint.ip_bytes();
    bytes[..ip.len()].copy_from_slice(ip);
    bytes
}
