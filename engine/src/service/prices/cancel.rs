//! Prices that are to come are taken back: what that would do, before it is done.

use sea_orm::{EntityTrait, IntoActiveModel};
use serde_json::json;

use super::{PRICE_LEAD_S, PRICE_LEAD_US, PriceVersion, view};
use crate::{
    audit::{Action, OpContext},
    id::PriceVersionId,
    pricing::taking_back_may_cost_more,
    service::{Services, catalog::price_facts, outbox::unexpected},
    snapshot::price_from,
    store::{NotSaved, StoreError, UnitOfWork, entity},
};

/// A price that somebody wants to take back.
#[derive(Debug, Clone, Copy)]
pub struct PriceCancel<'a> {
    /// Which.
    pub id: PriceVersionId,
    /// Why, for the audit trail.
    pub reason: Option<&'a str>,
    /// Some call may become dearer by it.
    pub may_raise: bool,
    /// The version that was seen to be in force instead; `None`: whichever that is.
    pub instead: Option<PriceVersionId>,
}

/// What taking a price back would do, worked out without doing it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedCancel {
    /// What is in force instead; `None`: the tool has no price then.
    pub instead: Option<PriceVersion>,
    /// What takes effect after it; `None`: nothing yet.
    pub follows: Option<PriceVersion>,
    /// Some call may cost more than it would have, or the price that follows is dearer than the one that it then follows.
    pub is_raise: bool,
}

/// Why no price was taken back.
#[derive(Debug, thiserror::Error)]
pub enum CancelPriceError {
    /// There is no such price.
    #[error("there is no such price")]
    NotFound,
    /// It was taken back before.
    #[error("this price is cancelled already")]
    AlreadyCancelled,
    /// It is in force, was in force, or will be before every server could hear of it.
    #[error("this price took effect, or does so within {PRICE_LEAD_S} seconds: schedule another one after it")]
    TooLate,
    /// Another price than the one that was seen would be in force instead.
    #[error("the price before it has changed: look at it again")]
    Stale,
    /// Somebody else has to look at it.
    #[error("some call may cost more without this price: somebody else has to approve that")]
    Raises,
    /// Somebody else changed the catalog at the same moment.
    #[error("the catalog was changed at the same moment: try again")]
    Overtaken,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Services {
    /// Takes a price back that has not taken effect.
    ///
    /// # Errors
    /// There is none, it was taken back before, its time has come, or the database failed.
    pub async fn cancel_price(
        &self,
        by: &OpContext,
        id: PriceVersionId,
        reason: Option<&str>,
    ) -> Result<PriceVersion, CancelPriceError> {
        self.take_price_back(by, &PriceCancel { id, reason, may_raise: true, instead: None }).await
    }

    /// The same for an operator who may not be allowed to make anything dearer.
    ///
    /// # Errors
    /// As for [`Self::cancel_price`]; or another price than the one that was seen would be in force instead, or some call
    /// may become dearer, and that is not allowed.
    pub async fn take_price_back(
        &self,
        by: &OpContext,
        order: &PriceCancel<'_>,
    ) -> Result<PriceVersion, CancelPriceError> {
        let id = order.id;
        let version = self.catalog_version().await?;
        let row = self.load_cancellable(id).await?;
        let now_us = self.clock.now_us();
        if row.effective_from_us < now_us.saturating_add(PRICE_LEAD_US) {
            return Err(CancelPriceError::TooLate);
        }
        let is_checked = !order.may_raise || order.instead.is_some();
        if is_checked {
            let planned = self.plan_cancellation(&row).await?;
            if order.instead.is_some() && order.instead != planned.instead.map(|instead| instead.id) {
                return Err(CancelPriceError::Stale);
            }
            if planned.is_raise && !order.may_raise {
                return Err(CancelPriceError::Raises);
            }
        }
        let path = self.path_of(row.tool_id);
        let mut unit = UnitOfWork::new();
        let cancellation = entity::price_cancellation::Model { price_version_id: id.uuid(), cancelled_us: now_us };
        self.state(&mut unit, &cancellation, now_us);
        unit.one(self.db.backend(), &entity::price_cancellation::Entity::insert(cancellation.into_active_model()));
        if is_checked {
            self.bump_catalog_from(&mut unit, version);
        } else {
            self.bump_version(&mut unit, "catalog");
        }
        let mut told = by
            .entry(Action::PriceCancel, "price", id)
            .before(price_facts(&path, &row.spec, row.effective_from_us))
            .after(json!({"cancelled_us": now_us}));
        if let Some(reason) = order.reason {
            told = told.because(reason);
        }
        match self.ledger.save(unit.audited(told)).await {
            Ok(_) => {}
            Err(NotSaved::Conflict { .. }) => {
                self.load_cancellable(id).await?;
                return Err(CancelPriceError::Overtaken);
            }
            Err(not_saved) => return Err(unexpected("price_cancellation", not_saved).into()),
        }
        self.reload_snapshot().await?;
        Ok(view(row, &path, Some(now_us), false))
    }

    /// What taking a price back would do. Whether it can be taken back at all is not looked at.
    ///
    /// # Errors
    /// There is no such price, it was taken back, or the database cannot be read.
    pub async fn plan_price_cancel(&self, id: PriceVersionId) -> Result<PlannedCancel, CancelPriceError> {
        let row = self.load_cancellable(id).await?;
        Ok(self.plan_cancellation(&row).await?)
    }

    /// A version that was not taken back.
    async fn load_cancellable(&self, id: PriceVersionId) -> Result<entity::price_version::Model, CancelPriceError> {
        let row = entity::price_version::Entity::find_by_id(id.uuid()).one(self.db.readers()).await;
        let row = row.map_err(StoreError::from)?.ok_or(CancelPriceError::NotFound)?;
        let known = entity::price_cancellation::Entity::find_by_id(id.uuid()).one(self.db.readers()).await;
        match known.map_err(StoreError::from)? {
            Some(_cancelled) => Err(CancelPriceError::AlreadyCancelled),
            None => Ok(row),
        }
    }

    async fn plan_cancellation(&self, row: &entity::price_version::Model) -> Result<PlannedCancel, StoreError> {
        let before_us = row.effective_from_us.saturating_sub(1);
        let instead = self.find_price_in_force(row.tool_id, before_us).await?;
        let follows = self.find_price_behind(row.tool_id, row.effective_from_us).await?;
        let [before, after] = [&instead, &follows].map(|row| row.as_ref().map(price_from).transpose());
        let is_raise = taking_back_may_cost_more(before?.as_ref(), &price_from(row)?, after?.as_ref());
        let path = self.path_of(row.tool_id);
        let seen = |row: Option<entity::price_version::Model>| row.map(|row| view(row, &path, None, false));
        Ok(PlannedCancel { instead: seen(instead), follows: seen(follows), is_raise })
    }
}
