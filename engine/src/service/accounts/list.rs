//! Accounts as operators list and suspend them.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;
use uuid::Uuid;

use super::{AccountProfile, REASON_CHARS_MAX, is_reason, profile};
use crate::{
    audit::{Action, OpContext},
    id::AccountId,
    service::{
        Services,
        outbox::unexpected,
        paging::{Listed, PAGE_READ, begins_in_any_case},
    },
    store::{NotSaved, StoreError, UnitOfWork, entity},
};

/// Which accounts are wanted. What is empty or `None` does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountFilter {
    /// How its address begins, in lower case.
    pub email: String,
    /// Suspended ones, or those that are not.
    pub is_suspended: Option<bool>,
}

/// Why an account was not suspended, or not let go on.
#[derive(Debug, thiserror::Error)]
pub enum SuspendAccountError {
    /// There is none.
    #[error("there is no such account")]
    NotFound,
    /// It is so already.
    #[error("the account is {} already", if *.0 { "suspended" } else { "not suspended" })]
    AlreadySo(bool),
    /// The reason cannot be used.
    #[error("`reason` is one line of 1 to {REASON_CHARS_MAX} characters")]
    Reason,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Services {
    /// The accounts that `filter` wants, the newest first, from behind the one named by `after`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn list_accounts(
        &self,
        filter: &AccountFilter,
        after: Option<Uuid>,
    ) -> Result<Listed<AccountProfile>, StoreError> {
        use entity::account::Column;
        let mut query = entity::account::Entity::find().order_by_desc(Column::Id).limit(PAGE_READ);
        if !filter.email.is_empty() {
            query = query.filter(begins_in_any_case(Column::Email, &filter.email));
        }
        if let Some(is_suspended) = filter.is_suspended {
            query = query.filter(Column::IsSuspended.eq(is_suspended));
        }
        if let Some(after) = after {
            query = query.filter(Column::Id.lt(after));
        }
        let rows = query.all(self.db.readers()).await?;
        Ok(Listed::of(rows, |row| row.id.as_simple().to_string()).map(|row| profile(&row)))
    }

    /// Suspends an account, or lets it go on: its next call is decided by that, on every server within a second.
    ///
    /// # Errors
    /// There is none, it is so already, the reason cannot be used, or the database failed.
    pub async fn set_account_suspended(
        &self,
        by: &OpContext,
        id: AccountId,
        is_suspended: bool,
        reason: &str,
    ) -> Result<(), SuspendAccountError> {
        if !is_reason(reason) {
            return Err(SuspendAccountError::Reason);
        }
        let row = entity::account::Entity::find_by_id(id.uuid()).one(self.db.readers()).await;
        let row = row.map_err(StoreError::from)?.ok_or(SuspendAccountError::NotFound)?;
        if row.is_suspended == is_suspended {
            return Err(SuspendAccountError::AlreadySo(is_suspended));
        }
        let mut unit = UnitOfWork::new();
        let update = entity::account::Entity::update_many()
            .set(entity::account::ActiveModel { is_suspended: Set(is_suspended), ..Default::default() })
            .filter(entity::account::Column::Id.eq(row.id))
            .filter(entity::account::Column::IsSuspended.eq(row.is_suspended));
        unit.one(self.db.backend(), &update);
        self.bump_version(&mut unit, "access");
        let action = if is_suspended { Action::AccountSuspend } else { Action::AccountResume };
        let told = by
            .entry(action, "account", id)
            .before(json!({"suspended": row.is_suspended}))
            .after(json!({"suspended": is_suspended}))
            .because(reason);
        match self.ledger.save(unit.audited(told)).await {
            Ok(_) => {
                self.forget_access();
                Ok(())
            }
            Err(NotSaved::Conflict { .. }) => Err(SuspendAccountError::AlreadySo(is_suspended)),
            Err(not_saved) => Err(unexpected("account", not_saved).into()),
        }
    }
}
