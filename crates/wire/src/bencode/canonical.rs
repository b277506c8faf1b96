//! The one form that a value may have where a hash or signature is taken over it.

use super::read::{Malformed, Reader};
use crate::limits::BENCODE_DEPTH;

/// Checks that `bytes` are exactly one value in canonical form: dictionary keys strictly rising, no
/// leading zeros, no negative zero, nothing behind it (BEP 44: "invalid bencoding (e.g. a
/// dictionary with unsorted keys)" must be refused).
///
/// # Errors
/// [`Malformed`] if they are not, or nest deeper than [`BENCODE_DEPTH`].
pub fn check_canonical(bytes: &[u8]) -> Result<(), Malformed> {
    let mut reader = Reader::canonical(bytes);
    check(&mut reader, BENCODE_DEPTH)?;
    if reader.rest().is_empty() { Ok(()) } else { Err(Malformed) }
}

fn check(reader: &mut Reader<'_>, depth: u32) -> Result<(), Malformed> {
    let depth = depth.checked_sub(1).ok_or(Malformed)?;
    match reader.peek()? {
        b'i' => {
            reader.integer_digits()?;
        }
        b'l' => {
            reader.list()?;
            while !reader.end() {
                check(reader, depth)?;
            }
        }
        b'd' => {
            let mut dictionary = reader.dictionary()?;
            let mut last: Option<&[u8]> = None;
            while let Some(key) = dictionary.next_key()? {
                if last.is_some_and(|last| last >= key) {
                    return Err(Malformed);
                }
                last = Some(key);
                check(&mut dictionary.reader, depth)?;
            }
            *reader = dictionary.reader;
        }
        _ => {
            reader.string()?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_form_passes() {
        for good in ["i0e", "5:hello", "le", "de", "d1:ai1e1:bl1:xee", "i99999999999999999999999e"]
        {
            assert_eq!(check_canonical(good.as_bytes()), Ok(()), "{good}");
        }
        for bad in
            ["d1:bi1e1:ai2ee", "d1:ai1e1:ai1ee", "i-0e", "02:hi", "5:helloX", "", "l", "di1e1:ae"]
        {
            assert_eq!(check_canonical(bad.as_bytes()), Err(Malformed), "{bad}");
        }
    }
}
