//! Looking money movements up: what can still go back of a charge.

use sea_orm::EntityTrait;

use crate::{
    credits::Credits,
    id::EntryId,
    ledger::TransactionKind,
    service::Services,
    store::{StoreError, entity, journal},
};

/// A charge, and what of it went back. Amounts are micro-credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refundable {
    /// The charge; a call's has the call's identifier.
    pub id: EntryId,
    /// When it was written, in microseconds since the Unix epoch.
    pub recorded_us: i64,
    /// What was charged.
    pub charged: Credits,
    /// What of it went back until now.
    pub refunded: Credits,
}

impl Refundable {
    /// What can still go back.
    pub fn left(&self) -> Credits {
        self.charged.checked_sub(self.refunded).unwrap_or(Credits::ZERO).max(Credits::ZERO)
    }
}

impl Services {
    /// What can go back of the charge `of`; `None` if that is no charge.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_refundable(&self, of: EntryId) -> Result<Option<Refundable>, StoreError> {
        let Some(charge) = journal::find_transaction(&self.db, of).await? else { return Ok(None) };
        if charge.kind != TransactionKind::Charge {
            return Ok(None);
        }
        let total = entity::refund_total::Entity::find_by_id(of.uuid()).one(self.db.readers()).await?;
        let (charged, refunded) = if let Some(total) = total {
            (Credits::from_micros(total.captured), Credits::from_micros(total.refunded))
        } else {
            let postings = journal::list_postings(&self.db, charge.position).await?;
            let sum = Credits::checked_sum(postings.iter().map(|posting| posting.amount));
            (sum.unwrap_or_default(), Credits::ZERO)
        };
        Ok(Some(Refundable { id: of, recorded_us: charge.recorded_us, charged, refunded }))
    }
}
