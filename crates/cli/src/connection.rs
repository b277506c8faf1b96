//! Which network, whom to join, and the node that a verb starts for itself: one that answers nobody
//! and leaves when the verb is done (BEP 43).

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::time::Duration;

use tokio::net::lookup_host;
use tokio::task::JoinSet;
use xorbit::{
    Builder, DEFAULT_MAX_VALUE, DEFAULT_NETWORK, DEFAULT_PORT, DEFAULT_REPLICAS, MAX_REPLICAS,
    Node, PUBLIC_MAX_VALUE, PUBLIC_ROUTERS,
};

use crate::failure::{Failure, Kind};
use crate::network_key;

/// How long names may take to resolve: a resolver that is slower than this is as good as none.
const RESOLVING: Duration = Duration::from_secs(4);

/// Which network to speak with.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Network")]
pub struct NetworkArgs {
    /// Name of the network; those of other names do not mix with it
    #[arg(long, value_name = "NAME", default_value = DEFAULT_NETWORK, conflicts_with = "public")]
    pub network: String,
    /// Seal it with this key file; who lacks the key can neither join nor read nor be heard
    #[arg(
        long,
        value_name = "FILE",
        env = "XORBIT_NETWORK_KEY_FILE",
        hide_env_values = true,
        conflicts_with = "public"
    )]
    pub network_key: Option<PathBuf>,
    /// Use the planet-wide Mainline network
    #[arg(long)]
    pub public: bool,
}

/// How many nodes hold each record.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Network")]
pub struct ReplicasArgs {
    /// How many nodes hold each record, the same in the whole network
    #[arg(long, allow_hyphen_values = true, value_name = "N", default_value_t = DEFAULT_REPLICAS as u8,
        value_parser = clap::value_parser!(u8).range(1..=MAX_REPLICAS as i64))]
    pub replicas: u8,
}

/// Which network to speak with, and through whom.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Network")]
pub struct ConnectionArgs {
    /// Where a node is, given once or more [default: 127.0.0.1:8000]
    #[arg(long, value_name = "HOST:PORT", env = "XORBIT_JOIN", value_delimiter = ',',
        hide_env_values = true, value_parser = door)]
    join: Vec<String>,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    replicas: ReplicasArgs,
}

/// A node of the verb's own, and what to call the way by which it reaches the network.
pub struct Client {
    /// The node.
    pub node: Node,
    /// Whom it joins through.
    pub through: Through,
}

/// Whom a verb joins through, for telling that nobody answers there.
#[derive(Clone, Debug)]
pub struct Through {
    names: Vec<String>,
    to: To,
}

/// Where the way leads.
#[derive(Clone, Debug)]
enum To {
    /// To the network of this name.
    Network(String),
    /// To the sealed network of this name.
    Sealed(String),
    /// To the planet-wide network.
    Public,
    /// To nobody else.
    Itself,
    /// To the network of the node that runs there.
    Running,
}

impl ConnectionArgs {
    /// Whether this is the planet-wide network.
    pub fn is_public(&self) -> bool {
        self.network.public
    }

    /// The name of the network, unless it is the planet-wide one.
    pub fn network_name(&self) -> &str {
        &self.network.network
    }

    /// What of this only a node of the verb's own can heed.
    pub fn wants_own_node(&self) -> Option<&'static str> {
        match self {
            _ if self.join.iter().any(|name| !name.is_empty()) => {
                Some("`--join` says through whom")
            }
            _ if self.network.network_key.is_some() => Some("the network is sealed"),
            _ if usize::from(self.replicas.replicas) != DEFAULT_REPLICAS => {
                Some("`--replicas` says how many")
            }
            _ => None,
        }
    }

    /// Starts a node that answers nobody, ready to ask.
    pub async fn connect(&self) -> Result<Client, Failure> {
        self.connect_with(None).await
    }

    /// The largest value in bytes, unless told otherwise.
    pub fn default_max_value(&self) -> u64 {
        if self.network.public { PUBLIC_MAX_VALUE } else { DEFAULT_MAX_VALUE }
    }

    /// Starts a node that answers nobody and takes values of up to `max_value` bytes.
    pub async fn connect_with(&self, max_value: Option<u64>) -> Result<Client, Failure> {
        // An empty `XORBIT_JOIN` is as good as none.
        let given: Vec<String> =
            self.join.iter().filter(|name| !name.is_empty()).cloned().collect();
        let names = if !given.is_empty() {
            given
        } else if self.network.public {
            PUBLIC_ROUTERS.map(String::from).into()
        } else {
            vec![format!("{}:{DEFAULT_PORT}", Ipv4Addr::LOCALHOST)]
        };
        let through = Through { names, to: self.network.to() };
        let mut builder = self.network.builder()?.replicas(self.replicas.replicas.into());
        // Resolved here, not by the node: a first question must find its doors at once.
        let doors = resolve(&through.names).await;
        if doors.is_empty() {
            return Err(through.unresolved());
        }
        if let Some(bytes) = max_value {
            builder = builder.max_value(bytes);
        }
        let node = start(builder, &doors).await?;
        Ok(Client { node, through })
    }
}

impl NetworkArgs {
    fn to(&self) -> To {
        match (&self.network_key, self.public) {
            (_, true) => To::Public,
            (Some(_), false) => To::Sealed(self.network.clone()),
            (None, false) => To::Network(self.network.clone()),
        }
    }

