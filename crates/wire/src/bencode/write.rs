//! Writes bencode into a buffer of fixed size. What does not fit marks the writer as overflown
//! instead of failing at each call, so that a message is written in one straight run.

/// Writes bencode into a buffer of fixed size. The caller writes dictionary keys in their order.
pub struct Writer<'b> {
    buffer: &'b mut [u8],
    length: usize,
    overflown: bool,
}

impl<'b> Writer<'b> {
    /// Starts at the beginning of `buffer`.
    pub fn new(buffer: &'b mut [u8]) -> Self {
        Self { buffer, length: 0, overflown: false }
    }

    /// How many bytes were written; `None` if they did not all fit.
    pub fn finish(self) -> Option<usize> {
        (!self.overflown).then_some(self.length)
    }

    /// Copies bytes that are bencode already.
    #[inline]
    pub fn raw(&mut self, bytes: &[u8]) {
        match self.buffer.get_mut(self.length..self.length + bytes.len()) {
            Some(place) => {
                place.copy_from_slice(bytes);
                self.length += bytes.len();
            }
            None => self.overflown = true,
        }
    }

    /// Writes a byte string.
    #[inline]
    pub fn string(&mut self, bytes: &[u8]) {
        self.string_head(bytes.len());
        self.raw(bytes);
    }

    /// Writes the length of a byte string whose bytes follow through [`Writer::raw`].
    #[inline]
    pub fn string_head(&mut self, length: usize) {
        let mut digits = [0; 20];
        let text = decimal(length as u64, &mut digits);
        self.raw(text);
        self.raw(b":");
    }

    /// Writes an integer.
    pub fn integer(&mut self, value: i64) {
        let mut digits = [0; 20];
        self.raw(if value < 0 { b"i-" } else { b"i" });
        let text = decimal(value.unsigned_abs(), &mut digits);
        self.raw(text);
        self.raw(b"e");
    }

    /// Writes a dictionary's key and a byte string.
    #[inline]
    pub fn entry(&mut self, key: &[u8], value: &[u8]) {
        self.string(key);
        self.string(value);
    }

    /// Writes a dictionary's key and an integer.
    pub fn integer_entry(&mut self, key: &[u8], value: i64) {
        self.string(key);
        self.integer(value);
    }
}

fn decimal(mut value: u64, digits: &mut [u8; 20]) -> &[u8] {
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            return &digits[start..];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bencode::Reader;
    use proptest::prelude::*;

    #[test]
    fn what_does_not_fit_is_told_at_the_end() {
        let mut buffer = [0; 4];
        let mut writer = Writer::new(&mut buffer);
        writer.string(b"hello");
        assert_eq!(writer.finish(), None);
    }

    proptest! {
        #[test]
        fn integers_and_strings_come_back_as_written(value: i64, bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut buffer = [0; 400];
            let mut writer = Writer::new(&mut buffer);
            writer.integer(value);
            writer.string(&bytes);
            let length = writer.finish().unwrap();
            let mut reader = Reader::new(&buffer[..length]);
            prop_assert_eq!(reader.integer(), Ok(value));
            prop_assert_eq!(reader.string(), Ok(&bytes[..]));
            prop_assert!(reader.rest().is_empty());
        }
    }
}
