//! How large values may be, and how their size is told.

use crate::amount;
use crate::failure::{Failure, Kind};

/// The largest value that is put or got.
#[derive(clap::Args, Clone, Debug)]
pub struct SizeArgs {
    /// Largest value in bytes, such as 500k or 2M [default: 64 MiB; with `--public` 256 KiB]
    #[arg(long, allow_hyphen_values = true, value_name = "SIZE", value_parser = amount::parse)]
    pub max_size: Option<u64>,
}

/// As `16 MiB`, `256 KiB` or `1,234 bytes`: exactly.
pub fn told(bytes: u64) -> String {
    match bytes {
        _ if bytes > 0 && bytes.is_multiple_of(1 << 20) => format!("{} MiB", grouped(bytes >> 20)),
        _ if bytes > 0 && bytes.is_multiple_of(1 << 10) => format!("{} KiB", grouped(bytes >> 10)),
        1 => "1 byte".to_owned(),
        _ => format!("{} bytes", grouped(bytes)),
    }
}

/// As `1.2 MiB` or `340 bytes`: for people, of what changes as they look.
pub fn about(bytes: u64) -> String {
    let units = [(1_u64 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.into_iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{:.1} {name}", bytes as f64 / unit as f64),
        None => told(bytes),
    }
}

/// A number with its thousands apart: `17,197`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut told = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            told.push(',');
        }
        told.push(digit);
    }
    told
}

/// The value is above the limit.
pub fn above_limit(what: String, length: Option<u64>, limit: u64) -> Failure {
    Failure::new(Kind::Usage, what)
        .hint("`--max-size SIZE` sets another limit")
        .with("length", length)
        .with("limit", limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_exactly() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (999, "999 bytes"),
            (1023, "1,023 bytes"),
            (256 << 10, "256 KiB"),
            (64 << 20, "64 MiB"),
            ((64 << 20) + 1, "67,108,865 bytes"),
        ] {
            assert_eq!(told(bytes), text);
        }
    }
}
