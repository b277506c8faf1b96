//! Why a node does not start, and that it is gone.

use std::io;
use std::net::SocketAddr;

use crate::data_dir::DataDirError;

/// Why a node does not start. Each says which value is at fault.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("cannot listen on `{address}`: {cause}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why not.
        cause: io::Error,
    },
    /// Two addresses of one family.
    #[error("cannot listen on `{0}` and `{1}`: one IPv4 and one IPv6 address at most")]
    TwoOfOneFamily(SocketAddr, SocketAddr),
    /// The data directory cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// What to join through is no `HOST:PORT`.
    #[error("`{0}` is not HOST:PORT")]
    BadJoin(String),
    /// The number of replicas is out of range.
    #[error("{0} replicas are not between 1 and {max}", max = kv::MAX_REPLICAS)]
    BadReplicas(usize),
    /// The system gives no thread for the disk.
    #[error("cannot start a thread for the disk: {0}")]
    NoThread(io::Error),
    /// A network key for the public network, where nobody has it.
    #[error("the public network cannot be sealed")]
    SealedPublic,
    /// The machine gives no randomness.
    #[error("the machine gives no randomness: {0}")]
    NoRandomness(getrandom::Error),
}

/// The node was closed before the request was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the node was closed")]
pub struct Closed;
