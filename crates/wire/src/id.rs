//! 160-bit identifiers, one type for each role, and the XOR distance between their points.
//!
//! A [`NodeId`] is not an [`InfoHash`] is not a [`Target`]: none converts into another. All of them
//! lie somewhere in one key space, and [`Point`] is that place, so that a lookup can walk towards
//! any of them.

use core::fmt;
use core::str::FromStr;

use crate::limits::ID_BYTES;

/// A hexadecimal identifier that is not 40 digits long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not 40 hexadecimal digits")]
pub struct NotAnId;

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; ID_BYTES]);

        impl $name {
            /// Takes the 20 bytes, most significant first.
            pub const fn new(bytes: [u8; ID_BYTES]) -> Self {
                Self(bytes)
            }

            /// The 20 bytes, most significant first.
            pub const fn as_bytes(&self) -> &[u8; ID_BYTES] {
                &self.0
            }

            /// Reads a field of a message; `None` unless it is exactly 20 bytes long.
            pub fn read(field: &[u8]) -> Option<Self> {
                field.try_into().ok().map(Self)
            }

            /// The place in the key space.
            pub const fn point(&self) -> Point {
                Point(self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_hex(f, &self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_hex(f, &self.0)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                read_hex(text).map(Self).ok_or(NotAnId)
            }
        }
    };
}

identifier! {
    /// Names a node (BEP 5).
    NodeId
}
identifier! {
    /// Names a topic under which peers announce themselves (BEP 5).
    InfoHash
}
identifier! {
    /// Names an item: the SHA-1 of its value, or of its public key and salt (BEP 44).
    Target
}
identifier! {
    /// A place in the key space, towards which a lookup walks.
    Point
}

impl Point {
    /// The XOR distance to `other`.
    #[inline]
    pub fn distance(&self, other: &Point) -> Distance {
        let (a, b) = (self.halves(), other.halves());
        Distance { high: a.0 ^ b.0, low: a.1 ^ b.1 }
    }

    /// How many leading bits both places share, 0 to 160.
    #[inline]
    pub fn shared_bits(&self, other: &Point) -> u32 {
        self.distance(other).leading_zeros()
    }

    /// This place with the bits from `first` on replaced by those of `noise`, and bit `first - 1`
    /// flipped: somewhere in the part of the key space that shares exactly `first - 1` bits with us.
    pub fn diverge(&self, first: u32, noise: [u8; ID_BYTES]) -> Point {
        let mut bytes = self.0;
        for (index, byte) in bytes.iter_mut().enumerate() {
            let keep = (first as usize).saturating_sub(index * 8).min(8);
            let mask = if keep == 8 { 0xff } else { !(0xff_u8 >> keep) };
            *byte = (*byte & mask) | (noise[index] & !mask);
        }
        if first > 0 {
            let bit = (first - 1) as usize;
            bytes[bit / 8] ^= 0x80 >> (bit % 8);
        }
        Point(bytes)
    }

    #[inline]
    fn halves(&self) -> (u128, u32) {
        let mut high = [0; 16];
        let mut low = [0; 4];
        high.copy_from_slice(&self.0[..16]);
        low.copy_from_slice(&self.0[16..]);
        (u128::from_be_bytes(high), u32::from_be_bytes(low))
    }
}

/// How far apart two places are: their XOR, read as a number. Smaller is closer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Distance {
    high: u128,
    low: u32,
}

impl Distance {
    /// Farther than any distance between two different places' nodes need be; sorts last.
    pub const MAX: Distance = Distance { high: u128::MAX, low: u32::MAX };

    /// Leading zero bits, 0 to 160; 160 means the same place.
    #[inline]
    pub fn leading_zeros(&self) -> u32 {
        if self.high == 0 { 128 + self.low.leading_zeros() } else { self.high.leading_zeros() }
    }
}

impl fmt::Debug for Distance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}{:08x}", self.high, self.low)
    }
}

fn write_hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    // A precision shortens: `{:.8}` shows the first 8 digits.
    let digits = f.precision().unwrap_or(bytes.len() * 2);
    for index in 0..digits.min(bytes.len() * 2) {
        let byte = bytes[index / 2];
        let nibble = if index % 2 == 0 { byte >> 4 } else { byte & 0xf };
        write!(f, "{nibble:x}")?;
    }
    Ok(())
}

/// Reads exactly `2 * N` hexadecimal digits.
pub fn read_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let high = (pair[0] as char).to_digit(16)?;
        let low = (pair[1] as char).to_digit(16)?;
        *byte = (high * 16 + low) as u8;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::format;
    use std::string::ToString;

    #[test]
    fn hexadecimal_goes_both_ways_and_refuses_other_lengths() {
        let text = "4a533d47ec9c7d95b1ad75f576cffc641853b750";
        assert_eq!(text.parse::<Target>().unwrap().to_string(), text);
        assert_eq!(format!("{:.8}", text.parse::<Target>().unwrap()), "4a533d47");
        assert_eq!("4a53".parse::<Target>(), Err(NotAnId));
        assert_eq!("zz533d47ec9c7d95b1ad75f576cffc641853b750".parse::<Target>(), Err(NotAnId));
    }

    proptest! {
        #[test]
        fn distance_is_a_metric(a: [u8; 20], b: [u8; 20], c: [u8; 20]) {
            let (a, b, c) = (Point::new(a), Point::new(b), Point::new(c));
            prop_assert_eq!(a.distance(&b), b.distance(&a));
            prop_assert_eq!(a.distance(&a).leading_zeros(), 160);
            // XOR's stronger form of the triangle: the shared prefix of the ends is at least the
            // shorter of the two on the way.
            prop_assert!(a.shared_bits(&c) >= a.shared_bits(&b).min(b.shared_bits(&c)));
        }

        #[test]
        fn distance_orders_like_the_bytes_of_the_xor(a: [u8; 20], b: [u8; 20], c: [u8; 20]) {
            let xor = |x: &[u8; 20]| { let mut y = *x; for i in 0..20 { y[i] ^= a[i]; } y };
            let a = Point::new(a);
            prop_assert_eq!(
                a.distance(&Point::new(b)).cmp(&a.distance(&Point::new(c))),
                xor(&b).cmp(&xor(&c))
            );
        }

        #[test]
        fn diverging_shares_exactly_the_bits_asked_for(a: [u8; 20], noise: [u8; 20], bits in 0u32..160) {
            let a = Point::new(a);
            prop_assert_eq!(a.shared_bits(&a.diverge(bits + 1, noise)), bits);
        }
    }
}
