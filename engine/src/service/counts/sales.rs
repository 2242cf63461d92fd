//! What calls of publishers' tools came to, by tools and days: counted behind the calls, as the calls themselves are.

use crate::{
    service::Services,
    store::{StoreError, UnitOfWork, counts, sales, usage::DAY_US},
};

/// How many calls one step looks at. Each may change a sum of its own.
const STEP_MAX: i64 = 2_000;
/// The name under which it is noted up to when calls have been counted.
const SALES: &str = "sales";

impl Services {
    /// Counts calls of publishers' tools a step further, once they cannot change any more. Says whether there is more to
    /// count.
    pub(super) async fn count_sales(&self) -> Result<bool, StoreError> {
        let (readers, now_us) = (self.db.readers(), self.clock.now_us());
        let settled_us = self.settled_us(now_us);
        if self.counting.with(|lag| lag.is_resting(now_us)) {
            return Ok(false);
        }
        let known = counts::reached(readers, SALES).await?;
        let from_us = match known {
            Some(reached_us) if reached_us > now_us => return self.count_sales_again(reached_us, settled_us).await,
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
        let backend = self.db.backend();
        let mut unit = UnitOfWork::new();
        unit.push(counts::advance(backend, SALES, known, step.until_us), Some(1));
        for (place, sum) in sales::calls(readers, from_us, step.until_us).await? {
            unit.push(sales::add(backend, place, sum), Some(1));
        }
        Ok(self.save_counts(unit).await? && step.has_more)
    }

    /// As [`Services::count_again`]: here from the beginning of the day on, whose sum would be wrong otherwise.
    async fn count_sales_again(&self, reached_us: i64, settled_us: i64) -> Result<bool, StoreError> {
        let (backend, from_us) = (self.db.backend(), settled_us.saturating_sub(settled_us.rem_euclid(DAY_US)));
        let mut unit = UnitOfWork::new();
        unit.push(counts::advance(backend, SALES, Some(reached_us), from_us), Some(1));
        unit.push(sales::empty(backend, from_us), None);
        self.save_counts(unit).await
    }

    /// As [`Services::complete_until`], of calls of publishers' tools.
    pub(in crate::service) async fn counted_sales_until(&self) -> Result<i64, StoreError> {
        self.complete_until(SALES).await
    }
}
