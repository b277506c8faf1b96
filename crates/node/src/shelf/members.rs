//! Members of sets, each until its writer's last word about it may be forgotten.
//!
//! A set is kept in the order of its cursors, so that a page of it is found without sorting. What
//! expired or was removed is kept, and told, as long as a copy of what it replaced could come back:
//! readers who unite the answers of several holders then see that the copy is old.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::mem;
use core::ops::Bound;
use core::time::Duration;

use hashbrown::HashMap;
use wire::planted::{self, Bug};
use wire::{Cursor, Endpoint, Member, MemberRef, Target};

use super::sources::{Source, Sources, Way};
use super::{Refused, ShelfLimits};
use crate::dice::Dice;
use crate::limits::{
    MEMBER_AHEAD, MEMBER_LIFE, MEMBERS_PER_SET, MEMBERS_PER_WRITER, PER_ADDRESS_PERCENT,
    PER_PREFIX_PERCENT, SET_BYTES, SETS,
};
use crate::time::UnixMillis;

mod upkeep;

use upkeep::Digests;

const EXPIRED: Refused = Refused { code: 203, text: "member has expired" };
const TOO_LONG: Refused = Refused { code: 203, text: "member lives longer than a year" };
const TOO_FAR_AHEAD: Refused = Refused { code: 203, text: "version is ahead of the clock" };
const VERSION_TOO_LOW: Refused = Refused { code: 302, text: "version less than current" };
const FULL: Refused = Refused { code: 202, text: "full" };
const SOURCE_FULL: Refused = Refused { code: 202, text: "full for your address" };
const WRITER_FULL: Refused = Refused { code: 202, text: "too many members of one writer" };

/// Bytes of a member beside its item, in memory: itself, its key and its share of the tree.
const ENTRY_BYTES: usize = size_of::<Member>() + size_of::<Held>() + 48;

/// All sets are looked through for what has ended at most so often, to make room.
const SWEPT_EVERY: Duration = Duration::from_secs(1);

/// What all sets may fill, and the part of it that is left to one address and to one network.
const LIMITS: ShelfLimits = ShelfLimits {
    items: SET_BYTES / ENTRY_BYTES,
    bytes: SET_BYTES,
    per_address_percent: PER_ADDRESS_PERCENT,
    per_prefix_percent: PER_PREFIX_PERCENT,
};

/// A member under its lease.
struct Held {
    member: Member,
    /// It is told until then: its own memory, or that of whatever it replaced here if that is later.
    until: UnixMillis,
    /// Who brought it here first, and so fills the room that it takes.
    source: Source,
}

impl Held {
    fn bytes(&self) -> usize {
        ENTRY_BYTES + self.member.item().len()
    }
}

/// The members of one set.
struct Set {
    members: BTreeMap<Cursor, Held>,
    /// How many of them each writer has.
    writers: BTreeMap<[u8; 32], usize>,
    /// None of them ends before; where one was renewed, earlier than the first end.
    next_end: UnixMillis,
    digests: Digests,
    /// The second of the monotonic clock in which somebody last saw to it that those who should hold
    /// all of it do.
    looked_after_s: u32,
    /// Others hold all of it, and we need not.
    released: bool,
}

impl Set {
    /// Takes out what need not be remembered any more.
    fn take_ended(&mut self, wall: UnixMillis) -> BTreeMap<Cursor, Held> {
        self.digests = Digests::default();
        let all = mem::take(&mut self.members);
        let (kept, ended) = all.into_iter().partition(|(_, held)| held.until > wall);
        self.members = kept;
        let ended: BTreeMap<Cursor, Held> = ended;
        for held in ended.values() {
            forget(&mut self.writers, held.member.writer().as_bytes());
        }
        let first = self.members.values().map(|held| held.until).min();
        self.next_end = first.unwrap_or(self.next_end);
        ended
    }
}

/// Held members of all sets.
pub struct Members {
    sets: HashMap<Target, Set, foldhash::fast::FixedState>,
    sources: Sources,
    bytes: usize,
    count: usize,
    /// When all sets were last looked through for what has ended.
    swept_at: UnixMillis,
}

/// The part of a set behind a cursor.
pub struct Page<'s> {
    set: Option<&'s Set>,
    after: Option<Cursor>,
    wall: UnixMillis,
    /// How many members are held in all, those that expired or were removed included.
    pub num: usize,
}

