//! Foreign nodes that run in a process of their own: libtorrent's and bittorrent-dht's.

use std::fmt::Display;
use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;

use serde_json::{Value, json};
use xorbit::{InfoHash, Point, PublicKey, Target};

use crate::K;
use crate::author::Author;
use crate::failure::{Failure, Outcome};
use crate::hex::{hex, unhex};
use crate::peer::Peer;
use crate::strangers::{Found, How, Put, Strangers};

/// Foreign nodes of one kind, in one process.
pub struct Foreign {
    peer: Peer,
    addresses: Vec<SocketAddr>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Libtorrent,
    BittorrentDht,
}

impl Foreign {
    /// So many libtorrent nodes, which know each other and `contacts`.
    ///
    /// # Errors
    /// If they do not start, or their tables stay empty.
    pub async fn libtorrent(nodes: usize, contacts: &[SocketAddr]) -> Outcome<Self> {
        let (peer, ready) = Peer::libtorrent(&arguments(nodes, contacts)).await?;
        let addresses = addresses(&ready)?;
        let foreign = Self { peer, addresses, kind: Kind::Libtorrent };
        foreign.check_tables(&ready, contacts.len())?;
        Ok(foreign)
    }

    /// So many bittorrent-dht nodes, which know each other and `contacts`.
    ///
    /// # Errors
    /// If they do not start, or their tables stay empty.
    pub async fn bittorrent_dht(nodes: usize, contacts: &[SocketAddr]) -> Outcome<Self> {
        let (peer, ready) = Peer::bittorrent_dht(&arguments(nodes, contacts)).await?;
        let addresses = addresses(&ready)?;
        let foreign = Self { peer, addresses, kind: Kind::BittorrentDht };
        foreign.check_tables(&ready, contacts.len())?;
        Ok(foreign)
    }

    /// Makes every node know these, too.
    ///
    /// # Errors
    /// If they do not come to know each other.
    pub async fn join(&mut self, contacts: &[SocketAddr]) -> Outcome {
        let to: Vec<String> = contacts.iter().map(SocketAddr::to_string).collect();
        let told = self.peer.ask("join", json!({ "to": to })).await?;
        self.check_tables(&told, contacts.len())
    }

    /// Lets a node ask another for a sample of its topics: the sample, and how many there are.
    ///
    /// # Errors
    /// If that one does not answer.
    pub async fn sample(
        &mut self,
        node: usize,
        to: SocketAddr,
        target: Point,
    ) -> Outcome<(Vec<InfoHash>, usize)> {
        let request = json!({ "node": node, "to": to.to_string(), "target": target.to_string() });
        let told = self.peer.ask("sample", request).await?;
        let samples = texts(&told, "samples")?.into_iter().map(|text| Ok(text.parse()?));
        Ok((samples.collect::<Outcome<_>>()?, number(&told, "num")?))
    }

    /// A network counts only if its tables are filled: what is stored in a network whose nodes do
    /// not know each other shows nothing.
    fn check_tables(&self, told: &Value, contacts: usize) -> Outcome {
        let table = numbers(told, "table")?;
        let others = self.addresses.len() - 1 + contacts;
        if table.len() == self.addresses.len() && table.iter().all(|size| *size >= others.min(K)) {
            return Ok(());
        }
        let name = self.peer.name();
        Err(Failure::new(format!("tables of {name} hold `{table:?}` of {others} others")))
    }

    async fn held(&mut self, what: &[&str]) -> Outcome<Option<usize>> {
        let told = self.peer.ask("held", json!({})).await?;
        let counts = what.iter().map(|field| Ok(numbers(&told, field)?.iter().sum::<usize>()));
        Ok(Some(counts.sum::<Outcome<usize>>()?))
    }
}

impl Strangers for Foreign {
    fn addresses(&self) -> Vec<SocketAddr> {
        self.addresses.clone()
    }

    fn width(&self) -> usize {
        match self.kind {
            Kind::Libtorrent => K,
            Kind::BittorrentDht => 20,
        }
    }

    fn remember_all(&self) -> bool {
        self.kind == Kind::BittorrentDht
    }

    async fn items(&mut self) -> Outcome<Option<usize>> {
        self.held(&["immutable", "mutable"]).await
    }

    async fn topics(&mut self) -> Outcome<Option<usize>> {
        self.held(&["peers"]).await
    }

