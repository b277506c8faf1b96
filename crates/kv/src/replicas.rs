//! Which nodes a key is kept on: the closest that are known, ourselves and silent ones included, and
//! what each of them holds.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;

use node::{Destination, Holds, LookupResult, Now, UnixMillis};
use wire::planted::{self, Bug};
use wire::{Contact, Distance, Item, NodeId, Seq, Target};

use crate::limits::{DEFAULT_REPLICAS, HEARSAY_AHEAD, VERSION_AHEAD};
use crate::namespace::Namespace;
use crate::record::Record;
use crate::report::{Effort, PutError, PutReport, Refusal, Replica, WriteReport};
use crate::state::Kv;
use crate::version::Version;

/// One replica and what it holds.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Who; `None`: ourselves.
    pub contact: Option<Contact>,
    pub id: NodeId,
    pub token: Option<Box<[u8]>>,
    /// The version it holds, if any.
    pub seq: Option<Seq>,
    /// Which of the found items it holds.
    pub item: Option<usize>,
    distance: Distance,
}

impl Place {
    pub fn replica(&self) -> Replica {
        Replica { id: self.id, endpoint: self.contact.map(|contact| contact.endpoint) }
    }
}

/// What we hold ourselves.
#[derive(Debug)]
pub(crate) struct Own {
    pub id: NodeId,
    pub held: Option<Item>,
    /// The version of an item that has ended.
    pub remembered: Option<Seq>,
}

/// The replicas of a key after a lookup.
#[derive(Debug)]
pub(crate) struct Replicas {
    /// Those that answered, ourselves included, closest first, no more than there shall be.
    pub places: Vec<Place>,
    /// The different items found, also on nodes that are no replicas.
    pub items: Vec<Item>,
    /// Which of them honest holders could hold now.
    credible: Vec<bool>,
    /// Who gave each of the items first.
    pub found_at: Vec<Replica>,
    /// Those of the closest that did not answer.
    pub silent: Vec<Contact>,
    /// How many are known.
    pub known: usize,
}

/// An item found, and what it says.
#[derive(Debug)]
pub(crate) struct Newest<'r> {
    pub index: usize,
    pub item: &'r Item,
    /// Still sealed if it does not open.
    pub record: Record,
}

impl Kv {
    /// Replicas of a value, as this network is set to.
    pub fn wanted_replicas(&self) -> usize {
        self.replicas
    }

    /// How many closest nodes a lookup must have heard.
    pub(crate) fn width(&self) -> usize {
        self.replicas.max(DEFAULT_REPLICAS)
    }

    /// The replicas of a target after a lookup, ourselves among them if we hold for others.
    pub(crate) fn replicas(
        &mut self,
        result: &mut LookupResult,
        target: &Target,
        now: Now,
    ) -> Replicas {
        let own = (!self.node().is_read_only()).then(|| {
            let held: Option<Item> = self.node_mut().held(target, now).cloned();
            Own { id: self.node().id(), held, remembered: self.node_mut().remembered(target, now) }
        });
        Replicas::new(result, own, self.replicas, now.wall)
    }
}

