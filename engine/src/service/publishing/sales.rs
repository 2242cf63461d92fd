//! What a publisher's tools have earned, and what became of their calls. Nothing here tells who called.

use std::collections::HashSet;

use sea_orm::{
    ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Query, SelectStatement},
};
use serde_json::json;
use uuid::Uuid;

use super::PublishingError;
use crate::{
    audit::{Action, OpContext},
    credits::Credits,
    id::{InvocationId, NamespaceId, PublisherId, ToolId, made_us},
    invocation::{CallOutcome, CallState},
    service::{
        Services,
        catalog::{Earnings, PublisherProfile},
        invocations::Wanted,
        journal::EarnedDays,
        outbox::unexpected,
    },
    store::{NotSaved, StoreError, UnitOfWork, entity, newest, sales, usage::Sum},
};

/// How many calls are shown, and how many warnings.
const CALLS_SHOWN: usize = 100;
/// How many of the newest calls of all tools are looked at in one step, and in how many steps: calls have no index by tool.
const LOOKED_AT: i64 = 20_000;
const STEPS_MAX: usize = 5;

/// What a publisher sold in some time: calls by when they came in, as far as they were counted. What went back later is in
/// the books, and not here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SalesSummary {
    /// By days, the earliest first; without those on which nobody called.
    pub days: Vec<SalesDay>,
    /// By namespaces, by name.
    pub namespaces: Vec<SalesOfNamespace>,
    /// Calls that came in before this moment are all in it, in microseconds since the Unix epoch.
    pub counted_until_us: i64,
}

/// A day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SalesDay {
    /// When it began in UTC, in microseconds since the Unix epoch.
    pub start_us: i64,
    /// How many calls there were, whatever came of them.
    pub calls: i64,
    /// How many of them were charged.
    pub paid_calls: i64,
    /// What they were charged, in micro-credits.
    pub charged: Credits,
}

/// A namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SalesOfNamespace {
    /// Which.
    pub id: NamespaceId,
    /// Its slug now.
    pub name: String,
    /// How many calls there were, whatever came of them.
    pub calls: i64,
    /// How many of them were charged.
    pub paid_calls: i64,
    /// What they were charged, in micro-credits.
    pub charged: Credits,
}

/// A call as the publisher of its tool sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnCall {
    /// Which.
    pub id: InvocationId,
    /// What was called: `namespace/tool`, as it is called now.
    pub tool: (ToolId, String),
    /// Where it stands.
    pub state: CallState,
    /// What came of it.
    pub outcome: CallOutcome,
    /// Charged, in micro-credits.
    pub charged: Credits,
    /// By how many micro-credits its cost was above what was held for it.
    pub shortfall: Credits,
    /// What was wrong with the cost that the tool said.
    pub warning: Option<String>,
    /// The publisher has seen that.
    pub is_acknowledged: bool,
    /// The public error code that the caller was told.
    pub error: Option<String>,
    /// Accepted, in microseconds since the Unix epoch.
    pub created_us: i64,
    /// Ended, in microseconds since the Unix epoch.
    pub ended_us: Option<i64>,
}

/// The latest calls of a publisher's tools.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnCalls {
    /// The newest first, at most a hundred.
    pub rows: Vec<OwnCall>,
    /// There may be older ones: calls since this moment (microseconds since the Unix epoch) were looked at.
    pub looked_back_to_us: Option<i64>,
    /// Those with a warning that was not acknowledged, however long ago: the newest first, at most a hundred.
    pub warnings: Vec<OwnCall>,
}

impl Services {
    /// What a publisher has earned altogether, and on each of the last days.
    ///
    /// # Errors
    /// There is no such publisher, or the database failed.
    pub async fn load_own_earnings(&self, publisher: PublisherId) -> Result<(Earnings, EarnedDays), PublishingError> {
        let profile: Option<PublisherProfile> = self.find_publisher(&publisher.to_string()).await?;
        let profile = profile.ok_or(PublishingError::NotAPublisher)?;
        Ok((self.load_earnings(&profile).await?, self.load_earned_days(&profile).await?))
    }

    /// What a publisher sold on the days from `from_us` on and before `to_us` (microseconds since the Unix epoch).
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn load_sales(
        &self,
        publisher: PublisherId,
        from_us: i64,
        to_us: i64,
    ) -> Result<SalesSummary, StoreError> {
        // Before the sums: what is counted meanwhile is in them, and not promised.
        let counted_until_us = self.counted_sales_until().await?;
        let readers = self.db.readers();
        let days = sales::days(readers, publisher.uuid(), (from_us, to_us)).await?;
        let namespaces = sales::namespaces(readers, publisher.uuid(), (from_us, to_us)).await?;
        let day = |(start_us, Sum { calls, paid_calls, charged }): (i64, Sum)| SalesDay {
            start_us,
            calls,
            paid_calls,
            charged: Credits::from_micros(charged),
        };
        let namespace = |(id, name, Sum { calls, paid_calls, charged }): (Uuid, String, Sum)| SalesOfNamespace {
            id: id.into(),
            name,
            calls,
            paid_calls,
            charged: Credits::from_micros(charged),
        };
        Ok(SalesSummary {
            days: days.into_iter().map(day).collect(),
            namespaces: namespaces.into_iter().map(namespace).collect(),
            counted_until_us,
        })
    }

