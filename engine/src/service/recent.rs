//! Who has called lately: looked up among the newest calls, so that it costs the same however many there are.

use std::collections::{BTreeMap, HashMap};

use sea_orm::{EntityTrait, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::Services;
use crate::{
    credits::Credits,
    id::PartnerId,
    store::{
        StoreError,
        entity::invocation::{Column, Entity},
    },
};

/// How many of the newest calls are looked through. Calls have no index by who made them: that would slow every call.
pub const RECENT_CALLS: u64 = 10_000;

/// Who is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecentBy {
    /// Tokens.
    Token,
    /// Accounts.
    Account,
    /// Partners.
    Partner,
    /// End users of partners.
    EndUser,
}

/// Calls of somebody among the newest [`RECENT_CALLS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recent {
    /// How many.
    pub calls: i64,
    /// When the last one came, in microseconds since the Unix epoch.
    pub last_us: i64,
}

impl Recent {
    const NONE: Self = Self { calls: 0, last_us: i64::MIN };

    fn count(&mut self, created_us: i64) {
        self.calls = self.calls.saturating_add(1);
        self.last_us = self.last_us.max(created_us);
    }
}

/// What the end users of a partner did among the newest [`RECENT_CALLS`] calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecentUsers {
    /// Their calls, and what these were charged (in micro-credits, whatever of it went back later). Who is missing made none.
    pub users: HashMap<Uuid, (Recent, Credits)>,
    /// There may be older calls: those since this moment, in microseconds since the Unix epoch, were looked through.
    pub since_us: Option<i64>,
}

/// How many end users spent alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpendingClass {
    /// They spent so much or more, in micro-credits: a power of ten, or nothing.
    pub from: Credits,
    /// They spent less than this, in micro-credits: the next power of ten. `None` where that is more than there can be, and
    /// of those who spent nothing.
    pub below: Option<Credits>,
    /// How many they are.
    pub users: i64,
}

impl RecentUsers {
    /// The end users by what they spent. First those who called and spent nothing, if there are any; then class by class,
    /// each ten times as far as the one before, from the least that somebody spent to the most, with those between that
    /// nobody is in.
    pub fn spending(&self) -> Vec<SpendingClass> {
        spending_classes(self.users.values().map(|(_, charged)| *charged))
    }
}

impl Services {
    /// Who made the newest [`RECENT_CALLS`] calls. Who is missing made none of them. The primary key serves this: it rises
    /// with time.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn recent_calls(&self, by: RecentBy) -> Result<HashMap<Uuid, Recent>, StoreError> {
        let column = match by {
            RecentBy::Token => Column::TokenId,
            RecentBy::Account => Column::AccountId,
            RecentBy::Partner => Column::PartnerId,
            RecentBy::EndUser => Column::EndUserId,
        };
        let calls: Vec<(Option<Uuid>, i64)> = Entity::find()
            .select_only()
            .column(column)
            .column(Column::CreatedUs)
            .order_by_desc(Column::Id)
            .limit(RECENT_CALLS)
            .into_tuple()
            .all(self.db.readers())
            .await?;
        let mut found: HashMap<Uuid, Recent> = HashMap::new();
        for (who, created_us) in calls {
            let Some(who) = who else { continue };
            found.entry(who).or_insert(Recent::NONE).count(created_us);
        }
        Ok(found)
    }

    /// What the end users of `partner` did among the newest [`RECENT_CALLS`] calls of everybody. As [`Self::recent_calls`],
    /// it reads along the primary key.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn recent_users(&self, partner: PartnerId) -> Result<RecentUsers, StoreError> {
        let calls: Vec<(Option<Uuid>, Option<Uuid>, i64, i64)> = Entity::find()
            .select_only()
            .columns([Column::PartnerId, Column::EndUserId, Column::Charged, Column::CreatedUs])
            .order_by_desc(Column::Id)
            .limit(RECENT_CALLS)
            .into_tuple()
            .all(self.db.readers())
            .await?;
        let is_full = u64::try_from(calls.len()).is_ok_and(|count| count >= RECENT_CALLS);
        let since_us = calls.last().filter(|_oldest| is_full).map(|(.., created_us)| *created_us);
        let mut users: HashMap<Uuid, (Recent, Credits)> = HashMap::new();
        for (of, user, charged, created_us) in calls {
            let Some(user) = user.filter(|_user| of == Some(partner.uuid())) else { continue };
            let (seen, spent) = users.entry(user).or_insert((Recent::NONE, Credits::ZERO));
            seen.count(created_us);
            *spent = spent.checked_add(Credits::from_micros(charged)).unwrap_or(Credits::MAX);
        }
        Ok(RecentUsers { users, since_us })
    }
}

/// See [`RecentUsers::spending`].
fn spending_classes(amounts: impl Iterator<Item = Credits>) -> Vec<SpendingClass> {
    let mut by_power: BTreeMap<Option<u32>, i64> = BTreeMap::new();
    for amount in amounts {
        // Of what is not above zero there is no power.
        let users = by_power.entry(amount.micros().checked_ilog10()).or_default();
        *users = users.saturating_add(1);
    }
    let mut classes = Vec::new();
    if let Some(users) = by_power.remove(&None) {
        classes.push(SpendingClass { from: Credits::ZERO, below: None, users });
    }
    let powers = || by_power.keys().copied().flatten();
    if let (Some(least), Some(most)) = (powers().min(), powers().max()) {
        let power_of = |power: u32| 10_i64.checked_pow(power).map(Credits::from_micros);
        classes.extend((least..=most).map(|power| SpendingClass {
            from: power_of(power).unwrap_or(Credits::MAX),
            below: power_of(power.saturating_add(1)),
            users: by_power.get(&Some(power)).copied().unwrap_or(0),
        }));
    }
    classes
}

#[cfg(test)]
mod tests;
