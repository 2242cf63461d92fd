//! Where partners are told besides by mail: webhooks, and what was sent to them. How it is sent is in `deliveries`.

use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::json;
use uuid::Uuid;

use crate::{
    audit::{Action, OpContext},
    id::{DeliveryId, PartnerEventId, PartnerId, RequestId, WebhookId},
    limits::WEBHOOKS_MAX,
    service::{
        Services,
        catalog::without_secrets,
        outbox::unexpected,
        paging::{Listed, PAGE_READ},
    },
    store::{NotSaved, StoreError, UnitOfWork, entity},
};

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// It is still to be sent.
    Queued,
    /// It was taken.
    Sent,
    /// It was tried too often.
    Failed,
    /// The webhook was removed.
    Cancelled,
}

impl DeliveryState {
    /// Every state with its word.
    pub const ALL: [(Self, &'static str); 4] =
        [(Self::Queued, "queued"), (Self::Sent, "sent"), (Self::Failed, "failed"), (Self::Cancelled, "cancelled")];

    /// The word of the database and the wire.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(state, _)| *state == self).map_or("", |(_, word)| *word)
    }

    /// Reads what [`Self::as_str`] gives.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, stored)| *stored == word).map(|(state, _)| *state)
    }
}

/// Where a partner is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Which.
    pub id: WebhookId,
    /// Where.
    pub url: String,
    /// When it was made, in microseconds since the Unix epoch.
    pub created_us: i64,
}

impl Webhook {
    /// The address without what may be a secret: its query.
    pub fn shown_url(&self) -> String {
        without_secrets(&self.url)
    }
}

/// What an operator says of a webhook that is made.
#[derive(Debug, Clone, Copy, Default)]
pub struct WebhookNote<'a> {
    /// Why.
    pub reason: Option<&'a str>,
    /// With the same one again no other webhook is made.
    pub key: Option<RequestId>,
}

/// What is sent to a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Which.
    pub id: DeliveryId,
    /// What it tells.
    pub event: PartnerEventId,
    /// Where it stands.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: u32,
    /// Queued: when it is tried next, in microseconds since the Unix epoch.
    pub next_us: i64,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// When it was queued, for the first time or to be sent once more, in microseconds since the Unix epoch.
    pub created_us: i64,
    /// When it was taken.
    pub sent_us: Option<i64>,
}

