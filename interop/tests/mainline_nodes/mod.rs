//! Nodes of the crate `mainline`, which run in this process.

use std::future::poll_fn;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;

use futures_core::Stream;
use mainline::async_dht::AsyncDht;
use mainline::errors::{ConcurrencyError, PutMutableError};
use mainline::{Dht, Id, MutableItem, SigningKey};
use xorbit::{InfoHash, Target};
use xorbit_interop::{
    Author, Failure, Found, How, K, Outcome, Put, Strangers, eventually, immutable_target,
};

/// Some nodes.
pub struct Mainline {
    nodes: Vec<AsyncDht>,
    addresses: Vec<SocketAddr>,
    servers: bool,
}

impl Mainline {
    /// So many nodes that answer queries, know each other and find in through `contacts`.
    pub async fn servers(count: usize, contacts: &[SocketAddr]) -> Outcome<Self> {
        let mut mainline = Self { nodes: Vec::new(), addresses: Vec::new(), servers: true };
        for _ in 0..count {
            let doors = [contacts, &mainline.addresses].concat();
            mainline.start(&doors).await?;
        }
        mainline.fill_tables(contacts.len() + count - 1).await?;
        Ok(mainline)
    }

    /// So many clients, as the crate is mostly used: they answer no queries.
    pub async fn clients(count: usize, contacts: &[SocketAddr]) -> Outcome<Self> {
        let mut mainline = Self { nodes: Vec::new(), addresses: Vec::new(), servers: false };
        for _ in 0..count {
            mainline.start(contacts).await?;
        }
        mainline.fill_tables(contacts.len()).await?;
        Ok(mainline)
    }

    async fn start(&mut self, doors: &[SocketAddr]) -> Outcome {
        let mut builder = Dht::builder();
        builder.bind_address(Ipv4Addr::LOCALHOST).bootstrap(doors);
        if self.servers {
            builder.server_mode();
        }
        let node = builder.build()?.as_async();
        self.addresses.push(node.info().await.local_addr().into());
        self.nodes.push(node);
        Ok(())
    }

    /// A network counts only if its tables are filled. A node learns of others by looking for
    /// itself, which only answers bring into its table.
    async fn fill_tables(&self, others: usize) -> Outcome {
        for node in &self.nodes {
            eventually("a table of mainline to fill", async || {
                node.bootstrapped().await;
                Ok(node.to_bootstrap().await.len() >= others.min(K))
            })
            .await?;
        }
        Ok(())
    }
}

impl Strangers for Mainline {
    fn addresses(&self) -> Vec<SocketAddr> {
        if self.servers { self.addresses.clone() } else { Vec::new() }
    }

    fn width(&self) -> usize {
        20
    }

    async fn items(&mut self) -> Outcome<Option<usize>> {
        Ok((!self.servers).then_some(0))
    }

    async fn topics(&mut self) -> Outcome<Option<usize>> {
        Ok((!self.servers).then_some(0))
    }

    async fn put_immutable(&mut self, node: usize, value: &[u8]) -> Outcome<Put> {
        let id = self.nodes[node].put_immutable(value).await?;
        let target = Target::new(*id.as_bytes());
        assert_eq!(target, immutable_target(value)?);
        Ok(Put { target, copies: None })
    }

    async fn get_immutable(&mut self, node: usize, target: Target) -> Outcome<Option<Vec<u8>>> {
        let found = self.nodes[node].get_immutable(Id::from(*target.as_bytes())).await;
        Ok(found.map(Vec::from))
    }

    async fn put_mutable(
        &mut self,
        node: usize,
        author: &Author,
        value: &[u8],
        how: How,
    ) -> Outcome<Put> {
        let seq = match how.seq {
            Some(seq) => seq,
            None => self.get_mutable(node, author).await?.map_or(0, |found| found.seq) + 1,
        };
        let key = SigningKey::from_bytes(author.seed());
        let item = MutableItem::new(key, value, seq, salt(author));
        let put = self.nodes[node].put_mutable(item, how.cas).await.map_err(|error| {
            let code = match &error {
                PutMutableError::Concurrency(ConcurrencyError::CasFailed) => Some(301),
                PutMutableError::Concurrency(ConcurrencyError::NotMostRecent) => Some(302),
                _ => None,
            };
            Failure::new(error.to_string()).refused(code)
        })?;
        let target = Target::new(*put.target.as_bytes());
        Ok(Put { target, copies: Some(put.stored_at as usize) })
    }

    async fn get_mutable(&mut self, node: usize, author: &Author) -> Outcome<Option<Found>> {
        let key = author.public_key();
        let node = &self.nodes[node];
        let found = node.get_mutable_most_recent(key.as_bytes(), salt(author)).await;
        Ok(found.map(|item| Found { value: item.value().to_vec(), seq: item.seq() }))
    }

    async fn announce(
        &mut self,
        node: usize,
        topic: InfoHash,
        port: u16,
    ) -> Outcome<Option<usize>> {
        self.nodes[node].announce_peer(Id::from(*topic.as_bytes()), Some(port)).await?;
        Ok(None)
    }

    async fn peers(&mut self, node: usize, topic: InfoHash) -> Outcome<Vec<SocketAddr>> {
        let mut answers = pin!(self.nodes[node].get_peers(Id::from(*topic.as_bytes())));
        let mut peers: Vec<SocketAddr> = Vec::new();
        while let Some(answer) = poll_fn(|context| answers.as_mut().poll_next(context)).await {
            peers.extend(answer.into_iter().map(SocketAddr::from));
        }
        peers.sort();
        peers.dedup();
        Ok(peers)
    }
}

fn salt(author: &Author) -> Option<&[u8]> {
    Some(author.salt().as_bytes()).filter(|salt| !salt.is_empty())
}
