//! Why a call cost what it cost: its price, what the price looked at, what was reserved, charged and given back, who got it,
//! and how the call was decided. Everything is as it was recorded; nothing is worked out from a price of today.

use engine::{
    credits::{Credits, Decimal},
    invocation::CallState,
    ledger::AccountKind,
    pricing::{ChargeOn, Price, PricingMode, ReturnedValue, ToolReturned},
    service::invocations::{CallDetail, CallHold, CallMoney, CallPrice, CallTransaction},
};
use serde_json::{Map, Value, json};

use crate::marketplace::{invoke::number, refusal::time_text};

/// Up to so many digits a number is the same for every reader of JSON.
const DIGITS_SAFE: usize = 15;

/// The explanation of a call; `reason` is what its policy told the caller who was denied.
pub(super) fn view(detail: &CallDetail, reason: Option<&str>) -> Value {
    let price = detail.price.as_ref().map(|known| &known.price);
    let (rule, because) = rule(price, detail);
    json!({
        "price": detail.price.as_ref().map(price_view),
        "inputs": price.and_then(|price| inputs(price, &detail.units)),
        "returned": price.and_then(|price| returned(price, detail)),
        "rule": {"code": rule, "text": because},
        "hold": detail.money.hold.as_ref().map(hold),
        "capture": capture(&detail.money),
        "split": split(&detail.money),
        "refunds": detail.money.refunds.iter().map(refund).collect::<Vec<_>>(),
        "credits_refunded": number(detail.money.refunded),
        "decision": decision(detail, reason),
    })
}

/// A factor as an exact JSON number.
fn decimal(factor: Decimal) -> Value {
    factor.to_string().parse::<serde_json::Number>().map_or(Value::Null, Into::into)
}

/// The price version under the names that publishers set it by.
fn price_view(known: &CallPrice) -> Value {
    let price = &known.price;
    let (fixed, returned) = match &price.mode {
        PricingMode::FixedPerRequest { cost } => (Some(*cost), None),
        PricingMode::ToolReturned(returned) => (None, Some(returned)),
    };
    json!({
        "price_version_id": known.id.to_string(),
        "effective_from": time_text(price.effective_from_us),
        "pricing_mode": price.mode.as_str(),
        "charge_on": price.charge_on.as_str(),
        "pricing_description": price.description,
        "fixed_credit_cost": fixed.map(number),
        "base_credit_cost": returned.map(|returned| number(returned.base)),
        "returned_credit_multiplier": returned.map(|returned| decimal(returned.multiplier)),
        "returned_credit_cost_path": returned.map(|returned| returned.path.as_str().to_owned()),
        "estimated_max_credit_cost": returned.and_then(|returned| returned.worst_case.declared_max()).map(number),
    })
}

/// The arguments that the worst case was computed from, with what they counted: of a call that was priced, and recorded with it.
fn inputs(price: &Price, counted: &[Decimal]) -> Option<Value> {
    let PricingMode::ToolReturned(returned) = &price.mode else { return None };
    let units = returned.worst_case.units()?;
    let values: Map<String, Value> =
        units.fields.iter().cloned().zip(counted.iter().map(|count| decimal(*count))).collect();
    Some(json!({
        "pricing_unit_fields": units.fields,
        "pricing_credits_per_unit": decimal(units.credits_per_unit),
        "values": (!values.is_empty()).then_some(values),
    }))
}

/// What the tool asked for: the value at the path as it wrote it, if that was a number, and its type.
fn returned(price: &Price, detail: &CallDetail) -> Option<Value> {
    let PricingMode::ToolReturned(returned) = &price.mode else { return None };
    if detail.call.state != CallState::Succeeded {
        return None;
    }
    Some(json!({
        "path": returned.path.as_str(),
        "value": value_at_path(returned, detail),
        "value_type": detail.returned.as_ref().map(|value| value.type_name),
        "credits_wanted": number(detail.call.charged.checked_add(detail.shortfall).unwrap_or(Credits::MAX)),
        "warning": detail.warning,
    }))
}

fn value_at_path(returned: &ToolReturned, detail: &CallDetail) -> Option<Value> {
    if let Some(value) = &detail.returned {
        return written(value);
    }
    // Calls were recorded without it once. Then it follows from the charge, unless a warning says that there was no usable
    // value, or that the charge ended at the hold.
    let is_plain = detail.warning.is_none() && detail.shortfall.is_zero();
    let implied = if is_plain { returned.implied_value(detail.call.charged) } else { None };
    implied.map(number)
}

/// A number as the tool wrote it: what it wrote in a string stays one, and so does what would lose digits as a number.
fn written(value: &ReturnedValue) -> Option<Value> {
    let text = value.number.as_ref()?;
    let is_safe = text.bytes().filter(u8::is_ascii_digit).count() <= DIGITS_SAFE;
    let number = if value.type_name == "number" && is_safe { text.parse::<serde_json::Number>().ok() } else { None };
    Some(number.map_or_else(|| Value::from(text.as_str()), Value::from))
}

