//! Every "no" of the invoke endpoint, with the numbers in it and the ways out.

use engine::{
    code::Code,
    credits::Credits,
    id::TokenId,
    ledger::{LedgerAccountId, Refusal, refusal::Limit},
    service::{
        access::{CapOwner, OwnedCap, Owner, PartnerPrincipal},
        invoke::{Answer, Answered},
        partners::Funding,
    },
};
use serde_json::{Value, json};

use super::invoke::number;
use crate::http::problem::{Fault, Problem};

/// Who asked, and for what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    /// The path that was called.
    pub(super) path: &'a str,
    /// The token, where its account's owner sets the limits on it.
    pub(super) own_token: Option<TokenId>,
    /// Whose wallet pays.
    pub(super) payer: Payer,
}

/// Whose wallet pays for a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Payer {
    /// The caller's own.
    Account,
    /// The partner's, for all its end users.
    Partner,
    /// The end user's, which its partner fills.
    EndUser,
}

impl Payer {
    /// Who pays for the calls of this caller.
    pub(super) const fn of(owner: &Owner) -> Self {
        match owner {
            Owner::Account(_) => Self::Account,
            Owner::Partner(PartnerPrincipal { funding: Funding::Partner, .. }) => Self::Partner,
            Owner::Partner(PartnerPrincipal { funding: Funding::PerUser, .. }) => Self::EndUser,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Partner => "partner",
            Self::EndUser => "end_user",
        }
    }

    /// Where more comes from, as a sentence.
    const fn more(self) -> &'static str {
        match self {
            Self::Account => "Buy more with POST /credits/purchase",
            Self::Partner => "The operator gives the partner more",
            Self::EndUser => {
                "The end user pays for itself: its partner gives it more with POST /partners/users/{external_id}/fund"
            }
        }
    }
}

/// Unknown and hidden tools look the same.
pub(super) fn no_such_tool() -> Problem {
    Problem::new(Code::NotFound, "there is no such tool")
}

/// The problem for every answer that is not a complete one.
pub(super) fn problem_of(answer: &Answer, answered: &Answered, asked: Asked<'_>) -> Problem {
    match answer {
        Answer::OutcomeUnknown => Problem::new(
            Code::OutcomeUnknown,
            format!(
                "nobody knows what became of this call; GET /invocations/{} says when it is settled. \
                 A retry with the same key is never carried out twice",
                answered.id
            ),
        )
        .fact("invocation_id", answered.id.to_string().into()),
        Answer::InFlight => Problem::new(
            Code::IdempotencyInFlight,
            "the first call with this `idempotency_key` is still being carried out",
        )
        .fact("invocation_id", answered.id.to_string().into())
        .retry_after_s(1),
        Answer::KeyReused => Problem::new(
            Code::IdempotencyKeyReused,
            "this `idempotency_key` was used for another tool or other arguments",
        ),
        // Hidden from this caller: whatever told it from a tool that is not there would tell that it is.
        Answer::Denied { code: Some(Code::NotFound), .. } | Answer::NotForSale | Answer::NobodyPays { .. } => {
            no_such_tool()
        }
        Answer::Denied { code, reason } => Problem::new(
            code.unwrap_or(Code::PolicyDenied),
            reason.as_deref().unwrap_or("policy does not allow this call"),
        ),
        Answer::InvalidArguments(faults) => Problem::invalid(
            Code::InvalidArguments,
            faults
                .iter()
                .map(|fault| Fault {
                    loc: ["body", "arguments"]
                        .into_iter()
                        .map(str::to_owned)
                        .chain(fault.path.iter().map(ToString::to_string))
                        .collect(),
                    msg: fault.message.clone(),
                })
                .collect(),
        ),
        Answer::Unpriceable(refusal) => Problem::invalid(
            Code::InvalidArguments,
            vec![Fault { loc: vec!["body".to_owned(), "arguments".to_owned()], msg: refusal.to_string() }],
        ),
        Answer::Refused { refusal, cap } => no_money(refusal, cap.as_ref(), asked),
        Answer::NotDispatched => Problem::new(
            Code::UpstreamFailed,
            "the tool's upstream could not be reached; nothing was charged and nothing was done",
        )
        .fact("credits_charged", json!(0)),
        Answer::Unavailable(error) => Problem::from(error.clone()),
        Answer::Complete { .. } | Answer::Replayed { .. } => Problem::new(Code::Internal, "the call was answered"),
    }
}

