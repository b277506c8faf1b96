//! Many small keys: put and got as a batch, beside one at a time.
//!
//! All nodes and the client run in one process on loopback, so that the batch shares its cores with those that answer
//! it. Each pass has a client of its own that knows nobody but the door.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Instant;

use serde_json::{Value, json};
use xorbit::{Method, Node, Testnet};

use crate::failure::Failure;
use crate::table::{Table, mark};

/// Queries for each replica of a key that a batched get may cost.
const QUERIES_PER_REPLICA: f64 = 1.1;
/// Replicas of each key (BEP 5: K = 8).
const REPLICAS: f64 = 8.0;
/// How many times as fast as one at a time a batch shall be.
const FASTER: f64 = 2.0;
/// Of the keys so many are done one at a time: enough to know how long one takes.
const SINGLE_SHARE: usize = 5;
/// Turns of each pass: as many in which the batch begins as in which it does not.
const ROUNDS: usize = 4;

/// One kind of pass over keys, all turns together.
struct Pass {
    what: &'static str,
    keys: usize,
    seconds: f64,
    /// Queries that the nodes answered: `get`, `put`.
    answered: [u64; 2],
}

impl Pass {
    fn per_second(&self) -> f64 {
        self.keys as f64 / self.seconds
    }

    fn gets_per_replica(&self) -> f64 {
        self.answered[0] as f64 / self.keys as f64 / REPLICAS
    }
}

/// What was measured.
pub struct Measured {
    nodes: usize,
    passes: [Pass; 4],
}

/// Measures so many keys on so many nodes. The passes are taken in turns, each over keys of its own, and
/// the one that begins changes from round to round.
pub async fn measure(keys: usize, nodes: usize) -> Result<Measured, Failure> {
    let network = xorbit::testnet(nodes)
        .await
        .map_err(|error| Failure::system("cannot start the network", error))?;
    let keys = [keys / SINGLE_SHARE / ROUNDS, keys / ROUNDS].map(|keys| keys.max(1));
    let whats = ["put, one at a time", "put, batch", "get, one at a time", "get, batch"];
    let mut passes = whats.map(|what| Pass { what, keys: 0, seconds: 0.0, answered: [0, 0] });
    for round in 0..ROUNDS {
        let batched_first = round % 2 == 1;
        for puts in [true, false] {
            for batched in [batched_first, !batched_first] {
                let part = Part { round, batched, keys: keys[usize::from(batched)] };
                passes[2 * usize::from(!puts) + usize::from(batched)]
                    .run(&network, part, puts)
                    .await?;
            }
        }
    }
    network.close().await;
    Ok(Measured { nodes, passes })
}

/// What is put, and got again, in one turn.
#[derive(Clone, Copy)]
struct Part {
    round: usize,
    batched: bool,
    keys: usize,
}

impl Part {
    fn key(self, number: usize) -> String {
        let by = if self.batched { "batch" } else { "single" };
        format!("sensor/{by}/{}/{number}", self.round)
    }
}

impl Pass {
    /// Takes one turn more.
    async fn run(&mut self, network: &Testnet, part: Part, puts: bool) -> Result<(), Failure> {
        let door = network.door().unwrap_or_default();
        let builder = Node::builder().listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let client = builder
            .ephemeral(true)
            .join(door)
            .start()
            .await
            .map_err(|error| Failure::system("cannot start a client", error))?;
        // It joins before the time runs; there is nothing under this key.
        let _ = client.get("nothing").await;
        let before = answered(&network.nodes).await?;
        let started = Instant::now();
        let done = match (part.batched, puts) {
            (true, true) => put_all(&client, part).await,
            (true, false) => get_all(&client, part).await,
            (false, true) => put_each(&client, part).await,
            (false, false) => get_each(&client, part).await,
        };
        self.seconds += started.elapsed().as_secs_f64();
        let after = answered(&network.nodes).await?;
        client.close().await;
        if done < part.keys {
            let what = format!("{}: {} of {} keys failed", self.what, part.keys - done, part.keys);
            return Err(Failure::new(what, "the machine may be too busy to measure anything"));
        }
        self.keys += part.keys;
        self.answered[0] += after[0] - before[0];
        self.answered[1] += after[1] - before[1];
        Ok(())
    }
}

