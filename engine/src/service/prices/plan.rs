//! Prices that somebody wants: what they would do, before anything is done.

use std::sync::Arc;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use super::{PRICE_LEAD_US, PriceVersion, SchedulePriceError, view};
use crate::{
    id::{PriceVersionId, ToolId},
    pricing::{Price, PricingSpec, scheduling_may_cost_more},
    service::{Services, catalog::spec_to_json},
    snapshot::{Offer, price_from},
    store::{StoreError, entity},
};

/// When a price is to begin, in microseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PriceStart {
    /// Then, or not at all.
    At(i64),
    /// Then, or as soon after it as every server can know of it.
    NotBefore(i64),
}

/// A price that somebody wants.
#[derive(Debug, Clone, Copy)]
pub struct PriceOrder<'a> {
    /// Of the tool `namespace/tool`, or of the core tool of this plain name.
    pub path: &'a str,
    /// The price.
    pub spec: &'a PricingSpec,
    /// From when on.
    pub start: PriceStart,
    /// The same key again gives the same version.
    pub key: Option<&'a str>,
    /// Why, for the audit trail.
    pub reason: Option<&'a str>,
    /// Some call may become dearer by it.
    pub may_raise: bool,
    /// The version that it is to take the place of; `None`: whichever that is.
    pub over: Option<PriceVersionId>,
}

/// What scheduling a price would do, worked out without doing it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedPrice {
    /// Of which tool.
    pub tool: ToolId,
    /// The tool's namespace and name.
    pub path: String,
    /// From when on, in microseconds since the Unix epoch.
    pub effective_from_us: i64,
    /// The price as JSON, in the field names of the wire.
    pub spec: String,
    /// What is in force until then; `None`: it is the tool's first price.
    pub standing: Option<PriceVersion>,
    /// What takes effect after it; `None`: nothing yet.
    pub follows: Option<PriceVersion>,
    /// Some call may cost more than it would at the price before, or at the price that follows more than at this one.
    pub is_raise: bool,
}

impl Services {
    /// What scheduling a price would do. Its key and who may do it are not looked at.
    ///
    /// # Errors
    /// As for [`Self::schedule_price`].
    pub async fn plan_price(&self, order: &PriceOrder<'_>) -> Result<PlannedPrice, SchedulePriceError> {
        let offer = self.ordered_offer(order)?;
        self.plan(&offer, order, self.clock.now_us()).await
    }

    /// The tool of an order whose price makes sense.
    pub(super) fn ordered_offer(&self, order: &PriceOrder<'_>) -> Result<Arc<Offer>, SchedulePriceError> {
        let snapshot = self.snapshot();
        let offer = match order.path.split_once('/') {
            Some((namespace, tool)) => snapshot.find_offer(namespace, tool),
            None => snapshot.find_core_tool(order.path),
        };
        let offer = offer.cloned().ok_or_else(|| SchedulePriceError::NoTool(order.path.to_owned()))?;
        Price::from_spec(PriceVersionId::from(Uuid::nil()), 0, order.spec)?;
        Ok(offer)
    }

    /// What an order means at `now_us`.
    pub(super) async fn plan(
        &self,
        offer: &Offer,
        order: &PriceOrder<'_>,
        now_us: i64,
    ) -> Result<PlannedPrice, SchedulePriceError> {
        let soonest_us = now_us.saturating_add(PRICE_LEAD_US);
        let from_us = match order.start {
            PriceStart::At(from_us) if from_us < soonest_us => return Err(SchedulePriceError::TooSoon),
            PriceStart::At(from_us) => from_us,
            PriceStart::NotBefore(from_us) => from_us.max(soonest_us),
        };
        let tool = offer.tool.id;
        let effective_from_us = self.first_free_moment(tool.uuid(), from_us).await?;
        let standing = self.find_price_in_force(tool.uuid(), effective_from_us).await?;
        if let Some(other) = standing.as_ref().filter(|other| other.effective_from_us >= from_us) {
            return Err(SchedulePriceError::Overlaps(other.id.into()));
        }
        let spec = spec_to_json(order.spec);
        if standing.as_ref().is_some_and(|standing| standing.spec == spec) {
            return Err(SchedulePriceError::Same);
        }
        let price = Price::from_spec(PriceVersionId::from(Uuid::nil()), effective_from_us, order.spec)?;
        let follows = self.find_price_behind(tool.uuid(), effective_from_us).await?;
        let before = standing.as_ref().map(price_from).transpose()?;
        let after = follows.as_ref().map(price_from).transpose()?;
        Ok(PlannedPrice {
            tool,
            path: offer.path.clone(),
            effective_from_us,
            spec,
            standing: standing.map(|row| view(row, &offer.path, None, false)),
            follows: follows.map(|row| view(row, &offer.path, None, false)),
            is_raise: scheduling_may_cost_more(before.as_ref(), &price, after.as_ref()),
        })
    }

    /// From `from_us` on, the first moment at which no version of the tool begins. A cancelled one keeps its moment.
    pub(in crate::service) async fn first_free_moment(&self, tool: Uuid, from_us: i64) -> Result<i64, StoreError> {
        let mut at_us = from_us;
        let taken = entity::price_version::Entity::find()
            .filter(entity::price_version::Column::ToolId.eq(tool))
            .filter(entity::price_version::Column::EffectiveFromUs.gte(from_us))
            .order_by_asc(entity::price_version::Column::EffectiveFromUs)
            .all(self.db.readers())
            .await?;
        for row in taken {
            if row.effective_from_us != at_us {
                break;
            }
            at_us = at_us.saturating_add(1);
        }
        Ok(at_us)
    }
}
