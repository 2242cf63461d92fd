//! Prices of the catalog, as written; what they amount to is computed elsewhere.

use crate::config::{
    reader::{Fields, Value},
    values::{Amount, parse_line, read_amount},
};

const UNIT_FIELDS_MAX: usize = 8;

/// The section `pricing` of a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PricingItem {
    /// How the price of a call comes about.
    pub mode: PricingMode,
    /// Whether a failed call is charged.
    pub charge_on: ChargeOn,
    /// A text for people.
    pub description: Option<String>,
}

/// How the price of a call comes about. All amounts are credits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PricingMode {
    /// Every call costs the same.
    FixedPerRequest {
        /// `fixed_credit_cost`
        cost: Amount,
    },
    /// The tool's answer says what it cost: base + multiplier × returned value.
    ToolReturned {
        /// `returned_credit_cost_path`: a JSONPath (RFC 9535) into the answer.
        cost_path: String,
        /// `returned_credit_multiplier`; `1` when absent.
        multiplier: Amount,
        /// `base_credit_cost`; `0` when absent.
        base: Amount,
        /// `estimated_max_credit_cost`: what is held before the call.
        estimated_max: Option<Amount>,
        /// `pricing_unit_fields`: arguments whose product counts the units, for a hold of that many.
        unit_fields: Vec<String>,
        /// `pricing_credits_per_unit`
        credits_per_unit: Option<Amount>,
    },
}

/// Whether a failed call is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChargeOn {
    /// A failed call costs nothing.
    Success,
    /// A call costs from the moment it is sent.
    Attempt,
}

impl PricingItem {
    pub(in crate::config) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        if let Some(rules) = fields.take("pricing_rules") {
            rules.wrong("is not supported: use `fixed_credit_cost` or `returned_credit_cost_path`");
        }
        let is_fixed = fields
            .require("pricing_mode")
            .and_then(|value| value.choice(&[("fixed_per_request", true), ("tool_returned", false)]));
        let charge_on = fields.choice("charge_on", &[("success", ChargeOn::Success), ("attempt", ChargeOn::Attempt)]);
        let description = fields.text("pricing_description");
        let fixed = fields.take("fixed_credit_cost");
        let cost = fixed.as_ref().and_then(read_amount);
        let returned = Returned::read(fields);
        let mode = if is_fixed? {
            if fixed.is_none() {
                missing(fields, "fixed_credit_cost", "fixed_per_request");
            }
            returned.refuse_all("fixed_per_request");
            PricingMode::FixedPerRequest { cost: cost? }
        } else {
            if let Some(fixed) = fixed {
                fixed.wrong("has no meaning for the mode `tool_returned`");
            }
            returned.complete(fields)?
        };
        Some(Self { mode, charge_on: charge_on.unwrap_or(ChargeOn::Success), description })
    }
}

fn missing(fields: &Fields<'_>, key: &str, mode: &str) {
    let text = format!("`{}` needs the key `{key}` for the mode `{mode}`", fields.path);
    fields.reader.problem(&fields.place, text);
}

/// The fields of the mode `tool_returned`.
struct Returned<'a> {
    /// The keys that are there, right or wrong.
    given: Vec<(&'static str, Value<'a>)>,
    cost_path: Option<String>,
    multiplier: Option<Amount>,
    base: Option<Amount>,
    estimated_max: Option<Amount>,
    unit_fields: Vec<String>,
    credits_per_unit: Option<Amount>,
}

impl<'a> Returned<'a> {
    fn read(fields: &mut Fields<'a>) -> Self {
        const COST_PATH: &str = "returned_credit_cost_path";
        let mut given = Vec::new();
        let cost_path = fields.take(COST_PATH);
        given.extend(cost_path.clone().map(|value| (COST_PATH, value)));
        let cost_path = cost_path.and_then(|value| {
            value.parsed(|text| {
                let path = Some(text).filter(|text| text.starts_with('$'));
                path.map_or_else(|| Err("must be a JSONPath that starts with `$`".to_owned()), parse_line)
            })
        });
        let mut amount = |key| {
            let value = fields.take(key)?;
            let amount = read_amount(&value);
            given.push((key, value));
            amount
        };
        let multiplier = amount("returned_credit_multiplier");
        let base = amount("base_credit_cost");
        let estimated_max = amount("estimated_max_credit_cost");
        let credits_per_unit = amount("pricing_credits_per_unit");
        let unit_fields = fields.take("pricing_unit_fields").map(|value| {
            given.push(("pricing_unit_fields", value.clone()));
            if value.items().len() > UNIT_FIELDS_MAX {
                value.wrong(format!("must have at most {UNIT_FIELDS_MAX} elements"));
            }
            value.items().iter().filter_map(|item| item.parsed(parse_line)).collect()
        });
        let unit_fields = unit_fields.unwrap_or_default();
        Self { given, cost_path, multiplier, base, estimated_max, unit_fields, credits_per_unit }
    }

    fn is_given(&self, key: &str) -> bool {
        self.given.iter().any(|(given, _)| *given == key)
    }

    fn refuse_all(&self, mode: &str) {
        for (_, value) in &self.given {
            value.wrong(format!("has no meaning for the mode `{mode}`"));
        }
    }

    fn complete(self, fields: &mut Fields<'_>) -> Option<PricingMode> {
        const MODE: &str = "tool_returned";
        if !self.is_given("returned_credit_cost_path") {
            missing(fields, "returned_credit_cost_path", MODE);
        }
        let has_units = !self.unit_fields.is_empty();
        if has_units != self.is_given("pricing_credits_per_unit") {
            let text = format!(
                "`{}` must have both or neither of `pricing_unit_fields` and `pricing_credits_per_unit`",
                fields.path
            );
            fields.reader.problem(&fields.place, text);
        }
        if !has_units && !self.is_given("estimated_max_credit_cost") {
            let text = format!(
                "`{}` needs `estimated_max_credit_cost`, or `pricing_unit_fields` with `pricing_credits_per_unit`, \
                 to know what to hold before a call",
                fields.path
            );
            fields.reader.problem(&fields.place, text);
        }
        if let (Some(base), Some(most)) = (&self.base, &self.estimated_max)
            && base.micro_credits() > most.micro_credits()
        {
            let text = format!("`{}` has a `base_credit_cost` above its `estimated_max_credit_cost`", fields.path);
            fields.reader.problem(&fields.place, text);
        }
        Some(PricingMode::ToolReturned {
            cost_path: self.cost_path?,
            multiplier: self.multiplier.or_else(|| Amount::parse("1").ok())?,
            base: self.base.or_else(|| Amount::parse("0").ok())?,
            estimated_max: self.estimated_max,
            unit_fields: self.unit_fields,
            credits_per_unit: self.credits_per_unit,
        })
    }
}
