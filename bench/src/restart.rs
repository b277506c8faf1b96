//! Coming back: how long from the start of a node with a full data directory until it serves, and in how much memory?
//!
//! The directory is filled through the library, without a node: items as a node keeps them, each with a signature of
//! its own. The first start may find files that are not in the system's cache; the others do.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;
use xorbit::offline::{Entry, Reader, Writer};
use xorbit::{Item, Lease, Persisted, Seq, Signer, wall_clock};

use crate::args::Args;
use crate::children::Running;
use crate::cpu;
use crate::failure::Failure;
use crate::servers::node_program;
use crate::table::{Table, grouped, mark};

/// What a start may take, for a million items.
const MARK_S: f64 = 2.0;

/// Bytes of the text in each value: about 320 bytes on the disk, as a small record takes.
const TEXT_BYTES: usize = 190;

/// How long a start may take before it counts as failed.
const PATIENCE: Duration = Duration::from_secs(120);

/// A data directory; it ends with the benchmark unless it is to be used again.
struct Directory {
    path: PathBuf,
    kept: bool,
}

impl Drop for Directory {
    fn drop(&mut self) {
        if !self.kept {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// What one start came to.
struct Sample {
    ready_s: f64,
    cpu_s: f64,
    resident_mib: f64,
}

/// The command `restart`.
pub fn run(mut args: Args) -> Result<(), Failure> {
    let items: u64 = args.value("--items")?.unwrap_or(1_000_000);
    let rounds: usize = args.value("--rounds")?.unwrap_or(5).max(1);
    let given: Option<PathBuf> = args.value("--directory")?;
    let json = args.flag("--json");
    args.finish()?;
    let name = format!("xorbit-bench-restart-{}", std::process::id());
    let directory = Directory {
        path: given.clone().unwrap_or_else(|| std::env::temp_dir().join(name)),
        kept: given.is_some(),
    };
    if !directory.path.exists() {
        let begun = Instant::now();
        fill(&directory, items)?;
        let seconds = begun.elapsed().as_secs_f64();
        eprintln!("filled with {} items in {seconds:.0} s", grouped(items as f64));
    }
    let samples: Vec<Sample> =
        (0..rounds).map(|_| start(&directory)).collect::<Result<_, Failure>>()?;
    // After the starts, so that the first finds what is in the cache as it was.
    report(living(&directory)?, &samples, json);
    Ok(())
}

/// Puts items into the directory, as a node would.
fn fill(directory: &Directory, items: u64) -> Result<(), Failure> {
    let cannot = |error: &dyn std::fmt::Display| Failure::system("cannot fill the store", error);
    let mut writer = Writer::open(&directory.path).map_err(|error| cannot(&error))?;
    let signer = Signer::from_seed(&[7; 32]);
    let wall = wall_clock();
    let seq = Seq::new(wall.0 as i64 * 1000).unwrap_or_default();
    for number in 0..items {
        let text = format!("{number:0TEXT_BYTES$}");
        let value = format!("{TEXT_BYTES}:{text}");
        let item =
            Item::mutable(&signer, format!("key-{number}").as_bytes(), seq, value.as_bytes());
        let item = item.map_err(|error| cannot(&error))?;
        // Lives that end over a week, as if they had come over one.
        let until = wall + Duration::from_secs(3600 + number % (7 * 24 * 3600));
        let lease = Lease { until, marker_until: until, kept: true };
        let entry =
            Persisted::Item { target: item.target(), item: item.as_ref().as_unverified(), lease };
        writer.take(&Entry::Kept(entry)).map_err(|error| cannot(&error))?;
    }
    writer.commit().map_err(|error| cannot(&error))
}

/// How many entries a start takes back: lives end, so a directory of before may have fewer than it was
/// filled with.
fn living(directory: &Directory) -> Result<u64, Failure> {
    let cannot = |error| Failure::system("cannot read the store", error);
    let wall = wall_clock();
    let mut entries = 0;
    let mut reader = Reader::open(&directory.path).map_err(cannot)?;
    let count = |entry: &Entry<'_>| {
        let kept = matches!(entry, Entry::Kept(_)) && !entry.has_ended(wall);
        entries += u64::from(kept);
    };
    reader.each(count).map_err(cannot)?;
    Ok(entries)
}

/// Starts a node in the directory and waits until it serves.
fn start(directory: &Directory) -> Result<Sample, Failure> {
    let mut command = Command::new(node_program()?);
    command.args(["node", "--listen", "127.0.0.1:0", "--data"]).arg(&directory.path);
    let begun = Instant::now();
    let (node, ready) = Running::start(&mut command, PATIENCE, |line| {
        line.starts_with("ready").then(Instant::now)
    })?;
    let cpu_s = cpu::spent_by_all(node.pid()).map_or(f64::NAN, |spent| spent.as_secs_f64());
    let resident_mib = resident_kib(node.pid()).unwrap_or(f64::NAN) / 1024.0;
    Ok(Sample { ready_s: ready.duration_since(begun).as_secs_f64(), cpu_s, resident_mib })
}

fn resident_kib(pid: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

fn report(entries: u64, samples: &[Sample], json: bool) {
    let mut seconds: Vec<f64> = samples.iter().map(|sample| sample.ready_s).collect();
    seconds.sort_by(f64::total_cmp);
    let median = seconds[seconds.len() / 2];
    if json {
        let all: Vec<_> = samples
            .iter()
            .map(|s| json!({ "ready_s": s.ready_s, "cpu_s": s.cpu_s, "resident_mib": s.resident_mib }))
            .collect();
        println!(
            "{}",
            json!({ "entries": entries, "median_s": median, "mark_s": MARK_S, "starts": all })
        );
        return;
    }
    let mut table = Table::new(1, &["start", "until ready, s", "CPU, s", "resident, MiB", ""]);
    for (number, sample) in samples.iter().enumerate() {
        table.row(vec![
            (number + 1).to_string(),
            format!("{:.2}", sample.ready_s),
            format!("{:.2}", sample.cpu_s),
            format!("{:.0}", sample.resident_mib),
            String::new(),
        ]);
    }
    table.gap();
    let verdict = mark(median, MARK_S);
    table.row(vec!["median".into(), format!("{median:.2}"), String::new(), String::new(), verdict]);
    println!("{}\nStarts with {} entries.", table.text(), grouped(entries as f64));
}
