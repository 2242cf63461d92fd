//! What operators do from the console, through the services, on both databases: a module for each part of the console.

mod accounts;
mod alone;
mod approvals;
mod audit;
mod auditors;
mod catalog;
mod charts;
mod dashboard;
mod grants;
mod health;
pub(crate) mod invocations;
mod layers;
mod ledger;
mod mail;
mod movements;
mod operators;
mod partners;
mod pictures;
mod policies;
mod prices;
mod search;
mod shop;
