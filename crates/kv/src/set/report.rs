//! What changes and listings of sets tell, and why they fail.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;

use node::UnixMillis;
use wire::{Cursor, Member, PublicKey, Target};

use crate::key::KeyError;
use crate::report::{Effort, WriteReport};
use crate::version::Version;

/// A change of a set that enough replicas took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetReport {
    /// Where in the key space the set lies.
    pub target: Target,
    /// Whose member it is.
    pub writer: PublicKey,
    /// The version that it has now.
    pub version: Version,
    /// Until when it is a member; of a removed one, until when the removal is remembered.
    pub expires: UnixMillis,
    /// Where it was stored.
    pub replicas: WriteReport,
}

/// A member of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedMember {
    /// Whose it is.
    pub writer: PublicKey,
    /// The item.
    pub item: Box<[u8]>,
    /// Its version.
    pub version: Version,
    /// Until when it is a member.
    pub expires: UnixMillis,
}

impl From<&Member> for ListedMember {
    fn from(member: &Member) -> Self {
        let saying = member.saying();
        Self {
            writer: member.writer(),
            item: saying.item.into(),
            version: Version::of(saying.seq),
            expires: UnixMillis(saying.expires_ms),
        }
    }
}

/// A part of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MembersReport {
    /// Where in the key space the set lies.
    pub target: Target,
    /// The members, in the order of their [`Cursor`]s.
    pub members: Vec<ListedMember>,
    /// Members that do not open with the secret of the namespace, which are left out: whoever knows
    /// where a set lies can add to it, holders among them.
    pub unopened: usize,
    /// Behind this place there may be more; `None`: these are all.
    pub next: Option<Cursor>,
    /// How many members each replica holds, by what the one in the middle says; removed and expired
    /// ones that are still remembered count.
    pub held: u64,
    /// Replicas that answered.
    pub answered: usize,
    /// How many must answer: a majority.
    pub needed: usize,
    /// How many replicas are known, of nodes that hold sets.
    pub known: usize,
    /// Members that are being given to replicas that lack them.
    pub repairing: usize,
    /// What it cost; questions for members count as asked.
    pub effort: Effort,
}

/// Why a change or listing of a set failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetError {
    /// The key is none.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The namespace has no writer here, and no other was named.
    #[error("nobody is named who writes, and the signer of namespace `{0}` is not here")]
    NoWriter(PublicKey),
    /// The item is empty or too long.
    #[error("the item has {length} bytes; a member has 1 to {limit}")]
    ItemSize {
        /// Its bytes.
        length: usize,
        /// How many it may have: fewer in a secret namespace.
        limit: usize,
    },
    /// The life asked for is zero, or longer than a year.
    #[error("a life of {0:?} is not between 1 ms and 365 days")]
    BadTtl(Duration),
    /// Nobody answered.
    #[error("nobody answered")]
    Unreachable(Effort),
    /// Those that answered are foreign nodes, which hold no sets.
    #[error("none of the {answered} nodes that answered holds sets: only Xorbit nodes do")]
    NoHolders {
        /// How many answered.
        answered: usize,
        /// What it cost.
        effort: Effort,
    },
    /// There is nothing to remove: the writer has no such member.
    #[error("the writer has no such member")]
    NotFound {
        /// Who would remove it.
        writer: PublicKey,
        /// What it cost.
        effort: Effort,
    },
    /// Too few replicas stored.
    #[error("stored at {} of {} nodes, fewer than the {} needed",
        .0.replicas.stored.len(), .0.replicas.known, .0.replicas.needed)]
    NotEnoughReplicas(Box<SetReport>),
    /// Too few replicas answered to be sure.
    #[error("only {answered} of {known} nodes answered, fewer than the {needed} needed")]
    NotEnoughAnswers {
        /// How many answered.
        answered: usize,
        /// How many are known.
        known: usize,
        /// How many must answer.
        needed: usize,
        /// What they told, for a listing.
        found: Option<Box<MembersReport>>,
    },
    /// The version found is so high that none can be above it.
    #[error("version {0} leaves no room for a higher one")]
    VersionExhausted(Version),
    /// This node has as many requests on their way as it may.
    #[error("too many requests at once")]
    Busy,
    /// The node was closed before the request was done.
    #[error("the node was closed")]
    Closed,
}
