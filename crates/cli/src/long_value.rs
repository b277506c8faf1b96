//! A value inside of a JSON object that is too long to be held in memory.

use std::io::{self, Read, Seek, Write};
use std::str::Utf8Error;

use gateway::hex;
use serde_json::Value;

/// So much of it is held at once.
const PIECE_BYTES: usize = 64 * 1024;

/// Writes an object with one field more, as [`crate::report::put_value`] would add it: text if the
/// source is, else digits. The source is read from its beginning, twice if it is text.
pub fn write_line(
    object: &Value,
    source: &mut (impl Read + Seek),
    to: &mut impl Write,
) -> io::Result<()> {
    source.rewind()?;
    let is_text = each_text(source, |_| Ok(()))?;
    source.rewind()?;
    let object = object.to_string();
    let fields = object.strip_suffix('}').unwrap_or_default();
    let comma = if fields == "{" { "" } else { "," };
    let name = if is_text { "value" } else { "value_hex" };
    write!(to, "{fields}{comma}\"{name}\":\"")?;
    if is_text {
        each_text(source, |text| {
            // Escapes stand for one letter each, so pieces may be escaped by themselves.
            let quoted = Value::from(text).to_string();
            to.write_all(&quoted.as_bytes()[1..quoted.len() - 1])
        })?;
    } else {
        each_piece(source, |piece| to.write_all(hex::encode(piece).as_bytes()).map(|()| true))?;
    }
    to.write_all(b"\"}\n")
}

/// Reads text in pieces; `false` as soon as it is none.
fn each_text(
    source: &mut impl Read,
    mut each: impl FnMut(&str) -> io::Result<()>,
) -> io::Result<bool> {
    let mut begun = Vec::new();
    let all_text = each_piece(source, |piece| {
        begun.extend_from_slice(piece);
        let whole = match std::str::from_utf8(&begun) {
            Ok(text) => text,
            Err(error) => match text_before(&begun, error) {
                Some(text) => text,
                None => return Ok(false),
            },
        };
        each(whole)?;
        let length = whole.len();
        begun.drain(..length);
        Ok(true)
    })?;
    Ok(all_text && begun.is_empty())
}

/// What comes before a letter whose end is in the next piece.
fn text_before(bytes: &[u8], error: Utf8Error) -> Option<&str> {
    let begins_a_letter = error.error_len().is_none();
    std::str::from_utf8(&bytes[..error.valid_up_to()]).ok().filter(|_| begins_a_letter)
}

/// Reads a source to its end, or until `each` says that it is enough; whether it came to the end.
fn each_piece(
    source: &mut impl Read,
    mut each: impl FnMut(&[u8]) -> io::Result<bool>,
) -> io::Result<bool> {
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match source.read(&mut piece) {
            Ok(0) => return Ok(true),
            Ok(length) if !each(&piece[..length])? => return Ok(false),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use serde_json::json;

    use super::*;
    use crate::report;

    #[test]
    fn an_object_is_what_it_would_be_with_the_value_in_memory() {
        let text = "Grüße 🦀 \"quoted\"\n\\ \u{1}".repeat(20_000);
        let cut = text.len() - 5 - "🦀".len();
        for (value, name) in [
            (text.as_bytes(), "value"),
            (&text.as_bytes()[..100_003], "value_hex"),
            (&[0xff; 70_000], "value_hex"),
            (&text.as_bytes()[..cut], "value"),
            (b"", "value"),
        ] {
            let cut_short = std::str::from_utf8(value).is_err();
            assert_eq!(cut_short, name == "value_hex");
            for object in [json!({}), json!({ "key": "k", "version": 7 })] {
                let mut wanted = object.clone();
                report::put_value(&mut wanted, value);
                let mut line = Vec::new();
                write_line(&object, &mut Cursor::new(value), &mut line).unwrap();
                assert!(line.ends_with(b"}\n"));
                assert_eq!(serde_json::from_slice::<Value>(&line).unwrap(), wanted);
            }
        }
    }
}
