//! The native half of the Python package `xorbit`: nodes of the crate `xorbit`, whose requests are
//! [`Pending`] until they are waited for, by a thread or by an asyncio loop.
//!
//! The other half, in `package/xorbit`, gives them the two faces that Python programs use, `Node` and
//! `AsyncNode`, and holds the reports and exceptions that this half fills in.

mod engine;
mod errors;
mod exit;
mod namespace;
mod node;
mod options;
mod pending;
mod reports;
mod stream;

/// What Python imports as `xorbit._native`.
#[pyo3::pymodule]
mod _native {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::exit::leave_interpreter;
    #[pymodule_export]
    use crate::namespace::{Namespace, Signer};
    #[pymodule_export]
    use crate::node::Node;
    #[pymodule_export]
    use crate::pending::Pending;
    #[pymodule_export]
    use crate::stream::Stream;

    #[pymodule_init]
    fn add_version(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
