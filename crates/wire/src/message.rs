//! One datagram, one message: a query, a reply or an error, in a bencoded dictionary (BEP 5, "KRPC
//! Protocol").
//!
//! Extensions of the outer dictionary that we read and write: `ip`, the address at which the
//! receiver is seen (BEP 42); `ro`, a read-only sender (BEP 43); `v`, the sender's implementation
//! (BEP 5); and our own `xn`, the tag of a network of one's own, which others ignore.

use crate::bencode::{Malformed, Reader, Writer};
use crate::compact::{read_endpoint, write_endpoint};
use crate::endpoint::Endpoint;
use crate::id::NodeId;
use crate::limits::{ERROR_TEXT_BYTES, TRANSACTION_BYTES};
use crate::query::Query;
use crate::reply::{Reply, ReplyKind};

/// Our implementation and version in field `v`: exactly 4 bytes, since one family of clients drops
/// messages with any other length.
const VERSION: [u8; 4] = *b"Xo\x00\x01";

/// Joins a reply to the query it answers. Ours are always 4 bytes: one family answers only those.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TransactionId(pub u32);

/// Which network of one's own a message belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkTag(pub [u8; 4]);

/// A datagram, read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "it lives on the stack for one datagram, unboxed")]
pub enum Message<'a> {
    /// Somebody asks.
    Query(QueryMessage<'a>),
    /// Somebody answers.
    Reply(ReplyMessage<'a>),
    /// Somebody refuses.
    Error(ErrorMessage<'a>),
    /// Somebody asks, but the question is malformed; it is answered with error 203.
    BadQuery {
        /// To be echoed.
        transaction: &'a [u8],
    },
}

/// A query with what surrounds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueryMessage<'a> {
    /// To be echoed in the reply, byte for byte.
    pub transaction: &'a [u8],
    /// Who asks.
    pub id: NodeId,
    /// The asker answers no queries: it must not enter a table (BEP 43).
    pub read_only: bool,
    /// Which network of one's own the asker belongs to.
    pub network: Option<NetworkTag>,
    /// The question.
    pub query: Query<'a>,
}

/// A reply with what surrounds it; its body waits until the pending query tells its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplyMessage<'a> {
    /// Which query it answers.
    pub transaction: TransactionId,
    /// Where the sender sees us (BEP 42).
    pub seen_at: Option<Endpoint>,
    /// Which network of one's own the sender belongs to.
    pub network: Option<NetworkTag>,
    /// The sender says that it is Xorbit, so it should know Xorbit's own queries.
    pub is_xorbit: bool,
    body: &'a [u8],
}

impl<'a> ReplyMessage<'a> {
    /// Reads the body as the kind that the query expects, with the sender's id.
    ///
    /// # Errors
    /// [`Malformed`] if it has no id or is no dictionary.
    pub fn read_as(&self, kind: ReplyKind) -> Result<(NodeId, Reply<'a>), Malformed> {
        Reply::read(kind, self.body)
    }
}

/// A refusal with what surrounds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorMessage<'a> {
    /// Which query it answers.
    pub transaction: TransactionId,
    /// Where the sender sees us (BEP 42).
    pub seen_at: Option<Endpoint>,
    /// The code: 201 to 207, 301, 302 are in use.
    pub code: i64,
    /// The text as it came, perhaps empty, perhaps not UTF-8, at most [`ERROR_TEXT_BYTES`].
    pub text: &'a [u8],
}

impl<'a> Message<'a> {
    /// Reads a datagram.
    ///
    /// # Errors
    /// [`Malformed`] if it is no message that could be answered or matched.
    pub fn read(datagram: &'a [u8]) -> Result<Self, Malformed> {
        let outer = Outer::read(datagram)?;
        match outer.kind {
            b"q" => {
                let transaction = outer
                    .transaction
                    .filter(|t| (1..=TRANSACTION_BYTES).contains(&t.len()))
                    .ok_or(Malformed)?;
                Ok(outer.query(transaction).unwrap_or(Message::BadQuery { transaction }))
            }
            b"r" => Ok(Message::Reply(ReplyMessage {
                transaction: outer.own_transaction()?,
                seen_at: outer.seen_at.and_then(read_endpoint),
                network: outer.network(),
                is_xorbit: outer.version.is_some_and(|version| version.starts_with(&VERSION[..2])),
                body: outer.reply.ok_or(Malformed)?,
            })),
            b"e" => outer.error().map(Message::Error),
            _ => Err(Malformed),
        }
    }
}

/// The outer dictionary, between one pass over it and the typed message.
#[derive(Default)]
struct Outer<'a> {
    arguments: Option<&'a [u8]>,
    error: Option<&'a [u8]>,
    kind: &'a [u8],
    method: Option<&'a [u8]>,
    network: Option<&'a [u8]>,
    read_only: bool,
    reply: Option<&'a [u8]>,
    seen_at: Option<&'a [u8]>,
    transaction: Option<&'a [u8]>,
    version: Option<&'a [u8]>,
}