    async fn put_immutable(&mut self, node: usize, value: &[u8]) -> Outcome<Put> {
        let request = json!({ "node": node, "value_hex": hex(value) });
        let told = self.peer.ask("put_immutable", request).await?;
        // bittorrent-dht keeps a copy itself that it does not count.
        let own = usize::from(self.kind == Kind::BittorrentDht);
        let copies = number(&told, "stored")? + own;
        Ok(Put { target: parsed(&told, "target")?, copies: Some(copies) })
    }

    async fn get_immutable(&mut self, node: usize, target: Target) -> Outcome<Option<Vec<u8>>> {
        let request = json!({ "node": node, "target": target.to_string() });
        let told = self.peer.ask("get_immutable", request).await?;
        told["value_hex"].as_str().map(unhex).transpose()
    }

    async fn put_mutable(
        &mut self,
        node: usize,
        author: &Author,
        value: &[u8],
        how: How,
    ) -> Outcome<Put> {
        let request = json!({
            "node": node, "seed": hex(author.seed()), "salt": author.salt(),
            "seq": how.seq, "cas": how.cas, "value_hex": hex(value),
        });
        let told = self.peer.ask("put_mutable", request).await?;
        if parsed::<PublicKey>(&told, "public_key")? != author.public_key() {
            return Err(Failure::new(format!("{} has another public key", self.peer.name())));
        }
        Ok(Put { target: author.target()?, copies: Some(number(&told, "stored")?) })
    }

    async fn get_mutable(&mut self, node: usize, author: &Author) -> Outcome<Option<Found>> {
        let key = author.public_key().to_string();
        let request = json!({ "node": node, "public_key": key, "salt": author.salt() });
        let told = self.peer.ask("get_mutable", request).await?;
        let Some(digits) = told["value_hex"].as_str() else { return Ok(None) };
        Ok(Some(Found { value: unhex(digits)?, seq: i64::try_from(number(&told, "seq")?)? }))
    }

    async fn announce(
        &mut self,
        node: usize,
        topic: InfoHash,
        port: u16,
    ) -> Outcome<Option<usize>> {
        let request = json!({ "node": node, "info_hash": topic.to_string(), "port": port });
        let told = self.peer.ask("announce", request).await?;
        // libtorrent does not tell which of its announcements were taken, only how many it sent.
        let field = if told["stored"].is_null() { "sent" } else { "stored" };
        number(&told, field).map(Some)
    }

    async fn peers(&mut self, node: usize, topic: InfoHash) -> Outcome<Vec<SocketAddr>> {
        let request = json!({ "node": node, "info_hash": topic.to_string() });
        let told = self.peer.ask("get_peers", request).await?;
        texts(&told, "peers")?.into_iter().map(|text| Ok(text.parse()?)).collect()
    }
}

fn arguments(nodes: usize, contacts: &[SocketAddr]) -> Vec<String> {
    let count = [String::from("--nodes"), nodes.to_string()];
    let contacts =
        contacts.iter().flat_map(|contact| [String::from("--bootstrap"), contact.to_string()]);
    count.into_iter().chain(contacts).collect()
}

fn addresses(ready: &Value) -> Outcome<Vec<SocketAddr>> {
    let local = |port| Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, u16::try_from(port)?)));
    numbers(ready, "ports")?.into_iter().map(local).collect()
}

#[track_caller]
fn field<'t, T>(
    told: &'t Value,
    name: &str,
    read: impl FnOnce(&'t Value) -> Option<T>,
) -> Outcome<T> {
    read(&told[name]).ok_or_else(|| Failure::new(format!("no sound field `{name}` in {told}")))
}

#[track_caller]
fn number(told: &Value, name: &str) -> Outcome<usize> {
    field(told, name, |value| usize::try_from(value.as_u64()?).ok())
}

#[track_caller]
fn numbers(told: &Value, name: &str) -> Outcome<Vec<usize>> {
    let one = |value: &Value| usize::try_from(value.as_u64()?).ok();
    field(told, name, |value| value.as_array()?.iter().map(one).collect())
}

#[track_caller]
fn texts<'t>(told: &'t Value, name: &str) -> Outcome<Vec<&'t str>> {
    field(told, name, |value| value.as_array()?.iter().map(Value::as_str).collect())
}

#[track_caller]
fn parsed<T: FromStr<Err: Display>>(told: &Value, name: &str) -> Outcome<T> {
    let text = field(told, name, Value::as_str)?;
    text.parse().map_err(|error| Failure::new(format!("`{name}` is `{text}`: {error}")))
}
