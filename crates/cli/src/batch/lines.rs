//! The lines of a batch, read as they are needed: one key each, or what to put under one.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::path::Path;
use std::time::Duration;

use gateway::{hex, span};
use serde::Deserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde_json::error::Category;
use serde_json::{Map, Value};
use xorbit::Version;

use crate::failure::{Failure, Kind};
use crate::spool::spool;

/// Longest line: far more than the longest key and value take with every character escaped.
const LINE_BYTES: u64 = 64 << 10;

/// The lines of a file that are not empty, with their numbers.
pub struct Lines {
    name: String,
    reader: Box<dyn BufRead>,
    number: u64,
    /// How many there are, empty ones and all.
    pub count: u64,
}

impl Lines {
    /// Opens a file, or stdin as `-`. A pipe is read to its end first: while a batch waits for its
    /// next line, its queries must not go unheard.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let name = match path == Path::new("-") {
            true => "stdin".to_owned(),
            false => format!("`{}`", path.display()),
        };
        let opened = match path == Path::new("-") {
            true => spool(io::stdin().lock()).and_then(|(all, _)| counted(all)),
            false => File::open(path).and_then(|file| match file.metadata()?.is_file() {
                true => counted(file),
                false => spool(file).and_then(|(all, _)| counted(all)),
            }),
        };
        let (reader, count) = opened.map_err(|cause| cannot_read(&name, &cause))?;
        Ok(Self { name, reader, number: 0, count })
    }

    /// The next line that is not empty, or why it cannot be read.
    pub fn next(&mut self) -> Option<(u64, Result<String, Failure>)> {
        loop {
            let mut bytes = Vec::new();
            let read = self.reader.by_ref().take(LINE_BYTES).read_until(b'\n', &mut bytes);
            let whole = match read {
                Ok(0) => return None,
                Ok(read) if (read as u64) < LINE_BYTES || bytes.ends_with(b"\n") => Ok(true),
                Ok(_) => self.reader.skip_until(b'\n').map(|_| false),
                Err(cause) => Err(cause),
            };
            self.number += 1;
            let bad = |what: &str| Some((self.number, Err(Failure::new(Kind::Usage, what))));
            match whole {
                Ok(true) => {}
                Ok(false) => return bad("it has more than 65,536 bytes"),
                Err(cause) => {
                    let failure = cannot_read(&self.name, &cause);
                    // What cannot be read now cannot be read later.
                    self.reader = Box::new(io::empty());
                    return Some((self.number, Err(failure)));
                }
            }
            let Ok(text) = String::from_utf8(bytes) else { return bad("it is no UTF-8") };
            let text = text.trim_end_matches(['\n', '\r']);
            if !text.trim().is_empty() {
                return Some((self.number, Ok(text.to_owned())));
            }
        }
    }
}

fn cannot_read(name: &str, cause: &io::Error) -> Failure {
    Failure::new(Kind::Environment, format!("cannot read {name}: {cause}"))
}

/// With how many lines there are, for telling how far a batch has come.
fn counted(mut source: impl Read + Seek + 'static) -> io::Result<(Box<dyn BufRead>, u64)> {
    let mut reader = BufReader::new(&mut source);
    let mut count = 0;
    while reader.skip_until(b'\n')? > 0 {
        count += 1;
    }
    source.rewind()?;
    Ok((Box::new(BufReader::new(source)), count))
}

/// The key of a line: plain text, a JSON string, or a JSON object with a `key`.
pub fn key(line: &str) -> Result<String, String> {
    if !line.starts_with(['"', '{']) {
        return Ok(line.to_owned());
    }
    match parse(line)? {
        Line::Text(key) => Ok(key),
        Line::Fields(mut fields) => {
            let key = text(&mut fields, "key")?.ok_or("it has no `key`")?;
            end(&fields).map(|()| key)
        }
        Line::Other => Err("it is no key".to_owned()),
    }
}

/// What a line puts.
#[derive(Debug, PartialEq, Eq)]
pub struct PutLine {
    pub key: String,
    pub value: Vec<u8>,
    pub ttl: Option<Duration>,
    pub content_type: Option<String>,
    pub if_version: Option<IfVersion>,
}

/// What a put expects to replace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfVersion {
    /// No value.
    Absent,
    /// This version.
    Is(Version),
}

