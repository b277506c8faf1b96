//! Values as they travel: byte strings, the one kind that every family of nodes can hold.

use xorbit::{Item, Target};

use crate::failure::Outcome;

/// Bytes of the largest value that all take: with its length before it, it fills the 1,000 bytes of
/// BEP 44.
pub const LARGEST: usize = 996;

/// The value as a bencoded byte string.
pub fn bencoded(value: &[u8]) -> Vec<u8> {
    [format!("{}:", value.len()).as_bytes(), value].concat()
}

/// The name of the immutable item with this value.
pub fn immutable_target(value: &[u8]) -> Outcome<Target> {
    Ok(Item::immutable(&bencoded(value))?.target())
}

/// A value of the largest size, with bytes of all kinds; no two seeds give the same.
pub fn largest(seed: u8) -> Vec<u8> {
    (0..LARGEST).map(|index| (index as u8).wrapping_mul(seed | 1).wrapping_add(seed)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_value_fills_what_an_item_may_hold() {
        assert_eq!(bencoded(&largest(1)).len(), 1000);
        assert!(immutable_target(&largest(1)).is_ok());
        assert!(immutable_target(&[0; LARGEST + 1]).is_err());
        assert_ne!(largest(2), largest(3));
    }
}
