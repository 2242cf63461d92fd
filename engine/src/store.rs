//! The database: opening it, reading it through sea-orm, and the one way to write it.
//!
//! Every write of the program goes through the [`writer`]: ledger requests in group-committed batches, everything else
//! as a [`unit::UnitOfWork`]. So there is one writer by construction, and a change, its mail and its money stand in one
//! transaction.

pub mod backup;
pub mod books;
pub(crate) mod calls;
pub(crate) mod chart;
pub(crate) mod counts;
pub mod database;
pub(crate) mod entity;
pub mod error;
pub(crate) mod finder;
pub(crate) mod hooks;
pub mod journal;
pub(crate) mod listings;
pub mod lock;
pub(crate) mod newest;
pub mod news;
pub(crate) mod overview;
pub(crate) mod payloads;
pub(crate) mod periods;
mod postgres;
pub mod presence;
pub mod readers;
pub(crate) mod sales;
pub(crate) mod search;
pub(crate) mod trail;
pub mod unit;
pub(crate) mod usage;
pub(crate) mod wallets;
pub mod writer;

pub use database::{Database, DatabasePlace};
pub use error::StoreError;
pub use lock::WriterLock;
pub use postgres::{TooManyRights, examine_server};
pub use presence::Presence;
pub use unit::{AuditedUnit, NotSaved, Rehearsal, UnitOfWork};
pub use writer::{Ledger, WriterError};
