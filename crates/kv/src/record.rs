//! Records: what stands in the value of an item that Xorbit puts.
//!
//! The item's value is a bencoded byte string, which every family of nodes can hold. A plain record
//! is just the bytes. An enveloped one is [`MAGIC`] followed by a canonical bencoded dictionary:
//!
//! | key | value |
//! |---|---|
//! | `c` | content type, UTF-8, if it has one |
//! | `d` | the value's bytes; absent in a tombstone |
//! | `e` | expiry, milliseconds since 1970 |
//! | `l` | latest expiry of any version it replaced, if later than `e` |
//! | `t` | 1 in a tombstone |
//!
//! Other keys are ignored, and kept, since items are passed on byte for byte.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use node::UnixMillis;
use wire::bencode::{Malformed, Reader, Writer, check_canonical};
use wire::item::byte_string;
use wire::limits::VALUE_BYTES;

use crate::limits::CONTENT_TYPE_BYTES;

/// Begins every enveloped record. Its first byte begins no UTF-8 text.
pub const MAGIC: [u8; 4] = [0xd8, b'X', b'R', 1];

/// What a key holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The value; `None` in a tombstone.
    pub value: Option<Box<[u8]>>,
    /// What kind of value it is.
    pub content_type: Option<Box<str>>,
    /// Until when it lives; `None` if it is plain.
    pub expires: Option<UnixMillis>,
    /// The latest expiry of any version that it replaced.
    pub replaced_until: Option<UnixMillis>,
}

impl Record {
    /// Bytes without an envelope: a life of two hours, as BEP 44 has it.
    pub fn plain(value: &[u8]) -> Self {
        let value = Some(value.into());
        Self { value, content_type: None, expires: None, replaced_until: None }
    }

    /// Whether it only says that the key was deleted.
    pub fn is_tombstone(&self) -> bool {
        self.value.is_none()
    }

    /// Until when its version matters: its own expiry or that of what it replaced.
    pub(crate) fn remembered_until(&self) -> Option<UnixMillis> {
        self.expires.max(self.replaced_until)
    }

    /// The bencoded value of the record's item.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let Some(expires) = self.expires else {
            return byte_string(self.value.as_deref().unwrap_or_default());
        };
        let value = self.value.as_deref();
        let room =
            128 + value.map_or(0, <[u8]>::len) + self.content_type.as_deref().map_or(0, str::len);
        let mut envelope = vec![0; room];
        let mut writer = Writer::new(&mut envelope);
        writer.raw(&MAGIC);
        writer.raw(b"d");
        if let Some(content_type) = &self.content_type {
            writer.entry(b"c", content_type.as_bytes());
        }
        if let Some(value) = value {
            writer.entry(b"d", value);
        }
        writer.integer_entry(b"e", millis(expires));
        if let Some(until) = self.replaced_until.filter(|until| *until > expires) {
            writer.integer_entry(b"l", millis(until));
        }
        if value.is_none() {
            writer.integer_entry(b"t", 1);
        }
        writer.raw(b"e");
        let length = writer.finish().expect("128 bytes hold all that is not value or content type");
        byte_string(&envelope[..length])
    }

    /// Reads the value of an item. What is no envelope is a plain record; a value that is no byte
    /// string, which other programs may put, is given as its bencoded bytes.
    pub fn decode(item_value: &[u8]) -> Self {
        let Ok(bytes) = Reader::new(item_value).string() else {
            return Self::plain(item_value);
        };
        match bytes.strip_prefix(&MAGIC).map(Self::decode_envelope) {
            Some(Ok(record)) => record,
            Some(Err(Malformed)) | None => Self::plain(bytes),
        }
    }

    fn decode_envelope(bytes: &[u8]) -> Result<Self, Malformed> {
        check_canonical(bytes)?;
        let (mut tombstone, mut value, mut content_type) = (false, None, None);
        let (mut expires, mut replaced_until) = (None, None);
        let mut entries = Reader::new(bytes).dictionary()?;
        while let Some(key) = entries.next_key()? {
            let reader = &mut entries.reader;
            match key {
                b"c" => content_type = core::str::from_utf8(reader.string()?).ok(),
                b"d" => value = Some(reader.string()?),
                b"e" => expires = Some(unix_millis(reader.integer()?)?),
                b"l" => replaced_until = Some(unix_millis(reader.integer()?)?),
                b"t" => tombstone = reader.integer()? == 1,
                _ => {
                    reader.raw()?;
                }
            }
        }
        Ok(Self {
            value: if tombstone { None } else { Some(value.ok_or(Malformed)?.into()) },
            content_type: content_type
                .filter(|text| text.len() <= CONTENT_TYPE_BYTES)
                .map(Box::from),
            expires: Some(expires.ok_or(Malformed)?),
            replaced_until,
        })
    }
}

