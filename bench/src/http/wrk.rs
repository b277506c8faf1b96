//! The load: wrk, a program that others wrote, from Debian's package of that name.

use std::io::ErrorKind;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::network::Gateway;
use super::{Operation, Plan, Sample};
use crate::cpu;
use crate::failure::Failure;

/// What it sends, and what it tells in the end.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/wrk.lua");

/// After the load, until the threads of the node sleep and their CPU is counted.
const REST: Duration = Duration::from_millis(200);

/// Loads a node.
pub fn load(plan: &Plan, operation: Operation, node: &Gateway) -> Result<Sample, Failure> {
    let before = cpu::spent(node.pid())?;
    let told = run(plan, operation, node)?;
    thread::sleep(REST);
    let cpu = cpu::spent(node.pid())? - before;
    let number = |name: &str| told[name].as_f64().unwrap_or(f64::NAN);
    let (requests, lost, failed) = (number("requests"), number("lost"), number("failed"));
    if lost + failed > 0.0 || requests == 0.0 {
        return Err(Failure::new(
            format!("of {requests} requests {failed} failed, and {lost} had no answer"),
            "a benchmark counts only if all are answered: is the machine busy?",
        ));
    }
    Ok(Sample {
        per_second: requests / number("duration_us") * 1e6,
        p50_us: number("p50_us"),
        p99_us: number("p99_us"),
        cpu_us: cpu.as_secs_f64() * 1e6 / requests,
    })
}

fn run(plan: &Plan, operation: Operation, node: &Gateway) -> Result<Value, Failure> {
    let body = if operation == Operation::Put { plan.bytes } else { 0 };
    let mut command = Command::new("wrk");
    command.args(["--threads", &plan.threads.to_string()]);
    command.args(["--connections", &plan.at_once.to_string()]);
    command.args(["--duration", &format!("{}s", plan.seconds.ceil().max(1.0))]);
    command.args(["--timeout", "30s", "--script", SCRIPT, &format!("http://{}", node.address)]);
    command.args(["--", operation.method(), operation.query()]);
    command.args([plan.keys.to_string(), body.to_string()]);
    let output = command.stderr(Stdio::inherit()).output().map_err(|error| match error.kind() {
        ErrorKind::NotFound => Failure::new(
            "the program `wrk` is missing",
            "on Debian, run `apt-get update && apt-get install -y wrk`",
        ),
        _ => Failure::system("cannot start wrk", error),
    })?;
    let words = String::from_utf8_lossy(&output.stdout);
    let told = words.lines().last().and_then(|line| serde_json::from_str(line).ok());
    told.ok_or_else(|| Failure::new("wrk told no result", format!("it said: {words}")))
}
