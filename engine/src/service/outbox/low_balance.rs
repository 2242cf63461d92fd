//! Telling customers in time that their credits end: once for each purchase, when a tenth of it is left.
//!
//! Paid calls know nothing of this. Accounts are looked at in rounds, a few at a time, along their keys.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;
use uuid::Uuid;

use super::{MailTemplate, NewMail, unexpected};
use crate::{
    credits::Credits,
    id::{AccountId, PurchaseId},
    ledger::LedgerAccountId,
    service::{Services, purchases::PurchaseStatus},
    store::{NotSaved, StoreError, UnitOfWork, entity},
};

/// How many accounts one step looks at.
const STEP_MAX: u64 = 100;
/// A customer is told when what can be spent is less than one in so many parts of what was last bought.
const LOW_PART: i64 = 10;

impl Services {
    /// Looks at some accounts, those behind `after`, and writes to whose credits end. Says where the next step begins; `None`
    /// if this was the last one of a round.
    ///
    /// # Errors
    /// The database failed.
    pub async fn warn_of_low_balances(&self, after: Option<AccountId>) -> Result<Option<AccountId>, StoreError> {
        use entity::account::Column;
        let accounts = entity::account::Entity::find()
            .filter(Column::Id.gt(after.map_or(Uuid::nil(), AccountId::uuid)))
            .order_by_asc(Column::Id)
            .limit(STEP_MAX)
            .all(self.db.readers())
            .await?;
        let is_last = u64::try_from(accounts.len()).unwrap_or(u64::MAX) < STEP_MAX;
        let next = accounts.last().filter(|_| !is_last).map(|account| AccountId::from(account.id));
        for account in accounts.iter().filter(|account| account.is_verified && !account.is_suspended) {
            self.warn_of_low_balance(account).await?;
        }
        Ok(next)
    }

    async fn warn_of_low_balance(&self, account: &entity::account::Model) -> Result<(), StoreError> {
        use entity::purchase::Column;
        // Along `purchase_account`.
        let last = entity::purchase::Entity::find()
            .filter(Column::AccountId.eq(account.id))
            .filter(Column::Status.eq(PurchaseStatus::Confirmed.as_str()))
            .order_by_desc(Column::CreatedUs)
            .one(self.db.readers())
            .await?;
        let Some(last) = last else { return Ok(()) };
        let key = format!("low balance {}", PurchaseId::from(last.id));
        let known = entity::mail::Entity::find().filter(entity::mail::Column::Key.eq(key.as_str()));
        if known.one(self.db.readers()).await?.is_some() {
            return Ok(());
        }
        let now_us = self.clock.now_us();
        let left = self.load_balance(LedgerAccountId::from_raw(account.wallet), now_us).await?.available();
        if left.micros() >= last.credits.checked_div(LOW_PART).unwrap_or(0) {
            return Ok(());
        }
        let mut unit = UnitOfWork::new();
        let new = NewMail {
            to: &account.email,
            template: MailTemplate::LowBalance,
            data: json!({"left": left.to_string(), "bought": Credits::from_micros(last.credits).to_string()}),
            about: ("account", AccountId::from(account.id).to_string()),
            key: Some(key),
        };
        self.enqueue_mail(&mut unit, new, now_us);
        match self.ledger.save(unit.unaudited("a mail follows from calls that are in the books")).await {
            // Another server has written it.
            Ok(_) | Err(NotSaved::Conflict { .. }) => Ok(()),
            Err(not_saved) => Err(unexpected("mail", not_saved)),
        }
    }
}
