//! `xorbit unkeep`: ends a promise of a node on this machine.

use serde_json::json;
use xorbit::{Key, PromiseId};

use crate::control::DataArgs;
use crate::failure::{Failure, Kind};
use crate::namespace::ReadableArgs;
use crate::talk;

/// Ends the help.
pub const AFTER_HELP: &str = "The value stays until it expires; `xorbit delete` ends it at once.\n\n\
    Exit codes: 0 the promise has ended, 1 there is none, 2 wrong usage or a disk that does not take \
    it, 5 no node runs in DIR";

/// What it is told.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The key
    key: String,
    #[command(flatten)]
    keeper: DataArgs,
    #[command(flatten)]
    namespace: ReadableArgs,
}

/// Does it.
pub async fn run(args: Args, json: bool) -> Result<(), Failure> {
    let key = Key::new(&*args.key).map_err(|error| Failure::new(Kind::Usage, error.to_string()))?;
    let mut keeper = args.keeper.reach().await?;
    let promise = PromiseId::of(&args.namespace.namespace(false)?, &key);
    let request = json!({ "unkeep": { "promise": format!("{promise:?}") } });
    keeper.ask(request, |_| {}).await?;
    if json {
        return talk::object(&json!({ "key": args.key }));
    }
    talk::say(format_args!("no longer kept: `{}`", args.key));
    Ok(())
}
