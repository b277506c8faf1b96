//! Members that take what they are given, say that it is stored, and keep nothing.
//!
//! They want values to vanish: a put that fell among them counts copies that are none. What meets
//! them: a put wants a majority of the replicas, honest holders repair and hand on what others lack,
//! and readers ask a majority and take the highest version.

use super::{Asked, Gang, Hand, Says, Scheme, Shown};
use crate::chance::Chance;

/// Takes, and keeps nothing.
pub struct Forgetful;

impl Scheme for Forgetful {
    const NAME: &'static str = "forgetful";

    fn draw(_: &mut Chance) -> Self {
        Self
    }

    fn describe(&self) -> String {
        "acknowledge puts and keep nothing".to_owned()
    }

    fn says(&mut self, gang: &mut Gang, _: &mut Hand<'_>, asked: &Asked<'_>) -> Option<Says> {
        let says = gang.behave(asked);
        gang.shelf.clear();
        Some(Says { shown: Shown::Nothing, ..says })
    }
}
