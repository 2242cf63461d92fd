//! Calls with idempotency keys, and splits: what the program itself asks of the ledger.

use std::sync::Arc;

use engine::{
    credits::Credits,
    id::{EntryId, InvocationId},
    invocation::CallState,
    ledger::{
        AccountKind, LedgerAccountId, PlaceHold, Refusal,
        batch::{Begin, Begun, Done, Ended, Finish, KeyEnd, Outcome},
        key::{KeyClaim, KeyName, KeyVerdict},
        leaf::sha256,
    },
    pricing::ShareTerms,
    store::{Ledger, writer::Command},
    testing::{call_end, running_call},
};
use serde_json::Value;

use super::{
    commands::Fields,
    stage::{Outcome as Said, Stage},
};
use crate::ledger::desk::{SECOND_US, capture_all, hold, wallet_id};

/// Who pays for the calls of cases that name nobody.
const CALLER: LedgerAccountId = wallet_id(1);
const CALLER_MONEY: i64 = 1_000_000;

/// How the upstream of a call behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Upstream {
    Answers,
    /// A complete answer that says it failed.
    Fails,
    /// Has not answered yet.
    Works,
    /// Nobody knows.
    Vanishes,
}

/// A call, ready to be made.
#[derive(Debug, Clone)]
pub(super) struct Call {
    begin: Begin,
    upstream: Upstream,
    charge: i64,
    now_us: i64,
}

/// What a call was told: our word for it, and the HTTP status that goes with it (`product.md` 4.1).
fn said(word: &'static str, status: u16) -> Said {
    Said { word: word.to_owned(), status: Some(status), ..Said::default() }
}

impl Call {
    /// Makes the call as the program does: claim and hold, then the upstream, then the settlement.
    pub(super) async fn make(self, ledger: &Ledger) -> Result<Said, String> {
        let begun = ledger.begin(self.begin.clone()).await.map_err(|error| error.to_string())?;
        match begun {
            Begun::Go => {}
            Begun::Key(KeyVerdict::Replay { status, .. }) => return Ok(said("replayed", status)),
            Begun::Key(KeyVerdict::InFlight { .. }) => return Ok(said("in_flight", 409)),
            Begun::Key(KeyVerdict::Reused { .. }) => return Ok(said("key_reused_with_different_request", 409)),
            Begun::Key(KeyVerdict::OutcomeUnknown { .. }) => return Ok(said("outcome_unknown", 504)),
            Begun::Key(KeyVerdict::Fresh) => return Err("a fresh key that does not go on".to_owned()),
            Begun::Refused { refusal, .. } => return Ok(said(refusal.as_str(), 402)),
        }
        let charge = Outcome::Capture(Credits::from_micros(self.charge));
        let store = |status| KeyEnd::Store { status, render: Arc::new(|_ended: &Ended| "{\"result\":1}".into()) };
        let (outcome, key, state, told) = match self.upstream {
            Upstream::Works => return Ok(Said { dispatched: true, ..said("running", 0) }),
            Upstream::Answers => (charge, store(200), CallState::Succeeded, said("processed", 200)),
            Upstream::Fails => (Outcome::Release, KeyEnd::Free, CallState::Failed, said("upstream_failed", 502)),
            Upstream::Vanishes => {
                let outcome = Outcome::Unknown { resolves_us: self.now_us + 300 * SECOND_US };
                (outcome, KeyEnd::Unknown, CallState::Unknown, said("outcome_unknown", 504))
            }
        };
        let (call, wallet) = (self.begin.call.id, self.begin.call.wallet);
        let finish = Finish { call, wallet, caps: Vec::new(), outcome, key, end: call_end(state) };
        let ended = ledger.finish(finish).await.map_err(|error| error.to_string())?;
        ended.map_err(|refusal: Refusal| format!("the call cannot be settled: {refusal}"))?;
        Ok(Said { dispatched: true, ..told })
    }
}

