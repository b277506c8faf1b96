//! Durable bytes: what do items on the disk cost, and how soon is a node with a million of them there?
//!
//! The store stands beside the least that a durable write can be, the same bytes appended to a file that is synced, and
//! beside the same entries in memory alone. All take turns, round after round, and medians are taken, since what a sync
//! takes depends on the machine's other work. A start is a process of its own, so that its memory is told too; the file
//! is in the page cache. At last a whole node serves puts, with and without a disk.

mod measure;
mod served;
mod subject;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use store::Store;

use crate::args::Args;
use crate::failure::Failure;
use crate::quantiles::median;
use crate::servers::this_program;
use crate::table::Table;
use measure::{Batches, Paced};
use subject::Subject;

/// Items in each batch, and batches.
const BATCHES: [(u64, u64); 4] = [(1, 1_000), (10, 1_000), (100, 500), (1_000, 100)];

/// The command `store`.
pub fn run(mut args: Args) -> Result<(), Failure> {
    let rounds: u32 = args.value("--rounds")?.unwrap_or(3).max(1);
    let items: u64 = args.value("--items")?.unwrap_or(1_000_000).max(2);
    let directory =
        args.value("--directory")?.unwrap_or_else(|| PathBuf::from("target/bench-store"));
    let json = args.flag("--json");
    args.finish()?;
    let fresh = |name: &str| -> Result<PathBuf, Failure> {
        let path = directory.join(name);
        let _ = fs::remove_dir_all(&path);
        let made = fs::create_dir_all(&path);
        made.map_err(|error| Failure::system(format!("cannot make `{}`", path.display()), error))?;
        Ok(path)
    };
    let mut samples: Vec<(u64, Subject, Vec<Batches>)> = Vec::new();
    for (size, count) in BATCHES {
        samples.extend(Subject::ALL.map(|subject| (size, subject, Vec::new())));
        for _ in 0..rounds {
            for (_, subject, runs) in samples.iter_mut().filter(|(of, ..)| *of == size) {
                let mut store = subject.open(&fresh("batches")?)?;
                runs.push(measure::batches(&mut *store, 0..size * count, size, measure::put)?);
            }
        }
    }
    let million = million(&fresh("million")?, items, rounds)?;
    let served = served::measure(&fresh, rounds)?;
    let _ = fs::remove_dir_all(&directory);
    if json {
        let rows = samples.iter().map(|(size, subject, runs)| {
            let (cpu, wall) = medians(runs);
            json!({"batch": size, "store": subject.name(), "cpu_us": cpu, "wall_us": wall})
        });
        println!(
            "{}",
            json!({"batches": rows.collect::<Vec<Value>>(), "million": million, "served": served})
        );
        return Ok(());
    }
    print(&samples, &million);
    println!("{}", served::told(&served));
    Ok(())
}

fn medians(runs: &[Batches]) -> (f64, f64) {
    (median(runs.iter().map(|run| run.cpu_us)), median(runs.iter().map(|run| run.wall_us)))
}

/// What becomes of a store with many items, in words and numbers.
fn million(directory: &Path, items: u64, rounds: u32) -> Result<Value, Failure> {
    let mut store = Subject::Log.open(directory)?;
    let loaded = measure::batches(&mut *store, 0..items, 1_000, measure::put)?;
    let bytes_loaded = store.disk_bytes();
    let start_full = start(directory)?;
    let paced = take_turns(&mut *store, &mut *Subject::Append.open(directory)?, items, rounds)?;
    let changed = measure::batches(&mut *store, 0..items, 100, measure::replace_or_remove)?;
    let bytes_changed = store.disk_bytes();
    drop(store);
    let start_changed = start(directory)?;
    Ok(json!({
        "items": items,
        "load": {"cpu_us": loaded.cpu_us, "wall_us": loaded.wall_us, "disk_bytes": bytes_loaded},
        "start": start_full,
        "paced": summary(&paced[0]),
        "paced_append": summary(&paced[1]),
        "change": {"cpu_us": changed.cpu_us, "wall_us": changed.wall_us, "disk_bytes": bytes_changed},
        "start_changed": start_changed,
    }))
}

