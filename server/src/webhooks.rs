//! Tells partners: looks after the thresholds of their limits, and sends what they are told to their webhooks, signed: see
//! `sending`.
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
        partners::{NoticeRound, PartnerEvent},
        work::Work,
    },
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use crate::{marketplace::time_text, state::AppState};

pub mod sending;

/// How long to wait between two rounds of thresholds.
const ROUND_PAUSE: Duration = Duration::from_secs(5);
/// How long to wait between two steps of a round: others want to read as well.
const STEP_PAUSE: Duration = Duration::from_millis(250);
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
    let mut round = NoticeRound::default();
    loop {
        tokio::time::sleep(if round.is_new() { ROUND_PAUSE } else { STEP_PAUSE }).await;
        let again = round.again();
        let step = services.tell_of_thresholds(round).await;
        services.note_work(Work::Thresholds, step.as_ref().err().map(ToString::to_string));
        round = match step {
            Ok(next) => next,
            Err(error) => {
                if !error.is_away() {
                    tracing::warn!(%error, "limits of partners could not be looked at");
                }
                again
            }
        };
    }
}

#[cfg(test)]
mod tests;
