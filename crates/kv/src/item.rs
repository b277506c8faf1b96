//! Raw items of BEP 44, and announcements of BEP 5: look for the closest, then write, without any
//! rules of records.

use alloc::boxed::Box;
use alloc::vec::Vec;

use node::{Command, LookupResult, Now, Outbox, Outcome, Question, Until, Written};
use wire::item::mutable_target;
use wire::{Contact, InfoHash, Item, Seq, Target};

use crate::put::CONFLICTS;
use crate::replicas::{Place, Replicas};
use crate::report::{Absence, Effort, GetError, ItemReport, PutError, PutReport, WriteReport};
use crate::request::{Done, ItemPutRequest, RequestId};
use crate::state::{Kv, Operation};
use crate::version::Version;

/// A put of a raw item, or an announcement, on its way.
pub(crate) struct Publish {
    what: What,
    report: WriteReport,
    /// The item as it is written, once the lookup told which version it must have.
    item: Option<Item>,
    /// The highest version that anybody held before.
    held: Option<Seq>,
}

enum What {
    Item(Box<ItemPutRequest>),
    /// One that somebody signed before.
    Signed {
        item: Item,
        cas: Option<Seq>,
    },
    Peer {
        info_hash: InfoHash,
        port: Option<u16>,
        seed: bool,
    },
}

impl Publish {
    pub fn item(request: ItemPutRequest) -> Self {
        Self {
            what: What::Item(Box::new(request)),
            report: WriteReport::default(),
            item: None,
            held: None,
        }
    }

    pub fn signed(item: Item, cas: Option<Seq>) -> Self {
        let what = What::Signed { item, cas };
        Self { what, report: WriteReport::default(), item: None, held: None }
    }

    pub fn peer(info_hash: InfoHash, port: Option<u16>, seed: bool) -> Self {
        let what = What::Peer { info_hash, port, seed };
        Self { what, report: WriteReport::default(), item: None, held: None }
    }

    fn failed(&self, error: PutError) -> Done {
        match self.what {
            What::Item(_) | What::Signed { .. } => Done::ItemPut(Err(error)),
            What::Peer { .. } => Done::Announced(Err(error)),
        }
    }
}

impl Kv {
    /// Starts to publish, or tells at once why it cannot be.
    pub(crate) fn start_publish(
        &mut self,
        now: Now,
        id: RequestId,
        publish: Publish,
        outbox: &mut Outbox,
    ) {
        let question = match &publish.what {
            What::Peer { info_hash, .. } => {
                Question::Peers { info_hash: *info_hash, no_seed: false, scrape: false }
            }
            What::Signed { item, .. } => {
                let salt = item.as_ref().signed().map(|signed| signed.salt.into());
                let salt = salt.unwrap_or_default();
                Question::Item { target: item.target(), salt, newer_than: None }
            }
            What::Item(request) => {
                // Whether the value and salt are sound shows before anything is sent.
                if let Err(error) = sign(request, None) {
                    return self.done(id, publish.failed(error));
                }
                let (target, salt) = match &request.signed {
                    None => (wire::item::immutable_target(&request.value), Box::default()),
                    Some(signing) => {
                        let key = signing.signer.public_key();
                        (mutable_target(&key, &signing.salt), signing.salt.clone())
                    }
                };
                Question::Item { target, salt, newer_than: None }
            }
        };
        let command = self.lookup(question, Until::Patient, false);
        self.command_node(now, id, Operation::Publish(Box::new(publish)), command, outbox);
    }

    /// The lookup before publishing ended.
    pub(crate) fn publish_looked_up(
        &mut self,
        now: Now,
        id: RequestId,
        mut publish: Box<Publish>,
        mut result: LookupResult,
        outbox: &mut Outbox,
    ) {
        let effort = Effort::from(&result);
        let target = Target::new(*result.target.as_bytes());
        let replicas = match publish.what {
            What::Item(_) | What::Signed { .. } => self.replicas(&mut result, &target, now),
            // Our own address is what others see: a node announces itself to others only.
            What::Peer { .. } => Replicas::new(&mut result, None, self.width(), now.wall),
        };
        if replicas.places.is_empty() {
            return self.done(id, publish.failed(replicas.no_place(target, effort)));
        }
        publish.report = WriteReport { effort, ..replicas.report() };
        publish.held = replicas.newest().and_then(|index| replicas.items[index].seq());
        let written = match &publish.what {
            What::Peer { info_hash, port, seed } => {
                Written::Peer { info_hash: *info_hash, port: *port, seed: *seed }
            }
            What::Signed { item, .. } => {
                publish.item = Some(item.clone());
                Written::item(item.clone())
            }
            What::Item(request) => {
                let item = match sign(request, publish.held) {
                    Ok(item) => item,
                    Err(error) => return self.done(id, publish.failed(error)),
                };
                publish.item = Some(item.clone());
                Written::item(item)
            }
        };
        let asked_cas = match &publish.what {
            What::Item(request) => request.signed.as_ref().and_then(|signing| signing.cas),
            What::Signed { cas, .. } => *cas,
            What::Peer { .. } => None,
        };
        // BEP 44: no `cas` to a node that returned nothing.
        let (holding, empty): (Vec<&Place>, _) =
            replicas.places.iter().partition(|place| place.seq.is_some());
        let mut to = Replicas::destinations(holding, asked_cas);
        to.extend(Replicas::destinations(empty, None));
        let command = Command::Write { written, to };
        self.command_node(now, id, Operation::Publish(publish), command, outbox);
    }

