//! Amounts of bytes as people type them: `500k`, `2M`, `1G`.

/// Reads a number of bytes, with k, M or G for thousands, millions and thousands of millions.
pub fn parse(text: &str) -> Result<u64, String> {
    const SHAPE: &str = "give a number of bytes above 0, such as 800000, 500k or 2M";
    let (digits, factor) = match text.chars().last() {
        Some('k' | 'K') => (&text[..text.len() - 1], 1_000),
        Some('m' | 'M') => (&text[..text.len() - 1], 1_000_000),
        Some('g' | 'G') => (&text[..text.len() - 1], 1_000_000_000),
        _ => (text, 1),
    };
    let number: u64 = digits.parse().map_err(|_| SHAPE)?;
    number.checked_mul(factor).filter(|bytes| *bytes > 0).ok_or_else(|| SHAPE.to_owned())
}

/// Reads a number of things.
pub fn count(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| "give a whole number, such as 10000".into())
}

/// Reads a rate, which a node counts in 32 bits.
pub fn rate(text: &str) -> Result<u32, String> {
    u32::try_from(parse(text)?).map_err(|_| "give at most 4G; without a cap, leave it out".into())
}

/// Reads an amount of memory.
pub fn memory(text: &str) -> Result<usize, String> {
    usize::try_from(parse(text)?).map_err(|_| "that is more than this machine can address".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_with_their_units() {
        for (text, bytes) in [("7", 7), ("500k", 500_000), ("2M", 2_000_000), ("1g", 1_000_000_000)]
        {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
        for text in ["", "k", "0", "-1", "2.5M", "2MB", "99999999999G"] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(rate("5G").is_err());
    }
}
