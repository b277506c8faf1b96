//! The values that users write: each put of a run has one of its own, and whoever reads it can tell
//! which it is, and that all of it is there.

use crate::chance::Chance;

/// The most bytes that stand behind the number of a small value.
const SMALL: u64 = 200;

/// The fewest and the most bytes that stand behind the number of a large value: 4 to 60 chunks.
const LARGE: (u64, u64) = (4_000, 60_000);

/// The value of this number that fits one item.
pub fn small(number: u64) -> Vec<u8> {
    filled(number, (0, SMALL))
}

/// The value of this number that does not fit one item.
pub fn large(number: u64) -> Vec<u8> {
    filled(number, LARGE)
}

fn filled(number: u64, (least, most): (u64, u64)) -> Vec<u8> {
    let mut bytes = number.to_be_bytes().to_vec();
    let mut chance = Chance::from_number(number);
    let length = chance.between(least, most) as usize + bytes.len();
    while bytes.len() < length {
        bytes.extend(chance.bytes::<8>());
    }
    bytes.truncate(length);
    bytes
}

/// The number of a value that [`small`] or [`large`] made; `None` if it is none of them.
pub fn number(bytes: &[u8], make: fn(u64) -> Vec<u8>) -> Option<u64> {
    let number = u64::from_be_bytes(*bytes.first_chunk()?);
    (make(number) == bytes).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_known_again_and_one_that_was_spoiled_is_none() {
        for value in 0..50 {
            for make in [small, large] {
                let bytes = make(value);
                assert_eq!(number(&bytes, make), Some(value));
                assert_eq!(number(&bytes[..bytes.len() - 1], make), None);
                let mut spoiled = bytes.clone();
                *spoiled.last_mut().unwrap() ^= 1;
                assert_eq!(number(&spoiled, make), None);
            }
        }
    }
}
