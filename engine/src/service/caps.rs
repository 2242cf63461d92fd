//! Limits on spending as operators see, set and lift them. What they mean for a call is decided in `ledger::caps`.

use std::collections::HashMap;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Services, access::CapOwner, accounts::REASON_CHARS_MAX};
use crate::{
    audit::{Action, AuditEntry, OpContext},
    credits::Credits,
    id::{AccountId, CapId, EndUserId, PartnerId, TokenId},
    ledger::caps::{Cap, CapUse, CapWindow, Counter, CounterKey},
    store::{StoreError, UnitOfWork, entity},
};

mod change;
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
    /// An operator or the configuration set it, and whom it limits asks.
    #[error("this limit was set by the operator, who alone changes it")]
    Imposed,
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

    /// Says whether there is somebody to limit. Of an end user `unit` says so, too: should it be erased in the meantime,
    /// nothing of the unit happens. One that is erased is limited by operators alone, and only while limits on it wait.
    async fn add_cap_holder(
        &self,
        unit: &mut UnitOfWork,
        holder: CapHolder,
        is_imposed: bool,
    ) -> Result<bool, StoreError> {
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
            CapHolder::EndUser(user) => self.add_limited_end_user(unit, user, is_imposed).await?,
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
