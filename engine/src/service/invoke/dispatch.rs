//! From the dispatch to the settlement: this part of a call always runs to its end.

use std::{sync::Arc, time::Duration};

use super::{
    Accepted, Answer, AnswerTemplate, AnswerWriter, Answered, Call, Completion, Told, end_of, keys::upstream_request,
};
use crate::{
    code::Code,
    credits::Credits,
    id::InvocationId,
    invocation::{CallEnd, CallRecord, CallState},
    json,
    ledger::batch::{Ended, Finish, KeyEnd, Outcome},
    pricing::{ChargeOn, actual_cost, cost_of_failed_attempt},
    sealing::SealError,
    service::Services,
    store::WriterError,
    upstream::{Credential, Upstream, UpstreamAnswer, UpstreamTarget},
};

/// How often a settlement is tried again while the database is away, with growing pauses: about 20 seconds in all.
const SETTLE_TRIES_MAX: u32 = 12;
const SETTLE_PAUSE_MS_MAX: u64 = 2_000;

/// What the upstream's answer means for money, key and record.
struct Verdict {
    outcome: Outcome,
    key: KeyEndKind,
    end: CallEnd,
    completion: Option<Completion>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum KeyEndKind {
    Free,
    Unknown,
    Store,
}

impl Services {
    pub(super) async fn dispatch<U: Upstream>(
        &self,
        upstream: &U,
        writer: &dyn AnswerWriter,
        accepted: Accepted,
    ) -> Answered {
        let answer = match &*accepted.call.offer.tool.upstream {
            UpstreamTarget::Builtin(builtin) => self.builtin_answer(*builtin, &accepted.call),
            UpstreamTarget::Http { .. } | UpstreamTarget::Mcp { .. } => self.send(upstream, &accepted).await,
        };
        self.keep_payload(&accepted.call, &answer);
        failpoint!("after_upstream_answer");
        let verdict = judge(&accepted, answer, self.clock.now_us());
        if accepted.is_begun {
            self.settle_call(writer, &accepted, verdict).await
        } else {
            self.record_free_call(writer, &accepted, verdict).await
        }
    }

    /// Opens what the upstream asks of its callers, and sends the call.
    async fn send<U: Upstream>(&self, upstream: &U, accepted: &Accepted) -> UpstreamAnswer {
        match self.credential_of(&accepted.call) {
            Ok(credential) => upstream.call(upstream_request(accepted, credential)).await,
            Err(error) => UpstreamAnswer::NotDispatched { detail: format!("the credential is not there: {error}") },
        }
    }

    /// What the upstream asks of its callers. It belongs to the server that its publisher set it for.
    fn credential_of(&self, call: &Call) -> Result<Option<Arc<Credential>>, SealError> {
        let sealed = call.offer.seller.as_ref().and_then(|seller| seller.credential.as_ref());
        sealed.map(|sealed| self.open_credential(sealed).map(Arc::new)).transpose()
    }

    /// Settles durably, then answers.
    async fn settle_call(&self, writer: &dyn AnswerWriter, accepted: &Accepted, verdict: Verdict) -> Answered {
        let id = accepted.call.id;
        let answered = |charged, spendable, answer| Answered { id, charged, spendable, answer };
        let known = |spendable| accepted.payer.map(|_| spendable);
        let Verdict { outcome, key, end, completion } = verdict;
        let template = completion.map(|completion| Arc::new(writer.template(&completion)));
        let key = match (key, &template) {
            (KeyEndKind::Store, Some(template)) if accepted.call.key.is_some() => {
                stored_answer(id, Arc::clone(template))
            }
            (KeyEndKind::Unknown, _) => KeyEnd::Unknown,
            _ => KeyEnd::Free,
        };
        let finish = Finish { call: id, wallet: accepted.payer, caps: accepted.caps.clone(), outcome, key, end };
        match self.finish_insistently(finish).await {
            Ok(ended) if ended.is_too_late => answered(Credits::ZERO, known(ended.spendable), Answer::OutcomeUnknown),
            Ok(ended) => {
                let told = Told { id, charged: ended.charged, spendable: Some(ended.spendable) };
                let answer = match (&template, outcome) {
                    (Some(template), _) => Answer::Complete { status: template.status, body: (template.fill)(&told) },
                    (None, Outcome::Unknown { .. }) => Answer::OutcomeUnknown,
                    (None, Outcome::Release | Outcome::Capture(_)) => Answer::NotDispatched,
                };
                answered(ended.charged, known(ended.spendable), answer)
            }
            Err(error) => {
                tracing::error!(%error, invocation = %id, "a call could not be settled; its hold is settled by rule");
                answered(Credits::ZERO, None, Answer::OutcomeUnknown)
            }
        }
    }

    /// Money that was held must be settled: while the database is away this waits for it, within bounds.
    pub(super) async fn finish_insistently(&self, finish: Finish) -> Result<Ended, WriterError> {
        let mut pause = Duration::from_millis(20);
        let mut tries = 0_u32;
        loop {
            let error = match self.ledger.finish(finish.clone()).await {
                Ok(Ok(ended)) => return Ok(ended),
                // The rules of settling refuse only what cannot be settled by trying again.
                Ok(Err(refusal)) => return Err(WriterError::Unavailable(refusal.to_string())),
                Err(error) => error,
            };
            tries = tries.saturating_add(1);
            if tries >= SETTLE_TRIES_MAX || matches!(error, WriterError::Fenced | WriterError::Stopped) {
                return Err(error);
            }
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2).min(Duration::from_millis(SETTLE_PAUSE_MS_MAX));
        }
    }

