//! Any bytes at all as bencode: reading stays inside of them, and what is canonical is exactly what
//! the writer writes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::bencode::{Malformed, Reader, Writer, check_canonical};

fuzz_target!(|bytes: &[u8]| {
    let mut reader = Reader::new(bytes);
    if let Ok(raw) = reader.raw() {
        assert!(bytes.starts_with(raw));
        assert_eq!(raw.len() + reader.rest().len(), bytes.len());
        // The value alone reads the same.
        assert_eq!(Reader::new(raw).raw(), Ok(raw));
    }
    let canonical = check_canonical(bytes);
    if canonical.is_ok() {
        assert_eq!(Reader::new(bytes).raw(), Ok(bytes), "canonical, and yet not read");
        assert_eq!(Reader::canonical(bytes).raw(), Ok(bytes));
    }
    let mut written = vec![0; bytes.len() + 64];
    let mut writer = Writer::new(&mut written);
    let mut from = Reader::canonical(bytes);
    if copy(&mut from, &mut writer).is_ok() && from.rest().is_empty() {
        let length = writer.finish().expect("no longer than what was read");
        assert_eq!(&written[..length], bytes, "the writer writes what was read");
    }
});

/// Writes what it reads, value by value. Numbers beyond 64 bits are left out as malformed.
fn copy(from: &mut Reader<'_>, to: &mut Writer<'_>) -> Result<(), Malformed> {
    // Nothing nests deeper than what `raw` has accepted.
    Reader::canonical(from.rest()).raw()?;
    match from.rest().first() {
        Some(b'i') => to.integer(from.integer()?),
        Some(b'l') => {
            from.list()?;
            to.raw(b"l");
            while !from.end() {
                copy(from, to)?;
            }
            to.raw(b"e");
        }
        Some(b'd') => {
            let mut entries = from.dictionary()?;
            to.raw(b"d");
            while let Some(key) = entries.next_key()? {
                to.string(key);
                copy(&mut entries.reader, to)?;
            }
            to.raw(b"e");
            *from = entries.reader;
        }
        _ => to.string(from.string()?),
    }
    Ok(())
}
