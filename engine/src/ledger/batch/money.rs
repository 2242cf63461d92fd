//! The plain commands: moving money, holding it, ending a hold. Every check stands before the first change.

use super::{
    Batch, Done, insufficient,
    replay::{same_hold, same_settlement, same_transaction},
};
use crate::{
    credits::Credits,
    id::{EntryId, InvocationId},
    invocation::CallState,
    ledger::{
        accounts::LedgerAccountId,
        caps::{CapUse, Counter, CounterKey},
        command::{CaptureAmount, Leg, OnExpiry, PlaceHold, Post, Settle, SettleAction, TransactionKind},
        facts::{Known, OpenHold},
        grants::{HoldPart, parts, pay},
        leaf::{Entry, HoldEntry, Settled, SettlementEntry, TransactionEntry},
        refusal::{Difference, Limit, Refusal},
    },
    pricing::split,
};

impl Batch<'_> {
    /// Moves money at once.
    pub fn post(&mut self, post: &Post) -> Result<Done, Refusal> {
        let needed = total(&post.legs);
        let wallet = post.legs.first().map(|leg| leg.debit);
        let decided = self.try_post(post);
        self.record_refusal(post.id, wallet, needed, decided)
    }

    /// Reserves money.
    pub fn hold(&mut self, hold: &PlaceHold) -> Result<Done, Refusal> {
        let decided = self.try_hold(hold);
        self.record_refusal(hold.id, Some(hold.wallet), hold.amount, decided)
    }

    /// Ends a hold.
    pub fn settle(&mut self, settle: &Settle) -> Result<Done, Refusal> {
        let decided = self.try_settle(settle);
        self.record_refusal(settle.id, settle.wallet, Credits::ZERO, decided)
    }

    fn try_post(&mut self, post: &Post) -> Result<Done, Refusal> {
        let effective_us = post.effective_us.unwrap_or(self.now_us);
        if let Some(known) = self.known(post.id) {
            return same_transaction(&known, post);
        }
        // What counts later than it is recorded could belong to a period that nobody looks through again.
        if post.legs.iter().any(|leg| leg.amount <= Credits::ZERO) || effective_us > self.now_us {
            return Err(Refusal::OutOfRange);
        }
        if post.legs.iter().any(|leg| leg.debit == leg.credit) {
            return Err(Refusal::SameAccount);
        }
        self.known_accounts(post.legs.iter().flat_map(|leg| [leg.debit, leg.credit]))?;
        if post.kind.has_own_rules() {
            return Err(Refusal::WrongKind(post.kind));
        }
        self.book(TransactionEntry {
            id: post.id,
            kind: post.kind,
            hold: None,
            reverses: post.reverses,
            effective_us,
            meta: post.meta,
            legs: post.legs.clone(),
        })
    }

    fn try_hold(&mut self, hold: &PlaceHold) -> Result<Done, Refusal> {
        if let Some(known) = self.known(hold.id) {
            return same_hold(&known, hold);
        }
        if hold.amount < Credits::ZERO || hold.ttl_us < 0 {
            return Err(Refusal::OutOfRange);
        }
        if hold.wallet == hold.payee || hold.partner == Some(hold.wallet) {
            return Err(Refusal::SameAccount);
        }
        self.wallet(hold.wallet)?;
        let parties = || [Some(hold.wallet), Some(hold.payee), hold.partner].into_iter().flatten();
        self.no_grants(parties())?;
        self.open_accounts(parties())?;
        let available = Credits::from_micros(self.facts.available(hold.wallet, self.now_us));
        if hold.amount > available {
            return Err(insufficient(Limit::Wallet(hold.wallet), hold.amount, available));
        }
        let counters = self.check_caps(&hold.caps, hold.amount)?;
        let expires_us = (hold.ttl_us > 0).then(|| self.now_us.saturating_add(hold.ttl_us));
        let entry = HoldEntry {
            id: hold.id,
            wallet: hold.wallet,
            payee: hold.payee,
            amount: hold.amount,
            ttl_us: hold.ttl_us,
            shares: hold.shares,
            partner: hold.partner,
            on_expiry: hold.on_expiry,
            counters: counters.iter().map(|(key, _)| *key).collect(),
            sources: self.facts.grants.sources(hold.wallet, hold.amount, &self.facts.wallets, self.now_us),
            meta: hold.meta,
        };
        let mut after = Vec::with_capacity(1);
        for part in parts(&entry, Credits::ZERO) {
            let wallet = self.wallet(part.account)?.holding(part.held).ok_or(Refusal::Overflow)?;
            after.push((part.account, wallet));
        }
        // The wallet's own line changes with every hold, also where grants pay: by it other servers see that what they
        // know of the grants is old.
        for (id, wallet) in after {
            self.set_wallet(id, wallet);
        }
        for (key, counter) in &counters {
            self.facts.counters.insert(*key, *counter);
            self.plan.counters.insert(*key);
        }
        self.facts.insert_hold(OpenHold { entry: entry.clone(), expires_us });
        self.plan.opened.push((hold.id, expires_us));
        self.plan.entries.push(Entry::Hold(entry));
        Ok(Done::Held)
    }

    /// Every cap as it stands with `amount` more reserved; the first that does not allow it says no.
    fn check_caps(&self, caps: &[CapUse], amount: Credits) -> Result<Vec<(CounterKey, Counter)>, Refusal> {
        let mut after = Vec::with_capacity(caps.len());
        for used in caps {
            let key = used.counter();
            let counter = key.and_then(|key| self.facts.counters.get(&key)).copied().unwrap_or_default();
            let available = counter.remaining(used.cap.limit);
            if amount > available {
                let limit = Limit::Cap { cap: used.cap.id, resets_us: used.resets_us };
                return Err(insufficient(limit, amount, available));
            }
            if let Some(key) = key {
                after.push((key, counter.holding(amount).ok_or(Refusal::Overflow)?));
            }
        }
        Ok(after)
    }

    fn try_settle(&mut self, settle: &Settle) -> Result<Done, Refusal> {
        if let Some(done) = self.settled_before(settle)? {
            return Ok(done);
        }
        if asked_amount(settle).is_some_and(Credits::is_negative) {
            return Err(Refusal::OutOfRange);
        }
        let Some(open) = self.facts.holds.get(&settle.hold) else {
            return Err(self.why_not_open(settle));
        };
        let captured = check_terms(&open.entry, settle)?;
        if open.expires_us.is_some_and(|expires_us| expires_us <= self.now_us) {
            self.expire(settle.hold)?;
            return Err(Refusal::HoldExpired);
        }
        let settled = match settle.action {
            SettleAction::Capture(_) => Settled::Captured,
            SettleAction::Release(_) => Settled::Released,
        };
        if settled == Settled::Captured {
            self.open_accounts([open.entry.payee])?;
        }
        let meta = settle.meta.or(open.entry.meta);
        self.end_hold(SettlementEntry { id: settle.id, hold: settle.hold, settled, captured, meta })
    }

    /// A settlement that was carried out before under the same identifier, or one that differs from it.
    fn settled_before(&self, settle: &Settle) -> Result<Option<Done>, Refusal> {
        let before = match self.facts.known.get(&settle.hold) {
            Some(Known::Hold(hold, Some(settlement))) if settlement.id == settle.id => Some((hold, settlement)),
            _ => None,
        };
        if let Some((hold, settlement)) = before {
            // What the sweep did under a call's own identifier is no answer to the call's settlement.
            return match settlement.settled {
                Settled::Expired | Settled::CapturedAtExpiry => Err(Refusal::HoldExpired),
                Settled::Captured | Settled::Released => same_settlement(hold, settlement, settle).map(Some),
            };
        }
        match self.facts.known.get(&settle.id) {
            _ if settle.id == settle.hold => Ok(None),
            None if self.facts.holds.contains_key(&settle.id) => Err(Refusal::Exists(Difference::Operation)),
            None => Ok(None),
            Some(known @ (Known::Transaction(TransactionEntry { hold: Some(_), .. }) | Known::Settlement(_))) => {
                let was_release = matches!(known, Known::Settlement(before) if before.settled == Settled::Released);
                let is_release = matches!(settle.action, SettleAction::Release(_));
                let difference = if was_release == is_release { Difference::Hold } else { Difference::Operation };
                Err(Refusal::Exists(difference))
            }
            Some(Known::Transaction(_) | Known::Hold(..)) => Err(Refusal::Exists(Difference::Operation)),
        }
    }

    fn why_not_open(&self, settle: &Settle) -> Refusal {
        match self.facts.known.get(&settle.hold) {
            None | Some(Known::Hold(_, None)) => Refusal::HoldNotFound,
            Some(Known::Transaction(_) | Known::Settlement(_)) => Refusal::NotAHold,
            Some(Known::Hold(hold, Some(settlement))) => match check_terms(hold, settle) {
                Err(refusal) => refusal,
                Ok(_) => match settlement.settled {
                    Settled::Captured => Refusal::AlreadyCaptured,
                    Settled::Released => Refusal::AlreadyReleased,
                    Settled::Expired | Settled::CapturedAtExpiry => Refusal::HoldExpired,
                },
            },
        }
    }

    /// Settles every hold whose time is over, at most `count_max`, and the calls behind them; then as many grants lapse
    /// that have expired. Returns how many holds.
    pub fn sweep(&mut self, count_max: usize) -> Result<usize, Refusal> {
        let expired = self.facts.expired_holds(self.now_us, count_max);
        for hold in &expired {
            self.expire(*hold)?;
        }
        self.lapse_grants(count_max)?;
        Ok(expired.len())
    }

    /// Follows the rule that the hold was placed with.
    pub(super) fn expire(&mut self, id: EntryId) -> Result<(), Refusal> {
        let Some(open) = self.facts.holds.get(&id) else { return Ok(()) };
        let (settled, captured, state) = match open.entry.on_expiry {
            OnExpiry::Release => (Settled::Expired, Credits::ZERO, CallState::UnknownReleased),
            OnExpiry::Capture(amount) => {
                (Settled::CapturedAtExpiry, amount.min(open.entry.amount), CallState::UnknownCaptured)
            }
        };
        let meta = open.entry.meta;
        self.end_hold(SettlementEntry { id, hold: id, settled, captured, meta })?;
        self.end_lost_call(InvocationId::from(id.uuid()), state, captured);
        Ok(())
    }

    /// Takes the hold away, charges `captured` of it and gives the rest back.
    fn end_hold(&mut self, settlement: SettlementEntry) -> Result<Done, Refusal> {
        let Some(open) = self.facts.holds.get(&settlement.hold) else { return Err(Refusal::HoldNotFound) };
        let (hold, captured) = (open.entry.clone(), settlement.captured);
        let parts = parts(&hold, captured);
        let mut after = Vec::with_capacity(1);
        for part in &parts {
            let wallet = self.wallet(part.account)?.settling(part.held, part.captured).ok_or(Refusal::Overflow)?;
            after.push((part.account, wallet));
        }
        let legs = charge_legs(&hold, &parts, captured)?;
        self.move_money(&legs, false)?;
        for (id, wallet) in after {
            self.set_wallet(id, wallet);
        }
        for key in &hold.counters {
            let counter = self.facts.counters.entry(*key).or_default();
            *counter = counter.settling(hold.amount, captured);
            self.plan.counters.insert(*key);
        }
        self.facts.remove_hold(hold.id);
        self.plan.closed.push(hold.id);
        let settled = settlement.settled;
        self.facts.known.insert(hold.id, Known::Hold(hold.clone(), Some(settlement.clone())));
        self.plan.entries.push(Entry::Settlement(settlement.clone()));
        if captured > Credits::ZERO {
            let charge = TransactionEntry {
                id: settlement.id,
                kind: TransactionKind::Charge,
                hold: Some(hold.id),
                reverses: None,
                effective_us: self.now_us,
                meta: settlement.meta,
                legs,
            };
            if settlement.id != hold.id {
                self.facts.known.insert(settlement.id, Known::Transaction(charge.clone()));
            }
            self.plan.entries.push(Entry::Transaction(charge));
        } else if settlement.id != hold.id {
            self.facts.known.insert(settlement.id, Known::Settlement(settlement));
        }
        self.lapse_parts(&parts)?;
        Ok(Done::Settled { settled, captured })
    }
}

