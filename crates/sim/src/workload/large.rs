//! Values that do not fit one item: their chunks first, then the record that names them; and back.

use std::collections::BTreeMap;

use core::time::Duration;

use kv::{
    Change, ChunksPutRequest, Consistency, Done, Expected, GetRequest, Manifest, ManifestBuilder,
    ManifestReader, PutRequest, Request, ValueHasher, Version, Wanted,
};
use node::UnixMillis;
use wire::Item;

use super::desk::{Desk, told};
use super::keys::LARGE;
use super::values;
use super::{CUT, Kind};
use crate::history::{Asked, Told};
use crate::world::MachineId;

/// So many keys have large values.
const KEYS: usize = 3;

/// The lives of large values.
const TTLS: [Duration; 2] = [Duration::from_secs(2 * 3600), Duration::from_secs(7 * 24 * 3600)];

/// So many chunks are asked for at once.
const AT_ONCE: usize = 32;

/// How far a request has come.
enum Step {
    /// Its chunks are being put.
    Chunks(Box<Manifest>, UnixMillis),
    /// Its record is being put, or looked for.
    Record,
    /// Its chunks are being fetched: which, and what has come together.
    Reading(Box<Reading>),
}

struct Reading {
    version: Version,
    reader: ManifestReader,
    wanted: Vec<Wanted>,
    bytes: Vec<u8>,
}

/// Users of large values.
#[derive(Default)]
pub struct Large {
    steps: BTreeMap<u64, Step>,
    used: [bool; KEYS],
}

impl Large {
    fn put(&mut self, desk: &mut Desk<'_>, machine: MachineId, key: u32) {
        let (value, ttl) = (desk.fresh_value(), *desk.chance.pick(&TTLS).unwrap_or(&TTLS[0]));
        let place =
            desk.begin(machine, key, Asked::Put { value, ttl, expected: Expected::Anything });
        let (manifest, items) = cut(desk, key, &values::large(value));
        let expires = desk.world.now_at(machine).wall + ttl;
        let lease = expires + ttl / 8;
        let request = Request::ChunksPut(ChunksPutRequest { items, expires, lease });
        match desk.ask(machine, request, place) {
            Some(_) => drop(self.steps.insert(place, Step::Chunks(Box::new(manifest), expires))),
            None => desk.end(place, Told::Refused),
        }
    }

    fn get(&mut self, desk: &mut Desk<'_>, machine: MachineId, key: u32) {
        let consistency = Consistency::Quorum;
        let place = desk.begin(machine, key, Asked::Get(consistency));
        let (namespace, key) = desk.keys.place(key);
        let get = GetRequest { namespace, key, consistency, trace: false };
        match desk.ask(machine, Request::Get(get), place) {
            Some(_) => drop(self.steps.insert(place, Step::Record)),
            None => desk.end(place, Told::Refused),
        }
    }

    /// The chunks are stored: now the record.
    fn put_record(
        &mut self,
        desk: &mut Desk<'_>,
        place: u64,
        manifest: Manifest,
        expires: UnixMillis,
    ) {
        let (machine, key) = (desk.operation(place).machine, desk.operation(place).key);
        let (namespace, key) = desk.keys.place(key);
        let change = Change::PutManifest { manifest, content_type: None, expires };
        let expected = Expected::Anything;
        let put = PutRequest { namespace, key, change, expected, trace: false };
        match desk.ask(machine, Request::Put(put), place) {
            Some(_) => drop(self.steps.insert(place, Step::Record)),
            None => desk.end(place, Told::Refused),
        }
    }

