//! What runs below all nodes of a process: two threads for tokio, and one that calls back into Python.

use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use tokio::runtime::{Builder, Runtime};

use crate::{errors, exit};

/// Nodes share them; a node is one task and rarely busy for long.
const THREADS: usize = 2;

/// It lives as long as the process.
pub struct Engine {
    /// Of a forked child the threads are gone, and with them all that ran there.
    process: u32,
    runtime: Runtime,
    callbacks: mpsc::Sender<Py<PyAny>>,
    nodes: Mutex<Vec<Weak<xorbit::Node>>>,
}

static ENGINE: Mutex<Option<&'static Engine>> = Mutex::new(None);

/// The engine of this process, started if it does not run.
///
/// # Errors
/// If the machine gives no threads.
pub fn engine() -> PyResult<&'static Engine> {
    let mut running = lock(&ENGINE);
    let process = std::process::id();
    if let Some(engine) = running.filter(|engine| engine.process == process) {
        return Ok(engine);
    }
    let engine = Engine::start(process).map_err(|cause| {
        errors::environment(&format!("the machine gives no threads: {cause}"), None)
    })?;
    Ok(running.insert(Box::leak(Box::new(engine))))
}

impl Engine {
    fn start(process: u32) -> std::io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("xorbit")
            .enable_all()
            .build()?;
        let (callbacks, called) = mpsc::channel();
        std::thread::Builder::new()
            .name("xorbit-callbacks".into())
            .spawn(move || call_back(&called))?;
        Ok(Self { process, runtime, callbacks, nodes: Mutex::new(Vec::new()) })
    }

    /// Where tasks are spawned.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Calls this from the thread that may wait for Python.
    pub fn call(&self, callback: Py<PyAny>) {
        // The other end lives as long as the process.
        let _ = self.callbacks.send(callback);
    }

    /// Remembers a node, to close it at exit if nobody else does.
    pub fn remember(&self, node: &Arc<xorbit::Node>) {
        let mut nodes = lock(&self.nodes);
        nodes.retain(|node| node.strong_count() > 0);
        nodes.push(Arc::downgrade(node));
    }
}

/// Closes the nodes of this process that are still there.
pub fn close_nodes(within: Duration) {
    let running = *lock(&ENGINE);
    let Some(engine) = running.filter(|engine| engine.process == std::process::id()) else {
        return;
    };
    let nodes = std::mem::take(&mut *lock(&engine.nodes));
    let closing = nodes.iter().filter_map(Weak::upgrade).map(|node| {
        let node = xorbit::Node::clone(&node);
        engine.runtime.spawn(node.close())
    });
    let closing: Vec<_> = closing.collect();
    engine.runtime.block_on(async {
        let all = async {
            for node in closing {
                // One that failed has nothing more to write.
                let _ = node.await;
            }
        };
        let _ = tokio::time::timeout(within, all).await;
    });
}

fn call_back(called: &mpsc::Receiver<Py<PyAny>>) {
    for callback in called {
        let Some(_inside) = exit::enter() else { return };
        let called = Python::try_attach(|py| {
            if let Err(error) = callback.call0(py)
                && !error.is_instance_of::<PyRuntimeError>(py)
            {
                // A loop that was closed meanwhile says RuntimeError, and has nobody left to wake.
                error.write_unraisable(py, Some(callback.bind(py)));
            }
            drop(callback);
        });
        if called.is_none() {
            return;
        }
    }
}

/// What a mutex guards, though a thread panicked that held it: nothing here is left half done.
pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