fn value(number: usize) -> String {
    format!("value of {number}")
}

async fn put_all(client: &Node, part: Part) -> usize {
    let mut batch =
        client.put_all((0..part.keys).map(|number| client.put(part.key(number), value(number))));
    let mut done = 0;
    while let Some((_, outcome)) = batch.next().await {
        done += usize::from(outcome.is_ok());
    }
    done
}

async fn get_all(client: &Node, part: Part) -> usize {
    let mut batch = client.get_all((0..part.keys).map(|number| client.get(part.key(number))));
    let mut done = 0;
    while let Some((number, outcome)) = batch.next().await {
        let right = outcome.is_ok_and(|report| *report.value == *value(number).as_bytes());
        done += usize::from(right);
    }
    done
}

async fn put_each(client: &Node, part: Part) -> usize {
    let mut done = 0;
    for number in 0..part.keys {
        done += usize::from(client.put(part.key(number), value(number)).await.is_ok());
    }
    done
}

async fn get_each(client: &Node, part: Part) -> usize {
    let mut done = 0;
    for number in 0..part.keys {
        let outcome = client.get(part.key(number)).await;
        let right = outcome.is_ok_and(|report| *report.value == *value(number).as_bytes());
        done += usize::from(right);
    }
    done
}

/// How many `get` and `put` all nodes have answered.
pub async fn answered(nodes: &[Node]) -> Result<[u64; 2], Failure> {
    let mut sum = [0, 0];
    for node in nodes {
        let info = node.info().await.map_err(|error| Failure::system("a node is gone", error))?;
        sum[0] += info.counters.answered_to(Method::Get);
        sum[1] += info.counters.answered_to(Method::Put);
    }
    Ok(sum)
}

/// Here more is better.
fn at_least(faster: f64) -> String {
    let verdict = if faster >= FASTER { "reached" } else { "missed" };
    format!("≥ {FASTER} {verdict}")
}

impl Measured {
    /// As a table.
    pub fn text(&self) -> String {
        let headings = [
            "operation",
            "keys",
            "keys/s",
            "times as fast",
            "mark",
            "get/replica",
            "mark",
            "put/key",
        ];
        let mut table = Table::new(1, &headings);
        for (place, pass) in self.passes.iter().enumerate() {
            let batched = place % 2 == 1;
            let faster = pass.per_second() / self.passes[place - place % 2].per_second();
            let is_get = place == 3;
            let queries = pass.gets_per_replica();
            table.row(vec![
                pass.what.to_owned(),
                pass.keys.to_string(),
                format!("{:.0}", pass.per_second()),
                if batched { format!("{faster:.1}") } else { String::new() },
                if is_get { at_least(faster) } else { String::new() },
                format!("{queries:.2}"),
                if is_get { mark(queries, QUERIES_PER_REPLICA) } else { String::new() },
                format!("{:.2}", pass.answered[1] as f64 / pass.keys as f64),
            ]);
        }
        format!(
            "{}\nSmall values on {} nodes in one process, the client too; {ROUNDS} rounds in turn.\n",
            table.text(),
            self.nodes
        )
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let rows = self.passes.iter().map(|pass| {
            json!({
                "operation": pass.what,
                "keys": pass.keys,
                "seconds": pass.seconds,
                "gets_answered": pass.answered[0],
                "puts_answered": pass.answered[1],
            })
        });
        json!({ "nodes": self.nodes, "rounds": ROUNDS, "rows": rows.collect::<Vec<_>>() })
    }
}
