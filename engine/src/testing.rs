//! What tests need and the program does not: a clock that moves by hand, seeded identifiers and dice, a reference model
//! of the ledger, and random histories to compare the two.
//!
//! Nothing in here is compiled into the program: the module exists in tests and with the feature `testing` only.

mod clock;
mod dice;
mod history;
mod ids;
mod model;
#[cfg(feature = "store")]
mod statement;
mod world;

pub use clock::ManualClock;
pub use dice::Dice;
pub use history::{History, Step};
pub use ids::SeededIds;
pub use model::{CounterSums, Model, Sums};
#[cfg(feature = "store")]
pub use statement::push_statement;
pub use world::{World, call_end, running_call};
