//! What strangers may send: none of it breaks a node, makes it shout, or leads it astray.

mod bencoded;
mod budgets;
mod disk;
mod echoes;
mod families;
mod items;
mod lengths;
mod lists;
mod noise;
mod outsiders;
mod pacing;
mod read_only;
mod replies;
mod set_offers;
mod sets;
mod swarms;
mod tokens;
mod victim;
mod waiting;
