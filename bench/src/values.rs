//! Values, large and many. One large value: how long it takes to put and to get, how many messages, and how much memory at the client.
//!
//! Sixteen nodes in one process on loopback; the client is the program itself, a process of its own, so that its peak
//! memory is its own. Beside it stands what this machine needs at least: to append the same bytes to a file and make
//! them durable.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use xorbit::Testnet;

use crate::args::Args;
use crate::batch::{self, answered};
use crate::chance::Chance;
use crate::failure::Failure;
use crate::servers::node_program;
use crate::table::{Table, mark};

/// Seconds that a put of 16 MiB may take.
const PUT_SECONDS: f64 = 6.0;
/// Seconds that a get of it may take.
const GET_SECONDS: f64 = 1.5;
/// Requests for each chunk that a get may cost.
const REQUESTS_PER_CHUNK: f64 = 1.2;
/// Resident memory of the client at most, in MiB.
const CLIENT_MIB: f64 = 64.0;
/// How often a client's memory is looked at: the system keeps the peak, which is lost only when it ends.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// One transfer.
struct Pass {
    what: &'static str,
    seconds: f64,
    /// Queries that the nodes answered: `get`, `put`.
    answered: [u64; 2],
    chunks: f64,
    client_mib: f64,
}

/// The command `values`.
pub fn run(mut args: Args) -> Result<(), Failure> {
    let bytes: usize = args.value("--bytes")?.unwrap_or(16 << 20).max(2000);
    let nodes: usize = args.value("--nodes")?.unwrap_or(16).max(2);
    let keys: usize = args.value("--keys")?.unwrap_or(10_000).max(1);
    let many_nodes: usize = args.value("--batch-nodes")?.unwrap_or(50).max(2);
    let json = args.flag("--json");
    args.finish()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::system("cannot start a runtime", error))?;
    let directory = Scratch::new()?;
    let source = directory.write("value", &random(bytes))?;
    let floor = append_and_sync(&directory, &source)?;
    let network = runtime
        .block_on(xorbit::testnet(nodes))
        .map_err(|error| Failure::system("cannot start the network", error))?;
    let sink = directory.path("got");
    let passes = [
        pass("put", &runtime, &network, &["put", "big", "--file"], &source)?,
        pass("put again", &runtime, &network, &["put", "big", "--file"], &source)?,
        pass("get", &runtime, &network, &["get", "big", "--output"], &sink)?,
    ];
    runtime.block_on(network.close());
    if fs::read(&source).ok() != fs::read(&sink).ok() {
        return Err(Failure::new("another value came back than was put", "this is a bug"));
    }
    let many = runtime.block_on(batch::measure(keys, many_nodes))?;
    match json {
        true => {
            let mut object = as_json(bytes, nodes, floor, &passes);
            object["batch"] = many.json();
            println!("{object}");
        }
        false => print!("{}\n{}", as_text(bytes, nodes, floor, &passes), many.text()),
    }
    Ok(())
}

fn pass(
    what: &'static str,
    runtime: &tokio::runtime::Runtime,
    network: &Testnet,
    verb: &[&str],
    file: &Path,
) -> Result<Pass, Failure> {
    let before = runtime.block_on(answered(&network.nodes))?;
    let door = network.door().unwrap_or_default();
    let mut command = Command::new(node_program()?);
    command.args(verb).arg(file).args(["--join", &door, "--json"]);
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| Failure::system("cannot start the client", error))?;
    let mut peak_kib = 0;
    let seconds = loop {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id()));
        let peak = status.unwrap_or_default();
        let line = peak.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        peak_kib = peak_kib.max(kib.unwrap_or(0_u64));
        match child.try_wait() {
            Ok(None) => thread::sleep(LOOK_EVERY),
            Ok(Some(_)) => break started.elapsed().as_secs_f64(),
            Err(error) => return Err(Failure::system("cannot wait for the client", error)),
        }
    };
    let output =
        child.wait_with_output().map_err(|error| Failure::system("the client is lost", error))?;
    let told: Value = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    if !output.status.success() {
        return Err(Failure::new(
            format!("the client failed to {what}: {told}"),
            "its words are above",
        ));
    }
    let chunks = told["chunks"]["stored"].as_f64().or(told["chunks"].as_f64()).unwrap_or(1.0);
    let after = runtime.block_on(answered(&network.nodes))?;
    let answered = [after[0] - before[0], after[1] - before[1]];
    Ok(Pass { what, seconds, answered, chunks, client_mib: peak_kib as f64 / 1024.0 })
}

/// Seconds to append the bytes of a file to another and make them durable.
fn append_and_sync(directory: &Scratch, source: &Path) -> Result<f64, Failure> {
    let failed = |error| Failure::system("cannot write a file", error);
    let bytes = fs::read(source).map_err(failed)?;
    let mut file = fs::File::create(directory.path("floor")).map_err(failed)?;
    let started = Instant::now();
    file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(failed)?;
    Ok(started.elapsed().as_secs_f64())
}

fn as_text(bytes: usize, nodes: usize, floor: f64, passes: &[Pass]) -> String {
    let headings =
        ["operation", "s", "mark", "get/chunk", "put/chunk", "mark", "client MiB", "mark"];
    let mut table = Table::new(1, &headings);
    for pass in passes {
        let [gets, puts] = pass.answered.map(|number| number as f64 / pass.chunks);
        let (seconds, requests) = match pass.what {
            "put" => (mark(pass.seconds, PUT_SECONDS), String::new()),
            "get" => (mark(pass.seconds, GET_SECONDS), mark(gets, REQUESTS_PER_CHUNK)),
            _ => (String::new(), String::new()),
        };
        table.row(vec![
            pass.what.to_owned(),
            format!("{:.2}", pass.seconds),
            seconds,
            format!("{gets:.2}"),
            format!("{puts:.2}"),
            requests,
            format!("{:.0}", pass.client_mib),
            mark(pass.client_mib, CLIENT_MIB),
        ]);
    }
    let chunks = passes.first().map_or(0.0, |pass| pass.chunks);
    format!(
        "{}\n{bytes} bytes in {chunks} chunks on {nodes} nodes in one process; to append and sync them takes {floor:.3} s.\n",
        table.text()
    )
}

fn as_json(bytes: usize, nodes: usize, floor: f64, passes: &[Pass]) -> Value {
    let rows = passes.iter().map(|pass| {
        json!({
            "operation": pass.what,
            "seconds": pass.seconds,
            "gets_answered": pass.answered[0],
            "puts_answered": pass.answered[1],
            "chunks": pass.chunks,
            "client_peak_mib": pass.client_mib,
        })
    });
    json!({
        "bytes": bytes,
        "nodes": nodes,
        "append_and_sync_seconds": floor,
        "rows": rows.collect::<Vec<_>>(),
    })
}

/// Bytes that no chunk repeats.
fn random(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    Chance::new(16).fill(&mut bytes);
    bytes
}

/// A directory that goes with its handle.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self, Failure> {
        let path = std::env::temp_dir().join(format!("xorbit-bench-{}", std::process::id()));
        fs::create_dir_all(&path)
            .map_err(|error| Failure::system("cannot make a directory", error))?;
        Ok(Self(path))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, Failure> {
        let path = self.path(name);
        fs::write(&path, bytes).map_err(|error| Failure::system("cannot write a file", error))?;
        Ok(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left in a directory for temporary files does no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}
