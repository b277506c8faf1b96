//! Public keys in z-base-32, as pkarr writes them: five bits a letter, of an alphabet that people tell
//! apart (Zooko O'Whielacronx, "human-oriented base-32 encoding").

const LETTERS: &[u8; 32] = b"ybndrfg8ejkmcpqxot1uwisza345h769";

/// Letters of a key: 51 for 255 bits, and one for the last bit with four zeros behind it.
const KEY_LETTERS: usize = 52;

/// The key that is written so; `None` if none is.
pub(crate) fn decode_key(text: &str) -> Option<[u8; 32]> {
    if text.len() != KEY_LETTERS {
        return None;
    }
    let (mut key, mut filled) = ([0; 32], 0);
    let (mut bits, mut count) = (0_u32, 0);
    for letter in text.bytes() {
        let five = LETTERS.iter().position(|other| *other == letter)?;
        bits = bits << 5 | five as u32;
        count += 5;
        if count >= 8 {
            count -= 8;
            *key.get_mut(filled)? = (bits >> count) as u8;
            bits &= (1 << count) - 1;
            filled += 1;
        }
    }
    // Each key is written in one way: what is left over is zero.
    (bits == 0 && filled == key.len()).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_and_anything_else_is_none() {
        assert_eq!(decode_key(&"y".repeat(52)), Some([0; 32]));
        // The last letter of 256 ones is 10000, the sixteenth from zero.
        let ones = format!("{}o", "9".repeat(51));
        assert_eq!(decode_key(&ones), Some([0xff; 32]));
        for none in ["", &"y".repeat(51), &"y".repeat(53), &"l".repeat(52), &"9".repeat(52)] {
            assert_eq!(decode_key(none), None, "{none}");
        }
        assert_eq!(decode_key(&format!("{}é", "y".repeat(50))), None);
    }
}
