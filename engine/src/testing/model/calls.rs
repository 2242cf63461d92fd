//! Calls and their idempotency keys.

use std::sync::Arc;

use super::{Call, Model};
use crate::{
    credits::Credits,
    id::{EntryId, InvocationId},
    ledger::{
        CaptureAmount, Refusal, Settle, SettleAction,
        batch::{Begin, Begun, Done, Ended, Finish, KeyEnd, Outcome},
        key::{KeyClaim, KeyName, KeyState, KeyVerdict, StoredKey},
    },
};

/// A key is remembered for a day.
const DAY_US: i64 = 86_400_000_000;

impl Model {
    /// Begins a call in the term `epoch`.
    pub fn begin(&mut self, begin: &Begin, epoch: i64, now_us: i64) -> Begun {
        if let Some(verdict) = begin.key.as_ref().and_then(|claim| self.verdict(claim, now_us)) {
            return Begun::Key(verdict);
        }
        if let Some(hold) = &begin.hold
            && let Err(refusal) = self.hold(hold, now_us)
        {
            return Begun::Refused { refusal, spendable: self.spendable(hold.wallet, &hold.caps, now_us) };
        }
        let (id, key) = (begin.call.id, begin.key.as_ref().map(|claim| claim.name.clone()));
        if let Some(KeyClaim { name, fingerprint }) = begin.key.clone() {
            self.keys.retain(|(taken, _)| *taken != name);
            let stored = StoredKey { fingerprint, call: id, created_us: now_us, state: KeyState::Running };
            self.keys.push((name, stored));
        }
        self.calls.push(Call { id, key, epoch, is_open: true, is_unknown: false });
        Begun::Go
    }

    /// What a key says to a claim; `None`: go on. A key that is a day old is forgotten, unless its call still runs.
    fn verdict(&self, claim: &KeyClaim, now_us: i64) -> Option<KeyVerdict> {
        let (_, stored) = self.keys.iter().find(|(name, _)| *name == claim.name)?;
        let call = stored.call;
        if stored.state != KeyState::Running && now_us - stored.created_us >= DAY_US {
            return None;
        }
        if stored.fingerprint != claim.fingerprint {
            return Some(KeyVerdict::Reused { call });
        }
        Some(match &stored.state {
            KeyState::Running => KeyVerdict::InFlight { call },
            KeyState::Unknown => KeyVerdict::OutcomeUnknown { call },
            KeyState::Finished { status, body } => KeyVerdict::Replay { call, status: *status, body: Arc::clone(body) },
        })
    }

    /// A call leaves its key, unless another one has it by now.
    fn free(&mut self, name: &KeyName, call: InvocationId) {
        self.keys.retain(|(taken, stored)| taken != name || stored.call != call);
    }

    fn tell(&mut self, name: &KeyName, call: InvocationId, state: &KeyState) {
        for (_, stored) in self.keys.iter_mut().filter(|(taken, stored)| taken == name && stored.call == call) {
            stored.state = state.clone();
        }
    }

    /// Ends a call.
    pub fn finish(&mut self, finish: &Finish, now_us: i64) -> Result<Ended, Refusal> {
        let open = self.calls.iter().find(|call| call.id == finish.call && call.is_open).cloned();
        let Some(open) = open else { return Ok(self.ended(finish, Credits::ZERO, true, now_us)) };
        let id = EntryId::from(finish.call);
        let hold = self.holds.iter_mut().find(|hold| hold.place.id == id && hold.end.is_none());
        let has_hold = hold.is_some();
        let action = match finish.outcome {
            Outcome::Capture(amount) => SettleAction::Capture(CaptureAmount::Exactly(amount)),
            Outcome::Release => SettleAction::Release(None),
            Outcome::Unknown { resolves_us } => {
                if let Some(hold) = hold {
                    hold.expires_us = Some(resolves_us);
                }
                if let Some(name) = &open.key {
                    self.tell(name, finish.call, &KeyState::Unknown);
                }
                for call in self.calls.iter_mut().filter(|call| call.id == finish.call) {
                    call.is_unknown = true;
                    call.is_open = has_hold;
                }
                return Ok(self.ended(finish, Credits::ZERO, false, now_us));
            }
        };
        let mut charged = Credits::ZERO;
        if has_hold {
            let settle = Settle { id, hold: id, action, wallet: None, payee: None, meta: None };
            match self.settle(&settle, now_us) {
                Ok(Done::Settled { captured, .. }) => charged = captured,
                Ok(Done::Posted | Done::Held | Done::Exists) => {}
                Err(Refusal::HoldExpired) => return Ok(self.ended(finish, Credits::ZERO, true, now_us)),
                Err(other) => return Err(other),
            }
        }
        let ended = self.ended(finish, charged, false, now_us);
        match (&open.key, &finish.key) {
            (None, _) => {}
            (Some(name), KeyEnd::Free) => self.free(name, finish.call),
            (Some(name), KeyEnd::Unknown) => self.tell(name, finish.call, &KeyState::Unknown),
            (Some(name), KeyEnd::Store { status, render }) => {
                self.tell(name, finish.call, &KeyState::Finished { status: *status, body: render(&ended) });
            }
        }
        self.close_call(finish.call);
        Ok(ended)
    }

    fn ended(&self, finish: &Finish, charged: Credits, is_too_late: bool, now_us: i64) -> Ended {
        let spendable = finish.wallet.map_or(Credits::ZERO, |wallet| self.spendable(wallet, &finish.caps, now_us));
        Ended { charged, spendable, is_too_late }
    }

    fn close_call(&mut self, id: InvocationId) {
        for call in self.calls.iter_mut().filter(|call| call.id == id) {
            call.is_open = false;
        }
    }

    /// Nobody will ever know what became of this call.
    pub(super) fn lose_call(&mut self, id: InvocationId) {
        let key = self.calls.iter().find(|call| call.id == id && call.is_open).map(|call| call.key.clone());
        if let Some(Some(name)) = key {
            self.tell(&name, id, &KeyState::Unknown);
        }
        self.close_call(id);
    }

    /// A writer begins its term `epoch`: the calls of earlier terms will never be ended by their servers.
    pub fn recover(&mut self, epoch: i64) {
        let is_lost = |call: &&Call| call.is_open && !call.is_unknown && call.epoch < epoch;
        let lost: Vec<_> = self.calls.iter().filter(is_lost).map(|call| call.id).collect();
        for call in lost {
            let is_its = |hold: &super::Reserved| hold.place.id == EntryId::from(call) && hold.end.is_none();
            match self.holds.iter().position(is_its) {
                Some(at) => self.expire(at),
                None => self.lose_call(call),
            }
        }
    }
}
