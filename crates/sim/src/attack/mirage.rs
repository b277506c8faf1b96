//! Members that answer under ids of the moment: asked for a place, each names other members under ids
//! next to it, closer with each step, and whoever is asked then answers under the id it was named by.
//!
//! They want lookups to go on towards what is not there and to end among them: eight addresses are
//! enough to be the eight closest to everything. What meets them: an address is asked once in a
//! lookup, whatever ids it is named by, and who answers under an id that does not follow from its
//! address is none of the closest in the public network.

use wire::{Contact, Endpoint, NodeId, Point};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::{Asked, Gang, Hand, Says, Scheme, Shown};
use crate::chance::Chance;

/// Members that a member names.
const NAMED: usize = 20;

/// Of so many members, those named are drawn.
const DRAWN_FROM: usize = 64;

/// Answer under made-up ids.
pub struct Mirage {
    seed: u64,
    valid: bool,
}

impl Mirage {
    /// `valid`: under none but ids that its address may have, the one of eight that is closest.
    pub fn of(seed: u64, valid: bool) -> Self {
        Self { seed, valid }
    }

    /// The id under which a member stands next to a place: the same whoever asks, so that it answers as
    /// it was named.
    fn id_towards(&self, gang: &Gang, place: &Endpoint, target: &Point) -> NodeId {
        let mut text = place.ip_bytes().to_vec();
        text.extend(place.port().to_be_bytes());
        text.extend(target.as_bytes());
        let noise = xxh3_64_with_seed(&text, self.seed);
        if self.valid {
            let [_, _, _, last @ ..] = noise.to_be_bytes();
            return gang.id_near_with(last, place, target);
        }
        let shared = 32 + noise as usize % 90;
        let mut id = *target.as_bytes();
        id[shared / 8] ^= 0x80 >> (shared % 8);
        id[16..].copy_from_slice(&(noise >> 32).to_be_bytes()[4..]);
        NodeId::new(id)
    }
}

impl Scheme for Mirage {
    const NAME: &'static str = "mirage";

    fn draw(chance: &mut Chance) -> Self {
        Self::of(chance.u64(), false)
    }

    fn describe(&self) -> String {
        "answer under ids of the moment, ever closer".to_owned()
    }

    fn says(&mut self, gang: &mut Gang, _: &mut Hand<'_>, asked: &Asked<'_>) -> Option<Says> {
        let Some(target) = asked.target() else { return Some(gang.behave(asked)) };
        let id = self.id_towards(gang, &asked.member.endpoint, &target);
        let first = gang.chance.below(gang.members().len());
        let drawn = gang.members().iter().cycle().skip(first).take(DRAWN_FROM);
        let drawn: Vec<Endpoint> = drawn.map(|member| member.endpoint).collect();
        let mut named: Vec<Contact> = drawn
            .into_iter()
            .map(|endpoint| Contact { id: self.id_towards(gang, &endpoint, &target), endpoint })
            .collect();
        named.sort_by_key(|contact| target.distance(&contact.id.point()));
        named.dedup();
        // Closer than itself first, and the closest last of all, so that it takes long to get there.
        let own = target.distance(&id.point());
        let closer = named.partition_point(|contact| target.distance(&contact.id.point()) < own);
        let from = closer.saturating_sub(NAMED);
        named.drain(..from);
        named.truncate(NAMED);
        Some(Says { id, named, shown: Shown::Nothing })
    }
}
