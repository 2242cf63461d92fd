//! Kill switches: a publisher, a namespace or a tool that cannot be called, on any server, from within a second on. What
//! is running ends as it would have; money and books stay.

use std::collections::HashSet;

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, UpdateMany};
use serde_json::json;
use uuid::Uuid;

use super::{
    CatalogError,
    latency::{Latency, Ran, latencies},
};
use crate::{
    audit::{Action, OpContext},
    catalog::{NamespaceState, PublisherState, ToolState},
    credits::Credits,
    id::{NamespaceId, PublisherId, ToolId, uuid_v7},
    invocation::CallState,
    service::{Services, accounts::is_reason},
    snapshot::Offer,
    store::{StoreError, UnitOfWork, entity},
};

/// How many of the newest calls are looked at to say how much something is used. There is no index by tool: it would
/// cost every paid call.
pub const RECENT_CALLS_MAX: u64 = 10_000;
/// How many tools a preview names.
pub const STOPPED_NAMED_MAX: usize = 20;
const US_PER_DAY: i64 = 86_400_000_000;

/// What a kill switch stops, or lets go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// All tools of a publisher.
    Publisher(PublisherId),
    /// All tools of a namespace.
    Namespace(NamespaceId),
    /// One tool.
    Tool(ToolId),
}

/// What a kill switch does, worked out without doing it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwitchEffect {
    /// How many tools stop, or go on: those that nothing else has stopped.
    pub tools: usize,
    /// Some of them, by name.
    pub named: Vec<String>,
    /// How much they were used lately.
    pub recent: RecentCalls,
}

/// How often some tools were called in the last 24 hours, as far as the newest [`RECENT_CALLS_MAX`] calls of all tools tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RecentCalls {
    /// Their calls.
    pub calls: u64,
    /// Those of them that were let through and failed.
    pub failed: u64,
    /// What they were charged, in micro-credits.
    pub charged: Credits,
    /// From when on, in microseconds since the Unix epoch: 24 hours ago, or later if there were more calls than were
    /// looked at.
    pub since_us: i64,
}

/// Of a call, what is counted.
type CallRow = (Option<Uuid>, i16, i64, i64, Option<i64>);

impl Services {
    /// Stops all tools of a publisher, or lets them go on.
    ///
    /// # Errors
    /// See [`CatalogError`].
    pub async fn set_publisher_suspended(
        &self,
        by: &OpContext,
        id: PublisherId,
        is_suspended: bool,
        reason: &str,
    ) -> Result<(), CatalogError> {
        use entity::publisher::{ActiveModel, Column, Entity};
        let row = Entity::find_by_id(id.uuid()).one(self.db.readers()).await?;
        let row = row.ok_or(CatalogError::NotFound("publisher"))?;
        let update = Entity::update_many()
            .set(ActiveModel { is_suspended: Set(is_suspended), ..Default::default() })
            .filter(Column::Id.eq(row.id))
            .filter(Column::IsSuspended.eq(!is_suspended));
        let action = if is_suspended { Action::PublisherSuspend } else { Action::PublisherResume };
        self.turn(by, (action, "publisher", &id.to_string()), (row.is_suspended, is_suspended), &update, reason).await
    }

    /// Stops all tools of a namespace, or lets them go on.
    ///
    /// # Errors
    /// See [`CatalogError`].
    pub async fn set_namespace_suspended(
        &self,
        by: &OpContext,
        id: NamespaceId,
        is_suspended: bool,
        reason: &str,
    ) -> Result<(), CatalogError> {
        use entity::namespace::{ActiveModel, Column, Entity};
        let row = Entity::find_by_id(id.uuid()).one(self.db.readers()).await?;
        let row = row.ok_or(CatalogError::NotFound("namespace"))?;
        // What its publisher has suspended an operator can suspend as well: then that one does not let it go on any more.
        let was = row.is_suspended && !(is_suspended && row.is_own_suspension);
        let update = Entity::update_many()
            .set(ActiveModel { is_suspended: Set(is_suspended), is_own_suspension: Set(false), ..Default::default() })
            .filter(Column::Id.eq(row.id))
            .filter(Column::IsSuspended.eq(row.is_suspended))
            .filter(Column::IsOwnSuspension.eq(row.is_own_suspension));
        let action = if is_suspended { Action::NamespaceSuspend } else { Action::NamespaceResume };
        self.turn(by, (action, "namespace", &id.to_string()), (was, is_suspended), &update, reason).await
    }

