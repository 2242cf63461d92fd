//! Who has called lately: looked up among the newest calls, so that it costs the same however many there are.

use std::collections::{BTreeMap, HashMap, HashSet};

use sea_orm::{EntityTrait, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::Services;
use crate::{
    credits::Credits,
    id::{EndUserId, PartnerId, TokenId},
    invocation::CallState,
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

/// Since when the newest calls were looked through, in microseconds since the Unix epoch, where there may be older ones than
/// these [`RECENT_CALLS`]; `created_us` says of each when it came.
pub(super) fn looked_through_since<Call>(newest: &[Call], created_us: impl Fn(&Call) -> i64) -> Option<i64> {
    let is_full = u64::try_from(newest.len()).is_ok_and(|count| count >= RECENT_CALLS);
    newest.last().filter(|_oldest| is_full).map(created_us)
}

/// In how many parts the time of the newest calls is divided.
pub const USE_PARTS: usize = 24;

/// What a token did among the newest [`RECENT_CALLS`] calls of everybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenUse {
    /// Its calls.
    pub recent: Recent,
    /// Those of them that were turned away: denied by a policy, or refused for want of credits or because of a limit.
    pub turned_away: i64,
    /// Its calls in each of [`USE_PARTS`] equal parts of the time, the earliest first.
    pub calls: Vec<i64>,
    /// Those of them that were turned away.
    pub turned_away_calls: Vec<i64>,
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

impl SpendingClass {
    /// Whoever spent so much is in it.
    pub fn has(&self, spent: Credits) -> bool {
        match self.below {
            None if self.from.is_zero() => spent <= Credits::ZERO,
            below => spent >= self.from && below.is_none_or(|below| spent < below),
        }
    }
}

impl RecentUsers {
    /// What one of them was charged; `None` if it made none of these calls.
    pub fn spent_by(&self, user: EndUserId) -> Option<Credits> {
        self.users.get(&user.uuid()).map(|(_, charged)| *charged)
    }

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

    /// What these tokens did among the newest [`RECENT_CALLS`] calls of everybody. Who is missing made none of them. As
    /// [`Self::recent_calls`], it reads along the primary key.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn recent_tokens(&self, of: &[TokenId]) -> Result<HashMap<Uuid, TokenUse>, StoreError> {
        if of.is_empty() {
            return Ok(HashMap::new());
        }
        let calls: Vec<(Option<Uuid>, i16, i64)> = Entity::find()
            .select_only()
            .columns([Column::TokenId, Column::State, Column::CreatedUs])
            .order_by_desc(Column::Id)
            .limit(RECENT_CALLS)
            .into_tuple()
            .all(self.db.readers())
            .await?;
        let of: HashSet<Uuid> = of.iter().map(|token| token.uuid()).collect();
        Ok(uses(&calls, &of, self.clock.now_us()))
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
        let since_us = looked_through_since(&calls, |(.., created_us)| *created_us);
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

/// The calls of these tokens in parts of the time from the oldest of all `calls` to `now_us`. Of each call: whose token, the
/// stored state, and when it came, in microseconds since the Unix epoch.
fn uses(calls: &[(Option<Uuid>, i16, i64)], of: &HashSet<Uuid>, now_us: i64) -> HashMap<Uuid, TokenUse> {
    let first_us = calls.iter().map(|(.., created_us)| *created_us).min().unwrap_or(now_us);
    let parts = i64::try_from(USE_PARTS).unwrap_or(1);
    let step = now_us.saturating_sub(first_us).checked_div(parts).unwrap_or(0).saturating_add(1);
    let mut found: HashMap<Uuid, TokenUse> = HashMap::new();
    for (token, state, created_us) in calls {
        let Some(token) = token.filter(|token| of.contains(token)) else { continue };
        let seen = found.entry(token).or_insert_with(|| TokenUse {
            recent: Recent::NONE,
            turned_away: 0,
            calls: vec![0; USE_PARTS],
            turned_away_calls: vec![0; USE_PARTS],
        });
        seen.recent.count(*created_us);
        let is_away = matches!(CallState::from_raw(*state), Some(CallState::Denied | CallState::Refused));
        seen.turned_away = seen.turned_away.saturating_add(i64::from(is_away));
        let part = usize::try_from(created_us.saturating_sub(first_us).checked_div(step).unwrap_or(0)).unwrap_or(0);
        let part = part.min(USE_PARTS.saturating_sub(1));
        let add = |sums: &mut Vec<i64>, more: i64| {
            if let Some(sum) = sums.get_mut(part) {
                *sum = sum.saturating_add(more);
            }
        };
        add(&mut seen.calls, 1);
        add(&mut seen.turned_away_calls, i64::from(is_away));
    }
    found
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
