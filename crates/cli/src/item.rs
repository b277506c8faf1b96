//! `xorbit item`: raw items of BEP 44, for those who speak with other Mainline programs.

use std::path::PathBuf;

use gateway::shapes;
use xorbit::{
    GetError, Item, ItemReport, PutError, Seq, Signer, Target, byte_string, inside_byte_string,
};

use crate::connection::ConnectionArgs;
use crate::content::ContentArgs;
use crate::effort;
use crate::failure::{Failure, Kind};
use crate::namespace::{quoted, read_signer};
use crate::receipt::{self, Written};
use crate::report;
use crate::talk;

/// Ends the help.
pub const AFTER_HELP: &str = "Exit codes: 0 done, 1 not found, 2 wrong usage, 3 too few replicas \
    stored or answered, 4 version conflict, 5 network unreachable";

/// What it is told.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand, Debug)]
enum Verb {
    /// Store an item and print its target
    #[command(after_help = AFTER_HELP)]
    Put(PutArgs),
    /// Print an item: the text if it is one, else its bencoded value
    #[command(after_help = AFTER_HELP)]
    Get(GetArgs),
}

#[derive(clap::Args, Debug)]
struct PutArgs {
    #[command(flatten)]
    content: ContentArgs,
    /// The value is bencoded already, not a text to be wrapped
    #[arg(long)]
    bencoded: bool,
    /// Make it a mutable item of this key file
    #[arg(long, value_name = "FILE")]
    signer: Option<PathBuf>,
    /// Tells the items of one signer apart, at most 64 bytes
    #[arg(long, value_name = "SALT", requires = "signer")]
    salt: Option<String>,
    /// Its version [default: one above what is found]
    #[arg(long, allow_hyphen_values = true, value_name = "N", requires = "signer", value_parser = seq)]
    seq: Option<Seq>,
    /// Only over this version, which each holder checks alone
    #[arg(long, allow_hyphen_values = true, value_name = "N", requires = "signer", value_parser = seq)]
    cas: Option<Seq>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

#[derive(clap::Args, Debug)]
struct GetArgs {
    /// The item's name, 40 hexadecimal digits
    target: Target,
    /// The salt that is in its name
    #[arg(long, value_name = "SALT", default_value = "", hide_default_value = true)]
    salt: String,
    #[command(flatten)]
    connection: ConnectionArgs,
}

fn seq(text: &str) -> Result<Seq, String> {
    let seq = text.parse().ok().and_then(Seq::new);
    seq.ok_or_else(|| format!("not a number from 0 to {}", i64::MAX))
}

/// Does it.
pub async fn run(args: Args, json: bool) -> Result<(), Failure> {
    match args.verb {
        Verb::Put(args) => put(args, json).await,
        Verb::Get(args) => get(args, json).await,
    }
}

async fn put(args: PutArgs, json: bool) -> Result<(), Failure> {
    let content = args.content.read()?;
    let value = if args.bencoded { content } else { byte_string(&content) };
    let signer = args.signer.as_deref().map(read_signer).transpose()?;
    let client = args.connection.connect().await?;
    let mut put = client.node.item_put(value);
    let salt = args.salt.unwrap_or_default();
    if let Some(signer) = &signer {
        put = put.signer(signer).salt(&salt);
    }
    if let Some(seq) = args.seq {
        put = put.seq(seq);
    }
    if let Some(cas) = args.cas {
        put = put.cas(cas);
    }
    let result = put.await;
    client.node.close().await;
    let report = result.map_err(|error| match (error, &signer) {
        (PutError::Conflict { .. }, Some(signer)) => conflict(signer, &salt),
        (error, _) => {
            let written = Written { name: "the item".into(), through: &client.through, read: None };
            receipt::failure(error, &written)
        }
    })?;
    let ItemReport { item, replicas } = &report;
    if json {
        return talk::object(&effort::object(&shapes::Item::without_value(&report)));
    }
    let seq = item.seq().map_or_else(String::new, |seq| format!(", seq {seq}"));
    let cost = effort::told(&replicas.effort, effort::writes(replicas));
    talk::say(format_args!("stored: {}{seq} ({cost})", receipt::replicas(replicas)));
    effort::shortfalls(replicas).iter().for_each(|line| talk::say(format_args!("  {line}")));
    talk::line(item.target())
}

/// Holders refuse the version, and BEP 44 lets them not say what they hold.
fn conflict(signer: &Signer, salt: &str) -> Failure {
    let what = "the item's holders have a version as high, or not the one that `--cas` names";
    let failure = Failure::new(Kind::Conflict, what);
    // Its name follows from signer and salt alone.
    match Item::mutable(signer, salt.as_bytes(), Seq::default(), b"0:") {
        Ok(item) => {
            let salt =
                if salt.is_empty() { String::new() } else { format!(" --salt {}", quoted(salt)) };
            failure.hint(format!("see which with `xorbit item get {}{salt} --json`", item.target()))
        }
        Err(_) => failure,
    }
}

async fn get(args: GetArgs, json: bool) -> Result<(), Failure> {
    let client = args.connection.connect().await?;
    let result = client.node.item_get(args.target).salt(&args.salt).await;
    client.node.close().await;
    let report = result.map_err(|error| {
        // With the wrong salt an item does not verify, and whoever gave it is not believed.
        let may_need_salt = args.salt.is_empty()
            && matches!(error, GetError::NotFound { .. } | GetError::Unreachable(_));
        let failure = report::failure(error, &format!("item `{}`", args.target), &client.through);
        if may_need_salt {
            failure.hint("an item that was put with a salt is found only with the same `--salt`")
        } else {
            failure
        }
    })?;
    if !json {
        let value = report.item.value();
        return talk::value(inside_byte_string(value).unwrap_or(value));
    }
    talk::object(&effort::object(&shapes::Item::with_value(&report)))
}
