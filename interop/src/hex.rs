//! Hexadecimal digits, in which bytes travel to and from the foreign processes.

use std::fmt::Write;

use crate::failure::{Failure, Outcome};

/// Two digits a byte.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes all that is written to it");
        text
    })
}

/// The bytes behind the digits.
pub fn unhex(text: &str) -> Outcome<Vec<u8>> {
    let bad = || Failure::new(format!("not hexadecimal: `{text}`"));
    let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0).ok_or_else(bad)?;
    Ok(digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_from_their_digits() {
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(unhex(&hex(&bytes)).unwrap(), bytes);
        assert_eq!(hex(&[0, 255, 16]), "00ff10");
    }

    #[test]
    fn what_is_not_hexadecimal_is_refused() {
        for bad in ["0", "zz", "0ü"] {
            assert!(unhex(bad).is_err(), "{bad}");
        }
    }
}
