//! Calls that begin and end.

use std::sync::Arc;

use uuid::Uuid;

use super::{History, SECOND_US, Step, micros};
use crate::{
    id::{EntryId, InvocationId},
    invocation::CallState,
    ledger::{
        batch::{Begin, Ended, Finish, KeyEnd, Outcome},
        key::{KeyClaim, KeyName},
        leaf::sha256,
    },
    testing::{call_end, running_call},
};

impl History {
    pub(super) fn begin(&mut self) -> Step {
        let id = InvocationId::from(self.uuid());
        let hold = self.dice.chance(75).then(|| self.place_hold(EntryId::from(id)));
        let key = self.dice.chance(60).then(|| KeyClaim {
            name: KeyName {
                scope: Uuid::from_u128(self.dice.below(2).into()),
                key: format!("key-{}", self.dice.below(12)).into(),
            },
            fingerprint: sha256(if self.dice.chance(80) { b"one request" } else { b"another request" }),
        });
        let call = running_call(id, hold.as_ref(), key.as_ref(), self.now_us);
        let begin = Begin { call, key, hold };
        self.calls.push(begin.clone());
        Step::Begin(begin)
    }

    pub(super) fn finish(&mut self) -> Step {
        let recent = self.calls.len().saturating_sub(8);
        let Some(call) = self.dice.pick(self.calls.get(recent..).unwrap_or_default()).cloned() else {
            return self.begin();
        };
        let held = call.hold.as_ref().map_or(0, |hold| hold.amount.micros());
        let outcome = match self.dice.below(10) {
            0..=4 => Outcome::Capture(micros(self.dice.between(0, held))),
            5 => Outcome::Capture(micros(held.saturating_add(1))),
            6 | 7 => Outcome::Release,
            _ => Outcome::Unknown { resolves_us: self.now_us + self.dice.between(1, 90) * SECOND_US },
        };
        let key = match self.dice.below(4) {
            0 => KeyEnd::Free,
            1 => KeyEnd::Unknown,
            _ => KeyEnd::Store { status: 200, render: Arc::new(body) },
        };
        Step::Finish(Finish {
            call: call.call.id,
            wallet: call.hold.as_ref().map(|hold| hold.wallet),
            caps: call.hold.map(|hold| hold.caps).unwrap_or_default(),
            outcome,
            key,
            end: call_end(CallState::Succeeded),
        })
    }
}

/// The body that a finished call stores: it shows what the ledger told the caller.
fn body(ended: &Ended) -> Arc<str> {
    format!("{{\"charged\":{},\"left\":{}}}", ended.charged.micros(), ended.spendable.micros()).into()
}