    /// Switches a tool off, or on.
    ///
    /// # Errors
    /// See [`CatalogError`].
    pub async fn set_tool_disabled(
        &self,
        by: &OpContext,
        id: ToolId,
        is_disabled: bool,
        reason: &str,
    ) -> Result<(), CatalogError> {
        use entity::tool::{ActiveModel, Column, Entity};
        let row = Entity::find_by_id(id.uuid()).one(self.db.readers()).await?;
        let row = row.ok_or(CatalogError::NotFound("tool"))?;
        let update = Entity::update_many()
            .set(ActiveModel { is_suspended: Set(is_disabled), ..Default::default() })
            .filter(Column::Id.eq(row.id))
            .filter(Column::IsSuspended.eq(!is_disabled));
        let action = if is_disabled { Action::ToolDisable } else { Action::ToolEnable };
        self.turn(by, (action, "tool", &id.to_string()), (row.is_suspended, is_disabled), &update, reason).await
    }

    /// Turns one switch. None of them is stated in the books: they decide over calls, not over money.
    async fn turn<E: EntityTrait>(
        &self,
        by: &OpContext,
        (action, kind, id): (Action, &'static str, &str),
        (was, is): (bool, bool),
        update: &UpdateMany<E>,
        reason: &str,
    ) -> Result<(), CatalogError> {
        if !is_reason(reason) {
            return Err(CatalogError::Reason);
        }
        if was == is {
            return Err(CatalogError::AlreadySo(is));
        }
        let facts = |is_stopped: bool| json!({"suspended": is_stopped});
        let told = by.entry(action, kind, id).before(facts(was)).after(facts(is)).because(reason);
        let mut unit = UnitOfWork::new();
        unit.one(self.db.backend(), update);
        self.bump_version(&mut unit, "catalog");
        if self.save_change(unit, told).await? { Ok(()) } else { Err(CatalogError::AlreadySo(is)) }
    }

    /// What turning this switch, in whichever direction, stops or lets go on.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn preview_switch(&self, switch: Switch) -> Result<SwitchEffect, StoreError> {
        let snapshot = self.snapshot();
        let offers = snapshot.offers().chain(snapshot.core_tools());
        let mut touched: Vec<(String, Uuid)> = offers
            .filter(|offer| is_decided_by(offer, switch))
            .map(|offer| (offer.path.clone(), offer.tool.id.uuid()))
            .collect();
        touched.sort_unstable();
        let tools: HashSet<Uuid> = touched.iter().map(|(_, id)| *id).collect();
        let now_us = self.clock.now_us();
        let rows = self.newest_calls(now_us.saturating_sub(US_PER_DAY)).await?;
        let recent = count_recent_calls(&rows, &tools, now_us);
        let named = touched.into_iter().take(STOPPED_NAMED_MAX).map(|(path, _)| path).collect();
        Ok(SwitchEffect { tools: tools.len(), named, recent })
    }

