//! A contact in the table, and the few bytes in which it lies there.
//!
//! A row is a contact in its compact form, as it stands in node lists (BEP 5, BEP 32), and six
//! bytes of what is known about it: 32 bytes for IPv4, 44 for IPv6. Tables are most of what an idle
//! node takes in memory.

use core::time::Duration;

use wire::compact::{contact_bytes, read_endpoint};
use wire::limits::ID_BYTES;
use wire::{Contact, Endpoint, Family, NodeId};

use crate::limits::{MOST_FAILURES, TIMEOUT};
use crate::time::Instant;

/// A contact in the table.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its id.
    pub id: NodeId,
    /// Its address.
    pub endpoint: Endpoint,
    pub(super) round_trip_ms: u16,
    pub(super) heard_s: u32,
    pub(super) failures: u8,
    pub(super) ours: bool,
    pub(super) xorbit: bool,
}

impl Entry {
    pub(super) fn answered(
        contact: Contact,
        round_trip: Duration,
        ours: bool,
        now: Instant,
    ) -> Self {
        Self {
            id: contact.id,
            endpoint: contact.endpoint,
            round_trip_ms: RoundTripCode::of(round_trip).ms(),
            heard_s: now.as_secs(),
            failures: 0,
            ours,
            xorbit: false,
        }
    }

    /// Id and address.
    pub fn contact(&self) -> Contact {
        Contact { id: self.id, endpoint: self.endpoint }
    }

    /// The last measured round trip to within a thirtieth, in whole milliseconds; one of more than four
    /// seconds counts as one of four.
    pub fn round_trip(&self) -> Duration {
        Duration::from_millis(u64::from(self.round_trip_ms))
    }

    /// Whether it carried our network's tag.
    pub fn is_ours(&self) -> bool {
        self.ours
    }

    /// Whether it is Xorbit: it carried our network's tag, or said so in Mainline, where there is no tag.
    pub fn is_xorbit(&self) -> bool {
        self.ours || self.xorbit
    }

    /// Whether its last query was answered.
    pub fn is_good(&self) -> bool {
        self.failures == 0
    }

    /// Queries in a row that it did not answer.
    pub fn failures(&self) -> u8 {
        self.failures
    }

    /// When it last gave a sign.
    pub fn last_heard(&self) -> Instant {
        Instant::from_micros(u64::from(self.heard_s) * 1_000_000)
    }

    /// Writes the entry as the row of a table of its family.
    pub(super) fn write(&self, row: &mut [u8]) {
        let (compact, known) = row.split_at_mut(row.len() - KNOWN_BYTES);
        let (id, address) = compact.split_at_mut(ID_BYTES);
        let (ip, port) = address.split_at_mut(address.len() - 2);
        id.copy_from_slice(self.id.as_bytes());
        ip.copy_from_slice(self.endpoint.ip_bytes());
        port.copy_from_slice(&self.endpoint.port().to_be_bytes());
        let round_trip = Duration::from_millis(self.round_trip_ms.into());
        let marks = u16::from(RoundTripCode::of(round_trip).0)
            | u16::from(self.failures) << FAILURES_SHIFT
            | u16::from(self.ours) << OURS_SHIFT
            | u16::from(self.xorbit) << XORBIT_SHIFT;
        known[..2].copy_from_slice(&marks.to_le_bytes());
        known[2..].copy_from_slice(&self.heard_s.to_le_bytes());
    }
}

/// What a row says beside id and address: marks, and the second of the last sign.
const KNOWN_BYTES: usize = 2 + 4;

/// The marks: a round trip's code of eight bits, failures of four, and two yes or no.
const FAILURES_SHIFT: u32 = 8;
const OURS_SHIFT: u32 = 14;
const XORBIT_SHIFT: u32 = 15;

const _: () = assert!(TIMEOUT.as_millis() <= LONGEST_MS as u128, "who is slower did not answer");
const _: () = assert!(MOST_FAILURES < 16);
const _: () = assert!(row_bytes(Family::V4) == 32 && row_bytes(Family::V6) == 44);

/// What stands for failures where the next one is the last.
pub(super) const DOUBTED: u8 = MOST_FAILURES - 1;

/// How many bytes a row of a family takes.
pub(super) const fn row_bytes(family: Family) -> usize {
    contact_bytes(family) + KNOWN_BYTES
}

/// A round trip in a byte: as it is below 32 ms, beyond that its highest bit and the five that follow.
#[derive(Clone, Copy)]
struct RoundTripCode(u8);

/// The longest that has a code.
const LONGEST_MS: u16 = (1 << 12) - 1;

/// Bits of a round trip that its code keeps.
const KEPT_BITS: u32 = 5;

