//! Room on the shelf: what may come when it runs out, and what goes.

use wire::{Seq, Target};

use super::admission::{Admission, Refused};
use super::items::Items;
use super::known::Known;
use super::staged::Admitted;
use crate::changes::Changes;
use crate::time::UnixMillis;

impl<A: Admission> Items<A> {
    /// Finds room for an item: what has ended goes, then what nobody was promised. Notes for whom it
    /// counts.
    pub(super) fn make_room(
        &mut self,
        known: &Known,
        admitted: &mut Admitted,
        wall: UnixMillis,
        changes: &mut Changes,
    ) -> Result<(), Refused> {
        let bytes = admitted.bytes();
        if !known.is_new {
            let grows = bytes.saturating_sub(known.bytes);
            let most = self.limits.bytes + self.limits.bytes / 16;
            return if self.bytes + grows <= most {
                self.take_over(known, admitted, grows)
            } else {
                Err(FULL)
            };
        }
        if !self.fits(bytes) {
            self.sweep(wall, changes);
        }
        let may_evict = admitted.lease.kept && !self.evictable.is_empty();
        if !self.fits(bytes) && !may_evict {
            return Err(FULL);
        }
        if !self.sources.allows(admitted.source, 1, bytes, &self.limits) {
            return Err(PART_IS_FULL);
        }
        while !self.fits(bytes) {
            if !self.evict(wall, changes) {
                return Err(FULL);
            }
        }
        Ok(())
    }

    /// Settles for whom an item counts that comes in the place of another: for whom that one did,
    /// unless it grows and who brings it has room. So nobody empties its part by updates, and what
    /// one filled its part with can be updated by others.
    fn take_over(
        &self,
        known: &Known,
        admitted: &mut Admitted,
        grows: usize,
    ) -> Result<(), Refused> {
        let (before, by) = (known.source, admitted.source);
        let bytes = admitted.bytes();
        let moves = grows > 0 && before != by && self.sources.allows(by, 1, bytes, &self.limits);
        if moves {
            admitted.is_charged = true;
            return Ok(());
        }
        admitted.source = before;
        let within = self.sources.allows(before, 0, grows, &self.limits);
        // What counts for nobody gives nobody room.
        let lent = !before.is_exempt() || before == by;
        if grows == 0 || (within && lent) { Ok(()) } else { Err(PART_IS_FULL) }
    }

    fn fits(&self, bytes: usize) -> bool {
        self.entries.len() + self.coming < self.limits.items
            && self.bytes + bytes <= self.limits.bytes
    }

    /// Lets go of the item that came first of those that may go. `false`: there is none that would
    /// make room.
    fn evict(&mut self, wall: UnixMillis, changes: &mut Changes) -> bool {
        let needs_places = self.entries.len() + self.coming >= self.limits.items;
        for _ in 0..self.evictable.len() {
            let Some(target) = self.evictable.pop_front() else { return false };
            let on_its_way = self.staged.latest(&target).is_some();
            let Some(entry) = self.entries.get_mut(&target) else { continue };
            if entry.lease.kept {
                entry.listed = false;
                continue;
            }
            let remembers = entry.seq.is_some() && entry.lease.marker_until > wall;
            if on_its_way || (needs_places && remembers && !entry.released) {
                self.evictable.push_back(target);
                continue;
            }
            // It goes before its end, so the same may come back: only older ones stay out. Of one
            // that was released not even those can come: others are closer.
            let below = |seq: Seq| Seq::new(seq.get() - 1);
            entry.seq = entry.seq.filter(|_| !entry.released).and_then(below);
            (entry.listed, entry.lease.until) = (false, wall);
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
        (entry.lease.kept, entry.released) = (false, true);
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

#[cfg(test)]
mod tests;