    /// No money moved and no key is held: the record follows behind the answer.
    async fn record_free_call(&self, writer: &dyn AnswerWriter, accepted: &Accepted, verdict: Verdict) -> Answered {
        let id = accepted.call.id;
        let Verdict { mut end, completion, outcome, .. } = verdict;
        if matches!(outcome, Outcome::Unknown { .. }) {
            end.state = CallState::UnknownReleased;
            end.resolves_us = None;
        }
        let record = CallRecord { state: end.state, end: Some(end), ..(*accepted.record).clone() };
        // The tool has done its work: whatever fails from here on must not hide that from the caller.
        if let Err(error) = self.ledger.record(Arc::new(record)).await {
            tracing::error!(%error, invocation = %id, "a free call that was carried out is not recorded");
        }
        let spendable = match accepted.payer {
            Some(payer) => self.spendable(payer, &accepted.caps, self.clock.now_us()).await.ok(),
            None => None,
        };
        let answer = match (completion, outcome) {
            (Some(completion), _) => {
                let template = writer.template(&completion);
                let told = Told { id, charged: Credits::ZERO, spendable };
                Answer::Complete { status: template.status, body: (template.fill)(&told) }
            }
            (None, Outcome::Unknown { .. }) => Answer::OutcomeUnknown,
            (None, Outcome::Release | Outcome::Capture(_)) => Answer::NotDispatched,
        };
        Answered { id, charged: Credits::ZERO, spendable, answer }
    }
}

/// The stored body is written inside the batch, where the balance after the charge is known.
fn stored_answer(id: InvocationId, template: Arc<AnswerTemplate>) -> KeyEnd {
    KeyEnd::Store {
        status: template.status,
        render: Arc::new(move |ended| {
            (template.fill)(&Told { id, charged: ended.charged, spendable: Some(ended.spendable) })
        }),
    }
}

fn judge(accepted: &Accepted, answer: UpstreamAnswer, now_us: i64) -> Verdict {
    let id = accepted.call.id;
    let failed = |completion: Completion, error: Code| {
        let (outcome, key) = match accepted.price.charge_on {
            ChargeOn::Success => (Outcome::Release, KeyEndKind::Free),
            ChargeOn::Attempt => {
                let cost = cost_of_failed_attempt(&accepted.price).min(accepted.hold);
                (Outcome::Capture(cost), KeyEndKind::Store)
            }
        };
        let end = end_of(CallState::Failed, Some(error), now_us);
        Verdict { outcome, key, end, completion: Some(completion) }
    };
    match answer {
        UpstreamAnswer::Completed { result, meta } => completed(accepted, result, meta.as_deref(), now_us),
        UpstreamAnswer::Rejected { status, message } => {
            failed(Completion::Rejected(status, message), Code::UpstreamRejected)
        }
        UpstreamAnswer::Forbidden { status, message } => {
            failed(Completion::Forbidden(status, message), Code::UpstreamFailed)
        }
        UpstreamAnswer::Failed { detail, message } => {
            tracing::warn!(invocation = %id, detail, "an upstream failed");
            failed(Completion::Failed(message), Code::UpstreamFailed)
        }
        UpstreamAnswer::NotDispatched { detail } => {
            tracing::warn!(invocation = %id, detail, "a call was not dispatched");
            Verdict {
                outcome: Outcome::Release,
                key: KeyEndKind::Free,
                end: end_of(CallState::Failed, Some(Code::UpstreamFailed), now_us),
                completion: None,
            }
        }
        UpstreamAnswer::Unknown { detail } => {
            tracing::warn!(invocation = %id, detail, "nobody knows what became of a call");
            let resolves_us = now_us.saturating_add(accepted.call.unknown_resolves_after_us);
            Verdict {
                outcome: Outcome::Unknown { resolves_us },
                key: KeyEndKind::Unknown,
                end: end_of(CallState::Unknown, Some(Code::OutcomeUnknown), now_us),
                completion: None,
            }
        }
    }
}

fn completed(accepted: &Accepted, result: Option<String>, meta: Option<&str>, now_us: i64) -> Verdict {
    let cost = actual_cost(&accepted.price, accepted.hold, &read_strictly(result.as_deref()), &read_strictly(meta));
    let mut end = end_of(CallState::Succeeded, None, now_us);
    end.shortfall = cost.shortfall;
    end.warning = cost.warning.map(|warning| warning.to_string());
    end.returned = cost.returned.map(|returned| returned.to_text());
    let completion = Some(Completion::Result(result));
    Verdict { outcome: Outcome::Capture(cost.charge), key: KeyEndKind::Store, end, completion }
}

/// What cannot be read strictly has no cost in it.
fn read_strictly(text: Option<&str>) -> json::Json<'_> {
    text.and_then(|text| json::parse(text).ok()).unwrap_or(json::Json::Null)
}
