//! Leaving the interpreter: nobody of ours may be on the way into it when it is taken down.
//!
//! A thread that asks for an interpreter that is going is ended or hung by it, with our frames on its
//! stack. So whoever comes from outside passes this gate; at exit it is shut, and all who are inside are
//! waited for.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use pyo3::exceptions::PySystemExit;
use pyo3::prelude::*;

use crate::engine::{self, lock};
use crate::errors;

/// Those inside look at the gate at least this often.
pub const LOOK: Duration = Duration::from_millis(50);

/// Waiting for them ends after so long: a callback of Python's own may hang.
const PATIENCE: Duration = Duration::from_secs(2);

/// Nodes that were left open get so long to write what shall be remembered.
const CLOSING: Duration = Duration::from_secs(5);

static INSIDE: AtomicUsize = AtomicUsize::new(0);
static SHUT: AtomicBool = AtomicBool::new(false);
static LEAVING: Mutex<Option<ThreadId>> = Mutex::new(None);

/// Being inside, until this is dropped.
#[derive(Debug)]
pub struct Inside(());

impl Drop for Inside {
    fn drop(&mut self) {
        INSIDE.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Enters; `None` once the interpreter is being left.
pub fn enter() -> Option<Inside> {
    INSIDE.fetch_add(1, Ordering::SeqCst);
    // Counted first, so that whoever shuts the gate after this look waits for us.
    let inside = Inside(());
    (!SHUT.load(Ordering::SeqCst)).then_some(inside)
}

/// Whether those inside shall come out.
pub fn is_shut() -> bool {
    SHUT.load(Ordering::SeqCst)
}

/// What is raised in a thread that comes when the gate is shut. The thread that leaves is told that nodes
/// are closed; all others end, in silence: they are daemons, which nobody asked to stop.
pub fn ended() -> PyErr {
    if *lock(&LEAVING) == Some(std::thread::current().id()) {
        return errors::closed();
    }
    PySystemExit::new_err(())
}

/// Lets nobody in any more, and closes nodes that were left open. The package registers it to be called
/// at exit.
#[pyfunction]
pub fn leave_interpreter(py: Python<'_>) {
    py.detach(|| {
        *lock(&LEAVING) = Some(std::thread::current().id());
        SHUT.store(true, Ordering::SeqCst);
        engine::close_nodes(CLOSING);
        let deadline = Instant::now() + PATIENCE;
        while INSIDE.load(Ordering::SeqCst) > 0 && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1));
        }
    });
}
