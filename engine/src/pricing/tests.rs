mod cost;
mod raise;
mod shares;
mod spec;

use uuid::Uuid;

use super::*;
use crate::{credits::Credits, id::PriceVersionId};

fn cr(text: &str) -> Credits {
    Credits::parse_exact(text).unwrap()
}

fn version(number: u128) -> PriceVersionId {
    PriceVersionId::from(Uuid::from_u128(number))
}

#[expect(clippy::unnecessary_wraps, reason = "every field of a spec is optional")]
fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn fixed_spec(cost: &str) -> PricingSpec {
    PricingSpec { pricing_mode: some("fixed_per_request"), fixed_credit_cost: some(cost), ..PricingSpec::default() }
}

fn returned_spec(path: &str, multiplier: &str, base: &str, max: &str) -> PricingSpec {
    PricingSpec {
        pricing_mode: some("tool_returned"),
        returned_credit_cost_path: some(path),
        returned_credit_multiplier: some(multiplier),
        base_credit_cost: some(base),
        estimated_max_credit_cost: some(max),
        ..PricingSpec::default()
    }
}

fn units_spec(fields: &[&str], per_unit: &str, base: &str) -> PricingSpec {
    PricingSpec {
        pricing_mode: some("tool_returned"),
        returned_credit_cost_path: some("$.cost"),
        base_credit_cost: some(base),
        pricing_unit_fields: Some(fields.iter().map(|field| (*field).to_owned()).collect()),
        pricing_credits_per_unit: some(per_unit),
        ..PricingSpec::default()
    }
}

fn price(spec: &PricingSpec) -> Price {
    Price::from_spec(version(1), 0, spec).unwrap()
}
