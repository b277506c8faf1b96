//! Just enough KRPC to ask and to check an answer (BEP 5 and 44).
//!
//! It is apart from the library's own codec on purpose: a mistake there must not be able to hide itself here.

/// A node id or a target.
pub type Id = [u8; 20];

/// Bytes of a contact in a node list: id, IPv4 address, port.
pub const CONTACT: usize = 26;

/// What every query that is written here ends with: `1:y1:qe`, after the four bytes of the transaction id.
const BEHIND_TID: usize = 7;

/// An argument of a query.
pub enum Argument<'a> {
    /// A byte string.
    Bytes(&'a [u8]),
    /// An integer.
    Integer(i64),
    /// Something that is bencoded already.
    Encoded(&'a [u8]),
}

/// Writes a query with a zero transaction id. The arguments must be sorted by name.
pub fn query(method: &str, arguments: &[(&str, Argument<'_>)]) -> Vec<u8> {
    debug_assert!(arguments.is_sorted_by_key(|(name, _)| name));
    let mut out = b"d1:ad".to_vec();
    for (name, argument) in arguments {
        string(&mut out, name.as_bytes());
        match argument {
            Argument::Bytes(bytes) => string(&mut out, bytes),
            Argument::Integer(number) => out.extend_from_slice(format!("i{number}e").as_bytes()),
            Argument::Encoded(bytes) => out.extend_from_slice(bytes),
        }
    }
    out.extend_from_slice(b"e1:q");
    string(&mut out, method.as_bytes());
    out.extend_from_slice(b"1:t4:\0\0\0\x001:y1:qe");
    out
}

/// Puts a transaction id into a query written by [`query`].
pub fn stamp(query: &mut [u8], tid: [u8; 4]) {
    let end = query.len() - BEHIND_TID;
    query[end - tid.len()..end].copy_from_slice(&tid);
}

/// Writes a bencoded string.
pub fn string(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(bytes.len().to_string().as_bytes());
    out.push(b':');
    out.extend_from_slice(bytes);
}

/// A message, as far as the benchmark looks into it.
#[derive(Debug, PartialEq)]
pub struct Message<'a> {
    /// The transaction id.
    pub tid: &'a [u8],
    /// What it says.
    pub body: Body<'a>,
}

/// The three kinds of messages.
#[derive(Debug, PartialEq)]
pub enum Body<'a> {
    /// A question: its method, and the target if it has one.
    Query(&'a [u8], Option<&'a [u8]>),
    /// An answer.
    Response(Response<'a>),
    /// A refusal: its code and text.
    Error(i64, &'a [u8]),
}

/// The fields of an answer that are checked.
#[derive(Debug, Default, PartialEq)]
pub struct Response<'a> {
    /// The answering node.
    pub id: Option<&'a [u8]>,
    /// The contacts that it names.
    pub nodes: Option<&'a [u8]>,
    /// Its write token.
    pub token: Option<&'a [u8]>,
}

/// Reads a datagram. `None` if it is no KRPC message.
pub fn read(datagram: &[u8]) -> Option<Message<'_>> {
    let mut cursor = Cursor(datagram);
    let (mut tid, mut kind, mut method, mut target) = (None, None, None, None);
    let (mut response, mut error) = (None, None);
    cursor.dictionary(|key, cursor| {
        match key {
            b"a" => cursor.dictionary(|key, cursor| {
                match key {
                    b"target" | b"info_hash" => target = Some(cursor.string()?),
                    _ => cursor.skip()?,
                }
                Some(())
            })?,
            b"e" => error = Some(cursor.refusal()?),
            b"q" => method = Some(cursor.string()?),
            b"r" => response = Some(cursor.response()?),
            b"t" => tid = Some(cursor.string()?),
            b"y" => kind = Some(cursor.string()?),
            _ => cursor.skip()?,
        }
        Some(())
    })?;
    let body = match kind? {
        b"q" => Body::Query(method?, target),
        b"r" => Body::Response(response?),
        b"e" => {
            let (code, text) = error?;
            Body::Error(code, text)
        }
        _ => return None,
    };
    cursor.0.is_empty().then_some(Message { tid: tid?, body })
}

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn dictionary(
        &mut self,
        mut field: impl FnMut(&'a [u8], &mut Self) -> Option<()>,
    ) -> Option<()> {
        self.expect(b'd')?;
        while !self.ended()? {
            let key = self.string()?;
            field(key, self)?;
        }
        Some(())
    }

    fn response(&mut self) -> Option<Response<'a>> {
        let mut response = Response::default();
        self.dictionary(|key, cursor| {
            match key {
                b"id" => response.id = Some(cursor.string()?),
                b"nodes" => response.nodes = Some(cursor.string()?),
                b"token" => response.token = Some(cursor.string()?),
                _ => cursor.skip()?,
            }
            Some(())
        })?;
        Some(response)
    }

    fn refusal(&mut self) -> Option<(i64, &'a [u8])> {
        self.expect(b'l')?;
        self.expect(b'i')?;
        let code = self.digits(b'e')?;
        let text = self.string()?;
        self.expect(b'e')?;
        Some((code, text))
    }

    fn string(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.digits(b':')?).ok()?;
        let (string, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(string)
    }

    /// Steps over one value, however deep.
    fn skip(&mut self) -> Option<()> {
        let mut depth = 0usize;
        loop {
            match *self.0.first()? {
                b'd' | b'l' => {
                    depth += 1;
                    self.0 = &self.0[1..];
                }
                b'e' => {
                    depth = depth.checked_sub(1)?;
                    self.0 = &self.0[1..];
                }
                b'i' => {
                    self.0 = &self.0[1..];
                    self.digits(b'e')?;
                }
                _ => {
                    self.string()?;
                }
            }
            if depth == 0 {
                return Some(());
            }
        }
    }

    fn digits(&mut self, end: u8) -> Option<i64> {
        let length = self.0.iter().position(|&byte| byte == end)?;
        let number = std::str::from_utf8(&self.0[..length]).ok()?.parse().ok()?;
        self.0 = &self.0[length + 1..];
        Some(number)
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        (first == byte).then_some(())
    }

    fn ended(&mut self) -> Option<bool> {
        let ended = *self.0.first()? == b'e';
        if ended {
            self.0 = &self.0[1..];
        }
        Some(ended)
    }
}

