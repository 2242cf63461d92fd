//! The marketplace's wire protocol (Faro's documents).

pub mod invocations;
pub mod invoke;
mod refusal;
