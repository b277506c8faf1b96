//! `xorbit put`: stores a value under a key, and tells at how many nodes.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Arg;
use serde_json::Value;
use xorbit::{Expected, Namespace, PutError, PutReport, Version};

use crate::batch::{self, PutAll};
use crate::connection::{ConnectionArgs, Through};
use crate::content::{ContentArgs, Source};
use crate::control::DataArgs;
use crate::failure::{Failure, Kind};
use crate::keep::{self, Life};
use crate::namespace::WritableArgs;
use crate::progress::Bar;
use crate::promise;
use crate::receipt::{self, Written};
use crate::running::{Place, Running, RunningArgs, Way};
use crate::size::SizeArgs;
use crate::talk;
use crate::text;
use crate::trace::Trace;

/// Ends the help.
pub const AFTER_HELP: &str = "Exit codes: 0 stored at a majority of the replicas, 2 wrong usage, \
    3 too few replicas stored, 4 version conflict or open outcome, 5 network unreachable";

/// A value that is sent to a running node shows a bar only above so many bytes: below it is there at once.
const BAR_BYTES: u64 = 1 << 20;

/// What it is told.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The key, 1 to 1,024 bytes
    #[arg(required_unless_present = "batch")]
    key: Option<String>,
    #[command(flatten)]
    content: ContentArgs,
    /// Put many at once: a JSON object on each line of this file, such as {"key":"k","value":"v"};
    /// `-` reads stdin
    #[arg(long, value_name = "FILE",
        conflicts_with_all = ["key", "value", "file", "max_size", "if_version", "keep", "data", "trace"])]
    batch: Option<PathBuf>,
    #[command(flatten)]
    size: SizeArgs,
    /// How long it lives, such as 24h or 1h30m; at most a year, or `forever`: as long as the node of
    /// `--data` renews it, as with `--keep` [default: 7 days]
    #[arg(long, allow_hyphen_values = true, value_name = "SPAN|forever", value_parser = keep::life)]
    ttl: Option<Life>,
    /// Only if the key holds exactly this version, or `absent`: no value
    #[arg(long, allow_hyphen_values = true, value_name = "N|absent", value_parser = if_version)]
    if_version: Option<IfVersion>,
    /// Just the bytes, for two hours, as other Mainline programs store them
    #[arg(long, conflicts_with = "ttl")]
    plain: bool,
    /// Let the node that runs with `--data DIR` on this machine keep it alive, as `xorbit keep` does
    #[arg(long)]
    keep: bool,
    #[command(flatten)]
    keeper: DataArgs,
    /// Tell each step of the lookup
    #[arg(long)]
    trace: bool,
    #[command(flatten)]
    namespace: WritableArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    running: RunningArgs,
}

/// What a put expects to replace.
#[derive(Clone, Copy, Debug)]
enum IfVersion {
    Absent,
    Is(Version),
}

fn if_version(told: &str) -> Result<IfVersion, &'static str> {
    if told == "absent" { Ok(IfVersion::Absent) } else { text::version(told).map(IfVersion::Is) }
}

/// With `--batch` the lines have the values.
pub fn unless_batch(value: Arg) -> Arg {
    value.required_unless_present("batch")
}

/// Puts the lines of a file.
async fn put_all(args: &Args, file: &Path, json: bool) -> Result<(), Failure> {
    let namespace = args.namespace.namespace(args.connection.is_public())?;
    if args.ttl == Some(Life::Forever) {
        let what = "`--ttl forever` does not go with `--batch`";
        return Err(Failure::new(Kind::Usage, what).hint("keep each key with `xorbit keep KEY`"));
    }
    let all = PutAll { namespace, ttl: args.ttl.map(Life::span), plain: args.plain };
    batch::put(args.connection.connect().await?, file, all, json).await
}

