//! 160-bit identifiers, one type for each role, and the XOR distance between their points.
//!
//! A [`NodeId`] is not an [`InfoHash`] is not a [`Target`]: none converts into another. All of them
//! lie somewhere in one key space, and [`Point`] is that place, so that a lookup can walk towards
//! any of them.

use core::fmt;
use core::str::FromStr;

use sha1::{Digest, Sha1};

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

impl InfoHash {
    /// The info hash of a topic that has a name and no torrent: the SHA-1 of the name.
    pub fn of_topic(topic: &str) -> Self {
        Self(Sha1::digest(topic).into())
    }
}

impl Point {
    /// The XOR distance to `other`.
    #[inline]
    pub fn distance(&self, other: &Point) -> Distance {
        let (a, b) = (self.words(), other.words());
        Distance { high: a.0 ^ b.0, middle: a.1 ^ b.1, low: a.2 ^ b.2 }
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
    fn words(&self) -> (u64, u64, u32) {
        let [a, b, c, d, e, f, g, h, rest @ ..] = self.0;
        let high = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
        let [a, b, c, d, e, f, g, h, rest @ ..] = rest;
        (high, u64::from_be_bytes([a, b, c, d, e, f, g, h]), u32::from_be_bytes(rest))
    }
}

/// How far apart two places are: their XOR, read as a number. Smaller is closer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Distance {
    high: u64,
    middle: u64,
    low: u32,
}

impl Distance {
    /// Farther than any distance between two different places' nodes need be; sorts last.
    pub const MAX: Distance = Distance { high: u64::MAX, middle: u64::MAX, low: u32::MAX };

    /// Leading zero bits, 0 to 160; 160 means the same place.
    #[inline]
    pub fn leading_zeros(&self) -> u32 {
        match (self.high, self.middle) {
            (0, 0) => 128 + self.low.leading_zeros(),
            (0, middle) => 64 + middle.leading_zeros(),
            (high, _) => high.leading_zeros(),
        }
    }
}

impl fmt::Debug for Distance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{:016x}{:08x}", self.high, self.middle, self.low)
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

    #[test]
    fn a_topic_is_named_by_the_sha1_of_its_text() {
        let abc = InfoHash::of_topic("abc").to_string();
        assert_eq!(abc, "a9993e364706816aba3e25717850c26c9cd0d89d");
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
