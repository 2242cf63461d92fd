//! Balances as their owners see them.

use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, Func},
};

use super::Services;
use crate::{
    credits::Credits,
    ledger::{
        LedgerAccountId,
        caps::{CapUse, Counter},
    },
    store::{StoreError, entity},
};

/// A wallet's balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    /// What is owned, in micro-credits.
    pub balance: Credits,
    /// What open holds reserve, in micro-credits.
    pub reserved: Credits,
}

impl Balance {
    /// What can be spent, in micro-credits, never below zero.
    pub fn available(&self) -> Credits {
        self.balance.checked_sub(self.reserved).unwrap_or(Credits::ZERO).max(Credits::ZERO)
    }
}

impl Services {
    /// The balance of a wallet at `now_us`. A hold whose time is over counts as given back, swept or not.
    ///
    /// # Errors
    /// The database cannot be read, or there is no such wallet.
    pub async fn load_balance(&self, wallet: LedgerAccountId, now_us: i64) -> Result<Balance, StoreError> {
        let missing = || StoreError::Inconsistent { table: "wallet_balance", what: wallet.to_string() };
        let row = entity::wallet_balance::Entity::find_by_id(wallet.raw())
            .one(self.db.readers())
            .await?
            .ok_or_else(missing)?;
        let expired: Option<i64> = entity::open_hold::Entity::find()
            .select_only()
            // PostgreSQL adds integers up to a number of another type.
            .column_as(Expr::expr(Func::cast_as(entity::open_hold::Column::Amount.sum(), "bigint")), "expired")
            .filter(entity::open_hold::Column::Wallet.eq(wallet.raw()))
            .filter(entity::open_hold::Column::ExpiresUs.lte(now_us))
            .into_tuple()
            .one(self.db.readers())
            .await?
            .flatten();
        Ok(Balance {
            balance: Credits::from_micros(row.credits.saturating_sub(row.debits).saturating_add(row.overdraft)),
            reserved: Credits::from_micros(row.held.saturating_sub(expired.unwrap_or(0)).max(0)),
        })
    }

    /// What can be spent at `now_us`: the smallest of the wallet and every cap, in micro-credits.
    ///
    /// # Errors
    /// As for [`Self::load_balance`].
    pub async fn spendable(
        &self,
        wallet: LedgerAccountId,
        caps: &[CapUse],
        now_us: i64,
    ) -> Result<Credits, StoreError> {
        let mut spendable = self.load_balance(wallet, now_us).await?.available();
        for used in caps {
            let counter = match used.counter() {
                None => Counter::default(),
                Some(key) => entity::cap_window::Entity::find_by_id((key.cap.uuid(), key.start_us))
                    .one(self.db.readers())
                    .await?
                    .map_or_else(Counter::default, |row| Counter { spent: row.spent, held: row.held }),
            };
            spendable = spendable.min(counter.remaining(used.cap.limit));
        }
        Ok(spendable)
    }
}
