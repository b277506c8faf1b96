//! The gateway over real sockets on loopback, spoken to by hand.

mod admission;
mod broken;
mod caller;
mod dashboard;
mod items;
mod keys;
mod node;
mod strangers;
mod streams;
