//! What is on its way to partners' webhooks. Several servers look at one outbox, so a delivery is claimed before it is sent. It
//! may be sent twice after a crash, never lost: the identifier of its event tells.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::{
    hooks::{DeliveryState, Webhook, read_webhook},
    notices::PartnerEvent,
};
use crate::{
    id::{DeliveryId, WebhookId},
    service::{
        Services,
        outbox::{pause_us, unexpected},
    },
    store::{self, NotSaved, StoreError, UnitOfWork, entity},
};

/// How often a delivery is tried before it is given up: with the pauses between, that takes about a day, where nothing else is due
/// for its webhook.
pub const DELIVERY_ATTEMPTS_MAX: u32 = 30;
/// Where much is due for a webhook that takes nothing, each has its turn seldom: so long after it was queued it is given up, however
/// often it was tried, in microseconds.
pub const DELIVERY_AGE_US: i64 = 25 * 3_600_000_000;
/// How many deliveries one round takes.
pub const DELIVERY_BATCH_MAX: usize = 64;
/// How many of them are for one webhook: they are sent one after the other.
pub const DELIVERIES_EACH_MAX: usize = 2;
/// For how long a claimed delivery is its server's alone, in microseconds: longer than sending one may take.
pub const DELIVERY_CLAIM_US: i64 = 60_000_000;
/// Longest reason of a failed attempt that is kept, in characters.
const ERROR_CHARS_MAX: usize = 200;

/// A delivery that is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingDelivery {
    /// Which.
    pub id: DeliveryId,
    /// To where.
    pub webhook: Webhook,
    /// What.
    pub event: PartnerEvent,
    /// How often it was tried before.
    pub attempts: u32,
    /// When it was queued, in microseconds since the Unix epoch.
    pub queued_us: i64,
    /// Since when it is due; whoever claims it changes this.
    pub due_us: i64,
}

impl Services {
    /// The deliveries that are due at `now_us` (microseconds since the Unix epoch), at most [`DELIVERY_BATCH_MAX`], without those
    /// for the webhooks `without`: of every webhook the oldest, then of every webhook the second, at most
    /// [`DELIVERIES_EACH_MAX`].
    ///
    /// # Errors
    /// The database cannot be read, or holds a delivery of nothing.
    pub async fn list_due_deliveries(
        &self,
        now_us: i64,
        without: &[WebhookId],
    ) -> Result<Vec<OutgoingDelivery>, StoreError> {
        let without: Vec<Uuid> = without.iter().map(|id| id.uuid()).collect();
        let bound = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let bounds = (bound(DELIVERIES_EACH_MAX), bound(DELIVERY_BATCH_MAX));
        let ids = store::hooks::due(self.db.readers(), now_us, &without, bounds).await?;
        let mut rows = entity::webhook_delivery::Entity::find()
            .filter(entity::webhook_delivery::Column::Id.is_in(ids.iter().copied()))
            .all(self.db.readers())
            .await?;
        rows.sort_by_key(|row| ids.iter().position(|id| *id == row.id));
        // Somebody may have claimed one meanwhile.
        rows.retain(|row| row.next_us <= now_us && row.state == DeliveryState::Queued.as_str());
        let mut due = Vec::with_capacity(rows.len());
        for row in rows {
            let id = DeliveryId::from(row.id);
            let broken = || StoreError::Inconsistent { table: "webhook_delivery", what: id.to_string() };
            let webhook = entity::webhook::Entity::find_by_id(row.webhook_id).one(self.db.readers()).await?;
            let event = entity::partner_event::Entity::find_by_id(row.event_id).one(self.db.readers()).await?;
            due.push(OutgoingDelivery {
                id,
                webhook: read_webhook(webhook.ok_or_else(broken)?),
                event: self.read_event(&event.ok_or_else(broken)?).await?,
                attempts: u32::try_from(row.attempts).unwrap_or(0),
                queued_us: row.created_us,
                due_us: row.next_us,
            });
        }
        Ok(due)
    }

