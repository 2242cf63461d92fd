//! How holds end, and who gets the money.

use super::{End, Model, Objections, credits, end_by_rule, micros};
use crate::{
    id::InvocationId,
    ledger::{CaptureAmount, LedgerAccountId, PlaceHold, Refusal, Settle, SettleAction, batch::Done, leaf::Settled},
};

impl Model {
    /// Ends a hold.
    pub fn settle(&mut self, settle: &Settle, now_us: i64) -> Result<Done, Refusal> {
        if let Some(before) = self.settled_before(settle) {
            return before;
        }
        let at = self.holds.iter().position(|hold| hold.place.id == settle.hold);
        let refusal = self.object_to_settlement(settle, at, now_us);
        if let (Err(Refusal::HoldExpired), Some(at)) = (refusal, at) {
            self.expire(at);
        }
        refusal?;
        let Some(hold) = at.and_then(|at| self.holds.get(at)) else { return Err(Refusal::HoldNotFound) };
        let held = micros(hold.place.amount);
        let (settled, captured) = match settle.action {
            SettleAction::Capture(CaptureAmount::All) => (Settled::Captured, held),
            SettleAction::Capture(CaptureAmount::Exactly(amount)) => (Settled::Captured, micros(amount)),
            SettleAction::Release(_) => (Settled::Released, 0),
        };
        let end = End { id: settle.id, settled, captured, meta: settle.meta.or(hold.place.meta) };
        self.end(at, end);
        Ok(Done::Settled { settled, captured: credits(captured) })
    }

    fn object_to_settlement(&self, settle: &Settle, at: Option<usize>, now_us: i64) -> Result<(), Refusal> {
        let mut objections = Objections::default();
        let amount = match settle.action {
            SettleAction::Capture(CaptureAmount::All) | SettleAction::Release(None) => None,
            SettleAction::Capture(CaptureAmount::Exactly(amount)) | SettleAction::Release(Some(amount)) => Some(amount),
        };
        objections.add(amount.is_some_and(crate::credits::Credits::is_negative), Refusal::OutOfRange);
        let is_release = matches!(settle.action, SettleAction::Release(_));
        match at.and_then(|at| self.holds.get(at)) {
            None if self.names_something_else_than_a_hold(settle.hold) => objections.add(true, Refusal::NotAHold),
            None => objections.add(true, Refusal::HoldNotFound),
            Some(hold) => {
                let place = &hold.place;
                let held = place.amount;
                objections.add(settle.wallet.is_some_and(|wallet| wallet != place.wallet), Refusal::HoldHasOtherWallet);
                objections.add(settle.payee.is_some_and(|payee| payee != place.payee), Refusal::HoldHasOtherPayee);
                objections.add(amount.is_some_and(|amount| amount > held), Refusal::ExceedsHold { held });
                let is_partial = is_release && amount.is_some_and(|amount| amount < held);
                objections.add(is_partial, Refusal::ReleaseIsPartial { held });
                match hold.end.as_ref().map(|end| end.settled) {
                    None => {
                        let is_over = hold.expires_us.is_some_and(|expires_us| expires_us <= now_us);
                        objections.add(is_over, Refusal::HoldExpired);
                        let is_closed = self.account(place.payee).is_some_and(|payee| payee.is_closed);
                        objections.add(is_closed && !is_release, Refusal::AccountClosed(place.payee));
                    }
                    Some(Settled::Captured) => objections.add(true, Refusal::AlreadyCaptured),
                    Some(Settled::Released) => objections.add(true, Refusal::AlreadyReleased),
                    Some(Settled::Expired | Settled::CapturedAtExpiry) => objections.add(true, Refusal::HoldExpired),
                }
            }
        }
        objections.first()
    }

    /// Ends every hold whose time is over, and lets every grant lapse that has expired, at `now_us` (microseconds since the Unix epoch).
    pub fn sweep(&mut self, now_us: i64) {
        for at in 0..self.holds.len() {
            let is_over = |hold: &super::Reserved| hold.expires_us.is_some_and(|expires_us| expires_us <= now_us);
            if self.holds.get(at).is_some_and(is_over) {
                self.expire(at);
            }
        }
        self.lapse(now_us);
    }

    /// Follows the rule that an open hold was placed with.
    pub(super) fn expire(&mut self, at: usize) {
        let Some(hold) = self.holds.get(at).filter(|hold| hold.end.is_none()) else { return };
        let (settled, captured) = end_by_rule(hold);
        let end = End { id: hold.place.id, settled, captured, meta: hold.place.meta };
        let call = InvocationId::from(hold.place.id.uuid());
        self.end(Some(at), end);
        self.lose_call(call);
    }

    fn end(&mut self, at: Option<usize>, end: End) {
        let Some(hold) = at.and_then(|at| self.holds.get_mut(at)) else { return };
        let captured = end.captured;
        hold.end = Some(end);
        let hold = hold.clone();
        self.legs.extend(Self::overlaps(&hold, &shares(&hold.place, captured)));
        self.lapse_rests(&hold, captured);
    }
}

/// Publisher and partner get their part in ten thousand, rounded down; the platform gets what is left.
fn shares(hold: &PlaceHold, captured: i128) -> Vec<(LedgerAccountId, i128)> {
    let part = |bps: u16| (captured * i128::from(bps)).div_euclid(10_000);
    let publisher = part(hold.shares.publisher_bps());
    let partner = part(hold.shares.partner_bps());
    vec![
        (hold.payee, publisher),
        (hold.partner.unwrap_or(LedgerAccountId::PLATFORM_FEE), partner),
        (LedgerAccountId::PLATFORM_FEE, captured - publisher - partner),
    ]
}
