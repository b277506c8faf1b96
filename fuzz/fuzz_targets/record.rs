//! Any item's value as a record: every one is some record, and none says more than it may.
#![no_main]

use kv::{Record, largest_value};
use libfuzzer_sys::fuzz_target;
use wire::bencode::Reader;
use wire::item::byte_string;

/// Begins an envelope.
const MAGIC: &[u8] = b"\xd8XR\x01";

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
    check(&byte_string(bytes));
    let enveloped = byte_string(&[MAGIC, bytes].concat());
    let record = check(&enveloped);
    if record.expires.is_none() {
        // What only looks like an envelope is given as it stands.
        let whole = Reader::new(&enveloped).string().expect("a byte string");
        assert_eq!(record, Record::plain(whole));
    }
    let length = largest_value(record.content_type.as_deref(), record.expires.is_none());
    assert!(length <= wire::limits::VALUE_BYTES);
});

fn check(value: &[u8]) -> Record {
    let record = Record::decode(value);
    assert_eq!(record, Record::decode(value));
    assert_eq!(record.is_tombstone(), record.value.is_none() && !record.sealed);
    if record.sealed {
        // What is sealed says nothing but its times, whatever stands beside the seal.
        assert!(record.value.is_none() && record.content_type.is_none());
        assert!(record.expires.is_some());
    }
    assert!(record.value.as_ref().is_none_or(|held| held.len() <= value.len()));
    assert!(record.content_type.as_ref().is_none_or(|text| text.len() <= 128));
    if record.expires.is_none() {
        // A plain record is bytes and nothing else.
        assert!(record.value.is_some());
        assert!(record.content_type.is_none() && record.replaced_until.is_none());
    }
    record
}
