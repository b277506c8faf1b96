//! Floor 3: whole networks under virtual time, from one seed.
//!
//! The code that ships (`wire`, `node`, `kv`, and `store` on a simulated disk) runs under one event
//! queue; time, chance, the network and the disks are the world's.

pub mod chance;