/// The largest value that fits one item, in bytes, with an envelope or plain.
pub fn largest_value(content_type: Option<&str>, plain: bool) -> usize {
    if plain {
        // `996:` stands before it.
        return VALUE_BYTES - 4;
    }
    let around = Record {
        value: Some(Box::from([])),
        content_type: content_type.map(Box::from),
        // The widest times that occur before the year 2286.
        expires: Some(UnixMillis(9_999_999_999_998)),
        replaced_until: Some(UnixMillis(9_999_999_999_999)),
    };
    // Two length prefixes grow to three digits: the string's own and the envelope's.
    VALUE_BYTES.saturating_sub(around.encode().len() + 2 + 1)
}

fn millis(time: UnixMillis) -> i64 {
    i64::try_from(time.0).unwrap_or(i64::MAX)
}

fn unix_millis(number: i64) -> Result<UnixMillis, Malformed> {
    u64::try_from(number).map(UnixMillis).map_err(|_| Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn record() -> impl Strategy<Value = Record> {
        let value = proptest::option::of(proptest::collection::vec(any::<u8>(), 0..800));
        let content_type = proptest::option::of("[a-z]{1,9}/[a-z]{1,9}");
        (value, content_type, 0u64..1 << 45, proptest::option::of(1u64..1 << 40)).prop_map(
            |(value, content_type, expires, later)| Record {
                value: value.map(Into::into),
                content_type: content_type.map(Into::into),
                expires: Some(UnixMillis(expires)),
                replaced_until: later.map(|later| UnixMillis(expires + later)),
            },
        )
    }

    proptest! {
        #[test]
        fn an_envelope_comes_back_as_written(record in record()) {
            let encoded = record.encode();
            prop_assert_eq!(check_canonical(&encoded), Ok(()));
            prop_assert_eq!(Record::decode(&encoded), record);
        }

        #[test]
        fn any_item_is_some_record(bytes: Vec<u8>) {
            let _ = Record::decode(&bytes);
            let mut enveloped = MAGIC.to_vec();
            enveloped.extend(&bytes);
            let _ = Record::decode(&byte_string(&enveloped));
        }

        #[test]
        fn the_largest_value_fits_and_one_byte_more_does_not(
            content_type in proptest::option::of("[a-z]{1,40}"), plain: bool,
        ) {
            let content_type = content_type.as_deref().filter(|_| !plain);
            let largest = largest_value(content_type, plain);
            let encode = |length: usize| Record {
                value: Some(vec![7; length].into()),
                content_type: content_type.map(Box::from),
                expires: (!plain).then_some(UnixMillis(1_800_000_000_000)),
                replaced_until: (!plain).then_some(UnixMillis(1_900_000_000_000)),
            }.encode().len();
            prop_assert!(encode(largest) <= VALUE_BYTES);
            prop_assert!(encode(largest + 1) > VALUE_BYTES);
        }
    }

    #[test]
    fn fields_of_later_versions_are_ignored() {
        let mut envelope = MAGIC.to_vec();
        envelope.extend(b"d1:d2:hi1:ei5e1:zi9ee");
        let record = Record::decode(&byte_string(&envelope));
        assert_eq!(record.value.as_deref(), Some(&b"hi"[..]));
        assert_eq!(record.expires, Some(UnixMillis(5)));
    }

    #[test]
    fn what_only_looks_like_an_envelope_is_plain() {
        let mut value = MAGIC.to_vec();
        value.extend(b"d1:ei5e1:d2:hie");
        assert_eq!(Record::decode(&byte_string(&value)), Record::plain(&value));
        assert_eq!(Record::decode(b"i5e"), Record::plain(b"i5e"));
    }
}
