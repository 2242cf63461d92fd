//! What the newest calls of a tool would have cost at another price.

use super::SchedulePriceError;
use crate::{
    credits::Credits,
    id::{PriceVersionId, ToolId},
    invocation::CallState,
    pricing::{ChargeOn, Price, PricingMode, PricingSpec, cost_of_failed_attempt},
    service::Services,
};

/// What the newest calls of a tool would have cost at another price. What tools returned is not kept, and of arguments
/// neither: where the price depends on them, only its bounds are known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PriceTrial {
    /// How many calls of all tools were looked at: the newest
    /// [`RECENT_CALLS_MAX`](crate::service::catalog::RECENT_CALLS_MAX), or all.
    pub looked_at: u64,
    /// When the oldest of these began, in microseconds since the Unix epoch.
    pub since_us: Option<i64>,
    /// How many of them were calls of this tool that were let through and have ended.
    pub calls: u64,
    /// What these were charged, in micro-credits.
    pub charged: Credits,
    /// What they would have been charged at least, in micro-credits.
    pub least: Credits,
    /// What they would have been charged at most; `None`: the price has no bound.
    pub most: Option<Credits>,
}

impl Services {
    /// What the newest calls of a tool would have cost at the price `spec`.
    ///
    /// # Errors
    /// The price makes no sense, or the database cannot be read.
    pub async fn try_price(&self, tool: ToolId, spec: &PricingSpec) -> Result<PriceTrial, SchedulePriceError> {
        let price = Price::from_spec(PriceVersionId::from(uuid::Uuid::nil()), 0, spec)?;
        let rows = self.newest_calls(0).await?;
        let mut trial = PriceTrial {
            looked_at: u64::try_from(rows.len()).unwrap_or(u64::MAX),
            since_us: rows.last().map(|(.., created_us, _)| *created_us),
            most: Some(Credits::ZERO),
            ..PriceTrial::default()
        };
        for (of, state, charged, ..) in rows {
            let state = CallState::from_raw(state).filter(|_| of == Some(tool.uuid()));
            let Some((least, most)) = state.and_then(|state| bounds(&price, state)) else { continue };
            let add = |sum: Credits, more: Credits| sum.checked_add(more).unwrap_or(Credits::MAX);
            trial.calls = trial.calls.saturating_add(1);
            trial.charged = add(trial.charged, Credits::from_micros(charged));
            trial.least = add(trial.least, least);
            trial.most = trial.most.zip(most).map(|(sum, more)| add(sum, more));
        }
        Ok(trial)
    }
}

/// The least and the most that a call which ended like this would have cost; nothing for one that was not let through or
/// runs yet.
fn bounds(price: &Price, state: CallState) -> Option<(Credits, Option<Credits>)> {
    let attempt = match price.charge_on {
        ChargeOn::Success => Credits::ZERO,
        ChargeOn::Attempt => cost_of_failed_attempt(price),
    };
    match (state, &price.mode) {
        (CallState::Succeeded, PricingMode::FixedPerRequest { cost }) => Some((*cost, Some(*cost))),
        (CallState::Succeeded, PricingMode::ToolReturned(returned)) => {
            Some((returned.base, returned.worst_case.declared_max()))
        }
        (CallState::UnknownReleased | CallState::UnknownCaptured, _) => Some((attempt, Some(attempt))),
        // Whether it was ever sent is not kept.
        (CallState::Failed, _) => Some((Credits::ZERO, Some(attempt))),
        (CallState::Running | CallState::Unknown | CallState::Refused | CallState::Denied | CallState::Invalid, _) => {
            None
        }
    }
}

#[cfg(test)]
mod tests;
