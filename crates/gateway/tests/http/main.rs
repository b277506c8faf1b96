//! The gateway over real sockets on loopback, spoken to by hand.

mod admission;
mod caller;
mod dashboard;
mod hostile;
mod items;
mod keys;
mod node;
mod streams;
