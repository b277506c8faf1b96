//! Members around one node: near it in the key space, to fill the near buckets of its table, and in
//! its far ones, too; whatever it asks, they name each other. To everybody else they behave.
//!
//! They want the node to know nobody but them, and so to live in a network of their making. What
//! meets them: a contact enters a table only when it answers, displaces nobody who does, and takes in
//! the public network no more than one place for its address and two for its /24 in a bucket; a
//! node remembers the doors that it joined through.

use wire::{Contact, Endpoint, NodeId, Query};

use super::{Asked, Gang, Hand, Says, Scheme, Shown};
use crate::chance::Chance;

/// Members that a member names.
const NAMED: usize = 20;

/// Members that call at the victim at a time.
const CALLERS: usize = 16;

/// Surround a node.
pub struct Eclipse {
    victim: Option<Contact>,
    members: Option<usize>,
}

impl Eclipse {
    /// Around this node; `None`: one of those that the gang found.
    pub fn of(victim: Option<Contact>) -> Self {
        Self { victim, members: None }
    }
}

impl Scheme for Eclipse {
    const NAME: &'static str = "eclipse";

    fn draw(chance: &mut Chance) -> Self {
        let members = *chance.pick(&[None, Some(48), Some(96)]).unwrap_or(&None);
        Self { members, ..Self::of(None) }
    }

    fn describe(&self) -> String {
        "surround one node".to_owned()
    }

    fn members(&self) -> Option<usize> {
        self.members
    }

    fn id(&mut self, gang: &mut Gang, place: &Endpoint) -> NodeId {
        if self.victim.is_none() {
            self.victim = gang.chance.pick(&gang.grounds.honest).copied();
        }
        match self.victim {
            // Half of them near it: the others fill the rest of its table.
            Some(victim) if gang.chance.happens(0.5) => gang.id_near(place, &victim.id.point()),
            _ => gang.any_id(place),
        }
    }

    fn says(&mut self, gang: &mut Gang, _: &mut Hand<'_>, asked: &Asked<'_>) -> Option<Says> {
        let is_victim = self.victim.is_some_and(|victim| victim.endpoint == asked.from);
        let Some(target) = asked.target().filter(|_| is_victim) else {
            return Some(gang.behave(asked));
        };
        let named = gang.closest_members(&target, NAMED);
        Some(Says { id: asked.member.id, named, shown: Shown::Nothing })
    }

    fn tick(&mut self, gang: &mut Gang, hand: &mut Hand<'_>) {
        let Some(victim) = self.victim else { return };
        let near = gang.closest_members(&victim.id.point(), 2 * CALLERS);
        for _ in 0..CALLERS {
            let anybody = gang.pair().map(|(member, _)| member);
            let near = near.get(gang.chance.below(2 * near.len())).copied();
            let Some(caller) = near.or(anybody) else { return };
            gang.ask(hand, caller, victim.endpoint, &Query::Ping);
        }
    }
}
