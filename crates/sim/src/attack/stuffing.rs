//! Members that call at everybody, so that tables hold more of them than of others, and then lead
//! lookups to each other.
//!
//! They want to be all that a node knows of the far parts of the key space, where it learns of others
//! only when it looks something up, and anybody enters who calls. What meets them: a bucket takes no
//! more than two of a /24, nobody displaces who answers, and a lookup asks eight of our own contacts
//! in any case; what we know of a part of the key space may be hostile all the same.

use super::{Asked, Gang, Hand, Says, Scheme, sybils};
use crate::chance::Chance;

/// Call at everybody.
pub struct Stuffing;

impl Scheme for Stuffing {
    const NAME: &'static str = "stuffing";
    const GREETED: usize = 100;

    fn draw(_: &mut Chance) -> Self {
        Self
    }

    fn describe(&self) -> String {
        "call at everybody, then name nobody but each other".to_owned()
    }

    fn says(&mut self, gang: &mut Gang, hand: &mut Hand<'_>, asked: &Asked<'_>) -> Option<Says> {
        sybils::Sybils.says(gang, hand, asked)
    }
}