impl Replicas {
    /// From a lookup's result, with what we hold ourselves, unless we hold nothing for anybody.
    pub fn new(
        result: &mut LookupResult,
        own: Option<Own>,
        wanted: usize,
        wall: UnixMillis,
    ) -> Self {
        let target = result.target;
        let mut items = core::mem::take(&mut result.items);
        let mut found_at: Vec<Replica> =
            result.found_at.iter().copied().map(Replica::from).collect();
        let mut places: Vec<Place> = Vec::with_capacity(result.closest.len() + 1);
        for responder in result.closest.drain(..) {
            let (seq, item) = match responder.holds {
                Holds::Nothing => (None, None),
                Holds::Version(seq) => (Some(seq), None),
                Holds::Item(index) => (items[index].seq(), Some(index)),
            };
            places.push(Place {
                contact: Some(responder.contact),
                id: responder.contact.id,
                token: responder.token,
                seq,
                item,
                distance: target.distance(&responder.contact.id.point()),
            });
        }
        if let Some(Own { id, held, remembered }) = own {
            let seq = held.as_ref().and_then(Item::seq).or(remembered);
            let item = held.map(|held| {
                items.iter().position(|item| *item == held).unwrap_or_else(|| {
                    items.push(held);
                    found_at.push(Replica { id, endpoint: None });
                    items.len() - 1
                })
            });
            let distance = target.distance(&id.point());
            places.push(Place { contact: None, id, token: None, seq, item, distance });
        }
        // What honest holders refuse counts as not there, or one copy would lift all later versions
        // beyond what they take.
        let credible: Vec<bool> = items.iter().map(|item| is_credible(item, wall)).collect();
        for place in &mut places {
            if place.item.is_some_and(|index| !credible[index]) {
                (place.seq, place.item) = (None, None);
            }
        }
        places.sort_by_key(|place| place.distance);
        let mut silent = core::mem::take(&mut result.silent);
        // Only a silent node that would be among the closest counts as one of the replicas.
        let mut closest: Vec<Distance> = places.iter().map(|place| place.distance).collect();
        closest.extend(silent.iter().map(|contact| target.distance(&contact.id.point())));
        closest.sort();
        closest.truncate(wanted);
        let known = closest.len();
        let last = closest.last().copied().unwrap_or(Distance::MAX);
        silent.retain(|contact| target.distance(&contact.id.point()) <= last);
        // Nor does one that answered in place of a silent one: two majorities might not meet.
        places.retain(|place| place.distance <= last);
        disbelieve(&mut places, known, wall);
        Self { places, items, credible, found_at, silent, known }
    }

    /// How many replicas make a majority.
    pub fn majority(&self) -> usize {
        self.known / 2 + usize::from(!planted::is(Bug::MajorityOfHalf))
    }

    /// Whether the whole network was silent, and not only those that the key is kept on.
    pub fn nobody_answered(&self, effort: &Effort) -> bool {
        self.known == 0 || effort.answered == 0
    }

    /// Why nothing can be written where no replica answered.
    pub fn no_place(&self, target: Target, effort: Effort) -> PutError {
        if self.nobody_answered(&effort) {
            return PutError::Unreachable(effort);
        }
        let replicas = WriteReport { effort, ..self.report() };
        let report = PutReport { target, version: None, expires: None, replicas, chunks: None };
        PutError::NotEnoughReplicas(Box::new(report))
    }

    /// Whether anybody answered but ourselves.
    pub fn has_others(&self) -> bool {
        self.places.iter().any(|place| place.contact.is_some())
    }

    /// The newest item found: of the highest version, and of two under one version the greater
    /// bytes. An immutable one is just that.
    pub fn newest(&self) -> Option<usize> {
        self.newest_where(|_| true)
    }

    fn newest_where(&self, fits: impl Fn(&Item) -> bool) -> Option<usize> {
        let lives = |index: &usize| self.credible[*index] && !self.is_superseded(*index);
        let fits = |index: &usize| lives(index) && fits(&self.items[*index]);
        if planted::is(Bug::FirstNotNewest) {
            return (0..self.items.len()).find(fits);
        }
        (0..self.items.len()).filter(fits).max_by(|a, b| {
            let key = |index: &usize| (self.items[*index].seq(), self.items[*index].value());
            key(a).cmp(&key(b))
        })
    }

