//! Tollgate's rules. No HTTP in here.
//!
//! Reading order: the pure half first (no database, no async, no clock of its own), then the shell half that loads
//! facts, asks the pure half to decide, and writes what it decided.
#![deny(missing_docs)]

#[macro_use]
pub mod failpoint;

// --- pure half ---
pub mod audit;
pub mod catalog;
pub mod clock;
pub mod code;
pub mod credits;
pub mod dialect;
pub mod document;
pub mod gateway;
pub mod id;
pub mod invocation;
pub mod json;
pub mod ledger;
pub mod limits;
pub mod operator;
pub mod policy;
pub mod pricing;
pub mod publishing;
pub mod sealing;
pub mod upstream;

#[cfg(any(test, feature = "testing"))]
pub mod testing;

// --- shell half ---
#[cfg(feature = "store")]
pub mod service;
#[cfg(feature = "store")]
pub mod snapshot;
#[cfg(feature = "store")]
pub mod store;
