//! `xorbit node`: runs a node until it is asked to leave.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gateway::{Gateway, span};
use serde_json::json;
use tokio::time::Interval;
use xorbit::{DEFAULT_NETWORK, Endpoint, Event, Info, LeaveReport, Node, ShelfLimits};

use crate::amount;
use crate::connection::{NetworkArgs, ReplicasArgs, host_and_port};
#[cfg(unix)]
use crate::door::Door;
use crate::effort::count;
use crate::failure::Failure;
use crate::http::HttpArgs;
use crate::leave::Leave;
use crate::mended::{self, Mended};
use crate::namespace::quoted;
use crate::quota::Quota;
use crate::reachability;
use crate::talk;

/// Ends the help.
pub const AFTER_HELP: &str = "It serves until Ctrl-C or SIGTERM.\n\nExit codes: 0 it left when \
    asked to, 2 wrong usage, or a port, address or directory that cannot be used";

/// How often it looks whether it is full, and in the public network whether it can be reached by now.
const LOOK: Duration = Duration::from_secs(5);

/// What it is told.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Address to listen on, one for each family at most; port 0 takes a free one [default: port
    /// 8000 of all addresses of both families]
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Vec<SocketAddr>,
    /// Join the network of the node there, given once or more; without it a new network begins
    #[arg(long, value_name = "HOST:PORT", value_delimiter = ',', value_parser = host_and_port)]
    join: Vec<String>,
    /// Keep all that must outlive the process in this directory: held items, members of sets and
    /// peers, identity, contacts and promises; without it they live in memory
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    #[command(flatten)]
    http: HttpArgs,
    /// How long it may take to hand held items off when it is asked to leave
    #[arg(long, allow_hyphen_values = true, value_name = "SPAN", default_value = "10s", value_parser = span::parse)]
    leave_within: Duration,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    replicas: ReplicasArgs,
    #[command(flatten)]
    bounds: BoundsArgs,
}

/// How much a node may do for others.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Limits")]
struct BoundsArgs {
    /// Cap on all that it sends, such as 500k or 2M [default: none]
    #[arg(long, allow_hyphen_values = true, value_name = "BYTES/S", value_parser = amount::rate)]
    max_bandwidth: Option<u32>,
    /// Items that it holds for others
    #[arg(long, allow_hyphen_values = true, value_name = "N", default_value_t = ShelfLimits::default().items,
        value_parser = amount::count)]
    max_items: usize,
    /// Bytes of items that it holds for others
    #[arg(long, allow_hyphen_values = true, value_name = "BYTES", default_value_t = ShelfLimits::default().bytes,
        value_parser = amount::memory)]
    max_bytes: usize,
}

/// Does it.
pub async fn run(args: Args, json: bool) -> Result<(), Failure> {
    // First of all, so that no signal finds the node half started.
    let mut leave = Leave::heed()?;
    // Before the node, so that what is wrong with it is told before anything is joined.
    let listener = args.http.listen().await?;
    let node = start(&args).await?;
    let mut events = node.events();
    let info = node.info().await?;
    let door = args.data.as_deref().and_then(|directory| open_door(directory, &node));
    let gateway =
        listener.map(|listener| listener.serve(&node, &args.network, !args.join.is_empty()));
    ready(&args, &info, gateway.as_ref(), json)?;
    let mut teller = Teller::new(&args, &info);
    let mut look = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            () = leave.asked() => break,
            event = events.next() => match event {
                Some(event) => teller.event(event),
                None => return Err(xorbit::Closed.into()),
            },
            info = now_and_then(&mut look, &node) => teller.look(&info?),
        }
    }
    let mut last = None;
    tokio::select! {
        () = leave.asked() => talk::say("left at once, nothing handed off"),
        handed_off = hand_off(&node, args.leave_within, &mut last) => handed_off?,
    }
    drop((door, gateway));
    node.close().await;
    if let Some(Info { up, contacts, items, .. }) = last {
        let (up, contacts) = (span::told(up), count(contacts.iter().sum(), "contact"));
        talk::say(format_args!("left after {up}: {contacts}, {} held", count(items, "item")));
    }
    Ok(())
}