impl<'s> Page<'s> {
    /// The members, in their order.
    pub fn members(&self) -> impl Iterator<Item = MemberRef<'s>> + use<'s> {
        let (wall, from) = (self.wall, self.after.map_or(Bound::Unbounded, Bound::Excluded));
        let members = self.set.map(|set| set.members.range((from, Bound::Unbounded)));
        let told = members.into_iter().flatten().filter(move |(_, held)| held.until > wall);
        told.map(|(_, held)| held.member.as_ref())
    }
}

impl Members {
    /// None yet.
    pub fn new(dice: &mut Dice) -> Self {
        let hasher = foldhash::fast::FixedState::with_seed(dice.u64());
        let sources = Sources::new(dice);
        Self {
            sets: HashMap::with_hasher(hasher),
            sources,
            bytes: 0,
            count: 0,
            swept_at: UnixMillis::default(),
        }
    }

    /// Whoever brings members in this way from this address.
    pub fn source(&self, from: &Endpoint, way: Way) -> Source {
        self.sources.of(from, way)
    }

    /// What is told of a set to somebody who knows it up to `after`.
    pub fn page(&self, target: &Target, after: Option<Cursor>, wall: UnixMillis) -> Page<'_> {
        let set = self.sets.get(target);
        Page { set, after, wall, num: set.map_or(0, |set| set.members.len()) }
    }

    /// Takes a member if its times, its version and the room allow it. The same once more is taken
    /// again: our answer may have been lost.
    ///
    /// Tells until when it will be told, and `gone` of each that made room.
    ///
    /// # Errors
    /// Why not; what was held stays.
    pub fn add(
        &mut self,
        member: MemberRef<'_>,
        source: Source,
        wall: UnixMillis,
        gone: impl FnMut(&Target, &Cursor),
    ) -> Result<UnixMillis, Refused> {
        let until = judge(&member, wall)?;
        let (target, cursor) = (member.target(), member.cursor());
        let set = self.sets.get_mut(&target);
        let held = set.and_then(|set| {
            let Set { members, next_end, digests, .. } = set;
            Some((members.get_mut(&cursor)?, next_end, digests))
        });
        if let Some((held, next_end, digests)) = held {
            let (old, new) = (held.member.saying(), member.saying());
            if held.until > wall {
                if (new.seq < old.seq || (new.seq == old.seq && new != old))
                    && !planted::is(Bug::MemberLowerVersionTaken)
                {
                    return Err(VERSION_TOO_LOW);
                }
                held.until = held.until.max(until);
            } else {
                held.until = until;
            }
            // The item is the same by its cursor, so the bytes do not change.
            held.member = member.to_member();
            *digests = Digests::default();
            *next_end = (*next_end).min(held.until);
            return Ok(held.until);
        }
        let held = Held { member: member.to_member(), until, source };
        self.insert(cursor, held, wall, gone).map(|()| until)
    }

    /// Takes back a member that was kept over a restart, unless it has ended or there is no room.
    pub fn restore(&mut self, member: Member, until: UnixMillis, wall: UnixMillis) -> bool {
        let (target, cursor) = (member.target(), member.cursor());
        let held = Held { member, until, source: Source::default() };
        let set = self.sets.get(&target);
        let known = set.is_some_and(|set| set.members.contains_key(&cursor));
        // Ended ones are not taken back, so none of them makes room.
        until > wall && !known && self.insert(cursor, held, wall, |_, _| {}).is_ok()
    }

    fn insert(
        &mut self,
        cursor: Cursor,
        held: Held,
        wall: UnixMillis,
        gone: impl FnMut(&Target, &Cursor),
    ) -> Result<(), Refused> {
        let bytes = held.bytes();
        if let Err(refused) = self.has_room(&held) {
            self.look_for_ended(&held.member.target(), wall, gone);
            self.has_room(&held).map_err(|_| refused)?;
        }
        let set = self.sets.entry(held.member.target()).or_insert_with(|| Set {
            members: BTreeMap::new(),
            writers: BTreeMap::new(),
            next_end: held.until,
            digests: Digests::default(),
            looked_after_s: 0,
            released: false,
        });
        set.digests = Digests::default();
        set.released = false;
        set.next_end = set.next_end.min(held.until);
        *set.writers.entry(*held.member.writer().as_bytes()).or_default() += 1;
        self.sources.charge(held.source, 1, bytes);
        set.members.insert(cursor, held);
        self.bytes += bytes;
        self.count += 1;
        Ok(())
    }

    fn has_room(&self, held: &Held) -> Result<(), Refused> {
        let bytes = held.bytes();
        if self.bytes + bytes > SET_BYTES {
            return Err(FULL);
        }
        if !self.sources.allows(held.source, 1, bytes, &LIMITS) {
            return Err(SOURCE_FULL);
        }
        let Some(set) = self.sets.get(&held.member.target()) else {
            return if self.sets.len() < SETS { Ok(()) } else { Err(FULL) };
        };
        if set.members.len() >= MEMBERS_PER_SET {
            return Err(FULL);
        }
        match set.writers.get(held.member.writer().as_bytes()) {
            Some(count) if *count >= MEMBERS_PER_WRITER => Err(WRITER_FULL),
            _ => Ok(()),
        }
    }

    /// Lets go of what has ended in one set, and in all if nobody looked there within a second: what
    /// is refused for want of room must not cost more than that.
    fn look_for_ended(
        &mut self,
        target: &Target,
        wall: UnixMillis,
        mut gone: impl FnMut(&Target, &Cursor),
    ) {
        if self.swept_at + SWEPT_EVERY <= wall || self.swept_at > wall {
            return self.sweep(wall, gone);
        }
        let Some(set) = self.sets.get_mut(target).filter(|set| set.next_end <= wall) else {
            return;
        };
        let ended = set.take_ended(wall);
        let is_empty = set.members.is_empty();
        for (cursor, held) in ended {
            self.uncount(&held);
            gone(target, &cursor);
        }
        if is_empty {
            self.sets.remove(target);
        }
    }

    /// Lets go of what need not be remembered any more, and tells of each.
    pub fn sweep(&mut self, wall: UnixMillis, mut gone: impl FnMut(&Target, &Cursor)) {
        self.swept_at = wall;
        let mut ended = Vec::new();
        self.sets.retain(|target, set| {
            if set.next_end <= wall {
                let of_set = set.take_ended(wall);
                ended.extend(of_set.into_iter().map(|(cursor, held)| (*target, cursor, held)));
            }
            !set.members.is_empty()
        });
        for (target, cursor, held) in ended {
            self.uncount(&held);
            gone(&target, &cursor);
        }
    }

    fn uncount(&mut self, held: &Held) {
        self.bytes -= held.bytes();
        self.count -= 1;
        self.sources.release(held.source, 1, held.bytes());
    }

    /// Sets held.
    pub fn sets(&self) -> usize {
        self.sets.len()
    }

    /// Members held, of all sets.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.sets.is_empty()
    }

    /// Checks what must always hold; called by tests after each step.
    ///
    /// # Panics
    /// If it does not.
    #[doc(hidden)]
    pub fn check_invariant(&self) {
        let held = || self.sets.values().flat_map(|set| set.members.values());
        assert_eq!(self.count, held().count());
        assert_eq!(self.bytes, held().map(Held::bytes).sum::<usize>());
        assert!(self.bytes <= SET_BYTES && self.sets.len() <= SETS);
        for (target, set) in &self.sets {
            assert!((1..=MEMBERS_PER_SET).contains(&set.members.len()));
            assert_eq!(set.writers.values().sum::<usize>(), set.members.len());
            assert!(set.writers.values().all(|count| (1..=MEMBERS_PER_WRITER).contains(count)));
            for (cursor, held) in &set.members {
                assert_eq!((held.member.cursor(), held.member.target()), (*cursor, *target));
                assert!(held.until >= set.next_end, "{target} is looked at too late");
            }
        }
    }
}

/// Until when a member must be told, if it may be taken at all.
fn judge(member: &MemberRef<'_>, wall: UnixMillis) -> Result<UnixMillis, Refused> {
    let saying = member.saying();
    let until = UnixMillis(saying.remembered_ms);
    if until <= wall {
        return Err(EXPIRED);
    }
    if until > wall + MEMBER_LIFE + MEMBER_AHEAD {
        return Err(TOO_LONG);
    }
    // A version is milliseconds times 1,000 and some chance.
    if saying.seq.get().unsigned_abs() / 1000 > (wall + MEMBER_AHEAD).0 {
        return Err(TOO_FAR_AHEAD);
    }
    Ok(until)
}

fn forget(writers: &mut BTreeMap<[u8; 32], usize>, writer: &[u8; 32]) {
    if let Some(count) = writers.get_mut(writer) {
        *count -= 1;
        if *count == 0 {
            writers.remove(writer);
        }
    }
}

#[cfg(test)]
mod tests;
