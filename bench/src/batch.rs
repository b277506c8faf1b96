//! Many small keys: put and got as a batch, beside one at a time.
//!
//! All nodes and the client run in one process on loopback, so that the batch shares its cores with those that answer
//! it. Each pass has a client of its own that knows nobody but the door.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Instant;

use serde_json::{Value, json};
use xorbit::{Node, Testnet};

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

/// One pass over keys.
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

/// Measures so many keys on so many nodes.
pub async fn measure(keys: usize, nodes: usize) -> Result<Measured, Failure> {
    let network = xorbit::testnet(nodes)
        .await
        .map_err(|error| Failure::system("cannot start the network", error))?;
    let singles = (keys / SINGLE_SHARE).max(1);
    let passes = [
        pass("put, one at a time", &network, singles, false, true).await?,
        pass("put, batch", &network, keys, true, true).await?,
        pass("get, one at a time", &network, singles, false, false).await?,
        pass("get, batch", &network, keys, true, false).await?,
    ];
    network.close().await;
    Ok(Measured { nodes, passes })
}

async fn pass(
    what: &'static str,
    network: &Testnet,
    keys: usize,
    batched: bool,
    puts: bool,
) -> Result<Pass, Failure> {
    let door = network.door().unwrap_or_default();
    let builder = Node::builder().listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let client = builder
        .ephemeral(true)
        .join(door)
        .start()
        .await
        .map_err(|error| Failure::system("cannot start a client", error))?;
    let before = answered(&network.nodes).await?;
    let started = Instant::now();
    let done = match (batched, puts) {
        (true, true) => put_all(&client, keys).await,
        (true, false) => get_all(&client, keys).await,
        (false, true) => put_each(&client, keys).await,
        (false, false) => get_each(&client, keys).await,
    };
    let seconds = started.elapsed().as_secs_f64();
    let after = answered(&network.nodes).await?;
    client.close().await;
    if done < keys {
        let what = format!("{what}: {} of {keys} keys failed", keys - done);
        return Err(Failure::new(what, "the machine may be too busy to measure anything"));
    }
    let answered = [after[0] - before[0], after[1] - before[1]];
    Ok(Pass { what, keys, seconds, answered })
}

fn key(number: usize) -> String {
    format!("sensor/{number}")
}

fn value(number: usize) -> String {
    format!("value of {number}")
}

async fn put_all(client: &Node, keys: usize) -> usize {
    let mut batch = client.put_all((0..keys).map(|number| client.put(key(number), value(number))));
    let mut done = 0;
    while let Some((_, outcome)) = batch.next().await {
        done += usize::from(outcome.is_ok());
    }
    done
}

async fn get_all(client: &Node, keys: usize) -> usize {
    let mut batch = client.get_all((0..keys).map(|number| client.get(key(number))));
    let mut done = 0;
    while let Some((number, outcome)) = batch.next().await {
        let right = outcome.is_ok_and(|report| *report.value == *value(number).as_bytes());
        done += usize::from(right);
    }
    done
}

async fn put_each(client: &Node, keys: usize) -> usize {
    let mut done = 0;
    for number in 0..keys {
        done += usize::from(client.put(key(number), value(number)).await.is_ok());
    }
    done
}

async fn get_each(client: &Node, keys: usize) -> usize {
    let mut done = 0;
    for number in 0..keys {
        let outcome = client.get(key(number)).await;
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
        sum[0] += info.counters.answered[4];
        sum[1] += info.counters.answered[5];
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
                if batched { at_least(faster) } else { String::new() },
                format!("{queries:.2}"),
                if is_get { mark(queries, QUERIES_PER_REPLICA) } else { String::new() },
                format!("{:.2}", pass.answered[1] as f64 / pass.keys as f64),
            ]);
        }
        format!(
            "{}\nSmall values on {} nodes in one process, the client too.\n",
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
        json!({ "nodes": self.nodes, "rows": rows.collect::<Vec<_>>() })
    }
}
