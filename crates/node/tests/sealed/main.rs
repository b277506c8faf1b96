//! Sealed networks: who has the key takes part, and nobody else changes anything.

#[path = "../world/mod.rs"]
mod world;

mod clocks;
mod format;
mod insider;
mod members;
mod replays;
mod sizes;
mod strangers;