/// Why no webhook was made, removed or told again.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// The partner has no such webhook, or the webhook no such delivery.
    #[error("there is no such webhook")]
    NotFound,
    /// The partner has too many.
    #[error("a partner has at most {WEBHOOKS_MAX} webhooks; remove one first")]
    TooMany,
    /// The key has made another webhook, or one that was removed.
    #[error("this was sent before, and made another webhook")]
    MadeBefore(WebhookId),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Services {
    /// Makes a webhook. `url` is one that may be called. Says whether it is new: the same key again gives the same one.
    ///
    /// # Errors
    /// See [`WebhookError`].
    pub async fn create_webhook(
        &self,
        by: &OpContext,
        partner: PartnerId,
        url: &str,
        note: WebhookNote<'_>,
    ) -> Result<(Webhook, bool), WebhookError> {
        let now_us = self.clock.now_us();
        let id = note.key.map_or_else(|| WebhookId::new(&*self.ids, now_us), |key| WebhookId::from(key.uuid()));
        if let Some(made) = self.find_made_webhook(id, url).await? {
            return made;
        }
        let present = present_webhooks(partner).count(self.db.readers()).await.map_err(StoreError::from)?;
        if present >= WEBHOOKS_MAX {
            return Err(WebhookError::TooMany);
        }
        let row = entity::webhook::Model {
            id: id.uuid(),
            partner_id: partner.uuid(),
            url: url.to_owned(),
            created_us: now_us,
            removed_us: None,
        };
        let mut unit = UnitOfWork::new();
        unit.one(self.db.backend(), &entity::webhook::Entity::insert(row.clone().into_active_model()));
        // The address may have a secret in it: the trail tells that there is one.
        let after = json!({"partner": partner.to_string(), "active": true});
        let told = by.entry(Action::WebhookCreate, "webhook", id).after(after).because_of(note.reason);
        match self.ledger.save(unit.audited(told)).await {
            Ok(_) => Ok((read_webhook(row), true)),
            // The same request at the same moment.
            Err(not_saved @ NotSaved::Conflict { .. }) => {
                let made = self.find_made_webhook(id, url).await?;
                made.unwrap_or_else(|| Err(unexpected("webhook", not_saved).into()))
            }
            Err(not_saved) => Err(unexpected("webhook", not_saved).into()),
        }
    }

    async fn find_made_webhook(
        &self,
        id: WebhookId,
        url: &str,
    ) -> Result<Option<Result<(Webhook, bool), WebhookError>>, StoreError> {
        let row = entity::webhook::Entity::find_by_id(id.uuid()).one(self.db.readers()).await?;
        Ok(row.map(|row| {
            let is_same = row.url == url && row.removed_us.is_none();
            if is_same { Ok((read_webhook(row), false)) } else { Err(WebhookError::MadeBefore(id)) }
        }))
    }

    /// The webhooks of a partner, the oldest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn list_webhooks(&self, partner: PartnerId) -> Result<Vec<Webhook>, StoreError> {
        let rows = present_webhooks(partner).all(self.db.readers()).await?;
        Ok(rows.into_iter().map(read_webhook).collect())
    }

    /// A webhook of this partner; `None` for any other, and for one that was removed.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_webhook(&self, partner: PartnerId, id: WebhookId) -> Result<Option<Webhook>, StoreError> {
        let row = present_webhooks(partner).filter(entity::webhook::Column::Id.eq(id.uuid()));
        Ok(row.one(self.db.readers()).await?.map(read_webhook))
    }

    async fn load_webhook_row(
        &self,
        partner: PartnerId,
        id: WebhookId,
    ) -> Result<entity::webhook::Model, WebhookError> {
        let row = present_webhooks(partner).filter(entity::webhook::Column::Id.eq(id.uuid()));
        row.one(self.db.readers()).await.map_err(StoreError::from)?.ok_or(WebhookError::NotFound)
    }

    /// Removes a webhook of a partner: what is still on its way to it is not sent. `reason` is what an operator says of it.
    ///
    /// # Errors
    /// The partner has none of this identifier, or the database failed.
    pub async fn remove_webhook(
        &self,
        by: &OpContext,
        partner: PartnerId,
        id: WebhookId,
        reason: Option<&str>,
    ) -> Result<(), WebhookError> {
        use entity::{webhook, webhook_delivery as delivery};
        let row = self.load_webhook_row(partner, id).await?;
        let (mut unit, now_us) = (UnitOfWork::new(), self.clock.now_us());
        let remove = webhook::Entity::update_many()
            .set(webhook::ActiveModel { removed_us: Set(Some(now_us)), ..Default::default() })
            .filter(webhook::Column::Id.eq(row.id))
            .filter(webhook::Column::RemovedUs.is_null());
        unit.one(self.db.backend(), &remove);
        let state = Set(DeliveryState::Cancelled.as_str().to_owned());
        let cancel = delivery::Entity::update_many()
            .set(delivery::ActiveModel { state, ..Default::default() })
            .filter(delivery::Column::WebhookId.eq(row.id))
            .filter(delivery::Column::State.eq(DeliveryState::Queued.as_str()));
        unit.any(self.db.backend(), &cancel);
        let facts = |is_active: bool| json!({"partner": partner.to_string(), "active": is_active});
        let told = by.entry(Action::WebhookRemove, "webhook", id).before(facts(true)).after(facts(false));
        match self.ledger.save(unit.audited(told.because_of(reason))).await {
            Ok(_) => Ok(()),
            Err(NotSaved::Conflict { .. }) => Err(WebhookError::NotFound),
            Err(not_saved) => Err(unexpected("webhook", not_saved).into()),
        }
    }

    /// What was sent to a webhook of a partner and is on its way to it, the newest first, from behind the one named by `after`.
    ///
    /// # Errors
    /// The partner has no such webhook, or the database failed.
    pub async fn list_deliveries(
        &self,
        partner: PartnerId,
        id: WebhookId,
        after: Option<Uuid>,
    ) -> Result<Listed<Delivery>, WebhookError> {
        use entity::webhook_delivery::Column;
        let webhook = self.load_webhook_row(partner, id).await?;
        let mut query = entity::webhook_delivery::Entity::find()
            .filter(Column::WebhookId.eq(webhook.id))
            .order_by_desc(Column::Id)
            .limit(PAGE_READ);
        if let Some(after) = after {
            query = query.filter(Column::Id.lt(after));
        }
        let rows = query.all(self.db.readers()).await.map_err(StoreError::from)?;
        let listed = Listed::of(rows, |row| row.id.as_simple().to_string());
        let deliveries = listed.rows.iter().map(read_delivery).collect::<Result<Vec<_>, _>>()?;
        Ok(Listed { rows: deliveries, next: listed.next })
    }

    /// A delivery to a webhook of this partner; `None` for any other.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_delivery(
        &self,
        partner: PartnerId,
        (webhook, id): (WebhookId, DeliveryId),
    ) -> Result<Option<(Webhook, Delivery)>, StoreError> {
        use entity::webhook_delivery::{Column, Entity};
        let Some(webhook) = self.find_webhook(partner, webhook).await? else { return Ok(None) };
        let of_webhook = Entity::find_by_id(id.uuid()).filter(Column::WebhookId.eq(webhook.id.uuid()));
        let row = of_webhook.one(self.db.readers()).await?;
        row.map(|row| Ok((webhook, read_delivery(&row)?))).transpose()
    }

    /// Has something sent once more that was taken or given up, with all of its attempts before it again. What is still to be
    /// sent is left as it is. `reason` is what an operator says of it.
    ///
    /// # Errors
    /// See [`WebhookError`].
    pub async fn replay_delivery(
        &self,
        by: &OpContext,
        partner: PartnerId,
        (webhook, id): (WebhookId, DeliveryId),
        reason: Option<&str>,
    ) -> Result<Delivery, WebhookError> {
        use entity::webhook_delivery::{ActiveModel, Column, Entity};
        let webhook = self.load_webhook_row(partner, webhook).await?;
        let of_webhook = Entity::find_by_id(id.uuid()).filter(Column::WebhookId.eq(webhook.id));
        let row = of_webhook.one(self.db.readers()).await.map_err(StoreError::from)?.ok_or(WebhookError::NotFound)?;
        if row.state == DeliveryState::Queued.as_str() {
            return Ok(read_delivery(&row)?);
        }
        let (mut unit, now_us) = (UnitOfWork::new(), self.clock.now_us());
        let queued = DeliveryState::Queued.as_str().to_owned();
        let change = ActiveModel {
            state: Set(queued.clone()),
            attempts: Set(0),
            next_us: Set(now_us),
            created_us: Set(now_us),
            last_error: Set(None),
            ..Default::default()
        };
        let update =
            Entity::update_many().set(change).filter(Column::Id.eq(row.id)).filter(Column::State.eq(&*row.state));
        unit.one(self.db.backend(), &update);
        let facts = |state: &str| json!({"partner": partner.to_string(), "state": state});
        let told =
            by.entry(Action::WebhookReplay, "webhook_delivery", id).before(facts(&row.state)).after(facts(&queued));
        match self.ledger.save(unit.audited(told.because_of(reason))).await {
            Ok(_) => {
                let wanted = entity::webhook_delivery::Model {
                    state: queued,
                    attempts: 0,
                    next_us: now_us,
                    created_us: now_us,
                    last_error: None,
                    ..row
                };
                Ok(read_delivery(&wanted)?)
            }
            // The same request at the same moment, or the webhook was removed.
            Err(NotSaved::Conflict { .. }) => {
                let row = Entity::find_by_id(id.uuid()).one(self.db.readers()).await.map_err(StoreError::from)?;
                Ok(read_delivery(&row.ok_or(WebhookError::NotFound)?)?)
            }
            Err(not_saved) => Err(unexpected("webhook_delivery", not_saved).into()),
        }
    }

    /// Adds to `unit` that every webhook of a partner is told of an event.
    pub(super) async fn enqueue_deliveries(
        &self,
        unit: &mut UnitOfWork,
        event: &entity::partner_event::Model,
    ) -> Result<(), StoreError> {
        for webhook in self.list_webhooks(PartnerId::from(event.partner_id)).await? {
            let row = entity::webhook_delivery::Model {
                id: DeliveryId::new(&*self.ids, event.created_us).uuid(),
                webhook_id: webhook.id.uuid(),
                event_id: event.id,
                state: DeliveryState::Queued.as_str().to_owned(),
                attempts: 0,
                next_us: event.created_us,
                last_error: None,
                created_us: event.created_us,
                sent_us: None,
            };
            unit.one(self.db.backend(), &entity::webhook_delivery::Entity::insert(row.into_active_model()));
        }
        Ok(())
    }
}

/// The webhooks of a partner that were not removed.
fn present_webhooks(partner: PartnerId) -> sea_orm::Select<entity::webhook::Entity> {
    entity::webhook::Entity::find()
        .filter(entity::webhook::Column::PartnerId.eq(partner.uuid()))
        .filter(entity::webhook::Column::RemovedUs.is_null())
        .order_by_asc(entity::webhook::Column::CreatedUs)
        .limit(WEBHOOKS_MAX)
}

pub(super) fn read_webhook(row: entity::webhook::Model) -> Webhook {
    Webhook { id: WebhookId::from(row.id), url: row.url, created_us: row.created_us }
}

pub(super) fn read_delivery(row: &entity::webhook_delivery::Model) -> Result<Delivery, StoreError> {
    let id = DeliveryId::from(row.id);
    let broken = || StoreError::Inconsistent { table: "webhook_delivery", what: id.to_string() };
    Ok(Delivery {
        id,
        event: row.event_id.into(),
        state: DeliveryState::from_word(&row.state).ok_or_else(broken)?,
        attempts: u32::try_from(row.attempts).unwrap_or(0),
        next_us: row.next_us,
        last_error: row.last_error.clone(),
        created_us: row.created_us,
        sent_us: row.sent_us,
    })
}
