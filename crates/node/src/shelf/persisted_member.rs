//! Held members of sets as bytes for a disk: keys `m`, the set's target and the member's cursor;
//! values the end of its lease in milliseconds since 1970, little-endian, and its wire form.

use alloc::vec::Vec;

use wire::{Cursor, MemberRef, Target, UnverifiedMember};

use crate::changes::Changes;
use crate::time::UnixMillis;

/// Begins the keys of members.
pub const MEMBER_SPACE: u8 = b'm';

/// Keeps a member.
pub fn write(member: &MemberRef<'_>, until: UnixMillis, changes: &mut Changes) {
    changes.put(&key(&member.target(), &member.cursor()), |value| {
        value.extend(until.0.to_le_bytes());
        value.extend(member.to_member().encode());
    });
}

/// No longer keeps a member.
pub fn remove(target: &Target, cursor: &Cursor, changes: &mut Changes) {
    changes.remove(&key(target, cursor));
}

/// The key of a member.
pub fn key(target: &Target, cursor: &Cursor) -> [u8; 41] {
    let mut key = [MEMBER_SPACE; 41];
    key[1..21].copy_from_slice(target.as_bytes());
    key[21..].copy_from_slice(cursor.as_bytes());
    key
}

/// A member as it was kept, its signature unchecked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PersistedMember<'b> {
    /// Where its set lies.
    pub target: Target,
    /// The member.
    pub member: UnverifiedMember<'b>,
    /// It is held until then.
    pub until: UnixMillis,
    wire: &'b [u8],
}

impl<'b> PersistedMember<'b> {
    /// A member in its wire form; `None` if that is none.
    pub fn new(target: Target, wire: &'b [u8], until: UnixMillis) -> Option<Self> {
        let member = UnverifiedMember::decode(wire).ok()?;
        Some(Self { target, member, until, wire })
    }

    /// The same, held until another time.
    #[must_use]
    pub fn held_until(self, until: UnixMillis) -> Self {
        Self { until, ..self }
    }

    /// Its wire form.
    pub fn wire(&self) -> &'b [u8] {
        self.wire
    }

    /// Its place in the set.
    pub fn cursor(&self) -> Cursor {
        Cursor::of(&self.member.writer, self.member.saying.item)
    }

    pub(crate) fn write_key(&self, to: &mut Vec<u8>) {
        to.extend(key(&self.target, &self.cursor()));
    }

    pub(crate) fn write_value(&self, to: &mut Vec<u8>) {
        to.extend(self.until.0.to_le_bytes());
        to.extend(self.wire);
    }
}

/// Reads what was kept, the first byte of the key left out; `None` if it is nothing of ours.
pub fn read<'v>(key: &[u8], value: &'v [u8]) -> Option<PersistedMember<'v>> {
    let (target, cursor) = key.split_at_checked(20)?;
    let (until, wire) = value.split_first_chunk()?;
    let until = UnixMillis(u64::from_le_bytes(*until));
    let member = PersistedMember::new(Target::read(target)?, wire, until)?;
    (Cursor::read(cursor) == Some(member.cursor())).then_some(member)
}