/// Does it.
pub async fn run(args: Args, json: bool) -> Result<(), Failure> {
    if let Some(file) = &args.batch {
        return put_all(&args, file, json).await;
    }
    let keeper = Keeper::find(&args).await?;
    let namespace = args.namespace.namespace(args.connection.is_public())?;
    let key = args.key.clone().unwrap_or_default();
    let limit = args.size.max_size.unwrap_or_else(|| args.connection.default_max_value());
    let Source { length, reader } = args.content.open(limit)?;
    if length > limit {
        // Told before a node is even started.
        return Err(receipt::above_limit(length, limit));
    }
    if keeper.is_some() {
        promise::check_size(length)?;
    }
    let way = Way::find(&args.running, &args.connection, args.own(), length).await;
    let mut trace = Trace::new(json);
    if args.trace {
        trace.way(&way);
    }
    let source = Source { length, reader };
    let (result, through) = match &way {
        Way::Running(node) => (args.put_at(node, source, &mut trace, json).await?, node.through()),
        Way::Own(_) => args.put_alone(source, limit, &namespace, &mut trace, json).await?,
    };
    let report = result.map_err(|error| {
        let name = format!("key `{}`", key);
        let read = args.namespace.read_command(&key);
        receipt::failure(error, &Written { name, through: &through, read: Some(read) })
    })?;
    let kept = match &keeper {
        Some(keeper) => Some(keeper.keep(&key, &namespace).await.map_err(|failure| {
            let stored = report.version.map_or(0, Version::get);
            failure.detail(format!("it is stored in version {stored}, but not kept"))
        })?),
        None => None,
    };
    if !json {
        let verb = if args.plain { "stored for two hours" } else { "stored" };
        let lines = receipt::put_lines(verb, &report, "lives until");
        lines.iter().for_each(talk::say);
        kept.iter().for_each(|kept| talk::say(promise::made_line(&key, kept)));
        return Ok(());
    }
    let mut object = receipt::to_json(&report);
    object["key"] = key.into();
    if let Some(kept) = kept {
        object["kept"] = kept;
    }
    if args.trace {
        object["through"] = way.url().into();
        object["steps"] = trace.into_json();
    }
    talk::object(&object)
}

impl Args {
    /// What of this only a node of the verb's own can do.
    fn own(&self) -> Option<&'static str> {
        match () {
            () if self.plain => Some("`--plain` puts just the bytes"),
            () if self.size.max_size.is_some() => Some("`--max-size` sets a limit of its own"),
            () => self.namespace.open_name().err(),
        }
    }

    fn expected(&self) -> Expected {
        match self.if_version {
            Some(IfVersion::Absent) => Expected::Absent,
            Some(IfVersion::Is(version)) => Expected::Version(version),
            None => Expected::Anything,
        }
    }

    /// Puts it through a running node.
    async fn put_at(
        &self,
        node: &Running,
        source: Source,
        trace: &mut Trace,
        json: bool,
    ) -> Result<Result<PutReport, PutError>, Failure> {
        let key = self.key.as_deref().unwrap_or_default();
        let namespace = self.namespace.open_name().unwrap_or_default();
        let place = Place { key, namespace, from: None };
        let (bar, small) = (Bar::new(json), source.length <= BAR_BYTES);
        let mut tell = bar.listener();
        let tell = move |progress| {
            if !small {
                tell(progress);
            }
        };
        let terms = (self.ttl.map(Life::span), self.expected());
        let result = node.put(&place, source, terms, tell, self.trace.then_some(trace)).await;
        bar.clear();
        result
    }

    /// Puts it through a node of its own.
    async fn put_alone(
        &self,
        Source { length, reader }: Source,
        limit: u64,
        namespace: &Namespace,
        trace: &mut Trace,
        json: bool,
    ) -> Result<(Result<PutReport, PutError>, Through), Failure> {
        let key = self.key.clone().unwrap_or_default();
        let client = self.connection.connect_with(Some(limit)).await?;
        let bar = Bar::new(json);
        let mut put = client.node.put_seekable(key, length, reader).namespace(namespace.clone());
        put = put.on_progress(bar.listener());
        if let Some(ttl) = self.ttl {
            put = put.ttl(ttl.span());
        }
        put = match self.expected() {
            Expected::Absent => put.if_absent(),
            Expected::Version(version) => put.if_version(version),
            Expected::Anything => put,
        };
        if self.plain {
            put = put.plain();
        }
        let result = if self.trace { put.traced(|step| trace.step(step)).await } else { put.await };
        client.node.close().await;
        bar.clear();
        Ok((result, client.through))
    }
}

/// The node that is to keep what is put.
struct Keeper<'a> {
    data: &'a DataArgs,
    ttl: Duration,
}

impl<'a> Keeper<'a> {
    /// Finds it before anything is put, if one is asked for.
    async fn find(args: &'a Args) -> Result<Option<Self>, Failure> {
        let forever = args.ttl == Some(Life::Forever);
        match (args.keep || forever, &args.keeper.data) {
            (false, None) => return Ok(None),
            (false, Some(_)) => {
                return Err(Failure::new(Kind::Usage, "`--data` without `--keep`").hint(
                    "say `--keep` to let the node of that directory keep the value; \
                     `--join` says through which node it is put",
                ));
            }
            (true, None) if forever && !args.keep => {
                let what = "nothing lives `forever` unless a node renews it, and none is named";
                return Err(Failure::new(Kind::Usage, what).hint(
                    "name the data directory of one that runs on this machine with `--data DIR`",
                ));
            }
            (true, _) => {}
        }
        let ttl = keep::renewal(args.ttl)?;
        args.keeper.look().await?;
        Ok(Some(Self { data: &args.keeper, ttl }))
    }

    async fn keep(&self, key: &str, namespace: &Namespace) -> Result<Value, Failure> {
        keep::ask(self.data, key, namespace, self.ttl).await
    }
}
