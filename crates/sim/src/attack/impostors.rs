//! Members that name the honest nodes closest to a place wrongly: their ids at addresses where nobody
//! is, and their addresses under ids that lie far off.
//!
//! They want a lookup that hears of the right nodes later to take them for known, and so never to ask
//! them. What meets them: of several ids by which an address is named, the closest counts until it is
//! asked; and in the public network an id at an address that it does not follow from stands behind all
//! that do.

use wire::{Contact, NodeId};

use super::{Asked, Gang, Hand, Says, Scheme};
use crate::chance::Chance;

/// Honest nodes that are named wrongly, in both ways.
const NAMED: usize = 10;

/// Name honest nodes wrongly.
pub struct Impostors;

impl Scheme for Impostors {
    const NAME: &'static str = "impostors";

    fn draw(_: &mut Chance) -> Self {
        Self
    }

    fn describe(&self) -> String {
        "name honest nodes at wrong addresses and under wrong ids".to_owned()
    }

    fn says(&mut self, gang: &mut Gang, _: &mut Hand<'_>, asked: &Asked<'_>) -> Option<Says> {
        let mut says = gang.behave(asked);
        let Some(target) = asked.target() else { return Some(says) };
        says.named.clear();
        for honest in gang.closest_known(&target, NAMED) {
            let far = NodeId::new(target.as_bytes().map(|byte| !byte));
            let far = gang.id_near(&honest.endpoint, &far.point());
            let elsewhere = gang.chance.bytes();
            says.named.push(Contact { id: honest.id, endpoint: gang.nowhere(elsewhere) });
            says.named.push(Contact { id: far, endpoint: honest.endpoint });
        }
        Some(says)
    }
}
