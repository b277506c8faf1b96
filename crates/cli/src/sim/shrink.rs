//! `xorbit sim shrink`: a smaller world that fails alike.

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use sim::plan::{Plan, Wishes, span};
use sim::run::Run;
use sim::shrink::{Failing, shrink};

use super::world_args::{WorldArgs, again};
use crate::failure::{Failure, Kind};
use crate::talk;

/// The exit codes that it can end with.
pub const AFTER_HELP: &str = "\
Exit codes:
  0  done: the command that shows the smaller world is printed
  1  all checks hold in this world
  2  wrong usage";

/// What it is told.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The seed of the world that fails
    #[arg(long, value_name = "NUMBER")]
    seed: u64,
    /// How many worlds are tried at most
    #[arg(long, value_name = "COUNT", default_value_t = 200)]
    attempts: u32,
    #[command(flatten)]
    world: WorldArgs,
}

/// Does it.
pub fn run(args: &Args, json: bool) -> Result<(), Failure> {
    let wishes = args.world.wishes();
    let plan = Plan::draw(args.seed, &wishes);
    let from = Failing {
        faults: plan.faults.iter().map(|planned| planned.number).collect(),
        nodes: plan.setting.nodes,
        span: plan.setting.span,
        wishes,
    };
    let Some(check) = failed(args.seed, &from.wishes) else {
        let what = format!("all checks hold in the world of seed `{}`", args.seed);
        return Err(Failure::new(Kind::NotFound, what));
    };
    let before = from.clone();
    let bar = ProgressBar::new(args.attempts.into());
    let style = ProgressStyle::with_template("{bar:40} {pos} worlds tried, at most {len}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let least = shrink(from, args.attempts, |wishes| {
        bar.inc(1);
        failed(args.seed, wishes) == Some(check)
    });
    bar.finish_and_clear();
    let command = again(args.seed, &least.wishes);
    if json {
        return talk::object(&json!({
            "check": check, "command": command, "nodes": least.nodes,
            "span_s": least.span.as_secs_f64(), "faults": least.faults,
        }));
    }
    talk::say(format_args!(
        "check `{check}` still fails with {} of {} machines, {} of {}, {} of {} faults:",
        least.nodes,
        before.nodes,
        span(least.span),
        span(before.span),
        least.faults.len(),
        before.faults.len(),
    ));
    talk::line(command)
}

/// Which check fails in a world.
fn failed(seed: u64, wishes: &Wishes) -> Option<&'static str> {
    let verdict = Run::new(Plan::draw(seed, wishes)).go(&mut |_| {});
    verdict.violations.first().map(|violation| violation.check)
}
