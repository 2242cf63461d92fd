//! Whether a price is dearer than another one.

use super::{ChargeOn, Price, PricingMode, ToolReturned, WorstCase, cost_of_failed_attempt};
use crate::credits::Credits;

/// Whether some call may cost more under `new` than the same call under `old`. Where that depends on what the tool
/// returns and cannot be ruled out, it may.
pub fn may_cost_more(old: &Price, new: &Price) -> bool {
    if new.is_free() {
        return false;
    }
    failures_may_cost_more(old, new)
        || match (&old.mode, &new.mode) {
            (PricingMode::FixedPerRequest { cost: before }, PricingMode::FixedPerRequest { cost: after }) => {
                after > before
            }
            (PricingMode::FixedPerRequest { cost: before }, PricingMode::ToolReturned(after)) => {
                after.worst_case.declared_max().is_none_or(|max| max > *before)
            }
            // Whatever it returned, the base was charged at least.
            (PricingMode::ToolReturned(before), PricingMode::FixedPerRequest { cost: after }) => *after > before.base,
            (PricingMode::ToolReturned(before), PricingMode::ToolReturned(after)) => {
                returned_may_cost_more(before, after)
            }
        }
}

/// Whether a version `new` that takes its place in time between `before` and `after` makes some call dearer: it is dearer than
/// the one before it, or the one after it is dearer than it. The latter was compared with another one when it was made.
pub fn scheduling_may_cost_more(before: Option<&Price>, new: &Price, after: Option<&Price>) -> bool {
    before.is_some_and(|before| may_cost_more(before, new)) || after.is_some_and(|after| may_cost_more(new, after))
}

/// Whether taking a version back that stands in time between `before` and `after` makes some call dearer: the one before it
/// stays in force, and may be dearer; and the one after it, which was compared with what is taken back, may be dearer than the
/// one that it then follows.
pub fn taking_back_may_cost_more(before: Option<&Price>, taken_back: &Price, after: Option<&Price>) -> bool {
    before.is_some_and(|before| {
        may_cost_more(taken_back, before) || after.is_some_and(|after| may_cost_more(before, after))
    })
}

fn failures_may_cost_more(old: &Price, new: &Price) -> bool {
    let before = match old.charge_on {
        ChargeOn::Success => Credits::ZERO,
        ChargeOn::Attempt => cost_of_failed_attempt(old),
    };
    new.charge_on == ChargeOn::Attempt && cost_of_failed_attempt(new) > before
}

fn returned_may_cost_more(old: &ToolReturned, new: &ToolReturned) -> bool {
    let never_above_the_old_base = new.worst_case.declared_max().is_some_and(|max| max <= old.base);
    let is_same_sum_or_less = new.path == old.path && new.multiplier <= old.multiplier && new.base <= old.base;
    !(never_above_the_old_base || is_same_sum_or_less && holds_no_more(&old.worst_case, &new.worst_case))
}

/// Whether the most that a call can cost is never above what it was, for prices whose base is not either.
fn holds_no_more(old: &WorstCase, new: &WorstCase) -> bool {
    match (old, new) {
        (WorstCase::Declared(before), _) => new.declared_max().is_some_and(|after| after <= *before),
        (WorstCase::Units { .. }, WorstCase::Declared(_)) => false,
        (WorstCase::Units { units: old, at_most: before }, WorstCase::Units { units: new, at_most: after }) => {
            let is_capped_as_low = match (before, after) {
                (None, _) => true,
                (Some(before), Some(after)) => after <= before,
                (Some(_), None) => false,
            };
            is_capped_as_low && new.fields == old.fields && new.credits_per_unit <= old.credits_per_unit
        }
    }
}
