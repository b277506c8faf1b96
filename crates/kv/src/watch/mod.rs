//! Watching: each newer version of a key, as it comes.
//!
//! A lookup finds the replicas. Then all of them are asked at once for what is newer than the newest
//! version seen, and let wait with the answer; whoever answers is asked again. All, not just a
//! majority: whichever replicas a write reaches first, the watcher hears from them one trip later, and
//! a lost datagram costs nothing while others hear of the write too. A holder that does not wait is
//! polled. Since every question carries the version seen, what happens while none is on its way comes
//! with the next answer.
//!
//! Who the replicas are changes: every answer names the closest contacts that its sender knows, and
//! one that is new and close enough brings about a new lookup, as does a holder that falls silent.
//! What one write leaves at a majority is found by another lookup in any case.

mod holder;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;

use hashbrown::HashMap;
use node::{
    Command, Held, Inquired, Inquiry, Instant, LookupResult, Network, Now, OperationId, Outbox,
    Question, UnixMillis, Until,
};
use wire::planted::{self, Bug};
use wire::{Contact, Item, NodeId, Seq, Target};

use crate::chance::jittered;
use crate::cipher::Unopened;
use crate::key::{Key, KeyError};
use crate::limits::{
    WATCH_LOOK, WATCH_LOOK_MAX, WATCH_LOOK_MIN, WATCH_POLL, WATCH_POLL_PUBLIC, WATCHES,
};
use crate::manifest::Manifest;
use crate::namespace::Namespace;
use crate::record::Record;
use crate::replicas::{Newest, is_credible};
use crate::report::{Effort, Replica};
use crate::request::{Done, Event, RequestId};
use crate::state::Kv;
use crate::version::Version;
use crate::watch::holder::Holder;

/// A watch.
#[derive(Clone, Debug)]
pub struct WatchRequest {
    /// Where the key lives.
    pub namespace: Namespace,
    /// The key.
    pub key: Key,
    /// Tell only of versions above this one; `None`: of the present one first.
    pub after: Option<Version>,
}

/// A version of a watched key, newer than those told before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// Where in the key space the key lies.
    pub target: Target,
    /// The version.
    pub version: Version,
    /// What it says.
    pub content: WatchContent,
    /// What kind of value it is.
    pub content_type: Option<Box<str>>,
    /// Until when it lives; `None`: it is plain, and lives two hours from its last put.
    pub expires: Option<UnixMillis>,
    /// Who told of it first.
    pub source: Replica,
}

/// What a version of a watched key says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WatchContent {
    /// The key has this value.
    Value(Box<[u8]>),
    /// The key has a value of many chunks, to be fetched by a get.
    Large(Manifest),
    /// The key was deleted.
    Deleted,
    /// It does not open with the secret of the watcher's namespace, or is sealed and the namespace is
    /// not secret. Somebody wrote it who can sign there.
    Unopened,
}

/// Why a watch ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WatchError {
    /// The key is none.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Nobody answered when it began. Later it looks until somebody does.
    #[error("nobody answered")]
    Unreachable,
    /// This node watches as much as it may.
    #[error("too many watches at once")]
    Busy,
    /// The node was closed.
    #[error("the node was closed")]
    Closed,
}

/// Who watches a key.
struct Watcher {
    id: RequestId,
    /// By whose secret the versions are read.
    namespace: Namespace,
    /// The highest version told.
    told: Option<Seq>,
}

/// A key that is watched, by one or more.
struct Watch {
    salt: Box<[u8]>,
    watchers: Vec<Watcher>,
    /// The newest item seen, and from whom.
    newest: Option<(Item, Replica)>,
    holders: Vec<Holder>,
    /// Contacts that the last lookup found silent: to hear of them once more is no news.
    silent: Vec<NodeId>,
    lookup: Option<OperationId>,
    /// When the next lookup is due, unless one is on its way.
    look_at: Instant,
    looked_at: Instant,
    /// Lookups in a row that found too few.
    thin: u32,
    /// A lookup has found somebody.
    found: bool,
}

impl Watch {
    fn seen(&self) -> Option<Seq> {
        self.newest.as_ref().and_then(|(item, _)| item.seq())
    }

    fn look_soon(&mut self, now: Instant) {
        self.look_at = self.look_at.min(now.max(self.looked_at + WATCH_LOOK_MIN));
    }

