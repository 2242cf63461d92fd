//! The ledger through its writer, on real SQLite files.

mod append_only;
pub(crate) mod desk;
mod faults;
mod fencing;
mod histories;
mod races;
mod recovery;
mod units;
