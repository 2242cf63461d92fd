//! Calls: their keys, their holds and their records stand or fall together.

use std::sync::Arc;

use super::{Batch, Done};
use crate::{
    code::Code,
    credits::Credits,
    id::{EntryId, InvocationId},
    invocation::{CallEnd, CallRecord, CallState},
    ledger::{
        accounts::LedgerAccountId,
        caps::CapUse,
        command::{CaptureAmount, PlaceHold, Settle, SettleAction},
        facts::OpenCall,
        key::{KeyClaim, KeyName, KeyState, KeyVerdict, StoredKey, decide_key},
        plan::{CallWrite, KeyWrite},
        refusal::{Limit, Refusal},
    },
};

/// The start of a call: its key, its hold and its record stand or fall together.
#[derive(Debug, Clone)]
pub struct Begin {
    /// In state `Running`.
    pub call: Arc<CallRecord>,
    /// The idempotency key, where the client sent one.
    pub key: Option<KeyClaim>,
    /// The hold, unless the call is free.
    pub hold: Option<PlaceHold>,
}

/// The answer to [`Begin`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// Go on: key and money are durable.
    Go,
    /// The key says something else than "go on".
    Key(KeyVerdict),
    /// No money.
    Refused {
        /// Why.
        refusal: Refusal,
        /// What could be spent, in micro-credits.
        spendable: Credits,
    },
}

/// How a call ended, as far as money goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Charge so many micro-credits of the hold.
    Capture(Credits),
    /// Charge nothing.
    Release,
    /// Nobody knows: keep the hold until that time (microseconds since the Unix epoch), then follow its rule.
    Unknown {
        /// When the rule is followed.
        resolves_us: i64,
    },
}

/// Writes a body once the settlement's figures are known.
pub type RenderBody = Arc<dyn Fn(&Ended) -> Arc<str> + Send + Sync>;

/// What becomes of the call's key.
#[derive(Clone)]
pub enum KeyEnd {
    /// Retries may run afresh.
    Free,
    /// Retries are told that nobody knows.
    Unknown,
    /// Retries get the same answer. The body can only be written once the balance after the charge is known.
    Store {
        /// The HTTP status.
        status: u16,
        /// Writes the body.
        render: RenderBody,
    },
}

impl std::fmt::Debug for KeyEnd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Free => f.write_str("Free"),
            Self::Unknown => f.write_str("Unknown"),
            Self::Store { status, .. } => write!(f, "Store({status})"),
        }
    }
}

/// The end of a call.
#[derive(Debug, Clone)]
pub struct Finish {
    /// Which call.
    pub call: InvocationId,
    /// The wallet that pays.
    pub wallet: Option<LedgerAccountId>,
    /// The caps whose remainders the caller is told.
    pub caps: Vec<CapUse>,
    /// About the money.
    pub outcome: Outcome,
    /// About the key.
    pub key: KeyEnd,
    /// For the record; `charged` and `ended_us` are filled in here.
    pub end: CallEnd,
}

/// The answer to [`Finish`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Micro-credits charged.
    pub charged: Credits,
    /// What can be spent now, in micro-credits.
    pub spendable: Credits,
    /// The sweep had settled the hold before: nothing was charged now.
    pub is_too_late: bool,
}

