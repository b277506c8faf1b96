//! Records: what stands in the value of an item that Xorbit puts.
//!
//! The item's value is a bencoded byte string, which every family of nodes can hold. A plain record
//! is just the bytes. An enveloped one is [`MAGIC`] followed by a canonical bencoded dictionary:
//!
//! | key | value |
//! |---|---|
//! | `c` | content type, UTF-8, if it has one |
//! | `d` | the value's bytes; absent in a tombstone and beside `m` |
//! | `e` | expiry, milliseconds since 1970 |
//! | `l` | latest expiry of any version it replaced, if later than `e` |
//! | `m` | in place of `d`: the [manifest](crate::Manifest) of a value that does not fit |
//! | `t` | 1 in a tombstone |
//! | `x` | sealed bytes, in a secret namespace: `c`, `d`, `m` and `t` stand in them instead |
//!
//! Sealed bytes are the [cipher](crate::cipher)'s; what they open to is a canonical bencoded
//! dictionary and zeros behind it. They are bound to the dictionary around them without `x`.
//!
//! Other keys are ignored, and kept, since items are passed on byte for byte.

mod renewal;

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use node::UnixMillis;
use wire::bencode::{Malformed, Reader, Writer, check_canonical};
use wire::item::byte_string;
use wire::limits::VALUE_BYTES;
use zeroize::Zeroizing;

use crate::limits::{CONTENT_TYPE_BYTES, SEALED_BYTES};
use crate::manifest::{Form, Manifest};

pub(crate) use renewal::with_expiry;

/// Begins every enveloped record. Its first byte begins no UTF-8 text.
pub const MAGIC: [u8; 4] = [0xd8, b'X', b'R', 1];

/// What a key holds.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Record {
    /// The value, or the bytes of its manifest; `None` in a tombstone, and as long as it is sealed.
    pub value: Option<Box<[u8]>>,
    /// The value is too large for one item: the manifest of such chunks stands in its place.
    pub manifest: Option<Form>,
    /// What kind of value it is.
    pub content_type: Option<Box<str>>,
    /// Until when it lives; `None` if it is plain.
    pub expires: Option<UnixMillis>,
    /// The latest expiry of any version that it replaced.
    pub replaced_until: Option<UnixMillis>,
    /// Whether it is a value or a tombstone can be read only with the secret of its namespace.
    pub sealed: bool,
}

impl Record {
    /// Bytes without an envelope: a life of two hours, as BEP 44 has it.
    pub fn plain(value: &[u8]) -> Self {
        let value = Some(value.into());
        Self { value, ..Self::default() }
    }

    /// Whether it only says that the key was deleted.
    pub fn is_tombstone(&self) -> bool {
        self.value.is_none() && !self.sealed
    }

    /// Its value, or the manifest of one that does not fit; `None` in a tombstone.
    pub(crate) fn content(&self) -> Option<(Box<[u8]>, Option<Manifest>)> {
        let value = self.value.clone()?;
        match self.manifest {
            None => Some((value, None)),
            Some(form) => Some((Box::default(), Some(Manifest::decode(&value, form).ok()?))),
        }
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
        let mut envelope = vec![0; self.room()];
        let length = self.write(&mut envelope, |record, writer| {
            writer.raw(&MAGIC);
            writer.raw(b"d");
            record.write_value(writer);
            record.write_times(expires, writer);
            record.write_mark(writer);
        });
        byte_string(&envelope[..length])
    }

    /// The dictionary that is sealed, and the one that stands around it for holders to read. `None`
    /// if it is plain: then there is nothing around.
    pub(crate) fn split(&self) -> Option<(Zeroizing<Vec<u8>>, Vec<u8>)> {
        let expires = self.expires?;
        let mut inside = Zeroizing::new(vec![0; self.room()]);
        let length = self.write(&mut inside, |record, writer| {
            writer.raw(b"d");
            record.write_value(writer);
            record.write_mark(writer);
        });
        inside.truncate(length);
        let mut outside = vec![0; self.room()];
        let length = self.write(&mut outside, |record, writer| {
            writer.raw(b"d");
            record.write_times(expires, writer);
        });
        outside.truncate(length);
        Some((inside, outside))
    }

    fn room(&self) -> usize {
        let value = self.value.as_deref().map_or(0, <[u8]>::len);
        128 + value + self.content_type.as_deref().map_or(0, str::len)
    }

