//! Members of another network that live and answer as nodes of this one do, but for the tag by which
//! networks know their own.
//!
//! They want places in the tables of a network that is not theirs, as a node that was told a wrong
//! name would. What meets them: whoever carries another tag enters no table.

use wire::{Endpoint, NetworkTag, NodeId};

use super::{Gang, Scheme};
use crate::chance::Chance;

/// Speak with another network's tag.
pub struct Foreigners {
    tag: NetworkTag,
}

impl Scheme for Foreigners {
    const NAME: &'static str = "foreigners";

    fn draw(chance: &mut Chance) -> Self {
        Self { tag: NetworkTag(chance.bytes()) }
    }

    fn describe(&self) -> String {
        "live in another network and call at this one".to_owned()
    }

    fn id(&mut self, gang: &mut Gang, place: &Endpoint) -> NodeId {
        gang.grounds.network = Some(self.tag);
        gang.any_id(place)
    }
}