    /// The newest item, read in its namespace. Of two under one version rather one that opens:
    /// garbage must not win by its bytes.
    pub fn newest_in(&self, namespace: &Namespace) -> Option<Newest<'_>> {
        let newest = self.newest()?;
        if let Some(opened) = self.opened(newest, namespace) {
            return Some(opened);
        }
        let item = &self.items[newest];
        let twin = |other: &Item| other.seq() == item.seq() && namespace.read(other).is_ok();
        if let Some(twin) = self.newest_where(twin) {
            return self.opened(twin, namespace);
        }
        // Its times stand outside of the seal; all else is unknown.
        let times = Record::decode(item.value());
        let record = Record { value: None, content_type: None, sealed: true, ..times };
        Some(Newest { index: newest, item, record })
    }

    /// The newest item that opens, which may be older than one that does not.
    pub fn newest_that_opens(&self, namespace: &Namespace) -> Option<Newest<'_>> {
        let newest = self.newest_where(|item| namespace.read(item).is_ok())?;
        self.opened(newest, namespace)
    }

    fn opened(&self, index: usize, namespace: &Namespace) -> Option<Newest<'_>> {
        let item = &self.items[index];
        Some(Newest { index, item, record: namespace.read(item).ok()? })
    }

    /// Whether an item is the old copy of one that replaced it and has ended since: then those that
    /// held that one remember its version. A single one could say so of anything, a majority is
    /// believed; and a single one too of what none of the replicas holds, so that what was left behind
    /// with a node that is no replica any more does not come back.
    fn is_superseded(&self, index: usize) -> bool {
        let seq = self.items[index].seq();
        let held = || self.places.iter().any(|place| place.item.is_some() && place.seq >= seq);
        self.is_forgotten(seq) || (self.remember_above(seq) > 0 && !held())
    }

    /// Whether a majority remembers a version above this one, and no item of it.
    pub fn is_forgotten(&self, seq: Option<Seq>) -> bool {
        seq.is_some() && self.remember_above(seq) >= self.majority()
    }

    fn remember_above(&self, seq: Option<Seq>) -> usize {
        let above = |place: &&Place| place.item.is_none() && place.seq > seq;
        seq.map_or(0, |_| self.places.iter().filter(above).count())
    }

    /// The highest version that anybody holds, item or not.
    pub fn highest(&self) -> Option<Seq> {
        self.places.iter().filter_map(|place| place.seq).max()
    }

    /// Where a write goes: our own shelf and all places with a token, under this compare-and-swap.
    pub fn destinations<'p>(
        places: impl IntoIterator<Item = &'p Place>,
        cas: Option<Seq>,
    ) -> Vec<Destination> {
        let places = places.into_iter();
        places
            .filter_map(|place| {
                let Some(contact) = place.contact else {
                    return Some(Destination::OwnShelf { cas });
                };
                Some(Destination::Node { contact, token: place.token.clone()?, cas })
            })
            .collect()
    }

    /// A report to which outcomes are added as they come: places without a token refused already.
    pub fn report(&self) -> WriteReport {
        let no_token = |place: &&Place| place.contact.is_some() && place.token.is_none();
        let refused = self.places.iter().filter(no_token).map(|place| Refusal {
            replica: place.replica(),
            code: 0,
            text: "gave no token".into(),
        });
        WriteReport {
            known: self.known,
            needed: self.majority(),
            refused: refused.collect(),
            silent: self.silent.iter().copied().map(Replica::from).collect(),
            ..WriteReport::default()
        }
    }
}

/// Forgets the versions far ahead of the clock that others tell of without an item: nobody proves them,
/// and a writer that goes above one that a liar made up writes what all others refuse. So many that
/// no write could do without them are believed as far as an honest holder would take an item.
fn disbelieve(places: &mut [Place], known: usize, wall: UnixMillis) {
    let told: Vec<Option<Seq>> = places.iter().map(|place| place.seq).collect();
    for place in places {
        let (Some(seq), None, Some(_)) = (place.seq, place.item, place.contact) else { continue };
        let agree = told.iter().filter(|told| **told >= Some(seq)).count();
        let many = agree >= known.div_ceil(2);
        if is_ahead(seq, wall, if many { VERSION_AHEAD } else { HEARSAY_AHEAD }) {
            place.seq = None;
        }
    }
}

/// Whether holders take such an item now: a record's version must not lie far ahead of the clock.
pub(crate) fn is_credible(item: &Item, wall: UnixMillis) -> bool {
    let Some(seq) = item.seq() else { return true };
    !is_ahead(seq, wall, VERSION_AHEAD) || Record::decode(item.value()).expires.is_none()
}

fn is_ahead(seq: Seq, wall: UnixMillis, by: Duration) -> bool {
    Version::of(seq).written_at() > wall + by
}