/// Reads a line of puts: a JSON object.
pub fn put(line: &str) -> Result<PutLine, String> {
    let Line::Fields(mut fields) = parse(line)? else {
        return Err("it is no JSON object".to_owned());
    };
    let key = text(&mut fields, "key")?.ok_or("it has no `key`")?;
    let value = match (text(&mut fields, "value")?, text(&mut fields, "value_hex")?) {
        (Some(value), None) => value.into_bytes(),
        (None, Some(digits)) => {
            hex::decode_all(&digits).ok_or("its `value_hex` is no bytes as hexadecimal digits")?
        }
        _ => return Err("it needs either `value` or `value_hex`".to_owned()),
    };
    let ttl = text(&mut fields, "ttl")?.map(|ttl| span::parse(&ttl));
    let ttl = ttl.transpose().map_err(|cause| format!("its `ttl`: {cause}"))?;
    let content_type = text(&mut fields, "content_type")?;
    let if_version = match fields.remove("if_version") {
        None | Some(Value::Null) => None,
        Some(Value::String(word)) if word == "absent" => Some(IfVersion::Absent),
        Some(version) => {
            let version = version.as_u64().and_then(Version::new);
            Some(IfVersion::Is(version.ok_or("its `if_version` is no version, nor `absent`")?))
        }
    };
    end(&fields)?;
    Ok(PutLine { key, value, ttl, content_type, if_version })
}

/// What stands in a line of JSON.
enum Line {
    Text(String),
    /// None of them twice: one of two conditions must not be passed over.
    Fields(Map<String, Value>),
    Other,
}

fn parse(line: &str) -> Result<Line, String> {
    let told = |cause: serde_json::Error| match cause.classify() {
        Category::Data => format!("it has {cause}"),
        _ => format!("it is no JSON: {cause}"),
    };
    if !line.trim_start().starts_with('{') {
        let value = serde_json::from_str(line).map_err(told)?;
        return Ok(if let Value::String(text) = value { Line::Text(text) } else { Line::Other });
    }
    let mut reader = serde_json::Deserializer::from_str(line);
    let fields = reader.deserialize_map(Fields).map_err(told)?;
    reader.end().map_err(told)?;
    Ok(Line::Fields(fields))
}

/// Reads the fields of an object.
struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Map<String, Value>;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut fields = Map::new();
        while let Some((name, value)) = access.next_entry::<String, Value>()? {
            if fields.contains_key(&name) {
                return Err(A::Error::custom(format_args!("the field `{name}` twice")));
            }
            fields.insert(name, value);
        }
        Ok(fields)
    }
}

fn text(fields: &mut Map<String, Value>, name: &str) -> Result<Option<String>, String> {
    match fields.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("its `{name}` is no text")),
    }
}

/// A misspelt condition must not be passed over.
fn end(fields: &Map<String, Value>) -> Result<(), String> {
    fields.keys().next().map_or(Ok(()), |name| Err(format!("it has an unknown field `{name}`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_plain_text_or_json() {
        for (line, wanted) in [
            ("greeting", "greeting"),
            (" with spaces ", " with spaces "),
            (r#""a \"quoted\" one""#, "a \"quoted\" one"),
            (r#"{"key": "k"}"#, "k"),
            ("7", "7"),
        ] {
            assert_eq!(key(line).as_deref(), Ok(wanted));
        }
        for bad in [r#""unended"#, r#"{"key": 7}"#, "{}", r#"{"key": "k", "kee": 1}"#] {
            assert!(key(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_field_that_stands_there_twice_is_named() {
        let twice = put(r#"{"key":"k","value":"v","if_version":7,"if_version":"absent"}"#);
        assert!(twice.unwrap_err().starts_with("it has the field `if_version` twice"));
        assert!(key(r#"{"key":"k","key":"l"}"#).unwrap_err().contains("`key` twice"));
        assert!(put(r#"{"key":"k","value":"v"} {"#).unwrap_err().starts_with("it is no JSON"));
        assert_eq!(put("[]").unwrap_err(), "it is no JSON object");
    }

    #[test]
    fn a_put_has_a_key_and_one_value_and_nothing_that_is_not_understood() {
        let line =
            r#"{"key":"k","value_hex":"00ff","ttl":"1h","content_type":"a/b","if_version":7}"#;
        let wanted = PutLine {
            key: "k".into(),
            value: vec![0, 0xff],
            ttl: Some(Duration::from_secs(3600)),
            content_type: Some("a/b".into()),
            if_version: Version::new(7).map(IfVersion::Is),
        };
        assert_eq!(put(line), Ok(wanted));
        let absent = put(r#"{"key":"k","value":"","if_version":"absent"}"#).unwrap();
        assert_eq!((absent.if_version, absent.value), (Some(IfVersion::Absent), Vec::new()));
        for bad in [
            "k",
            "[]",
            r#"{"key":"k"}"#,
            r#"{"value":"v"}"#,
            r#"{"key":"k","value":"v","value_hex":"00"}"#,
            r#"{"key":"k","value":7}"#,
            r#"{"key":"k","value_hex":"0"}"#,
            r#"{"key":"k","value":"v","ttl":"soon"}"#,
            r#"{"key":"k","value":"v","if_version":-1}"#,
            r#"{"key":"k","value":"v","if_versoin":1}"#,
        ] {
            assert!(put(bad).is_err(), "{bad}");
        }
    }
}
