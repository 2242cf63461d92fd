//! What becomes of a command whose identifier was used before: one effect, whatever is sent.

use super::{Model, Reserved};
use crate::{
    id::EntryId,
    ledger::{
        CaptureAmount, LedgerAccountId, Leg, PlaceHold, Post, Refusal, Settle, SettleAction, batch::Done,
        caps::CapWindow, leaf::Settled, refusal::Difference,
    },
};

/// What an identifier names.
pub(super) enum Named<'a> {
    Post(&'a Post),
    Hold(&'a Reserved),
    /// The settlement of a hold, with an identifier of its own.
    Settlement(&'a Reserved),
}

type Before = Option<Result<Done, Refusal>>;

/// The first difference in the documented order, or "it exists".
pub(super) fn verdict(differences: &[(Difference, bool)]) -> Result<Done, Refusal> {
    let found = |kind: Difference| differences.iter().any(|(difference, differs)| *difference == kind && *differs);
    let order = [
        Difference::Operation,
        Difference::Hold,
        Difference::DebitAccount,
        Difference::CreditAccount,
        Difference::Amount,
        Difference::Ttl,
        Difference::Metadata,
    ];
    order.into_iter().find(|kind| found(*kind)).map_or(Ok(Done::Exists), |kind| Err(Refusal::Exists(kind)))
}

fn sides(post: &Post, side: fn(&Leg) -> LedgerAccountId) -> Vec<LedgerAccountId> {
    post.legs.iter().map(side).collect()
}

fn lasting_caps(hold: &PlaceHold) -> Vec<crate::id::CapId> {
    hold.caps.iter().filter(|used| used.cap.window != CapWindow::Call).map(|used| used.cap.id).collect()
}

const fn is_capture(settle: &Settle) -> bool {
    matches!(settle.action, SettleAction::Capture(_))
}

fn was_captured(hold: &Reserved) -> bool {
    hold.end.as_ref().is_some_and(|end| matches!(end.settled, Settled::Captured | Settled::CapturedAtExpiry))
}

impl Model {
    pub(super) fn named(&self, id: EntryId) -> Option<Named<'_>> {
        let post = self.posts.iter().find(|post| post.id == id).map(Named::Post);
        let hold = || self.holds.iter().find(|hold| hold.place.id == id).map(Named::Hold);
        let is_end = |hold: &&Reserved| hold.end.as_ref().is_some_and(|end| end.id == id);
        post.or_else(hold).or_else(|| self.holds.iter().find(is_end).map(Named::Settlement))
    }

    pub(super) fn names_something_else_than_a_hold(&self, id: EntryId) -> bool {
        matches!(self.named(id), Some(Named::Post(_) | Named::Settlement(_)))
    }

    pub(super) fn posted_before(&self, post: &Post) -> Before {
        let Named::Post(before) = self.named(post.id)? else {
            return Some(Err(Refusal::Exists(Difference::Operation)));
        };
        let have_both_legs = !before.legs.is_empty() && !post.legs.is_empty();
        let amounts = |post: &Post| post.legs.iter().map(|leg| leg.amount).collect::<Vec<_>>();
        let differs = |side| have_both_legs && sides(before, side) != sides(post, side);
        Some(verdict(&[
            (Difference::Operation, before.kind != post.kind || before.reverses != post.reverses),
            (Difference::DebitAccount, differs(|leg| leg.debit)),
            (Difference::CreditAccount, differs(|leg| leg.credit)),
            (Difference::Amount, amounts(before) != amounts(post)),
            (Difference::Metadata, before.meta != post.meta),
        ]))
    }

    pub(super) fn held_before(&self, hold: &PlaceHold) -> Before {
        let Named::Hold(before) = self.named(hold.id)? else {
            return Some(Err(Refusal::Exists(Difference::Operation)));
        };
        let before = &before.place;
        let has_other_terms = before.shares != hold.shares
            || before.partner != hold.partner
            || before.on_expiry != hold.on_expiry
            || lasting_caps(before) != lasting_caps(hold);
        Some(verdict(&[
            (Difference::Operation, has_other_terms),
            (Difference::DebitAccount, before.wallet != hold.wallet),
            (Difference::CreditAccount, before.payee != hold.payee),
            (Difference::Amount, before.amount != hold.amount),
            (Difference::Ttl, before.ttl_us != hold.ttl_us),
            (Difference::Metadata, before.meta != hold.meta),
        ]))
    }

    pub(super) fn settled_before(&self, settle: &Settle) -> Before {
        let repeated = self
            .holds
            .iter()
            .find(|hold| hold.place.id == settle.hold && hold.end.as_ref().is_some_and(|end| end.id == settle.id));
        if let Some((hold, end)) = repeated.and_then(|hold| hold.end.as_ref().map(|end| (hold, end))) {
            if matches!(end.settled, Settled::Expired | Settled::CapturedAtExpiry) {
                return Some(Err(Refusal::HoldExpired));
            }
            let asked = match settle.action {
                SettleAction::Capture(CaptureAmount::All) => hold.place.amount,
                SettleAction::Capture(CaptureAmount::Exactly(amount)) => amount,
                SettleAction::Release(amount) => amount.unwrap_or(hold.place.amount),
            };
            let recorded = if was_captured(hold) { end.captured } else { super::micros(hold.place.amount) };
            return Some(verdict(&[
                (Difference::Operation, was_captured(hold) != is_capture(settle)),
                (Difference::DebitAccount, settle.wallet.is_some_and(|wallet| wallet != hold.place.wallet)),
                (Difference::CreditAccount, settle.payee.is_some_and(|payee| payee != hold.place.payee)),
                (Difference::Amount, super::micros(asked) != recorded),
                (Difference::Metadata, settle.meta.is_some() && settle.meta != end.meta),
            ]));
        }
        if settle.id == settle.hold {
            return None;
        }
        let difference = match self.named(settle.id)? {
            Named::Post(_) | Named::Hold(_) => Difference::Operation,
            Named::Settlement(other) if was_captured(other) != is_capture(settle) => Difference::Operation,
            Named::Settlement(_) => Difference::Hold,
        };
        Some(Err(Refusal::Exists(difference)))
    }
}
