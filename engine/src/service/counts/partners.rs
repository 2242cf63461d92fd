//! What calls of partners came to, by end user, by tool and altogether, in days and months: counted behind the calls, as the
//! calls themselves are.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::{
    ledger::caps::CapWindow,
    service::Services,
    store::{
        StoreError, UnitOfWork, counts,
        usage::{self, Kind, PartnerCalls, Place, ROWS_ADDED_MAX, Sum},
    },
};

/// How many calls one step looks at. Each may change six sums.
const STEP_MAX: i64 = 2_000;
/// The name under which it is noted up to when calls have been counted.
const PARTNER_CALLS: &str = "partner calls";

impl Services {
    /// Counts calls of partners a step further, once they cannot change any more. Says whether there is more to count.
    pub(super) async fn count_partner_calls(&self) -> Result<bool, StoreError> {
        let (readers, now_us) = (self.db.readers(), self.clock.now_us());
        let settled_us = self.settled_us(now_us);
        if self.counting.with(|lag| lag.is_resting(now_us)) {
            return Ok(false);
        }
        let known = counts::reached(readers, PARTNER_CALLS).await?;
        let from_us = match known {
            Some(reached_us) if reached_us > now_us => {
                return self.count_partners_again(reached_us, settled_us).await;
            }
            Some(reached_us) => reached_us,
            None => match counts::first_call_us(readers).await? {
                Some(first_us) => first_us,
                None => return Ok(false),
            },
        };
        if settled_us <= from_us {
            return Ok(false);
        }
        let Some(step) = counts::step(readers, from_us, settled_us, STEP_MAX).await? else { return Ok(false) };
        let sums = add_up(&usage::partner_calls(readers, from_us, step.until_us).await?);
        let backend = self.db.backend();
        let mut unit = UnitOfWork::new();
        unit.push(counts::advance(backend, PARTNER_CALLS, known, step.until_us), Some(1));
        let rows: Vec<(Place, Sum)> = sums.into_iter().collect();
        for rows in rows.chunks(ROWS_ADDED_MAX) {
            unit.push(usage::add(backend, rows), None);
        }
        Ok(self.save_counts(unit).await? && step.has_more)
    }

    /// As [`Services::count_again`]: here from the beginning of the month on, whose sum would be wrong otherwise.
    async fn count_partners_again(&self, reached_us: i64, settled_us: i64) -> Result<bool, StoreError> {
        let (backend, (from_us, _)) = (self.db.backend(), CapWindow::Month.bounds(settled_us));
        let mut unit = UnitOfWork::new();
        unit.push(counts::advance(backend, PARTNER_CALLS, Some(reached_us), from_us), Some(1));
        unit.push(usage::empty(backend, from_us), None);
        self.save_counts(unit).await
    }

    /// As [`Services::complete_until`], of calls of partners.
    pub(in crate::service) async fn counted_partner_calls_until(&self) -> Result<i64, StoreError> {
        self.complete_until(PARTNER_CALLS).await
    }
}

/// Everything that these calls are part of.
fn add_up(calls: &[PartnerCalls]) -> BTreeMap<Place, Sum> {
    let mut sums = BTreeMap::<Place, Sum>::new();
    for call in calls {
        let (month_us, _) = CapWindow::Month.bounds(call.day_us);
        let places = [
            (Kind::Day, call.day_us, Uuid::nil()),
            (Kind::Month, month_us, Uuid::nil()),
            (Kind::UserDay, call.day_us, call.end_user),
            (Kind::UserMonth, month_us, call.end_user),
            (Kind::ToolDay, call.day_us, call.tool),
            (Kind::ToolMonth, month_us, call.tool),
        ];
        for (kind, start_us, subject) in places {
            sums.entry((call.partner, kind, start_us, subject)).or_default().add(call.sum);
        }
    }
    sums
}

#[cfg(test)]
mod tests;
