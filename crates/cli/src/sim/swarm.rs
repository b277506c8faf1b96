//! `xorbit sim swarm`: many worlds, one seed each.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use sim::plan::Plan;
use sim::run::{Run, Verdict};

use super::run::violated;
use super::world_args::{WorldArgs, again};
use crate::failure::{Failure, Kind};
use crate::talk;

/// The exit codes that it can end with.
pub const AFTER_HELP: &str = "\
Each failing world is told with the command that shows it again; `xorbit sim shrink` makes it smaller.

Exit codes:
  0  all checks held in all worlds
  2  wrong usage
  6  a check found something that must not be";

/// What it is told.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The first seed
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    from: u64,
    /// How many worlds
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    seeds: u64,
    /// Begin no world any more after so many seconds
    #[arg(long, value_name = "SECONDS")]
    within: Option<u64>,
    /// How many worlds live at a time; as many as there are processors if left out
    #[arg(long, value_name = "COUNT")]
    jobs: Option<usize>,
    /// Go on after a failing world
    #[arg(long)]
    keep_going: bool,
    #[command(flatten)]
    world: WorldArgs,
}

/// What all worlds came to.
#[derive(Default)]
struct Tally {
    worlds: u64,
    events: u64,
    simulated: Duration,
    failing: Vec<Verdict>,
}

/// Does it.
pub fn run(args: &Args, json: bool) -> Result<(), Failure> {
    let started = Instant::now();
    let available = std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = args.jobs.unwrap_or(available).max(1);
    let (next, stopped) = (AtomicU64::new(0), AtomicBool::new(false));
    let tally = Mutex::new(Tally::default());
    let bar = bar(args.seeds);
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let late = args.within.is_some_and(|s| started.elapsed().as_secs() >= s);
                    if number >= args.seeds || late || stopped.load(Ordering::Relaxed) {
                        return;
                    }
                    let plan = Plan::draw(args.from.wrapping_add(number), &args.world.wishes());
                    let verdict = Run::new(plan).go(&mut |_| {});
                    if !verdict.violations.is_empty() && !args.keep_going {
                        stopped.store(true, Ordering::Relaxed);
                    }
                    add(&tally, verdict);
                    bar.inc(1);
                }
            });
        }
    });
    bar.finish_and_clear();
    let tally = tally.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    tell(&tally, args, started.elapsed(), json)
}

fn add(tally: &Mutex<Tally>, verdict: Verdict) {
    let mut tally = tally.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    tally.worlds += 1;
    tally.events += verdict.events;
    tally.simulated += verdict.simulated;
    if !verdict.violations.is_empty() {
        tally.failing.push(verdict);
    }
}

fn bar(worlds: u64) -> ProgressBar {
    let style = "{bar:40} {pos} of {len} worlds, {per_sec}, {eta} left";
    let style =
        ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(worlds).with_style(style)
}

fn tell(tally: &Tally, args: &Args, took: Duration, json: bool) -> Result<(), Failure> {
    let Tally { worlds, events, simulated, failing } = tally;
    let hours = simulated.as_secs_f64() / 3600.0;
    let took_s = took.as_secs_f64();
    let mut failing: Vec<&Verdict> = failing.iter().collect();
    failing.sort_by_key(|verdict| verdict.seed);
    let Some(first) = failing.first().and_then(|verdict| violated(verdict)) else {
        if json {
            return talk::object(&json!({
                "worlds": worlds, "events": events, "simulated_hours": hours, "took_s": took_s,
            }));
        }
        let times = simulated.as_secs_f64() / took_s.max(1e-9);
        return talk::line(format_args!(
            "all checks held in {worlds} worlds: {hours:.0} hours, {events} events, {times:.0} times real time"
        ));
    };
    let commands = failing.iter().map(|verdict| again(verdict.seed, &args.world.wishes()));
    let commands: Vec<String> = commands.collect();
    let count = failing.len();
    let what = format!("{count} of {worlds} worlds broke a rule; first: {}", first.in_a_line());
    let mut failure = Failure::new(Kind::Violated, what).with("commands", commands.clone());
    for command in &commands {
        failure = failure.detail(command);
    }
    Err(failure.hint("`xorbit sim shrink --seed N` with the same options finds a smaller one"))
}