    /// Writes a dictionary and ends it.
    fn write(&self, buffer: &mut [u8], entries: impl Fn(&Self, &mut Writer<'_>)) -> usize {
        let mut writer = Writer::new(buffer);
        entries(self, &mut writer);
        writer.raw(b"e");
        writer.finish().expect("128 bytes hold all that is not value or content type")
    }

    fn write_value(&self, writer: &mut Writer<'_>) {
        if let Some(content_type) = &self.content_type {
            writer.entry(b"c", content_type.as_bytes());
        }
        if let Some(value) = self.value.as_ref().filter(|_| self.manifest.is_none()) {
            writer.entry(b"d", value);
        }
    }

    fn write_times(&self, expires: UnixMillis, writer: &mut Writer<'_>) {
        writer.integer_entry(b"e", millis(expires));
        if let Some(until) = self.replaced_until.filter(|until| *until > expires) {
            writer.integer_entry(b"l", millis(until));
        }
    }

    fn write_mark(&self, writer: &mut Writer<'_>) {
        match &self.value {
            Some(manifest) if self.manifest.is_some() => writer.entry(b"m", manifest),
            Some(_) => {}
            None => writer.integer_entry(b"t", 1),
        }
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
        let fields = Fields::read(bytes)?;
        let expires = Some(fields.expires.ok_or(Malformed)?);
        let replaced_until = fields.replaced_until;
        if fields.sealed {
            return Ok(Self { expires, replaced_until, sealed: true, ..Self::default() });
        }
        let (value, content_type) = (fields.value(Form::Open)?, fields.content_type());
        let manifest = fields.is_manifest().then_some(Form::Open);
        Ok(Self { value, manifest, content_type, expires, replaced_until, sealed: false })
    }

    /// The same record with what was sealed in it: a dictionary and zeros behind it.
    pub(crate) fn unsealed(self, inside: &[u8]) -> Result<Self, Malformed> {
        let dictionary = Reader::canonical(inside).raw()?;
        check_canonical(dictionary)?;
        if inside[dictionary.len()..].iter().any(|byte| *byte != 0) {
            return Err(Malformed);
        }
        let fields = Fields::read(dictionary)?;
        let (value, content_type) = (fields.value(Form::Sealed)?, fields.content_type());
        let manifest = fields.is_manifest().then_some(Form::Sealed);
        Ok(Self { value, manifest, content_type, sealed: false, ..self })
    }
}

/// What stands in a dictionary of ours.
#[derive(Default)]
struct Fields<'a> {
    content_type: Option<&'a str>,
    value: Option<&'a [u8]>,
    manifest: Option<&'a [u8]>,
    expires: Option<UnixMillis>,
    replaced_until: Option<UnixMillis>,
    tombstone: bool,
    sealed: bool,
}

impl<'a> Fields<'a> {
    fn read(dictionary: &'a [u8]) -> Result<Self, Malformed> {
        let mut fields = Self::default();
        let mut entries = Reader::new(dictionary).dictionary()?;
        while let Some(key) = entries.next_key()? {
            let reader = &mut entries.reader;
            match key {
                b"c" => fields.content_type = core::str::from_utf8(reader.string()?).ok(),
                b"d" => fields.value = Some(reader.string()?),
                b"e" => fields.expires = Some(unix_millis(reader.integer()?)?),
                b"l" => fields.replaced_until = Some(unix_millis(reader.integer()?)?),
                b"m" => fields.manifest = Some(reader.string()?),
                b"t" => fields.tombstone = reader.integer()? == 1,
                b"x" => {
                    reader.string()?;
                    fields.sealed = true;
                }
                _ => {
                    reader.raw()?;
                }
            }
        }
        Ok(fields)
    }

    /// The value, or the manifest of one whose chunks have this form.
    fn value(&self, form: Form) -> Result<Option<Box<[u8]>>, Malformed> {
        if let Some(manifest) = self.manifest {
            Manifest::decode(manifest, form)?;
        }
        if self.tombstone {
            return Ok(None);
        }
        self.value.or(self.manifest).map(Box::from).ok_or(Malformed).map(Some)
    }

    fn is_manifest(&self) -> bool {
        !self.tombstone && self.value.is_none()
    }

    fn content_type(&self) -> Option<Box<str>> {
        self.content_type.filter(|text| text.len() <= CONTENT_TYPE_BYTES).map(Box::from)
    }
}

/// An envelope with sealed bytes, taken apart: byte for byte, so that what later versions write
/// there is bound and kept too.
pub(crate) struct Envelope<'a> {
    before: &'a [u8],
    /// What stands under `x`.
    pub sealed: &'a [u8],
    after: &'a [u8],
}

