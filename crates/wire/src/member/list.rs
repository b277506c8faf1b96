//! The members of one reply, as they are read and gathered.

use super::{MemberRef, UnverifiedMember};
use crate::bencode::{Reader, Writer};
use crate::limits::{MEMBERS_BYTES, MEMBERS_PER_REPLY};

/// The members of one reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct MemberList<'a>(&'a [u8]);

impl<'a> MemberList<'a> {
    /// Reads a bencoded list of at most [`MEMBERS_PER_REPLY`] members. `None` if it is none.
    pub(crate) fn read(list: &'a [u8]) -> Option<Self> {
        let inside = list.strip_prefix(b"l").and_then(|list| list.strip_suffix(b"e"))?;
        let mut reader = Reader::canonical(inside);
        for _ in 0..MEMBERS_PER_REPLY {
            if reader.rest().is_empty() {
                break;
            }
            UnverifiedMember::read(&mut reader).ok()?;
        }
        reader.rest().is_empty().then_some(Self(inside))
    }

    /// The members one after the other, as they stand in the list.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.0
    }

    /// The members.
    pub fn iter(&self) -> impl Iterator<Item = UnverifiedMember<'a>> + use<'a> {
        let mut reader = Reader::canonical(self.0);
        core::iter::from_fn(move || UnverifiedMember::read(&mut reader).ok())
    }
}

/// Gathers the members of one reply, without allocating.
pub struct MembersBuffer {
    bytes: [u8; MEMBERS_BYTES],
    length: usize,
    count: usize,
}

impl Default for MembersBuffer {
    fn default() -> Self {
        Self { bytes: [0; MEMBERS_BYTES], length: 0, count: 0 }
    }
}

impl MembersBuffer {
    /// Adds a member; `false` if there is no room for it.
    pub fn push(&mut self, member: MemberRef<'_>) -> bool {
        let mut writer = Writer::new(&mut self.bytes[self.length..]);
        member.as_unverified().write(&mut writer);
        match writer.finish() {
            Some(length) if self.count < MEMBERS_PER_REPLY => {
                self.length += length;
                self.count += 1;
                true
            }
            _ => false,
        }
    }

    /// What was gathered.
    pub fn as_list(&self) -> MemberList<'_> {
        MemberList(&self.bytes[..self.length])
    }
}
