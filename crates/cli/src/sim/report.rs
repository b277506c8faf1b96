//! `xorbit sim report`: experiments, and what they found.

use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sim::experiment::{Experiment, Host, Wishes};

use crate::failure::Failure;
use crate::talk;

/// The exit codes that it can end with.
pub const AFTER_HELP: &str = "\
Exit codes:
  0  all experiments were made
  2  wrong usage, or a file cannot be written";

/// What it is told.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Make this experiment; all if left out
    #[arg(long, value_name = "NAME", value_parser = experiment)]
    experiment: Vec<&'static str>,
    /// Only as large and as long as shows what comes of a change
    #[arg(long)]
    quick: bool,
    /// All chance follows from this number
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// How many nodes, where that is not what is varied
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(10..=1_000_000))]
    nodes: Option<u32>,
}

fn experiment(text: &str) -> Result<&'static str, String> {
    Experiment::named(text).map(|experiment| experiment.name).ok_or_else(|| {
        let names: Vec<&str> = Experiment::ALL.iter().map(|experiment| experiment.name).collect();
        format!("no such experiment; there are {}", names.join(", "))
    })
}

/// Does it.
pub fn run(args: &Args, json: bool) -> Result<(), Failure> {
    let wishes = Wishes { seed: args.seed, quick: args.quick, nodes: args.nodes };
    let mut terminal = Terminal::new(json);
    for experiment in &Experiment::ALL {
        if args.experiment.is_empty() || args.experiment.contains(&experiment.name) {
            terminal.begin(experiment.name);
            let found = (experiment.run)(&wishes, &mut terminal);
            terminal.clear();
            talk::line(found.text().trim_end())?;
        }
    }
    Ok(())
}

/// Shows people how far an experiment has come, and tells it of the machine.
struct Terminal {
    started: Instant,
    bar: Option<ProgressBar>,
    name: &'static str,
}

impl Terminal {
    fn new(json: bool) -> Self {
        let draws = !json && stderr().is_terminal();
        let bar = draws.then(|| {
            let bar = ProgressBar::with_draw_target(Some(STEPS), ProgressDrawTarget::stderr());
            let shape = "{msg} {bar:30} {percent} %, {eta} left";
            bar.with_style(ProgressStyle::with_template(shape).unwrap_or_else(|_| {
                // The shape above is constant and sound; without it a plain bar does as well.
                ProgressStyle::default_bar()
            }))
        });
        Self { started: Instant::now(), bar, name: "" }
    }

    fn begin(&mut self, name: &'static str) {
        self.name = name;
    }

    fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// So fine is a bar.
const STEPS: u64 = 1000;

impl Host for Terminal {
    fn progress(&mut self, done: f64) {
        if let Some(bar) = &self.bar {
            bar.set_position((done.clamp(0.0, 1.0) * STEPS as f64) as u64);
        }
    }

    fn doing(&mut self, what: &str) {
        if let Some(bar) = &self.bar {
            bar.reset();
            bar.set_message(format!("{}: {what}", self.name));
        }
    }

    fn clock(&self) -> Duration {
        self.started.elapsed()
    }

    fn resident_bytes(&self) -> Option<u64> {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kib: u64 = line.trim().trim_end_matches(" kB").trim().parse().ok()?;
        Some(kib * 1024)
    }
}
