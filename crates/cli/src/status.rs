//! `xorbit status`: how a running node is, at a glance.

use std::io::IsTerminal;
use std::time::Duration;

use gateway::span;
use serde_json::{Value, json};

use crate::effort::count;
use crate::failure::Failure;
use crate::running::{Running, RunningArgs};
use crate::size;
use crate::talk;

/// Ends the help.
pub const AFTER_HELP: &str = "Exit codes: 0 told (with `--live`: it runs; with `--ready`: it is \
    ready), 2 wrong usage, 5 no node answers there (with `--ready`: or the network does not answer it)";

/// What it is told.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Tell again and again, until Ctrl-C
    #[arg(long, conflicts_with_all = ["live", "ready"])]
    watch: bool,
    /// Say nothing; the exit code tells whether the node runs, whatever becomes of the network
    #[arg(long, conflicts_with = "ready")]
    live: bool,
    /// Say nothing; the exit code tells whether the network answers the node
    #[arg(long)]
    ready: bool,
    #[command(flatten)]
    running: RunningArgs,
}

/// The pause between two looks.
const PAUSE: Duration = Duration::from_secs(2);

/// Does it.
pub async fn run(args: Args, json: bool) -> Result<(), Failure> {
    let node = args.running.node()?;
    if args.live {
        return node.get("/livez").await.map(drop);
    }
    if args.ready {
        return node.get("/readyz").await.map(drop);
    }
    let mut look = Look::at(&node).await?;
    look.tell(None, args.watch, json)?;
    if !args.watch {
        return Ok(());
    }
    loop {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => return Ok(()),
            () = tokio::time::sleep(PAUSE) => {}
        }
        let next = Look::at(&node).await?;
        next.tell(Some(&look), true, json)?;
        look = next;
    }
}

/// What a node told of itself at one moment.
struct Look {
    node: Value,
    routing: Value,
    stats: Value,
    ready: bool,
}

impl Look {
    async fn at(node: &Running) -> Result<Self, Failure> {
        Ok(Self {
            node: node.get("/v1/node").await?,
            routing: node.get("/v1/routing").await?,
            stats: node.get("/v1/stats").await?,
            ready: node.ask("/readyz").await?.0 == 200,
        })
    }

    fn tell(&self, before: Option<&Self>, watched: bool, json: bool) -> Result<(), Failure> {
        if json {
            let Self { node, routing, stats, ready } = self;
            let told = json!({ "ready": ready, "node": node, "routing": routing, "stats": stats });
            return talk::object(&told);
        }
        let mut told = self.lines(before).join("\n");
        if watched && std::io::stdout().is_terminal() {
            // From the top, and nothing of the last look below.
            told = format!("\x1b[H\x1b[2J{told}");
        } else if before.is_some() {
            told.insert(0, '\n');
        }
        talk::line(told)
    }

    fn lines(&self, before: Option<&Self>) -> Vec<String> {
        vec![
            self.who(),
            self.place(),
            format!("contacts   {}", self.contacts()),
            format!("holds      {}", self.held()),
            format!("traffic    {}", self.traffic(before)),
            format!("questions  {}", self.questions()),
        ]
    }

    fn who(&self) -> String {
        let (id, program) = (text(&self.node, "id"), text(&self.node, "program"));
        let up = span::told(Duration::from_millis(number(&self.node, "up_ms")));
        format!("node {id}, xorbit {program}, up {up}")
    }

    fn place(&self) -> String {
        let at = |name: &str| {
            let all = self.node[name].as_array().into_iter().flatten();
            all.filter_map(Value::as_str).collect::<Vec<_>>().join(" and ")
        };
        let network = match (self.node["public"] == true, self.node["sealed"] == true) {
            (true, _) => "the public network".to_owned(),
            (_, true) => format!("sealed network `{}`", text(&self.node, "network")),
            _ => format!("network `{}`", text(&self.node, "network")),
        };
        let (own, seen) = (at("addresses"), at("external"));
        let seen = match seen.is_empty() || seen == own {
            true => String::new(),
            false => format!(", which others see as {seen}"),
        };
        let ready = match self.ready {
            true => "ready",
            false => "NOT READY: the network does not answer",
        };
        format!("at {own}{seen}, {network}: {ready}")
    }

    fn contacts(&self) -> String {
        let all: Vec<&Value> = self.routing["contacts"].as_array().into_iter().flatten().collect();
        let mut told = size::grouped(all.len() as u64);
        let failing = all.iter().filter(|contact| number(contact, "failures") > 0).count();
        if failing > 0 {
            told.push_str(&format!(", {failing} of them do not answer"));
        }
        let mut trips: Vec<f64> =
            all.iter().filter_map(|contact| contact["round_trip_ms"].as_f64()).collect();
        trips.sort_by(f64::total_cmp);
        if let Some(median) = trips.get(trips.len() / 2) {
            told.push_str(&match median {
                // The tables keep whole milliseconds.
                ..1.0 => ", median round trip below 1 ms".to_owned(),
                _ => format!(", median round trip {median:.0} ms"),
            });
        }
        told
    }

    fn held(&self) -> String {
        let node = &self.node;
        let items = count(number(node, "items") as usize, "item");
        let mut told = format!("{items} ({})", size::about(number(node, "item_bytes")));
        for (name, noun) in [("members", "member"), ("topics", "topic"), ("peers", "peer")] {
            let held = number(node, name) as usize;
            if held > 0 {
                told.push_str(&format!(", {}", count(held, noun)));
            }
        }
        told
    }

    /// Since the look before, or since the start.
    fn traffic(&self, before: Option<&Self>) -> String {
        let of = |look: &Self, name: &str| number(&look.stats, name);
        let way = |bytes: &str, datagrams: &str| match before {
            None => {
                let datagrams = size::grouped(of(self, datagrams));
                format!("{} in {datagrams} datagrams", size::about(of(self, bytes)))
            }
            Some(before) => {
                let ms = of(self, "up_ms").saturating_sub(of(before, "up_ms")).max(1);
                let rate = |name| of(self, name).saturating_sub(of(before, name)) * 1000 / ms;
                format!("{}/s, {} datagrams/s", size::about(rate(bytes)), rate(datagrams))
            }
        };
        let (received, sent) = (way("received_bytes", "received"), way("sent_bytes", "sent"));
        format!("received {received}; sent {sent}")
    }

    fn questions(&self) -> String {
        let stats = &self.stats;
        let sum = |name: &str| -> u64 {
            stats[name].as_object().into_iter().flatten().filter_map(|(_, n)| n.as_u64()).sum()
        };
        let (answered, refused) = (sum("answered"), number(stats, "refused"));
        let (replies, silent) = (number(stats, "replies"), number(stats, "timeouts"));
        let told = size::grouped;
        format!(
            "{} answered, {} refused; of its own {} answered, {} not; {} datagrams dropped",
            told(answered),
            told(refused),
            told(replies),
            told(silent),
            told(sum("dropped"))
        )
    }
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or("unknown")
}

/// A whole number, also where it has a fraction; what is none counts as 0.
fn number(value: &Value, name: &str) -> u64 {
    value[name].as_f64().unwrap_or_default() as u64
}
