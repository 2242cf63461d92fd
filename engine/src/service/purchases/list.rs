//! Purchases as operators list them.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::{Purchase, PurchaseStatus, read};
use crate::{
    id::AccountId,
    service::{
        Services,
        paging::{Listed, PAGE_READ},
    },
    store::{StoreError, entity},
};

/// Which purchases are wanted. What is `None` does not matter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PurchaseFilter {
    /// In this state.
    pub status: Option<PurchaseStatus>,
    /// Of this account.
    pub account: Option<AccountId>,
}

impl Services {
    /// The purchases that `filter` wants, the newest first, from behind the one named by `after`.
    ///
    /// # Errors
    /// The database cannot be read, or holds a purchase that makes no sense.
    pub async fn list_purchases_of_all(
        &self,
        filter: &PurchaseFilter,
        after: Option<Uuid>,
    ) -> Result<Listed<Purchase>, StoreError> {
        use entity::purchase::Column;
        // Along the primary key; those of an account by `purchase_account`. People make purchases, so that even all of them
        // are few beside the calls; what is looked for by its state is mostly new.
        let mut query = entity::purchase::Entity::find().order_by_desc(Column::Id).limit(PAGE_READ);
        if let Some(status) = filter.status {
            query = query.filter(Column::Status.eq(status.as_str()));
        }
        if let Some(account) = filter.account {
            query = query.filter(Column::AccountId.eq(account.uuid()));
        }
        if let Some(after) = after {
            query = query.filter(Column::Id.lt(after));
        }
        let rows = query.all(self.db.readers()).await?;
        let listed = Listed::of(rows, |row| row.id.as_simple().to_string());
        let next = listed.next;
        let rows = listed.rows.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Listed { rows, next })
    }
}
