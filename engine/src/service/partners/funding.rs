//! Who pays for the calls of a partner's end users: the partner, from its one wallet, or each end user from a wallet of its own,
//! which the partner fills (`transfers`).

use std::collections::HashMap;

use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait as _, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, UpdateMany,
    sea_query::{Expr, Query, SelectStatement},
};
use serde_json::json;
use uuid::Uuid;

use super::PartnerProfile;
use crate::{
    audit::{Action, OpContext},
    credits::Credits,
    id::{EndUserId, EntryId, PartnerId},
    ledger::{AccountKind, Collect, LedgerAccountId, TransactionKind, leaf::sha256},
    service::{
        Services,
        accounts::{REASON_CHARS_MAX, is_reason},
        balance::Balance,
        outbox::unexpected,
    },
    store::{NotSaved, StoreError, UnitOfWork, entity, wallets, writer::Command},
};

/// How many wallets of erased end users one step looks at.
const STEP_MAX: u64 = 500;

/// Who pays for the calls of a partner's end users.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Funding {
    /// The partner, from one wallet.
    #[default]
    Partner,
    /// Each end user, from a wallet of its own.
    PerUser,
}

impl Funding {
    /// The word of the configuration and the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Partner => "partner",
            Self::PerUser => "per_user",
        }
    }

    /// Reads what [`Self::as_str`] gives.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Partner, Self::PerUser].into_iter().find(|funding| funding.as_str() == word)
    }
}

/// What end users of a partner have in wallets of their own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HeldByUsers {
    /// How many of them have something.
    pub users: u64,
    /// How much all of them have, in micro-credits.
    pub credits: Credits,
}

/// Why it was not changed who pays.
#[derive(Debug, thiserror::Error)]
pub enum FundingError {
    /// There is no such partner.
    #[error("there is no such partner")]
    NotFound,
    /// It is so already.
    #[error("{} already", if *.0 == Funding::PerUser { "each end user pays for itself" } else { "the partner pays for all" })]
    AlreadySo(Funding),
    /// The reason cannot be used.
    #[error("`reason` is one line of 1 to {REASON_CHARS_MAX} characters")]
    Reason,
    /// Nobody would spend it any more.
    #[error("{} end users have {} credits in wallets of their own: the partner has to take them back first", .0.users, .0.credits)]
    Held(HeldByUsers),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Services {
    /// Who pays for the calls of this partner's end users.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn load_partner_funding(&self, partner: PartnerId) -> Result<Funding, StoreError> {
        let row = entity::partner_funding::Entity::find_by_id(partner.uuid()).one(self.db.readers()).await?;
        Ok(if row.is_some() { Funding::PerUser } else { Funding::Partner })
    }

