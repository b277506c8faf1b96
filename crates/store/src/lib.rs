//! Floor 0: bytes under keys that survive a power cut. Knows no DHT.
//!
//! A [`Batch`] of changes is durable as a whole when [`Store::commit`] returns. The engine is a
//! [`Log`] on a [`Disk`]: a [`Directory`] of the file system, or a [`SimulatedDisk`] that loses what
//! was not synced. [`Memory`] does without a disk, and [`Faulty`] fails as disks do. All of them follow
//! from their inputs and their seed alone.
//!
//! ```
//! use store::{Batch, Log, SimulatedDisk, Store};
//!
//! let mut store = Log::open(SimulatedDisk::new(1), 2)?.store;
//! let mut batch = Batch::new();
//! batch.put(b"key", b"value")?;
//! store.commit(&batch)?;
//! assert_eq!(store.get(b"key")?.as_deref(), Some(&b"value"[..]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod limits;

mod batch;
mod chance;
mod contract;
mod disk;
mod entry;
mod faulty;
mod log;
mod memory;

pub use batch::{Batch, Change, TooLong};
pub use contract::{Each, Lost, Scanned, Store, StoreError};
pub use disk::{Damage, Directory, Disk, Overlay, SimulatedDisk, make_directory};
pub use faulty::{Faults, Faulty};
pub use log::{Log, Opened, look, open};
pub use memory::Memory;
