//! What the segments of a log come to, read one after the other.

use std::collections::BTreeSet;
use std::ops::Range;

use super::adopt;
use super::format::{Found, Frames, HEAD_BYTES, HEADER_BYTES};
use super::index::Index;
use super::opening::Segment;
use crate::entry::{self, Entry};
use crate::limits::FRAME_BYTES;

/// What reading all segments came to.
#[derive(Default)]
pub(super) struct Replayed {
    pub index: Index,
    /// The sequence number that the next frame must have.
    pub next_sequence: Option<u64>,
    pub damaged: BTreeSet<u32>,
    pub damaged_bytes: u64,
    pub missing_commits: u64,
    /// The last segment behind which commits are missing.
    pub before_gap: Option<u32>,
    /// The segment read before.
    before: Option<u32>,
}

impl Replayed {
    /// Reads a segment. Gives what lies behind its last sound frame.
    pub fn segment(&mut self, segment: &Segment, bytes: &[u8], salt: u64) -> Option<Range<usize>> {
        let number = segment.number;
        match segment.header {
            Some(header) => {
                let expected = *self.next_sequence.get_or_insert(header.sequence);
                if header.sequence > expected {
                    self.before_gap = self.before;
                    self.missing_commits += header.sequence - expected;
                    self.next_sequence = Some(header.sequence);
                }
            }
            None => {
                self.damaged.insert(number);
                self.damaged_bytes += HEADER_BYTES.min(bytes.len()) as u64;
            }
        }
        self.before = Some(number);
        let mut frames = Frames::new(salt, number);
        let mut broken: Option<Range<usize>> = None;
        while let Some(found) = frames.next(bytes) {
            let place = match found {
                Found::Frame { sequence, body } if self.follows(sequence) => {
                    if let Some(broken) = broken.take() {
                        self.salvage(number, bytes, salt, &broken);
                    }
                    self.next_sequence = Some(sequence + 1);
                    let entries = entry::all(&bytes[body.clone()]);
                    adopt(&mut self.index, number, body.start, entries, salt);
                    continue;
                }
                Found::Frame { body, .. } => body,
                Found::Broken { all, .. } => all,
            };
            let start = broken.map_or(place.start, |broken| broken.start);
            broken = Some(start..place.end);
        }
        broken
    }

    /// Whether a frame comes behind those before it, and not from an earlier life of its place.
    fn follows(&self, sequence: u64) -> bool {
        self.next_sequence.is_none_or(|next| sequence >= next)
    }

    /// Takes what is sound out of damaged bytes.
    pub fn salvage(&mut self, number: u32, bytes: &[u8], salt: u64, broken: &Range<usize>) {
        self.damaged.insert(number);
        let mut frames = Frames::starting(salt, number, broken.start);
        let mut saved = 0;
        while frames.at() < broken.end {
            let Some(found) = frames.next(bytes) else { break };
            if let Found::Broken { body, whole, .. } = found {
                let sound = sound(&bytes[body.clone()], whole);
                let sound = sound.inspect(|(_, entry)| saved += entry.length);
                adopt(&mut self.index, number, body.start, sound, salt);
            }
        }
        self.damaged_bytes += (broken.len() - saved) as u64;
    }

    /// Where the newest segment ends whose last sound frame these bytes lie behind: before them, if a
    /// power cut may have left them of a commit, or behind them, if they are damage.
    pub fn end(
        &mut self,
        segment: &Segment,
        bytes: &[u8],
        salt: u64,
        tail: &Range<usize>,
    ) -> usize {
        let mut last = tail.start;
        let mut frames = Frames::starting(salt, segment.number, tail.start);
        // A header is durable before anything is written behind it.
        let mut is_damage = segment.header.is_none() || tail.len() > HEAD_BYTES + FRAME_BYTES;
        while let Some(found) = frames.next(bytes) {
            let Found::Broken { all, whole, sequence, .. } = found else { continue };
            last = all.start;
            let next = self.next_sequence;
            // A commit begins when the one before it is durable, and writes nothing behind itself.
            is_damage |= sequence.is_some() && sequence > next
                || sequence.is_some() && sequence == next && whole && all.end < bytes.len();
        }
        if !is_damage {
            return tail.start;
        }
        // The last commit may still be one that was never acknowledged: nothing of it is taken.
        self.salvage(segment.number, bytes, salt, &(tail.start..last));
        self.damaged_bytes += (bytes.len() - last) as u64;
        bytes.len()
    }
}

/// The entries of a damaged body that are as they were written.
///
/// Behind one that is not, it is not sure where the next one begins: were its length wrong, a
/// stranger's value might be read as entries. So they count only if together they fill the body.
fn sound(body: &[u8], whole: bool) -> impl Iterator<Item = (usize, Entry<'_>)> {
    let end = entry::all(body).last().map_or(0, |(at, entry)| at + entry.length);
    let fills = whole && end == body.len();
    entry::all(body)
        .take_while(move |(_, entry)| fills || entry.is_sound())
        .filter(|(_, entry)| entry.is_sound())
}
