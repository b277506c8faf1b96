//! Room on the shelf: what may come when it runs out, and what goes.

use wire::Target;

use super::admission::{Admission, Refused};
use super::items::{Items, Known};
use super::staged::Admitted;
use crate::changes::Changes;
use crate::time::UnixMillis;

impl<A: Admission> Items<A> {
    /// Finds room for an item: what has ended goes, then what nobody was promised.
    pub(super) fn make_room(
        &mut self,
        known: &Known,
        admitted: &Admitted,
        wall: UnixMillis,
        changes: &mut Changes,
    ) -> Result<(), Refused> {
        let bytes = admitted.bytes();
        if !known.is_new {
            let grows = bytes.saturating_sub(known.bytes);
            let most = self.limits.bytes + self.limits.bytes / 16;
            return if self.bytes + grows <= most { Ok(()) } else { Err(FULL) };
        }
        if !self.fits(bytes) {
            self.sweep(wall, changes);
        }
        let may_evict = admitted.lease.kept && !self.evictable.is_empty();
        if !self.fits(bytes) && !may_evict {
            return Err(FULL);
        }
        if !self.sources.allows(admitted.source, bytes, &self.limits) {
            return Err(PART_IS_FULL);
        }
        while !self.fits(bytes) {
            if !self.evict(wall, changes) {
                return Err(FULL);
            }
        }
        Ok(())
    }

    fn fits(&self, bytes: usize) -> bool {
        self.entries.len() + self.coming < self.limits.items
            && self.bytes + bytes <= self.limits.bytes
    }

    /// Lets go of the item that came first of those that may go. `false`: there is none.
    fn evict(&mut self, wall: UnixMillis, changes: &mut Changes) -> bool {
        while let Some(target) = self.evictable.pop_front() {
            let on_its_way = self.staged.latest(&target).is_some();
            let Some(entry) = self.entries.get_mut(&target) else { continue };
            entry.listed = false;
            if entry.lease.kept || on_its_way {
                continue;
            }
            // Its marker stays where there is one: room in bytes is gained all the same.
            entry.lease.until = wall;
            let check = entry.check;
            self.check(target, check, wall, changes);
            self.declutter();
            return true;
        }
        false
    }

    /// Lets an item go when room runs out, though it was kept so far.
    pub fn release(&mut self, target: &Target) {
        let Some(entry) = self.entries.get_mut(target) else { return };
        entry.lease.kept = false;
        if entry.lists_if_evictable() {
            self.list(*target);
        }
    }

    /// Lists an item among those that may go.
    pub(super) fn list(&mut self, target: Target) {
        self.evictable.push_back(target);
        // Those that ended stay behind in the list: more of them than entries are cleared away.
        if self.evictable.len() > 2 * self.entries.len() + 1024 {
            let entries = &mut self.entries;
            let mut listed = |target: &Target| {
                entries.get_mut(target).is_some_and(|entry| core::mem::take(&mut entry.listed))
            };
            self.evictable.retain(&mut listed);
            for target in &self.evictable {
                if let Some(entry) = self.entries.get_mut(target) {
                    entry.listed = true;
                }
            }
        }
    }
}

const FULL: Refused = Refused { code: 202, text: "full" };
const PART_IS_FULL: Refused = Refused { code: 202, text: "full for your address" };
