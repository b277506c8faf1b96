//! `xorbit sim run`: one world.

use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;

use serde_json::json;
use sim::Instant;
use sim::plan::{Plan, span};
use sim::run::{Run, Verdict};

use super::world_args::{WorldArgs, again};
use crate::failure::{Failure, Kind};
use crate::talk;

/// The exit codes that it can end with.
pub const AFTER_HELP: &str = "\
The same seed and the same build give the same world, byte for byte: the trace hash is the same.

Exit codes:
  0  all checks held
  2  wrong usage, or the trace cannot be written
  6  a check found something that must not be";

/// What it is told.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// All that the world is follows from this number
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    world: WorldArgs,
    /// Write one line for each event to this file, below a legend
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
}

/// Does it.
pub fn run(args: &Args, json: bool) -> Result<(), Failure> {
    let plan = Plan::draw(args.seed, &args.world.wishes());
    if !json {
        talk::say(plan.to_string().trim_end());
    }
    let mut run = Run::new(plan);
    if let Some(path) = &args.trace {
        let file = File::create(path).map_err(|cause| {
            let what = format!("cannot write the trace to `{}`: {cause}", path.display());
            Failure::new(Kind::Environment, what)
        })?;
        run.world.trace.write_to(Box::new(BufWriter::new(file)));
    }
    let verdict = run.go(&mut |_| {});
    tell(&verdict, args, json)
}

fn tell(verdict: &Verdict, args: &Args, json: bool) -> Result<(), Failure> {
    if let Some(failure) = violated(verdict) {
        let command = again(args.seed, &args.world.wishes());
        return Err(failure.hint(format!("`{command}` shows it again")));
    }
    let Verdict { trace_hash, events, delivered, simulated, requests, numbers, .. } = verdict;
    if json {
        let numbers: serde_json::Map<_, _> =
            numbers.named().into_iter().map(|(name, number)| (name, json!(number))).collect();
        return talk::object(&json!({
            "seed": args.seed, "trace_hash": format!("{trace_hash:016x}"), "events": events,
            "delivered": delivered, "simulated_s": simulated.as_secs_f64(), "requests": requests,
            "checks": numbers,
        }));
    }
    talk::line(numbers)?;
    let lived = span(*simulated);
    talk::line(format_args!(
        "all checks held: {events} events in {lived}, {requests} requests, trace hash {trace_hash:016x}"
    ))
}

/// What must not be and was, if anything.
pub fn violated(verdict: &Verdict) -> Option<Failure> {
    let first = verdict.violations.first()?;
    let on = first.machine.map_or(String::new(), |machine| format!(" on machine {}", machine.0));
    let at = span(first.at.since(Instant::default()));
    let what = format!("check `{}` failed{on} in the world of seed {}", first.check, verdict.seed);
    let failure = Failure::new(Kind::Violated, what).detail(format!("at {at}: {}", first.what));
    Some(failure.with("seed", verdict.seed).with("check", first.check))
}
