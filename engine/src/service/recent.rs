//! Who has called lately: looked up among the newest calls, so that it costs the same however many there are.

use std::collections::HashMap;

use sea_orm::{EntityTrait, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::Services;
use crate::store::{
    StoreError,
    entity::invocation::{Column, Entity},
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
            let seen = found.entry(who).or_insert(Recent { calls: 0, last_us: created_us });
            seen.calls = seen.calls.saturating_add(1);
            seen.last_us = seen.last_us.max(created_us);
        }
        Ok(found)
    }
}
