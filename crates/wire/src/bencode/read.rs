//! A cursor over bencoded bytes. Nothing is copied, nothing recurses deeper than
//! [`BENCODE_DEPTH`].

use crate::limits::BENCODE_DEPTH;

/// Bytes that are not bencode, or nest deeper than we follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed bencode")]
pub struct Malformed;

/// A cursor over bencoded bytes.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    rest: &'a [u8],
    canonical: bool,
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, canonical: false }
    }

    /// Like [`Reader::new`], and refuses numbers and lengths that could be written shorter.
    pub fn canonical(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, canonical: true }
    }

    /// What has not been read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Reads a byte string.
    #[inline]
    pub fn string(&mut self) -> Result<&'a [u8], Malformed> {
        let (length, after) = self.length_prefix()?;
        if after.len() < length {
            return Err(Malformed);
        }
        let (string, rest) = after.split_at(length);
        self.rest = rest;
        Ok(string)
    }

    /// Reads an integer that fits 64 bits with sign.
    pub fn integer(&mut self) -> Result<i64, Malformed> {
        let digits = self.integer_digits()?;
        let (negative, digits) = match digits.strip_prefix(b"-") {
            Some(digits) => (true, digits),
            None => (false, digits),
        };
        let mut value = 0_i64;
        for digit in digits {
            let digit = i64::from(digit - b'0');
            let signed = if negative { -digit } else { digit };
            value = value.checked_mul(10).and_then(|v| v.checked_add(signed)).ok_or(Malformed)?;
        }
        Ok(value)
    }

    /// Reads any value and gives its bytes as they stand.
    #[inline]
    pub fn raw(&mut self) -> Result<&'a [u8], Malformed> {
        let start = self.rest;
        self.skip(BENCODE_DEPTH)?;
        Ok(&start[..start.len() - self.rest.len()])
    }

    /// Enters a dictionary; its entries follow from [`Dictionary::next_key`].
    pub fn dictionary(&mut self) -> Result<Dictionary<'a>, Malformed> {
        self.expect(b'd')?;
        Ok(Dictionary { reader: *self })
    }

    /// Enters a list.
    pub fn list(&mut self) -> Result<(), Malformed> {
        self.expect(b'l')
    }

    /// Leaves a list or dictionary if its end is here.
    pub fn end(&mut self) -> bool {
        self.expect(b'e').is_ok()
    }

    /// The first byte of the next value, which tells its type.
    #[inline]
    pub(super) fn peek(&self) -> Result<u8, Malformed> {
        self.rest.first().copied().ok_or(Malformed)
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Result<(), Malformed> {
        match self.rest.split_first() {
            Some((first, rest)) if *first == byte => {
                self.rest = rest;
                Ok(())
            }
            _ => Err(Malformed),
        }
    }

    fn skip(&mut self, depth: u32) -> Result<(), Malformed> {
        let depth = depth.checked_sub(1).ok_or(Malformed)?;
        match self.peek()? {
            b'i' => {
                self.integer_digits()?;
            }
            b'l' => {
                self.list()?;
                while !self.end() {
                    self.skip(depth)?;
                }
            }
            b'd' => {
                self.expect(b'd')?;
                while !self.end() {
                    self.string()?;
                    self.skip(depth)?;
                }
            }
            _ => {
                self.string()?;
            }
        }
        Ok(())
    }

    /// The decimal length before a string, at most 5 digits, and what follows its colon.
    #[inline]
    fn length_prefix(&self) -> Result<(usize, &'a [u8]), Malformed> {
        let mut length = 0_usize;
        for (index, byte) in self.rest.iter().take(6).enumerate() {
            match byte {
                b'0'..=b'9' => length = length * 10 + usize::from(byte - b'0'),
                b':' if index > 0 && !(self.canonical && index > 1 && self.rest[0] == b'0') => {
                    return Ok((length, &self.rest[index + 1..]));
                }
                _ => return Err(Malformed),
            }
        }
        Err(Malformed)
    }

    /// The digits of an integer with their sign, of any size.
    pub(super) fn integer_digits(&mut self) -> Result<&'a [u8], Malformed> {
        self.expect(b'i')?;
        let end = self.rest.iter().position(|byte| *byte == b'e').ok_or(Malformed)?;
        let text = &self.rest[..end];
        let digits = text.strip_prefix(b"-").unwrap_or(text);
        let shortest = match digits {
            [b'0'] => text.len() == 1,
            [b'0', ..] => false,
            _ => true,
        };
        let number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
        if !number || (self.canonical && !shortest) {
            return Err(Malformed);
        }
        self.rest = &self.rest[end + 1..];
        Ok(text)
    }
}

/// The entries of a dictionary, one at a time. After each key the caller reads, or skips by
/// [`Reader::raw`], exactly one value from [`Dictionary::reader`].
pub struct Dictionary<'a> {
    /// The cursor, which stands on the value of the last key given.
    pub reader: Reader<'a>,
}

impl<'a> Dictionary<'a> {
    /// The next key, or `None` at the dictionary's end.
    #[inline]
    pub fn next_key(&mut self) -> Result<Option<&'a [u8]>, Malformed> {
        if self.reader.end() {
            return Ok(None);
        }
        self.reader.string().map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_number_or_string_is_refused_and_longer_forms_where_it_matters() {
        for text in ["ie", "i-e", "i1", "3:hi", ":", "i1.5e", "99999999:a", "i--1e"] {
            assert_eq!(Reader::new(text.as_bytes()).raw(), Err(Malformed), "{text}");
        }
        for text in ["i-0e", "i01e", "02:hi"] {
            assert!(Reader::new(text.as_bytes()).raw().is_ok(), "{text}");
            assert_eq!(Reader::canonical(text.as_bytes()).raw(), Err(Malformed), "{text}");
        }
        assert_eq!(Reader::new(b"i-12e").integer(), Ok(-12));
        assert_eq!(Reader::new(b"0:").string(), Ok(&b""[..]));
        assert_eq!(Reader::new(b"i9223372036854775807e").integer(), Ok(i64::MAX));
        assert_eq!(Reader::new(b"i-9223372036854775808e").integer(), Ok(i64::MIN));
        assert_eq!(Reader::new(b"i9223372036854775808e").integer(), Err(Malformed));
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = std::vec![b'l'; 5_000];
        assert_eq!(Reader::new(&deep).raw(), Err(Malformed));
        assert_eq!(Reader::new(b"lllleeee").raw(), Ok(&b"lllleeee"[..]));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused_without_a_panic(bytes: std::vec::Vec<u8>) {
            if let Ok(raw) = Reader::new(&bytes).raw() {
                prop_assert!(bytes.starts_with(raw));
            }
        }
    }
}
