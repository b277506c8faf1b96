//! What holders of sets tell each other of them, and who looked after them last.
//!
//! Only members whose own memory lasts are spoken of: what is told here longer than its writer said,
//! since it replaced something that lives longer, no other holder would take.

use alloc::boxed::Box;
use alloc::vec::Vec;

use wire::member::offer::{MemberOffer, Part, SetDigest};
use wire::{Cursor, Member, Target};

use super::{Held, Members, Set};
use crate::limits::{SET_BYTES, SETS};
use crate::shelf::Verdict;
use crate::time::UnixMillis;

/// The digests of larger sets are remembered for each part, those of others for the whole alone.
const SMALL_SET: usize = 64;

/// Digests that were told, good until a member comes, goes or ends.
#[derive(Default)]
pub(super) struct Digests {
    whole: Option<SetDigest>,
    parts: Option<Box<[SetDigest; Part::COUNT]>>,
    until: UnixMillis,
}

impl Held {
    fn outlasts(&self, wall: UnixMillis) -> bool {
        self.member.saying().remembered_ms > wall.0
    }
}

impl Set {
    fn offers(
        &self,
        part: Part,
        after: Option<Cursor>,
        wall: UnixMillis,
    ) -> impl Iterator<Item = MemberOffer> {
        let range = part.behind(after);
        // A place behind its own part would be no range at all.
        let within = after.is_none_or(|after| part == Part::WHOLE || Part::of(&after) == part);
        let members = within.then(|| self.members.range(range)).into_iter().flatten();
        let lasting = members.filter(move |(_, held)| held.outlasts(wall));
        lasting.map(|(cursor, held)| {
            let seq = held.member.saying().seq;
            MemberOffer { cursor: *cursor, seq }
        })
    }

    fn digest(&mut self, part: Part, wall: UnixMillis) -> SetDigest {
        if self.digests.until <= wall {
            let ends = self.members.values().filter(|held| held.outlasts(wall));
            let first = ends.map(|held| held.member.saying().remembered_ms).min();
            let until = UnixMillis(first.unwrap_or(u64::MAX));
            self.digests = Digests { until, ..Digests::default() };
        }
        let known = match part.index() {
            None => self.digests.whole,
            Some(index) => self.digests.parts.as_ref().map(|parts| parts[index]),
        };
        if let Some(known) = known {
            return known;
        }
        let Some(index) = part.index().filter(|_| self.members.len() > SMALL_SET) else {
            let digest = SetDigest::of(self.offers(part, None, wall));
            if part == Part::WHOLE {
                self.digests.whole = Some(digest);
            }
            return digest;
        };
        let mut parts = Box::new([SetDigest::of(core::iter::empty()); Part::COUNT]);
        for (digest, part) in parts.iter_mut().zip(Part::all()) {
            *digest = SetDigest::of(self.offers(part, None, wall));
        }
        self.digests.parts.insert(parts)[index]
    }
}

impl Members {
    /// All sets, in the order of the key space.
    pub fn kept_sets(&self) -> Vec<Target> {
        let mut targets: Vec<Target> = self.sets.keys().copied().collect();
        targets.sort_unstable();
        targets
    }

    /// What is held of a part of a set; `None`: nothing of the set.
    pub fn digest(&mut self, target: &Target, part: Part, wall: UnixMillis) -> Option<SetDigest> {
        Some(self.sets.get_mut(target)?.digest(part, wall))
    }

    /// The members of a part behind a place, as they may be offered.
    pub fn offers(
        &self,
        target: &Target,
        part: Part,
        after: Option<Cursor>,
        wall: UnixMillis,
    ) -> impl Iterator<Item = MemberOffer> {
        self.sets.get(target).into_iter().flat_map(move |set| set.offers(part, after, wall))
    }

    /// What the offer of a member is to us.
    pub fn judge_offer(&self, target: &Target, offer: &MemberOffer, wall: UnixMillis) -> Verdict {
        let held = self.sets.get(target).and_then(|set| set.members.get(&offer.cursor));
        let Some(held) = held.filter(|held| held.until > wall) else { return Verdict::Wanted };
        match held.member.saying().seq {
            ours if ours < offer.seq => Verdict::Wanted,
            ours if ours > offer.seq => Verdict::Newer,
            _ => Verdict::Same,
        }
    }

    /// A member that may be handed on.
    pub fn lasting(&self, target: &Target, cursor: &Cursor, wall: UnixMillis) -> Option<Member> {
        let held = self.sets.get(target)?.members.get(cursor)?;
        held.outlasts(wall).then(|| held.member.clone())
    }

    /// The second in which somebody last looked after a set.
    pub fn looked_after_s(&self, target: &Target) -> u32 {
        self.sets.get(target).map_or(0, |set| set.looked_after_s)
    }

    /// Notes that somebody looked after a set in this second.
    pub fn looked_after(&mut self, target: &Target, second: u32) {
        if let Some(set) = self.sets.get_mut(target) {
            set.looked_after_s = second;
        }
    }

    /// Whether a set is safe with others and may go when room runs out.
    pub fn release(&mut self, target: &Target, released: bool) {
        if let Some(set) = self.sets.get_mut(target) {
            set.released = released;
        }
    }

    /// Lets released sets go while more than seven eighths of the room are taken, and tells of each
    /// member.
    pub fn shed(&mut self, mut each: impl FnMut(&Target, &Cursor)) {
        let (most_bytes, most_sets) = (SET_BYTES / 8 * 7, SETS / 8 * 7);
        let Self { sets, sources, bytes, count, .. } = self;
        let mut left = sets.len();
        sets.retain(|target, set| {
            if !set.released || (*bytes <= most_bytes && left <= most_sets) {
                return true;
            }
            left -= 1;
            *count -= set.members.len();
            for (cursor, held) in &set.members {
                each(target, cursor);
                *bytes -= held.bytes();
                sources.release(held.source, 1, held.bytes());
            }
            false
        });
    }
}

#[cfg(test)]
mod tests;