    /// When something is to be asked.
    fn deadline(&self) -> Option<Instant> {
        let look = self.lookup.is_none().then_some(self.look_at);
        let holders = self.holders.iter().filter(|holder| holder.asked.is_none());
        holders.map(|holder| holder.ask_at).chain(look).min()
    }

    /// Whether a contact may be one of the replicas and was not known to us.
    fn is_news(&self, contact: &Contact, target: &Target, wanted: usize) -> bool {
        let distance = |id: &NodeId| target.point().distance(&id.point());
        let farthest = self.holders.iter().map(|holder| distance(&holder.contact.id)).max();
        !self.silent.contains(&contact.id)
            && self.holders.iter().all(|holder| holder.contact.id != contact.id)
            && (self.holders.len() < wanted
                || farthest.is_some_and(|farthest| distance(&contact.id) < farthest))
    }
}

/// All that is watched.
#[derive(Default)]
pub(crate) struct Watches {
    watches: HashMap<Target, Box<Watch>, foldhash::fast::FixedState>,
    requests: HashMap<RequestId, Target, foldhash::fast::FixedState>,
    /// Questions and lookups on their way.
    asked: HashMap<OperationId, Target, foldhash::fast::FixedState>,
    deadline: Option<Instant>,
}

impl Watches {
    /// The key for which an operation of the node is done, which then counts as ended.
    pub fn ended(&mut self, operation: OperationId) -> Option<Target> {
        self.asked.remove(&operation)
    }

    /// When something is to be asked.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    fn set_deadline(&mut self) {
        self.deadline = self.watches.values().filter_map(|watch| watch.deadline()).min();
    }
}

impl Kv {
    /// Starts a watch. It tells of versions until it is cancelled, and ends only if it cannot start.
    pub(crate) fn start_watch(
        &mut self,
        now: Now,
        id: RequestId,
        request: WatchRequest,
        outbox: &mut Outbox,
    ) {
        if self.watches.requests.len() >= WATCHES {
            return self.done(id, Done::Watched(WatchError::Busy));
        }
        let WatchRequest { namespace, key, after } = request;
        let target = namespace.target(&key);
        self.watches.requests.insert(id, target);
        let salt = namespace.salt(&key);
        let watcher = Watcher { id, namespace, told: after.map(Version::seq) };
        if let Some(watch) = self.watches.watches.get_mut(&target) {
            watch.watchers.push(watcher);
            return self.tell_watchers(now, target);
        }
        let watch = Watch {
            salt,
            watchers: Vec::from([watcher]),
            newest: None,
            holders: Vec::new(),
            silent: Vec::new(),
            lookup: None,
            look_at: now.monotonic,
            looked_at: now.monotonic,
            thin: 0,
            found: false,
        };
        self.watches.watches.insert(target, Box::new(watch));
        self.node_mut().notice_shelf(target);
        self.advance_watch(now, target, outbox);
    }

    /// Ends a watch: nothing more is told of it, and nothing more asked for it. Other requests end
    /// by themselves.
    pub fn cancel(&mut self, id: RequestId, now: Now) {
        let Some(target) = self.watches.requests.remove(&id) else { return };
        let Some(watch) = self.watches.watches.get_mut(&target) else { return };
        watch.watchers.retain(|watcher| watcher.id != id);
        if watch.watchers.is_empty() {
            self.end_watch(now, target);
        }
    }

    fn end_watch(&mut self, now: Now, target: Target) {
        let Some(watch) = self.watches.watches.remove(&target) else { return };
        let questions = watch.holders.iter().filter_map(|holder| holder.asked);
        let operations: Vec<OperationId> =
            questions.map(|asked| asked.operation).chain(watch.lookup).collect();
        for operation in operations {
            self.watches.asked.remove(&operation);
            self.node_mut().cancel(operation, now);
        }
        self.node_mut().ignore_shelf(target);
        self.watches.set_deadline();
    }

    /// Asks what is due, for all that is watched.
    pub(crate) fn advance_watches(&mut self, now: Now, outbox: &mut Outbox) {
        if self.watches.deadline.is_none_or(|at| at > now.monotonic) {
            return;
        }
        let due = |watch: &Watch| watch.deadline().is_some_and(|at| at <= now.monotonic);
        let watches = self.watches.watches.iter();
        let targets: Vec<Target> =
            watches.filter(|(_, watch)| due(watch)).map(|(target, _)| *target).collect();
        for target in targets {
            self.advance_watch(now, target, outbox);
        }
    }

