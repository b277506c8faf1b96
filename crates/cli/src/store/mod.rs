//! `xorbit store`: looks after the data directory of a node that does not run.

mod check;
mod export;
mod import;
mod line;

use crate::failure::Failure;

/// What it is told.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand, Debug)]
enum Verb {
    /// Count what a data directory holds and verify all of it, changing nothing
    #[command(after_help = check::AFTER_HELP)]
    Check(check::Args),
    /// Print all that a data directory holds, one JSON object a line
    #[command(after_help = export::AFTER_HELP)]
    Export(export::Args),
    /// Take lines of an export into a data directory, each after a check of hash and signature
    #[command(after_help = import::AFTER_HELP)]
    Import(import::Args),
}

/// Does it.
pub async fn run(args: Args, json: bool) -> Result<(), Failure> {
    match args.verb {
        Verb::Check(args) => check::run(&args, json),
        Verb::Export(args) => export::run(args, json).await,
        Verb::Import(args) => import::run(&args, json),
    }
}
