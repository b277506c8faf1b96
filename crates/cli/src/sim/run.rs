//! `xorbit sim run`: one world.

use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;
use sim::plan::{Plan, Wishes, span};
use sim::profile::Profile;
use sim::run::{Run, Verdict};

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
    /// How many machines; the seed decides if left out
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    nodes: Option<u32>,
    /// How long faults and users' work go on, in hours of the world; the seed decides if left out
    #[arg(long, value_parser = hours)]
    hours: Option<Duration>,
    /// What kind of world: `calm`, `weather`, `everything`; the seed decides if left out
    #[arg(long, value_name = "NAME", value_parser = profile)]
    profile: Option<&'static Profile>,
    /// Leave out these faults of the plan, by their numbers
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',')]
    without: Vec<u32>,
    /// Write one line for each event to this file, below a legend
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
}

fn hours(text: &str) -> Result<Duration, String> {
    let hours: f64 = text.parse().map_err(|_| "not a number of hours".to_owned())?;
    if !(hours > 0.0 && hours <= 10_000.0) {
        return Err("not between 0 and 10000 hours".to_owned());
    }
    Ok(Duration::from_secs_f64(hours * 3600.0))
}

fn profile(text: &str) -> Result<&'static Profile, String> {
    Profile::named(text).ok_or_else(|| {
        let names: Vec<&str> = Profile::ALL.iter().map(|profile| profile.name).collect();
        format!("no such profile; there are {}", names.join(", "))
    })
}

/// Does it.
pub fn run(args: &Args, json: bool) -> Result<(), Failure> {
    let wishes = Wishes {
        nodes: args.nodes,
        span: args.hours,
        profile: args.profile,
        without: args.without.clone(),
    };
    let plan = Plan::draw(args.seed, &wishes);
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
    let Verdict { trace_hash, events, delivered, simulated, requests, violations, .. } = verdict;
    if let Some(first) = violations.first() {
        let on =
            first.machine.map_or(String::new(), |machine| format!(" on machine {}", machine.0));
        let at = span(first.at.since(sim::Instant::default()));
        let failure = Failure::new(Kind::Violated, format!("check `{}` failed{on}", first.check));
        return Err(failure
            .detail(format!("at {at}: {}", first.what))
            .hint(format!("`{}` shows it again", again(args))));
    }
    if json {
        return talk::object(&json!({
            "seed": args.seed, "trace_hash": format!("{trace_hash:016x}"), "events": events,
            "delivered": delivered, "simulated_s": simulated.as_secs_f64(), "requests": requests,
        }));
    }
    let lived = span(*simulated);
    talk::line(format_args!(
        "all checks held: {events} events in {lived}, {requests} requests, trace hash {trace_hash:016x}"
    ))
}

/// The command that shows the same again.
fn again(args: &Args) -> String {
    let mut command = format!("xorbit sim run --seed {}", args.seed);
    if let Some(nodes) = args.nodes {
        command += &format!(" --nodes {nodes}");
    }
    if let Some(span) = args.hours {
        command += &format!(" --hours {}", span.as_secs_f64() / 3600.0);
    }
    if let Some(profile) = args.profile {
        command += &format!(" --profile {}", profile.name);
    }
    if !args.without.is_empty() {
        let numbers: Vec<String> = args.without.iter().map(u32::to_string).collect();
        command += &format!(" --without {}", numbers.join(","));
    }
    command
}
