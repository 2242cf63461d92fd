//! Calls as operators list them: the newest first, by their identifiers, which are times.
//!
//! The table of calls has one index, its primary key: every further one would cost every paid call. So a list that is
//! narrowed by time is exactly as quick as one that is not, and one that is narrowed by anything else looks at
//! [`CALLS_LOOKED_AT`] calls at most and then says how far it has come: the next page goes on there.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};
use uuid::Uuid;

use super::{Names, Wanted};
use crate::{
    credits::Credits,
    id::{AccountId, EndUserId, InvocationId, PartnerId, ToolId, first_at},
    invocation::{CallOutcome, CallState, Surface},
    service::Services,
    store::{StoreError, entity, newest},
};

/// How many calls a page looks at where they are narrowed by more than their time.
pub const CALLS_LOOKED_AT: i64 = 20_000;
/// How many calls a page has at most.
pub const CALLS_PAGE_MAX: u64 = 1_000;

/// Which calls are wanted. What is `None` does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallFilter {
    /// Of this account.
    pub account: Option<AccountId>,
    /// Of this partner, for any of its end users.
    pub partner: Option<PartnerId>,
    /// For this end user.
    pub end_user: Option<EndUserId>,
    /// Of this tool.
    pub tool: Option<ToolId>,
    /// That came to this.
    pub outcome: Option<CallOutcome>,
    /// In this state, which says more than the outcome.
    pub state: Option<CallState>,
    /// Told this error code.
    pub error: Option<String>,
    /// Through this endpoint.
    pub surface: Option<Surface>,
    /// Not before this time, in microseconds since the Unix epoch; exact to the millisecond.
    pub from_us: Option<i64>,
    /// Before this time, in microseconds since the Unix epoch; exact to the millisecond.
    pub to_us: Option<i64>,
}

impl CallFilter {
    /// Narrowed by something that no index serves.
    const fn is_selective(&self) -> bool {
        self.account.is_some()
            || self.partner.is_some()
            || self.end_user.is_some()
            || self.tool.is_some()
            || self.outcome.is_some()
            || self.state.is_some()
            || self.error.is_some()
            || self.surface.is_some()
    }

    fn narrow(&self, query: Select<entity::invocation::Entity>) -> Select<entity::invocation::Entity> {
        use entity::invocation::Column;
        let mut query = query;
        if let Some(account) = self.account {
            query = query.filter(Column::AccountId.eq(account.uuid()));
        }
        if let Some(partner) = self.partner {
            query = query.filter(Column::PartnerId.eq(partner.uuid()));
        }
        if let Some(end_user) = self.end_user {
            query = query.filter(Column::EndUserId.eq(end_user.uuid()));
        }
        if let Some(tool) = self.tool {
            query = query.filter(Column::ToolId.eq(tool.uuid()));
        }
        if let Some(outcome) = self.outcome {
            let (states, is_charged) = outcome.states();
            query = query.filter(Column::State.is_in(states.into_iter().map(CallState::raw)));
            query = match is_charged {
                Some(true) => query.filter(Column::Charged.gt(0)),
                Some(false) => query.filter(Column::Charged.eq(0)),
                None => query,
            };
        }
        if let Some(state) = self.state {
            query = query.filter(Column::State.eq(state.raw()));
        }
        if let Some(error) = &self.error {
            query = query.filter(Column::Error.eq(error));
        }
        if let Some(surface) = self.surface {
            query = query.filter(Column::Surface.eq(surface.raw()));
        }
        query
    }
}

/// A call with the names of those who take part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedCall {
    /// Which.
    pub id: InvocationId,
    /// Through which endpoint; `None` if the record makes no sense.
    pub surface: Option<Surface>,
    /// Where it stands.
    pub state: CallState,
    /// What came of it.
    pub outcome: CallOutcome,
    /// What was called, if it existed: its name with its namespace.
    pub tool: Option<(ToolId, String)>,
    /// On the gateway: what was called, in the caller's words.
    pub requested: Option<String>,
    /// The account that called, with its address.
    pub account: Option<(AccountId, String)>,
    /// The partner that called.
    pub partner: Option<(PartnerId, String)>,
    /// For whom it called, in the partner's own words.
    pub end_user: Option<(EndUserId, String)>,
    /// Reserved at its beginning, in micro-credits.
    pub held: Credits,
    /// Charged, in micro-credits.
    pub charged: Credits,
    /// The public error code that the caller was told.
    pub error: Option<String>,
    /// Accepted, in microseconds since the Unix epoch.
    pub created_us: i64,
    /// Ended, in microseconds since the Unix epoch.
    pub ended_us: Option<i64>,
}

