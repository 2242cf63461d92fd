//! Looking money movements up: what came of an order, and what can still go back of a charge.

use sea_orm::EntityTrait;

use super::{Movement, MovementKind, Posting, Transaction};
use crate::{
    credits::Credits,
    id::{EntryId, InvocationId},
    ledger::TransactionKind,
    service::Services,
    store::{StoreError, entity, journal},
};

/// A charge, and what of it went back. Amounts are micro-credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refundable {
    /// The charge; a call's has the call's identifier.
    pub id: EntryId,
    /// The call that was charged, if it was one.
    pub call: Option<InvocationId>,
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

/// An order with what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovementDetail {
    /// The order.
    pub movement: Movement,
    /// What the ledger wrote; `None` where it wrote a hold, or the end of one.
    pub transaction: Option<Transaction>,
    /// Whose money moved to whom.
    pub postings: Vec<Posting>,
    /// Of a refund or a reversal: the charge, as it stands now.
    pub charge: Option<Refundable>,
}

impl Services {
    /// What an operator has ordered under this name, with its postings.
    ///
    /// # Errors
    /// The database cannot be read, or holds an order that makes no sense.
    pub async fn find_movement(&self, id: EntryId) -> Result<Option<MovementDetail>, StoreError> {
        let Some(movement) = self.find_order(id).await? else { return Ok(None) };
        let (transaction, postings) = self.find_transaction(id).await?.unzip();
        let of = transaction.as_ref().and_then(|transaction| transaction.reverses);
        let charge = match of.filter(|_| matches!(movement.kind, MovementKind::Refund | MovementKind::Reversal)) {
            Some(of) => self.find_refundable(of).await?,
            None => None,
        };
        Ok(Some(MovementDetail { movement, transaction, postings: postings.unwrap_or_default(), charge }))
    }

    /// A transaction of the books with its postings; a call's charge has the call's name.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_transaction(&self, id: EntryId) -> Result<Option<(Transaction, Vec<Posting>)>, StoreError> {
        let Some(transaction) = journal::find_transaction(&self.db, id).await? else { return Ok(None) };
        let postings = journal::list_postings(&self.db, transaction.position).await?;
        Ok(Some((transaction, postings)))
    }

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
        let call = charge.hold.filter(|hold| *hold == of).map(|hold| InvocationId::from(hold.uuid()));
        Ok(Some(Refundable { id: of, call, recorded_us: charge.recorded_us, charged, refunded }))
    }
}
