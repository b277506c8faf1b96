//! A request on its way: waited for by a thread, or told to an asyncio loop.

use std::future::Future;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use tokio::task::AbortHandle;

use crate::engine::{engine, lock};
use crate::{errors, exit};

/// What a request came to, to be made a Python object by whoever asks.
pub type Told = Box<dyn for<'py> FnOnce(Python<'py>) -> PyResult<Bound<'py, PyAny>> + Send>;

enum State {
    Running { callback: Option<Py<PyAny>> },
    Done(Option<Told>),
}

struct Slot {
    state: Mutex<State>,
    done: Condvar,
}

impl Slot {
    /// Tells the end, once.
    fn tell(&self, told: Told) {
        let mut state = lock(&self.state);
        let State::Running { callback } = &mut *state else { return };
        let callback = callback.take();
        *state = State::Done(Some(told));
        drop(state);
        self.done.notify_all();
        if let (Some(callback), Ok(engine)) = (callback, engine()) {
            engine.call(callback);
        }
    }

    /// Whether it is done, after waiting so long at most.
    fn wait(&self, limit: Duration) -> bool {
        let running = |state: &mut State| matches!(state, State::Running { .. });
        let state = lock(&self.state);
        let waited = self.done.wait_timeout_while(state, limit, running);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        matches!(*state, State::Done(_))
    }
}

/// Held by the task; if that ends in whatever way without a word, it is told here.
struct Teller(Arc<Slot>);

impl Drop for Teller {
    fn drop(&mut self) {
        self.0.tell(Box::new(|_| Err(errors::closed())));
    }
}

/// A request on its way. Dropped before its end, it is given up.
#[pyclass(frozen, module = "xorbit._native")]
pub struct Pending {
    slot: Arc<Slot>,
    task: AbortHandle,
}

impl Pending {
    /// Lets the future run; what it gives is told.
    pub fn spawn(future: impl Future<Output = Told> + Send + 'static) -> PyResult<Self> {
        let state = Mutex::new(State::Running { callback: None });
        let slot = Arc::new(Slot { state, done: Condvar::new() });
        let teller = Teller(Arc::clone(&slot));
        let task = engine()?.runtime().spawn(async move {
            let told = future.await;
            teller.0.tell(told);
        });
        Ok(Self { slot, task: task.abort_handle() })
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[pymethods]
impl Pending {
    /// Waits for the end, at most so many seconds, and gives what it came to.
    fn wait<'py>(
        &self,
        py: Python<'py>,
        timeout_seconds: Option<f64>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let _inside = exit::enter().ok_or_else(exit::ended)?;
        let limit = timeout_seconds.map(errors::duration).transpose()?;
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        loop {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let slot = &self.slot;
            let done =
                py.detach(|| slot.wait(left.map_or(exit::LOOK, |left| left.min(exit::LOOK))));
            if exit::is_shut() {
                return Err(exit::ended());
            }
            if done {
                return self.take(py);
            }
            if let Err(interrupted) = py.check_signals() {
                self.cancel();
                return Err(interrupted);
            }
            if left.is_some_and(|left| left.is_zero()) {
                self.cancel();
                return Err(errors::timed_out(limit.unwrap_or_default()));
            }
        }
    }

    /// Has this called, from a thread of its own, once the end is there to take.
    fn call_when_done(&self, callback: Py<PyAny>) -> PyResult<()> {
        if let State::Running { callback: waiting } = &mut *lock(&self.slot.state) {
            *waiting = Some(callback);
            return Ok(());
        }
        engine()?.call(callback);
        Ok(())
    }

    /// Gives what it came to, once; it must be done.
    fn take<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let told = match &mut *lock(&self.slot.state) {
            State::Done(told) => told.take(),
            State::Running { .. } => None,
        };
        told.map_or_else(|| Err(errors::closed()), |told| told(py))
    }

    /// Gives the request up, and calls nobody.
    fn cancel(&self) {
        if let State::Running { callback } = &mut *lock(&self.slot.state) {
            *callback = None;
        }
        self.task.abort();
    }
}
