//! A line of an export: one entry as a JSON object.

use gateway::hex;
use serde_json::{Map, Value, json};
use xorbit::offline::Entry;
use xorbit::{
    Contact, Endpoint, Lease, Persisted, PersistedMember, PersistedPeer, PersistedPromise,
    PublicKey, Record, Seq, Signed, UnixMillis, Unverified,
};

use std::net::SocketAddr;
use std::str::FromStr;

/// The format of the lines; told in the first one.
const FORMAT: u64 = 1;

/// What a line is.
pub enum Line<'l> {
    /// The first line, which tells the format.
    Head,
    /// The last line: nothing was cut off.
    End,
    /// An entry, unchecked.
    Entry(Entry<'l>),
}

/// The first line.
pub fn head() -> Value {
    json!({ "kind": "export", "format": FORMAT })
}

/// The last line: how many entries stand above.
pub fn end(entries: usize) -> Value {
    json!({ "kind": "end", "entries": entries })
}

/// An entry as a line.
pub fn write(entry: &Entry<'_>) -> Value {
    match entry {
        Entry::Kept(Persisted::Item { target, item, lease }) => {
            let mut object = leased("item", lease);
            object["target"] = target.to_string().into();
            object["value"] = hex::encode(item.value).into();
            if let Some(text) = text(item.value) {
                object["text"] = text.into();
            }
            if let Some(signed) = &item.signed {
                object["k"] = signed.key.to_string().into();
                object["salt"] = hex::encode(signed.salt).into();
                object["seq"] = signed.seq.get().into();
                object["sig"] = hex::encode(&signed.signature).into();
            }
            object
        }
        Entry::Kept(Persisted::Marker { target, seq, lease }) => {
            let mut object = leased("marker", lease);
            object["target"] = target.to_string().into();
            object["seq"] = seq.get().into();
            object
        }
        Entry::Kept(Persisted::Peer(peer)) => json!({
            "kind": "peer",
            "info_hash": peer.info_hash.to_string(),
            "address": peer.endpoint.to_string(),
            "seed": peer.seed,
            "until": peer.until.0,
        }),
        Entry::Kept(Persisted::Member(kept)) => {
            let mut object = json!({
                "kind": "member",
                "target": kept.target.to_string(),
                "value": hex::encode(kept.wire()),
                "until": kept.until.0,
            });
            if let Some(text) = printable(kept.member.saying.item) {
                object["text"] = text.into();
            }
            object
        }
        Entry::Node { id, contacts } => {
            let contact = |contact: &Contact| json!({ "id": contact.id.to_string(), "address": contact.endpoint.to_string() });
            let contacts: Vec<Value> = contacts.iter().map(contact).collect();
            json!({ "kind": "node", "id": id.to_string(), "contacts": contacts })
        }
        Entry::Promise(PersistedPromise { key, value }) => {
            json!({ "kind": "promise", "key": hex::encode(key), "value": hex::encode(value) })
        }
        Entry::Other { key, value } => {
            json!({ "kind": "other", "key": hex::encode(key), "value": hex::encode(value) })
        }
    }
}

fn leased(kind: &str, lease: &Lease) -> Value {
    json!({
        "kind": kind,
        "until": lease.until.0,
        "marker_until": lease.marker_until.0,
        "kept": lease.kept,
    })
}

/// The text that a value holds, for people; nothing is read back from it.
fn text(value: &[u8]) -> Option<String> {
    printable(&Record::decode(value).value?)
}

fn printable(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    let printable = |letter: char| !letter.is_control() || letter == '\n' || letter == '\t';
    text.chars().all(printable).then(|| text.to_owned())
}

