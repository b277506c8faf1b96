//! What a store promises, held against a plain map: after restarts, power cuts, damage, full disks.

#![allow(clippy::unwrap_used)]

mod damage;
mod full_disk;
mod model;
mod power_cuts;
mod real_files;
