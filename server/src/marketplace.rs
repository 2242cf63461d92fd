//! The marketplace's wire protocol (Faro's documents).

pub mod auth;
pub mod credits;
pub mod discovery;
pub mod invocations;
pub mod invoke;
pub mod partners;
mod refusal;
pub mod tokens;

pub(crate) use refusal::time_text;
