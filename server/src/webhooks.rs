//! Tells partners: looks after the thresholds of their limits, and sends what they are told to their webhooks, signed.
//!
//! A delivery is a POST of JSON. `x-tollgate-timestamp` is when it was sent, in seconds since the Unix epoch, and
//! `x-tollgate-signature` is `v1=` and the HMAC-SHA256, in hexadecimal digits, of the timestamp, a full stop and the body, under
//! the webhook's secret. Whoever receives it refuses old timestamps, and knows by the event's `id` what came twice.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use aws_lc_rs::hmac;
use engine::{
    id::WebhookId,
    ledger::hex::hex,
    service::{
        Services,
        master_key::KeptKeyError,
        partners::{OutgoingDelivery, PartnerEvent},
        work::Work,
    },
    store::StoreError,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use crate::{marketplace::time_text, state::AppState};

/// How long to wait between two rounds of thresholds.
const ROUND_PAUSE: Duration = Duration::from_secs(5);
/// How long to wait between two steps of a round: others want to read as well.
const STEP_PAUSE: Duration = Duration::from_millis(250);
/// How long to wait between two looks at what is due.
const SEND_PAUSE: Duration = Duration::from_secs(1);
/// How long a webhook may take to answer.
const ANSWER_WAIT: Duration = Duration::from_secs(10);
const US_PER_S: i64 = 1_000_000;

/// What secrets of webhooks begin with.
const SECRET_PREFIX: &str = "whsec_";

/// Makes the secrets of webhooks: each from the key and the webhook's identifier, so that none is stored. Closed while this
/// process has not the master key that the key is sealed under: then there are no secrets, rather than wrong ones.
#[derive(Clone)]
pub struct WebhookKeys(Arc<RwLock<Option<hmac::Key>>>);

impl std::fmt::Debug for WebhookKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WebhookKeys")
    }
}

impl WebhookKeys {
    /// Closed.
    pub fn closed() -> Self {
        Self(Arc::default())
    }

    /// With this key.
    pub fn new(key: &[u8; 32]) -> Self {
        let keys = Self::closed();
        keys.set(Some(key));
        keys
    }

    fn set(&self, key: Option<&[u8; 32]>) {
        let made = key.map(|key| hmac::Key::new(hmac::HMAC_SHA256, key));
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = made;
    }

    /// Whether there is a key.
    pub fn is_open(&self) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// The secret of a webhook: always the same. None while there is no key.
    pub fn secret_of(&self, webhook: WebhookId) -> Option<SecretString> {
        let key = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let made = hmac::sign(key.as_ref()?, webhook.uuid().as_bytes());
        Some(SecretString::from(format!("{SECRET_PREFIX}{}", hex(made.as_ref()))))
    }

    /// Takes the key that the database keeps: it may have been sealed under another master key meanwhile.
    async fn refresh(&self, services: &Services) -> Result<(), KeptKeyError> {
        match services.webhook_root().await {
            Ok(key) => {
                self.set(Some(&key));
                services.set_up_erased_names(Some(&key));
            }
            // What is known stays right.
            Err(KeptKeyError::Store(error)) if error.is_away() => {}
            Err(error) => {
                self.set(None);
                services.set_up_erased_names(None);
                return Err(error);
            }
        }
        Ok(())
    }
}

/// Opens the key that webhooks' secrets are made from, before anybody is served.
pub async fn open(state: &AppState) {
    if let Err(error) = state.webhook_keys.refresh(&state.services).await {
        tracing::error!(%error, "no webhook is told anything");
    }
}

/// The signature of `body` as it is sent at `sent_s` (seconds since the Unix epoch).
pub fn sign(secret: &SecretString, sent_s: i64, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
    let signature = hmac::sign(&key, format!("{sent_s}.{body}").as_bytes());
    format!("v1={}", hex(signature.as_ref()))
}

/// An event as partners see it.
pub fn view(event: &PartnerEvent) -> Value {
    let mut data = event.data.clone();
    if let Value::Object(members) = &mut data {
        let resets_us = members.remove("resets_us").and_then(|us| us.as_i64());
        members.insert("resets_at".to_owned(), resets_us.map(time_text).into());
    }
    json!({
        "id": event.id.to_string(),
        "type": event.kind,
        "created_at": time_text(event.created_us),
        "data": data,
    })
}

/// Looks after thresholds, until it is stopped.
pub async fn run_thresholds(services: Arc<Services>) {
    let mut place = None;
    loop {
        tokio::time::sleep(if place.is_some() { STEP_PAUSE } else { ROUND_PAUSE }).await;
        let step = services.tell_of_thresholds(place.take()).await;
        services.note_work(Work::Thresholds, step.as_ref().err().map(ToString::to_string));
        match step {
            Ok(next) => place = next,
            Err(error) if error.is_away() => {}
            Err(error) => tracing::warn!(%error, "limits of partners could not be looked at"),
        }
    }
}

/// Sends what is due, until it is stopped.
pub async fn run_sending(state: AppState) {
    loop {
        tokio::time::sleep(SEND_PAUSE).await;
        let was_open = state.webhook_keys.is_open();
        if let Err(error) = state.webhook_keys.refresh(&state.services).await {
            state.services.note_work(Work::Webhooks, Some(error.to_string()));
            if was_open {
                tracing::error!(%error, "no webhook is told anything");
            }
            continue;
        }
        let sent = send_due(&state).await;
        state.services.note_work(Work::Webhooks, sent.as_ref().err().map(ToString::to_string));
        if let Err(error) = sent
            && !error.is_away()
        {
            tracing::warn!(%error, "what is due for webhooks could not be read");
        }
    }
}

/// Sends what is due, all at once: who answers slowly keeps nobody else waiting for longer than one answer may take.
async fn send_due(state: &AppState) -> Result<(), StoreError> {
    let due = state.services.list_due_deliveries(state.services.clock.now_us()).await?;
    let send = |delivery: OutgoingDelivery| {
        let state = state.clone();
        actix_web::rt::spawn(async move { send_one(&state, &delivery).await })
    };
    let sending: Vec<_> = due.into_iter().map(send).collect();
    for sent in sending {
        // One that was stopped is sent again when its claim is over.
        sent.await.unwrap_or(Ok(()))?;
    }
    Ok(())
}

async fn send_one(state: &AppState, delivery: &OutgoingDelivery) -> Result<(), StoreError> {
    // Without a key nothing is signed, and it stays due.
    let Some(secret) = state.webhook_keys.secret_of(delivery.webhook.id) else { return Ok(()) };
    if !state.services.claim_delivery(delivery).await? {
        return Ok(());
    }
    let body = view(&delivery.event).to_string();
    let sent_s = state.services.clock.now_us().div_euclid(US_PER_S);
    let headers = [
        ("x-tollgate-timestamp", sent_s.to_string()),
        ("x-tollgate-signature", sign(&secret, sent_s, &body)),
        ("x-tollgate-event", delivery.event.id.to_string()),
        ("x-tollgate-delivery", delivery.id.to_string()),
    ];
    let answered = state.upstreams.post_hook(&delivery.webhook.url, &headers, body, ANSWER_WAIT).await;
    let now_us = state.services.clock.now_us();
    let Err(fault) = answered else { return state.services.mark_delivered(delivery, now_us).await };
    let is_given_up = state.services.mark_undelivered(delivery, &fault.to_string(), now_us).await?;
    tracing::warn!(delivery = %delivery.id, %fault, is_given_up, "a webhook was not told");
    Ok(())
}

#[cfg(test)]
mod tests;
