//! Contacts and peers in their compact forms: 26 and 38 bytes a node, 6 and 18 bytes a peer
//! (BEP 5, BEP 32).

use crate::bencode::{Reader, Writer};
use crate::endpoint::{Endpoint, Family};
use crate::id::NodeId;
use crate::limits::{ID_BYTES, NODES_PER_LIST, PEERS_PER_REPLY};

/// A node and where it can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Contact {
    /// Its id.
    pub id: NodeId,
    /// Its address.
    pub endpoint: Endpoint,
}

/// Bytes of one compact endpoint of a family.
pub const fn endpoint_bytes(family: Family) -> usize {
    match family {
        Family::V4 => 6,
        Family::V6 => 18,
    }
}

/// Bytes of one compact contact of a family.
pub const fn contact_bytes(family: Family) -> usize {
    ID_BYTES + endpoint_bytes(family)
}

/// Reads a compact endpoint: 6 or 18 bytes.
pub fn read_endpoint(bytes: &[u8]) -> Option<Endpoint> {
    let (ip, port) = bytes.split_last_chunk::<2>()?;
    let port = u16::from_be_bytes(*port);
    if let Ok(ip) = <[u8; 4]>::try_from(ip) {
        return Some(Endpoint::v4(ip, port));
    }
    <[u8; 16]>::try_from(ip).ok().map(|ip| Endpoint::v6(ip, port))
}

/// Writes a compact endpoint as a bencoded string.
pub fn write_endpoint(writer: &mut Writer<'_>, endpoint: &Endpoint) {
    writer.string_head(endpoint_bytes(endpoint.family()));
    writer.raw(endpoint.ip_bytes());
    writer.raw(&endpoint.port().to_be_bytes());
}

/// A list of contacts of one family as it stands in a message: whole entries only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompactNodes<'a> {
    bytes: &'a [u8],
    family: Family,
}

impl<'a> CompactNodes<'a> {
    /// Takes the bytes of a `nodes` or `nodes6` field; `None` unless they are whole entries.
    pub fn read(bytes: &'a [u8], family: Family) -> Option<Self> {
        bytes.len().is_multiple_of(contact_bytes(family)).then_some(Self { bytes, family })
    }

    /// The bytes as they stand.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// How many contacts there are, those beyond the bound of one list included.
    pub fn len(&self) -> usize {
        self.bytes.len() / contact_bytes(self.family)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The first `count` contacts only.
    pub fn first(self, count: usize) -> Self {
        let length = self.bytes.len().min(count * contact_bytes(self.family));
        Self { bytes: &self.bytes[..length], ..self }
    }

    /// The contacts, at most [`NODES_PER_LIST`].
    pub fn iter(&self) -> impl Iterator<Item = Contact> + use<'a> {
        self.bytes.chunks_exact(contact_bytes(self.family)).take(NODES_PER_LIST).filter_map(
            |entry| {
                let (id, endpoint) = entry.split_first_chunk::<ID_BYTES>()?;
                Some(Contact { id: NodeId::new(*id), endpoint: read_endpoint(endpoint)? })
            },
        )
    }
}

/// A buffer for one list of contacts, filled by whoever answers a query.
pub struct NodesBuffer {
    bytes: [u8; 16 * 38],
    length: usize,
    family: Family,
}

impl NodesBuffer {
    /// An empty list for contacts of one family.
    pub fn new(family: Family) -> Self {
        Self { bytes: [0; 16 * 38], length: 0, family }
    }

    /// Adds a contact of the list's family; others and those that do not fit are left out.
    #[inline]
    pub fn push(&mut self, id: &NodeId, endpoint: &Endpoint) {
        let size = contact_bytes(self.family);
        if endpoint.family() != self.family {
            return;
        }
        let Some(entry) = self.bytes.get_mut(self.length..self.length + size) else { return };
        entry[..ID_BYTES].copy_from_slice(id.as_bytes());
        entry[ID_BYTES..size - 2].copy_from_slice(endpoint.ip_bytes());
        entry[size - 2..].copy_from_slice(&endpoint.port().to_be_bytes());
        self.length += size;
    }

    /// Adds a contact in its compact form; those of the other family and those that do not fit are
    /// left out.
    #[inline]
    pub fn push_compact(&mut self, contact: &[u8]) {
        if contact.len() != contact_bytes(self.family) {
            return;
        }
        let end = self.length + contact.len();
        let Some(entry) = self.bytes.get_mut(self.length..end) else { return };
        entry.copy_from_slice(contact);
        self.length = end;
    }

    /// The list as it goes into a message.
    pub fn as_nodes(&self) -> CompactNodes<'_> {
        CompactNodes { bytes: &self.bytes[..self.length], family: self.family }
    }
}

/// The peers of a `values` list as they stand in a message: the bencoded strings without the list's
/// own brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct CompactPeers<'a> {
    entries: &'a [u8],
}

impl<'a> CompactPeers<'a> {
    /// Takes the inside of a list of bencoded strings.
    pub fn new(entries: &'a [u8]) -> Self {
        Self { entries }
    }

    /// The inside of the list.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.entries
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The peers that can be read, at most [`PEERS_PER_REPLY`]; entries of other lengths are left
    /// out, both families may be mixed (BEP 32).
    pub fn iter(&self) -> impl Iterator<Item = Endpoint> + use<'a> {
        let mut reader = Reader::new(self.entries);
        core::iter::from_fn(move || reader.string().ok())
            .take(PEERS_PER_REPLY)
            .filter_map(read_endpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_with_a_broken_entry_is_refused_whole() {
        assert!(CompactNodes::read(&[0; 27], Family::V4).is_none());
        assert!(CompactNodes::read(&[0; 26], Family::V6).is_none());
        assert_eq!(
            CompactNodes::read(&[0; 52], Family::V4).map(|list| list.iter().count()),
            Some(2)
        );
    }

    #[test]
    fn contacts_come_back_as_pushed_and_the_other_family_is_left_out() {
        let mut buffer = NodesBuffer::new(Family::V6);
        let contact = Contact { id: NodeId::new([7; 20]), endpoint: Endpoint::v6([1; 16], 9) };
        buffer.push(&contact.id, &contact.endpoint);
        buffer.push(&contact.id, &Endpoint::v4([1, 2, 3, 4], 5));
        assert!(buffer.as_nodes().iter().eq([contact]));
    }

    #[test]
    fn mixed_peer_lists_are_read() {
        let mut bytes = [0; 64];
        let mut writer = Writer::new(&mut bytes);
        let (four, six) = (Endpoint::v4([1, 2, 3, 4], 5), Endpoint::v6([3; 16], 6));
        write_endpoint(&mut writer, &four);
        writer.string(b"odd");
        write_endpoint(&mut writer, &six);
        let length = writer.finish().unwrap();
        assert!(CompactPeers::new(&bytes[..length]).iter().eq([four, six]));
    }
}