    /// What the end users of this partner have in wallets of their own. Reads them all, along `end_user_wallet_partner`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn load_held_by_users(&self, partner: PartnerId) -> Result<HeldByUsers, StoreError> {
        let (users, micros) = wallets::held_by_users(self.db.readers(), partner.uuid()).await?;
        Ok(HeldByUsers { users: u64::try_from(users).unwrap_or(0), credits: Credits::from_micros(micros) })
    }

    /// Changes who pays for the calls of this partner's end users: for calls that begin from now on, on every server within a
    /// second. Nobody's money moves. Where each end user pays, none can call before its wallet is filled; before the partner
    /// pays for all again, it has taken back what is in them.
    ///
    /// # Errors
    /// There is no such partner, it is so already, the reason cannot be used, end users have credits, or the database failed.
    pub async fn set_partner_funding(
        &self,
        by: &OpContext,
        partner: PartnerId,
        funding: Funding,
        reason: &str,
    ) -> Result<(), FundingError> {
        if !is_reason(reason) {
            return Err(FundingError::Reason);
        }
        self.find_partner(partner).await?.ok_or(FundingError::NotFound)?;
        let mut unit = UnitOfWork::new();
        let was = self.add_funding(&mut unit, partner, funding).await?;
        if was == funding {
            return Err(FundingError::AlreadySo(funding));
        }
        self.bump_version(&mut unit, "access");
        let facts = |funding: Funding| json!({"funding": funding.as_str()});
        let told = by.entry(Action::PartnerChange, "partner", partner).before(facts(was)).after(facts(funding));
        match self.ledger.save(unit.audited(told.because(reason))).await {
            Ok(_) => {
                self.forget_access();
                Ok(())
            }
            Err(NotSaved::Conflict { .. }) => {
                let is_so = self.load_partner_funding(partner).await? == funding;
                let held = self.load_held_by_users(partner).await?;
                let is_held = !is_so && held.users > 0;
                Err(if is_held { FundingError::Held(held) } else { FundingError::AlreadySo(funding) })
            }
            Err(not_saved) => Err(unexpected("partner_funding", not_saved).into()),
        }
    }

    /// Adds to `unit` that this is who pays; says who did before.
    pub(in crate::service) async fn add_funding(
        &self,
        unit: &mut UnitOfWork,
        partner: PartnerId,
        funding: Funding,
    ) -> Result<Funding, FundingError> {
        use entity::partner_funding::{Column, Entity, Model};
        let (backend, now_us) = (self.db.backend(), self.clock.now_us());
        let known = Entity::find_by_id(partner.uuid()).one(self.db.readers()).await.map_err(StoreError::from)?;
        match (known, funding) {
            (None, Funding::Partner) => Ok(Funding::Partner),
            (Some(_), Funding::PerUser) => Ok(Funding::PerUser),
            (None, Funding::PerUser) => {
                let row = Model { partner_id: partner.uuid(), created_us: now_us };
                self.state(unit, &row, now_us);
                unit.one(backend, &Entity::insert(row.into_active_model()));
                Ok(Funding::Partner)
            }
            (Some(row), Funding::Partner) => {
                let held = self.load_held_by_users(partner).await?;
                if held.users > 0 {
                    return Err(FundingError::Held(held));
                }
                // Whoever fills a wallet has had this row before, or finds it gone: only then is looked at what is in them.
                unit.one(backend, &still_per_user(row.partner_id));
                let delete = Entity::delete_many()
                    .filter(Column::PartnerId.eq(row.partner_id))
                    .filter(Expr::not_exists(has_credits(row.partner_id)));
                unit.one(backend, &delete);
                self.retract(unit, &row, now_us);
                Ok(Funding::PerUser)
            }
        }
    }

    /// The wallet of an end user that pays itself, or has paid itself once; what is in it, at this moment.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn load_end_user_balance(&self, user: EndUserId) -> Result<Option<Balance>, StoreError> {
        let Some(row) = self.find_end_user_wallet(user).await? else { return Ok(None) };
        self.load_balance(LedgerAccountId::from_raw(row.wallet), self.clock.now_us()).await.map(Some)
    }

    pub(super) async fn find_end_user_wallet(
        &self,
        user: EndUserId,
    ) -> Result<Option<entity::end_user_wallet::Model>, StoreError> {
        Ok(entity::end_user_wallet::Entity::find_by_id(user.uuid()).one(self.db.readers()).await?)
    }

    /// The wallet of an end user that pays itself; an empty one if it has none.
    pub(in crate::service) async fn open_end_user_wallet(
        &self,
        partner: PartnerId,
        user: EndUserId,
    ) -> Result<LedgerAccountId, StoreError> {
        if let Some(row) = self.find_end_user_wallet(user).await? {
            return Ok(LedgerAccountId::from_raw(row.wallet));
        }
        let mut unit = UnitOfWork::new();
        let wallet = self.add_end_user_wallet(&mut unit, partner, user);
        match self.ledger.save(unit.unaudited("an empty wallet is opened by the first call of whose it is")).await {
            Ok(_) => Ok(wallet),
            // Another call of the same user was first.
            Err(NotSaved::Conflict { .. }) => {
                let row = self.find_end_user_wallet(user).await?;
                let missing = || StoreError::Inconsistent { table: "end_user_wallet", what: user.to_string() };
                Ok(LedgerAccountId::from_raw(row.ok_or_else(missing)?.wallet))
            }
            Err(not_saved) => Err(unexpected("end_user_wallet", not_saved)),
        }
    }

    /// Adds an empty wallet to `unit`.
    pub(super) fn add_end_user_wallet(
        &self,
        unit: &mut UnitOfWork,
        partner: PartnerId,
        user: EndUserId,
    ) -> LedgerAccountId {
        let now_us = self.clock.now_us();
        let wallet = self.open_ledger_account(unit, AccountKind::Wallet, &user.to_string(), now_us);
        let row = entity::end_user_wallet::Model {
            end_user_id: user.uuid(),
            partner_id: partner.uuid(),
            wallet: wallet.raw(),
            created_us: now_us,
            ended_us: None,
        };
        self.state(unit, &row, now_us);
        unit.one(self.db.backend(), &entity::end_user_wallet::Entity::insert(row.into_active_model()));
        wallet
    }

    /// Adds to `unit`, in which the end user `row` is erased, that what is left in its wallet goes back into the partner's,
    /// now and whenever something comes into it later; by which transaction it goes now, if there is anything. Should the
    /// wallet be opened in the meantime, nothing of the unit happens.
    pub(super) async fn end_wallet(
        &self,
        unit: &mut UnitOfWork,
        row: &entity::end_user::Model,
        now_us: i64,
    ) -> Result<Option<EntryId>, StoreError> {
        use entity::end_user_wallet::{ActiveModel, Column, Entity};
        let update = Entity::update_many()
            .set(ActiveModel { ended_us: sea_orm::ActiveValue::Set(Some(now_us)), ..Default::default() })
            .filter(Column::EndUserId.eq(row.id));
        let known = self.find_end_user_wallet(EndUserId::from(row.id)).await?;
        let statement = sea_orm::QueryTrait::build(&update, self.db.backend());
        unit.push(statement, Some(u64::from(known.is_some())));
        let Some(known) = known else { return Ok(None) };
        let ended = entity::end_user_wallet::Model { ended_us: Some(now_us), ..known };
        self.state(unit, &ended, now_us);
        let partner = self.find_partner(PartnerId::from(row.partner_id)).await?;
        let partner = partner.ok_or_else(|| broken(row.partner_id))?;
        let balance = entity::wallet_balance::Entity::find_by_id(ended.wallet).one(self.db.readers()).await?;
        let given = balance.and_then(|balance| what_is_left(&ended, &balance, partner.wallet));
        Ok(given.map(|collect| {
            let id = collect.id;
            unit.command(Command::Collect(collect));
            id
        }))
    }

    /// Gives back to partners what is in wallets of end users who were erased: what their calls held then, and what was given
    /// back to them since. Looks at some wallets that have something to give, those behind `after`; where the next step
    /// begins, `None` if this was the last one of a round. A wallet whose return the ledger refuses is told of in the log, and
    /// the others' go on.
    ///
    /// # Errors
    /// The database failed.
    pub async fn return_what_is_left(&self, after: Option<EndUserId>) -> Result<Option<EndUserId>, StoreError> {
        use entity::end_user_wallet::Column;
        // Along `end_user_wallet_ended`.
        let ended = entity::end_user_wallet::Entity::find()
            .filter(Column::EndedUs.is_not_null())
            .filter(Column::EndUserId.gt(after.map_or(Uuid::nil(), EndUserId::uuid)))
            .filter(Expr::exists(has_something_left()))
            .order_by_asc(Column::EndUserId)
            .limit(STEP_MAX)
            .all(self.db.readers())
            .await?;
        let is_last = u64::try_from(ended.len()).unwrap_or(u64::MAX) < STEP_MAX;
        let next = ended.last().filter(|_| !is_last).map(|row| EndUserId::from(row.end_user_id));
        let balances = entity::wallet_balance::Entity::find()
            .filter(entity::wallet_balance::Column::AccountId.is_in(ended.iter().map(|row| row.wallet)))
            .all(self.db.readers())
            .await?;
        let balances: HashMap<i64, _> = balances.into_iter().map(|row| (row.account_id, row)).collect();
        for row in &ended {
            let Some(balance) = balances.get(&row.wallet).filter(|balance| available(balance) > 0) else { continue };
            match self.return_left(row, balance).await {
                Err(error @ StoreError::Inconsistent { .. }) => {
                    let user = EndUserId::from(row.end_user_id);
                    tracing::error!(%error, %user, "what an erased end user has left was not given back");
                }
                done => done?,
            }
        }
        Ok(next)
    }

    async fn return_left(
        &self,
        row: &entity::end_user_wallet::Model,
        balance: &entity::wallet_balance::Model,
    ) -> Result<(), StoreError> {
        let partner = self.find_partner(PartnerId::from(row.partner_id)).await?;
        let PartnerProfile { wallet, .. } = partner.ok_or_else(|| broken(row.partner_id))?;
        let Some(collect) = what_is_left(row, balance, wallet) else { return Ok(()) };
        let mut unit = UnitOfWork::new();
        unit.command(Command::Collect(collect));
        match self.ledger.save(unit.unaudited("it follows from an erasure that is told")).await {
            Ok(_) => Ok(()),
            Err(not_saved) => Err(unexpected("end_user_wallet", not_saved)),
        }
    }
}

