//! Our own nodes.

use std::net::{Ipv4Addr, SocketAddr};

use xorbit::{Info, Node};

use crate::K;
use crate::failure::Outcome;
use crate::patience::eventually;

/// Some of our nodes.
pub struct Ours {
    /// The nodes.
    pub nodes: Vec<Node>,
}

impl Ours {
    /// A network of so many nodes that know each other.
    ///
    /// # Errors
    /// If a node does not start, or the tables stay empty.
    pub async fn network(count: usize) -> Outcome<Self> {
        let ours = Self { nodes: xorbit::testnet(count).await?.nodes };
        ours.meet(0).await?;
        Ok(ours)
    }

    /// So many nodes in the network of others.
    ///
    /// # Errors
    /// If a node does not start, or the tables stay empty.
    pub async fn among(others: &[SocketAddr], count: usize) -> Outcome<Self> {
        let mut ours = Self { nodes: Vec::new() };
        for _ in 0..count {
            let doors = [others, &ours.addresses()].concat();
            ours.nodes.push(started(&doors, false).await?);
        }
        ours.meet(others.len()).await?;
        Ok(ours)
    }

    /// One node that answers nobody and is remembered by nobody, so that nothing it puts can stay
    /// with itself.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn visitor(others: &[SocketAddr]) -> Outcome<Node> {
        started(others, true).await
    }

    /// Waits until they know each other and so many others who came to them.
    ///
    /// # Errors
    /// If the tables stay empty.
    pub async fn meet(&self, others: usize) -> Outcome {
        self.know((self.nodes.len() + others).saturating_sub(1)).await
    }

    /// Waits until the tables are filled: a lookup needs the closest [`K`] of its way, not all.
    async fn know(&self, others: usize) -> Outcome {
        let enough = others.min(K);
        eventually(&format!("each of our nodes to know {enough} others"), async || {
            let infos = self.infos().await?;
            Ok(infos.iter().all(|info| info.contacts.iter().sum::<usize>() >= enough))
        })
        .await
    }

    /// Where they listen.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.nodes.iter().flat_map(|node| node.local_addrs().iter().copied()).collect()
    }

    async fn infos(&self) -> Outcome<Vec<Info>> {
        let mut infos = Vec::new();
        for node in &self.nodes {
            infos.push(node.info().await?);
        }
        Ok(infos)
    }

    /// Copies of items that they hold together.
    ///
    /// # Errors
    /// If one was closed.
    pub async fn items(&self) -> Outcome<usize> {
        Ok(self.infos().await?.iter().map(|info| info.items).sum())
    }

    /// Copies of topics with peers that they hold together.
    ///
    /// # Errors
    /// If one was closed.
    pub async fn topics(&self) -> Outcome<usize> {
        Ok(self.infos().await?.iter().map(|info| info.topics).sum())
    }
}

async fn started(doors: &[SocketAddr], ephemeral: bool) -> Outcome<Node> {
    let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let builder = Node::builder().listen(loopback).ephemeral(ephemeral);
    let joining = doors.iter().fold(builder, |builder, door| builder.join(door.to_string()));
    Ok(joining.start().await?)
}
