//! Bounds of what a store takes, and of what it does at once.

/// Bytes of a key: a hash, and what kind of thing it names, take at most half of this.
pub const KEY_BYTES: usize = 128;

/// Bytes of a value: what one datagram can carry.
pub const VALUE_BYTES: usize = 64 * 1024;

/// Bytes of a batch on the disk: about 13,000 items of 300 bytes.
pub const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// A segment that is at least this long is followed by the next one. One segment is read at a time,
/// as a whole: 8 MiB come from the page cache in 2 ms.
pub const SEGMENT_BYTES: u64 = 8 * 1024 * 1024;

/// A log is cleaned while it is longer than twice what lives in it and this many segments more:
/// at half garbage each byte is written twice in all.
pub const SPARE_SEGMENTS: u64 = 4;

/// While the log is cleaned, each commit looks through so many bytes for each byte that it writes: it
/// gains on the garbage as long as less than three quarters of the oldest segment live.
pub const CLEANED_FOR_EACH_BYTE: usize = 4;

/// And through at least this many, so that small commits get ahead too: 0.1 ms of copying.
pub const CLEANED_AT_LEAST: usize = 64 * 1024;

/// Bytes of entries in one write when a segment is emptied at once, while the store is opened.
pub const MOVED_AT_ONCE: usize = 1024 * 1024;

/// What a disk cannot read as a whole is read again in pieces of so many bytes: a page, the least that
/// the system asks of a disk.
pub const READ_AGAIN_BYTES: usize = 4096;

/// While a store is opened, room is made for at most one entry in so many bytes: the index takes an
/// eighth of them at most before it knows better. Items of 300 bytes are the usual ones.
pub const EXPECTED_ENTRY_BYTES: usize = 256;

/// Files that were set aside are numbered up to here; then the store refuses to open.
pub const SET_ASIDE: u32 = 1_000;

/// Bytes of the largest frame that is read. A commit writes at most a batch and what cleaning moves
/// beside it, of which the last entry may go beyond; the rest is for what a migration makes of
/// [`MOVED_AT_ONCE`] bytes.
pub(crate) const FRAME_BYTES: usize =
    BATCH_BYTES * (1 + CLEANED_FOR_EACH_BYTE) + 2 * CLEANED_AT_LEAST + 2 * BATCH_BYTES;

// Places in a segment are counted in 32 bits.
const _: () = assert!(SEGMENT_BYTES as usize + FRAME_BYTES < u32::MAX as usize);
const _: () = assert!(KEY_BYTES <= u8::MAX as usize);
const _: () = assert!(MOVED_AT_ONCE + KEY_BYTES + VALUE_BYTES < FRAME_BYTES);
