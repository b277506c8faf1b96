//! The measurements, each on a store that is handed in.

use std::fs;
use std::ops::Range;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use store::{Batch, Store, StoreError, TooLong};

use crate::chance::Chance;
use crate::cpu;
use crate::failure::Failure;
use crate::quantiles::quantile;

/// A key is a letter and a hash of 20 bytes; with a value of 279 bytes an item has 300.
const VALUE_BYTES: usize = 279;

/// The pace of a node that is busy: 5,000 puts a second, one each 200 us, made durable each 3 ms.
const PACE: Duration = Duration::from_micros(200);
const WINDOW: Duration = Duration::from_millis(3);
pub const PACED_PUTS: u32 = 20_000;

/// What one item cost.
pub struct Batches {
    pub cpu_us: f64,
    pub wall_us: f64,
}

/// What became of puts at a steady pace, from when each came to when it was durable.
pub struct Paced {
    pub p50_us: u32,
    pub p99_us: u32,
    pub worst_us: u32,
    pub cpu_us: f64,
}

/// Puts an item.
pub fn put(batch: &mut Batch, item: u64) -> Result<(), TooLong> {
    batch.put(&key(item), &Chance::new(item).bytes::<VALUE_BYTES>())
}

/// Replaces each item of an even number, and removes the others.
pub fn replace_or_remove(batch: &mut Batch, item: u64) -> Result<(), TooLong> {
    match item % 2 {
        0 => batch.put(&key(item), &[1; VALUE_BYTES]),
        _ => batch.remove(&key(item)),
    }
}

fn key(item: u64) -> [u8; 21] {
    let mut key = [b'i'; 21];
    key[1..].copy_from_slice(&Chance::new(!item).bytes::<20>());
    key
}

fn refused(error: StoreError) -> Failure {
    Failure::system("the store failed", error)
}

fn too_long(error: TooLong) -> Failure {
    Failure::new(error.to_string(), "the benchmark's own items are too long")
}

fn cpu_of_this() -> Result<Duration, Failure> {
    cpu::spent(std::process::id())
}

/// Makes the same change to many items, so many in a batch.
pub fn batches(
    store: &mut dyn Store,
    items: Range<u64>,
    size: u64,
    change: fn(&mut Batch, u64) -> Result<(), TooLong>,
) -> Result<Batches, Failure> {
    let count = (items.end - items.start) as f64;
    let mut batch = Batch::new();
    let before = cpu_of_this()?;
    let start = Instant::now();
    for first in items.clone().step_by(size as usize) {
        batch.clear();
        let end = items.end.min(first + size);
        (first..end).try_for_each(|item| change(&mut batch, item)).map_err(too_long)?;
        store.commit(&batch).map_err(refused)?;
    }
    let wall = start.elapsed();
    let cpu = cpu_of_this()? - before;
    Ok(Batches {
        cpu_us: cpu.as_secs_f64() * 1e6 / count,
        wall_us: wall.as_secs_f64() * 1e6 / count,
    })
}

/// Puts new items at a steady pace into a store that has some.
pub fn paced(store: &mut dyn Store, first: u64) -> Result<Paced, Failure> {
    let mut batch = Batch::new();
    let mut took = Vec::new();
    let before = cpu_of_this()?;
    let start = Instant::now();
    let mut next = 0;
    while next < PACED_PUTS {
        thread::sleep((PACE * next + WINDOW).saturating_sub(start.elapsed()));
        batch.clear();
        let oldest = next;
        while next < PACED_PUTS && PACE * next <= start.elapsed() {
            put(&mut batch, first + u64::from(next)).map_err(too_long)?;
            next += 1;
        }
        store.commit(&batch).map_err(refused)?;
        let now = start.elapsed();
        took.extend((oldest..next).map(|put| (now - PACE * put).as_micros() as u32));
    }
    let cpu = cpu_of_this()? - before;
    took.sort_unstable();
    Ok(Paced {
        p50_us: quantile(&took, 0.5),
        p99_us: quantile(&took, 0.99),
        worst_us: quantile(&took, 1.0),
        cpu_us: cpu.as_secs_f64() * 1e6 / f64::from(PACED_PUTS),
    })
}

/// Opens the store in a directory and reads all of it.
pub fn start(directory: &Path) -> Result<Value, Failure> {
    let start = Instant::now();
    let mut opened = store::open(directory).map_err(refused)?;
    let open = start.elapsed();
    let mut bytes = 0;
    let scanned = opened.store.scan(b"", &mut |key, value| bytes += key.len() + value.len());
    let scanned = scanned.map_err(refused)?;
    let read = start.elapsed();
    if scanned.damaged > 0 || opened.damaged_bytes > 0 {
        return Err(Failure::new(
            "the store is damaged",
            "nothing but the benchmark has written to it",
        ));
    }
    Ok(json!({
        "open_ms": open.as_secs_f64() * 1e3,
        "read_ms": read.as_secs_f64() * 1e3,
        "cpu_ms": cpu_of_this()?.as_secs_f64() * 1e3,
        "entries": scanned.entries,
        "bytes": bytes,
        "resident_mb": memory("VmRSS:"),
        "peak_mb": memory("VmHWM:"),
    }))
}

/// A line of `/proc/self/status`, in megabytes.
fn memory(name: &str) -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024.0 / 1e6)
}