    /// What to call the network.
    pub fn told(&self) -> String {
        match self.to() {
            To::Network(name) => format!("network `{name}`"),
            To::Sealed(name) => format!("sealed network `{name}`"),
            To::Public | To::Itself | To::Running => String::from("the public network"),
        }
    }

    /// A node of this network, not started yet.
    pub fn builder(&self) -> Result<Builder, Failure> {
        let builder = Node::builder().network(self.network.clone()).public(self.public);
        Ok(match &self.network_key {
            Some(file) => builder.network_key(network_key::read(file)?),
            None => builder,
        })
    }

    /// Starts a node that answers nobody, to ask one address; gives that address, too.
    pub async fn reach(&self, name: &str) -> Result<(Client, SocketAddr), Failure> {
        let through = Through { names: vec![name.to_owned()], to: To::Itself };
        let builder = self.builder()?;
        let addresses = resolve(&through.names).await;
        let Some(address) = addresses.into_iter().find(is_bindable) else {
            return Err(through.unresolved());
        };
        let node = start(builder, &[address]).await?;
        Ok((Client { node, through }, address))
    }
}

impl Through {
    /// The running node with this URL.
    pub fn running(url: String) -> Self {
        Self { names: vec![url], to: To::Running }
    }

    /// Nobody answered there.
    pub fn unreachable(&self) -> Failure {
        let (who, hint) = match &self.to {
            To::Running => (
                "nobody of its network".into(),
                "see how the node is with `xorbit status`; `--join HOST:PORT` asks others",
            ),
            To::Network(name) => (
                format!("nobody of network `{name}`"),
                "start a node with `xorbit node`, or name one that runs with `--join HOST:PORT`; \
                 a sealed network answers only with its key, `--network-key FILE`",
            ),
            To::Sealed(name) => (
                format!("nobody of sealed network `{name}`"),
                "see that nodes run there with the same key and name of the network, and that the \
                 clocks of both machines agree to within 10 minutes",
            ),
            To::Public => ("nobody".into(), "see that this machine may send UDP to the internet"),
            To::Itself => (
                "nobody".into(),
                "see that a node runs there, and that nothing on the way drops UDP; a sealed one \
                 answers only with its key, `--network-key FILE`",
            ),
        };
        let place = if matches!(self.to, To::Running) { "the node" } else { "at" };
        Failure::new(Kind::Unreachable, format!("{who} answers {place} {self}"))
            .hint(hint)
            .with("join", self.names.clone())
    }

    fn unresolved(&self) -> Failure {
        Failure::new(Kind::Unreachable, format!("no address that can be reached behind {self}"))
            .hint("see that names are right and that this machine can resolve them")
            .with("join", self.names.clone())
    }
}

impl std::fmt::Display for Through {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(
            &self.names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
        )
    }
}

/// Reads `HOST:PORT`, where an IPv6 address stands in brackets.
pub fn host_and_port(text: &str) -> Result<String, String> {
    let shape = || String::from("not HOST:PORT, such as 192.0.2.1:8000 or [2001:db8::1]:8000");
    let (host, port) = text.rsplit_once(':').ok_or_else(shape)?;
    let bare_v6 = host.contains(':') && !(host.starts_with('[') && host.ends_with(']'));
    let port: u16 = port.parse().map_err(|_| shape())?;
    if host.is_empty() || bare_v6 || port == 0 { Err(shape()) } else { Ok(text.to_owned()) }
}

/// Reads `HOST:PORT`, or nothing.
fn door(text: &str) -> Result<String, String> {
    if text.is_empty() { Ok(String::new()) } else { host_and_port(text) }
}

/// All addresses behind these names; those that do not resolve in time are left out.
async fn resolve(names: &[String]) -> Vec<SocketAddr> {
    let mut lookups = JoinSet::new();
    for name in names.iter().cloned() {
        lookups.spawn(async move {
            let found = tokio::time::timeout(RESOLVING, lookup_host(name)).await;
            found.ok().and_then(Result::ok).into_iter().flatten().collect::<Vec<_>>()
        });
    }
    let mut addresses = Vec::new();
    while let Some(found) = lookups.join_next().await {
        addresses.extend(found.unwrap_or_default());
    }
    addresses
}

/// Starts a node that answers nobody, on the families in which it has a door.
async fn start(builder: Builder, doors: &[SocketAddr]) -> Result<Node, Failure> {
    let mut builder = builder.ephemeral(true);
    for v4 in [true, false] {
        let door = doors.iter().find(|door| door.is_ipv4() == v4);
        if let Some(door) = door.filter(|door| is_bindable(door)) {
            builder = builder.listen(any_of_family(door));
        }
    }
    for door in doors {
        builder = builder.join(door.to_string());
    }
    Ok(builder.start().await?)
}

fn any_of_family(address: &SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    }
}

/// Whether this machine has the family of an address at all.
fn is_bindable(address: &SocketAddr) -> bool {
    UdpSocket::bind(any_of_family(address)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_to_join_has_a_host_and_a_port() {
        for good in ["127.0.0.1:8000", "[::1]:8000", "node.example:1"] {
            assert_eq!(host_and_port(good).as_deref(), Ok(good));
        }
        for bad in ["127.0.0.1", "::1:8000", ":80", "host:0", "host:99999", "host:"] {
            assert!(host_and_port(bad).is_err(), "{bad}");
        }
    }
}