/// Reads a line and hands on what it is.
///
/// # Errors
/// What is wrong with it.
pub fn read<T>(line: &[u8], each: impl FnOnce(Line<'_>) -> T) -> Result<T, String> {
    let object: Map<String, Value> =
        serde_json::from_slice(line).map_err(|error| format!("it is no JSON object: {error}"))?;
    let fields = Fields(&object);
    match fields.text("kind")? {
        "export" => match fields.number("format")? {
            FORMAT => Ok(each(Line::Head)),
            other => {
                Err(format!("the export has format `{other}`, and this program knows {FORMAT}"))
            }
        },
        // Lines may have been taken out on purpose, so their number is for people.
        "end" => Ok(each(Line::End)),
        "item" => read_item(fields, each),
        "marker" => {
            let (target, seq, lease) = (fields.parsed("target")?, fields.seq()?, fields.lease()?);
            let lease = Lease { kept: false, ..lease };
            Ok(each(Line::Entry(Entry::Kept(Persisted::Marker { target, seq, lease }))))
        }
        "peer" => {
            let address: SocketAddr = fields.parsed("address")?;
            let peer = PersistedPeer {
                info_hash: fields.parsed("info_hash")?,
                endpoint: Endpoint::from(address),
                seed: fields.flag("seed")?,
                until: UnixMillis(fields.number("until")?),
            };
            Ok(each(Line::Entry(Entry::Kept(Persisted::Peer(peer)))))
        }
        "member" => {
            let (target, wire) = (fields.parsed("target")?, fields.bytes("value")?);
            let member = PersistedMember::new(target, &wire, UnixMillis(fields.number("until")?));
            let member = member.ok_or_else(|| "`value` is no member of a set".to_owned())?;
            Ok(each(Line::Entry(Entry::Kept(Persisted::Member(member)))))
        }
        "node" => {
            let (id, contacts) = (fields.parsed("id")?, fields.contacts()?);
            Ok(each(Line::Entry(Entry::Node { id, contacts })))
        }
        "other" | "promise" => {
            let (key, value) = (fields.bytes("key")?, fields.bytes("value")?);
            Ok(each(Line::Entry(Entry::read(&key, &value))))
        }
        other => Err(format!("`{other}` is no kind of entry")),
    }
}

fn read_item<T>(fields: Fields<'_>, each: impl FnOnce(Line<'_>) -> T) -> Result<T, String> {
    let (target, lease, value) =
        (fields.parsed("target")?, fields.lease()?, fields.bytes("value")?);
    let mut salt = Vec::new();
    let signed = match fields.0.contains_key("k") {
        false => None,
        true => {
            salt = fields.bytes("salt")?;
            let key: PublicKey = fields.parsed("k")?;
            let signature = hex::decode(fields.text("sig")?)
                .ok_or_else(|| "`sig` is not 128 hexadecimal digits".to_owned())?;
            Some((key, fields.seq()?, signature))
        }
    };
    let signed = signed.map(|(key, seq, signature)| Signed { key, salt: &salt, seq, signature });
    let item = Unverified { value: &value, signed };
    Ok(each(Line::Entry(Entry::Kept(Persisted::Item { target, item, lease }))))
}

/// The fields of a line.
#[derive(Clone, Copy)]
struct Fields<'l>(&'l Map<String, Value>);

