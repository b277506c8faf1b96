//! Our own network of nodes in one process. The only file of the benchmark that knows the library.

use xorbit::{Node, Target};

use super::Measured;
use super::drive::{self, Peer};
use crate::failure::Failure;
use crate::krpc::Id;

impl Peer for Node {
    async fn put(&self, key: &[u8], value: &[u8]) -> Result<usize, String> {
        let report = Node::put(self, String::from_utf8_lossy(key), value).await;
        report.map(|report| report.replicas.stored.len()).map_err(|error| error.to_string())
    }

    async fn get(&self, key: &[u8]) -> Result<Vec<u8>, String> {
        let report = Node::get(self, String::from_utf8_lossy(key)).await;
        report.map(|report| report.value.into()).map_err(|error| error.to_string())
    }

    async fn item_put(&self, value: &[u8]) -> Result<usize, String> {
        let report = Node::item_put(self, bencoded(value)).await;
        report.map(|report| report.replicas.stored.len()).map_err(|error| error.to_string())
    }

    async fn item_get(&self, target: Id) -> Result<Vec<u8>, String> {
        let report = Node::item_get(self, Target::new(target)).await;
        let item = report.map_err(|error| error.to_string())?.item;
        let colon = item.value().iter().position(|byte| *byte == b':').ok_or("no byte string")?;
        Ok(item.value()[colon + 1..].to_vec())
    }
}

fn bencoded(value: &[u8]) -> Vec<u8> {
    let mut encoded = Vec::new();
    crate::krpc::string(&mut encoded, value);
    encoded
}

/// Puts and gets on our nodes, all of them on one thread.
pub fn measure(nodes: usize, keys: usize) -> Result<Measured, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::system("cannot start a runtime", error))?;
    runtime.block_on(async {
        let network = xorbit::testnet(nodes)
            .await
            .map_err(|error| Failure::system("cannot start the network", error))?;
        let measured = drive::measure("xorbit", &network.nodes, keys).await;
        network.close().await;
        measured
    })
}
