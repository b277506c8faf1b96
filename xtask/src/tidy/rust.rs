//! Just enough reading of Rust for the rules: what is code, and where functions are.

use std::ops::Range;

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub struct Function<'a> {
    pub name: &'a str,
    /// From the word `fn` to the closing brace.
    pub span: Range<usize>,
}

/// Blanks comments and literals, keeping every offset and every line.
pub fn mask(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = literal_end(bytes, at);
        if end > at {
            out[at..end].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
        }
        at = end.max(at + 1);
    }
    // Whole tokens were blanked, and their edges are ASCII.
    String::from_utf8_lossy(&out).into_owned()
}

/// The end of the comment or literal that begins here, or `at` if none does.
fn literal_end(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    match rest {
        [b'/', b'/', ..] => at + rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len()),
        [b'/', b'*', ..] => block_comment_end(bytes, at),
        [b'r', b'"' | b'#', ..] if begins_raw(bytes, at) => raw_string_end(bytes, at),
        [b'"', ..] => quoted_end(bytes, at, b'"'),
        [b'\'', b'\\', ..] => quoted_end(bytes, at, b'\''),
        [b'\'', first, ..] => {
            // `'x'` is a character, `'x` a lifetime.
            let width = match first {
                0xf0.. => 4,
                0xe0.. => 3,
                0xc0.. => 2,
                _ => 1,
            };
            if rest.get(1 + width) == Some(&b'\'') { at + width + 2 } else { at }
        }
        _ => at,
    }
}

/// Whether `r` opens a raw string and is no tail of a name; `br` and `cr` do too.
fn begins_raw(bytes: &[u8], at: usize) -> bool {
    let hashes = bytes[at + 1..].iter().take_while(|byte| **byte == b'#').count();
    let quoted = bytes.get(at + 1 + hashes) == Some(&b'"');
    let alone = |at: usize| at == 0 || !is_name(bytes[at - 1]);
    quoted && (alone(at) || (matches!(bytes[at - 1], b'b' | b'c') && alone(at - 1)))
}

fn raw_string_end(bytes: &[u8], at: usize) -> usize {
    let hashes = bytes[at + 1..].iter().take_while(|byte| **byte == b'#').count();
    let body = at + 2 + hashes;
    let mut closing = vec![b'#'; hashes + 1];
    closing[0] = b'"';
    let length = bytes[body..].windows(closing.len()).position(|window| window == closing);
    length.map_or(bytes.len(), |length| body + length + closing.len())
}

fn quoted_end(bytes: &[u8], at: usize, quote: u8) -> usize {
    let mut end = at + 1;
    while end < bytes.len() {
        match bytes[end] {
            b'\\' => end += 2,
            byte if byte == quote => return end + 1,
            _ => end += 1,
        }
    }
    bytes.len()
}

fn block_comment_end(bytes: &[u8], at: usize) -> usize {
    let (mut depth, mut end) = (0, at);
    while end < bytes.len() {
        match &bytes[end..] {
            [b'/', b'*', ..] => (depth, end) = (depth + 1, end + 2),
            [b'*', b'/', ..] => (depth, end) = (depth - 1, end + 2),
            _ => end += 1,
        }
        if depth == 0 {
            return end;
        }
    }
    bytes.len()
}

pub fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// The offsets where `word` stands as a whole word.
pub fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let bytes = code.as_bytes();
    code.match_indices(word).map(|(at, _)| at).filter(move |at| {
        let end = at + word.len();
        (*at == 0 || !is_name(bytes[at - 1])) && bytes.get(end).is_none_or(|byte| !is_name(*byte))
    })
}

/// The functions with a body, in the order of their beginnings.
pub fn functions(code: &str) -> Vec<Function<'_>> {
    let mut found = Vec::new();
    for begin in words(code, "fn") {
        let after = code[begin + 2..].trim_start();
        let length = after.bytes().take_while(|byte| is_name(*byte)).count();
        let body = item_body(code, begin);
        // No name: the type of a function pointer, or a macro's pattern.
        if let Some(end) = body.filter(|_| length > 0) {
            found.push(Function { name: &after[..length], span: begin..end });
        }
    }
    found
}

/// The end of the braced body of the item that begins here; nothing if it ends in `;`.
pub fn item_body(code: &str, begin: usize) -> Option<usize> {
    let mut nested = 0;
    for (at, byte) in code.bytes().enumerate().skip(begin) {
        match byte {
            b'(' | b'[' => nested += 1,
            b')' | b']' => nested -= 1,
            b';' if nested == 0 => return None,
            b'{' if nested == 0 => return Some(brace_end(code, at)),
            _ => {}
        }
        // A pointer type inside of something that closes here.
        if nested < 0 {
            return None;
        }
    }
    None
}

fn brace_end(code: &str, open: usize) -> usize {
    let mut depth = 0;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blanked_at_their_offsets() {
        for (text, masked) in [
            ("a // fn {", "a        "),
            ("a /* /* { */ { */ b", "a                 b"),
            ("f(\"{\\\"{\", '{', '\\'', b'{')", "f(      ,    ,     , b   )"),
            ("f(r#\"{\"{\"#, br\"{\", '\u{20ac}')", "f(        , b    ,      )"),
            ("fn f<'a>(x: &'a str)", "fn f<'a>(x: &'a str)"),
            ("for\"{\"", "for   "),
        ] {
            assert_eq!(mask(text), masked, "{text}");
            assert_eq!(mask(text).len(), text.len());
        }
        assert_eq!(mask("\"a\nb\""), "  \n  ");
    }

    #[test]
    fn a_function_spans_its_body_and_needs_one() {
        let code = "trait T { fn no(&self) -> [u8; 4]; }\n\
            fn yes<F: Fn(u8)>(f: fn(u8), a: [u8; 2]) where F: T { if a { } }\n";
        let found = functions(code);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].name, "yes");
        assert!(code[found[0].span.clone()].ends_with("{ if a { } }"));
    }
}