impl RoundTripCode {
    fn of(round_trip: Duration) -> Self {
        let ms = round_trip.as_millis().min(u128::from(LONGEST_MS)) as u16;
        let dropped = (u16::BITS - ms.leading_zeros()).saturating_sub(KEPT_BITS + 1);
        // At most 63 << 0, for the shift is by as many bits as are too many.
        Self(((dropped << KEPT_BITS) + u32::from(ms >> dropped)) as u8)
    }

    fn ms(self) -> u16 {
        let code = u16::from(self.0);
        let dropped = (code >> KEPT_BITS).saturating_sub(1);
        (code - (dropped << KEPT_BITS)) << dropped
    }
}

/// An entry as it lies in a table.
#[derive(Clone, Copy)]
pub(super) struct Row<'t>(pub &'t [u8]);

impl<'t> Row<'t> {
    #[inline]
    pub fn id(self) -> NodeId {
        let mut id = [0; ID_BYTES];
        id.copy_from_slice(&self.0[..ID_BYTES]);
        NodeId::new(id)
    }

    /// Whether the last query was answered.
    #[inline]
    pub fn is_good(self) -> bool {
        self.failures() == 0
    }

    /// Queries in a row that were not answered.
    #[inline]
    pub fn failures(self) -> u8 {
        (self.marks() >> FAILURES_SHIFT) as u8 & 0b1111
    }

    /// The last measured round trip.
    #[inline]
    pub fn round_trip_ms(self) -> u16 {
        RoundTripCode(self.marks() as u8).ms()
    }

    /// Id and address in their compact form.
    #[inline]
    pub fn compact(self) -> &'t [u8] {
        &self.0[..self.0.len() - KNOWN_BYTES]
    }

    #[inline]
    fn marks(self) -> u16 {
        let at = self.0.len() - KNOWN_BYTES;
        u16::from_le_bytes([self.0[at], self.0[at + 1]])
    }

    pub fn entry(self) -> Entry {
        let marks = self.marks();
        let mut heard_s = [0; 4];
        heard_s.copy_from_slice(&self.0[self.0.len() - 4..]);
        Entry {
            id: self.id(),
            endpoint: read_endpoint(&self.compact()[ID_BYTES..])
                .expect("rows are as wide as the addresses of a family want"),
            round_trip_ms: self.round_trip_ms(),
            heard_s: u32::from_le_bytes(heard_s),
            failures: self.failures(),
            ours: marks >> OURS_SHIFT & 1 == 1,
            xorbit: marks >> XORBIT_SHIFT & 1 == 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::format;

    proptest! {
        #[test]
        fn an_entry_comes_back_from_its_row_as_it_went_in(
            id: [u8; 20], ip: [u8; 16], port: u16, v4: bool,
            code: u8, heard_s: u32, failures in 0..=MOST_FAILURES,
            ours: bool, xorbit: bool,
        ) {
            let [a, b, c, d, ..] = ip;
            let endpoint = if v4 { Endpoint::v4([a, b, c, d], port) } else { Endpoint::v6(ip, port) };
            let (id, round_trip_ms) = (NodeId::new(id), RoundTripCode(code).ms());
            let entry =
                Entry { id, endpoint, round_trip_ms, heard_s, failures, ours, xorbit };
            let mut row = [0; row_bytes(Family::V6)];
            let row = &mut row[..row_bytes(endpoint.family())];
            entry.write(row);
            prop_assert_eq!(format!("{:?}", Row(row).entry()), format!("{entry:?}"));
            prop_assert_eq!((Row(row).id(), Row(row).is_good()), (id, failures == 0));
        }
    }

    #[test]
    fn a_round_trip_beyond_what_is_waited_for_counts_as_the_longest() {
        let contact =
            Contact { id: NodeId::new([1; 20]), endpoint: Endpoint::v4([10, 0, 0, 1], 1) };
        let entry = |seconds| {
            Entry::answered(contact, Duration::from_secs(seconds), true, Instant::default())
        };
        assert!(entry(4).round_trip() >= Duration::from_millis(3900));
        let mut row = [0; row_bytes(Family::V4)];
        entry(u64::MAX).write(&mut row);
        let read = Row(&row).entry();
        let longest = LONGEST_MS & !0b11_1111;
        assert_eq!((read.round_trip_ms, read.failures, read.ours), (longest, 0, true));
    }

    #[test]
    fn a_round_trips_code_keeps_it_to_within_a_thirtieth_and_the_order() {
        let mut before = 0;
        for ms in 0..=LONGEST_MS {
            let code = RoundTripCode::of(Duration::from_millis(ms.into()));
            assert!(code.ms() <= ms && ms - code.ms() <= ms / 32, "{ms} {}", code.ms());
            assert!(code.0 >= before, "{ms}");
            before = code.0;
        }
        assert_eq!(before, u8::MAX);
    }
}