    /// Asks what is due for one key.
    fn advance_watch(&mut self, now: Now, target: Target, outbox: &mut Outbox) {
        self.look_for_watch(now, target, outbox);
        while let Some((holder, inquiry)) = self.next_inquiry(now.monotonic, target) {
            let (newer_than, waits) = (inquiry.newer_than, inquiry.wait.is_some());
            let operation = self.node_mut().command(now, Command::Inquire(inquiry), outbox);
            self.watches.asked.insert(operation, target);
            if let Some(watch) = self.watches.watches.get_mut(&target) {
                watch.holders[holder].is_asked(operation, newer_than, waits);
            }
        }
        self.watches.set_deadline();
    }

    fn look_for_watch(&mut self, now: Now, target: Target, outbox: &mut Outbox) {
        let Some(watch) = self.watches.watches.get_mut(&target) else { return };
        if watch.lookup.is_some() || watch.look_at > now.monotonic {
            return;
        }
        let (salt, newer_than) = (watch.salt.clone(), watch.seen());
        let question = Question::Item { target, salt, newer_than };
        // A slow replica shall be watched too.
        let command = self.lookup(question, Until::Patient, false);
        let operation = self.node_mut().command(now, command, outbox);
        self.watches.asked.insert(operation, target);
        if let Some(watch) = self.watches.watches.get_mut(&target) {
            (watch.lookup, watch.looked_at) = (Some(operation), now.monotonic);
        }
    }

    /// The next holder to be asked, and what.
    fn next_inquiry(&self, now: Instant, target: Target) -> Option<(usize, Inquiry)> {
        let watch = self.watches.watches.get(&target)?;
        let due = |holder: &Holder| holder.asked.is_none() && holder.ask_at <= now;
        let place = watch.holders.iter().position(due)?;
        let holder = &watch.holders[place];
        let (contact, salt, wait) = (holder.contact, watch.salt.clone(), holder.waits(now));
        Some((place, Inquiry { contact, target, salt, newer_than: watch.seen(), wait }))
    }

    /// A lookup for a watched key ended.
    pub(crate) fn watch_looked_up(
        &mut self,
        now: Now,
        target: Target,
        mut result: LookupResult,
        outbox: &mut Outbox,
    ) {
        let effort = Effort::from(&result);
        let replicas = self.replicas(&mut result, &target, now);
        let again_in =
            [WATCH_LOOK, WATCH_LOOK_MIN].map(|span| jittered(span, self.node_mut().draw()));
        let Some(watch) = self.watches.watches.get_mut(&target) else { return };
        watch.lookup = None;
        if replicas.places.is_empty() && replicas.nobody_answered(&effort) && !watch.found {
            let watchers = core::mem::take(&mut watch.watchers);
            self.end_watch(now, target);
            for Watcher { id, .. } in watchers {
                self.watches.requests.remove(&id);
                self.done(id, Done::Watched(WatchError::Unreachable));
            }
            return;
        }
        watch.found = true;
        let alone = replicas.places.iter().all(|place| place.contact.is_none());
        let thin = alone || replicas.places.len() < replicas.majority();
        watch.thin = if thin { watch.thin.saturating_add(1) } else { 0 };
        let backoff = again_in[1] * (1 << watch.thin.min(8)) / 2;
        watch.look_at =
            now.monotonic + if thin { backoff.min(WATCH_LOOK_MAX) } else { again_in[0] };
        watch.silent = replicas.silent.iter().map(|contact| contact.id).collect();
        let mut before = core::mem::take(&mut watch.holders);
        for place in &replicas.places {
            let Some(contact) = place.contact else { continue };
            let known = before.iter().position(|holder| holder.contact == contact);
            watch.holders.push(match known {
                Some(index) => before.swap_remove(index),
                None => Holder::new(contact, place.token.clone(), now.monotonic),
            });
        }
        for operation in before.iter().filter_map(|holder| holder.asked) {
            self.watches.asked.remove(&operation.operation);
            self.node_mut().cancel(operation.operation, now);
        }
        let watchers = self.watches.watches.get(&target).map_or(&[][..], |watch| &watch.watchers);
        let newest = watchers.first().and_then(|one| replicas.newest_in(&one.namespace));
        if let Some(Newest { index, item, .. }) = newest {
            let holding = replicas.places.iter().find(|place| place.item == Some(index));
            let source = holding.map_or(replicas.found_at[index], |place| place.replica());
            self.watch_found(now, target, item.clone(), source);
        }
        self.advance_watch(now, target, outbox);
    }

