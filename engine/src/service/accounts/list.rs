//! Accounts as operators list and suspend them.
//!
//! There are as many as customers, and no index but those of identifiers and of whole addresses. A list that is narrowed
//! looks at [`ACCOUNTS_LOOKED_AT`] accounts at most and then says so: the next page goes on there. An account whose whole
//! address is asked for is always found.

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
    store::{NotSaved, StoreError, UnitOfWork, entity, newest},
};

/// How many accounts a page looks at where they are narrowed.
pub const ACCOUNTS_LOOKED_AT: i64 = 20_000;

/// Which accounts are wanted. What is empty or `None` does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountFilter {
    /// How its address begins, in any case.
    pub email: String,
    /// Suspended ones, or those that are not.
    pub is_suspended: Option<bool>,
}

/// A page of accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountPage {
    /// The newest first; before them, on the first page, the one whose whole address was asked for.
    pub rows: Vec<AccountProfile>,
    /// What the next page begins behind; `None` if there is nothing more.
    pub next: Option<String>,
    /// The page ends here because so many accounts have been looked at, not because it is full.
    pub looked_at: Option<i64>,
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
    pub async fn list_accounts(&self, filter: &AccountFilter, after: Option<Uuid>) -> Result<AccountPage, StoreError> {
        use entity::account::Column;
        let readers = self.db.readers();
        let below = after.unwrap_or(Uuid::max());
        let is_narrowed = !filter.email.is_empty() || filter.is_suspended.is_some();
        let floor = if is_narrowed {
            newest::floor(readers, "account", (Uuid::nil(), below), ACCOUNTS_LOOKED_AT).await?
        } else {
            None
        };
        let wanted = || {
            let all = entity::account::Entity::find();
            match filter.is_suspended {
                Some(is_suspended) => all.filter(Column::IsSuspended.eq(is_suspended)),
                None => all,
            }
        };
        let mut query = wanted().filter(Column::Id.lt(below)).order_by_desc(Column::Id).limit(PAGE_READ);
        if let Some(floor) = floor {
            query = query.filter(Column::Id.gte(floor));
        }
        let mut exact = Vec::new();
        if !filter.email.is_empty() {
            // As typed, or as whoever signs up is kept.
            let whole = [filter.email.clone(), filter.email.to_ascii_lowercase()];
            if after.is_none() {
                exact = wanted().filter(Column::Email.is_in(&whole)).all(readers).await?;
            }
            query =
                query.filter(begins_in_any_case(Column::Email, &filter.email)).filter(Column::Email.is_not_in(whole));
        }
        let listed = Listed::of(query.all(readers).await?, |row| row.id.as_simple().to_string());
        let looked_at = floor.filter(|_floor| listed.next.is_none());
        Ok(AccountPage {
            rows: exact.iter().chain(&listed.rows).map(profile).collect(),
            next: listed.next.or_else(|| looked_at.map(|floor| floor.as_simple().to_string())),
            looked_at: looked_at.map(|_floor| ACCOUNTS_LOOKED_AT),
        })
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
