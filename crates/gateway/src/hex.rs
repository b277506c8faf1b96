//! Bytes as hexadecimal digits.

/// Two digits for each byte.
pub fn encode(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    // Reserved at once: it may be secret, and a text that grows leaves copies behind.
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.extend([byte >> 4, byte & 15].map(|digit| char::from(DIGITS[usize::from(digit)])));
    }
    text
}

/// As many bytes as there are pairs of digits, or `None`.
pub fn decode_all(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    // As above.
    let mut bytes = Vec::with_capacity(text.len() / 2);
    for pair in pairs {
        let [byte] = decode::<1>(std::str::from_utf8(pair).ok()?)?;
        bytes.push(byte);
    }
    Some(bytes)
}

/// Exactly `N` bytes, or `None`.
pub fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |at: usize| char::from(pair[at]).to_digit(16);
        *byte = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_come_back_as_bytes_and_other_lengths_do_not() {
        assert_eq!(decode::<3>(&encode(&[0, 0xab, 0xff])), Some([0, 0xab, 0xff]));
        assert_eq!(decode_all(&encode(&[0, 0xab, 0xff])), Some(vec![0, 0xab, 0xff]));
        assert_eq!((decode_all("00abf"), decode_all("zz"), decode_all("é")), (None, None, None));
        assert_eq!(decode::<3>("00abf"), None);
        assert_eq!(decode::<3>("00abfg"), None);
        assert_eq!(decode::<1>("é"), None);
        assert_eq!(encode(&[7; 33]).capacity(), 66, "nothing was left behind");
        assert_eq!(decode_all("00aBff"), Some(vec![0, 0xab, 0xff]));
        assert_eq!((decode_all("00abf"), decode_all("é"), decode_all("zz")), (None, None, None));
    }
}
