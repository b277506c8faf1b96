//! `invariants`: a node's own account of its structure. Looked at now and then, since it goes through
//! all that a node holds.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

use node::Outbox;

use super::PerMachine;
use crate::world::{Input, Machine, Moment, Observer, Violation};

/// A node checks itself each time it has acted so often.
const CHECKED_EVERY: u32 = 256;

/// Has each node check itself.
#[derive(Default)]
pub struct Invariants(PerMachine<u32>);

impl Observer for Invariants {
    fn after(
        &mut self,
        moment: Moment,
        machine: &mut Machine,
        input: &Input<'_>,
        _: &Outbox,
        found: &mut Vec<Violation>,
    ) {
        let Some(kv) = machine.kv() else { return };
        let steps = self.0.at(moment.machine);
        *steps = steps.wrapping_add(1);
        let begins = matches!(input, Input::Start(_));
        if (begins || steps.is_multiple_of(CHECKED_EVERY))
            && let Err(what) = quietly(|| kv.node().check_invariant())
        {
            found.push(moment.violates("invariants", what));
        }
    }
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Does something whose panic is told by the caller, and so not printed by the hook.
fn quietly(act: impl FnOnce()) -> Result<(), String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let loud = take_hook();
        set_hook(Box::new(move |panic| {
            if !QUIET.get() {
                loud(panic);
            }
        }));
    });
    QUIET.set(true);
    let done = catch_unwind(AssertUnwindSafe(act));
    QUIET.set(false);
    done.map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        text.unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_panics_is_told_in_its_own_words() {
        assert_eq!(quietly(|| panic!("bucket {} overflows", 3)), Err("bucket 3 overflows".into()));
        assert_eq!(quietly(|| {}), Ok(()));
    }
}
