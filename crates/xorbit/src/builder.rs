//! What a node is told before it starts.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use kv::MAX_REPLICAS;
use node::{Network, NetworkKey};
use wire::Family;

use crate::clock::Clock;
use crate::driver::Driver;
use crate::error::StartError;
use crate::node::Node;
use crate::resolve::is_host_and_port;
use crate::restore::{Restored, restore};
use crate::seed::random_seed;
use crate::socket::Port;

/// The port that a node listens on if none is given.
pub const DEFAULT_PORT: u16 = 8000;

/// The name of the network that a node belongs to if none is given.
pub const DEFAULT_NETWORK: &str = "xorbit";

/// The largest value in bytes that a node puts or gets unless told otherwise.
pub const DEFAULT_MAX_VALUE: u64 = 64 << 20;

/// The same on the public network, whose holders are strangers' machines.
pub const PUBLIC_MAX_VALUE: u64 = 256 << 10;

/// The routers of the public network by which everybody finds in.
pub const PUBLIC_ROUTERS: [&str; 3] =
    ["router.bittorrent.com:6881", "dht.transmissionbt.com:6881", "dht.libtorrent.org:25401"];

/// Tells a node how to be, and starts it.
#[derive(Clone, Debug)]
#[must_use = "a builder starts nothing until `start`"]
pub struct Builder {
    listen: Vec<SocketAddr>,
    join: Vec<String>,
    network: String,
    public: bool,
    data_dir: Option<PathBuf>,
    max_value: Option<u64>,
    config: kv::Config,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            join: Vec::new(),
            network: String::from(DEFAULT_NETWORK),
            public: false,
            data_dir: None,
            max_value: None,
            config: kv::Config::default(),
        }
    }
}

impl Builder {
    /// Listens on this address; port 0 takes a free one. Called once for each family at most; never
    /// called, the node listens on all addresses of both families, port [`DEFAULT_PORT`].
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen.push(address);
        self
    }

    /// Joins the network of the node at `HOST:PORT`. Called more than once, any of them will do;
    /// never called, a new network begins.
    pub fn join(mut self, host_and_port: impl Into<String>) -> Self {
        self.join.push(host_and_port.into());
        self
    }

    /// Names the network of one's own, [`DEFAULT_NETWORK`] if never called. Networks of other names
    /// do not mix with it, even if their nodes meet.
    pub fn network(mut self, name: impl Into<String>) -> Self {
        self.network = name.into();
        self
    }

    /// Seals the network of one's own with this key: who lacks it can neither join nor read nor be
    /// heard. All nodes need the same key and name of the network, and clocks that agree to within
    /// ten minutes.
    pub fn network_key(mut self, key: NetworkKey) -> Self {
        self.config.node.network_key = Some(key);
        self
    }

    /// Joins the planet-wide Mainline network instead of one's own.
    pub fn public(mut self, public: bool) -> Self {
        self.public = public;
        self
    }

    /// Keeps identity, contacts, promises, held items and held peers in this directory: the node comes back with
    /// all that it acknowledged, without being told whom to join. A put is answered once it is durable.
    pub fn data_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.data_dir = Some(directory.into());
        self
    }

    /// How many nodes shall hold each record, 1 to 20: a setting of a whole network.
    pub fn replicas(mut self, replicas: usize) -> Self {
        self.config.replicas = replicas;
        self
    }

    /// Answers nobody and asks not to be remembered (BEP 43): for a client that soon leaves.
    pub fn ephemeral(mut self, ephemeral: bool) -> Self {
        self.config.node.ephemeral = ephemeral;
        self
    }

    /// A cap on all that is sent, in bytes a second.
    pub fn bandwidth_cap(mut self, bytes_per_s: u32) -> Self {
        self.config.node.cap_bytes_per_s = Some(bytes_per_s);
        self
    }

    /// The largest value that it puts or gets, in bytes; if never called [`DEFAULT_MAX_VALUE`], or
    /// [`PUBLIC_MAX_VALUE`] on the public network.
    pub fn max_value(mut self, bytes: u64) -> Self {
        self.max_value = Some(bytes);
        self
    }

    /// How many items and bytes of them the node holds for others at most.
    pub fn shelf(mut self, items: usize, bytes: usize) -> Self {
        self.config.node.shelf = node::ShelfLimits { items, bytes, ..self.config.node.shelf };
        self
    }

    /// Starts the node. It begins to join at once and serves from the first moment; this does not
    /// wait until it has joined.
    ///
    /// # Errors
    /// [`StartError`], which names the value at fault.
    pub async fn start(mut self) -> Result<Node, StartError> {
        if !(1..=MAX_REPLICAS).contains(&self.config.replicas) {
            return Err(StartError::BadReplicas(self.config.replicas));
        }
        if let Some(bad) = self.join.iter().find(|name| !is_host_and_port(name)) {
            return Err(StartError::BadJoin(bad.clone()));
        }
        if self.public && self.config.node.network_key.is_some() {
            return Err(StartError::SealedPublic);
        }
        self.config.node.network =
            if self.public { Network::Public } else { Network::named(&self.network) };
        if self.public && self.join.is_empty() {
            self.join = PUBLIC_ROUTERS.map(String::from).into();
        }
        let default = if self.public { PUBLIC_MAX_VALUE } else { DEFAULT_MAX_VALUE };
        let max_value = self.max_value.unwrap_or(default);
        let ports = bind(&self.listen)?;
        let (clock, config, join) = (Clock::start(), self.config, self.join);
        let Some(directory) = self.data_dir else {
            let kv = kv::Kv::new(config, random_seed()?, clock.now());
            let node = Driver::spawn(kv, ports, clock, None, join, Restored::default());
            return Ok(node.with_max_value(max_value));
        };
        // A disk may take its time: off this thread.
        let restoring = tokio::task::spawn_blocking(move || restore(&directory, config, &clock));
        let (kv, persistence, restored) = match restoring.await {
            Ok(restored) => restored?,
            Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
        };
        let node = Driver::spawn(kv, ports, clock, Some(persistence), join, restored);
        Ok(node.with_max_value(max_value))
    }
}

/// Binds the addresses asked for; without any, all of both families as far as the machine has them.
fn bind(listen: &[SocketAddr]) -> Result<Vec<Port>, StartError> {
    let port = |address: SocketAddr| {
        Port::bind(address).map_err(|cause| StartError::Bind { address, cause })
    };
    if listen.is_empty() {
        let v4 = port((Ipv4Addr::UNSPECIFIED, DEFAULT_PORT).into())?;
        // A machine without IPv6 is no reason not to start.
        let v6 = Port::bind((Ipv6Addr::UNSPECIFIED, DEFAULT_PORT).into()).ok();
        return Ok([Some(v4), v6].into_iter().flatten().collect());
    }
    for family in Family::ALL {
        let mut of_family =
            listen.iter().filter(|address| address.is_ipv4() == (family == Family::V4));
        if let (Some(first), Some(second)) = (of_family.next(), of_family.next()) {
            return Err(StartError::TwoOfOneFamily(*first, *second));
        }
    }
    listen.iter().map(|address| port(*address)).collect()
}
