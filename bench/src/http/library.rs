//! The same by the library alone, in a process of its own, so that its CPU is that of one node and its caller.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinSet;
use xorbit::{Consistency, Node};

use super::network::{Network, OTHERS};
use super::{Operation, Plan, operation};
use crate::args::Args;
use crate::cpu;
use crate::failure::Failure;
use crate::servers::this_program;

/// How long the node may take to know the others.
const PATIENCE: Duration = Duration::from_secs(30);

/// Between two looks whether it does.
const PAUSE: Duration = Duration::from_millis(50);

/// CPU µs of each operation.
pub fn measure(plan: &Plan, operation: Operation) -> Result<f64, Failure> {
    let network = Network::start()?;
    let mut command: Command = this_program()?;
    command.args(["http-library", "--join", &network.door().to_string()]);
    command.args(["--operation", &operation.to_string(), "--seconds", &plan.seconds.to_string()]);
    command.args(["--keys", &plan.keys.to_string(), "--bytes", &plan.bytes.to_string()]);
    command.args(["--connections", &plan.at_once.to_string()]);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| Failure::system("cannot start the library's part", error))?;
    let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    told["cpu_us"]
        .as_f64()
        .filter(|_| output.status.success())
        .ok_or_else(|| Failure::new("the library was not measured", "its own words are above"))
}

/// The command `http-library`.
pub fn run(mut args: Args) -> Result<(), Failure> {
    let door: String = args.required("--join")?;
    let operation = operation(&args.required::<String>("--operation")?)?;
    let plan = Plan::read(&mut args)?;
    args.finish()?;
    // One thread, as the program has.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::system("cannot start a runtime", error))?;
    let cpu_us = runtime.block_on(spend(&plan, operation, door))?;
    println!("{}", json!({ "cpu_us": cpu_us }));
    Ok(())
}

/// CPU µs of each operation, many at once.
async fn spend(plan: &Plan, operation: Operation, door: String) -> Result<f64, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::system("the library failed", error);
    let loopback = crate::LOOPBACK.into();
    let node = Node::builder().listen(loopback).join(door).start().await;
    let node = node.map_err(|error| failed(&error))?;
    let limit = Instant::now() + PATIENCE;
    while node.info().await.map_err(|error| failed(&error))?.contacts[0] < OTHERS {
        if Instant::now() > limit {
            return Err(Failure::new("the node does not come to know the others", "try again"));
        }
        tokio::time::sleep(PAUSE).await;
    }
    let value: Arc<[u8]> = vec![b'v'; plan.bytes].into();
    for key in 0..plan.keys {
        node.put(name(key), &value).await.map_err(|error| failed(&error))?;
    }
    let process = std::process::id();
    let (before, end) =
        (cpu::spent(process)?, Instant::now() + Duration::from_secs_f64(plan.seconds));
    let (next, mut callers) = (Arc::new(AtomicUsize::new(0)), JoinSet::new());
    for _ in 0..plan.at_once {
        let (node, next, keys, value) =
            (node.clone(), Arc::clone(&next), plan.keys, Arc::clone(&value));
        callers.spawn(async move {
            while Instant::now() < end {
                let key = name(next.fetch_add(1, Ordering::Relaxed) % keys);
                match operation {
                    Operation::First => {
                        let get = node.get(key).consistency(Consistency::First);
                        drop(get.await.map_err(|error| error.to_string())?);
                    }
                    Operation::Quorum => drop(node.get(key).await.map_err(|e| e.to_string())?),
                    Operation::Put => drop(node.put(key, &value).await.map_err(|e| e.to_string())?),
                }
            }
            Ok::<_, String>(())
        });
    }
    while let Some(ended) = callers.join_next().await {
        ended.map_err(|error| failed(&error))?.map_err(|error| failed(&error))?;
    }
    // The threads' CPU is brought up to date when they sleep.
    tokio::time::sleep(PAUSE).await;
    let spent = cpu::spent(process)? - before;
    Ok(spent.as_secs_f64() * 1e6 / next.load(Ordering::Relaxed) as f64)
}

fn name(key: usize) -> String {
    format!("key-{key}")
}