impl<'a> Envelope<'a> {
    /// The envelope that a dictionary without `x` makes around sealed bytes.
    pub fn around(outside: &'a [u8], sealed: &'a [u8]) -> Self {
        let (before, after) = outside.split_at(outside.len() - 1);
        Self { before, sealed, after }
    }

    /// The envelope in the value of an item, if it is one with sealed bytes.
    pub fn find(item_value: &'a [u8]) -> Option<Self> {
        let bytes = Reader::new(item_value).string().ok()?.strip_prefix(&MAGIC)?;
        check_canonical(bytes).ok()?;
        let mut entries = Reader::new(bytes).dictionary().ok()?;
        loop {
            let before = &bytes[..bytes.len() - entries.reader.rest().len()];
            let key = entries.next_key().ok()??;
            if key == b"x" {
                let sealed = entries.reader.string().ok()?;
                return Some(Self { before, sealed, after: entries.reader.rest() });
            }
            entries.reader.raw().ok()?;
        }
    }

    /// The same with other sealed bytes.
    pub fn with(&self, sealed: &'a [u8]) -> Self {
        Self { sealed, ..*self }
    }

    /// The dictionary without `x`.
    pub fn outside(&self) -> Vec<u8> {
        [self.before, self.after].concat()
    }

    /// The bencoded value of its item.
    pub fn encode(&self) -> Vec<u8> {
        let sealed = byte_string(self.sealed);
        byte_string(&[&MAGIC, self.before, b"1:x", &sealed, self.after].concat())
    }
}

/// The largest value that fits one item, in bytes, with an envelope or plain, outside of secret
/// namespaces.
pub fn largest_value(content_type: Option<&str>, plain: bool) -> usize {
    if plain {
        // `996:` stands before it.
        return VALUE_BYTES - 4;
    }
    // Two length prefixes grow to three digits: the string's own and the envelope's.
    VALUE_BYTES.saturating_sub(empty(content_type).encode().len() + 2 + 1)
}

/// The largest value that fits one item of a secret namespace, in bytes.
pub(crate) fn largest_sealed_value(content_type: Option<&str>) -> usize {
    let inside = empty(content_type).split().map_or(0, |(inside, _)| inside.len());
    // Its length prefix grows to three digits.
    SEALED_BYTES.saturating_sub(inside + 2)
}

/// What stands around a value at its widest.
fn empty(content_type: Option<&str>) -> Record {
    Record {
        value: Some(Box::from([])),
        content_type: content_type.map(Box::from),
        // The widest times that occur before the year 2286.
        expires: Some(UnixMillis(9_999_999_999_998)),
        replaced_until: Some(UnixMillis(9_999_999_999_999)),
        manifest: None,
        sealed: false,
    }
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
                sealed: false,
                manifest: None,
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
        fn what_is_split_and_sealed_comes_back_as_written(
            record in record(), sealed: [u8; 40], later: bool,
        ) {
            let (mut inside, outside) = record.split().unwrap();
            let around = Envelope::around(&outside, &sealed);
            // A field that a later version may have.
            let after: &[u8] = if later { b"1:zi9ee" } else { b"e" };
            let around = Envelope { after, ..around };
            let encoded = around.encode();
            let found = Envelope::find(&encoded).unwrap();
            prop_assert_eq!((found.outside(), found.sealed), (around.outside(), &sealed[..]));
            prop_assert_eq!(found.encode(), &*encoded);
            let held = Record::decode(&encoded);
            prop_assert!(held.sealed && !held.is_tombstone() && held.value.is_none());
            prop_assert_eq!(held.remembered_until(), record.remembered_until());
            inside.extend([0; 5]);
            prop_assert_eq!(held.clone().unsealed(&inside), Ok(record));
            inside.push(1);
            prop_assert_eq!(held.unsealed(&inside), Err(Malformed));
        }

        #[test]
        fn any_item_is_some_record(bytes: Vec<u8>) {
            let _ = Record::decode(&bytes);
            let mut enveloped = MAGIC.to_vec();
            enveloped.extend(&bytes);
            let _ = Record::decode(&byte_string(&enveloped));
            let _ = Record::plain(b"").unsealed(&bytes);
            let _ = Record::plain(b"").unsealed(&[b"d", &bytes[..]].concat());
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
                sealed: false,
                manifest: None,
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