impl<'a> Outer<'a> {
    fn read(datagram: &'a [u8]) -> Result<Self, Malformed> {
        let mut found = Self::default();
        let mut entries = Reader::new(datagram).dictionary()?;
        while let Some(key) = entries.next_key()? {
            let raw = entries.reader.raw()?;
            let string = || Reader::new(raw).string().ok();
            match key {
                b"a" => found.arguments = Some(raw),
                b"e" => found.error = Some(raw),
                b"ip" => found.seen_at = string(),
                b"q" => found.method = string(),
                b"r" => found.reply = Some(raw),
                b"ro" => found.read_only = raw == b"i1e",
                b"t" => found.transaction = string(),
                b"v" => found.version = string(),
                b"xn" => found.network = string(),
                b"y" => found.kind = string().unwrap_or_default(),
                _ => {}
            }
        }
        Ok(found)
    }

    fn query(&self, transaction: &'a [u8]) -> Option<Message<'a>> {
        let (id, query) = Query::read(self.method?, self.arguments?).ok()?;
        Some(Message::Query(QueryMessage {
            transaction,
            id,
            read_only: self.read_only,
            network: self.network(),
            query,
        }))
    }

    fn error(&self) -> Result<ErrorMessage<'a>, Malformed> {
        let mut list = Reader::new(self.error.ok_or(Malformed)?);
        list.list()?;
        let code = list.integer()?;
        let text = list.string().unwrap_or_default();
        Ok(ErrorMessage {
            transaction: self.own_transaction()?,
            seen_at: self.seen_at.and_then(read_endpoint),
            code,
            text: &text[..text.len().min(ERROR_TEXT_BYTES)],
        })
    }

    fn own_transaction(&self) -> Result<TransactionId, Malformed> {
        let bytes = self.transaction.and_then(|t| t.try_into().ok()).ok_or(Malformed)?;
        Ok(TransactionId(u32::from_be_bytes(bytes)))
    }

    fn network(&self) -> Option<NetworkTag> {
        self.network.and_then(|tag| tag.try_into().ok()).map(NetworkTag)
    }
}

/// Who speaks: what every message of ours carries.
#[derive(Clone, Copy, Debug)]
pub struct Speaker {
    /// Our id.
    pub id: NodeId,
    /// Our network, if it is one of our own.
    pub network: Option<NetworkTag>,
    /// We answer no queries (BEP 43).
    pub read_only: bool,
}

impl Speaker {
    /// Writes a query into `buffer`; `None` if it does not fit.
    pub fn write_query(
        &self,
        transaction: TransactionId,
        query: &Query<'_>,
        buffer: &mut [u8],
    ) -> Option<usize> {
        let mut writer = Writer::new(buffer);
        writer.raw(b"d1:a");
        query.write_arguments(&self.id, &mut writer);
        writer.entry(b"q", query.method().as_bytes());
        if self.read_only {
            writer.integer_entry(b"ro", 1);
        }
        writer.entry(b"t", &transaction.0.to_be_bytes());
        self.close(b"q", writer)
    }

    /// Writes a reply to `to` into `buffer`; `None` if it does not fit.
    pub fn write_reply(
        &self,
        transaction: &[u8],
        to: &Endpoint,
        reply: &Reply<'_>,
        buffer: &mut [u8],
    ) -> Option<usize> {
        let mut writer = Writer::new(buffer);
        writer.raw(b"d2:ip");
        write_endpoint(&mut writer, to);
        writer.raw(b"1:r");
        reply.write_body(&self.id, &mut writer);
        writer.entry(b"t", transaction);
        self.close(b"r", writer)
    }

    /// Writes an error to `to` into `buffer`; `None` if it does not fit.
    pub fn write_error(
        &self,
        transaction: &[u8],
        to: &Endpoint,
        code: i64,
        text: &str,
        buffer: &mut [u8],
    ) -> Option<usize> {
        let mut writer = Writer::new(buffer);
        writer.raw(b"d1:el");
        writer.integer(code);
        writer.string(text.as_bytes());
        writer.raw(b"e2:ip");
        write_endpoint(&mut writer, to);
        writer.entry(b"t", transaction);
        self.close(b"e", writer)
    }

    fn close(&self, kind: &[u8], mut writer: Writer<'_>) -> Option<usize> {
        writer.entry(b"v", &VERSION);
        if let Some(tag) = &self.network {
            writer.entry(b"xn", &tag.0);
        }
        writer.entry(b"y", kind);
        writer.raw(b"e");
        writer.finish()
    }
}
