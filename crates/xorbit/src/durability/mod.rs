//! A node over disks that lose power, fail and fill up, without sockets, threads or clocks: what was
//! acknowledged must be there, and what was never sent must not.

// As in any test, what is not as expected shall fail at its line.
#![allow(clippy::unwrap_used)]

mod driving;
mod faults;
mod known;
mod machine;
mod power_cuts;
