//! Sends what is due: to each webhook one thing after the other, to many webhooks at once. Nobody waits for one that answers
//! slowly, and one that does not take something rests.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use engine::{
    id::WebhookId,
    service::{partners::OutgoingDelivery, work::Work},
    store::StoreError,
};
use tokio::task::{Id, JoinError, JoinSet};

use self::rests::Rests;
use super::{US_PER_S, sign, view};
use crate::state::AppState;

mod rests;

/// How long to wait between two looks at what is due.
const LOOK_PAUSE: Duration = Duration::from_secs(1);
/// How long to wait where a webhook has taken what it was given: there may be more for it.
const MORE_PAUSE: Duration = Duration::from_millis(100);
/// How many times as long as a look has taken the next one is waited for at least: others want to read as well.
const LOOK_SHARE: u32 = 4;
/// How long a webhook may take to answer.
const ANSWER_WAIT: Duration = Duration::from_secs(10);
/// To how many webhooks something is sent at the same time.
const TURNS_MAX: usize = 32;

/// Sends what is due, until it is stopped.
pub async fn run(state: AppState) {
    let mut turns = Turns::default();
    let mut rest = Duration::ZERO;
    loop {
        turns.wait(&state, rest).await;
        let was_open = state.webhook_keys.is_open();
        if let Err(error) = state.webhook_keys.refresh(&state.services).await {
            state.services.note_work(Work::Webhooks, Some(error.to_string()));
            if was_open {
                tracing::error!(%error, "no webhook is told anything");
            }
            continue;
        }
        let begin = Instant::now();
        let looked = turns.begin(&state).await;
        rest = begin.elapsed().saturating_mul(LOOK_SHARE);
        note(&state, looked);
    }
}

fn note(state: &AppState, done: Result<(), StoreError>) {
    state.services.note_work(Work::Webhooks, done.as_ref().err().map(ToString::to_string));
    if let Err(error) = done
        && !error.is_away()
    {
        tracing::warn!(%error, "what is due for webhooks could not be read or written");
    }
}

/// Webhooks to which something is being sent, and those that rest.
#[derive(Default)]
struct Turns {
    running: JoinSet<Result<Turn, StoreError>>,
    webhooks: HashMap<Id, WebhookId>,
    rests: Rests,
}

impl Turns {
    /// Waits until it is time to look: for [`LOOK_PAUSE`], or for [`MORE_PAUSE`] where a webhook has taken all that it was given;
    /// and for `rest` at least.
    async fn wait(&mut self, state: &AppState, rest: Duration) {
        let look_at = tokio::time::Instant::now() + LOOK_PAUSE.max(rest);
        loop {
            match tokio::time::timeout_at(look_at, self.running.join_next_with_id()).await {
                Err(_it_is_time) => return,
                Ok(None) => return tokio::time::sleep_until(look_at).await,
                Ok(Some(ended)) => {
                    if self.end(state, ended) {
                        tokio::time::sleep(MORE_PAUSE.max(rest)).await;
                        while let Some(ended) = self.running.try_join_next_with_id() {
                            self.end(state, ended);
                        }
                        return;
                    }
                }
            }
        }
    }

    /// A turn has ended. Says whether all of it was taken.
    fn end(&mut self, state: &AppState, ended: Result<(Id, Result<Turn, StoreError>), JoinError>) -> bool {
        // What was stopped is sent again when its claim is over.
        let (id, sent) = ended.unwrap_or_else(|stopped| (stopped.id(), Ok(Turn::Refused)));
        let Some(webhook) = self.webhooks.remove(&id) else { return false };
        let is_taken = matches!(sent, Ok(Turn::Taken));
        match sent {
            Ok(Turn::Taken) => self.rests.end(webhook),
            Ok(Turn::Refused) => self.rests.begin(webhook, state.services.clock.now_us()),
            Ok(Turn::NotOurs) => {}
            Err(error) => note(state, Err(error)),
        }
        is_taken
    }

    /// Gives a turn to webhooks for which something is due, as far as there is room.
    async fn begin(&mut self, state: &AppState) -> Result<(), StoreError> {
        let room = TURNS_MAX.saturating_sub(self.webhooks.len());
        if room == 0 {
            return Ok(());
        }
        let now_us = state.services.clock.now_us();
        let without: Vec<WebhookId> = self.webhooks.values().copied().chain(self.rests.at(now_us)).collect();
        let due = state.services.list_due_deliveries(now_us, &without).await?;
        for (webhook, deliveries) in by_webhook(due).into_iter().take(room) {
            let turn = self.running.spawn_local(send_all(state.clone(), deliveries));
            self.webhooks.insert(turn.id(), webhook);
        }
        Ok(())
    }
}

/// What is due for each webhook, in the order in which they come first.
fn by_webhook(due: Vec<OutgoingDelivery>) -> Vec<(WebhookId, Vec<OutgoingDelivery>)> {
    let mut found: Vec<(WebhookId, Vec<OutgoingDelivery>)> = Vec::new();
    for delivery in due {
        match found.iter_mut().find(|(webhook, _)| *webhook == delivery.webhook.id) {
            Some((_, deliveries)) => deliveries.push(delivery),
            None => found.push((delivery.webhook.id, vec![delivery])),
        }
    }
    found
}

/// What has come of a webhook's turn, or of one delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// The webhook has taken what was sent.
    Taken,
    /// It has not.
    Refused,
    /// Nothing was sent: another server does, or nothing can be signed. It says nothing of the webhook.
    NotOurs,
}

/// Sends these one after the other, until one is not taken.
async fn send_all(state: AppState, deliveries: Vec<OutgoingDelivery>) -> Result<Turn, StoreError> {
    let mut turn = Turn::NotOurs;
    for delivery in &deliveries {
        match send_one(&state, delivery).await? {
            Turn::Refused => return Ok(Turn::Refused),
            Turn::Taken => turn = Turn::Taken,
            Turn::NotOurs => {}
        }
    }
    Ok(turn)
}

async fn send_one(state: &AppState, delivery: &OutgoingDelivery) -> Result<Turn, StoreError> {
    // Without a key nothing is signed, and it stays due.
    let Some(secret) = state.webhook_keys.secret_of(delivery.webhook.id) else { return Ok(Turn::NotOurs) };
    if !state.services.claim_delivery(delivery).await? {
        return Ok(Turn::NotOurs);
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
    let Err(fault) = answered else {
        state.services.mark_delivered(delivery, now_us).await?;
        return Ok(Turn::Taken);
    };
    let is_given_up = state.services.mark_undelivered(delivery, &fault.to_string(), now_us).await?;
    tracing::warn!(delivery = %delivery.id, %fault, is_given_up, "a webhook was not told");
    Ok(Turn::Refused)
}
