//! Counting copies on both sides, by asking each node.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use xorbit::{InfoHash, Replica, Target};

use crate::failure::Outcome;
use crate::ours::Ours;
use crate::strangers::Strangers;
use crate::witness::Witness;

/// Copies of one thing, by who holds them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copies {
    /// On our nodes.
    pub ours: usize,
    /// On foreign nodes.
    pub foreign: usize,
}

impl Copies {
    /// On all nodes.
    pub fn total(self) -> usize {
        self.ours + self.foreign
    }

    /// As a report of ours tells them: a replica without an address is the reporting node itself.
    pub fn told(replicas: &[Replica], ours: &Ours) -> Self {
        let own = ours.addresses();
        let is_ours = |replica: &&Replica| {
            replica.endpoint.is_none_or(|endpoint| own.contains(&SocketAddr::from(endpoint)))
        };
        let count = replicas.iter().filter(is_ours).count();
        Self { ours: count, foreign: replicas.len() - count }
    }
}

/// Asks each node of both sides what it holds.
pub struct Census {
    ours: Witness,
    foreign: Vec<Witness>,
}

impl Census {
    /// Of our nodes; strangers are to be added.
    ///
    /// # Errors
    /// If there is no socket to be had.
    pub async fn of(ours: &Ours) -> Outcome<Self> {
        Ok(Self { ours: Witness::new(ours.addresses()).await?, foreign: Vec::new() })
    }

    /// Of these strangers, too.
    ///
    /// # Errors
    /// If there is no socket to be had.
    pub async fn and(mut self, strangers: &impl Strangers) -> Outcome<Self> {
        let addresses = strangers.addresses();
        self.foreign.push(match strangers.remember_all() {
            true => Witness::nameless(addresses).await?,
            false => Witness::new(addresses).await?,
        });
        Ok(self)
    }

    /// Who holds an item with exactly this bencoded value.
    ///
    /// # Errors
    /// If a node does not answer.
    pub async fn of_item(&self, target: Target, value: &[u8]) -> Outcome<Copies> {
        let mut copies = Copies { ours: self.ours.holders(target, value).await?, foreign: 0 };
        for witness in &self.foreign {
            copies.foreign += witness.holders(target, value).await?;
        }
        Ok(copies)
    }

    /// Who holds the peer of a topic that announced this port.
    ///
    /// # Errors
    /// If a node does not answer.
    pub async fn of_peer(&self, topic: InfoHash, port: u16) -> Outcome<Copies> {
        let peer = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
        let ours = self.ours.holders_of_peer(topic, peer).await?;
        let mut copies = Copies { ours, foreign: 0 };
        for witness in &self.foreign {
            copies.foreign += witness.holders_of_peer(topic, peer).await?;
        }
        Ok(copies)
    }
}
