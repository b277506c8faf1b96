//! Whole networks of stores under virtual time: what a put promises, what a get tells, and what
//! becomes of both when nodes and datagrams fail.

mod batches;
mod bounds;
mod busy;
mod conditions;
mod consistency;
mod deletion;
mod departures;
mod expiry;
mod families;
mod foreign;
mod large;
mod liars;
mod loss;
mod model;
mod overwriting;
mod promises;
mod promises_large;
mod promises_on_disk;
mod reading;
mod repair;
mod reports;
mod secret;
mod secret_large;
mod secret_sets;
mod set_upkeep;
mod sets;
mod upkeep;
mod watching;
mod watching_churn;
mod world;