    /// The latest calls of a publisher's tools, among the newest hundred thousand of all tools, and its warnings among all calls.
    ///
    /// # Errors
    /// The database cannot be read, or holds a call that makes no sense.
    pub async fn list_own_calls(&self, publisher: PublisherId) -> Result<OwnCalls, StoreError> {
        use entity::invocation::{Column, Entity};
        let (mut rows, mut below, mut looked_back_to_us) = (Vec::new(), Uuid::max(), None);
        for _ in 0..STEPS_MAX {
            let floor = newest::floor(self.db.readers(), "invocation", (Uuid::nil(), below), LOOKED_AT).await?;
            let left = CALLS_SHOWN.saturating_sub(rows.len());
            let found = Entity::find()
                .filter(Column::Id.gte(floor.unwrap_or_default()))
                .filter(Column::Id.lt(below))
                .filter(Column::ToolId.in_subquery(tools_of(publisher)))
                .order_by_desc(Column::Id)
                .limit(u64::try_from(left).unwrap_or(0));
            rows.extend(found.all(self.db.readers()).await?);
            looked_back_to_us = floor.map(made_us);
            let Some(floor) = floor.filter(|_| rows.len() < CALLS_SHOWN) else { break };
            below = floor;
        }
        let is_full = rows.len() >= CALLS_SHOWN;
        let warned = sales::warned(self.db.readers(), publisher.uuid(), CALLS_SHOWN).await?;
        let warned = Entity::find().filter(Column::Id.is_in(warned)).order_by_desc(Column::Id);
        Ok(OwnCalls {
            rows: self.own_calls(rows).await?,
            looked_back_to_us: looked_back_to_us.filter(|_| !is_full),
            warnings: self.own_calls(warned.all(self.db.readers()).await?).await?,
        })
    }

    async fn own_calls(&self, rows: Vec<entity::invocation::Model>) -> Result<Vec<OwnCall>, StoreError> {
        let wanted = Wanted { tools: rows.iter().filter_map(|row| row.tool_id).collect(), ..Wanted::default() };
        let names = self.load_names(wanted).await?.tools;
        let acknowledged = self.acknowledged(rows.iter().map(|row| row.id).collect()).await?;
        let view = |row: &entity::invocation::Model| {
            let tool = row.tool_id.unwrap_or_default();
            let name = names.get(&tool).cloned().unwrap_or_default();
            own_call(row, (tool.into(), name), acknowledged.contains(&row.id))
        };
        rows.iter().map(view).collect()
    }

    async fn acknowledged(&self, calls: Vec<Uuid>) -> Result<HashSet<Uuid>, StoreError> {
        use entity::acknowledged_call::{Column, Entity};
        if calls.is_empty() {
            return Ok(HashSet::new());
        }
        let rows = Entity::find().filter(Column::Call.is_in(calls)).all(self.db.readers()).await?;
        Ok(rows.into_iter().map(|row| row.call).collect())
    }

    /// Notes that a publisher has seen the warning of a call of one of its tools. Again is no change.
    ///
    /// # Errors
    /// There is no such call of its tools, or it has no warning, and see [`PublishingError`].
    pub async fn acknowledge_call(
        &self,
        by: &OpContext,
        publisher: PublisherId,
        id: InvocationId,
    ) -> Result<OwnCall, PublishingError> {
        use entity::invocation::{Column, Entity};
        let row = Entity::find_by_id(id.uuid()).filter(Column::ToolId.in_subquery(tools_of(publisher)));
        let row = row.one(self.db.readers()).await?.ok_or(PublishingError::NotFound("call"))?;
        if row.warning.is_none() {
            return Err(PublishingError::conflict("this call has no warning"));
        }
        if self.acknowledged(vec![row.id]).await?.is_empty() {
            let seen = entity::acknowledged_call::Model {
                call: row.id,
                publisher_id: publisher.uuid(),
                created_us: self.clock.now_us(),
            };
            let mut unit = UnitOfWork::new();
            unit.one(self.db.backend(), &entity::acknowledged_call::Entity::insert(seen.into_active_model()));
            let facts = |is_acknowledged: bool| json!({"warning_acknowledged": is_acknowledged});
            let told = by.entry(Action::CallAcknowledge, "invocation", id);
            let told = told.before(facts(false)).after(facts(true));
            match self.ledger.save(unit.audited(told)).await {
                // The same request at the same moment.
                Ok(_) | Err(NotSaved::Conflict { .. }) => {}
                Err(not_saved) => return Err(unexpected("acknowledged_call", not_saved).into()),
            }
        }
        let tool = row.tool_id.unwrap_or_default();
        Ok(own_call(&row, (tool.into(), self.path_of(tool)), true)?)
    }
}

/// The tools of a publisher.
fn tools_of(publisher: PublisherId) -> SelectStatement {
    let namespaces = Query::select()
        .column(entity::namespace::Column::Id)
        .from(entity::namespace::Entity)
        .and_where(entity::namespace::Column::PublisherId.eq(publisher.uuid()))
        .to_owned();
    Query::select()
        .column(entity::tool::Column::Id)
        .from(entity::tool::Entity)
        .and_where(entity::tool::Column::NamespaceId.in_subquery(namespaces))
        .to_owned()
}

fn own_call(
    row: &entity::invocation::Model,
    tool: (ToolId, String),
    is_acknowledged: bool,
) -> Result<OwnCall, StoreError> {
    let id = InvocationId::from(row.id);
    let broken = || StoreError::Inconsistent { table: "invocation", what: id.to_string() };
    let state = CallState::from_raw(row.state).ok_or_else(broken)?;
    Ok(OwnCall {
        id,
        tool,
        state,
        outcome: CallOutcome::of(state, row.charged > 0),
        charged: Credits::from_micros(row.charged),
        shortfall: Credits::from_micros(row.shortfall),
        warning: row.warning.clone(),
        is_acknowledged,
        error: row.error.clone(),
        created_us: row.created_us,
        ended_us: row.ended_us,
    })
}
