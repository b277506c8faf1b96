//! A running local network in one call, for tests of programs that embed a node.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::error::StartError;
use crate::node::Node;

/// A network on loopback whose nodes know each other.
#[derive(Debug)]
pub struct Testnet {
    /// The nodes, in the order in which they joined.
    pub nodes: Vec<Node>,
}

/// How long each node may take to join; on loopback it takes milliseconds.
const JOINING: Duration = Duration::from_secs(10);

/// Starts `count` nodes on loopback, each with a port of its own, all joined through the first.
///
/// # Errors
/// [`StartError`] if one does not start.
pub async fn testnet(count: usize) -> Result<Testnet, StartError> {
    let mut nodes: Vec<Node> = Vec::with_capacity(count);
    for _ in 0..count {
        let mut builder = Node::builder().listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        // Through the latest too, so that a network forms whose members all know somebody near.
        let doors = [nodes.first(), nodes.last()];
        for address in doors.into_iter().flatten().flat_map(Node::local_addrs) {
            builder = builder.join(address.to_string());
        }
        let node = builder.start().await?;
        if !nodes.is_empty() {
            // A node that is slower than this joins later by itself.
            let _ = node.joined(JOINING).await;
        }
        nodes.push(node);
    }
    Ok(Testnet { nodes })
}

impl Testnet {
    /// An address to join the network through.
    pub fn door(&self) -> Option<String> {
        self.nodes.first()?.local_addrs().first().map(SocketAddr::to_string)
    }

    /// Closes all nodes.
    pub async fn close(self) {
        for node in self.nodes {
            node.close().await;
        }
    }
}
