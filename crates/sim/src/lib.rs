//! Floor 3: whole networks under virtual time, from one seed.
//!
//! The code that ships (`wire`, `node`, `kv`, and `store` on a simulated disk) runs under one event
//! queue; time, chance, the network and the disks are the world's. The same seed and the same build
//! give the same course of events, byte for byte, and so the same trace hash.
//!
//! An event's way through the files: `queue` (what happens next) → `world` (which machine hears it,
//! by which clock) → the node → `network` (what becomes of what it sends) → `queue`. Whoever watches
//! is an `Observer` of the world.

pub mod attack;
pub mod chance;
pub mod check;
pub mod clock;
pub mod experiment;
pub mod fault;
pub mod history;
pub mod hunt;
pub mod network;
pub mod oracle;
pub mod plan;
pub mod profile;
pub mod queue;
pub mod report;
pub mod router;
pub mod run;
pub mod shrink;
pub mod workload;
pub mod world;

pub use node::Instant;
