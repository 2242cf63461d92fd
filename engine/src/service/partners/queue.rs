//! What is on its way to the webhooks of all partners, and what was given up, as operators look at it.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    str::FromStr,
};

use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::hooks::{Delivery, DeliveryState, Webhook, read_delivery, read_webhook};
use crate::{
    id::{DeliveryId, PartnerId},
    service::{
        Services,
        dashboard::AtLeast,
        paging::{Listed, PAGE_READ},
    },
    store::{StoreError, entity, overview},
};

/// What waits to be sent to webhooks, and what was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WebhookQueue {
    /// How many deliveries are still to be sent.
    pub queued: AtLeast,
    /// When the oldest of them was written, in microseconds since the Unix epoch.
    pub oldest_us: Option<i64>,
    /// How many were tried too often, to webhooks that are still there.
    pub failed: AtLeast,
}

/// A delivery with whom it goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartnerDelivery {
    /// The delivery.
    pub delivery: Delivery,
    /// To where.
    pub webhook: Webhook,
    /// The webhook was removed.
    pub is_removed: bool,
    /// Whose that is, with its name.
    pub partner: (PartnerId, String),
}

/// Where a page of deliveries ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveryCursor {
    next_us: i64,
    id: Uuid,
}

impl fmt::Display for DeliveryCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.next_us, self.id.as_simple())
    }
}

/// The text is not where a page ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be `next` of the page before")]
pub struct InvalidDeliveryCursor;

impl FromStr for DeliveryCursor {
    type Err = InvalidDeliveryCursor;

    fn from_str(text: &str) -> Result<Self, InvalidDeliveryCursor> {
        let (next_us, id) = text.split_once('.').ok_or(InvalidDeliveryCursor)?;
        let next_us = next_us.parse().map_err(|_no_number| InvalidDeliveryCursor)?;
        let id = Uuid::try_parse(id).map_err(|_no_identifier| InvalidDeliveryCursor)?;
        Ok(Self { next_us, id })
    }
}

impl Services {
    /// How much waits to be sent to webhooks, and how much was given up.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn load_webhook_queue(&self) -> Result<WebhookQueue, StoreError> {
        let queued = overview::queued_deliveries(self.db.readers()).await?;
        let failed = overview::failed_deliveries(self.db.readers()).await?;
        Ok(WebhookQueue { queued: AtLeast::of(queued), oldest_us: queued.value, failed: AtLeast::of(failed) })
    }

    /// The deliveries of all partners in `state`, from behind `after`: of those that are queued the one that is due first,
    /// of all others the one that was tried last. The index of what is due serves this.
    ///
    /// # Errors
    /// The database cannot be read, or holds a delivery of nothing.
    pub async fn list_deliveries_in(
        &self,
        state: DeliveryState,
        after: Option<DeliveryCursor>,
    ) -> Result<Listed<PartnerDelivery>, StoreError> {
        use entity::webhook_delivery::{Column, Entity};
        let is_rising = state == DeliveryState::Queued;
        let mut query = Entity::find().filter(Column::State.eq(state.as_str())).limit(PAGE_READ);
        query = if is_rising {
            query.order_by_asc(Column::NextUs).order_by_asc(Column::Id)
        } else {
            query.order_by_desc(Column::NextUs).order_by_desc(Column::Id)
        };
        if let Some(DeliveryCursor { next_us, id }) = after {
            // The first half is the range of the index, the second one where it begins within one moment.
            let (range, behind) = if is_rising {
                (Column::NextUs.gte(next_us), Condition::any().add(Column::NextUs.gt(next_us)).add(Column::Id.gt(id)))
            } else {
                (Column::NextUs.lte(next_us), Condition::any().add(Column::NextUs.lt(next_us)).add(Column::Id.lt(id)))
            };
            query = query.filter(range).filter(behind);
        }
        let rows = query.all(self.db.readers()).await?;
        let place = |row: &entity::webhook_delivery::Model| DeliveryCursor { next_us: row.next_us, id: row.id };
        let listed = Listed::of(rows, |row| place(row).to_string());
        Ok(Listed { rows: self.with_partners(listed.rows).await?, next: listed.next })
    }

    async fn with_partners(
        &self,
        rows: Vec<entity::webhook_delivery::Model>,
    ) -> Result<Vec<PartnerDelivery>, StoreError> {
        let wanted: HashSet<Uuid> = rows.iter().map(|row| row.webhook_id).collect();
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let hooks = entity::webhook::Entity::find().filter(entity::webhook::Column::Id.is_in(wanted));
        let hooks: HashMap<Uuid, entity::webhook::Model> =
            hooks.all(self.db.readers()).await?.into_iter().map(|row| (row.id, row)).collect();
        let owners: HashSet<Uuid> = hooks.values().map(|row| row.partner_id).collect();
        let owners = entity::partner::Entity::find().filter(entity::partner::Column::Id.is_in(owners));
        let owners: HashMap<Uuid, String> =
            owners.all(self.db.readers()).await?.into_iter().map(|row| (row.id, row.name)).collect();
        let shown = |row: &entity::webhook_delivery::Model| {
            let broken =
                || StoreError::Inconsistent { table: "webhook_delivery", what: DeliveryId::from(row.id).to_string() };
            let hook = hooks.get(&row.webhook_id).ok_or_else(broken)?;
            let name = owners.get(&hook.partner_id).ok_or_else(broken)?;
            Ok(PartnerDelivery {
                delivery: read_delivery(row)?,
                is_removed: hook.removed_us.is_some(),
                partner: (PartnerId::from(hook.partner_id), name.clone()),
                webhook: read_webhook(hook.clone()),
            })
        };
        rows.iter().map(shown).collect()
    }
}

#[cfg(test)]
mod tests;