fn no_money(refusal: &Refusal, cap: Option<&OwnedCap>, asked: Asked<'_>) -> Problem {
    let Refusal::Insufficient { limit, needed, available } = refusal else {
        return match refusal {
            Refusal::AccountClosed(_) => Problem::new(Code::AccountSuspended, "the account is closed"),
            other => {
                tracing::error!(%other, "the ledger refused a hold");
                Problem::new(Code::Internal, "the charge could not be reserved; nothing was charged")
            }
        };
    };
    let (code, limit, ways_out) = match (limit, cap) {
        (Limit::Cap { resets_us, .. }, Some(cap)) => {
            let missing = needed.checked_sub(*available).unwrap_or(*needed);
            (Code::CapReached, cap_limit(cap, *resets_us), cap_ways_out(cap, *resets_us, missing, asked))
        }
        (Limit::Cap { cap, .. }, None) => (Code::CapReached, json!({"kind": "cap", "id": cap.to_string()}), json!([])),
        (Limit::Wallet(wallet), _) => (
            Code::InsufficientCredits,
            wallet_limit(Some(*wallet), asked.payer),
            wallet_ways_out(*needed, *available, asked.payer),
        ),
    };
    let more = asked.payer.more();
    let message = format!("insufficient credits: this call may cost {needed}, {available} can be spent. {more}");
    let message = match code {
        Code::CapReached => {
            format!("a spending cap is reached: this call may cost {needed}, the cap leaves {available}")
        }
        _ => message,
    };
    Problem::new(code, message)
        .fact("needed", number(*needed))
        .fact("available", number(*available))
        .fact("limit", limit)
        .fact("ways_out", ways_out)
}

fn cap_limit(cap: &OwnedCap, resets_us: Option<i64>) -> Value {
    json!({
        "kind": "cap",
        "id": cap.cap.id.to_string(),
        "per": cap.per.as_str(),
        "window": cap.cap.window.as_str(),
        "resets_at": resets_us.map(time_text),
    })
}

/// `missing` is by how much the cap is too low for this call.
fn cap_ways_out(cap: &OwnedCap, resets_us: Option<i64>, missing: Credits, asked: Asked<'_>) -> Value {
    let mut ways = Vec::new();
    if let Some(resets_us) = resets_us {
        let text = format!("wait until {}: the {} starts again", time_text(resets_us), cap.cap.window.as_str());
        ways.push(json!({"action": "wait", "text": text, "method": "POST", "path": asked.path, "body": null}));
    }
    ways.push(raise_cap(cap, missing, asked.own_token));
    Value::Array(ways)
}

/// The owner of a token raises its limit by a call; every other limit is raised by somebody else.
fn raise_cap(cap: &OwnedCap, missing: Credits, own_token: Option<TokenId>) -> Value {
    let (limit, window) = (cap.cap.limit, cap.cap.window.as_str());
    let who = match (cap.per, own_token) {
        (CapOwner::Token, Some(token)) => {
            let raised = limit.checked_add(missing).unwrap_or(Credits::MAX);
            let text = format!("raise the cap of {limit} credits to {raised}, as the account's owner, signed in");
            let path = format!("/tokens/{token}/caps/{window}");
            let body = json!({"credits": number(raised)});
            return json!({"action": "raise_cap", "text": text, "method": "PUT", "path": path, "body": body});
        }
        (CapOwner::Account, _) => "the operator",
        (CapOwner::Partner | CapOwner::EndUser | CapOwner::Token, _) => "the partner",
    };
    let text = format!("ask {who} to raise the cap of {limit} credits");
    json!({"action": "raise_cap", "text": text, "method": null, "path": null, "body": null})
}

/// The wallet that has too little, as a limit.
pub(super) fn wallet_limit(wallet: Option<LedgerAccountId>, payer: Payer) -> Value {
    let id = wallet.map(|wallet| wallet.to_string());
    json!({"kind": "wallet", "id": id, "per": payer.as_str(), "window": null, "resets_at": null})
}

fn wallet_ways_out(needed: Credits, available: Credits, payer: Payer) -> Value {
    let missing = needed.checked_sub(available).unwrap_or(needed);
    let body = json!({"credits": number(missing)});
    match payer {
        Payer::Account => json!([{
            "action": "buy",
            "text": format!("buy at least {missing} credits"),
            "method": "POST",
            "path": "/credits/purchase",
            "body": body,
        }]),
        Payer::Partner => json!([{
            "action": "ask",
            "text": format!("ask the operator for at least {missing} credits"),
            "method": null,
            "path": null,
            "body": null,
        }]),
        Payer::EndUser => json!([{
            "action": "fund",
            "text": format!("move at least {missing} credits into the end user's wallet, as the partner"),
            "method": "POST",
            "path": "/partners/users/{external_id}/fund",
            "body": body,
        }]),
    }
}

/// RFC 3339, UTC.
pub(crate) fn time_text(us: i64) -> String {
    jiff::Timestamp::from_microsecond(us).map_or_else(|_outside| us.to_string(), |time| time.to_string())
}

#[cfg(test)]
mod tests;
