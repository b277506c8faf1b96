//! What the shelf knows of a target, and what may come after it: the order of versions (BEP 44).

use wire::planted::{self, Bug};
use wire::{Item, ItemRef, Seq, Target};

use super::admission::{Admission, Lease, Refused};
use super::items::Items;
use super::sources::Source;
use crate::changes::BatchNumber;
use crate::loads::Shelved;
use crate::time::UnixMillis;

/// What is known of a target before an item is taken.
#[derive(Default)]
pub(super) struct Known {
    /// The version held, on its way or remembered.
    seq: Option<Seq>,
    /// It has not ended.
    lives: bool,
    /// Its value is that of the new item.
    same: bool,
    /// Only its version is left, though its lease lasts: our clock was fast when we let it go.
    went_early: bool,
    /// The lease of what is known.
    pub lease: Option<Lease>,
    /// It will be held when this batch is durable.
    pub staged: Option<BatchNumber>,
    /// Its target has no place on the shelf yet.
    pub is_new: bool,
    /// Bytes of the item held.
    pub bytes: usize,
    /// For whom it counts.
    pub source: Source,
}

impl Known {
    /// Whether an item is the same once more, perhaps because our answer was lost: that is no
    /// conflict.
    ///
    /// # Errors
    /// If it may not come after what is known.
    pub fn orders(&self, item: &ItemRef<'_>, cas: Option<Seq>) -> Result<bool, Refused> {
        let repeated = self.same && self.seq == item.seq();
        if let (Some(old), Some(new)) = (self.seq, item.seq()) {
            let mismatch = self.lives && !repeated && cas.is_some_and(|cas| cas != old);
            if mismatch && !planted::is(Bug::CasIgnored) {
                return Err(CAS_MISMATCH);
            }
            if (new < old && !planted::is(Bug::LowerVersionTaken))
                || (new == old
                    && !self.same
                    && !self.went_early
                    && !planted::is(Bug::EqualVersionTaken))
            {
                return Err(SEQ_TOO_LOW);
            }
        }
        Ok(repeated)
    }
}

impl Lease {
    /// The lease of what comes after another; `repeated`: it is the same.
    pub(super) fn after(self, before: &Self, repeated: bool) -> Self {
        Self {
            // What one writer was promised, another cannot take away.
            until: if repeated { self.until.max(before.until) } else { self.until },
            // Copies of what goes may live on elsewhere, longer than what comes: its marker stays.
            marker_until: self.marker_until.max(before.marker_until),
            kept: self.kept || (repeated && before.kept),
        }
    }
}

impl<A: Admission> Items<A> {
    /// What lies under a target, whether it has ended or not.
    pub fn shelved(&self, target: &Target) -> Option<Shelved> {
        let entry = self.entries.get(target)?;
        let Lease { until, marker_until, .. } = entry.lease;
        Some(Shelved { is_item: entry.item.is_some(), seq: entry.seq, until, marker_until })
    }

    /// What the newest item under a target says of another, those on their way included.
    pub(super) fn known(&self, target: &Target, item: &ItemRef<'_>, wall: UnixMillis) -> Known {
        let entry = self.entries.get(target);
        let held = entry.and_then(|entry| entry.item.as_ref());
        let bytes = held.map_or(0, Item::heap_bytes);
        if let Some((batch, admitted)) = self.staged.latest(target) {
            let value = self.staged.latest_item(target).or(held).map(Item::value);
            let durable = planted::is(Bug::CasSeesDurableOnly);
            return Known {
                seq: if durable { entry.and_then(|entry| entry.seq) } else { admitted.seq },
                lives: !durable || held.is_some(),
                same: value == Some(item.value()),
                went_early: false,
                lease: Some(admitted.lease),
                staged: Some(batch),
                is_new: false,
                bytes,
                source: admitted.source,
            };
        }
        let Some(entry) = entry else { return Known { is_new: true, ..Known::default() } };
        let source = entry.source;
        let held = held.filter(|_| entry.lease.until > wall);
        if held.is_none() && entry.lease.marker_until <= wall {
            return Known { bytes, source, ..Known::default() };
        }
        Known {
            seq: entry.seq,
            lives: held.is_some(),
            same: held.is_some_and(|held| held.value() == item.value()),
            went_early: entry.went_early(wall),
            lease: Some(entry.lease),
            staged: None,
            is_new: false,
            bytes,
            source,
        }
    }
}

const CAS_MISMATCH: Refused = Refused { code: 301, text: "CAS mismatch, re-read and try again" };
const SEQ_TOO_LOW: Refused = Refused { code: 302, text: "sequence number less than current" };
