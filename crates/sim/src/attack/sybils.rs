//! Members at random ids that lead lookups to each other: whoever is asked names the members closest
//! to the place in question and nobody else, all of them under their own ids.
//!
//! They want lookups to end among them, so that they decide what is read there. What meets them: an
//! id that follows from its address gives each no more than one place, a lookup asks the closest it
//! knows of, whoever named them, and one honest answer brings the honest ones back.

use super::{Asked, Gang, Hand, Says, Scheme};
use crate::chance::Chance;

/// Members that a member names.
const NAMED: usize = 20;

/// Name each other.
pub struct Sybils;

impl Scheme for Sybils {
    const NAME: &'static str = "sybils";

    fn draw(_: &mut Chance) -> Self {
        Self
    }

    fn describe(&self) -> String {
        "name nobody but each other".to_owned()
    }

    fn says(&mut self, gang: &mut Gang, _: &mut Hand<'_>, asked: &Asked<'_>) -> Option<Says> {
        let named = asked.target().map(|target| gang.closest_members(&target, NAMED));
        Some(Says { named: named.unwrap_or_default(), ..gang.behave(asked) })
    }
}
