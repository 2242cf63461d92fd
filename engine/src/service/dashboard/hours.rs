//! What happened to money in each of the hours of the overview.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{HOUR_US, HOURS};
use crate::{
    id::first_at,
    service::{Services, counts::kept, movements::MovementKind},
    store::{StoreError, counts, entity},
};

/// How many of the newest refunds are read for a day.
const REFUNDS_READ_MAX: u64 = 10_000;

impl Services {
    /// How many refunds and reversals were ordered in each of the hours from `first_us` on. Orders are read along their
    /// primary key, which rises with time.
    pub(super) async fn load_hours_refunds(&self, first_us: i64) -> Result<Vec<i64>, StoreError> {
        use entity::movement::{Column, Entity};
        let kinds = [MovementKind::Refund, MovementKind::Reversal].map(MovementKind::as_str);
        let ordered: Vec<i64> = Entity::find()
            .select_only()
            .column(Column::CreatedUs)
            .filter(Column::Id.gte(first_at(first_us)))
            .filter(Column::Kind.is_in(kinds))
            .order_by_desc(Column::Id)
            .limit(REFUNDS_READ_MAX)
            .into_tuple()
            .all(self.db.readers())
            .await?;
        Ok(by_hour(first_us, ordered.into_iter().map(|at_us| (at_us, 1))))
    }

    /// What the platform kept in each of the hours from `first_us` on, as far as the books were counted: a few seconds behind
    /// them.
    pub(super) async fn load_hours_kept(&self, first_us: i64) -> Result<Vec<i64>, StoreError> {
        let flows = counts::counted_flows(self.db.readers(), first_us, i64::MAX).await?;
        Ok(by_hour(first_us, flows.iter().map(|flow| (flow.bucket_us, kept(flow)))))
    }
}

/// The sums of the hours from `first_us` on. Each part has its moment, in microseconds since the Unix epoch.
fn by_hour(first_us: i64, parts: impl Iterator<Item = (i64, i64)>) -> Vec<i64> {
    let mut sums = vec![0_i64; usize::try_from(HOURS).unwrap_or(0)];
    for (at_us, part) in parts {
        let hour = at_us.saturating_sub(first_us).div_euclid(HOUR_US);
        if let Some(sum) = usize::try_from(hour).ok().and_then(|hour| sums.get_mut(hour)) {
            *sum = sum.saturating_add(part);
        }
    }
    sums
}

#[cfg(test)]
mod tests;
