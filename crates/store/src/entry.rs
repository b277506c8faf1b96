//! One change as it lies on the disk, with the checksum that it carries there and back.
//!
//! | bytes | what |
//! |---|---|
//! | 1 | kind: 1 put, 2 remove |
//! | 1 | length of the key |
//! | 4 | length of the value, little-endian; 0 for a remove |
//! | | the key, then the value |
//! | 8 | seal, little-endian: XXH3-64 of the value, seeded with XXH3-64 of the key; of a remove its complement |
//!
//! So bytes that changed, and a value that came under another key, are told apart from what was
//! written, whatever else is checked. Of random damage a seal misses one in 2^64.

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

const PUT: u8 = 1;
const REMOVE: u8 = 2;
const HEAD_BYTES: usize = 6;
pub(crate) const SEAL_BYTES: usize = 8;

/// What an entry takes besides key and value.
pub(crate) const OVERHEAD_BYTES: usize = HEAD_BYTES + SEAL_BYTES;

/// An entry as it was found, its seal not looked at yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry<'a> {
    pub key: &'a [u8],
    /// `None` for a remove.
    pub value: Option<&'a [u8]>,
    seal: u64,
    /// Bytes of the whole entry.
    pub length: usize,
}

impl Entry<'_> {
    /// Whether these are the bytes that were written.
    pub fn is_sound(&self) -> bool {
        self.seal == seal(self.key, self.value)
    }
}

fn seal(key: &[u8], value: Option<&[u8]>) -> u64 {
    match value {
        Some(value) => xxh3_64_with_seed(value, xxh3_64(key)),
        None => !xxh3_64_with_seed(&[], xxh3_64(key)),
    }
}

/// Appends an entry. The caller has held both lengths to their bounds.
pub(crate) fn write(out: &mut Vec<u8>, key: &[u8], value: Option<&[u8]>) {
    let kind = if value.is_some() { PUT } else { REMOVE };
    let content = value.unwrap_or_default();
    out.extend_from_slice(&[kind, key.len() as u8]);
    out.extend_from_slice(&(content.len() as u32).to_le_bytes());
    out.extend_from_slice(key);
    out.extend_from_slice(content);
    out.extend_from_slice(&seal(key, value).to_le_bytes());
}

/// The entry that `bytes` begin with, if its lengths can be.
pub(crate) fn read(bytes: &[u8]) -> Option<Entry<'_>> {
    let (head, rest) = bytes.split_first_chunk::<HEAD_BYTES>()?;
    let [kind, key_length, value_length @ ..] = *head;
    let (key, rest) = rest.split_at_checked(key_length.into())?;
    let value_length = u32::from_le_bytes(value_length) as usize;
    let (value, rest) = rest.split_at_checked(value_length)?;
    let seal = u64::from_le_bytes(*rest.first_chunk::<SEAL_BYTES>()?);
    let value = match kind {
        PUT => Some(value),
        REMOVE if value.is_empty() => None,
        _ => return None,
    };
    let length = OVERHEAD_BYTES + key.len() + value_length;
    Some(Entry { key, value, seal, length })
}

/// The entries that follow each other in `bytes`, each with its place; ends where lengths cannot be.
pub(crate) fn all(bytes: &[u8]) -> impl Iterator<Item = (usize, Entry<'_>)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let entry = read(bytes.get(at..)?)?;
        at += entry.length;
        Some((at - entry.length, entry))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(key: &[u8], value: Option<&[u8]>) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut out, key, value);
        out
    }

    #[test]
    fn what_was_written_comes_back() {
        let long = [7; 1_500];
        for value in [None, Some(&b""[..]), Some(b"v"), Some(&long)] {
            let bytes = written(b"key", value);
            let entry = read(&bytes).unwrap();
            assert_eq!((entry.key, entry.value, entry.length), (&b"key"[..], value, bytes.len()));
            assert!(entry.is_sound());
        }
    }

    #[test]
    fn any_bit_that_changed_is_seen() {
        for value in [Some(&b"a value of some length"[..]), Some(b""), None] {
            let whole = written(b"key", value);
            for bit in 0..whole.len() * 8 {
                let mut damaged = whole.clone();
                damaged[bit / 8] ^= 1 << (bit % 8);
                let seen = read(&damaged).is_none_or(|entry| !entry.is_sound());
                assert!(seen, "bit {bit} of {value:?}");
            }
        }
    }

    #[test]
    fn an_entry_that_is_cut_short_is_none() {
        let whole = written(b"key", Some(b"value"));
        assert!((0..whole.len()).all(|length| read(&whole[..length]).is_none()));
    }

    #[test]
    fn a_put_is_laid_out_as_it_is_on_disks_already() {
        let bytes = written(b"key", Some(b"value"));
        assert_eq!(bytes[..14], *b"\x01\x03\x05\0\0\0keyvalue");
        assert_eq!(bytes[14..], 0xb19f_cf79_2e11_118e_u64.to_le_bytes());
        assert_eq!(written(b"key", None)[..9], *b"\x02\x03\0\0\0\0key");
    }
}
