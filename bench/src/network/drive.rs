//! Drives puts and gets through a network of peers and takes their times, in the order of
//! `peers/libtorrent_network.py`: for each window all puts, then all gets, each from another node than its put.

use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};
use sha1::{Digest, Sha1};
use tokio::task::JoinSet;

use super::{Measured, REPLICAS, Row, WINDOWS};
use crate::chance::Chance;
use crate::failure::Failure;
use crate::krpc::{self, Id};
use crate::quantiles::quantile;

const VALUE_BYTES: usize = 100;
const IDLE: Duration = Duration::from_secs(2);
const SEED: u64 = 5;

/// A node that can be asked. Errors are told to people and end the benchmark.
pub trait Peer: Clone + Send + Sync + 'static {
    /// Signs and puts a value under a key; tells how many nodes stored it.
    fn put(&self, key: &[u8], value: &[u8]) -> impl Future<Output = Result<usize, String>> + Send;
    /// Gets the value of a key.
    fn get(&self, key: &[u8]) -> impl Future<Output = Result<Vec<u8>, String>> + Send;
    /// Puts an immutable item whose `v` is these bytes; tells how many nodes stored it.
    fn item_put(&self, value: &[u8]) -> impl Future<Output = Result<usize, String>> + Send;
    /// Gets the bytes of an immutable item.
    fn item_get(&self, target: Id) -> impl Future<Output = Result<Vec<u8>, String>> + Send;
}

#[derive(Clone, Copy)]
enum Operation {
    ImmutablePut,
    ImmutableGet,
    MutablePut,
    MutableGet,
}

#[derive(Clone)]
struct Item {
    label: String,
    value: Vec<u8>,
    target: Id,
    /// The node that was asked last.
    home: Option<usize>,
}

/// All operations in all windows.
pub async fn measure(
    implementation: &str,
    peers: &[impl Peer],
    keys: usize,
) -> Result<Measured, Failure> {
    let idle_cpu_ms_per_second = idle().await?;
    let mut chance = Chance::new(SEED);
    let mut rows = Vec::new();
    for window in WINDOWS {
        for (put, get) in [
            (Operation::ImmutablePut, Operation::ImmutableGet),
            (Operation::MutablePut, Operation::MutableGet),
        ] {
            let label = |number| format!("{} {number} of {keys}, {window} at a time", put.name());
            let mut items: Vec<Item> = (0..keys).map(label).map(Item::new).collect();
            for operation in [put, get] {
                rows.push(perform(operation, peers, &mut items, window, &mut chance).await?);
            }
        }
    }
    Ok(Measured { implementation: implementation.to_owned(), idle_cpu_ms_per_second, rows })
}

async fn perform(
    operation: Operation,
    peers: &[impl Peer],
    items: &mut [Item],
    window: usize,
    chance: &mut Chance,
) -> Result<Row, Failure> {
    let count = items.len();
    let mut latencies = Vec::with_capacity(count);
    let mut running: JoinSet<Result<Duration, String>> = JoinSet::new();
    let mut waiting = items.iter_mut();
    let (start, cpu) = (Instant::now(), cpu_time()?);
    loop {
        while running.len() < window
            && let Some(item) = waiting.next()
        {
            let node = another_node(peers.len(), item.home, chance);
            item.home = Some(node);
            let (peer, item, began) = (peers[node].clone(), item.clone(), Instant::now());
            running.spawn(async move {
                operation.ask(&peer, &item).await?;
                Ok(began.elapsed())
            });
        }
        let Some(done) = running.join_next().await else {
            break;
        };
        let latency = done.map_err(|error| error.to_string()).flatten().map_err(|error| {
            Failure::new(
                format!("{}: {error}", operation.name()),
                "every operation must succeed, or the rest means nothing",
            )
        })?;
        latencies.push(u32::try_from(latency.as_nanos()).unwrap_or(u32::MAX));
    }
    let (elapsed, cpu) = (start.elapsed(), cpu_time()?.saturating_sub(cpu));
    latencies.sort_unstable();
    Ok(Row {
        operation: operation.name().to_owned(),
        window,
        p50_ms: f64::from(quantile(&latencies, 0.5)) / 1e6,
        p99_ms: f64::from(quantile(&latencies, 0.99)) / 1e6,
        cpu_ms: cpu.as_secs_f64() * 1000.0 / count as f64,
        per_second: count as f64 / elapsed.as_secs_f64(),
    })
}

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Self::ImmutablePut => "immutable put",
            Self::ImmutableGet => "immutable get",
            Self::MutablePut => "mutable put",
            Self::MutableGet => "mutable get",
        }
    }

    async fn ask(self, peer: &impl Peer, item: &Item) -> Result<(), String> {
        let key = item.label.as_bytes();
        match self {
            Self::ImmutablePut => check_replicas(peer.item_put(&item.value).await?),
            Self::ImmutableGet => item.check_value(&peer.item_get(item.target).await?),
            Self::MutablePut => check_replicas(peer.put(key, &item.value).await?),
            Self::MutableGet => item.check_value(&peer.get(key).await?),
        }
    }
}

