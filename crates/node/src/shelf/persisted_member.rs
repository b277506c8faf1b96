//! Held members of sets as bytes for a disk: keys `m`, the set's target and the member's cursor;
//! values the end of its lease in milliseconds since 1970, little-endian, and its wire form.

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

fn key(target: &Target, cursor: &Cursor) -> [u8; 41] {
    let mut key = [MEMBER_SPACE; 41];
    key[1..21].copy_from_slice(target.as_bytes());
    key[21..].copy_from_slice(cursor.as_bytes());
    key
}

/// Reads what was kept, the first byte of the key left out; `None` if it is nothing of ours.
pub fn read<'v>(key: &[u8], value: &'v [u8]) -> Option<(MemberRef<'v>, UnixMillis)> {
    let (target, cursor) = key.split_at_checked(20)?;
    let (until, member) = value.split_first_chunk()?;
    let member = UnverifiedMember::decode(member).ok()?.trusted(&Target::read(target)?);
    let is_its_key = Cursor::read(cursor) == Some(member.cursor());
    is_its_key.then_some((member, UnixMillis(u64::from_le_bytes(*until))))
}