/// The postings of a charge: publisher, partner, platform, in this order and never a posting of nothing. The grants pay
/// first, in the order in which they were reserved from.
pub(super) fn charge_legs(hold: &HoldEntry, parts: &[HoldPart], captured: Credits) -> Result<Vec<Leg>, Refusal> {
    let shares = split(captured, hold.shares).map_err(|_overflow| Refusal::Overflow)?;
    let partner = hold.partner.unwrap_or(LedgerAccountId::PLATFORM_FEE);
    let shares =
        [(hold.payee, shares.publisher), (partner, shares.partner), (LedgerAccountId::PLATFORM_FEE, shares.platform)];
    Ok(pay(parts, shares))
}

fn total(legs: &[Leg]) -> Credits {
    Credits::from_micros(legs.iter().fold(0_i64, |sum, leg| sum.saturating_add(leg.amount.micros())))
}

/// The amount that a settlement names, where it names one.
pub(super) const fn asked_amount(settle: &Settle) -> Option<Credits> {
    match settle.action {
        SettleAction::Capture(CaptureAmount::All) => None,
        SettleAction::Capture(CaptureAmount::Exactly(amount)) => Some(amount),
        SettleAction::Release(amount) => amount,
    }
}

/// What a settlement would charge, unless it contradicts the hold. A hold never changes, so this is checked before how
/// the hold stands.
fn check_terms(hold: &HoldEntry, settle: &Settle) -> Result<Credits, Refusal> {
    let held = hold.amount;
    if settle.wallet.is_some_and(|wallet| wallet != hold.wallet) {
        return Err(Refusal::HoldHasOtherWallet);
    }
    if settle.payee.is_some_and(|payee| payee != hold.payee) {
        return Err(Refusal::HoldHasOtherPayee);
    }
    let amount = asked_amount(settle).unwrap_or(held);
    if amount > held {
        return Err(Refusal::ExceedsHold { held });
    }
    match settle.action {
        SettleAction::Capture(_) => Ok(amount),
        SettleAction::Release(_) if amount < held => Err(Refusal::ReleaseIsPartial { held }),
        SettleAction::Release(_) => Ok(Credits::ZERO),
    }
}
