//! Chargebacks as operators list them.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::{Chargeback, ChargebackState, MovementError, chargebacks::state_of};
use crate::{
    credits::Credits,
    id::{EntryId, PurchaseId},
    service::{
        Services,
        paging::{Listed, PAGE_READ},
    },
    store::{StoreError, entity},
};

/// Which chargebacks are wanted. What is `None` does not matter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DisputeFilter {
    /// In this state.
    pub state: Option<ChargebackState>,
    /// Of this purchase.
    pub purchase: Option<PurchaseId>,
}

/// A disputed payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dispute {
    /// The hold on the customer's share.
    pub id: EntryId,
    /// What was bought.
    pub purchase: PurchaseId,
    /// How much of the payment is disputed, in micro-credits.
    pub credits: Credits,
    /// How it stands.
    pub state: ChargebackState,
    /// Since when, in microseconds since the Unix epoch.
    pub opened_us: i64,
    /// The order that ended it.
    pub closing: Option<EntryId>,
    /// When it ended, in microseconds since the Unix epoch.
    pub closed_us: Option<i64>,
}

impl Services {
    /// The chargebacks that `filter` wants, the newest first, from behind the one named by `after`.
    ///
    /// # Errors
    /// The database cannot be read, or holds one that makes no sense.
    pub async fn list_chargebacks(
        &self,
        filter: &DisputeFilter,
        after: Option<Uuid>,
    ) -> Result<Listed<Dispute>, StoreError> {
        use entity::chargeback::Column;
        // Along the primary key: few payments are ever disputed.
        let mut query = entity::chargeback::Entity::find().order_by_desc(Column::Id).limit(PAGE_READ);
        if let Some(state) = filter.state {
            query = query.filter(Column::State.eq(state.as_str()));
        }
        if let Some(purchase) = filter.purchase {
            query = query.filter(Column::PurchaseId.eq(purchase.uuid()));
        }
        if let Some(after) = after {
            query = query.filter(Column::Id.lt(after));
        }
        let listed = Listed::of(query.all(self.db.readers()).await?, |row| row.id.as_simple().to_string());
        let rows = listed.rows.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Listed { rows, next: listed.next })
    }

    /// A chargeback with what became of the customer's share.
    ///
    /// # Errors
    /// The database cannot be read, or holds one that makes no sense.
    pub async fn find_dispute(&self, id: EntryId) -> Result<Option<(Dispute, Chargeback)>, MovementError> {
        let row = entity::chargeback::Entity::find_by_id(id.uuid()).one(self.db.readers()).await;
        let Some(row) = row.map_err(StoreError::from)? else { return Ok(None) };
        let dispute = read(&row)?;
        let paid = self.load_paid(dispute.purchase).await?;
        Ok(Some((dispute, self.load_chargeback(&paid, id, false).await?)))
    }

    /// How much of a confirmed purchase can still be disputed, in micro-credits; `None`: it was never paid.
    ///
    /// # Errors
    /// As for [`Self::find_dispute`].
    pub async fn find_disputable(&self, purchase: PurchaseId) -> Result<Option<Credits>, MovementError> {
        let paid = match self.load_paid(purchase).await {
            Ok(paid) => paid,
            Err(MovementError::NotConfirmed(_) | MovementError::NotFound(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(Some(Credits::from_micros(self.load_total(&paid.purchase).await?.left())))
    }
}

fn read(row: &entity::chargeback::Model) -> Result<Dispute, StoreError> {
    Ok(Dispute {
        id: EntryId::from(row.id),
        purchase: PurchaseId::from(row.purchase_id),
        credits: Credits::from_micros(row.credits),
        state: state_of(row)?,
        opened_us: row.opened_us,
        closing: row.closing.map(EntryId::from),
        closed_us: row.closed_us,
    })
}
