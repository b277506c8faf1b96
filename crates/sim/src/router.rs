//! A router of Mainline: the address through which nodes come in that know nobody. It tells where it
//! sees them and names those that asked it lately, and keeps nothing for anybody.

use std::collections::VecDeque;

use wire::bencode::Writer;
use wire::compact::{NodesBuffer, write_endpoint};
use wire::{Contact, Endpoint, Family, Message, NodeId, Point, Query, QueryMessage, Want};

use crate::attack::{Attack, Hand};
use crate::chance::Chance;

/// Those that asked lately and that it remembers.
const REMEMBERED: usize = 512;

/// How many it names (BEP 5).
const NAMED: usize = 8;

/// Room for any of its answers.
const ANSWER_BYTES: usize = 1024;

/// A router. It means no harm, but like those who do it is no node of ours.
pub struct Router {
    id: NodeId,
    lately: VecDeque<Contact>,
}

impl Router {
    /// One that knows nobody.
    pub fn new(chance: &mut Chance) -> Self {
        Self { id: NodeId::new(chance.bytes()), lately: VecDeque::new() }
    }

    fn remember(&mut self, query: &QueryMessage<'_>, from: Endpoint) {
        if query.read_only {
            return;
        }
        self.lately.retain(|known| known.id != query.id && known.endpoint != from);
        self.lately.push_back(Contact { id: query.id, endpoint: from });
        if self.lately.len() > REMEMBERED {
            self.lately.pop_front();
        }
    }

    fn nearest(&self, target: &Point, family: Family) -> NodesBuffer {
        let known = self.lately.iter().filter(|known| known.endpoint.family() == family);
        let mut known: Vec<&Contact> = known.collect();
        known.sort_by_key(|known| known.id.point().distance(target));
        let mut named = NodesBuffer::new(family);
        known.iter().take(NAMED).for_each(|known| named.push(&known.id, &known.endpoint));
        named
    }

    /// Writes the answer to a query. Whatever is asked for, contacts are all that it has.
    fn answer(
        &self,
        query: &QueryMessage<'_>,
        from: &Endpoint,
        buffer: &mut [u8],
    ) -> Option<usize> {
        let mut writer = Writer::new(buffer);
        writer.raw(b"d2:ip");
        write_endpoint(&mut writer, from);
        writer.raw(b"1:rd");
        writer.entry(b"id", self.id.as_bytes());
        if let Some((target, want)) = target(&query.query) {
            let neither = !want.v4 && !want.v6;
            let wants = |asked, family| asked || (neither && from.family() == family);
            if wants(want.v4, Family::V4) {
                writer.entry(b"nodes", self.nearest(&target, Family::V4).as_nodes().as_bytes());
            }
            if wants(want.v6, Family::V6) {
                writer.entry(b"nodes6", self.nearest(&target, Family::V6).as_nodes().as_bytes());
            }
        }
        writer.raw(b"e");
        writer.entry(b"t", query.transaction);
        writer.entry(b"y", b"r");
        writer.raw(b"e");
        writer.finish()
    }
}

/// Near which place contacts are wanted, and of which families.
fn target(query: &Query<'_>) -> Option<(Point, Want)> {
    match query {
        Query::FindNode { target, want } => Some((*target, *want)),
        Query::GetPeers { info_hash, want, .. } => Some((info_hash.point(), *want)),
        Query::Get { target, want, .. } => Some((target.point(), *want)),
        _ => None,
    }
}

impl Attack for Router {
    fn begin(&mut self, _: &mut Hand<'_>) {}

    fn datagram(&mut self, hand: &mut Hand<'_>, at: Endpoint, from: Endpoint, bytes: &[u8]) {
        let Ok(Message::Query(query)) = Message::read(bytes) else { return };
        let mut buffer = [0; ANSWER_BYTES];
        if let Some(length) = self.answer(&query, &from, &mut buffer) {
            hand.send(at, from, &buffer[..length]);
        }
        self.remember(&query, from);
    }

    fn wake(&mut self, _: &mut Hand<'_>) {}

    fn bystander(&self) -> Option<NodeId> {
        Some(self.id)
    }
}
