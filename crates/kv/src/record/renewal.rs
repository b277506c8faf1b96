//! The envelope of a record that is to live on: other times, all else byte for byte.

use alloc::vec::Vec;

use node::UnixMillis;
use wire::bencode::{Malformed, Reader, Writer, check_canonical};
use wire::item::byte_string;

use super::{MAGIC, millis, unix_millis};

/// What the entries of two times add at most.
const TIMES_BYTES: usize = 64;

/// The bencoded value of an item with this expiry; `None` if it has no envelope. The latest expiry of
/// any version that it replaced counts on, its own among them.
pub(crate) fn with_expiry(item_value: &[u8], expires: UnixMillis) -> Option<Vec<u8>> {
    let bytes = Reader::new(item_value).string().ok()?.strip_prefix(&MAGIC)?;
    check_canonical(bytes).ok()?;
    renewed(bytes, expires).ok()
}

fn renewed(dictionary: &[u8], expires: UnixMillis) -> Result<Vec<u8>, Malformed> {
    let mut kept: Vec<(&[u8], &[u8])> = Vec::new();
    let mut latest = None;
    let mut entries = Reader::new(dictionary).dictionary()?;
    while let Some(key) = entries.next_key()? {
        match key {
            b"e" | b"l" => latest = latest.max(Some(unix_millis(entries.reader.integer()?)?)),
            _ => kept.push((key, entries.reader.raw()?)),
        }
    }
    let latest = latest.ok_or(Malformed)?;
    let behind = kept.partition_point(|(key, _)| *key < b"e".as_slice());
    let between = kept.partition_point(|(key, _)| *key < b"l".as_slice());
    let mut envelope = alloc::vec![0; MAGIC.len() + dictionary.len() + TIMES_BYTES];
    let mut writer = Writer::new(&mut envelope);
    let copy = |entries: &[(&[u8], &[u8])], writer: &mut Writer<'_>| {
        for (key, value) in entries {
            writer.raw(&byte_string(key));
            writer.raw(value);
        }
    };
    writer.raw(&MAGIC);
    writer.raw(b"d");
    copy(&kept[..behind], &mut writer);
    writer.integer_entry(b"e", millis(expires));
    copy(&kept[behind..between], &mut writer);
    if latest > expires {
        writer.integer_entry(b"l", millis(latest));
    }
    copy(&kept[between..], &mut writer);
    writer.raw(b"e");
    let length = writer.finish().ok_or(Malformed)?;
    Ok(byte_string(&envelope[..length]))
}

#[cfg(test)]
mod tests {
    use super::super::Record;
    use super::*;
    use proptest::prelude::*;
    use std::boxed::Box;

    proptest! {
        #[test]
        fn a_renewed_record_is_the_same_but_for_its_times(
            value in proptest::collection::vec(any::<u8>(), 0..300), typed: bool,
            old in 0u64..1 << 44, replaced in proptest::option::of(0u64..1 << 44), new in 0u64..1 << 44,
        ) {
            let record = Record {
                value: Some(value.into()),
                content_type: typed.then(|| Box::from("text/plain")),
                expires: Some(UnixMillis(old)),
                replaced_until: replaced.map(UnixMillis).filter(|until| until.0 > old),
                ..Record::default()
            };
            let again = with_expiry(&record.encode(), UnixMillis(new)).unwrap();
            prop_assert_eq!(check_canonical(&again), Ok(()));
            let latest = record.remembered_until().filter(|until| until.0 > new);
            let expected =
                Record { expires: Some(UnixMillis(new)), replaced_until: latest, ..record };
            prop_assert_eq!(Record::decode(&again), expected);
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = with_expiry(&bytes, UnixMillis(1));
            let _ = with_expiry(&byte_string(&[&MAGIC, &bytes[..]].concat()), UnixMillis(1));
        }
    }

    #[test]
    fn fields_of_later_versions_stay_where_they_are() {
        let envelope = |times: &str| {
            let inside = std::format!("d1:ai1e1:d2:hi{times}1:mi2e1:zi9ee");
            byte_string(&[&MAGIC, inside.as_bytes()].concat())
        };
        let again = with_expiry(&envelope("1:ei5e1:fle1:li8e"), UnixMillis(6));
        assert_eq!(again, Some(envelope("1:ei6e1:fle1:li8e")));
        let again = with_expiry(&envelope("1:ei5e1:fle"), UnixMillis(9));
        assert_eq!(again, Some(envelope("1:ei9e1:fle")));
    }

    #[test]
    fn what_is_plain_has_no_expiry_to_renew() {
        assert_eq!(with_expiry(&Record::plain(b"v").encode(), UnixMillis(1)), None);
        assert_eq!(with_expiry(b"i5e", UnixMillis(1)), None);
    }
}
