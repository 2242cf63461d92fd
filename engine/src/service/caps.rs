//! Limits on spending as operators see, set and lift them. What they mean for a call is decided in `ledger::caps`.

use std::collections::HashMap;

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Services,
    access::CapOwner,
    accounts::{REASON_CHARS_MAX, is_reason},
    outbox::unexpected,
};
use crate::{
    audit::{Action, AuditEntry, OpContext},
    credits::Credits,
    id::{AccountId, CapId, EndUserId, PartnerId, TokenId},
    ledger::caps::{Cap, CapUse, CapWindow, Counter, CounterKey},
    store::{NotSaved, StoreError, UnitOfWork, entity},
};

mod own;

pub use own::PartnerHolder;

/// From how many hundredths of its limit on a cap is nearly reached.
const NEAR_PERCENT: i64 = 80;

/// Whose spending a cap limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CapHolder {
    /// An account.
    Account(AccountId),
    /// One token.
    Token(TokenId),
    /// A partner as a whole.
    Partner(PartnerId),
    /// Each end user of a partner, apart from each other.
    EachEndUser(PartnerId),
    /// One end user.
    EndUser(EndUserId),
}

impl CapHolder {
    /// As the database names it.
    pub(super) const fn owner(self) -> (Uuid, CapOwner) {
        match self {
            Self::Account(id) => (id.uuid(), CapOwner::Account),
            Self::Token(id) => (id.uuid(), CapOwner::Token),
            Self::Partner(id) => (id.uuid(), CapOwner::Partner),
            Self::EachEndUser(id) => (id.uuid(), CapOwner::EndUser),
            Self::EndUser(id) => (id.uuid(), CapOwner::EndUser),
        }
    }

    /// Of whom the audit trail tells: a kind, and which one.
    fn named(self) -> (&'static str, String) {
        match self {
            Self::Account(id) => ("account", id.to_string()),
            Self::Token(id) => ("token", id.to_string()),
            Self::Partner(id) | Self::EachEndUser(id) => ("partner", id.to_string()),
            Self::EndUser(id) => ("end_user", id.to_string()),
        }
    }
}

/// How much of a cap is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CapState {
    /// There is room.
    Room,
    /// More than four fifths are used.
    Near,
    /// Nothing is left.
    Reached,
}

/// What counts against a cap in its present window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CapUsed {
    /// Captured, in micro-credits.
    pub spent: Credits,
    /// Reserved by open holds, in micro-credits.
    pub held: Credits,
    /// When the window ends, if it does, in microseconds since the Unix epoch.
    pub resets_us: Option<i64>,
}

/// A cap in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CapStanding {
    /// Whose spending it limits.
    pub holder: CapHolder,
    /// For how long it counts.
    pub window: CapWindow,
    /// The most that may be spent in one window, in micro-credits.
    pub limit: Credits,
    /// What counts now; `None` where there is no one count: of single calls, and of each of many users.
    pub used: Option<CapUsed>,
}

impl CapStanding {
    fn of(holder: CapHolder, cap: &Cap, used: Option<CapUsed>) -> Self {
        Self { holder, window: cap.window, limit: cap.limit, used }
    }

    /// What is used, held or spent, in hundredths of the limit, at most 100; `None` where nothing is counted.
    pub fn used_percent(&self) -> Option<i64> {
        let used = self.used_micros()?;
        let percent = used.saturating_mul(100).checked_div(i128::from(self.limit.micros())).unwrap_or(100);
        Some(i64::try_from(percent.clamp(0, 100)).unwrap_or(100))
    }

    /// How much of it is used; `None` where nothing is counted.
    pub fn state(&self) -> Option<CapState> {
        let (used, limit) = (self.used_micros()?, i128::from(self.limit.micros()));
        Some(if used >= limit {
            CapState::Reached
        } else if used.saturating_mul(100) > limit.saturating_mul(NEAR_PERCENT.into()) {
            CapState::Near
        } else {
            CapState::Room
        })
    }

