//! What a call costs: at most (before it), really (after it), and who gets how much of that.
//!
//! Reading order: [`PricingSpec`] is a price as a publisher writes it, and [`Price`] the same once it has been checked.
//! [`worst_case`] sizes the hold, [`actual_cost`] finds the charge, which never exceeds the hold, [`split`] divides it,
//! and [`refund_shares`] takes it back. A [`PriceBook`] knows which price is in force, and [`may_cost_more`] compares two.
//!
//! Costs are rounded up to the next micro-credit, once, at the end of a calculation; shares are rounded so that they add
//! up to the charge exactly.

mod cost_path;
mod fault;
mod mode;
mod price_book;
mod quote;
mod raise;
mod returned_cost;
mod spec;
mod split;

pub use cost_path::{CostPath, CostPathError};
pub use fault::{PriceError, PriceFault};
pub use mode::{ChargeOn, Price, PricingMode, ToolReturned, UnitPricing, WorstCase};
pub use price_book::PriceBook;
pub use quote::{Quote, QuoteRefusal, UnitFault, quote, read_units, units_text, worst_case};
pub use raise::{may_cost_more, scheduling_may_cost_more, taking_back_may_cost_more};
pub use returned_cost::{ActualCost, CostWarning, ReturnedValue, actual_cost, cost_of_failed_attempt};
pub use spec::PricingSpec;
pub use split::{BASIS_POINTS, RefundError, ShareTerms, ShareTermsError, Shares, refund_shares, split};

#[cfg(test)]
mod tests;
