//! A node's own invariants: the structure and caps of its table, of its shelf and of its lookups.

use node::Outbox;

use crate::world::{Input, Machine, Moment, Observer, Violation};

/// Has each node that acted check itself.
pub struct Invariants;

impl Observer for Invariants {
    fn after(
        &mut self,
        moment: Moment,
        machine: &mut Machine,
        _: &Input<'_>,
        _: &Outbox,
        found: &mut Vec<Violation>,
    ) {
        let Some(kv) = machine.kv() else { return };
        let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            kv.node().check_invariant();
        }));
        if let Err(panic) = checked {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            found.push(moment.violates("invariants", text.unwrap_or_default()));
        }
    }
}