/// Says in a unit that each end user of this partner pays for itself, and stays so until it is written.
pub(super) fn still_per_user(partner: Uuid) -> UpdateMany<entity::partner_funding::Entity> {
    use entity::partner_funding::{Column, Entity};
    Entity::update_many()
        .col_expr(Column::CreatedUs, Expr::col(Column::CreatedUs))
        .filter(Column::PartnerId.eq(partner))
}

fn broken(partner: Uuid) -> StoreError {
    StoreError::Inconsistent { table: "end_user_wallet", what: partner.to_string() }
}

const fn available(balance: &entity::wallet_balance::Model) -> i64 {
    balance.credits.saturating_sub(balance.debits).saturating_sub(balance.held)
}

/// Of a row of `end_user_wallet`: its balance, if there is something in it that no call has reserved.
fn has_something_left() -> SelectStatement {
    use entity::wallet_balance::Column;
    let available = Expr::col(Column::Credits).sub(Expr::col(Column::Debits)).sub(Expr::col(Column::Held));
    balance_of_row(available.gt(0))
}

/// The wallets of end users of this partner who are not erased, as far as there is something in them, held or not.
fn has_credits(partner: Uuid) -> SelectStatement {
    use entity::{end_user_wallet, wallet_balance::Column};
    let filled = balance_of_row(Expr::col(Column::Credits).gt(Expr::col(Column::Debits)));
    Query::select()
        .column(end_user_wallet::Column::EndUserId)
        .from(end_user_wallet::Entity)
        .and_where(Expr::col(end_user_wallet::Column::PartnerId).eq(partner))
        .and_where(Expr::col(end_user_wallet::Column::EndedUs).is_null())
        .and_where(Expr::exists(filled))
        .to_owned()
}