#[cfg(test)]
mod tests {
    use super::{Argument, Body, Message, Response, query, read, stamp};

    #[test]
    fn a_query_is_canonical_and_carries_its_stamp() {
        let mut ping = query("ping", &[("id", Argument::Bytes(b"abcdefghij0123456789"))]);
        stamp(&mut ping, *b"wxyz");
        assert_eq!(ping, b"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t4:wxyz1:y1:qe");
        let message = read(&ping);
        assert_eq!(message, Some(Message { tid: b"wxyz", body: Body::Query(b"ping", None) }));
    }

    #[test]
    fn a_response_is_read_past_unknown_fields() {
        let datagram =
            b"d2:ip6:127.001:rd2:id2:ab5:nodes0:1:xli1ed1:aleee5:token3:xyze1:t2:qq1:y1:re";
        let response = Response { id: Some(b"ab"), nodes: Some(b""), token: Some(b"xyz") };
        let body = Body::Response(response);
        assert_eq!(read(datagram), Some(Message { tid: b"qq", body }));
    }

    #[test]
    fn a_refusal_may_hold_a_response_too() {
        let datagram = b"d1:eli203e3:bade1:rd2:id2:abe1:t1:q1:y1:ee";
        let body = Body::Error(203, b"bad");
        assert_eq!(read(datagram), Some(Message { tid: b"q", body }));
    }

    #[test]
    fn garbage_is_no_message() {
        for garbage in ["", "d", "de", "d1:t9:abe", "d1:y1:r1:t1:ae", "d1:rle1:t1:q1:y1:re", "i1e"]
        {
            assert_eq!(read(garbage.as_bytes()), None, "{garbage}");
        }
    }
}
