//! The decision of a batch: a pure function from facts and requests to answers and a plan.
//!
//! Requests are decided in the order of their arrival, each on the facts that the ones before it left. A refused request
//! changes nothing but the list of refusals. Every check stands before the first change.

use std::sync::Arc;

use super::{
    accounts::LedgerAccountId,
    caps::CapUse,
    command::{CaptureAmount, Leg, OnExpiry, PlaceHold, Post, Settle, SettleAction, TransactionKind},
    facts::{Facts, Known, OpenCall, OpenHold, Wallet},
    key::{KeyClaim, KeyName, KeyState, KeyVerdict, StoredKey, decide_key},
    leaf::{Entry, HoldEntry, RefusalEntry, Settled, SettlementEntry, TransactionEntry},
    plan::{CallWrite, KeyWrite, Plan},
    refusal::{Difference, Limit, Refusal},
};
use crate::{
    code::Code,
    credits::Credits,
    id::{EntryId, InvocationId},
    invocation::{CallEnd, CallRecord, CallState},
    pricing::split,
};

/// What a plain ledger command did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// The money moved.
    Posted,
    /// The money is reserved.
    Held,
    /// The hold has ended.
    Settled {
        /// How.
        settled: Settled,
        /// Micro-credits charged.
        captured: Credits,
    },
    /// The same command was carried out before; nothing new happened.
    Exists,
}

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
        render: Arc<dyn Fn(&Ended) -> Arc<str> + Send + Sync>,
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

/// Decides requests one after the other.
#[derive(Debug)]
pub struct Batch<'a> {
    facts: &'a mut Facts,
    now_us: i64,
    epoch: i64,
    plan: Plan,
}

impl<'a> Batch<'a> {
    /// Starts a batch at `now_us` (microseconds since the Unix epoch) for a writer in its term `epoch`.
    pub fn new(facts: &'a mut Facts, now_us: i64, epoch: i64) -> Self {
        Self { facts, now_us, epoch, plan: Plan::default() }
    }

    /// The facts as they stand after the requests so far.
    pub fn facts(&self) -> &Facts {
        self.facts
    }

    /// What is to be written.
    pub fn into_plan(self) -> Plan {
        self.plan
    }

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

    fn record_refusal(
        &mut self,
        id: EntryId,
        wallet: Option<LedgerAccountId>,
        needed: Credits,
        decided: Result<Done, Refusal>,
    ) -> Result<Done, Refusal> {
        if let Err(refusal) = decided {
            self.plan.entries.push(Entry::Refusal(RefusalEntry { id, wallet, reason: refusal.as_str(), needed }));
        }
        decided
    }

