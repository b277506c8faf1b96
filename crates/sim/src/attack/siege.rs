//! Members all around one key: with ids as close to it as the network lets them have, they lead all
//! lookups for it to each other, and hold nothing.
//!
//! They want the key's value gone, and what is written to it swallowed. What meets them: in the
//! public network an id follows from its address (BEP 42), so that 8 beginnings of 21 bits are all
//! the choice an address gives, and closeness must be paid for in addresses; signatures keep it from
//! being more than withholding. In a network of one's own nothing does but a network key.

use wire::{Endpoint, NodeId, Target};

use super::{Asked, Gang, Hand, Says, Scheme, Shown};
use crate::chance::Chance;

/// Members that a member names.
const NAMED: usize = 20;

/// Surround a key.
pub struct Siege {
    members: usize,
    key: Option<Target>,
}

impl Siege {
    /// So many around this key; `None`: the first of those that the gang found.
    pub fn of(members: usize, key: Option<Target>) -> Self {
        Self { members, key }
    }
}

impl Scheme for Siege {
    const NAME: &'static str = "siege";

    fn draw(chance: &mut Chance) -> Self {
        Self::of(*chance.pick(&[16, 64, 256]).unwrap_or(&16), None)
    }

    fn describe(&self) -> String {
        format!("{} surround one key", self.members)
    }

    fn members(&self) -> Option<usize> {
        Some(self.members)
    }

    fn id(&mut self, gang: &mut Gang, place: &Endpoint) -> NodeId {
        let key = *self.key.get_or_insert_with(|| {
            let found = gang.chance.pick(&gang.grounds.keys).copied();
            found.unwrap_or(Target::new(gang.chance.bytes()))
        });
        gang.id_near(place, &key.point())
    }

    fn says(&mut self, gang: &mut Gang, _: &mut Hand<'_>, asked: &Asked<'_>) -> Option<Says> {
        let key = self.key.map(|key| key.point());
        let Some(target) = asked.target() else { return Some(gang.behave(asked)) };
        // Far from the key they behave, and so stay in everybody's tables.
        if key.is_none_or(|key| key.shared_bits(&target) < 8) {
            return Some(gang.behave(asked));
        }
        let named = gang.closest_members(&target, NAMED);
        Some(Says { id: asked.member.id, named, shown: Shown::Nothing })
    }
}