impl Stage {
    /// The call that an `http` operation stands for; `None` when it never gets as far as the ledger.
    pub(super) async fn call(&mut self, op: &Value) -> Result<Option<Call>, String> {
        let mut fields = Fields::of(op)?;
        let kind = fields.text("op")?;
        let body = fields.get("body").cloned().unwrap_or_default();
        let upstream = match fields.get("answer") {
            _ if fields.is("still_running") => Upstream::Works,
            None => Upstream::Answers,
            Some(Value::String(word)) if word == "validation_error" => return Ok(None),
            Some(Value::String(word)) if ["timeout", "unknown", "lost"].contains(&word.as_str()) => Upstream::Vanishes,
            Some(status) => match status.as_u64() {
                Some(200..=299) => Upstream::Answers,
                Some(504) => Upstream::Vanishes,
                Some(500..=599) => Upstream::Fails,
                _ => return Err(format!("an upstream that answers {status}")),
            },
        };
        let amount = if kind == "http" { body.get("amount").and_then(Value::as_i64).unwrap_or(0) } else { 0 };
        if amount < 0 {
            return Ok(None);
        }
        let who = ["account", "user", "tenant", "caller"].into_iter().find_map(|name| fields.get(name));
        let what = ["path", "tool", "route"].into_iter().find_map(|name| fields.get(name));
        let key = fields.get("key").and_then(Value::as_str).map(|key| KeyClaim {
            name: KeyName {
                scope: super::commands::entry_id(&who.map(Value::to_string).unwrap_or_default()).uuid(),
                key: key.into(),
            },
            // Objects of serde_json keep their members sorted: two spellings of one body are one request.
            fingerprint: sha256(format!("{kind} {what:?} {body}").as_bytes()),
        });
        fields.end()?;
        self.open_caller().await;
        let id = self.desk.fresh();
        let payee = self.account("the publisher").await?;
        let place = (amount > 0).then(|| PlaceHold { ttl_us: 60 * SECOND_US, ..hold(id, CALLER, payee, amount) });
        let now_us = self.desk.now_us();
        let call = running_call(InvocationId::from(id.uuid()), place.as_ref(), key.as_ref(), now_us);
        Ok(Some(Call { begin: Begin { call, key, hold: place }, upstream, charge: amount, now_us }))
    }

    async fn open_caller(&mut self) {
        if self.accounts.find("the caller").is_none() {
            self.desk.open_account(CALLER, AccountKind::Wallet, 0).await;
            self.desk.fund(CALLER, CALLER_MONEY).await;
            self.accounts.call("the caller", CALLER);
        }
    }

    /// A hold with shares and its capture: the first share takes what rounding leaves.
    pub(super) async fn split(&mut self, op: &Value) -> Result<Said, String> {
        let mut fields = Fields::of(op)?;
        let from = self.accounts.source(&self.desk, fields.text("from")?).await;
        let amount = fields.number("amount")?.ok_or("a split of nothing")?;
        let mut shares = Vec::new();
        for share in fields.get("shares").and_then(Value::as_array).ok_or("a split without `shares`")? {
            let name = share[0].as_str().ok_or_else(|| format!("{share} names nobody"))?;
            shares.push((name, basis_points(&share[1])?));
        }
        let rest = match fields.get("rest") {
            Some(rest) => rest.as_str().ok_or_else(|| format!("`rest` is {rest}"))?,
            None if shares.iter().map(|(_, bps)| i32::from(*bps)).sum::<i32>() == 10_000 => shares.remove(0).0,
            None => return Err("shares that are not the whole, and nobody who gets the rest".to_owned()),
        };
        fields.end()?;
        if shares.len() > 2 {
            return Err(format!("{} shares and a rest: the ledger knows two", shares.len()));
        }
        self.accounts.call(rest, LedgerAccountId::PLATFORM_FEE);
        let mut parties = Vec::new();
        for (name, bps) in shares {
            parties.push((self.account(name).await?, bps));
        }
        let (payee, publisher_bps) = parties.first().copied().ok_or("a split with one share")?;
        let (partner, partner_bps) = parties.get(1).map_or((None, 0), |(account, bps)| (Some(*account), *bps));
        let shares = ShareTerms::new(publisher_bps, partner_bps).map_err(|error| error.to_string())?;
        let id: EntryId = self.desk.fresh();
        let place = PlaceHold { shares, partner, ..hold(id, from, payee, amount) };
        for command in [Command::Hold(place), Command::Settle(capture_all(id, id))] {
            match self.desk.ask(command).await {
                Ok(Done::Held | Done::Settled { .. }) => {}
                Ok(other) => return Err(format!("a split was answered {other:?}")),
                Err(refusal) => return Ok(Said::word(refusal.as_str())),
            }
        }
        Ok(Said::word("ok"))
    }
}

/// A share such as `"0.19%"`, in ten-thousandths.
fn basis_points(share: &Value) -> Result<u16, String> {
    let wrong = || format!("{share} is no share that the ledger knows");
    let text = share.as_str().and_then(|text| text.strip_suffix('%')).ok_or_else(wrong)?;
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let hundredths = match decimals.len() {
        0..=2 => format!("{whole}{decimals:0<2}"),
        _ => return Err(wrong()),
    };
    hundredths.parse().map_err(|_error| wrong())
}
