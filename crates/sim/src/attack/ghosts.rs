//! Members that name the closest nodes that one could wish for, and nobody is there: made-up ids next
//! to the place in question, at addresses where nobody answers.
//!
//! They want lookups to spend their queries and their time, and the silent ones to count as replicas
//! that are missing, so that reads and writes find no majority. What meets them: a lookup asks 256 in
//! a family at most and waits for no slow one while others answer.

use wire::{Contact, Point};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::{Asked, Gang, Hand, Says, Scheme};
use crate::chance::Chance;

/// Ghosts that a member names.
const NAMED: u8 = 20;

/// Name nodes that do not exist.
pub struct Ghosts;

impl Scheme for Ghosts {
    const NAME: &'static str = "ghosts";

    fn draw(_: &mut Chance) -> Self {
        Self
    }

    fn describe(&self) -> String {
        "name close nodes that do not exist".to_owned()
    }

    fn says(&mut self, gang: &mut Gang, _: &mut Hand<'_>, asked: &Asked<'_>) -> Option<Says> {
        let mut says = gang.behave(asked);
        if let Some(target) = asked.target() {
            says.named = (0..NAMED).map(|number| gang.ghost(number, &target)).collect();
        }
        Some(says)
    }
}

impl Gang {
    /// A node next to a place that does not exist: all members name the same ones.
    fn ghost(&self, number: u8, target: &Point) -> Contact {
        let mut text = target.as_bytes().to_vec();
        text.push(number);
        let mut noise = Chance::from_number(xxh3_64_with_seed(&text, 0));
        let endpoint = self.nowhere(noise.bytes());
        Contact { id: self.id_near_with(noise.bytes(), &endpoint, target), endpoint }
    }
}
