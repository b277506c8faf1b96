//! Who we are and whom we knew, as a text in the store: a head with the format's version, `id` and 40
//! hexadecimal digits, one `contact` a line with id and address, and `end`.

use std::net::SocketAddr;

use wire::{Contact, NodeId};

const HEAD: &str = "xorbit node 1";

/// Contacts that are remembered: enough to find back in even if most are gone.
const CONTACTS: usize = 200;

/// The key in the store.
pub(crate) const KEY: &[u8] = b"node";

/// What survives a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remembered {
    /// Our id.
    pub id: NodeId,
    /// Whom we knew.
    pub contacts: Vec<Contact>,
}

impl Remembered {
    /// Writes it as it is kept.
    pub fn write(&self, to: &mut Vec<u8>) {
        to.extend(text(self).as_bytes());
    }

    /// Reads what was kept; `None` if it is nothing of ours.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        read(std::str::from_utf8(bytes).ok()?).ok()
    }
}

fn text(remembered: &Remembered) -> String {
    let mut text = format!("{HEAD}\nid {}\n", remembered.id);
    for contact in remembered.contacts.iter().take(CONTACTS) {
        text.push_str(&format!("contact {} {}\n", contact.id, contact.endpoint));
    }
    text.push_str("end\n");
    text
}

pub(crate) fn read(text: &str) -> Result<Remembered, (usize, &'static str)> {
    let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    match lines.next() {
        Some((_, HEAD)) => {}
        _ => return Err((1, "not a node file of version 1")),
    }
    let id = lines.next().and_then(|(_, line)| line.strip_prefix("id ")?.parse().ok());
    let id = id.ok_or((2, "not an id"))?;
    let mut contacts = Vec::new();
    for (number, line) in lines {
        if line == "end" {
            return Ok(Remembered { id, contacts });
        }
        let contact = line.strip_prefix("contact ").and_then(read_contact);
        contacts.push(contact.ok_or((number, "not a contact"))?);
    }
    Err((text.lines().count(), "the end is missing"))
}

fn read_contact(line: &str) -> Option<Contact> {
    let (id, address) = line.split_once(' ')?;
    let address: SocketAddr = address.parse().ok()?;
    Some(Contact { id: id.parse().ok()?, endpoint: address.into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::Endpoint;

    fn remembered() -> Remembered {
        let contact = |last| Contact {
            id: NodeId::new([last; 20]),
            endpoint: Endpoint::v4([127, 0, 0, last], 8000),
        };
        Remembered { id: NodeId::new([7; 20]), contacts: vec![contact(1), contact(2)] }
    }

    #[test]
    fn what_is_written_is_read_back() {
        assert_eq!(read(&text(&remembered())), Ok(remembered()));
    }

    #[test]
    fn a_text_that_is_cut_short_anywhere_is_refused() {
        let text = text(&remembered());
        for length in 0..text.len() - 1 {
            assert!(read(&text[..length]).is_err(), "{length} bytes");
        }
        assert!(read("xorbit node 2\n").is_err());
        assert_eq!(read(&text.replace("127.0.0.1:8000", "here")), Err((3, "not a contact")));
    }
}
