//! Members that keep the first version of each item they are given and show that one ever after.
//!
//! They want readers to believe that nothing newer exists, and what was deleted to come back. What
//! meets them: a get asks a majority of the replicas and takes the highest version, readers and
//! holders give the newer one to whoever lacks it, and no holder takes a lower version than it has.

use wire::Query;

use super::{Asked, Gang, Hand, Says, Scheme};
use crate::chance::Chance;

/// Show the first version.
pub struct Stale;

impl Scheme for Stale {
    const NAME: &'static str = "stale";

    fn draw(_: &mut Chance) -> Self {
        Self
    }

    fn describe(&self) -> String {
        "keep and show old versions".to_owned()
    }

    fn says(&mut self, gang: &mut Gang, _: &mut Hand<'_>, asked: &Asked<'_>) -> Option<Says> {
        let Query::Put { item, .. } = asked.message.query else { return Some(gang.behave(asked)) };
        let target = item.claim().target();
        let first = gang.shelf.get(&target).cloned();
        let says = gang.behave(asked);
        if let Some(first) = first {
            gang.shelf.insert(target, first);
        }
        Some(says)
    }
}
