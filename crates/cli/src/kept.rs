//! `xorbit kept`: prints what a node on this machine has promised to keep, and how that fares.

use serde_json::{Value, json};

use crate::control::DataArgs;
use crate::failure::Failure;
use crate::promise;
use crate::talk;

/// Ends the help.
pub const AFTER_HELP: &str =
    "Exit codes: 0 printed, perhaps nothing, 2 wrong usage, 5 no node runs in DIR";

/// What it is told.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    keeper: DataArgs,
}

/// Does it.
pub async fn run(args: Args, json: bool) -> Result<(), Failure> {
    let mut keeper = args.keeper.reach().await?;
    let mut promises: Vec<Value> = Vec::new();
    keeper.ask(json!({ "kept": {} }), |promise| promises.push(promise)).await?;
    if json {
        return talk::object(&json!({ "promises": promises }));
    }
    if promises.is_empty() {
        talk::say("it keeps nothing");
    }
    promises.iter().try_for_each(|promise| talk::line(promise::status_line(promise)))
}
