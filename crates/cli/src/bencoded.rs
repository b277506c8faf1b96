//! Texts as the values of raw items: bencoded byte strings, `5:hello`.

/// A text as a bencoded byte string.
pub fn byte_string(text: &[u8]) -> Vec<u8> {
    let mut value = format!("{}:", text.len()).into_bytes();
    value.extend_from_slice(text);
    value
}

/// The inside of a value that is one byte string.
pub fn text(value: &[u8]) -> Option<&[u8]> {
    let colon = value.iter().position(|byte| *byte == b':')?;
    let (length, text) = (&value[..colon], &value[colon + 1..]);
    let length: usize = std::str::from_utf8(length).ok()?.parse().ok()?;
    (length == text.len()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_comes_back_and_other_values_are_none() {
        for inside in [&b""[..], b"hello", b"5:hello", &[0xff; 300]] {
            assert_eq!(text(&byte_string(inside)), Some(inside));
        }
        for other in [&b"i5e"[..], b"d1:a1:be", b"l2:hie", b"", b"2:h", b"1:hi"] {
            assert_eq!(text(other), None);
        }
    }
}
