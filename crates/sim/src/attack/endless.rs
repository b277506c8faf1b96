//! Members that name each other, so that a lookup asks them all, and beside them ever new nodes that
//! do not exist, far from the place in question, so that nobody ever asks these.
//!
//! They want a lookup to remember more and more, until its node has no memory left. What meets them:
//! a lookup remembers 256 candidates in a family, whoever else it hears of.

use wire::{Contact, NodeId};

use super::{Asked, Gang, Hand, Says, Scheme};
use crate::chance::Chance;

/// Enough to name more than anybody remembers, one after the other.
const MEMBERS: usize = 40;

/// Members that a member names.
const NAMED: usize = 8;

/// Others that it names.
const MADE_UP: usize = 12;

/// Name ever new nodes.
pub struct Endless;

impl Scheme for Endless {
    const NAME: &'static str = "endless";

    fn draw(_: &mut Chance) -> Self {
        Self
    }

    fn describe(&self) -> String {
        "name ever new nodes that do not exist".to_owned()
    }

    fn members(&self) -> Option<usize> {
        Some(MEMBERS)
    }

    fn says(&mut self, gang: &mut Gang, _: &mut Hand<'_>, asked: &Asked<'_>) -> Option<Says> {
        let mut says = gang.behave(asked);
        let Some(target) = asked.target() else { return Some(says) };
        let far = target.as_bytes().map(|byte| !byte);
        // All of them, and none twice: from each member on around the circle of their ids.
        let next = gang.members().iter().position(|member| member.id == asked.member.id);
        let around = gang.members().iter().cycle().skip(next.unwrap_or_default() + 1);
        says.named = around.take(NAMED).copied().collect();
        for _ in 0..MADE_UP {
            let (mut id, noise) = (far, gang.chance.bytes::<12>());
            id[8..].copy_from_slice(&noise);
            let place = gang.chance.bytes();
            let endpoint = gang.nowhere(place);
            says.named.push(Contact { id: NodeId::new(id), endpoint });
        }
        Some(says)
    }
}