/// How things are at the next look.
async fn now_and_then(look: &mut Interval, node: &Node) -> Result<Info, xorbit::Closed> {
    look.tick().await;
    node.info().await
}

/// Hands off what the node holds, and keeps how things were before. Whoever waits for it hears
/// signals all the while: a busy node may take its time even to tell how things are.
async fn hand_off(
    node: &Node,
    within: Duration,
    last: &mut Option<Info>,
) -> Result<(), xorbit::Closed> {
    let last = last.insert(node.info().await?);
    talk::say(format_args!("leaving; once more to leave at once: {}", handing_off(last)));
    told_handed_off(node.leave(Some(within)).await?);
    Ok(())
}

/// Elsewhere verbs have no way to speak with a node.
#[cfg(not(unix))]
fn open_door(_directory: &Path, _node: &Node) -> Option<()> {
    None
}

/// Opens the way by which verbs on this machine speak with the node. It serves without one, too.
#[cfg(unix)]
fn open_door(directory: &Path, node: &Node) -> Option<Door> {
    Door::open(directory, node.clone())
        .inspect_err(|why| talk::say(format_args!("`xorbit keep` cannot reach this node: {why}")))
        .ok()
}

fn handing_off(info: &Info) -> String {
    match (info.items, info.members) {
        (0, 0) => "it holds nothing for others".to_owned(),
        (items, 0) => format!("handing off {}", count(items, "item")),
        (0, members) => format!("handing off {}", count(members, "member")),
        (items, members) => {
            format!("handing off {} and {}", count(items, "item"), count(members, "member"))
        }
    }
}

fn told_handed_off(report: LeaveReport) {
    let LeaveReport { items, not_handed_over, members, members_not_handed_over } = report;
    for (missing, all, what) in
        [(not_handed_over, items, "kept item"), (members_not_handed_over, members, "kept member")]
    {
        if missing > 0 {
            talk::say(format_args!(
                "{missing} of {} could not be handed off to all that should hold them",
                count(all, what)
            ));
        }
    }
}

async fn start(args: &Args) -> Result<Node, Failure> {
    let BoundsArgs { max_bandwidth, max_items, max_bytes } = args.bounds;
    let mut builder = args.network.builder()?;
    builder = builder.replicas(args.replicas.replicas.into()).shelf(max_items, max_bytes);
    for address in &args.listen {
        builder = builder.listen(*address);
    }
    for name in &args.join {
        builder = builder.join(name.clone());
    }
    if let Some(directory) = &args.data {
        builder = builder.data_dir(directory.clone());
    }
    if let Some(cap) = max_bandwidth {
        builder = builder.bandwidth_cap(cap);
    }
    Ok(builder.start().await?)
}

/// Tells that the node serves, and how others find it.
fn ready(args: &Args, info: &Info, gateway: Option<&Gateway>, json: bool) -> Result<(), Failure> {
    let addresses = addresses(info);
    let http = gateway.map(|gateway| format!("http://{}/", gateway.address()));
    let join = join_command(args, &addresses);
    if json {
        return talk::object(&json!({
            "id": info.id.to_string(),
            "addresses": addresses.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "listening": info.listening.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "network": if args.network.public { None } else { Some(&args.network.network) },
            "public": args.network.public,
            "sealed": args.network.network_key.is_some(),
            "join": join,
            "http": http,
        }));
    }
    let places: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    let (places, network) = (places.join(" and "), args.network.told());
    talk::line(format_args!("ready: node {} at {places}, {network}; join it: {join}", info.id))?;
    if let Some(http) = http {
        talk::say(format_args!("HTTP at {http}"));
    }
    Ok(())
}

/// The addresses to tell others. Without a way out of this machine, those that its own programs
/// can use.
fn addresses(info: &Info) -> Vec<SocketAddr> {
    let reachable = |address: &&SocketAddr| !address.ip().is_unspecified();
    let mut addresses: Vec<SocketAddr> =
        info.advertised.iter().filter(reachable).copied().collect();
    if addresses.is_empty() {
        addresses.extend(info.advertised.iter().map(|address| match address.ip() {
            IpAddr::V4(_) => SocketAddr::from((Ipv4Addr::LOCALHOST, address.port())),
            IpAddr::V6(_) => SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, address.port())),
        }));
    }
    addresses
}

