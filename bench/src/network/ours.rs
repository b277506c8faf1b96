//! Our own network of nodes in one process. The only file of the benchmark that knows the library.
//!
//! To be joined with `xorbit`: implement [`super::drive::Peer`] for `xorbit::Node`, then in [`measure`] build a
//! multi-threaded tokio runtime, `block_on` it `xorbit::testnet(nodes)` followed by
//! `super::drive::measure(implementation, peers, keys)`, return `Some` of that, and drop the `expect(dead_code)` at the
//! top of `drive.rs`.

use super::Measured;
use crate::failure::Failure;

/// Puts and gets on our nodes, if this build has them.
pub fn measure(_nodes: usize, _keys: usize) -> Result<Option<Measured>, Failure> {
    eprintln!("this build has no network of its own; only libtorrent's is measured");
    Ok(None)
}