    /// Takes a delivery, as it was listed, for [`DELIVERY_CLAIM_US`] from now on. Says whether this caller has it.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn claim_delivery(&self, delivery: &OutgoingDelivery) -> Result<bool, StoreError> {
        // Never the same moment as before, or the next one who listed it could claim it, too.
        let until_us = self.clock.now_us().max(delivery.due_us).saturating_add(DELIVERY_CLAIM_US);
        let change = entity::webhook_delivery::ActiveModel { next_us: Set(until_us), ..Default::default() };
        self.change_delivery(delivery.id, change, Some(delivery.due_us)).await
    }

    /// Notes that a delivery was taken.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn mark_delivered(&self, delivery: &OutgoingDelivery, now_us: i64) -> Result<(), StoreError> {
        let change = entity::webhook_delivery::ActiveModel {
            state: Set(DeliveryState::Sent.as_str().to_owned()),
            attempts: Set(stored(delivery.attempts.saturating_add(1))),
            sent_us: Set(Some(now_us)),
            last_error: Set(None),
            ..Default::default()
        };
        self.change_delivery(delivery.id, change, None).await.map(drop)
    }

    /// Notes that an attempt failed, and when to try again, after growing pauses. Says whether it was given up: and with it all that
    /// has been due for the webhook for [`DELIVERY_AGE_US`].
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn mark_undelivered(
        &self,
        delivery: &OutgoingDelivery,
        why: &str,
        now_us: i64,
    ) -> Result<bool, StoreError> {
        let attempts = delivery.attempts.saturating_add(1);
        let old_us = now_us.saturating_sub(DELIVERY_AGE_US);
        let is_old = delivery.queued_us <= old_us;
        let is_given_up = is_old || attempts >= DELIVERY_ATTEMPTS_MAX;
        let state = if is_given_up { DeliveryState::Failed } else { DeliveryState::Queued };
        let mut random = [0; 2];
        (self.random)(&mut random);
        let pause_us = pause_us(delivery.attempts, u16::from_be_bytes(random));
        let change = entity::webhook_delivery::ActiveModel {
            state: Set(state.as_str().to_owned()),
            attempts: Set(stored(attempts)),
            next_us: Set(now_us.saturating_add(pause_us)),
            last_error: Set(Some(why.chars().take(ERROR_CHARS_MAX).collect())),
            ..Default::default()
        };
        self.change_delivery(delivery.id, change.clone(), None).await?;
        if is_old {
            let change = entity::webhook_delivery::ActiveModel {
                state: change.state,
                last_error: change.last_error,
                ..Default::default()
            };
            self.give_up_until(delivery.webhook.id, change, (old_us, now_us)).await?;
        }
        Ok(is_given_up)
    }

    /// Changes everything that was queued for a webhook up to `old_us`, and is due at `now_us`.
    async fn give_up_until(
        &self,
        webhook: WebhookId,
        change: entity::webhook_delivery::ActiveModel,
        (old_us, now_us): (i64, i64),
    ) -> Result<(), StoreError> {
        use entity::webhook_delivery::{Column, Entity};
        let update = Entity::update_many()
            .set(change)
            .filter(Column::WebhookId.eq(webhook.uuid()))
            .filter(Column::State.eq(DeliveryState::Queued.as_str()))
            .filter(Column::CreatedUs.lte(old_us))
            // Not what another server is sending just now.
            .filter(Column::NextUs.lte(now_us));
        let mut unit = UnitOfWork::new();
        unit.any(self.db.backend(), &update);
        let saved = self.ledger.save(unit.unaudited("a delivery follows from calls that are in the books")).await;
        saved.map(drop).map_err(|not_saved| unexpected("webhook_delivery", not_saved))
    }

    /// Changes a delivery that is still to be sent; with `due_us` only if it is due since then. Says whether it was.
    async fn change_delivery(
        &self,
        id: DeliveryId,
        change: entity::webhook_delivery::ActiveModel,
        due_us: Option<i64>,
    ) -> Result<bool, StoreError> {
        use entity::webhook_delivery::{Column, Entity};
        let mut unit = UnitOfWork::new();
        let update = Entity::update_many()
            .set(change)
            .filter(Column::Id.eq(id.uuid()))
            .filter(Column::State.eq(DeliveryState::Queued.as_str()));
        match due_us {
            Some(due_us) => unit.one(self.db.backend(), &update.filter(Column::NextUs.eq(due_us))),
            None => unit.any(self.db.backend(), &update),
        };
        match self.ledger.save(unit.unaudited("a delivery follows from calls that are in the books")).await {
            Ok(_) => Ok(true),
            Err(NotSaved::Conflict { .. }) if due_us.is_some() => Ok(false),
            Err(not_saved) => Err(unexpected("webhook_delivery", not_saved)),
        }
    }
}

fn stored(attempts: u32) -> i32 {
    i32::try_from(attempts).unwrap_or(i32::MAX)
}
