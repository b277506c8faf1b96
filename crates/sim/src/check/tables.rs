//! `table`: its structure and caps. `proven`: whoever is in it answered a question from that address
//! since the start. `displaced`: whoever left it had failed, or somebody proven took its place by the
//! rules (docs/protocol.md, "Routing table"). `dead`: nobody stays in it who is silent for long.
//!
//! A table is looked through only after steps in which it may have changed.

use core::time::Duration;

use hashbrown::HashSet;
use node::limits::{MAINTENANCE, MOST_FAILURES, STALE_MAX};
use node::{Instant, Method, Network};
use wire::{Contact, Endpoint, Family, NodeId, Scope};

use super::exchange::{Answer, Heard, Seen};
use super::silence::Silence;
use super::{Check, PerMachine};
use crate::world::{Input, Violation};

/// Contacts in the first buckets and in all others.
const CAPACITIES: [usize; 4] = [128, 64, 32, 16];
const CAPACITY: usize = 8;

/// Contacts of one network in a bucket, if they are global.
const PER_PREFIX: usize = 2;

/// A contact must be slower than twice the new one's round trip by so much to lose its place to it.
const FAR_SLOWER: Duration = Duration::from_millis(100);

/// What clocks and pace may add to a round trip.
const TOLERANCE: Duration = Duration::from_millis(60);

/// Steps after which a table is looked through whatever happened.
const LOOKED_THROUGH_EVERY: u32 = 32;

/// After [`STALE_MAX`] at the latest a quiet contact is asked for a sign of life, and where much gets lost it
/// goes after [`MOST_FAILURES`] silences, each asked for within three looks after the table: 24 are asked
/// at a time. A clock that runs a tenth slow takes 6 of the 24 minutes.
const DEAD_AFTER: Duration =
    STALE_MAX.saturating_add(MAINTENANCE.saturating_mul(3 * MOST_FAILURES as u32));

/// How often those are looked for.
const COUNTED_EVERY: Duration = Duration::from_secs(300);

/// Answers that are remembered of a life.
const PROOFS: usize = 1 << 20;

/// Looks at the tables.
#[derive(Default)]
pub struct Tables(PerMachine<State>);

/// What is known of one node's tables.
#[derive(Default)]
struct State {
    own: Option<NodeId>,
    /// Whoever answered under this id from this address, by hash.
    proven: HashSet<u64, foldhash::fast::FixedState>,
    silence: Silence,
    /// The tables as they were when they were looked through last.
    contacts: Vec<Contact>,
    /// The same, by hash.
    inside: HashSet<u64, foldhash::fast::FixedState>,
    /// What tells whether they may have changed since.
    gauge: [u64; 5],
    steps: u32,
    counted_at: Instant,
}

impl Check for Tables {
    fn saw(&mut self, seen: &Seen<'_>, found: &mut Vec<Violation>) {
        let state = self.0.at(seen.moment.machine);
        if matches!(seen.input, Input::Start(_)) {
            *state = State::default();
        }
        if let Heard::Answer(from, _, Answer::Reply(id, kin, _)) = seen.heard
            && kin.network.is_none_or(|tag| Some(tag) == seen.kv.node().network().tag())
        {
            if state.proven.len() >= PROOFS {
                // Who is in the table stays proven; all others must answer again.
                state.proven = state.contacts.iter().map(fingerprint).collect();
            }
            state.proven.insert(fingerprint(&Contact { id, endpoint: from }));
        }
        if !state.may_have_changed(seen) {
            state.silence.note(seen);
            return;
        }
        let node = seen.kv.node();
        let tables = Family::ALL.map(|family| node.table(family));
        let all = || tables.iter().flat_map(|table| table.iter()).map(|entry| entry.contact());
        if !all().eq(state.contacts.iter().copied()) {
            let now: Vec<Contact> = all().collect();
            let len: usize = tables.iter().map(|table| table.len()).sum();
            let faults = structure(&node.id(), &now, len);
            found.extend(faults.into_iter().map(|what| seen.moment.violates("table", what)));
            state.judge(seen, &now, found);
            state.inside = now.iter().map(fingerprint).collect();
            state.contacts = now;
        }
        state.own = Some(node.id());
        state.silence.note(seen);
        state.look_for_dead(seen, found);
    }
}

impl State {
    fn may_have_changed(&mut self, seen: &Seen<'_>) -> bool {
        let node = seen.kv.node();
        let counters = node.counters();
        let [v4, v6] = Family::ALL.map(|family| node.table(family).len() as u64);
        let pings = counters.answered_to(Method::Ping);
        // Who stands in the table already and answers changes nothing.
        let replies = match seen.heard {
            Heard::Answer(endpoint, _, Answer::Reply(id, ..))
                if self.inside.contains(&fingerprint(&Contact { id, endpoint })) =>
            {
                self.gauge[0]
            }
            _ => counters.replies,
        };
        let gauge = [replies, counters.timeouts, v4, v6, pings];
        self.steps = self.steps.wrapping_add(1);
        let changed = gauge != self.gauge || self.steps.is_multiple_of(LOOKED_THROUGH_EVERY);
        self.gauge = [counters.replies, counters.timeouts, v4, v6, pings];
        changed
    }

