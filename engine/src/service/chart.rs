//! The chart of accounts as operators look at it: a list with balances, the accounts of somebody, the sums of its classes.

use std::collections::BTreeSet;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::{
    Services,
    paging::{Listed, PAGE_READ, PAGE_ROWS},
};
use crate::{
    id::{AccountId, PartnerId, PublisherId},
    ledger::{AccountKind, LedgerAccountId},
    store::{StoreError, chart, entity},
};

pub use crate::store::chart::{ChartLine, ClassSum, LargeAccount};

/// How many grants of a wallet are listed beside it.
const GRANTS_LISTED_MAX: i64 = 50;
/// For how many seconds the sums of the classes are good. Adding them up reads a row for every wallet.
pub const CLASS_SUMS_S: i64 = 10;
const CLASS_SUMS_US: i64 = CLASS_SUMS_S * 1_000_000;
/// How many times as long as they took to be added up they are good at least: so many wallets are read for one twentieth of
/// the time at most, however many people look at the books.
const CLASS_SUMS_REST: i64 = 20;

/// How many accounts of each class are told of by name, those that have most.
pub const LARGE_ACCOUNTS: i64 = 5;

/// The sums of the classes as they were not long ago.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassSums {
    /// When that was, in microseconds since the Unix epoch.
    pub at_us: i64,
    /// In the order of the kinds.
    pub sums: Vec<ClassSum>,
    /// At the same moment, of each class the accounts that had most, whatever the sign: at most [`LARGE_ACCOUNTS`], and none
    /// that had nothing. The greatest balance first.
    pub large: Vec<LargeAccount>,
}

/// The sums that were added up last, and until when they are good. Held while they are added up: who comes meanwhile waits
/// for those.
#[derive(Debug, Default)]
pub(super) struct KnownSums(tokio::sync::Mutex<Option<(ClassSums, i64)>>);

impl Services {
    /// The accounts of the books below the number `after`, the greatest number (the newest, but for the platform's own)
    /// first; only those of `kind` if there is one. Wallets and grants are looked for in a bounded part of the chart: a page
    /// may be short, or empty, and yet have a next one.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn list_chart(
        &self,
        kind: Option<AccountKind>,
        after: Option<LedgerAccountId>,
    ) -> Result<Listed<ChartLine>, StoreError> {
        let before = after.map_or(i64::MAX, LedgerAccountId::raw);
        let limit = i64::try_from(PAGE_READ).unwrap_or(i64::MAX);
        let (lines, looked_down_to) = chart::page(self.db.readers(), kind, before, limit).await?;
        let is_full = u64::try_from(lines.len()).is_ok_and(|count| count > PAGE_ROWS);
        let listed = Listed::of(lines, |line| line.id.to_string());
        let next = if is_full { listed.next } else { looked_down_to.map(|number| number.to_string()) };
        Ok(Listed { rows: listed.rows, next })
    }

    /// An account of the books with its balance.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_chart_line(&self, id: LedgerAccountId) -> Result<Option<ChartLine>, StoreError> {
        Ok(chart::find(self.db.readers(), &[id]).await?.into_iter().next())
    }

    /// The accounts of the books with these numbers, as far as there are such.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn list_chart_lines(&self, ids: &[LedgerAccountId]) -> Result<Vec<ChartLine>, StoreError> {
        chart::find(self.db.readers(), ids).await
    }

    /// The accounts of the books that `text` names: one by its name in the chart or its number; or those of a customer (by
    /// identifier or address), a partner (by identifier or name) or a publisher (by identifier or slug), with the grants of
    /// wallets that have not ended.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_chart_of(&self, text: &str) -> Result<Vec<ChartLine>, StoreError> {
        let readers = self.db.readers();
        let mut wanted: BTreeSet<LedgerAccountId> = chart::find_by_code(readers, text).await?.into_iter().collect();
        wanted.extend(text.parse().ok().map(LedgerAccountId::from_raw));
        wanted.extend(self.accounts_of(text).await?);
        let wallets: Vec<LedgerAccountId> = wanted.iter().copied().collect();
        for wallet in wallets {
            wanted.extend(chart::grants_of(readers, wallet, GRANTS_LISTED_MAX).await?);
        }
        let wanted: Vec<LedgerAccountId> = wanted.into_iter().collect();
        chart::find(readers, &wanted).await
    }

    /// Whoever is called `text`, each found by an index: their accounts without grants.
    async fn accounts_of(&self, text: &str) -> Result<Vec<LedgerAccountId>, StoreError> {
        let readers = self.db.readers();
        let mut numbers = Vec::new();
        let accounts = entity::account::Entity::find();
        let accounts = match text.parse::<AccountId>() {
            Ok(id) => accounts.filter(entity::account::Column::Id.eq(id.uuid())),
            Err(_name) => accounts.filter(entity::account::Column::Email.is_in([text.to_owned(), text.to_lowercase()])),
        };
        numbers.extend(accounts.all(readers).await?.iter().map(|row| row.wallet));
        let partners = entity::partner::Entity::find();
        let partners = match text.parse::<PartnerId>() {
            Ok(id) => partners.filter(entity::partner::Column::Id.eq(id.uuid())),
            Err(_name) => partners.filter(entity::partner::Column::Name.eq(text)),
        };
        numbers.extend(partners.all(readers).await?.iter().flat_map(|row| [row.wallet, row.margin]));
        let publishers = entity::publisher::Entity::find();
        let publishers = match text.parse::<PublisherId>() {
            Ok(id) => publishers.filter(entity::publisher::Column::Id.eq(id.uuid())),
            Err(_name) => publishers.filter(entity::publisher::Column::Slug.eq(text)),
        };
        let payables = publishers.all(readers).await?;
        let mut found: Vec<LedgerAccountId> = numbers.into_iter().map(LedgerAccountId::from_raw).collect();
        for row in payables {
            let payable = LedgerAccountId::from_raw(row.payable);
            found.extend([payable, payable.receivable()]);
        }
        Ok(found)
    }

    /// What all accounts of each kind had together at one moment, in the order of the kinds, also of those that had nothing:
    /// now, or up to [`CLASS_SUMS_S`] seconds ago, or longer where adding them up takes long. Wallets and their grants are
    /// one line, that of [`AccountKind::Wallet`]. All debits together are all credits.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn load_class_sums(&self) -> Result<ClassSums, StoreError> {
        let mut known = self.class_sums.0.lock().await;
        let at_us = self.clock.now_us();
        if let Some((sums, until_us)) = &*known
            && (sums.at_us..*until_us).contains(&at_us)
        {
            return Ok(sums.clone());
        }
        let (found, large) = chart::class_sums(self.db.readers(), LARGE_ACCOUNTS).await?;
        let of = |kind: AccountKind| {
            let nothing = ClassSum { kind, accounts: 0, debits: 0, credits: 0, held: 0 };
            found.iter().find(|sum| sum.kind == kind).copied().unwrap_or(nothing)
        };
        let sums = AccountKind::all().filter(|kind| *kind != AccountKind::Grant).map(of).collect();
        let sums = ClassSums { at_us, sums, large };
        let took_us = self.clock.now_us().saturating_sub(at_us);
        let rest_us = took_us.saturating_mul(CLASS_SUMS_REST).max(CLASS_SUMS_US);
        *known = Some((sums.clone(), at_us.saturating_add(rest_us)));
        Ok(sums)
    }
}
