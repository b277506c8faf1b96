//! The bytes of a segment: a header, then frames, one for each commit. All numbers little-endian.
//!
//! Header, 40 bytes: `xorbitst`; [version](super::migration) of the format, 4; number of the segment, 4; salt of the
//! store, 8; sequence number of its first frame, 8; XXH3-64 of the 32 bytes before, 8.
//!
//! Frame: `frm1`; length of the body, 4; sequence number, one more than that of the frame before, 8;
//! XXH3-64 of these 16 bytes, seeded with the salt plus the segment's number, 8; XXH3-64 of the body,
//! seeded with the number before, 8. Then the body: [entries](crate::entry).
//!
//! The salt is drawn when the store is made and shown to nobody, so no stranger can send a value
//! whose bytes pass for a frame where frames are looked for behind a damage.

use std::ops::Range;

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::limits::FRAME_BYTES;

const MAGIC: [u8; 8] = *b"xorbitst";
pub(crate) const HEADER_BYTES: usize = 40;

const MARK: [u8; 4] = *b"frm1";
pub(crate) const HEAD_BYTES: usize = 32;

/// What a segment begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub version: u32,
    pub number: u32,
    pub salt: u64,
    pub sequence: u64,
}

impl Header {
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&self.version.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.number.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.salt.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.sequence.to_le_bytes());
        let sum = xxh3_64(&bytes[..32]);
        bytes[32..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// The header of a segment, if these are the bytes that were written, in any version.
    pub fn decode(segment: &[u8]) -> Option<Self> {
        let bytes = segment.first_chunk::<HEADER_BYTES>()?;
        let sound = bytes[..8] == MAGIC && word(&bytes[32..]) == xxh3_64(&bytes[..32]);
        sound.then(|| Self {
            version: half_word(&bytes[8..]),
            number: half_word(&bytes[12..]),
            salt: word(&bytes[16..]),
            sequence: word(&bytes[24..]),
        })
    }
}

