//! What must always hold, and what must hold once the weather has cleared. One check, one file.

mod invariants;

use crate::plan::Plan;
use crate::run::Run;
use crate::world::Observer;

/// Those who watch a run.
pub fn observers(_: &Plan) -> Vec<Box<dyn Observer>> {
    vec![Box::new(invariants::Invariants)]
}

/// What must hold when a network has had time to heal.
pub fn at_rest(_: &mut Run) {}
