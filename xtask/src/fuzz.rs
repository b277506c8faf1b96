//! `cargo xtask fuzz`: every fuzz target, built with coverage by the stable compiler, run for a
//! bounded time.
//!
//! `cargo fuzz` needs a nightly compiler for its address sanitizer. Safe Rust gains little from
//! that; the coverage feedback alone needs only an LLVM pass that the stable compiler has too.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;

use crate::failure::{Failure, Outcome};
use crate::process::{answer, cargo, run as run_command};

/// Seconds for each target when nobody asks for more: the share of the gate.
pub const DEFAULT_SECONDS: u64 = 20;

/// Megabytes; a reader of one datagram that takes more has found a way to be made to.
const MEMORY_LIMIT: u32 = 1024;

/// Seconds for one input; each takes microseconds when all is well.
const INPUT_LIMIT: u32 = 10;

/// What `cargo fuzz` passes too, without the sanitizers: edge counters, the table of edges for
/// the reports, and the operands of comparisons, which let the fuzzer find magic bytes.
const FLAGS: [&str; 8] = [
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cdebug-assertions",
    "-Coverflow-checks",
];

/// Builds all targets and runs each for `seconds`, as many at a time as there are processors.
pub fn run(root: &Path, seconds: u64) -> Outcome {
    let folder = root.join("fuzz");
    let targets = targets(&folder)?;
    let programs = build(&folder)?;
    let waiting = Mutex::new(targets.iter());
    let failures = Mutex::new(Vec::new());
    let workers = thread::available_parallelism().map_or(1, usize::from).min(targets.len());
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                // The lock is held for this line alone, or the workers would wait for each other.
                let next = || lock(&waiting).next();
                while let Some(target) = next() {
                    match fuzz(&folder, &programs.join(target), target, seconds) {
                        Ok(report) => println!("{target}: {report}"),
                        Err(failure) => lock(&failures).push(failure),
                    }
                }
            });
        }
    });
    let mut failures = lock(&failures);
    // The rest is printed here; the last one becomes the answer.
    let last = failures.pop();
    failures.iter().for_each(|failure| eprintln!("{failure}"));
    last.map_or(Ok(()), Err)
}

fn lock<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The targets: one file each, every one of them declared in the manifest.
fn targets(folder: &Path) -> Result<Vec<String>, Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::new(format!("cannot read the fuzz targets in `{}`: {error}", folder.display()))
    };
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).map_err(unreadable)?;
    let mut names = Vec::new();
    for entry in fs::read_dir(folder.join("fuzz_targets")).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let is_rust = path.extension().is_some_and(|extension| extension == "rs");
        if let Some(stem) = path.file_stem().filter(|_| is_rust) {
            names.push(stem.to_string_lossy().into_owned());
        }
    }
    names.sort();
    if names.is_empty() {
        return Err(Failure::new("`fuzz/fuzz_targets` holds no target"));
    }
    match names.iter().find(|name| !manifest.contains(&format!("name = \"{name}\""))) {
        None => Ok(names),
        Some(name) => Err(Failure::new(format!("the fuzz target `{name}` would never be built"))
            .hint(format!("add a `[[bin]]` named `{name}` to fuzz/Cargo.toml"))),
    }
}

/// Builds all targets and tells the folder where their programs lie.
fn build(folder: &Path) -> Result<PathBuf, Failure> {
    if answer("c++", &["--version"]).is_none() {
        return Err(Failure::new("libFuzzer needs a C++ compiler, and `c++` is missing")
            .hint("on Debian, run `apt-get install -y g++`"));
    }
    let host = host(folder)?;
    let target_dir = folder.join("target");
    let mut command = cargo(folder);
    // An explicit target keeps the flags away from build scripts and procedural macros.
    command.args(["build", "--release", "--locked", "--bins", "--target", &host, "--target-dir"]);
    command.arg(&target_dir).env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\u{1f}"));
    run_command(&mut command).map_err(|failure| {
        failure.hint("if only fuzz/Cargo.lock is behind, run `cargo update --workspace` in fuzz/")
    })?;
    Ok(target_dir.join(host).join("release"))
}

fn host(folder: &Path) -> Result<String, Failure> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = crate::process::read(Command::new(rustc).arg("-vV").current_dir(folder))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| Failure::new("`rustc -vV` names no host"))
}

