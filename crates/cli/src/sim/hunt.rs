//! `xorbit sim hunt`: whether the checks find bugs that are planted.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use sim::hunt::{Catch, Mistake, live, mistakes, plant, suits, world};
use sim::plan::span;

use super::world_args::{WorldArgs, again};
use crate::failure::{Failure, Kind};
use crate::talk;

/// The exit codes that it can end with.
pub const AFTER_HELP: &str = "\
First all worlds live without a bug: those in which a check finds something even so are left out. Then each
bug is planted into all nodes, and the worlds live until a check finds it.
What a hunt found is shown again by `xorbit sim hunt --bug NAME --from SEED --seeds 1`.

Exit codes:
  0  all bugs were found
  1  some were not
  2  wrong usage, or a build without bugs
  6  a check found something where no bug was planted";

/// What it is told.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Hunt this bug, or these, by name; all if left out
    #[arg(long = "bug", value_name = "NAME", value_delimiter = ',')]
    bugs: Vec<String>,
    /// The first seed
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    from: u64,
    /// How many worlds live for each bug at most, of the seeds whose worlds suit
    #[arg(long, value_name = "COUNT", default_value_t = 40)]
    seeds: u64,
    /// Begin no world for a bug any more after so many seconds
    #[arg(long, value_name = "SECONDS")]
    within: Option<u64>,
    /// How many worlds live at a time; as many as there are processors if left out
    #[arg(long, value_name = "COUNT")]
    jobs: Option<usize>,
    #[command(flatten)]
    world: WorldArgs,
}

/// What became of a bug.
struct Hunted {
    mistake: Mistake,
    caught: Option<Catch>,
    worlds: u64,
    took: Duration,
}

/// Does it.
pub fn run(args: &Args, json: bool) -> Result<(), Failure> {
    let bugs = chosen(&mistakes(), &args.bugs)?;
    // A planted bug that makes a node panic is told in the table.
    std::panic::set_hook(Box::new(|_| {}));
    let wishes = args.world.wishes();
    let suitable = (args.from..).filter(|seed| suits(*seed, &wishes));
    let seeds: Vec<u64> = suitable.take(args.seeds as usize).collect();
    let bar = bar(seeds.len() as u64, "worlds without a bug");
    let alarms = lived(args, &seeds, None, &|| bar.inc(1)).caught;
    bar.finish_and_clear();
    let sound = |seed: &u64| alarms.iter().all(|alarm| alarm.seed != *seed);
    let seeds: Vec<u64> = seeds.into_iter().filter(sound).collect();
    for alarm in &alarms {
        talk::say(format_args!("left out: {}", alarm_line(alarm, args)));
    }
    let bar = self::bar(bugs.len() as u64, "bugs");
    let mut all = Vec::new();
    for mistake in bugs {
        bar.set_message(mistake.name);
        let hunted = hunt(args, &seeds, mistake);
        bar.inc(1);
        if !json {
            bar.suspend(|| talk::line(row(&hunted)))?;
        }
        all.push(hunted);
    }
    bar.finish_and_clear();
    tell(&all, &alarms, args, json)
}

/// The bugs of these names, or all.
fn chosen(all: &[Mistake], names: &[String]) -> Result<Vec<Mistake>, Failure> {
    if all.is_empty() {
        let failure = Failure::new(Kind::Usage, "this build has no bugs that could be planted");
        let build = "cargo build --release --package xorbit-cli --features planted";
        return Err(failure.hint(format!("`{build}` makes one that has, never to be shipped")));
    }
    if names.is_empty() {
        return Ok(all.to_vec());
    }
    let named = |name: &String| {
        let found = all.iter().find(|mistake| mistake.name == name).copied();
        found.ok_or_else(|| {
            let names: Vec<&str> = all.iter().map(|mistake| mistake.name).collect();
            let failure = Failure::new(Kind::Usage, format!("no bug is called `{name}`"));
            failure.hint(format!("there are {}", names.join(", ")))
        })
    };
    names.iter().map(named).collect()
}

fn hunt(args: &Args, seeds: &[u64], mistake: Mistake) -> Hunted {
    let started = Instant::now();
    plant(Some(&mistake));
    let lived = lived(args, seeds, Some(started), &|| {});
    plant(None);
    let caught = lived.caught.into_iter().next();
    Hunted { mistake, caught, worlds: lived.worlds, took: started.elapsed() }
}

/// What worlds came to, in the order of their seeds.
struct Lived {
    worlds: u64,
    caught: Vec<Catch>,
}

