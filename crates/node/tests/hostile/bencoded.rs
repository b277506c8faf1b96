//! Datagrams written by hand, so that they can also be wrong, and answers read without the node's
//! own reader.

use std::collections::BTreeMap;

use wire::bencode::Reader;

/// A dictionary in the making: keys sorted, values bencoded already.
#[derive(Clone, Default)]
pub struct Dictionary(BTreeMap<Vec<u8>, Vec<u8>>);

impl Dictionary {
    pub fn new() -> Self {
        Self::default()
    }

    /// With an entry of any bytes as its value.
    pub fn raw(mut self, key: &str, value: &[u8]) -> Self {
        self.0.insert(key.into(), value.into());
        self
    }

    pub fn string(self, key: &str, value: &[u8]) -> Self {
        self.raw(key, &string(value))
    }

    pub fn integer(self, key: &str, value: i64) -> Self {
        self.raw(key, format!("i{value}e").as_bytes())
    }

    pub fn without(mut self, key: &str) -> Self {
        self.0.remove(key.as_bytes());
        self
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![b'd'];
        for (key, value) in &self.0 {
            bytes.extend(string(key));
            bytes.extend(value);
        }
        bytes.push(b'e');
        bytes
    }
}

pub fn string(bytes: &[u8]) -> Vec<u8> {
    let mut text = format!("{}:", bytes.len()).into_bytes();
    text.extend(bytes);
    text
}

/// The id of a stranger.
pub const STRANGER: [u8; 20] = *b"a stranger from afar";

/// A query of a stranger.
pub fn query(method: &str, arguments: &Dictionary, transaction: &[u8]) -> Vec<u8> {
    query_of(&STRANGER, method, arguments, transaction)
}

/// A query of whoever has this id.
pub fn query_of(id: &[u8], method: &str, arguments: &Dictionary, transaction: &[u8]) -> Vec<u8> {
    let arguments = arguments.clone().string("id", id).encode();
    outer("q", transaction).raw("a", &arguments).string("q", method.as_bytes()).encode()
}

/// A reply of whoever has this id.
pub fn reply_of(id: &[u8], values: &Dictionary, transaction: &[u8]) -> Vec<u8> {
    let values = values.clone().string("id", id).encode();
    outer("r", transaction).raw("r", &values).encode()
}

/// The dictionary around a message of this kind.
pub fn outer(kind: &str, transaction: &[u8]) -> Dictionary {
    Dictionary::new().string("t", transaction).string("y", kind.as_bytes())
}

/// The entries of a dictionary, values as they stand.
pub fn entries(dictionary: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut entries = Reader::new(dictionary).dictionary().expect("a dictionary");
    while let Some(key) = entries.next_key().expect("sound entries") {
        let value = entries.reader.raw().expect("a sound value");
        found.insert(String::from_utf8_lossy(key).into_owned(), value.to_vec());
    }
    found
}

/// The bytes of a bencoded string.
pub fn text(value: &[u8]) -> Vec<u8> {
    Reader::new(value).string().expect("a string").to_vec()
}

/// An answer, read.
#[derive(Debug)]
pub struct Answer {
    /// The outer dictionary.
    pub outer: BTreeMap<String, Vec<u8>>,
    /// The values of a reply.
    pub values: BTreeMap<String, Vec<u8>>,
    /// The code of an error.
    pub code: Option<i64>,
}

impl Answer {
    pub fn read(datagram: &[u8]) -> Self {
        let outer = entries(datagram);
        let values = outer.get("r").map(|values| entries(values)).unwrap_or_default();
        let code = outer.get("e").map(|error| {
            let mut error = Reader::new(error);
            error.list().expect("an error is a list");
            error.integer().expect("an error begins with its code")
        });
        Self { outer, values, code }
    }

    pub fn transaction(&self) -> Vec<u8> {
        text(&self.outer["t"])
    }

    /// A string among the values of a reply.
    pub fn value(&self, key: &str) -> Vec<u8> {
        text(self.values.get(key).unwrap_or_else(|| panic!("no `{key}` in {self:?}")))
    }

    pub fn has(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    /// An integer among the values of a reply.
    pub fn number(&self, key: &str) -> i64 {
        Reader::new(&self.values[key]).integer().expect("an integer")
    }

    /// How many peers are listed, and the bytes of each.
    pub fn peers(&self) -> Vec<Vec<u8>> {
        let Some(values) = self.values.get("values") else { return Vec::new() };
        let mut reader = Reader::new(values);
        reader.list().expect("a list of peers");
        let mut peers = Vec::new();
        while !reader.end() {
            peers.push(reader.string().expect("a peer is a string").to_vec());
        }
        peers
    }
}