    /// The write phase of publishing ended.
    pub(crate) fn publish_wrote(
        &mut self,
        id: RequestId,
        mut publish: Box<Publish>,
        outcomes: Vec<(Option<Contact>, Outcome)>,
    ) {
        let item = publish.item.take();
        let target = match (&publish.what, &item) {
            (What::Peer { info_hash, .. }, _) => Target::new(*info_hash.as_bytes()),
            (What::Item(request), None) => wire::item::immutable_target(&request.value),
            (What::Signed { item, .. }, None) | (_, Some(item)) => item.target(),
        };
        let open = outcomes.iter().any(|(_, outcome)| {
            matches!(outcome, Outcome::Refused { code, repeated: true, .. } if CONFLICTS.contains(code))
        });
        publish.report.add(outcomes, self.node().id(), &target);
        let enough = publish.report.stored.len() >= publish.report.needed;
        let conflict = publish.report.stored.is_empty() && publish.report.was_overtaken();
        let replicas = core::mem::take(&mut publish.report);
        let done = match (&publish.what, item) {
            // A yes to the first asking may have been lost, and what it took been replaced since.
            (_, Some(item)) if conflict && open => {
                let version = Version::of(item.seq().unwrap_or_default());
                publish.failed(PutError::Undetermined { version })
            }
            _ if conflict => {
                let current = publish.held.map(Version::of);
                publish.failed(PutError::Conflict { current })
            }
            (What::Item(_) | What::Signed { .. }, Some(item)) if enough => {
                Done::ItemPut(Ok(Box::new(ItemReport { item, replicas })))
            }
            (what, item) => {
                let version = item.as_ref().and_then(Item::seq).map(Version::of);
                let report =
                    Box::new(PutReport { target, version, expires: None, replicas, chunks: None });
                match what {
                    What::Peer { .. } if enough => Done::Announced(Ok(report)),
                    _ => publish.failed(PutError::NotEnoughReplicas(report)),
                }
            }
        };
        self.done(id, done);
    }

    /// Starts to look for a raw item.
    pub(crate) fn start_item_get(
        &mut self,
        now: Now,
        id: RequestId,
        target: Target,
        salt: Box<[u8]>,
        outbox: &mut Outbox,
    ) {
        let question = Question::Item { target, salt, newer_than: None };
        let command = self.lookup(question, Until::Proof, false);
        self.command_node(now, id, Operation::ItemGet, command, outbox);
    }

    /// The lookup of a raw item ended.
    pub(crate) fn item_got(&mut self, now: Now, id: RequestId, mut result: LookupResult) {
        let effort = Effort::from(&result);
        let target = Target::new(*result.target.as_bytes());
        let mut replicas = self.replicas(&mut result, &target, now);
        if replicas.places.is_empty() && replicas.nobody_answered(&effort) {
            return self.done(id, Done::ItemGot(Err(GetError::Unreachable(effort))));
        }
        let Some(newest) = replicas.newest() else {
            let (answered, known) = (replicas.places.len(), replicas.known);
            let needed = replicas.majority();
            let error = match answered >= needed {
                true => GetError::NotFound { absence: Absence::NeverSeen, effort },
                false => GetError::NotEnoughReplicas { answered, known, needed, found: None },
            };
            return self.done(id, Done::ItemGot(Err(error)));
        };
        let holding = replicas.places.iter().filter(|place| place.item == Some(newest));
        let stored = holding.map(Place::replica).collect();
        let report = WriteReport { stored, effort, ..replicas.report() };
        let item = replicas.items.swap_remove(newest);
        self.done(id, Done::ItemGot(Ok(Box::new(ItemReport { item, replicas: report }))));
    }
}

/// The item of a request; a mutable one without a version gets one above `held`.
fn sign(request: &ItemPutRequest, held: Option<Seq>) -> Result<Item, PutError> {
    let Some(signing) = &request.signed else { return Ok(Item::immutable(&request.value)?) };
    let above = || {
        let held = held.map_or(0, Seq::get);
        held.checked_add(1)
            .and_then(Seq::new)
            .ok_or(PutError::VersionExhausted(Version::of(Seq::new(held).unwrap_or_default())))
    };
    let seq = match signing.seq {
        Some(seq) => seq,
        None => above()?,
    };
    Ok(Item::mutable(&signing.signer, &signing.salt, seq, &request.value)?)
}
