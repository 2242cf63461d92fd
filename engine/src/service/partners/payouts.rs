//! What a partner was paid, as statements from one payout to the next.

use std::collections::HashMap;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::PartnerProfile;
use crate::{
    credits::Credits,
    id::EntryId,
    service::{Services, paging::PAGE_ROWS},
    store::{StoreError, entity},
};

/// A payout with its statement. Amounts are micro-credits: `opening + earned - taken_back - paid = closing`. A partner never
/// owes, so nothing is kept for a debt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartnerPayout {
    /// The ledger's transaction.
    pub id: EntryId,
    /// When, in microseconds since the Unix epoch.
    pub paid_us: i64,
    /// Why.
    pub reason: String,
    /// What was left after the payout before.
    pub opening: Credits,
    /// What came in since.
    pub earned: Credits,
    /// What went back since.
    pub taken_back: Credits,
    /// What was paid.
    pub paid: Credits,
    /// What is left after it.
    pub closing: Credits,
}

/// What a payout row and everything before it have taken from the account.
fn spent(row: &entity::payout::Model) -> i64 {
    row.debits.saturating_add(row.netted).saturating_add(row.paid)
}

impl Services {
    /// The newest payouts of a partner, the newest first, at most [`PAGE_ROWS`]. The index of payouts by account serves this.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn list_partner_payouts(&self, partner: &PartnerProfile) -> Result<Vec<PartnerPayout>, StoreError> {
        // Every payout is a debit: a later one saw more of them. One more row says what the oldest began with.
        let rows = entity::payout::Entity::find()
            .filter(entity::payout::Column::Account.eq(partner.margin.raw()))
            .order_by_desc(entity::payout::Column::Debits)
            .limit(PAGE_ROWS.saturating_add(1))
            .all(self.db.readers())
            .await?;
        let orders = entity::movement::Entity::find()
            .filter(entity::movement::Column::Id.is_in(rows.iter().map(|row| row.txn_id)))
            .all(self.db.readers())
            .await?;
        let orders: HashMap<Uuid, entity::movement::Model> = orders.into_iter().map(|row| (row.id, row)).collect();
        let before = rows.iter().skip(1).map(Some).chain([None]);
        let shown = rows.iter().zip(before).take(usize::try_from(PAGE_ROWS).unwrap_or(usize::MAX));
        shown
            .map(|(row, before)| {
                let order = orders.get(&row.txn_id).ok_or_else(|| StoreError::Inconsistent {
                    table: "payout",
                    what: EntryId::from(row.txn_id).to_string(),
                })?;
                let (credits_before, spent_before) = before.map_or((0, 0), |row| (row.credits, spent(row)));
                let of = |from: i64, to: i64| Credits::from_micros(to.saturating_sub(from));
                Ok(PartnerPayout {
                    id: EntryId::from(row.txn_id),
                    paid_us: order.created_us,
                    reason: order.reason.clone(),
                    opening: of(spent_before, credits_before),
                    earned: of(credits_before, row.credits),
                    taken_back: of(spent_before, row.debits),
                    paid: Credits::from_micros(row.paid),
                    closing: of(spent(row), row.credits),
                })
            })
            .collect()
    }
}
