//! Members that ask in somebody else's name: questions with long answers, sent from the address of a
//! victim that is no node, to all honest nodes.
//!
//! They want the victim flooded with more bytes than they send themselves. What meets them: replies to
//! an address that has not shown that it receives them have a budget, 20,000 bytes and then 2,000 a
//! second for an address, four times that for its /24, at each node; none is longer than 1,400.

use wire::{Endpoint, InfoHash, Query, Target, Want};

use super::{Gang, Hand, Scheme};
use crate::chance::Chance;

/// Ask in another's name.
pub struct Reflection {
    /// Questions at a time.
    questions: usize,
    /// Half of them in the names of all its neighbours in its /24.
    spread: bool,
}

impl Reflection {
    /// So many questions each quarter of a second.
    pub fn of(questions: usize) -> Self {
        Self { questions, spread: false }
    }
}

impl Scheme for Reflection {
    const NAME: &'static str = "reflection";
    const HAS_VICTIM: bool = true;

    fn draw(chance: &mut Chance) -> Self {
        let questions = *chance.pick(&[10, 40, 100]).unwrap_or(&10);
        Self { questions, spread: chance.happens(0.5) }
    }

    fn describe(&self) -> String {
        format!("ask {} times/s in the name of a victim", self.questions * 4)
    }

    fn tick(&mut self, gang: &mut Gang, hand: &mut Hand<'_>) {
        let Some(victim) = gang.grounds.victim else { return };
        for _ in 0..self.questions {
            let Some((member, to)) = gang.pair() else { return };
            let (place, want) = (gang.chance.bytes(), Want { v4: true, v6: true });
            let query = match gang.chance.below(2) {
                0 => Query::Get { target: Target::new(place), newer_than: None, want },
                _ => Query::GetPeers {
                    info_hash: InfoHash::new(place),
                    want,
                    no_seed: false,
                    scrape: true,
                },
            };
            let transaction = gang.chance.u64() as u32;
            let bytes = gang.query(member, transaction, &query);
            let from = if self.spread && gang.chance.happens(0.5) {
                neighbour(victim, gang.chance.bytes())
            } else {
                victim
            };
            gang.send(hand, from, to.endpoint, &bytes);
        }
    }
}

/// Another address of the same /24.
fn neighbour(of: Endpoint, [last]: [u8; 1]) -> Endpoint {
    match <[u8; 4]>::try_from(of.ip_bytes()) {
        Ok([a, b, c, _]) => Endpoint::v4([a, b, c, last], of.port()),
        Err(_) => of,
    }
}
