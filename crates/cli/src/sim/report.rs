//! `xorbit sim report`: experiments, and what they found.

use std::fs;
use std::io::{self, IsTerminal, stderr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sim::experiment::{Experiment, Host, Wishes};
use sim::report::Report;

use crate::failure::{Failure, Kind};
use crate::talk;

/// The experiments, and the exit codes that it can end with.
pub const AFTER_HELP: &str = "\
Experiments:
  lookups      how long lookups and gets take, and through how many hops they go
  churn        whether lookups stay right while nodes come and go, and what that costs
  values       whether values survive while nodes come and go, and what keeping them costs
  adversaries  what lookups and gets come to among hostile nodes
  load         how evenly work falls on nodes
  scale        how large and how busy a network one process can simulate

All of them at full size take hours; with `--quick` some minutes.

Exit codes:
  0  all experiments were made, whether or not they reached their marks
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
    /// As large and as long as the marks ask for, hours in all; so it is without `--quick`
    #[arg(long, conflicts_with = "quick")]
    full: bool,
    /// All chance follows from this number
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// How many nodes; each experiment decides if left out
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(10..=1_000_000))]
    nodes: Option<u32>,
    /// Write a page with all numbers and plots to this file
    #[arg(long, value_name = "FILE.html")]
    output: Option<PathBuf>,
    /// Write each plot as a drawing into this directory
    #[arg(long, value_name = "DIR")]
    svg: Option<PathBuf>,
}

fn experiment(text: &str) -> Result<&'static str, String> {
    Experiment::named(text).map(|experiment| experiment.name).ok_or_else(|| {
        let names: Vec<&str> = Experiment::ALL.iter().map(|experiment| experiment.name).collect();
        format!("no such experiment; there are {}", names.join(", "))
    })
}

/// Does it.
pub fn run(args: &Args, json: bool) -> Result<(), Failure> {
    let wishes = Wishes { seed: args.seed, quick: args.quick && !args.full, nodes: args.nodes };
    let mut terminal = Terminal::new(json);
    let mut report = Report::new("Xorbit under virtual time")
        .fact("version", env!("CARGO_PKG_VERSION"))
        .fact("seed", args.seed)
        .fact("size", if args.quick { "quick" } else { "full" });
    for experiment in &Experiment::ALL {
        if !args.experiment.is_empty() && !args.experiment.contains(&experiment.name) {
            continue;
        }
        terminal.begin(experiment.name);
        let section = (experiment.run)(&wishes, &mut terminal);
        let section = section.command(command(args, experiment.name));
        terminal.clear();
        if !json {
            talk::line(format_args!("{}", section.text()))?;
        }
        report = report.section(section);
        // What was measured for hours is not lost if a later experiment ends otherwise.
        write_files(args, &report)?;
    }
    if json { talk::line(report.json().trim_end()) } else { Ok(()) }
}

/// The command that makes one section again.
fn command(args: &Args, experiment: &str) -> String {
    let mut command = format!("xorbit sim report --experiment {experiment} --seed {}", args.seed);
    if args.quick {
        command.push_str(" --quick");
    }
    if let Some(nodes) = args.nodes {
        command.push_str(&format!(" --nodes {nodes}"));
    }
    command
}

fn write_files(args: &Args, report: &Report) -> Result<(), Failure> {
    if let Some(path) = &args.output {
        write(path, &report.html())?;
    }
    let Some(directory) = &args.svg else { return Ok(()) };
    fs::create_dir_all(directory).map_err(|cause| refused(directory, &cause))?;
    for (path, contents) in report.files() {
        if let Some(name) = path.strip_prefix("plots/") {
            write(&directory.join(name), &contents)?;
        }
    }
    Ok(())
}

fn write(path: &Path, contents: &str) -> Result<(), Failure> {
    fs::write(path, contents).map_err(|cause| refused(path, &cause))
}

fn refused(path: &Path, cause: &io::Error) -> Failure {
    Failure::new(Kind::Environment, format!("cannot write `{}`: {cause}", path.display()))
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

    fn worked(&self) -> Duration {
        // The main thread's time on a processor comes first, in nanoseconds (proc(5)).
        let schedule = fs::read_to_string("/proc/self/schedstat").ok();
        let worked = schedule.and_then(|it| it.split_whitespace().next()?.parse().ok());
        worked.map_or_else(|| self.started.elapsed(), Duration::from_nanos)
    }

    fn resident_bytes(&self) -> Option<u64> {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kib: u64 = line.trim().trim_end_matches(" kB").trim().parse().ok()?;
        Some(kib * 1024)
    }
}
