//! Members that answer for each other: whoever is asked has another member say what it would say, under
//! the transaction id that only it could know.
//!
//! They want to be believed at addresses that nobody asked. What meets them: a reply counts only from
//! the address that was asked.

use super::puppet;
use super::{Asked, Gang, Hand, Says, Scheme};
use crate::chance::Chance;

/// Answer from each other's addresses.
pub struct Crosswise;

impl Scheme for Crosswise {
    const NAME: &'static str = "crosswise";

    fn draw(_: &mut Chance) -> Self {
        Self
    }

    fn describe(&self) -> String {
        "answer from each other's addresses".to_owned()
    }

    fn members(&self) -> Option<usize> {
        Some(2)
    }

    fn says(&mut self, gang: &mut Gang, hand: &mut Hand<'_>, asked: &Asked<'_>) -> Option<Says> {
        let says = gang.behave(asked);
        let member = asked.member.endpoint;
        let other = gang.members().iter().map(|other| other.endpoint).find(|at| *at != member);
        // Each second question is answered as it should be, or nobody would ask them any more.
        if gang.chance.happens(0.5) {
            return Some(says);
        }
        let bytes = puppet::write(gang, asked, &says)?;
        gang.send(hand, other?, asked.from, &bytes);
        None
    }
}