    /// A contact that was not heard of for so long was asked for a sign of life again and again.
    fn look_for_dead(&mut self, seen: &Seen<'_>, found: &mut Vec<Violation>) {
        let now = seen.moment.at;
        let awake = now.since(seen.machine.paused_until) > DEAD_AFTER
            || seen.machine.paused_until == Instant::default();
        if !awake || now.since(self.counted_at) < COUNTED_EVERY {
            return;
        }
        self.counted_at = now;
        let quiet = |contact: &&Contact| self.silence.quiet_for(&contact.endpoint, now);
        let dead = self.contacts.iter().find(|contact| quiet(contact) > DEAD_AFTER);
        if let Some(contact) = dead {
            let minutes = quiet(&contact).as_secs() / 60;
            let Contact { id, endpoint } = contact;
            let what = format!("{id} at `{endpoint}` has been silent for {minutes} min");
            found.push(seen.moment.violates("dead", what));
        }
    }

    fn judge(&mut self, seen: &Seen<'_>, now: &[Contact], found: &mut Vec<Violation>) {
        let before = &self.inside;
        let after: HashSet<u64, foldhash::fast::FixedState> = now.iter().map(fingerprint).collect();
        let entered: Vec<&Contact> =
            now.iter().filter(|contact| !before.contains(&fingerprint(contact))).collect();
        for contact in &entered {
            if !self.proven.contains(&fingerprint(contact)) {
                let Contact { id, endpoint } = contact;
                let what = format!("{id} at `{endpoint}` entered and answered nothing yet");
                found.push(seen.moment.violates("proven", what));
            }
        }
        let own = seen.kv.node().id();
        if self.own.is_some_and(|before| before != own) {
            // Under another id of its own a node sorts all contacts anew.
            return;
        }
        for gone in self.contacts.iter().filter(|old| !after.contains(&fingerprint(old))) {
            if !self.may_go(seen, &own, gone, &entered) {
                let Contact { id, endpoint } = gone;
                let what = format!("{id} at `{endpoint}` lost its place and had not failed");
                found.push(seen.moment.violates("displaced", what));
            }
        }
    }

    fn may_go(&self, seen: &Seen<'_>, own: &NodeId, gone: &Contact, entered: &[&Contact]) -> bool {
        let endpoint = &gone.endpoint;
        let unanswered = seen.open.iter().any(|((_, to), asked)| {
            to == endpoint && seen.moment.at.since(asked.at) >= Duration::from_millis(850)
        });
        // Somebody else answers there, or nonsense was just heard.
        let answered_now = match seen.heard {
            Heard::Answer(from, _, Answer::Reply(id, ..)) => from == *endpoint && id != gone.id,
            Heard::Answer(from, _, Answer::Nonsense) => from == *endpoint,
            _ => false,
        };
        if unanswered || answered_now || self.silence.has_failed(endpoint, seen.moment.at) {
            return true;
        }
        let bucket = own.point().shared_bits(&gone.id.point());
        let doubted = self.silence.is_doubted(endpoint);
        entered.iter().any(|new| {
            new.id != gone.id
                && own.point().shared_bits(&new.id.point()) == bucket
                && (doubted || self.is_worse(seen, gone, new))
        })
    }

    fn is_worse(&self, seen: &Seen<'_>, gone: &Contact, new: &Contact) -> bool {
        if seen.kv.node().network() == Network::Public {
            return true;
        }
        let took = match seen.heard {
            Heard::Answer(from, asked, _) if from == new.endpoint && !asked.waits => {
                Some(seen.moment.at.since(asked.at))
            }
            _ => self.silence.round_trip(&new.endpoint),
        };
        let old = self.silence.round_trip(&gone.endpoint).unwrap_or(Duration::MAX);
        let new = took.unwrap_or_default();
        old.saturating_add(old / 4).saturating_add(TOLERANCE) > new * 2 + FAR_SLOWER
    }
}

/// What is wrong with the structure of tables of both families.
fn structure(own: &NodeId, contacts: &[Contact], len: usize) -> Vec<String> {
    let mut faults = Vec::new();
    if len != contacts.len() {
        faults.push(format!("it counts {len} contacts and has {}", contacts.len()));
    }
    let bucket = |contact: &Contact| own.point().shared_bits(&contact.id.point());
    let mut by_bucket: Vec<(Family, u32, NodeId, Endpoint)> = contacts
        .iter()
        .map(|contact| (contact.endpoint.family(), bucket(contact), contact.id, contact.endpoint))
        .collect();
    by_bucket.sort_unstable();
    for twins in by_bucket.windows(2).filter(|two| (two[0].0, two[0].2) == (two[1].0, two[1].2)) {
        faults.push(format!("{} stands in it twice", twins[0].2));
    }
    for one in by_bucket.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        let number = one[0].1;
        let most = CAPACITIES.get(number as usize).copied().unwrap_or(CAPACITY);
        if number >= 160 {
            faults.push("the node itself stands in it".to_owned());
        } else if one.len() > most {
            faults.push(format!("bucket {number} holds {} contacts, more than {most}", one.len()));
        }
        let mut prefixes: Vec<_> = one
            .iter()
            .filter(|contact| contact.3.scope() == Scope::Global)
            .map(|contact| contact.3.prefix())
            .collect();
        prefixes.sort_unstable();
        for same in prefixes.chunk_by(|a, b| a == b).filter(|same| same.len() > PER_PREFIX) {
            faults.push(format!("bucket {number} holds {} contacts of one network", same.len()));
        }
    }
    faults
}

fn fingerprint(contact: &Contact) -> u64 {
    let mut bytes = [0; 38];
    bytes[..20].copy_from_slice(contact.id.as_bytes());
    let ip = contact.endpoint.ip_bytes();
    bytes[20..20 + ip.len()].copy_from_slice(ip);
    bytes[36..].copy_from_slice(&contact.endpoint.port().to_be_bytes());
    xxhash_rust::xxh3::xxh3_64_with_seed(&bytes, 0)
}