    /// A holder of a watched key answered, or not.
    pub(crate) fn watch_answered(
        &mut self,
        now: Now,
        target: Target,
        operation: OperationId,
        inquired: Inquired,
        outbox: &mut Outbox,
    ) {
        let poll = self.watch_poll();
        let wanted = self.replicas;
        let Some(watch) = self.watches.watches.get_mut(&target) else { return };
        let asked =
            |holder: &Holder| holder.asked.is_some_and(|asked| asked.operation == operation);
        let Some(place) = watch.holders.iter().position(asked) else { return };
        let newer_than = watch.holders[place].asked.and_then(|asked| asked.newer_than);
        let holder = &mut watch.holders[place];
        match inquired {
            Inquired::Answered { contact, held, token, nodes, took } => {
                holder.token = token.or(holder.token.take());
                let item = match held {
                    Held::Item(item) => Some(item),
                    Held::Nothing | Held::Version(_) => None,
                };
                // What honest holders refuse is not let in by the back door.
                let news =
                    item.filter(|item| item.seq() > newer_than && is_credible(item, now.wall));
                holder.answered(news.is_some(), took, poll, now.monotonic);
                if contact.id != holder.contact.id
                    || nodes.iter().any(|node| watch.is_news(node, &target, wanted))
                {
                    watch.look_soon(now.monotonic);
                }
                if let Some(item) = news {
                    self.watch_found(now, target, item, contact.into());
                }
            }
            Inquired::Refused(_) => holder.refused(poll, now.monotonic),
            Inquired::Silent => {
                if holder.is_silent(now.monotonic) {
                    watch.holders.remove(place);
                }
                watch.look_soon(now.monotonic);
            }
        }
        self.advance_watch(now, target, outbox);
    }

    /// Our own shelf shows something else under a target.
    pub(crate) fn watch_own_shelf(&mut self, now: Now, target: Target) {
        if let Some(item) = self.node_mut().held(&target, now).cloned()
            && is_credible(&item, now.wall)
        {
            let source = Replica { id: self.node().id(), endpoint: None };
            self.watch_found(now, target, item, source);
        }
    }

    /// An item of a watched key was found.
    fn watch_found(&mut self, now: Now, target: Target, item: Item, source: Replica) {
        let Some(watch) = self.watches.watches.get_mut(&target) else { return };
        if item.seq() > watch.seen() {
            watch.newest = Some((item, source));
            if planted::is(Bug::WatchMissesLast) && watch.lookup.is_some() {
                return;
            }
            self.tell_watchers(now, target);
        }
    }

    /// Tells each of a key's watchers of the newest version, unless it knows it already.
    fn tell_watchers(&mut self, now: Now, target: Target) {
        let Some(watch) = self.watches.watches.get_mut(&target) else { return };
        let Some((item, source)) = &watch.newest else { return };
        let mut events = Vec::new();
        for watcher in watch.watchers.iter_mut().filter(|watcher| watcher.told < item.seq()) {
            let watched = watched(&watcher.namespace, item, *source);
            if let Some(watched) = watched.filter(|watched| watched.lives(now.wall)) {
                watcher.told = item.seq();
                events.push(Event::Watched(watcher.id, Box::new(watched)));
            }
        }
        events.into_iter().for_each(|event| self.tell(event));
    }

    /// How long until a holder that does not wait is asked again.
    fn watch_poll(&mut self) -> Duration {
        let public = self.node().network() == Network::Public;
        jittered(if public { WATCH_POLL_PUBLIC } else { WATCH_POLL }, self.node_mut().draw())
    }
}

impl Watched {
    fn lives(&self, wall: UnixMillis) -> bool {
        self.content == WatchContent::Deleted || self.expires.is_none_or(|expires| expires > wall)
    }
}

fn watched(namespace: &Namespace, item: &Item, source: Replica) -> Option<Watched> {
    let (record, content) = match namespace.read(item) {
        Ok(record) => {
            let content = match record.content() {
                Some((_, Some(manifest))) => WatchContent::Large(manifest),
                Some((value, None)) => WatchContent::Value(value),
                None => WatchContent::Deleted,
            };
            (record, content)
        }
        // Its times stand outside of the seal.
        Err(Unopened) => (Record::decode(item.value()), WatchContent::Unopened),
    };
    let content_type = record.content_type.filter(|_| content != WatchContent::Unopened);
    let (version, expires) = (Version::of(item.seq()?), record.expires);
    Some(Watched { target: item.target(), version, content, content_type, expires, source })
}