/// Runs one target; its talk goes to a file, since several run at once.
fn fuzz(folder: &Path, program: &Path, target: &str, seconds: u64) -> Result<String, Failure> {
    let at = |error: std::io::Error| Failure::new(format!("fuzz target `{target}`: {error}"));
    let corpus = folder.join("corpus").join(target);
    let artifacts = folder.join("artifacts").join(target);
    fs::create_dir_all(&corpus).map_err(at)?;
    fs::create_dir_all(&artifacts).map_err(at)?;
    let log_path = artifacts.join("log.txt");
    let log = File::create(&log_path).map_err(at)?;

    let mut command = Command::new(program);
    command
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-rss_limit_mb={MEMORY_LIMIT}"))
        .arg(format!("-timeout={INPUT_LIMIT}"))
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .arg(&corpus);
    // New finds go to the first folder; the seeds stay as they were committed.
    let seeds = folder.join("seeds").join(target);
    if seeds.exists() {
        command.arg(seeds);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    let status = command.status().map_err(at)?;
    let talk = fs::read(&log_path).map_err(at)?;
    let talk = String::from_utf8_lossy(&talk);
    if status.success() {
        return report(&talk).ok_or_else(|| {
            Failure::new(format!("fuzz target `{target}` saw no coverage: it searches blindly"))
                .hint("see whether this compiler still takes the flags in xtask/src/fuzz.rs")
        });
    }
    Err(match found(&talk) {
        Some(input) => Failure::new(format!("fuzz target `{target}`: {}", cause(&talk)))
            .hint(format!("the input is `{input}`; run `{} {input}`", program.display())),
        None => Failure::new(format!("fuzz target `{target}` ended with {status}"))
            .hint(format!("its words are in `{}`", log_path.display())),
    })
}

/// The input that libFuzzer wrote down when the target broke on it.
fn found(talk: &str) -> Option<&str> {
    let line = talk.lines().find(|line| line.contains("Test unit written to "))?;
    line.split("Test unit written to ").nth(1)
}

/// What went wrong in one line: the panic, or else libFuzzer's own summary.
fn cause(talk: &str) -> String {
    let mut lines = talk.lines();
    if let Some(panic) = lines.find(|line| line.contains("panicked at")) {
        let place = panic.split_once("panicked at ").map_or("", |(_, place)| place);
        return format!("panic at {place} {}", lines.next().unwrap_or_default());
    }
    let summary = talk.lines().find_map(|line| line.strip_prefix("SUMMARY: "));
    summary.unwrap_or("it broke").to_owned()
}

/// Runs and growth of coverage, from libFuzzer's lines; nothing if it saw none.
fn report(talk: &str) -> Option<String> {
    let mut edges = talk.lines().filter_map(|line| number_after(line, "cov: "));
    let first = edges.next()?;
    let last = edges.next_back().unwrap_or(first);
    let runs = talk.lines().find_map(|line| number_after(line, "Done "))?;
    Some(format!("{runs} runs, {first} edges at first, {last} at last"))
}

fn number_after(line: &str, key: &str) -> Option<u64> {
    let rest = &line[line.find(key)? + key.len()..];
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALM: &str = "INFO: Loaded 1 modules   (252 inline 8-bit counters)\n\
        #2\tINITED cov: 9 ft: 9 corp: 1/1b exec/s: 0 rss: 27Mb\n\
        #437\tNEW    cov: 10 ft: 10 corp: 2/9b\n\
        #900\tDONE   cov: 12 ft: 10 corp: 2/9b\n\
        Done 900 runs in 2 second(s)\n";

    #[test]
    fn a_calm_run_is_reported_with_its_growth_of_coverage() {
        assert_eq!(report(CALM).as_deref(), Some("900 runs, 9 edges at first, 12 at last"));
    }

    #[test]
    fn a_run_without_coverage_has_no_report() {
        assert_eq!(report("#2\tINITED exec/s: 0\nDone 900 runs in 2 second(s)\n"), None);
    }

    #[test]
    fn a_crash_is_told_by_its_panic_and_its_input() {
        let talk = "thread '<unnamed>' panicked at crates/wire/src/bencode.rs:7:9:\nno digit\n\
            SUMMARY: libFuzzer: deadly signal\n\
            artifact_prefix='a/'; Test unit written to a/crash-01\n";
        assert_eq!(found(talk), Some("a/crash-01"));
        assert_eq!(cause(talk), "panic at crates/wire/src/bencode.rs:7:9: no digit");
    }

    #[test]
    fn a_slow_input_is_told_by_libfuzzers_summary() {
        assert_eq!(cause("SUMMARY: libFuzzer: timeout\n"), "libFuzzer: timeout");
    }
}