/// Lets the worlds of these seeds live, several at a time: all of them, or, if it is said since when a bug is
/// hunted, until a check finds it. The world of the lowest seed that finds it is always among them.
fn lived(args: &Args, seeds: &[u64], since: Option<Instant>, each: &(dyn Fn() + Sync)) -> Lived {
    let available = std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = args.jobs.unwrap_or(available).max(1);
    let (next, found) = (AtomicU64::new(0), AtomicBool::new(false));
    let (caught, worlds) = (Mutex::new(Vec::new()), AtomicU64::new(0));
    let is_over = || {
        let late = |since: Instant| args.within.is_some_and(|s| since.elapsed().as_secs() >= s);
        since.is_some_and(|since| found.load(Ordering::Relaxed) || late(since))
    };
    let wishes = args.world.wishes();
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while !is_over() {
                    let number = next.fetch_add(1, Ordering::Relaxed) as usize;
                    let Some(seed) = seeds.get(number) else { return };
                    if let Some(catch) = live(*seed, &world(*seed, &wishes)) {
                        found.store(true, Ordering::Relaxed);
                        caught.lock().unwrap_or_else(|lock| lock.into_inner()).push(catch);
                    }
                    worlds.fetch_add(1, Ordering::Relaxed);
                    each();
                }
            });
        }
    });
    let mut caught = caught.into_inner().unwrap_or_else(|lock| lock.into_inner());
    caught.sort_by_key(|catch: &Catch| catch.seed);
    Lived { worlds: worlds.into_inner(), caught }
}

fn bar(length: u64, of: &'static str) -> ProgressBar {
    let style = format!("{{bar:40}} {{pos}} of {{len}} {of}, {{eta}} left {{msg}}");
    let style = ProgressStyle::with_template(&style);
    ProgressBar::new(length).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn row(hunted: &Hunted) -> String {
    let Hunted { mistake: Mistake { name, what, .. }, caught, worlds, took } = hunted;
    let took_s = took.as_secs_f64();
    match caught {
        Some(Catch { seed, profile, check, simulated, .. }) => {
            let after = span(*simulated);
            format!(
                "{name:<26} {check:<13} {seed:>4} {profile:<11} {after} {took_s:>6.1} s  {what}"
            )
        }
        None => format!("{name:<26} not found in {worlds:>3} worlds      {took_s:>9.1} s  {what}"),
    }
}

fn alarm_line(alarm: &Catch, args: &Args) -> String {
    let command = again(alarm.seed, &world(alarm.seed, &args.world.wishes()));
    format!("`{command}` fails `{}` though no bug is planted: {}", alarm.check, alarm.what)
}

fn tell(all: &[Hunted], alarms: &[Catch], args: &Args, json: bool) -> Result<(), Failure> {
    let found = all.iter().filter(|hunted| hunted.caught.is_some()).count();
    let rows: Vec<Value> = all.iter().map(told).collect();
    let left_out: Vec<u64> = alarms.iter().map(|alarm| alarm.seed).collect();
    if !alarms.is_empty() {
        let what = format!("checks failed in {} worlds without a bug", alarms.len());
        let mut failure = Failure::new(Kind::Violated, what).with("bugs", rows);
        for alarm in alarms {
            failure = failure.detail(alarm_line(alarm, args));
        }
        let hint = format!("{found} of {} bugs were found in the other worlds", all.len());
        return Err(failure.with("left_out", left_out).with("found", found).hint(hint));
    }
    if found < all.len() {
        let missed = all.iter().filter(|hunted| hunted.caught.is_none());
        let missed: Vec<&str> = missed.map(|hunted| hunted.mistake.name).collect();
        let what = format!("{found} of {} bugs were found, not {}", all.len(), missed.join(", "));
        let failure = Failure::new(Kind::NotFound, what).with("bugs", rows).with("found", found);
        return Err(failure.hint("more `--seeds`, or another `--profile`, may find more"));
    }
    if json {
        return talk::object(&json!({ "bugs": rows, "found": found }));
    }
    talk::line(format_args!("all {found} bugs were found"))
}

fn told(hunted: &Hunted) -> Value {
    let Hunted { mistake, caught, worlds, took } = hunted;
    let mut row = json!({
        "bug": mistake.name, "what": mistake.what, "found": caught.is_some(), "worlds": worlds,
        "took_s": took.as_secs_f64(),
    });
    if let Some(Catch { seed, profile, check, what, simulated }) = caught {
        row["seed"] = json!(seed);
        row["profile"] = json!(profile);
        row["check"] = json!(check);
        row["saw"] = json!(what);
        row["simulated_s"] = json!(simulated.as_secs_f64());
    }
    row
}