    fn try_post(&mut self, post: &Post) -> Result<Done, Refusal> {
        let effective_us = post.effective_us.unwrap_or(self.now_us);
        if let Some(known) = self.known(post.id) {
            return same_transaction(&known, post);
        }
        if post.legs.iter().any(|leg| leg.amount <= Credits::ZERO) {
            return Err(Refusal::OutOfRange);
        }
        if post.legs.iter().any(|leg| leg.debit == leg.credit) {
            return Err(Refusal::SameAccount);
        }
        self.open_accounts(post.legs.iter().flat_map(|leg| [leg.debit, leg.credit]))?;
        self.move_money(&post.legs, true)?;
        let entry = TransactionEntry {
            id: post.id,
            kind: post.kind,
            hold: None,
            reverses: post.reverses,
            effective_us,
            meta: post.meta,
            legs: post.legs.clone(),
        };
        self.facts.known.insert(post.id, Known::Transaction(entry.clone()));
        self.plan.entries.push(Entry::Transaction(entry));
        Ok(Done::Posted)
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
        let wallet = self.wallet(hold.wallet)?;
        self.open_accounts([Some(hold.wallet), Some(hold.payee), hold.partner].into_iter().flatten())?;
        let available = Credits::from_micros(wallet.available());
        if hold.amount > available {
            return Err(insufficient(Limit::Wallet(hold.wallet), hold.amount, available));
        }
        let counters = self.check_caps(&hold.caps, hold.amount)?;
        let after = wallet.holding(hold.amount.micros()).ok_or(Refusal::Overflow)?;

        self.set_wallet(hold.wallet, after);
        for (key, counter) in &counters {
            self.facts.counters.insert(*key, *counter);
            self.plan.counters.insert(*key);
        }
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
            meta: hold.meta,
        };
        self.facts.insert_hold(OpenHold { entry: entry.clone(), expires_us });
        self.plan.opened.push((hold.id, expires_us));
        self.plan.entries.push(Entry::Hold(entry));
        Ok(Done::Held)
    }

    /// Every cap as it stands with `amount` more reserved; the first that does not allow it says no.
    fn check_caps(
        &self,
        caps: &[CapUse],
        amount: Credits,
    ) -> Result<Vec<(super::caps::CounterKey, super::caps::Counter)>, Refusal> {
        let mut after = Vec::with_capacity(caps.len());
        for used in caps {
            let key = used.counter();
            let mut counter = key.and_then(|key| self.facts.counters.get(&key)).copied().unwrap_or_default();
            let available = counter.remaining(used.cap.limit);
            if amount > available {
                let limit = Limit::Cap { cap: used.cap.id, resets_us: used.resets_us };
                return Err(insufficient(limit, amount, available));
            }
            if let Some(key) = key {
                counter.held = counter.held.checked_add(amount.micros()).ok_or(Refusal::Overflow)?;
                after.push((key, counter));
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

    /// Settles every hold whose time is over, at most `count_max`, and the calls behind them. Returns how many.
    pub fn sweep(&mut self, count_max: usize) -> Result<usize, Refusal> {
        let expired = self.facts.expired_holds(self.now_us, count_max);
        for hold in &expired {
            self.expire(*hold)?;
        }
        Ok(expired.len())
    }

    /// Settles the calls of earlier terms: their servers are gone, so nobody else will.
    pub fn recover(&mut self, count_max: usize) -> Result<usize, Refusal> {
        let lost: Vec<_> = self
            .facts
            .calls
            .iter()
            .filter(|(_, call)| call.epoch < self.epoch && !call.is_unknown)
            .map(|(id, _)| *id)
            .take(count_max)
            .collect();
        for call in &lost {
            if self.facts.holds.contains_key(&EntryId::from(*call)) {
                self.expire(EntryId::from(*call))?;
            } else {
                self.end_lost_call(*call, CallState::UnknownReleased, Credits::ZERO);
            }
        }
        Ok(lost.len())
    }

    /// Follows the rule that the hold was placed with.
    fn expire(&mut self, id: EntryId) -> Result<(), Refusal> {
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

    fn end_lost_call(&mut self, id: InvocationId, state: CallState, charged: Credits) {
        let Some(call) = self.facts.calls.remove(&id) else { return };
        if let Some(key) = call.key {
            self.complete_key(key, KeyState::Unknown);
        }
        let end = CallEnd {
            state,
            charged,
            shortfall: Credits::ZERO,
            error: Some(Code::OutcomeUnknown),
            warning: None,
            ended_us: self.now_us,
            resolves_us: None,
        };
        self.plan.calls.push(CallWrite::End(id, end));
    }

    /// Takes the hold away, charges `captured` of it and gives the rest back.
    fn end_hold(&mut self, settlement: SettlementEntry) -> Result<Done, Refusal> {
        let Some(open) = self.facts.holds.get(&settlement.hold) else { return Err(Refusal::HoldNotFound) };
        let (hold, captured) = (open.entry.clone(), settlement.captured);
        let wallet = self.wallet(hold.wallet)?;
        let after = wallet.settling(hold.amount.micros(), captured.micros()).ok_or(Refusal::Overflow)?;
        let legs = charge_legs(&hold, captured)?;
        self.credit_all(&legs)?;
        self.set_wallet(hold.wallet, after);
        for key in &hold.counters {
            let counter = self.facts.counters.entry(*key).or_default();
            counter.held = counter.held.saturating_sub(hold.amount.micros()).max(0);
            counter.spent = counter.spent.saturating_add(captured.micros());
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
        Ok(Done::Settled { settled, captured })
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
            return Begun::Refused { refusal, spendable: self.facts.spendable(hold.wallet, &hold.caps) };
        }
        let key = begin.key.as_ref().map(|claim| {
            let stored = StoredKey {
                fingerprint: claim.fingerprint,
                call: begin.call.id,
                created_us: self.now_us,
                state: KeyState::Running,
            };
            self.facts.keys.insert(claim.name.clone(), stored.clone());
            self.plan.keys.push(KeyWrite::Claim(claim.name.clone(), stored));
            claim.name.clone()
        });
        self.facts.calls.insert(begin.call.id, OpenCall { key, epoch: self.epoch, is_unknown: false });
        self.plan.calls.push(CallWrite::Insert(Arc::clone(&begin.call)));
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
        }
        let ended = self.ended(finish, charged, false);
        if let Some(key) = open.key {
            match &finish.key {
                KeyEnd::Free => {
                    self.facts.keys.remove(&key);
                    self.plan.keys.push(KeyWrite::Free(key));
                }
                KeyEnd::Unknown => self.complete_key(key, KeyState::Unknown),
                KeyEnd::Store { status, render } => {
                    self.complete_key(key, KeyState::Finished { status: *status, body: render(&ended) });
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
            self.complete_key(key, KeyState::Unknown);
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
            end.state = CallState::UnknownReleased;
        }
        self.plan.calls.push(CallWrite::End(finish.call, end));
    }

    fn ended(&self, finish: &Finish, charged: Credits, is_too_late: bool) -> Ended {
        let spendable = finish.wallet.map_or(Credits::ZERO, |wallet| self.facts.spendable(wallet, &finish.caps));
        Ended { charged, spendable, is_too_late }
    }

    fn complete_key(&mut self, name: KeyName, state: KeyState) {
        if let Some(stored) = self.facts.keys.get_mut(&name) {
            stored.state = state.clone();
        }
        self.plan.keys.push(KeyWrite::Complete(name, state));
    }

    fn known(&self, id: EntryId) -> Option<Known> {
        let open = || self.facts.holds.get(&id).map(|open| Known::Hold(open.entry.clone(), None));
        self.facts.known.get(&id).cloned().or_else(open)
    }

    /// That all of `ids` exist, and then that all of them are open.
    fn open_accounts(&self, ids: impl IntoIterator<Item = LedgerAccountId>) -> Result<(), Refusal> {
        let mut closed = None;
        for id in ids {
            match self.facts.accounts.get(&id) {
                None => return Err(Refusal::UnknownAccount(id)),
                Some(account) if account.is_closed => closed = closed.or(Some(id)),
                Some(_) => {}
            }
        }
        closed.map_or(Ok(()), |id| Err(Refusal::AccountClosed(id)))
    }

    fn wallet(&self, id: LedgerAccountId) -> Result<Wallet, Refusal> {
        self.facts.wallets.get(&id).copied().ok_or(Refusal::UnknownAccount(id))
    }

    fn set_wallet(&mut self, id: LedgerAccountId, wallet: Wallet) {
        self.facts.wallets.insert(id, wallet);
        self.plan.wallets.insert(id);
    }

    /// Applies `legs` one after the other on a copy; takes the copy over only if every leg fits.
    fn move_money(&mut self, legs: &[Leg], debits_too: bool) -> Result<(), Refusal> {
        let mut wallets: Vec<(LedgerAccountId, Wallet)> = Vec::new();
        let mut hot = self.plan.hot.clone();
        for leg in legs {
            let amount = leg.amount.micros();
            if debits_too {
                if let Some(wallet) = self.scratch_wallet(&mut wallets, leg.debit) {
                    let available = Credits::from_micros(wallet.available());
                    if leg.amount > available {
                        return Err(insufficient(Limit::Wallet(leg.debit), leg.amount, available));
                    }
                    *wallet = wallet.debited(amount).ok_or(Refusal::Overflow)?;
                } else {
                    let delta = hot.entry(leg.debit).or_default();
                    delta.debits = delta.debits.checked_add(amount).ok_or(Refusal::Overflow)?;
                }
            }
            if let Some(wallet) = self.scratch_wallet(&mut wallets, leg.credit) {
                *wallet = wallet.credited(amount).ok_or(Refusal::Overflow)?;
            } else {
                let delta = hot.entry(leg.credit).or_default();
                delta.credits = delta.credits.checked_add(amount).ok_or(Refusal::Overflow)?;
            }
        }
        self.plan.hot = hot;
        for (id, wallet) in wallets {
            self.set_wallet(id, wallet);
        }
        Ok(())
    }

    fn credit_all(&mut self, legs: &[Leg]) -> Result<(), Refusal> {
        self.move_money(legs, false)
    }

    /// The working copy of a wallet; `None` for accounts without a limit.
    fn scratch_wallet<'w>(
        &self,
        wallets: &'w mut Vec<(LedgerAccountId, Wallet)>,
        id: LedgerAccountId,
    ) -> Option<&'w mut Wallet> {
        let at = match wallets.iter().position(|(known, _)| *known == id) {
            Some(at) => at,
            None => {
                wallets.push((id, *self.facts.wallets.get(&id)?));
                wallets.len().saturating_sub(1)
            }
        };
        wallets.get_mut(at).map(|(_, wallet)| wallet)
    }
}

/// The postings of a charge: publisher, partner, platform, in this order and never a posting of nothing.
fn charge_legs(hold: &HoldEntry, captured: Credits) -> Result<Vec<Leg>, Refusal> {
    let shares = split(captured, hold.shares).map_err(|_overflow| Refusal::Overflow)?;
    let partner = hold.partner.unwrap_or(LedgerAccountId::PLATFORM_FEE);
    let parts =
        [(hold.payee, shares.publisher), (partner, shares.partner), (LedgerAccountId::PLATFORM_FEE, shares.platform)];
    Ok(parts
        .into_iter()
        .filter(|(_, amount)| *amount > Credits::ZERO)
        .map(|(credit, amount)| Leg { debit: hold.wallet, credit, amount })
        .collect())
}

fn insufficient(limit: Limit, needed: Credits, available: Credits) -> Refusal {
    Refusal::Insufficient { limit, needed, available }
}

fn total(legs: &[Leg]) -> Credits {
    Credits::from_micros(legs.iter().fold(0_i64, |sum, leg| sum.saturating_add(leg.amount.micros())))
}

/// The amount that a settlement names, where it names one.
const fn asked_amount(settle: &Settle) -> Option<Credits> {
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

fn same<T: PartialEq>(difference: Difference, one: T, other: T) -> Result<(), Refusal> {
    if one == other { Ok(()) } else { Err(Refusal::Exists(difference)) }
}

fn same_transaction(known: &Known, post: &Post) -> Result<Done, Refusal> {
    let Known::Transaction(before) = known else { return Err(Refusal::Exists(Difference::Operation)) };
    same(Difference::Operation, (before.kind, before.hold, before.reverses), (post.kind, None, post.reverses))?;
    let accounts = |legs: &[Leg], side: fn(&Leg) -> LedgerAccountId| legs.iter().map(side).collect::<Vec<_>>();
    let (old, new) = (&before.legs, &post.legs);
    if !old.is_empty() && !new.is_empty() {
        same(Difference::DebitAccount, accounts(old, |leg| leg.debit), accounts(new, |leg| leg.debit))?;
        same(Difference::CreditAccount, accounts(old, |leg| leg.credit), accounts(new, |leg| leg.credit))?;
    }
    let amounts = |legs: &[Leg]| legs.iter().map(|leg| leg.amount).collect::<Vec<_>>();
    same(Difference::Amount, amounts(old), amounts(new))?;
    same(Difference::Metadata, before.meta, post.meta)?;
    Ok(Done::Exists)
}

fn same_hold(known: &Known, hold: &PlaceHold) -> Result<Done, Refusal> {
    let Known::Hold(before, _) = known else { return Err(Refusal::Exists(Difference::Operation)) };
    let terms = (before.shares, before.partner, before.on_expiry);
    same(Difference::Operation, terms, (hold.shares, hold.partner, hold.on_expiry))?;
    // The windows may have moved on since; which caps were meant stays the same.
    let caps_before: Vec<_> = before.counters.iter().map(|counter| counter.cap).collect();
    let caps: Vec<_> = hold.caps.iter().filter_map(CapUse::counter).map(|counter| counter.cap).collect();
    same(Difference::Operation, caps_before, caps)?;
    same(Difference::DebitAccount, before.wallet, hold.wallet)?;
    same(Difference::CreditAccount, before.payee, hold.payee)?;
    same(Difference::Amount, before.amount, hold.amount)?;
    same(Difference::Ttl, before.ttl_us, hold.ttl_us)?;
    same(Difference::Metadata, before.meta, hold.meta)?;
    Ok(Done::Exists)
}

fn same_settlement(hold: &HoldEntry, before: &SettlementEntry, settle: &Settle) -> Result<Done, Refusal> {
    let (settled, recorded) = match settle.action {
        SettleAction::Capture(_) => (Settled::Captured, before.captured),
        SettleAction::Release(_) => (Settled::Released, hold.amount),
    };
    same(Difference::Operation, before.settled, settled)?;
    same(Difference::DebitAccount, settle.wallet.unwrap_or(hold.wallet), hold.wallet)?;
    same(Difference::CreditAccount, settle.payee.unwrap_or(hold.payee), hold.payee)?;
    same(Difference::Amount, asked_amount(settle).unwrap_or(hold.amount), recorded)?;
    if settle.meta.is_some() {
        same(Difference::Metadata, before.meta, settle.meta)?;
    }
    Ok(Done::Exists)
}

#[cfg(test)]
mod tests;