    /// Fetches what is wanted next; at the end of it all tells what it came to.
    fn read_on(&mut self, desk: &mut Desk<'_>, place: u64, mut reading: Box<Reading>) {
        let Reading { reader, wanted, bytes, version } = reading.as_mut();
        reader.drain(|more| bytes.extend_from_slice(more));
        *wanted = std::iter::from_fn(|| reader.wanted()).take(AT_ONCE).collect();
        if wanted.is_empty() {
            let told = match reader.verdict() {
                Ok(()) => values::number(bytes, values::large)
                    .map_or(Told::Garbled(*version), |value| Told::Found(value, *version)),
                Err(_) => Told::Unsure,
            };
            return desk.end(place, told);
        }
        let targets = wanted.iter().map(|wanted| wanted.target).collect();
        let machine = desk.operation(place).machine;
        match desk.ask(machine, Request::ChunksGet(targets), place) {
            Some(_) => drop(self.steps.insert(place, Step::Reading(reading))),
            None => desk.end(place, Told::Failed),
        }
    }

    fn record_found(&mut self, desk: &mut Desk<'_>, place: u64, done: &Done) {
        let Done::Got(Ok(report)) = done else {
            return desk.end_with(place, done, |_| None);
        };
        let Some(manifest) = &report.manifest else {
            return desk.end(place, Told::Garbled(report.version));
        };
        let (namespace, key) = desk.keys.place(desk.operation(place).key);
        let seal = namespace.chunk_seal(&key, &manifest.hash);
        let reading = Reading {
            version: report.version,
            reader: ManifestReader::new(manifest, seal),
            wanted: Vec::new(),
            bytes: Vec::new(),
        };
        self.read_on(desk, place, Box::new(reading));
    }
}

/// The chunks of a value, and what names them.
fn cut(desk: &Desk<'_>, key: u32, value: &[u8]) -> (Manifest, Vec<Item>) {
    let (namespace, key) = desk.keys.place(key);
    let mut hasher = ValueHasher::default();
    hasher.feed(value);
    let mut builder = ManifestBuilder::new(namespace.chunk_seal(&key, &hasher.finish()));
    let mut items = Vec::new();
    builder.feed(value, |item| items.push(item));
    let manifest = builder.finish(|item| items.push(item));
    (manifest, items)
}

impl Kind for Large {
    fn name(&self) -> &'static str {
        "large values"
    }

    fn act(&mut self, desk: &mut Desk<'_>, machine: MachineId) {
        let number = desk.chance.below(KEYS);
        self.used[number] = true;
        let key = LARGE + number as u32;
        match desk.chance.happens(0.4) {
            true => self.put(desk, machine, key),
            false => self.get(desk, machine, key),
        }
    }

    fn done(&mut self, desk: &mut Desk<'_>, place: u64, done: &Done) {
        let Some(step) = self.steps.remove(&place) else { return };
        match (step, done) {
            (Step::Chunks(manifest, expires), Done::ChunksPut(Ok(report))) if report.short == 0 => {
                self.put_record(desk, place, *manifest, expires);
            }
            // Without its chunks no record is put.
            (Step::Chunks(..), _) => desk.end(place, Told::Refused),
            (Step::Record, Done::Got(_)) => self.record_found(desk, place, done),
            (Step::Record, _) => desk.end_with(place, done, |_| None),
            (Step::Reading(mut reading), Done::ChunksGot(Ok(found))) => {
                let wanted = std::mem::take(&mut reading.wanted);
                for (wanted, item) in wanted.into_iter().zip(&found.items) {
                    match item {
                        Some(item) => reading.reader.found(wanted, item.clone()),
                        None => reading.reader.lost(wanted),
                    }
                }
                self.read_on(desk, place, reading);
            }
            (Step::Reading(_), _) => desk.end(place, told(done, |_| None)),
        }
    }

    fn cut(&mut self, desk: &mut Desk<'_>, place: u64) {
        self.steps.remove(&place);
        desk.end(place, CUT);
    }

    fn look_at_rest(&mut self, desk: &mut Desk<'_>, turn: usize) -> bool {
        if let Some(machine) = desk.somebody().filter(|_| turn < KEYS && self.used[turn]) {
            self.get(desk, machine, LARGE + turn as u32);
        }
        turn + 1 < KEYS
    }
}