/// The balance of the wallet of a row of `end_user_wallet`, if it is so.
fn balance_of_row(so: Expr) -> SelectStatement {
    use entity::{end_user_wallet, wallet_balance};
    Query::select()
        .column(wallet_balance::Column::AccountId)
        .from(wallet_balance::Entity)
        .and_where(
            Expr::col((wallet_balance::Entity, wallet_balance::Column::AccountId))
                .equals((end_user_wallet::Entity, end_user_wallet::Column::Wallet)),
        )
        .and_where(so)
        .to_owned()
}

/// What can be taken from the wallet of an erased end user, if anything can. It is named by the wallet's state: several servers
/// that see the same do it once.
fn what_is_left(
    row: &entity::end_user_wallet::Model,
    balance: &entity::wallet_balance::Model,
    to: LedgerAccountId,
) -> Option<Collect> {
    let amount = Credits::from_micros(available(balance));
    if amount <= Credits::ZERO {
        return None;
    }
    let digest = sha256(format!("left by {} at {}", EndUserId::from(row.end_user_id), balance.version).as_bytes());
    let (id, _) = digest.split_at(16);
    Some(Collect {
        id: EntryId::from(Uuid::from_slice(id).unwrap_or_default()),
        kind: TransactionKind::Transfer,
        sources: vec![LedgerAccountId::from_raw(row.wallet)],
        to,
        amount,
        is_at_most: true,
        reverses: None,
        meta: None,
    })
}

#[cfg(test)]
mod tests;