/// Why it came to what was charged: a word that does not change, and a sentence.
fn rule(price: Option<&Price>, detail: &CallDetail) -> (&'static str, &'static str) {
    let Some(price) = price else { return ("no_price", "No price was looked at.") };
    match (detail.call.state, price.charge_on) {
        (CallState::Running | CallState::Unknown, _) => ("open", "Nothing yet: the call has not been settled."),
        (CallState::Succeeded, _) => rule_of_success(&price.mode, detail),
        (CallState::Failed, ChargeOn::Success) => {
            ("failure_is_free", "The tool did not do the work, and the price asks nothing for that.")
        }
        (CallState::Failed, ChargeOn::Attempt) => {
            ("attempt", "The tool did not do the work, and the price charges the attempt.")
        }
        (CallState::UnknownReleased, _) => {
            ("unknown_is_free", "Nobody knows whether the tool did the work, and the price asks nothing for that.")
        }
        (CallState::UnknownCaptured, _) => {
            ("unknown_attempt", "Nobody knows whether the tool did the work, and the price charges the attempt.")
        }
        (CallState::Refused | CallState::Denied | CallState::Invalid, _) => {
            ("never_called", "The tool was never called.")
        }
    }
}

fn rule_of_success(mode: &PricingMode, detail: &CallDetail) -> (&'static str, &'static str) {
    match mode {
        PricingMode::FixedPerRequest { .. } => ("fixed", "Every call costs the same."),
        PricingMode::ToolReturned(_) if !detail.shortfall.is_zero() => {
            ("capped_at_hold", "The tool asked for more than was held: the charge ends at the hold.")
        }
        PricingMode::ToolReturned(_) if detail.warning.is_some() => {
            ("base", "The tool returned no usable cost: the base was charged.")
        }
        PricingMode::ToolReturned(_) => {
            ("returned", "The base and the multiplier times the value that the tool returned, rounded up.")
        }
    }
}

fn hold(hold: &CallHold) -> Value {
    let grants = hold
        .grants
        .iter()
        .map(|(grant, amount)| json!({"transaction_id": grant.to_string(), "credits": number(*amount)}));
    json!({
        "credits": number(hold.amount),
        "at": time_text(hold.recorded_us),
        "from_grants": grants.collect::<Vec<_>>(),
        "credits_on_expiry": hold.on_expiry.map(number),
        "is_open": hold.is_open,
        "expires_at": hold.expires_us.map(time_text),
    })
}

/// How the hold ended; what was not captured went back to the wallet.
fn capture(money: &CallMoney) -> Option<Value> {
    let (hold, settlement) = (money.hold.as_ref()?, money.settlement.as_ref()?);
    Some(json!({
        "how": settlement.settled.as_str(),
        "credits": number(settlement.captured),
        "credits_released": number(hold.amount.checked_sub(settlement.captured).unwrap_or_default()),
        "at": time_text(settlement.recorded_us),
    }))
}

/// Who got how much of the charge, with the shares that were agreed on at the hold; nobody is named.
fn split(money: &CallMoney) -> Option<Value> {
    let (hold, charge) = (money.hold.as_ref()?, money.charge.as_ref()?);
    let got = |kinds: &[AccountKind]| {
        let own = charge.postings.iter().filter(|posting| posting.to_kind.is_some_and(|kind| kinds.contains(&kind)));
        number(Credits::checked_sum(own.map(|posting| posting.amount)).unwrap_or(Credits::MAX))
    };
    let platform_bps = 10_000_i64.saturating_sub(hold.publisher_bps).saturating_sub(hold.partner_bps);
    Some(json!({
        "publisher": {"bps": hold.publisher_bps, "credits": got(&[AccountKind::Payable, AccountKind::Receivable])},
        "partner": {"bps": hold.partner_bps, "credits": got(&[AccountKind::PartnerMargin])},
        "platform": {"bps": platform_bps, "credits": got(&[AccountKind::PlatformFee])},
    }))
}

fn refund(refund: &CallTransaction) -> Value {
    json!({
        "transaction_id": refund.id.to_string(),
        "credits": number(refund.total()),
        "at": time_text(refund.recorded_us),
    })
}

/// How it was decided. Which policies spoke is for operators: a caller gets the public reason.
fn decision(detail: &CallDetail, reason: Option<&str>) -> Value {
    let is_denied = detail.call.state == CallState::Denied;
    json!({
        "is_allowed": !is_denied,
        "code": if is_denied { detail.call.error.as_deref() } else { None },
        "reason": if is_denied { reason } else { None },
        "policy_version": detail.policy_version,
        "catalog_version": detail.catalog_version,
    })
}

#[cfg(test)]
mod tests;
