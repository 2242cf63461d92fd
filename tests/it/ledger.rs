//! The ledger through its writer, on real SQLite files.

mod append_only;
mod books_postgres;
mod cap_races;
pub(crate) mod desk;
mod faults;
mod fencing;
mod grants;
mod histories;
mod late_counters;
mod lost_connections;
mod movements;
mod outbox;
mod periods;
mod plans;
mod prices;
mod races;
mod recovery;
mod retention;
mod servers;
mod units;