impl<'l> Fields<'l> {
    fn get(self, name: &str) -> Result<&'l Value, String> {
        self.0.get(name).ok_or_else(|| format!("`{name}` is missing"))
    }

    fn text(self, name: &str) -> Result<&'l str, String> {
        self.get(name)?.as_str().ok_or_else(|| format!("`{name}` is no text"))
    }

    fn number(self, name: &str) -> Result<u64, String> {
        self.get(name)?.as_u64().ok_or_else(|| format!("`{name}` is no whole number from 0 on"))
    }

    fn flag(self, name: &str) -> Result<bool, String> {
        self.get(name)?.as_bool().ok_or_else(|| format!("`{name}` is neither true nor false"))
    }

    fn bytes(self, name: &str) -> Result<Vec<u8>, String> {
        let text = self.text(name)?;
        hex::decode_all(text).ok_or_else(|| format!("`{name}` is not hexadecimal digits in pairs"))
    }

    fn parsed<T: FromStr<Err: std::fmt::Display>>(self, name: &str) -> Result<T, String> {
        let text = self.text(name)?;
        text.parse().map_err(|error| format!("`{name}` cannot be `{text}`: {error}"))
    }

    fn seq(self) -> Result<Seq, String> {
        let number = i64::try_from(self.number("seq")?).ok().and_then(Seq::new);
        number.ok_or_else(|| "`seq` is too high".to_owned())
    }

    fn lease(self) -> Result<Lease, String> {
        Ok(Lease {
            until: UnixMillis(self.number("until")?),
            marker_until: UnixMillis(self.number("marker_until")?),
            kept: self.flag("kept")?,
        })
    }

    fn contacts(self) -> Result<Vec<Contact>, String> {
        let list = self.get("contacts")?.as_array().ok_or("`contacts` is no list")?;
        let contact = |value: &Value| {
            let fields = Fields(value.as_object().ok_or("a contact is no object")?);
            let address: SocketAddr = fields.parsed("address")?;
            Ok(Contact { id: fields.parsed("id")?, endpoint: address.into() })
        };
        list.iter().map(contact).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use xorbit::{InfoHash, Item, NodeId, Signer, Target};

    fn comes_back(entry: &Entry<'_>) {
        let line = write(entry).to_string();
        let same = read(line.as_bytes(), |line| match line {
            Line::Entry(again) => again == *entry,
            Line::Head | Line::End => false,
        });
        assert_eq!(same, Ok(true), "{line}");
    }

    #[test]
    fn entries_of_each_kind_come_back_from_their_lines() {
        let lease = Lease { until: UnixMillis(5), marker_until: UnixMillis(9), kept: true };
        let marker_lease = Lease { kept: false, ..lease };
        let seq = Seq::new(7).unwrap();
        let signer = Signer::from_seed(&[1; 32]);
        for salt in [&b""[..], b"k"] {
            let item = Item::mutable(&signer, salt, seq, b"2:hi").unwrap();
            let (target, item) = (item.target(), item.as_ref().as_unverified());
            comes_back(&Entry::Kept(Persisted::Item { target, item, lease }));
        }
        let item = Item::immutable(&[b"300:".as_slice(), &[0xff; 300]].concat()).unwrap();
        let (target, item) = (item.target(), item.as_ref().as_unverified());
        comes_back(&Entry::Kept(Persisted::Item { target, item, lease: marker_lease }));
        let target = Target::new([2; 20]);
        comes_back(&Entry::Kept(Persisted::Marker { target, seq, lease: marker_lease }));
        for endpoint in [Endpoint::v4([10, 0, 0, 1], 5), Endpoint::v6([7; 16], 5)] {
            let (info_hash, until) = (InfoHash::new([3; 20]), UnixMillis(4));
            let peer = PersistedPeer { info_hash, endpoint, seed: true, until };
            comes_back(&Entry::Kept(Persisted::Peer(peer)));
            let id = NodeId::new([4; 20]);
            comes_back(&Entry::Node { id, contacts: vec![Contact { id, endpoint }] });
        }
        comes_back(&Entry::Other { key: b"zebra", value: &[0, 0xff] });
    }

    #[test]
    fn a_line_that_is_none_is_refused_with_the_field_at_fault() {
        let why = |line: &str| read(line.as_bytes(), |_| ()).unwrap_err();
        assert!(why("zebra").starts_with("it is no JSON object"));
        assert_eq!(why("{}"), "`kind` is missing");
        assert_eq!(why(r#"{"kind":"zebra"}"#), "`zebra` is no kind of entry");
        let newer = why(r#"{"kind":"export","format":2}"#);
        assert_eq!(newer, "the export has format `2`, and this program knows 1");
        let target = why(r#"{"kind":"marker","target":"00"}"#);
        assert_eq!(target, "`target` cannot be `00`: not 40 hexadecimal digits");
        let odd = why(r#"{"kind":"other","key":"0","value":""}"#);
        assert_eq!(odd, "`key` is not hexadecimal digits in pairs");
    }

    #[test]
    fn a_text_is_shown_beside_the_value_if_people_can_read_it() {
        assert_eq!(text(b"5:hello").as_deref(), Some("hello"));
        assert_eq!(text(b"2:\x1b["), None);
        assert_eq!(text(b"1:\xff"), None);
    }
}
