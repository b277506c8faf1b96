//! What is told of promises.

use core::fmt;
use core::time::Duration;

use node::UnixMillis;
use sha2::{Digest, Sha256};
use wire::{PublicKey, Target};

use super::ChunksFare;
use crate::key::{Key, KeyError};
use crate::limits::{LEAST_PROMISED_TTL, PROMISED_BYTES, PROMISES};
use crate::namespace::Namespace;
use crate::report::{Absence, Effort};
use crate::version::Version;

/// Starts the hash that names a promise, so that no other use of owner and salt gives it.
const CONTEXT: &[u8] = b"xorbit promise v1\0";

/// Names a promise: the SHA-256 of a context, the namespace's public key and the key's salt.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PromiseId([u8; 32]);

impl PromiseId {
    /// The promise about a key of a namespace.
    pub fn of(namespace: &Namespace, key: &Key) -> Self {
        let hash = Sha256::new()
            .chain_update(CONTEXT)
            .chain_update(namespace.owner().as_bytes())
            .chain_update(namespace.salt(key));
        Self(hash.finalize().into())
    }

    /// The promise of these bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for PromiseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What the last look at a promised value came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fares {
    /// Nobody has looked since the node started.
    NotYet,
    /// It lives.
    Alive {
        /// Replicas that held it.
        holding: usize,
        /// How many replicas are known.
        known: usize,
        /// Replicas that were given it.
        given: usize,
    },
    /// It was renewed.
    Renewed {
        /// Replicas that stored it.
        stored: usize,
        /// How many replicas are known.
        known: usize,
    },
    /// Our own shelf has this newer version, which came since the last look. It is looked at now.
    Newer(Version),
    /// Somebody wrote while it was to be renewed, and that stays: it is looked at again soon.
    Overtaken,
    /// It was to be renewed in this version, and the node that decides did not answer: it is open
    /// whether it was, until it is looked at again soon.
    Undetermined(Version),
    /// It cannot be renewed, since no version is above this one. It ends when it expires.
    Exhausted(Version),
    /// It should be renewed and was not, since this node had too much to do. It is looked at again
    /// soon.
    NotRenewed,
    /// It should be renewed, but no other node answers, of which some did before: nobody knows whether
    /// it was deleted there meanwhile. It is looked at again soon.
    Alone,
    /// It was deleted, in this version. That is not undone; what is put later is kept again.
    Deleted(Version),
    /// It has expired, or was replaced by what has: nobody can tell any more whether it was deleted
    /// meanwhile, so it does not come back. What is put later is kept again.
    Expired(Version),
    /// The newest version does not open with the secret of the namespace; it is left alone.
    Unopened(Version),
    /// Too few replicas answered or stored: it is looked at again soon.
    TooFew {
        /// How many did.
        answered: usize,
        /// How many replicas are known.
        known: usize,
    },
    /// Nobody answered: it is looked at again soon.
    Unreachable,
}

impl Fares {
    /// Whether it will do to look again at the usual time.
    pub(crate) fn is_settled(&self) -> bool {
        match self {
            Fares::NotYet
            | Fares::Alive { .. }
            | Fares::Renewed { .. }
            | Fares::Exhausted(_)
            | Fares::Deleted(_)
            | Fares::Expired(_)
            | Fares::Unopened(_) => true,
            Fares::Newer(_)
            | Fares::Overtaken
            | Fares::Undetermined(_)
            | Fares::NotRenewed
            | Fares::Alone
            | Fares::TooFew { .. }
            | Fares::Unreachable => false,
        }
    }
}

/// A promise that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeepReport {
    /// Where in the key space the key lies.
    pub target: Target,
    /// The version that was found.
    pub version: Version,
    /// Until when it lives as it is; `None`: it is plain.
    pub expires: Option<UnixMillis>,
    /// For how long it is renewed each time; `None`: it cannot be, since it is plain or this node may
    /// not sign.
    pub renews: Option<Duration>,
    /// How many chunks are kept with it, if it does not fit one item.
    pub chunks: Option<u64>,
    /// The promise outlives the process.
    pub durable: bool,
    /// How it fared when the promise was made.
    pub fares: Fares,
}

/// A promise, and how it fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromiseStatus {
    /// Names it.
    pub id: PromiseId,
    /// The key.
    pub key: Key,
    /// Whose namespace.
    pub owner: PublicKey,
    /// It is a secret namespace.
    pub secret: bool,
    /// When it was made.
    pub since: UnixMillis,
    /// The newest version seen.
    pub version: Version,
    /// Until when that lives; `None`: it is plain.
    pub expires: Option<UnixMillis>,
    /// For how long it is renewed each time; `None`: it cannot be, since it is plain or this node may
    /// not sign.
    pub renews: Option<Duration>,
    /// What the last look came to.
    pub fares: Fares,
    /// The chunks of a value that does not fit one item.
    pub chunks: Option<ChunksStatus>,
    /// When that was; `None`: not since the node started.
    pub looked: Option<UnixMillis>,
    /// In what time the next look is due; `None`: it is on its way.
    pub next_in: Option<Duration>,
}

/// The chunks of a promised value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunksStatus {
    /// How many it has, those of its tree included.
    pub of: u64,
    /// How they fare.
    pub fare: ChunksFare,
}

/// Why a promise was not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeepError {
    /// The key is none.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The life asked for is too short to be renewed in time, or longer than a year.
    #[error("a life of {0:?} is not between {LEAST_PROMISED_TTL:?} and 365 days")]
    BadTtl(Duration),
    /// There is no value to keep.
    #[error("not found")]
    NotFound {
        /// Why not.
        absence: Absence,
        /// What it cost.
        effort: Effort,
    },
    /// The newest version does not open with the secret of the namespace.
    #[error("version {0} does not open with the secret of this namespace")]
    Unopened(Version),
    /// The value has more chunks than can be looked after.
    #[error("version {0} has more than {PROMISED_BYTES} bytes, the most that can be kept")]
    TooLarge(Version),
    /// Nobody answered.
    #[error("nobody answered")]
    Unreachable(Effort),
    /// Too few replicas answered to be sure which value is the newest.
    #[error("only {answered} of {known} nodes answered, fewer than the {needed} needed")]
    NotEnoughReplicas {
        /// How many answered.
        answered: usize,
        /// How many are known.
        known: usize,
        /// How many must answer.
        needed: usize,
    },
    /// The node keeps as many promises as it can.
    #[error("the node keeps {PROMISES} promises already, and takes no more")]
    TooMany,
    /// The disk did not take the promise.
    #[error("the promise could not be written to the disk")]
    NotDurable,
    /// The node has as many requests on their way as it may.
    #[error("too many requests at once")]
    Busy,
    /// The node was closed before the request was done.
    #[error("the node was closed")]
    Closed,
}

/// Why a promise was not ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnkeepError {
    /// The key is none.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// There is no such promise.
    #[error("there is no such promise")]
    NotKept,
    /// The disk did not take the end of the promise, so it stays.
    #[error("the end of the promise could not be written to the disk")]
    NotDurable,
    /// The node was closed before the request was done.
    #[error("the node was closed")]
    Closed,
}
