//! Prices that are to come: a price version with a time in the future takes effect by itself, on every server, in the very
//! microsecond. It can be taken back before that. What was in force stays as it was, and a call keeps the price that it
//! began with.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, sea_query::Query};
use uuid::Uuid;

use super::{
    Services,
    accounts::{REASON_CHARS_MAX, is_reason},
    catalog::{price_facts, spec_to_json},
    outbox::unexpected,
};
use crate::{
    audit::{Action, OpContext},
    id::{PriceVersionId, ToolId},
    limits::IDEMPOTENCY_KEY_BYTES_MAX,
    pricing::{PriceError, PricingSpec},
    snapshot::Offer,
    store::{NotSaved, StoreError, UnitOfWork, entity},
};

mod cancel;
mod list;
mod plan;
mod trial;

pub use cancel::{CancelPriceError, PlannedCancel, PriceCancel};
pub use plan::{PlannedPrice, PriceOrder, PriceStart};
pub use trial::PriceTrial;

/// How long before it takes effect a price must be known, and cannot be taken back any more, in seconds: twice what every
/// server needs to hear of it.
pub const PRICE_LEAD_S: i64 = 2;
const PRICE_LEAD_US: i64 = PRICE_LEAD_S * 1_000_000;

/// A price version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceVersion {
    /// Which.
    pub id: PriceVersionId,
    /// Of which tool.
    pub tool: ToolId,
    /// The tool's namespace and name.
    pub path: String,
    /// From when on, in microseconds since the Unix epoch.
    pub effective_from_us: i64,
    /// The price as JSON, in the field names of the wire.
    pub spec: String,
    /// When it was made, in microseconds since the Unix epoch.
    pub created_us: i64,
    /// When it was taken back, in microseconds since the Unix epoch.
    pub cancelled_us: Option<i64>,
    /// The key was used before for the same: nothing was made now.
    pub is_replay: bool,
}

