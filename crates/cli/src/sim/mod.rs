//! `xorbit sim`: whole networks under virtual time, from one seed.

mod hunt;
mod report;
mod run;
mod shrink;
mod swarm;
mod world_args;

use crate::failure::Failure;

/// What it is told.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand, Debug)]
enum Verb {
    /// Let one world live, and check all that must hold in it
    #[command(after_help = run::AFTER_HELP)]
    Run(run::Args),
    /// Let many worlds live, and tell which break a rule
    #[command(after_help = swarm::AFTER_HELP)]
    Swarm(swarm::Args),
    /// Find a smaller world that fails as this one does
    #[command(after_help = shrink::AFTER_HELP)]
    Shrink(shrink::Args),
    /// Measure how networks fare: latency, churn, survival of values, load, scale
    #[command(after_help = report::AFTER_HELP)]
    Report(report::Args),
    /// Plant bugs, one after the other, and see which of them the checks find
    #[command(after_help = hunt::AFTER_HELP)]
    Hunt(hunt::Args),
}

/// Does it.
pub fn run(args: Args, json: bool) -> Result<(), Failure> {
    match args.verb {
        Verb::Run(args) => run::run(&args, json),
        Verb::Swarm(args) => swarm::run(&args, json),
        Verb::Shrink(args) => shrink::run(&args, json),
        Verb::Report(args) => report::run(&args, json),
        Verb::Hunt(args) => hunt::run(&args, json),
    }
}
