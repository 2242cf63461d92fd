//! Balances as their owners see them.

use std::collections::HashMap;

use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, Func},
};

use super::Services;
use crate::{
    credits::Credits,
    id::EntryId,
    ledger::{
        LedgerAccountId,
        caps::{CapUse, Counter},
    },
    store::{
        StoreError, entity,
        wallets::{self, Purse},
    },
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

/// Credits that expire and can be spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpiringGrant {
    /// The grant.
    pub id: EntryId,
    /// Where its credits are.
    pub account: LedgerAccountId,
    /// What is left of it, in micro-credits, whether reserved or not.
    pub left: Credits,
    /// Lower ones are spent first.
    pub priority: i64,
    /// When it expires, in microseconds since the Unix epoch.
    pub expires_us: i64,
}

/// Adds up a wallet's own balance and those of its grants. Of one that has expired nothing can be spent, but what is held of
/// it stays reserved. `expired` is what holds reserve whose time is over, `parts` what of it is of which grant's account.
/// `None` if the wallet's own balance is missing.
fn add_up(purses: &[Purse], expired: i64, parts: &[(LedgerAccountId, i64)], now_us: i64) -> Option<Balance> {
    let of_grants = parts.iter().fold(0_i64, |sum, (_, part)| sum.saturating_add(*part));
    let (mut balance, mut reserved, mut has_own) = (0_i64, 0_i64, false);
    for purse in purses {
        let has_expired = purse.grant.is_some_and(|(.., expires_us)| expires_us <= now_us);
        let given_back = match purse.grant {
            None => expired.saturating_sub(of_grants),
            Some(_) => parts.iter().find(|(account, _)| *account == purse.account).map_or(0, |(_, part)| *part),
        };
        let held = purse.held.saturating_sub(given_back).max(0);
        let owned = purse.credits.saturating_sub(purse.debits).saturating_add(purse.overdraft);
        balance = balance.saturating_add(if has_expired { held } else { owned });
        reserved = reserved.saturating_add(held);
        has_own |= purse.grant.is_none();
    }
    has_own.then(|| Balance { balance: Credits::from_micros(balance), reserved: Credits::from_micros(reserved) })
}

/// Whether anything of it is reserved: if not, no hold is open.
fn has_holds(purses: &[Purse]) -> bool {
    purses.iter().any(|purse| purse.held > 0)
}

impl Services {
    /// The balance of a wallet at `now_us`, with its grants that have not expired. A hold whose time is over counts as given
    /// back, swept or not.
    ///
    /// # Errors
    /// The database cannot be read, or there is no such wallet.
    pub async fn load_balance(&self, wallet: LedgerAccountId, now_us: i64) -> Result<Balance, StoreError> {
        let purses = wallets::purses(self.db.readers(), wallet).await?;
        let expired = if has_holds(&purses) { self.load_expired(wallet, now_us).await? } else { 0 };
        let has_grants = purses.iter().any(|purse| purse.grant.is_some());
        let parts = if expired > 0 && has_grants {
            wallets::expired_parts(self.db.readers(), wallet, now_us).await?
        } else {
            Vec::new()
        };
        add_up(&purses, expired, &parts, now_us)
            .ok_or_else(|| StoreError::Inconsistent { table: "wallet_balance", what: wallet.to_string() })
    }

    /// What open holds of `wallet` reserve whose time is over. Looks at all open holds: few, but of many servers, and where
    /// PostgreSQL has not cleaned up lately as many again that are not open any more.
    async fn load_expired(&self, wallet: LedgerAccountId, now_us: i64) -> Result<i64, StoreError> {
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
        Ok(expired.unwrap_or(0))
    }

    /// As [`Self::load_balance`], of several wallets at once: for lists.
    ///
    /// # Errors
    /// The database cannot be read, or there is no such wallet.
    pub async fn load_balances(
        &self,
        wallets: &[LedgerAccountId],
        now_us: i64,
    ) -> Result<HashMap<LedgerAccountId, Balance>, StoreError> {
        if wallets.is_empty() {
            return Ok(HashMap::new());
        }
        let readers = self.db.readers();
        let purses = wallets::purses_of(readers, wallets).await?;
        let held: Vec<LedgerAccountId> =
            wallets.iter().filter(|wallet| purses.get(wallet).is_some_and(|own| has_holds(own))).copied().collect();
        let expired = wallets::expired_of(readers, &held, now_us).await?;
        let mut balances = HashMap::with_capacity(wallets.len());
        for wallet in wallets {
            let own = purses.get(wallet).map(Vec::as_slice).unwrap_or_default();
            let expired = expired.get(wallet).copied().unwrap_or(0);
            let has_grants = own.iter().any(|purse| purse.grant.is_some());
            let parts = if expired > 0 && has_grants {
                wallets::expired_parts(readers, *wallet, now_us).await?
            } else {
                Vec::new()
            };
            let balance = add_up(own, expired, &parts, now_us);
            let missing = || StoreError::Inconsistent { table: "wallet_balance", what: wallet.to_string() };
            balances.insert(*wallet, balance.ok_or_else(missing)?);
        }
        Ok(balances)
    }

    /// The grants of a wallet that expire and can be spent at `now_us`, in the order in which they are spent.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn list_expiring_grants(
        &self,
        wallet: LedgerAccountId,
        now_us: i64,
    ) -> Result<Vec<ExpiringGrant>, StoreError> {
        let purses = wallets::purses(self.db.readers(), wallet).await?;
        let grants = purses.iter().filter_map(|purse| Some((purse, purse.grant?)));
        let live = grants.filter(|(_, (.., expires_us))| now_us < *expires_us);
        Ok(live
            .map(|(purse, (id, priority, expires_us))| ExpiringGrant {
                id,
                account: purse.account,
                left: Credits::from_micros(purse.credits.saturating_sub(purse.debits)),
                priority,
                expires_us,
            })
            .collect())
    }

    /// Where a refund belongs of what a charge took from `debited` for `wallet`, as of `now_us`: there, or, if that is a
    /// grant that has expired, to the wallet. The ledger refuses a posting into a grant that expires in the meantime as it
    /// does into a closed account; ask again then.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_refund_account(
        &self,
        debited: LedgerAccountId,
        wallet: LedgerAccountId,
        now_us: i64,
    ) -> Result<LedgerAccountId, StoreError> {
        if debited == wallet {
            return Ok(wallet);
        }
        let live = self.list_expiring_grants(wallet, now_us).await?;
        Ok(if live.iter().any(|grant| grant.account == debited) { debited } else { wallet })
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
