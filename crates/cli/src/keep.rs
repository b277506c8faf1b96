//! `xorbit keep`: lets a node on this machine promise to keep a value alive.

use std::time::Duration;

use gateway::span;
use serde_json::Value;
use xorbit::{DEFAULT_TTL, LEAST_PROMISED_TTL, MAX_TTL, Namespace};

use crate::control::{self, DataArgs};
use crate::failure::Failure;
use crate::namespace::ReadableArgs;
use crate::promise;
use crate::talk;

/// Ends the help.
pub const AFTER_HELP: &str = "The node puts the value again wherever it is missing, and renews its \
    expiry where it may sign, until `xorbit unkeep`; also after it was restarted. For that it keeps \
    what can sign in its data directory, in the clear, in files that only its user can read: the seed \
    of the namespace's key, and of a secret namespace also the keys that open it. With `--from` it \
    gets no secret, puts the same bytes again, and the value ends when it expires.\n\nExit codes: 0 \
    promised and on the disk, 1 there is no value to keep, 2 wrong usage or a disk that does not take \
    it, 3 too few replicas answered, or the node keeps too much already, 5 no node runs in DIR";

/// What it is told.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The key
    key: String,
    /// For how long it is renewed each time, when half of that is left: from 10m to 365d, or
    /// `forever`, which is the longest [default: 7 days]
    #[arg(long, allow_hyphen_values = true, value_name = "SPAN|forever", value_parser = life)]
    ttl: Option<Life>,
    #[command(flatten)]
    keeper: DataArgs,
    #[command(flatten)]
    namespace: ReadableArgs,
}

/// How long a value shall live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// So long.
    Span(Duration),
    /// As long as somebody renews it.
    Forever,
}

impl Life {
    /// The life that is put, and renewed.
    pub fn span(self) -> Duration {
        match self {
            Life::Span(span) => span,
            Life::Forever => MAX_TTL,
        }
    }
}

/// Reads a span, or `forever`.
pub fn life(text: &str) -> Result<Life, String> {
    if text == "forever" { Ok(Life::Forever) } else { span::parse(text).map(Life::Span) }
}

/// For how long a value is renewed, if that can be promised.
pub fn renewal(ttl: Option<Life>) -> Result<Duration, Failure> {
    let ttl = ttl.map_or(DEFAULT_TTL, Life::span);
    let possible = (LEAST_PROMISED_TTL..=MAX_TTL).contains(&ttl);
    if possible { Ok(ttl) } else { Err(promise::bad_ttl(ttl)) }
}

/// Does it.
pub async fn run(args: Args, json: bool) -> Result<(), Failure> {
    let ttl = renewal(args.ttl)?;
    // First, since a passphrase takes its time.
    args.keeper.look().await?;
    let namespace = args.namespace.namespace(false)?;
    let mut report = ask(&args.keeper, &args.key, &namespace, ttl).await?;
    if !json {
        talk::say(promise::made_line(&args.key, &report));
        return Ok(());
    }
    report["key"] = args.key.into();
    talk::object(&report)
}

/// Asks a node for a promise.
pub async fn ask(
    keeper: &DataArgs,
    key: &str,
    namespace: &Namespace,
    ttl: Duration,
) -> Result<Value, Failure> {
    keeper.reach().await?.ask(control::keep(key, namespace, ttl), |_| {}).await
}