fn half_word(bytes: &[u8]) -> u32 {
    bytes.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

fn word(bytes: &[u8]) -> u64 {
    bytes.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// Begins a frame in an empty buffer: room for its head.
pub(crate) fn begin_frame(frame: &mut Vec<u8>) {
    frame.clear();
    frame.resize(HEAD_BYTES, 0);
}

/// Fills in the head of a frame whose body is complete.
pub(crate) fn finish_frame(frame: &mut [u8], salt: u64, number: u32, sequence: u64) {
    let (head, body) = frame.split_at_mut(HEAD_BYTES);
    head[..4].copy_from_slice(&MARK);
    head[4..8].copy_from_slice(&(body.len() as u32).to_le_bytes());
    head[8..16].copy_from_slice(&sequence.to_le_bytes());
    let head_sum = xxh3_64_with_seed(&head[..16], seed(salt, number));
    let body_sum = xxh3_64_with_seed(body, head_sum);
    head[16..24].copy_from_slice(&head_sum.to_le_bytes());
    head[24..].copy_from_slice(&body_sum.to_le_bytes());
}

fn seed(salt: u64, number: u32) -> u64 {
    salt.wrapping_add(number.into())
}

/// What lies in a segment, one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A frame as it was written.
    Frame { sequence: u64, body: Range<usize> },
    /// Bytes that are no such frame, and what would be its body; entries in it may be sound. `whole`
    /// if its length is known and all of it is there. `sequence` if its head is as it was written.
    Broken { all: Range<usize>, body: Range<usize>, whole: bool, sequence: Option<u64> },
}

/// Reads a segment from one frame to the next.
#[derive(Clone, Debug)]
pub(crate) struct Frames {
    seed: u64,
    at: usize,
}

struct Head {
    sequence: u64,
    length: usize,
    sum: u64,
    body_sum: u64,
}

impl Frames {
    /// Begins behind the header.
    pub fn new(salt: u64, number: u32) -> Self {
        Self { seed: seed(salt, number), at: HEADER_BYTES }
    }

    /// Begins at a frame in the middle.
    pub fn starting(salt: u64, number: u32, at: usize) -> Self {
        Self { at, ..Self::new(salt, number) }
    }

    /// Where the next one begins.
    pub fn at(&self) -> usize {
        self.at
    }

    /// The next frame or damage in the segment.
    pub fn next(&mut self, segment: &[u8]) -> Option<Found> {
        let start = self.at;
        if start >= segment.len() {
            return None;
        }
        let Some(head) = self.head(segment, start) else {
            self.at = self.next_head(segment, start + 1);
            let body = self.at.min(start + HEAD_BYTES)..self.at;
            let all = start..self.at;
            return Some(Found::Broken { all, body, whole: false, sequence: None });
        };
        let body_start = start + HEAD_BYTES;
        let end = body_start + head.length;
        self.at = end.min(segment.len());
        let body = body_start..self.at;
        if end == self.at && xxh3_64_with_seed(&segment[body.clone()], head.sum) == head.body_sum {
            return Some(Found::Frame { sequence: head.sequence, body });
        }
        let (all, whole) = (start..self.at, end == self.at);
        Some(Found::Broken { all, body, whole, sequence: Some(head.sequence) })
    }

    fn head(&self, segment: &[u8], at: usize) -> Option<Head> {
        let bytes = segment.get(at..)?.first_chunk::<HEAD_BYTES>()?;
        let head = Head {
            length: half_word(&bytes[4..]) as usize,
            sequence: word(&bytes[8..]),
            sum: word(&bytes[16..]),
            body_sum: word(&bytes[24..]),
        };
        let sound = bytes[..4] == MARK
            && head.length <= FRAME_BYTES
            && head.sum == xxh3_64_with_seed(&bytes[..16], self.seed);
        sound.then_some(head)
    }

    /// Where the next sound head lies, or the segment ends.
    fn next_head(&self, segment: &[u8], from: usize) -> usize {
        let marks = segment.get(from..).unwrap_or_default().windows(MARK.len()).enumerate();
        let mut marked = marks.filter(|(_, window)| **window == MARK).map(|(at, _)| from + at);
        marked.find(|at| self.head(segment, *at).is_some()).unwrap_or(segment.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: u64 = 7;

    fn header() -> Header {
        Header { version: 1, number: 3, salt: SALT, sequence: 11 }
    }

    fn segment(bodies: &[&[u8]]) -> Vec<u8> {
        let mut bytes = header().encode().to_vec();
        for (sequence, body) in (11..).zip(bodies) {
            let mut frame = Vec::new();
            begin_frame(&mut frame);
            frame.extend_from_slice(body);
            finish_frame(&mut frame, SALT, 3, sequence);
            bytes.extend_from_slice(&frame);
        }
        bytes
    }

    fn found(segment: &[u8]) -> Vec<Found> {
        let mut frames = Frames::new(SALT, 3);
        std::iter::from_fn(|| frames.next(segment)).collect()
    }

    #[test]
    fn frames_come_back_in_order() {
        let bytes = segment(&[b"one", b"", b"three"]);
        let expected = [
            Found::Frame { sequence: 11, body: 72..75 },
            Found::Frame { sequence: 12, body: 107..107 },
            Found::Frame { sequence: 13, body: 139..144 },
        ];
        assert_eq!(found(&bytes), expected);
        assert_eq!(Header::decode(&bytes), Some(header()));
    }

    #[test]
    fn header_and_frame_are_those_of_an_independent_program() {
        let mut entry = Vec::new();
        crate::entry::write(&mut entry, b"key", Some(b"value"));
        let hex: String = segment(&[&entry]).iter().map(|byte| format!("{byte:02x}")).collect();
        let expected = "786f726269747374010000000300000007000000000000000b00000000000000\
                        ec8f9e1b48bc4498\
                        66726d31160000000b00000000000000fce2cee1846ed0c8ba1d6e536cb02cc2\
                        0103050000006b657976616c75658e11112e79cf9fb1";
        assert_eq!(hex, expected);
    }

    #[test]
    fn any_bit_of_a_header_that_changed_is_seen() {
        let bytes = header().encode();
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Header::decode(&damaged), None, "bit {bit}");
        }
        assert_eq!(Header::decode(&bytes[..39]), None);
    }

    #[test]
    fn a_damaged_frame_is_stepped_over() {
        let bytes = segment(&[b"one", b"two", b"three"]);
        for bit in 75 * 8..110 * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let found = found(&damaged);
            assert_eq!(found.len(), 3, "bit {bit}");
            // The sum of the body is not part of what the head's own sum covers.
            let whole = bit / 8 >= 75 + 24;
            let sequence = whole.then_some(12);
            let broken = Found::Broken { all: 75..110, body: 107..110, whole, sequence };
            assert_eq!(found[1], broken, "bit {bit}");
            assert!(matches!(found[2], Found::Frame { sequence: 13, .. }));
        }
    }

    #[test]
    fn a_segment_cut_short_anywhere_keeps_the_frames_before() {
        let bytes = segment(&[b"one", b"two"]);
        for length in HEADER_BYTES..bytes.len() {
            let found = found(&bytes[..length]);
            let whole = usize::from(length >= 75);
            assert!(found[..whole].iter().all(|found| matches!(found, Found::Frame { .. })));
            assert!(found[whole..].iter().all(|found| matches!(found, Found::Broken { .. })));
            assert_eq!(found.len(), whole + usize::from(length != 75 && length != 40));
        }
    }

    #[test]
    fn a_frame_of_another_store_or_segment_is_none() {
        let mut value = Vec::new();
        begin_frame(&mut value);
        finish_frame(&mut value, SALT + 1, 3, 12);
        let mut bytes = segment(&[]);
        bytes.extend_from_slice(&value);
        finish_frame(&mut value, SALT, 4, 12);
        bytes.extend_from_slice(&value);
        let all = HEADER_BYTES..bytes.len();
        let body = HEADER_BYTES + HEAD_BYTES..bytes.len();
        let broken = Found::Broken { all, body, whole: false, sequence: None };
        assert_eq!(found(&bytes), [broken]);
    }
}