    /// How much a tool was used lately, and how long its calls took.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn recent_calls_of(&self, tool: ToolId) -> Result<(RecentCalls, Vec<Latency>), StoreError> {
        let now_us = self.clock.now_us();
        let rows = self.newest_calls(now_us.saturating_sub(US_PER_DAY)).await?;
        let recent = count_recent_calls(&rows, &HashSet::from([tool.uuid()]), now_us);
        let of_tool = rows.iter().filter(|(of, ..)| *of == Some(tool.uuid()));
        Ok((recent, latencies(&of_tool.filter_map(ran).collect::<Vec<_>>(), recent.since_us, now_us)))
    }

    /// How long the calls of all tools took that began at `from_us` (microseconds since the Unix epoch) or later, as far as
    /// they are among the newest [`RECENT_CALLS_MAX`]: then the time begins with the oldest of these.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn recent_latencies(&self, from_us: i64) -> Result<Vec<Latency>, StoreError> {
        let rows = self.newest_calls(from_us).await?;
        let is_whole = u64::try_from(rows.len()).unwrap_or(u64::MAX) < RECENT_CALLS_MAX;
        let oldest_us = rows.last().filter(|_| !is_whole).map(|(.., created_us, _)| *created_us);
        let ran: Vec<Ran> = rows.iter().filter_map(ran).collect();
        Ok(latencies(&ran, oldest_us.unwrap_or(from_us), self.clock.now_us()))
    }

    /// The newest [`RECENT_CALLS_MAX`] calls of all tools that began at `from_us` or later, the newest first. Identifiers
    /// begin with their time, so that the primary key finds them.
    pub(in crate::service) async fn newest_calls(&self, from_us: i64) -> Result<Vec<CallRow>, StoreError> {
        use entity::invocation::{Column, Entity};
        let rows = Entity::find()
            .select_only()
            .columns([Column::ToolId, Column::State, Column::Charged, Column::CreatedUs, Column::EndedUs])
            .filter(Column::Id.gte(uuid_v7(from_us, [0; 10])))
            .order_by_desc(Column::Id)
            .limit(RECENT_CALLS_MAX)
            .into_tuple()
            .all(self.db.readers())
            .await?;
        Ok(rows)
    }
}

/// What of the newest calls of all tools was of these `tools`.
fn count_recent_calls(rows: &[CallRow], tools: &HashSet<Uuid>, now_us: i64) -> RecentCalls {
    let day_ago_us = now_us.saturating_sub(US_PER_DAY);
    let is_whole = u64::try_from(rows.len()).unwrap_or(u64::MAX) < RECENT_CALLS_MAX;
    let oldest_us = rows.last().map_or(day_ago_us, |(.., created_us, _)| *created_us);
    let mut counted = RecentCalls { since_us: if is_whole { day_ago_us } else { oldest_us }, ..RecentCalls::default() };
    for (tool, state, charged, ..) in rows {
        if tool.is_some_and(|tool| tools.contains(&tool)) {
            counted.calls = counted.calls.saturating_add(1);
            counted.failed = counted.failed.saturating_add(u64::from(is_failure(*state)));
            counted.charged = counted.charged.checked_add(Credits::from_micros(*charged)).unwrap_or(Credits::MAX);
        }
    }
    counted
}

/// How long a call ran; `None` of one that was turned away, or that has not ended.
fn ran((_, state, _, created_us, ended_us): &CallRow) -> Option<Ran> {
    let was_let_in = !matches!(
        CallState::from_raw(*state),
        Some(CallState::Refused | CallState::Denied | CallState::Invalid) | None
    );
    ended_us.filter(|_| was_let_in).map(|ended_us| Ran {
        began_us: *created_us,
        took_us: ended_us.saturating_sub(*created_us).max(0),
        has_failed: is_failure(*state),
    })
}

fn is_failure(state: i16) -> bool {
    matches!(
        CallState::from_raw(state),
        Some(CallState::Failed | CallState::Unknown | CallState::UnknownReleased | CallState::UnknownCaptured)
    )
}

/// Whether this switch alone decides if `offer` can be called: it belongs to it, and no other one is off.
fn is_decided_by(offer: &Offer, switch: Switch) -> bool {
    let seller = offer.seller.as_ref();
    let publisher = seller.map(|seller| &seller.publisher);
    let namespace = seller.map(|seller| &seller.namespace);
    let is_publisher_on = publisher.is_none_or(|publisher| publisher.state == PublisherState::Active);
    let is_namespace_on = namespace.is_none_or(|namespace| namespace.state == NamespaceState::Active);
    let is_tool_on = offer.tool.state == ToolState::Active;
    match switch {
        Switch::Publisher(id) => publisher.is_some_and(|publisher| publisher.id == id) && is_namespace_on && is_tool_on,
        Switch::Namespace(id) => namespace.is_some_and(|namespace| namespace.id == id) && is_publisher_on && is_tool_on,
        Switch::Tool(id) => offer.tool.id == id && is_publisher_on && is_namespace_on,
    }
}
