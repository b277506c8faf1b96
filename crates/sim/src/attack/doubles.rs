//! Members that live under the ids of honest nodes, at addresses of their own, and greet everybody.
//!
//! They want the honest nodes' places in tables, and so what is meant for them. What meets them: a
//! contact that answers keeps its address, whoever else answers under its id.

use wire::{Endpoint, NodeId};

use super::{Gang, Scheme};
use crate::chance::Chance;

/// Live under others' ids.
pub struct Doubles;

impl Scheme for Doubles {
    const NAME: &'static str = "doubles";

    fn draw(_: &mut Chance) -> Self {
        Self
    }

    fn describe(&self) -> String {
        "live under the ids of honest nodes".to_owned()
    }

    fn id(&mut self, gang: &mut Gang, place: &Endpoint) -> NodeId {
        let honest = gang.chance.pick(&gang.grounds.honest).copied();
        honest.map_or_else(|| gang.any_id(place), |honest| honest.id)
    }
}