/// Why no price was scheduled.
#[derive(Debug, thiserror::Error)]
pub enum SchedulePriceError {
    /// There is no such tool.
    #[error("there is no tool `{0}`")]
    NoTool(String),
    /// The price makes no sense.
    #[error(transparent)]
    Price(#[from] PriceError),
    /// The past never changes, and the present not either.
    #[error("a price begins at least {PRICE_LEAD_S} seconds from now: the past never changes")]
    TooSoon,
    /// Another price begins at the same moment.
    #[error("{0} of the same tool begins at that moment: cancel it first")]
    Overlaps(PriceVersionId),
    /// The price would be the one before it.
    #[error("the tool has this price at that moment already")]
    Same,
    /// The key cannot be used.
    #[error("`key` has 1 to {IDEMPOTENCY_KEY_BYTES_MAX} bytes")]
    Key,
    /// The reason cannot be used.
    #[error("`reason` is one line of 1 to {REASON_CHARS_MAX} characters")]
    Reason,
    /// The key named another price.
    #[error("this key was used for {0}")]
    KeyReused(PriceVersionId),
    /// Another price than the one that was seen would be in force before it.
    #[error("the price before it has changed: look at it again")]
    Stale,
    /// Somebody else has to look at it.
    #[error("some call may cost more than at the price before: somebody else has to approve that")]
    Raises,
    /// Somebody else changed the catalog at the same moment.
    #[error("the catalog was changed at the same moment: try again")]
    Overtaken,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Services {
    /// Makes a price version of the tool `path` (`namespace/tool`, or the plain name of a core tool) that is in force from
    /// `from_us` (microseconds since the Unix epoch) on. The same `key` again gives the same version.
    ///
    /// # Errors
    /// There is no such tool, the price makes no sense, it begins too soon or when another one does, it changes nothing,
    /// the key named another one, or the database failed.
    pub async fn schedule_price(
        &self,
        by: &OpContext,
        path: &str,
        spec: &PricingSpec,
        from_us: i64,
        key: Option<&str>,
    ) -> Result<PriceVersion, SchedulePriceError> {
        let start = PriceStart::At(from_us);
        self.order_price(by, &PriceOrder { path, spec, start, key, reason: None, may_raise: true, over: None }).await
    }

    /// The same for an operator who says why, and who may not be allowed to make anything dearer.
    ///
    /// # Errors
    /// As for [`Self::schedule_price`]; or some call may become dearer, and that is not allowed.
    pub async fn order_price(
        &self,
        by: &OpContext,
        order: &PriceOrder<'_>,
    ) -> Result<PriceVersion, SchedulePriceError> {
        if order.key.is_some_and(|key| key.is_empty() || key.len() > IDEMPOTENCY_KEY_BYTES_MAX) {
            return Err(SchedulePriceError::Key);
        }
        if order.reason.is_some_and(|reason| !is_reason(reason)) {
            return Err(SchedulePriceError::Reason);
        }
        let now_us = self.clock.now_us();
        let (id, offer) = (PriceVersionId::new(&*self.ids, now_us), self.ordered_offer(order)?);
        if let Some(first) = self.find_keyed_price(order.key).await? {
            return self.replay(first, &offer, order).await;
        }
        let version = self.catalog_version().await?;
        let planned = self.plan(&offer, order, now_us).await?;
        if order.over.is_some() && order.over != planned.standing.as_ref().map(|standing| standing.id) {
            return Err(SchedulePriceError::Stale);
        }
        if planned.is_raise && !order.may_raise {
            return Err(SchedulePriceError::Raises);
        }
        let row = entity::price_version::Model {
            id: id.uuid(),
            tool_id: planned.tool.uuid(),
            effective_from_us: planned.effective_from_us,
            spec: planned.spec,
            created_us: now_us,
            key: order.key.map(str::to_owned),
        };
        let mut unit = UnitOfWork::new();
        self.add_price(&mut unit, row.clone(), now_us);
        self.bump_catalog_from(&mut unit, version);
        let mut told = by.entry(Action::PriceSchedule, "price", id).after(price_facts(
            &offer.path,
            &row.spec,
            row.effective_from_us,
        ));
        if let Some(standing) = &planned.standing {
            told = told.before(price_facts(&offer.path, &standing.spec, standing.effective_from_us));
        }
        if let Some(reason) = order.reason {
            told = told.because(reason);
        }
        match self.ledger.save(unit.audited(told)).await {
            Ok(_) => {}
            Err(NotSaved::Conflict { .. }) => {
                let first = self.find_keyed_price(order.key).await?.ok_or(SchedulePriceError::Overtaken)?;
                return self.replay(first, &offer, order).await;
            }
            Err(not_saved) => return Err(unexpected("price_version", not_saved).into()),
        }
        self.reload_snapshot().await?;
        Ok(view(row, &offer.path, None, false))
    }

    /// The version of a tool's price that is in force at `at_us` (microseconds since the Unix epoch), as far as is known.
    pub(super) async fn find_price_in_force(
        &self,
        tool: Uuid,
        at_us: i64,
    ) -> Result<Option<entity::price_version::Model>, StoreError> {
        let found = entity::price_version::Entity::find()
            .filter(entity::price_version::Column::ToolId.eq(tool))
            .filter(entity::price_version::Column::EffectiveFromUs.lte(at_us))
            .filter(entity::price_version::Column::Id.not_in_subquery(cancelled()))
            .order_by_desc(entity::price_version::Column::EffectiveFromUs);
        Ok(found.one(self.db.readers()).await?)
    }

    /// The next version of a tool's price behind `at_us` (microseconds since the Unix epoch) that was not taken back. By the
    /// index that keeps a tool from having two versions for a moment.
    async fn find_price_behind(
        &self,
        tool: Uuid,
        at_us: i64,
    ) -> Result<Option<entity::price_version::Model>, StoreError> {
        let found = entity::price_version::Entity::find()
            .filter(entity::price_version::Column::ToolId.eq(tool))
            .filter(entity::price_version::Column::EffectiveFromUs.gt(at_us))
            .filter(entity::price_version::Column::Id.not_in_subquery(cancelled()))
            .order_by_asc(entity::price_version::Column::EffectiveFromUs);
        Ok(found.one(self.db.readers()).await?)
    }

    /// The version that a key named before, also if it was taken back since.
    async fn replay(
        &self,
        first: entity::price_version::Model,
        offer: &Offer,
        order: &PriceOrder<'_>,
    ) -> Result<PriceVersion, SchedulePriceError> {
        let is_same_time = match order.start {
            // It may begin a few microseconds later than was asked for: see `first_free_moment`.
            PriceStart::At(from_us) => first.effective_from_us.saturating_sub(from_us).unsigned_abs() < 1_000,
            PriceStart::NotBefore(from_us) => first.effective_from_us >= from_us,
        };
        if first.tool_id != offer.tool.id.uuid() || first.spec != spec_to_json(order.spec) || !is_same_time {
            return Err(SchedulePriceError::KeyReused(first.id.into()));
        }
        let cancelled = entity::price_cancellation::Entity::find_by_id(first.id).one(self.db.readers()).await;
        let cancelled = cancelled.map_err(StoreError::from)?;
        Ok(view(first, &offer.path, cancelled.map(|row| row.cancelled_us), true))
    }

    async fn find_keyed_price(&self, key: Option<&str>) -> Result<Option<entity::price_version::Model>, StoreError> {
        let Some(key) = key else { return Ok(None) };
        let found = entity::price_version::Entity::find().filter(entity::price_version::Column::Key.eq(key));
        Ok(found.one(self.db.readers()).await?)
    }

    /// Adds to `unit` that the catalog's version rises, if it still is `version`: whatever was decided on is as it was.
    pub(super) fn bump_catalog_from(&self, unit: &mut UnitOfWork, version: i64) {
        self.bump_version_from(unit, "catalog", version);
    }

    /// The path of a tool, or its identifier if nobody here knows it.
    pub(super) fn path_of(&self, tool: Uuid) -> String {
        let snapshot = self.snapshot();
        let found = snapshot.offers().chain(snapshot.core_tools()).find(|offer| offer.tool.id.uuid() == tool);
        found.map_or_else(|| ToolId::from(tool).to_string(), |offer| offer.path.clone())
    }
}

/// The versions that were taken back.
fn cancelled() -> sea_orm::sea_query::SelectStatement {
    Query::select()
        .column(entity::price_cancellation::Column::PriceVersionId)
        .from(entity::price_cancellation::Entity)
        .to_owned()
}

fn view(row: entity::price_version::Model, path: &str, cancelled_us: Option<i64>, is_replay: bool) -> PriceVersion {
    PriceVersion {
        id: row.id.into(),
        tool: row.tool_id.into(),
        path: path.to_owned(),
        effective_from_us: row.effective_from_us,
        spec: row.spec,
        created_us: row.created_us,
        cancelled_us,
        is_replay,
    }
}
