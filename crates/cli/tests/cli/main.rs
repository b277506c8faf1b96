//! The program as people run it: real processes, on loopback.

// As in any test, what is not as expected shall fail at its line.
#![allow(clippy::unwrap_used)]

mod demo;
mod failures;
mod keeping;
mod keys;
mod large;
mod nodes;
mod program;
mod raw;
mod sealed;
mod secrets;
mod sets;
mod values;
mod watching;