fn join_command(args: &Args, addresses: &[SocketAddr]) -> String {
    let mut command = String::from("xorbit node");
    if args.network.public {
        command.push_str(" --public");
    } else if args.network.network != DEFAULT_NETWORK {
        command.push_str(&format!(" --network {}", quoted(&args.network.network)));
    }
    if let Some(file) = &args.network.network_key {
        command.push_str(&format!(" --network-key {}", quoted(&file.to_string_lossy())));
    }
    if let (Some(address), false) = (addresses.first(), args.network.public) {
        command.push_str(&format!(" --join {}", quoted(&address.to_string())));
    }
    command
}

/// Tells what happens to the node, and nothing twice.
struct Teller {
    /// What to call the network.
    network: String,
    /// Whom it joins through, in words; nothing if it begins a network.
    doors: Option<String>,
    advertised: Vec<SocketAddr>,
    read_only: bool,
    failures: u32,
    external: Vec<Endpoint>,
    quota: Quota,
}

impl Teller {
    /// Tells at once what the node begins with.
    fn new(args: &Args, info: &Info) -> Self {
        let doors = if !args.join.is_empty() {
            Some(args.join.join(", "))
        } else if info.remembered > 0 {
            Some(format!("{} of before", count(info.remembered, "contact")))
        } else if args.network.public {
            Some("the public routers".to_owned())
        } else {
            None
        };
        match &doors {
            Some(doors) => talk::say(format_args!("joining through {doors}")),
            None => talk::say("nobody to join: a new network begins here"),
        }
        Mended::from(&info.restored).lines("all else is served").iter().for_each(talk::say);
        if info.items > 0 {
            talk::say(format_args!("came back with {}", count(info.items, "item")));
        }
        if info.read_only {
            talk::say(
                "read-only until others can reach this node: it asks, stores and finds, but \
                 answers nobody yet",
            );
        }
        let advertised = info.advertised.clone();
        let (network, read_only) = (args.network.told(), info.read_only);
        let quota = Quota::new(args.bounds.max_items, args.bounds.max_bytes);
        Self { network, doors, advertised, read_only, failures: 0, external: Vec::new(), quota }
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Joined { contacts } => {
                self.failures = 0;
                let contacts = count(contacts, "contact");
                match &self.doors {
                    Some(doors) => {
                        talk::say(format_args!("joined through {doors}: {contacts} so far"))
                    }
                    None => talk::say(format_args!("no longer alone: {contacts}")),
                }
            }
            Event::JoinFailed { retry_in } => self.join_failed(retry_in),
            Event::ExternalAddress(external) if !self.external.contains(&external) => {
                self.external.push(external);
                reachability::told(external, &self.advertised).iter().for_each(talk::say);
            }
            Event::DiskFails(cause) => {
                talk::say(format_args!("puts are refused: the disk does not take them: {cause}"));
            }
            Event::DiskWorks => talk::say("the disk takes puts again"),
            Event::DiskDamaged { entries, set_aside } => {
                talk::say(mended::meanwhile(entries, &set_aside));
            }
            Event::Renamed(id) => {
                talk::say(format_args!("its id is {id} now, as its address demands (BEP 42)"));
            }
            _ => {}
        }
    }

    /// Failures come ever more rarely, and the first, second, fourth, eighth ... are told.
    fn join_failed(&mut self, retry_in: Duration) {
        self.failures += 1;
        if self.failures.is_power_of_two() {
            let doors = self.doors.as_deref().unwrap_or("its old contacts");
            let (network, retry_in) = (&self.network, span::told(retry_in));
            talk::say(format_args!(
                "nobody of {network} answers at {doors}; trying again in {retry_in}"
            ));
        }
    }

    fn look(&mut self, info: &Info) {
        if self.read_only && !info.read_only {
            self.read_only = false;
            talk::say("others can reach this node: it answers from now on");
        }
        if let Some(full) = self.quota.look(info, Instant::now()) {
            talk::say(full);
        }
    }
}