    fn used_micros(&self) -> Option<i128> {
        self.used.map(|used| i128::from(used.spent.micros()).saturating_add(used.held.micros().into()))
    }
}

/// Why no cap was changed.
#[derive(Debug, thiserror::Error)]
pub enum CapError {
    /// There is nobody to limit, or their token is revoked.
    #[error("there is no such holder of a limit")]
    NoHolder,
    /// There is no such cap.
    #[error("there is no such limit")]
    NotFound,
    /// A limit below zero.
    #[error("`credits` must not be negative")]
    Negative,
    /// The reason cannot be used.
    #[error("`reason` is one line of 1 to {REASON_CHARS_MAX} characters")]
    Reason,
    /// It is not what whoever changes it has seen.
    #[error("somebody else has changed this limit in the meantime: it is {}", shown(*.now))]
    Changed {
        /// What it is now, in micro-credits.
        now: Option<Credits>,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn shown(limit: Option<Credits>) -> String {
    limit.map_or_else(|| "not set".to_owned(), |limit| format!("{limit} credits"))
}

impl Services {
    /// The caps of these holders, in their order, with what counts at `now_us` (microseconds since the Unix epoch). At most
    /// four for each: the table's unique key serves this.
    ///
    /// # Errors
    /// The database cannot be read, or holds a window that there is not.
    pub async fn list_caps_of(&self, holders: &[CapHolder], now_us: i64) -> Result<Vec<CapStanding>, StoreError> {
        let owners: Vec<Uuid> = holders.iter().map(|holder| holder.owner().0).collect();
        let rows = entity::cap::Entity::find()
            .filter(entity::cap::Column::OwnerId.is_in(owners))
            .order_by_asc(entity::cap::Column::Window)
            .all(self.db.readers())
            .await?;
        let mut found = Vec::with_capacity(rows.len());
        for holder in holders {
            let (id, kind) = holder.owner();
            for row in rows.iter().filter(|row| row.owner_id == id && row.owner_kind == kind.raw()) {
                found.push((*holder, read(row)?));
            }
        }
        let counted = found.iter().filter(|(holder, _)| !matches!(holder, CapHolder::EachEndUser(_)));
        let counters = self.load_counters(counted.map(|(_, cap)| *cap), now_us).await?;
        let standing = |(holder, cap): &(CapHolder, Cap)| {
            let is_counted = !matches!(holder, CapHolder::EachEndUser(_));
            CapStanding::of(*holder, cap, is_counted.then(|| used(*cap, &counters, now_us)).flatten())
        };
        Ok(found.iter().map(standing).collect())
    }

    /// What limits one end user of a partner: its own caps, and those that the partner has for each.
    ///
    /// # Errors
    /// As for [`Self::list_caps_of`].
    pub async fn list_caps_on_end_user(
        &self,
        partner: PartnerId,
        user: EndUserId,
        now_us: i64,
    ) -> Result<Vec<CapStanding>, StoreError> {
        let own = self.list_caps_of(&[CapHolder::EndUser(user)], now_us).await?;
        let each = self.each_end_user_caps(partner, user.uuid()).await?;
        let each: Vec<Cap> = each.iter().map(|owned| owned.cap).collect();
        let counters = self.load_counters(each.iter().copied(), now_us).await?;
        let holder = CapHolder::EachEndUser(partner);
        let each = each.iter().map(|cap| CapStanding::of(holder, cap, used(*cap, &counters, now_us)));
        Ok(own.into_iter().chain(each).collect())
    }

    /// Counters of `caps` in the windows that contain `now_us`.
    pub(super) async fn load_counters(
        &self,
        caps: impl Iterator<Item = Cap>,
        now_us: i64,
    ) -> Result<HashMap<CounterKey, Counter>, StoreError> {
        use entity::cap_window::Column;
        let keys: Vec<CounterKey> = caps.filter_map(|cap| CapUse::at(cap, now_us).counter()).collect();
        if keys.is_empty() {
            return Ok(HashMap::new());
        }
        let starts = [CapWindow::Day, CapWindow::Month, CapWindow::Total].map(|window| window.bounds(now_us).0);
        let rows = entity::cap_window::Entity::find()
            .filter(Column::CapId.is_in(keys.iter().map(|key| key.cap.uuid())))
            .filter(Column::StartUs.is_in(starts))
            .all(self.db.readers())
            .await?;
        let counter = |row: entity::cap_window::Model| {
            let key = CounterKey { cap: CapId::from(row.cap_id), start_us: row.start_us };
            (key, Counter { spent: row.spent, held: row.held })
        };
        Ok(rows.into_iter().map(counter).collect())
    }

    /// Limits what a holder spends in a window, on every server within a second. `was` is what whoever asks believes the
    /// limit to be, in micro-credits; `None`: that there is none. A changed limit keeps its count, a new one begins at zero.
    /// Says whether anything had to be changed.
    ///
    /// # Errors
    /// There is nobody to limit, the limit or the reason cannot be used, the limit is another one than `was`, or the
    /// database failed.
    pub async fn set_cap(
        &self,
        by: &OpContext,
        (holder, window): (CapHolder, CapWindow),
        (was, limit): (Option<Credits>, Credits),
        reason: &str,
    ) -> Result<bool, CapError> {
        if limit.is_negative() {
            return Err(CapError::Negative);
        }
        if !is_reason(reason) {
            return Err(CapError::Reason);
        }
        if !self.is_cap_holder(holder).await? {
            return Err(CapError::NoHolder);
        }
        let known = self.find_cap_row(holder, window).await?;
        let now = known.as_ref().map(|row| Credits::from_micros(row.limit_credits));
        if now == Some(limit) {
            return Ok(false);
        }
        if now != was {
            return Err(CapError::Changed { now });
        }
        let (mut unit, now_us) = (UnitOfWork::new(), self.clock.now_us());
        let (owner_id, kind) = holder.owner();
        let row = if let Some(row) = known {
            let update = entity::cap::Entity::update_many()
                .set(entity::cap::ActiveModel { limit_credits: Set(limit.micros()), ..Default::default() })
                .filter(entity::cap::Column::Id.eq(row.id))
                .filter(entity::cap::Column::LimitCredits.eq(row.limit_credits));
            unit.one(self.db.backend(), &update);
            entity::cap::Model { limit_credits: limit.micros(), ..row }
        } else {
            let row = entity::cap::Model {
                id: CapId::new(&*self.ids, now_us).uuid(),
                owner_id,
                owner_kind: kind.raw(),
                window: window.raw(),
                limit_credits: limit.micros(),
                created_us: now_us,
            };
            unit.one(self.db.backend(), &entity::cap::Entity::insert(row.clone().into_active_model()));
            row
        };
        self.state(&mut unit, &row, now_us);
        let told = told_of(by, (holder, window), (was, Some(limit))).because(reason);
        self.save_cap(unit, told, (holder, window)).await.map(|()| true)
    }

    /// Lifts a limit, on every server within a second. One that is set anew counts from zero. `was` as for
    /// [`Self::set_cap`].
    ///
    /// # Errors
    /// There is no such limit, it is another one than `was`, the reason cannot be used, or the database failed.
    pub async fn remove_cap(
        &self,
        by: &OpContext,
        (holder, window): (CapHolder, CapWindow),
        was: Credits,
        reason: &str,
    ) -> Result<(), CapError> {
        if !is_reason(reason) {
            return Err(CapError::Reason);
        }
        let row = self.find_cap_row(holder, window).await?.ok_or(CapError::NotFound)?;
        let now = Some(Credits::from_micros(row.limit_credits));
        if now != Some(was) {
            return Err(CapError::Changed { now });
        }
        let (mut unit, now_us) = (UnitOfWork::new(), self.clock.now_us());
        let delete = entity::cap::Entity::delete_many()
            .filter(entity::cap::Column::Id.eq(row.id))
            .filter(entity::cap::Column::LimitCredits.eq(row.limit_credits));
        unit.one(self.db.backend(), &delete);
        self.retract(&mut unit, &row, now_us);
        let told = told_of(by, (holder, window), (now, None)).because(reason);
        self.save_cap(unit, told, (holder, window)).await
    }

    async fn save_cap(
        &self,
        mut unit: UnitOfWork,
        told: AuditEntry,
        (holder, window): (CapHolder, CapWindow),
    ) -> Result<(), CapError> {
        self.bump_version(&mut unit, "access");
        match self.ledger.save(unit.audited(told)).await {
            Ok(_) => {
                self.forget_access();
                Ok(())
            }
            Err(NotSaved::Conflict { .. }) => {
                let row = self.find_cap_row(holder, window).await?;
                Err(CapError::Changed { now: row.map(|row| Credits::from_micros(row.limit_credits)) })
            }
            Err(not_saved) => Err(unexpected("cap", not_saved).into()),
        }
    }

    async fn find_cap_row(
        &self,
        holder: CapHolder,
        window: CapWindow,
    ) -> Result<Option<entity::cap::Model>, StoreError> {
        let (owner, kind) = holder.owner();
        Ok(entity::cap::Entity::find()
            .filter(entity::cap::Column::OwnerId.eq(owner))
            .filter(entity::cap::Column::OwnerKind.eq(kind.raw()))
            .filter(entity::cap::Column::Window.eq(window.raw()))
            .one(self.db.readers())
            .await?)
    }

    /// The cap of a holder in a window, as it is set: of each end user it counts for none.
    pub(super) async fn find_cap(&self, holder: CapHolder, window: CapWindow) -> Result<Option<Cap>, StoreError> {
        self.find_cap_row(holder, window).await?.as_ref().map(read).transpose()
    }

    async fn is_cap_holder(&self, holder: CapHolder) -> Result<bool, StoreError> {
        let readers = self.db.readers();
        let (id, _) = holder.owner();
        Ok(match holder {
            CapHolder::Account(_) => entity::account::Entity::find_by_id(id).one(readers).await?.is_some(),
            CapHolder::Token(_) => {
                let token = entity::token::Entity::find_by_id(id).one(readers).await?;
                token.is_some_and(|row| row.revoked_us.is_none())
            }
            CapHolder::Partner(_) | CapHolder::EachEndUser(_) => {
                entity::partner::Entity::find_by_id(id).one(readers).await?.is_some()
            }
            CapHolder::EndUser(_) => entity::end_user::Entity::find_by_id(id).one(readers).await?.is_some(),
        })
    }
}

fn read(row: &entity::cap::Model) -> Result<Cap, StoreError> {
    let broken = || StoreError::Inconsistent { table: "cap", what: row.id.to_string() };
    Ok(Cap {
        id: CapId::from(row.id),
        window: CapWindow::from_raw(row.window).ok_or_else(broken)?,
        limit: Credits::from_micros(row.limit_credits),
    })
}

fn used(cap: Cap, counters: &HashMap<CounterKey, Counter>, now_us: i64) -> Option<CapUsed> {
    let cap = CapUse::at(cap, now_us);
    let counter = counters.get(&cap.counter()?).copied().unwrap_or_default();
    let (spent, held) = (Credits::from_micros(counter.spent), Credits::from_micros(counter.held));
    Some(CapUsed { spent, held, resets_us: cap.resets_us })
}

/// What the audit trail tells: of the holder, so that its own page shows it.
pub(super) fn told_of(
    by: &OpContext,
    (holder, window): (CapHolder, CapWindow),
    (before, after): (Option<Credits>, Option<Credits>),
) -> AuditEntry {
    let (kind, id) = holder.named();
    let (_, per) = holder.owner();
    let facts = |limit: Option<Credits>| -> Value {
        let credits = limit.map(|limit| limit.to_string());
        json!({"per": per.as_str(), "window": window.as_str(), "credits": credits})
    };
    by.entry(Action::CapSet, kind, id).before(facts(before)).after(facts(after))
}

#[cfg(test)]
mod tests;