/// Puts at a steady pace into the store and into the file, in turn.
fn take_turns(
    store: &mut dyn Store,
    append: &mut dyn Store,
    items: u64,
    rounds: u32,
) -> Result<[Vec<Paced>; 2], Failure> {
    let mut runs = [Vec::new(), Vec::new()];
    for round in 0..rounds {
        let first = items + u64::from(round * measure::PACED_PUTS);
        runs[0].push(measure::paced(store, first)?);
        runs[1].push(measure::paced(append, first)?);
    }
    Ok(runs)
}

fn summary(runs: &[Paced]) -> Value {
    let of = |value: fn(&Paced) -> f64| median(runs.iter().map(value));
    json!({
        "p50_us": of(|run| run.p50_us.into()),
        "p99_us": of(|run| run.p99_us.into()),
        "worst_us": of(|run| run.worst_us.into()),
        "cpu_us": of(|run| run.cpu_us),
    })
}

/// Starts a process that opens the store and reads all of it.
fn start(directory: &Path) -> Result<Value, Failure> {
    let output = this_program()?.arg("store-start").arg("--directory").arg(directory).output();
    let output = output.map_err(|error| Failure::system("cannot start `store-start`", error))?;
    serde_json::from_slice(&output.stdout).map_err(|error| {
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        Failure::new(format!("`store-start` told nothing: `{error}`"), words)
    })
}

/// The command `store-start`.
pub fn run_start(mut args: Args) -> Result<(), Failure> {
    let directory: PathBuf = args.required("--directory")?;
    args.finish()?;
    println!("{}", measure::start(&directory)?);
    Ok(())
}

fn print(samples: &[(u64, Subject, Vec<Batches>)], million: &Value) {
    let mut table = Table::new(2, &["batch of", "store", "CPU us/item", "wall us/item", ""]);
    for (at, (size, subject, runs)) in samples.iter().enumerate() {
        if at > 0 && at % Subject::ALL.len() == 0 {
            table.gap();
        }
        let (cpu, wall) = medians(runs);
        let cells =
            [size.to_string(), subject.name().into(), format!("{cpu:.1}"), format!("{wall:.1}")];
        table.row(cells.into_iter().chain([String::new()]).collect());
    }
    println!("items of 300 bytes in durable batches, on an empty store\n\n{}", table.text());
    let number = |part: &str, name: &str| million[part][name].as_f64().unwrap_or(f64::NAN);
    println!("{} items", million["items"]);
    for (part, what) in
        [("load", "put, 1000 a batch"), ("change", "half replaced, half removed, 100 a batch")]
    {
        let (cpu, wall) = (number(part, "cpu_us"), number(part, "wall_us"));
        let megabytes = number(part, "disk_bytes") / 1e6;
        println!(
            "  {what}: {cpu:.1} us CPU, {wall:.1} us wall per item; {megabytes:.0} MB on the disk"
        );
    }
    for (part, what) in
        [("start", "start after the puts"), ("start_changed", "start after the changes")]
    {
        println!(
            "  {what}: opened in {:.0} ms, all {:.0} entries read after {:.0} ms, {:.0} ms of CPU; {:.0} MB resident, at most {:.0}",
            number(part, "open_ms"),
            number(part, "entries"),
            number(part, "read_ms"),
            number(part, "cpu_ms"),
            number(part, "resident_mb"),
            number(part, "peak_mb"),
        );
    }
    println!("  5000 puts/s, made durable each 3 ms");
    for (part, name) in [("paced", "log"), ("paced_append", "append and sync")] {
        println!(
            "    {name}: {:.1} ms median, {:.1} ms 99th percentile, {:.1} ms worst, {:.1} us CPU per item",
            number(part, "p50_us") / 1e3,
            number(part, "p99_us") / 1e3,
            number(part, "worst_us") / 1e3,
            number(part, "cpu_us"),
        );
    }
}
