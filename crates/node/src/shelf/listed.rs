//! A look at the items on the shelf, those first that end first.

use alloc::vec::Vec;

use wire::{Seq, Target};

use super::items::Items;
use crate::time::UnixMillis;

/// Notes that are looked at for each item wanted: those of renewed items and of mere versions lie
/// between them.
const NOTES_PER_ITEM: usize = 8;

/// An item on the shelf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Where it lies.
    pub target: Target,
    /// Bytes of its value, bencoded.
    pub bytes: usize,
    /// Bytes of its salt.
    pub salt_bytes: usize,
    /// Its version; `None`: it is immutable.
    pub seq: Option<Seq>,
    /// It is served until then.
    pub until: UnixMillis,
    /// Its version is remembered until then.
    pub marker_until: UnixMillis,
}

impl<A> Items<A> {
    /// At most `limit` items of those that end soonest, in that order.
    ///
    /// Each is noted under the end that its lease had when it was last looked at, so a renewed item may
    /// take the place of one that ends sooner; the effort is bounded by the limit, not by the shelf.
    pub fn soonest(&self, limit: usize, wall: UnixMillis) -> Vec<Listed> {
        let listed = |target: &Target| {
            let entry = self.entries.get(target)?;
            let item = entry.item.as_ref().filter(|_| entry.lease.until > wall)?;
            Some(Listed {
                target: *target,
                bytes: item.value().len(),
                salt_bytes: item.as_ref().signed().map_or(0, |signed| signed.salt.len()),
                seq: entry.seq,
                until: entry.lease.until,
                marker_until: entry.lease.marker_until,
            })
        };
        let notes = self.calendar.in_order().take(limit.saturating_mul(NOTES_PER_ITEM));
        // A target may have been noted twice under one minute.
        let mut soonest: Vec<Listed> = notes.filter_map(listed).collect();
        soonest.sort_by_key(|listed| (listed.until, listed.target));
        soonest.dedup_by_key(|listed| listed.target);
        soonest.truncate(limit);
        soonest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shelf::{Items, Mainline, Offered, ShelfLimits, Source};

    fn put(items: &mut Items<Mainline>, number: u32, wall: UnixMillis) -> Target {
        let value = alloc::format!("i{number}e");
        let item = wire::Item::immutable(value.as_bytes()).unwrap();
        let offered = Offered {
            item: item.as_ref(),
            wanted: None,
            cas: None,
            source: Source::default(),
            second: 0,
        };
        items.put(&offered, wall, &mut crate::changes::Changes::default()).unwrap();
        item.target()
    }

    #[test]
    fn what_ends_first_comes_first_and_no_more_than_wanted() {
        let mut dice = crate::dice::Dice::new([1; 32]);
        let mut items = Items::new(Mainline, ShelfLimits::default(), false, &mut dice);
        let at = |minute: u64| UnixMillis(1_000_000_000 + minute * 60_000);
        let early: Vec<Target> = (0..5).map(|n| put(&mut items, n, at(n.into()))).collect();
        // The first of all is renewed, and ends last.
        put(&mut items, 0, at(30));
        let order = |limit| -> Vec<Target> {
            items.soonest(limit, at(30)).iter().map(|listed| listed.target).collect()
        };
        assert_eq!(order(10), [early[1], early[2], early[3], early[4], early[0]]);
        assert_eq!(order(2), early[1..3]);
        assert!(order(0).is_empty());
        let listed = items.soonest(1, at(30))[0];
        assert_eq!((listed.bytes, listed.salt_bytes, listed.seq), (3, 0, None));
        assert!(items.soonest(10, at(500)).is_empty(), "all have ended");
    }
}
