//! HTTP over a running node: keys and values, lookups as they go, metrics, and whether it is well.
//!
//! A request goes through `serve` (connections and their bounds), `admission` (who may
//! ask: Host, Origin, token; strangers at the pace of `rate`), a route of `routes`, and the node's handle. What goes wrong comes back
//! as a [`Problem`] (RFC 9457), which keeps apart not found, too few replicas, conflict, too large
//! and out of time.

mod admission;
mod answer;
mod connections;
mod cors;
mod dashboard;
mod health;
pub mod hex;
mod items;
mod kv;
mod listen;
mod metrics;
mod node_routes;
mod opened;
mod params;
mod peers;
mod pkarr;
mod precondition;
mod problem;
mod rate;
mod routes;
pub mod shapes;
pub mod span;
mod spool;
mod token;
pub mod topic;
mod watch;
mod z32;

pub use cors::Site;
pub use listen::{DEFAULT_HTTP_PORT, ListenError, Listener};
pub use opened::Opened;
pub use problem::Problem;
pub use routes::openapi;
pub use token::{Token, TokenError};

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::task::AbortHandle;
use xorbit::Node;

use connections::Tally;

/// What the gateway is told.
#[derive(Debug)]
pub struct Settings {
    /// The node that it speaks for.
    pub node: Node,
    /// The network that it is on.
    pub network: Network,
    /// It was told to join others: alone it is not ready.
    pub joins: bool,
    /// What callers must show; needed unless it listens on loopback alone.
    pub token: Option<Token>,
    /// What strangers may use without the token, at a bounded rate.
    pub opened: Vec<Opened>,
    /// Sites whose pages may call.
    pub sites: Vec<Site>,
}

/// Which network a node is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Network {
    /// The planet-wide one, where a namespace must be named.
    Public,
    /// One of its own.
    Own {
        /// Its name.
        name: String,
        /// Only who has its key can join.
        sealed: bool,
    },
}

/// A gateway that serves. Dropping it ends it.
#[derive(Debug)]
pub struct Gateway {
    address: SocketAddr,
    task: AbortHandle,
}

/// What all routes share.
#[derive(Debug)]
struct Shared {
    settings: Settings,
    /// It listens on loopback alone.
    local: bool,
    tally: Tally,
    health: health::Overlay,
    rates: rate::Rates,
}

type State = axum::extract::State<Arc<Shared>>;

impl Gateway {
    /// Begins to serve.
    pub fn start(listener: Listener, settings: Settings) -> Self {
        let address = listener.address();
        let shared = Arc::new(Shared {
            local: address.ip().is_loopback(),
            settings,
            tally: Tally::default(),
            health: health::Overlay::default(),
            rates: rate::Rates::default(),
        });
        let app = routes::all(Arc::clone(&shared));
        let task = tokio::spawn(connections::serve(listener, app, shared)).abort_handle();
        Self { address, task }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.task.abort();
    }
}
