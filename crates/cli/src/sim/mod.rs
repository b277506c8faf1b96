//! `xorbit sim`: whole networks under virtual time, from one seed.

mod run;

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
}

/// Does it.
pub fn run(args: Args, json: bool) -> Result<(), Failure> {
    match args.verb {
        Verb::Run(args) => run::run(&args, json),
    }
}