impl Item {
    fn new(label: String) -> Self {
        let mut value = label.clone().into_bytes();
        value.resize(VALUE_BYTES, b'.');
        let mut encoded = Vec::new();
        krpc::string(&mut encoded, &value);
        Self { label, value, target: Sha1::digest(&encoded).into(), home: None }
    }

    fn check_value(&self, value: &[u8]) -> Result<(), String> {
        if value == self.value {
            return Ok(());
        }
        Err(format!("`{}` is `{}`", self.label, value.escape_ascii()))
    }
}

fn check_replicas(stored: usize) -> Result<(), String> {
    if stored == REPLICAS {
        return Ok(());
    }
    Err(format!("stored by {stored} nodes, not {REPLICAS}"))
}

fn another_node(count: usize, than: Option<usize>, chance: &mut Chance) -> usize {
    loop {
        let node = u32::from_le_bytes(chance.bytes()) as usize % count;
        if Some(node) != than {
            return node;
        }
    }
}

async fn idle() -> Result<f64, Failure> {
    let before = cpu_time()?;
    tokio::time::sleep(IDLE).await;
    let spent = cpu_time()?.saturating_sub(before);
    Ok(spent.as_secs_f64() * 1000.0 / IDLE.as_secs_f64())
}

/// CPU time of this process, threads that have ended included.
fn cpu_time() -> Result<Duration, Failure> {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID)
        .map(Duration::from)
        .map_err(|error| Failure::system("cannot read the CPU time of this process", error))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::{Arc, Mutex};

    use super::{Id, Item, Peer, measure};

    /// Nodes that share one memory.
    #[derive(Clone, Default)]
    struct Shared {
        values: Arc<Mutex<HashMap<Vec<u8>, Vec<u8>>>>,
        replicas: usize,
    }

    impl Peer for Shared {
        async fn put(&self, key: &[u8], value: &[u8]) -> Result<usize, String> {
            self.values.lock().unwrap().insert(key.to_vec(), value.to_vec());
            Ok(self.replicas)
        }

        async fn get(&self, key: &[u8]) -> Result<Vec<u8>, String> {
            self.values.lock().unwrap().get(key).cloned().ok_or("not found".into())
        }

        async fn item_put(&self, value: &[u8]) -> Result<usize, String> {
            let target = Item::new(String::from_utf8(value.to_vec()).unwrap()).target;
            self.put(&target, value).await
        }

        async fn item_get(&self, target: Id) -> Result<Vec<u8>, String> {
            self.get(&target).await
        }
    }

    fn run(replicas: usize) -> Result<super::Measured, super::Failure> {
        let shared = Shared { replicas, ..Shared::default() };
        let peers = vec![shared; 10];
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        runtime.unwrap().block_on(measure("memory", &peers, 40))
    }

    #[test]
    fn all_operations_are_measured_in_all_windows() {
        let measured = run(8).unwrap();
        let rows: Vec<_> =
            measured.rows.iter().map(|row| (row.operation.as_str(), row.window)).collect();
        assert_eq!(rows.len(), 8);
        assert!(rows.contains(&("mutable get", 32)) && rows.contains(&("immutable put", 1)));
        assert!(measured.rows.iter().all(|row| row.per_second > 0.0 && row.p50_ms <= row.p99_ms));
    }

    #[test]
    fn a_put_that_reaches_seven_nodes_ends_the_benchmark() {
        let error = run(7).unwrap_err().to_string();
        assert!(error.contains("stored by 7 nodes"), "{error}");
    }
}