impl Batch<'_> {
    /// Settles the calls of earlier terms: their servers are gone, so nobody else will.
    pub fn recover(&mut self, count_max: usize) -> Result<usize, Refusal> {
        let is_lost = |call: &OpenCall| call.epoch < self.epoch && !call.is_unknown;
        let mut lost: Vec<_> = self.facts.calls.iter().filter(|(_, call)| is_lost(call)).map(|(id, _)| *id).collect();
        // The same facts make the same batch, whatever the order in which they are remembered.
        lost.sort_unstable();
        lost.truncate(count_max);
        for call in &lost {
            if self.facts.holds.contains_key(&EntryId::from(*call)) {
                self.expire(EntryId::from(*call))?;
            } else {
                self.end_lost_call(*call, CallState::UnknownReleased, Credits::ZERO);
                self.plan.free_closed.push(*call);
            }
        }
        Ok(lost.len())
    }

    /// Begins a call.
    pub fn begin(&mut self, begin: &Begin) -> Begun {
        if let Some(claim) = &begin.key {
            let verdict = decide_key(self.facts.keys.get(&claim.name), claim, self.now_us);
            if verdict != KeyVerdict::Fresh {
                return Begun::Key(verdict);
            }
        }
        if let Some(hold) = &begin.hold
            && let Err(refusal) = self.hold(hold)
        {
            self.plan.calls.push(CallWrite::Insert(Arc::new(self.refused_record(&begin.call, &refusal))));
            return Begun::Refused { refusal, spendable: self.facts.spendable(hold.wallet, &hold.caps, self.now_us) };
        }
        let key = begin.key.as_ref().map(|claim| {
            let stored = StoredKey {
                fingerprint: claim.fingerprint,
                call: begin.call.id,
                created_us: self.now_us,
                state: KeyState::Running,
            };
            if let Some(expired) = self.facts.keys.insert(claim.name.clone(), stored.clone()) {
                // What stood there has expired, and goes with its answer.
                self.plan.keys.push(KeyWrite::Free(claim.name.clone(), expired.call));
            }
            self.plan.keys.push(KeyWrite::Claim(claim.name.clone(), stored));
            claim.name.clone()
        });
        self.facts.calls.insert(begin.call.id, OpenCall { key, epoch: self.epoch, is_unknown: false });
        self.plan.calls.push(CallWrite::Insert(Arc::clone(&begin.call)));
        if begin.hold.is_none() {
            self.plan.free_opened.push(begin.call.id);
        }
        Begun::Go
    }

    fn refused_record(&self, call: &CallRecord, refusal: &Refusal) -> CallRecord {
        let end = CallEnd {
            state: CallState::Refused,
            charged: Credits::ZERO,
            shortfall: Credits::ZERO,
            error: Some(match refusal {
                Refusal::Insufficient { limit: Limit::Cap { .. }, .. } => Code::CapReached,
                _ => Code::InsufficientCredits,
            }),
            warning: None,
            returned: None,
            ended_us: self.now_us,
            resolves_us: None,
        };
        CallRecord { state: CallState::Refused, held: Credits::ZERO, key: None, end: Some(end), ..call.clone() }
    }

    /// Ends a call.
    pub fn finish(&mut self, finish: &Finish) -> Result<Ended, Refusal> {
        let Some(open) = self.facts.calls.get(&finish.call).cloned() else {
            return Ok(self.ended(finish, Credits::ZERO, true));
        };
        if let Outcome::Unknown { resolves_us } = finish.outcome {
            self.postpone(finish, open, resolves_us);
            return Ok(self.ended(finish, Credits::ZERO, false));
        }
        let hold = EntryId::from(finish.call);
        let mut charged = Credits::ZERO;
        if self.facts.holds.contains_key(&hold) {
            let action = match finish.outcome {
                Outcome::Capture(amount) => SettleAction::Capture(CaptureAmount::Exactly(amount)),
                Outcome::Release | Outcome::Unknown { .. } => SettleAction::Release(None),
            };
            match self.settle(&Settle { id: hold, hold, action, wallet: None, payee: None, meta: None }) {
                Ok(Done::Settled { captured, .. }) => charged = captured,
                Ok(Done::Posted | Done::Held | Done::Exists) => {}
                Err(Refusal::HoldExpired) => return Ok(self.ended(finish, Credits::ZERO, true)),
                Err(refusal) => return Err(refusal),
            }
        } else {
            self.plan.free_closed.push(finish.call);
        }
        let ended = self.ended(finish, charged, false);
        if let Some(key) = open.key {
            match &finish.key {
                KeyEnd::Free => {
                    if self.facts.keys.get(&key).is_some_and(|stored| stored.call == finish.call) {
                        self.facts.keys.remove(&key);
                    }
                    self.plan.keys.push(KeyWrite::Free(key, finish.call));
                }
                KeyEnd::Unknown => self.complete_key(key, finish.call, KeyState::Unknown),
                KeyEnd::Store { status, render } => {
                    let state = KeyState::Finished { status: *status, body: render(&ended) };
                    self.complete_key(key, finish.call, state);
                }
            }
        }
        self.facts.calls.remove(&finish.call);
        let end = CallEnd { charged, ended_us: self.now_us, ..finish.end.clone() };
        self.plan.calls.push(CallWrite::End(finish.call, end));
        Ok(ended)
    }

    /// Keeps the hold of a call with an unknown outcome until its rule is followed. A free call has nothing to wait for.
    fn postpone(&mut self, finish: &Finish, open: OpenCall, resolves_us: i64) {
        let hold = EntryId::from(finish.call);
        if let Some(key) = open.key.clone() {
            self.complete_key(key, finish.call, KeyState::Unknown);
        }
        let mut end = CallEnd { ended_us: self.now_us, charged: Credits::ZERO, ..finish.end.clone() };
        if let Some(mut held) = self.facts.remove_hold(hold) {
            held.expires_us = Some(resolves_us);
            self.facts.insert_hold(held);
            self.plan.postponed.push((hold, resolves_us));
            self.facts.calls.insert(finish.call, OpenCall { is_unknown: true, ..open });
            end.state = CallState::Unknown;
            end.resolves_us = Some(resolves_us);
        } else {
            self.facts.calls.remove(&finish.call);
            self.plan.free_closed.push(finish.call);
            end.state = CallState::UnknownReleased;
        }
        self.plan.calls.push(CallWrite::End(finish.call, end));
    }

    fn ended(&self, finish: &Finish, charged: Credits, is_too_late: bool) -> Ended {
        let spendable =
            finish.wallet.map_or(Credits::ZERO, |wallet| self.facts.spendable(wallet, &finish.caps, self.now_us));
        Ended { charged, spendable, is_too_late }
    }

    fn complete_key(&mut self, name: KeyName, call: InvocationId, state: KeyState) {
        if let Some(stored) = self.facts.keys.get_mut(&name).filter(|stored| stored.call == call) {
            stored.state = state.clone();
        }
        self.plan.keys.push(KeyWrite::Complete(name, call, state));
    }

    pub(super) fn end_lost_call(&mut self, id: InvocationId, state: CallState, charged: Credits) {
        let Some(call) = self.facts.calls.remove(&id) else { return };
        if let Some(key) = call.key {
            self.complete_key(key, id, KeyState::Unknown);
        }
        let end = CallEnd {
            state,
            charged,
            shortfall: Credits::ZERO,
            error: Some(Code::OutcomeUnknown),
            warning: None,
            returned: None,
            ended_us: self.now_us,
            resolves_us: None,
        };
        self.plan.calls.push(CallWrite::End(id, end));
    }
}
