//! The program as people run it: real processes, on loopback.

// As in any test, what is not as expected shall fail at its line.
#![allow(clippy::unwrap_used)]

mod batches;
mod config;
mod demo;
mod failures;
mod full_disk;
mod keeping;
mod keys;
mod kills;
mod large;
mod looking;
mod manual;
mod near;
mod nodes;
mod outputs;
mod program;
mod raw;
mod sealed;
mod secrets;
mod sets;
mod shells;
mod stores;
mod values;
mod watching;
