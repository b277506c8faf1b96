//! Values, items and versions as texts: in lines that people read, and on the command line.

use xorbit::Version;

/// Bytes in a line: a backslash and whatever does not print are escaped, as in `\\`, `\n`, `\xff`.
pub fn shown(bytes: &[u8]) -> String {
    let mut line = String::new();
    for chunk in bytes.utf8_chunks() {
        for letter in chunk.valid().chars() {
            match letter {
                '\\' => line.push_str("\\\\"),
                letter if letter.is_control() => line.extend(letter.escape_default()),
                letter => line.push(letter),
            }
        }
        line.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    line
}

/// Reads a version as receipts give it.
pub fn version(text: &str) -> Result<Version, &'static str> {
    let version = text.parse().ok().and_then(Version::new);
    version.ok_or("not a version, such as a receipt or `get --json` tells")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_told_in_one_line_and_no_two_alike() {
        for (bytes, told) in [
            (&b"hello"[..], "hello"),
            ("Grüße 🦀".as_bytes(), "Grüße 🦀"),
            (b"two\nlines\x1b[31m", r"two\nlines\u{1b}[31m"),
            (b"\xff\x00", r"\xff\u{0}"),
            (br"a\n", r"a\\n"),
            (b"", ""),
        ] {
            assert_eq!(shown(bytes), told);
        }
    }
}
