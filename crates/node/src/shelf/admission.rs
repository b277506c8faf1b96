//! Whether an item may be held, for how long, and how much room there is.

use wire::{ItemRef, Refusal};

use crate::limits::{ITEM_BYTES, ITEMS, PER_ADDRESS_PERCENT, PER_PREFIX_PERCENT, PLAIN_LEASE};
use crate::time::UnixMillis;

/// For how long an item is held, and what it leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// It is served until then.
    pub until: UnixMillis,
    /// Its version is remembered until then, so that no older copy comes back.
    pub marker_until: UnixMillis,
    /// It is kept to its end even when room runs out.
    pub kept: bool,
}

/// Why an item is not held: an error code of BEP 5 or 44, and the reason in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text} ({code})")]
pub struct Refused {
    /// The error code.
    pub code: i64,
    /// The reason.
    pub text: &'static str,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        let text = match refusal {
            Refusal::NotCanonical => "value is not canonical bencode",
            Refusal::ValueTooBig => "value too big",
            Refusal::SaltTooBig => "salt too big",
            Refusal::BadSignature => "invalid signature",
            Refusal::WrongTarget => "item belongs to another target",
        };
        Refused { code: refusal.code(), text }
    }
}

/// Decides whether a verified item may be held, and for how long.
pub trait Admission {
    /// Judges an item at this wall time; `wanted` is until when its writer asks for it to be held.
    ///
    /// # Errors
    /// Why it must not be held.
    fn judge(
        &self,
        item: &ItemRef<'_>,
        wanted: Option<UnixMillis>,
        wall: UnixMillis,
    ) -> Result<Lease, Refused>;

    /// Judges an item once more, at a target where one is held to its end or its version is
    /// remembered beyond it.
    ///
    /// # Errors
    /// Why it must not take that one's place.
    fn may_follow(&self, item: &ItemRef<'_>, wall: UnixMillis) -> Result<(), Refused> {
        let _ = (item, wall);
        Ok(())
    }
}

/// The rule of BEP 44 alone: everything, for two hours.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mainline;

impl Admission for Mainline {
    fn judge(
        &self,
        _: &ItemRef<'_>,
        _: Option<UnixMillis>,
        wall: UnixMillis,
    ) -> Result<Lease, Refused> {
        Ok(Lease { until: wall + PLAIN_LEASE, marker_until: wall, kept: false })
    }
}

/// How much the shelf may hold.
#[derive(Clone, Copy, Debug)]
pub struct ShelfLimits {
    /// Items, markers included.
    pub items: usize,
    /// Bytes of values and keys. Updates of what is held may exceed them by a sixteenth.
    pub bytes: usize,
    /// Per cent of both that one address may fill; loopback is exempt.
    pub per_address_percent: u8,
    /// Per cent of both that one /24 (IPv6: /64) may fill; private and loopback addresses are exempt.
    pub per_prefix_percent: u8,
}

impl Default for ShelfLimits {
    fn default() -> Self {
        Self {
            items: ITEMS,
            bytes: ITEM_BYTES,
            per_address_percent: PER_ADDRESS_PERCENT,
            per_prefix_percent: PER_PREFIX_PERCENT,
        }
    }
}