/// A page of calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallPage {
    /// The newest first.
    pub rows: Vec<ListedCall>,
    /// What the next page begins behind; `None` if there is nothing more.
    pub next: Option<String>,
    /// The page ends here because so many calls have been looked at, not because it is full.
    pub looked_at: Option<i64>,
}

impl Services {
    /// The calls that `filter` wants, the newest first, from behind the one named by `after`: at most `count_max`, and never
    /// more than [`CALLS_PAGE_MAX`].
    ///
    /// # Errors
    /// The database cannot be read, or holds a call that makes no sense.
    pub async fn list_calls(
        &self,
        filter: &CallFilter,
        after: Option<Uuid>,
        count_max: u64,
    ) -> Result<CallPage, StoreError> {
        use entity::invocation::Column;
        let count = count_max.clamp(1, CALLS_PAGE_MAX);
        let mut from = filter.from_us.map_or(Uuid::nil(), first_at);
        let until = filter.to_us.map_or(Uuid::max(), first_at);
        let below = after.map_or(until, |after| after.min(until));
        let floor = if filter.is_selective() {
            newest::floor(self.db.readers(), "invocation", (from, below), CALLS_LOOKED_AT).await?
        } else {
            None
        };
        from = floor.unwrap_or(from);
        // A range of the primary key, read backwards.
        let range = entity::invocation::Entity::find().filter(Column::Id.gte(from)).filter(Column::Id.lt(below));
        let query = filter.narrow(range).order_by_desc(Column::Id).limit(count.saturating_add(1));
        let mut rows = query.all(self.db.readers()).await?;
        let shown = usize::try_from(count).unwrap_or(usize::MAX);
        let is_full = rows.len() > shown;
        rows.truncate(shown);
        let (next, looked_at) = match (is_full, floor) {
            (true, _) => (rows.last().map(|row| row.id), None),
            (false, Some(floor)) => (Some(floor), Some(CALLS_LOOKED_AT)),
            (false, None) => (None, None),
        };
        let names = self.load_names(wanted_of(&rows)).await?;
        let rows = rows.iter().map(|row| listed(row, &names)).collect::<Result<Vec<_>, _>>()?;
        Ok(CallPage { rows, next: next.map(|id| id.as_simple().to_string()), looked_at })
    }
}

/// Who takes part in these calls.
pub(super) fn wanted_of(rows: &[entity::invocation::Model]) -> Wanted {
    let mut wanted = Wanted::default();
    for row in rows {
        wanted.accounts.extend(row.account_id);
        wanted.partners.extend(row.partner_id);
        wanted.end_users.extend(row.end_user_id);
        wanted.tools.extend(row.tool_id);
    }
    wanted
}

/// A name, or what there is instead of one: those who take part in calls are never deleted.
fn named<T: From<Uuid> + ToString>(
    id: Option<Uuid>,
    names: &std::collections::HashMap<Uuid, String>,
) -> Option<(T, String)> {
    id.map(|id| {
        let typed = T::from(id);
        let name = names.get(&id).cloned().unwrap_or_else(|| typed.to_string());
        (typed, name)
    })
}

pub(super) fn listed(row: &entity::invocation::Model, names: &Names) -> Result<ListedCall, StoreError> {
    let id = InvocationId::from(row.id);
    let state = CallState::from_raw(row.state)
        .ok_or_else(|| StoreError::Inconsistent { table: "invocation", what: id.to_string() })?;
    Ok(ListedCall {
        id,
        surface: Surface::from_raw(row.surface),
        state,
        outcome: CallOutcome::of(state, row.charged > 0),
        tool: named(row.tool_id, &names.tools),
        requested: row.requested.clone(),
        account: named(row.account_id, &names.accounts),
        partner: named(row.partner_id, &names.partners),
        end_user: named(row.end_user_id, &names.end_users),
        held: Credits::from_micros(row.held),
        charged: Credits::from_micros(row.charged),
        error: row.error.clone(),
        created_us: row.created_us,
        ended_us: row.ended_us,
    })
}
