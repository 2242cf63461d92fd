//! Money that moved before: refunds, reversals, collections, and what is reserved of a wallet that may not have enough.

use super::{
    Batch, Done, insufficient,
    money::charge_legs,
    replay::{same_collection, same_security, same_taking_back},
};
use crate::{
    credits::Credits,
    id::EntryId,
    ledger::{
        accounts::{AccountKind, LedgerAccountId},
        command::{Leg, OnExpiry, TransactionKind},
        facts::{Known, OpenHold},
        grants::parts,
        leaf::{Digest, Entry, HoldEntry, TransactionEntry},
        movement::{Collect, Refund, RefundTotal, Revert, Secure, Turnover},
        refusal::{Limit, Refusal},
    },
    pricing::{ShareTerms, Shares, refund_shares},
};

impl Batch<'_> {
    /// Gives back a part of a charge, or all that is left of it.
    pub fn refund(&mut self, refund: &Refund) -> Result<Done, Refusal> {
        let decided = self.try_refund(refund);
        self.record_refusal(refund.id, None, refund.amount.unwrap_or_default(), decided)
    }

    /// Takes a whole transaction back.
    pub fn revert(&mut self, revert: &Revert) -> Result<Done, Refusal> {
        let decided = self.try_revert(revert);
        self.record_refusal(revert.id, None, Credits::ZERO, decided)
    }

    /// Collects an amount from several accounts.
    pub fn collect(&mut self, collect: &Collect) -> Result<Done, Refusal> {
        let decided = self.try_collect(collect);
        self.record_refusal(collect.id, collect.sources.first().copied(), collect.amount, decided)
    }

    /// Reserves what a wallet has, up to an amount.
    pub fn secure(&mut self, secure: &Secure) -> Result<Done, Refusal> {
        let decided = self.try_secure(secure);
        self.record_refusal(secure.id, Some(secure.wallet), secure.at_most, decided)
    }

    fn try_refund(&mut self, refund: &Refund) -> Result<Done, Refusal> {
        if let Some(known) = self.known(refund.id) {
            return same_taking_back(&known, TransactionKind::Refund, (refund.of, refund.amount, refund.meta));
        }
        if refund.amount.is_some_and(|amount| amount <= Credits::ZERO) {
            return Err(Refusal::OutOfRange);
        }
        let Moved { kind, legs: charged, wallet } = self.find_moved(refund.of)?;
        if kind != TransactionKind::Charge {
            return Err(Refusal::NotReversible(Some(kind)));
        }
        let total = self.refund_total(refund.of, &charged)?;
        let amount = refund.amount.map_or(total.left(), Credits::micros);
        if amount > total.left() || amount == 0 {
            return Err(exceeds(refund.amount, total));
        }
        let shares = reversed_shares(&charged, total, amount)?;
        let mut legs = Vec::with_capacity(charged.len());
        for (leg, part) in charged.iter().zip(shares) {
            let credit = self.where_to(leg.debit, wallet);
            self.give_back(&mut legs, Leg { debit: leg.credit, credit, amount: part })?;
        }
        let entry = self.entry(refund.id, TransactionKind::Refund, refund.of, refund.meta);
        let done = self.take_back(refund.of, total, amount, TransactionEntry { legs, ..entry })?;
        self.show_grants(wallet)?;
        Ok(done)
    }

    fn try_revert(&mut self, revert: &Revert) -> Result<Done, Refusal> {
        if let Some(known) = self.known(revert.id) {
            return same_taking_back(&known, TransactionKind::Reversal, (revert.of, None, revert.meta));
        }
        let Moved { kind, legs: moved, wallet } = self.find_moved(revert.of)?;
        if kind.takes_back() || moved.is_empty() {
            return Err(Refusal::NotReversible(Some(kind)));
        }
        let total = self.refund_total(revert.of, &moved)?;
        if total.refunded > 0 {
            let of = Credits::from_micros;
            return Err(Refusal::AlreadyReversed { captured: of(total.captured), refunded: of(total.refunded) });
        }
        let mut legs = Vec::with_capacity(moved.len());
        for leg in moved.iter().rev() {
            let credit = self.where_to(leg.debit, wallet);
            self.give_back(&mut legs, Leg { debit: leg.credit, credit, amount: leg.amount })?;
        }
        let entry = self.entry(revert.id, TransactionKind::Reversal, revert.of, revert.meta);
        let done = self.take_back(revert.of, total, total.captured, TransactionEntry { legs, ..entry })?;
        self.show_grants(wallet)?;
        Ok(done)
    }

    fn try_collect(&mut self, collect: &Collect) -> Result<Done, Refusal> {
        if let Some(known) = self.known(collect.id) {
            return same_collection(&known, collect);
        }
        if collect.amount <= Credits::ZERO {
            return Err(Refusal::OutOfRange);
        }
        if collect.sources.contains(&collect.to) {
            return Err(Refusal::SameAccount);
        }
        // What takes something back names it, and nothing else does; the others have commands of their own.
        let is_chargeback = collect.kind == TransactionKind::Chargeback;
        if is_chargeback != collect.reverses.is_some() || (collect.kind.has_own_rules() && !is_chargeback) {
            return Err(Refusal::WrongKind(collect.kind));
        }
        let mut target = None;
        if let Some(of) = collect.reverses {
            let Moved { kind, legs: moved, .. } = self.find_moved(of)?;
            if kind != TransactionKind::Purchase {
                return Err(Refusal::NotReversible(Some(kind)));
            }
            let total = self.refund_total(of, &moved)?;
            if collect.amount.micros() > total.left() {
                return Err(exceeds(Some(collect.amount), total));
            }
            target = Some((of, total));
        }
        self.open_accounts(collect.sources.iter().copied().chain([collect.to]))?;
        let (mut legs, mut missing) = (Vec::with_capacity(collect.sources.len()), collect.amount.micros());
        for source in &collect.sources {
            let part = self.spare(&legs, *source).map_or(missing, |spare| spare.min(missing));
            missing = missing.saturating_sub(part);
            push(&mut legs, Leg { debit: *source, credit: collect.to, amount: Credits::from_micros(part) });
        }
        if missing > 0
            && !collect.is_at_most
            && let Some(first) = collect.sources.first()
        {
            let there = Credits::from_micros(collect.amount.micros().saturating_sub(missing));
            return Err(insufficient(Limit::Wallet(*first), collect.amount, there));
        }
        let collected = TransactionEntry {
            id: collect.id,
            kind: collect.kind,
            hold: None,
            reverses: collect.reverses,
            effective_us: self.now_us,
            meta: collect.meta,
            legs,
        };
        match target {
            Some((of, total)) => {
                let amount = collect.amount.micros().saturating_sub(missing);
                self.take_back(of, total, amount, collected)
            }
            None => self.book(collected),
        }
    }

    fn try_secure(&mut self, secure: &Secure) -> Result<Done, Refusal> {
        if let Some(known) = self.known(secure.id) {
            return same_security(&known, secure);
        }
        if secure.at_most <= Credits::ZERO {
            return Err(Refusal::OutOfRange);
        }
        if secure.wallet == secure.payee {
            return Err(Refusal::SameAccount);
        }
        let wallet = self.wallet(secure.wallet)?;
        self.no_grants([secure.wallet, secure.payee])?;
        self.open_accounts([secure.wallet, secure.payee])?;
        let amount = wallet.available().clamp(0, secure.at_most.micros());
        let after = wallet.holding(amount).ok_or(Refusal::Overflow)?;
        self.set_wallet(secure.wallet, after);
        let shares = ShareTerms::new(crate::pricing::BASIS_POINTS, 0).map_err(|_above| Refusal::Overflow)?;
        let entry = HoldEntry {
            id: secure.id,
            wallet: secure.wallet,
            payee: secure.payee,
            amount: Credits::from_micros(amount),
            ttl_us: 0,
            shares,
            partner: None,
            on_expiry: OnExpiry::Release,
            counters: Vec::new(),
            // What was given expires by itself: nobody paid for it.
            sources: Vec::new(),
            meta: secure.meta,
        };
        self.facts.insert_hold(OpenHold { entry: entry.clone(), expires_us: None });
        self.plan.opened.push((secure.id, None));
        self.plan.entries.push(Entry::Hold(entry));
        Ok(Done::Held)
    }

    /// What `of` names, if it moved something.
    fn find_moved(&self, of: EntryId) -> Result<Moved, Refusal> {
        match self.known(of) {
            None => Err(Refusal::TransactionNotFound),
            Some(Known::Transaction(TransactionEntry { kind, legs, hold, .. })) => {
                let wallet = hold.and_then(|hold| match self.known(hold) {
                    Some(Known::Hold(hold, _)) => Some(hold.wallet),
                    _ => None,
                });
                Ok(Moved { kind, legs, wallet })
            }
            // A call's charge carries the identifier of its hold.
            Some(Known::Hold(hold, Some(end))) if end.id == hold.id && end.captured > Credits::ZERO => {
                let legs = charge_legs(&hold, &parts(&hold, end.captured), end.captured)?;
                Ok(Moved { kind: TransactionKind::Charge, legs, wallet: Some(hold.wallet) })
            }
            Some(Known::Hold(..) | Known::Settlement(_)) => Err(Refusal::NotReversible(None)),
        }
    }

    /// Where that belongs which a charge took from `debited`, out of `wallet` or one of its grants.
    fn where_to(&self, debited: LedgerAccountId, wallet: Option<LedgerAccountId>) -> LedgerAccountId {
        wallet.map_or(debited, |wallet| self.facts.grants.refund_account(debited, wallet, self.now_us))
    }

    /// Grants of `wallet` may have more than before. Other servers notice by the wallet's own line, by which they see whether
    /// what they remember of it is still so.
    fn show_grants(&mut self, wallet: Option<LedgerAccountId>) -> Result<(), Refusal> {
        let Some(wallet) = wallet else { return Ok(()) };
        let seen = self.wallet(wallet)?.holding(0).ok_or(Refusal::Overflow)?;
        self.set_wallet(wallet, seen);
        Ok(())
    }

    /// How much of `of`, whose postings are `legs`, was taken back so far.
    fn refund_total(&self, of: EntryId, legs: &[Leg]) -> Result<RefundTotal, Refusal> {
        let captured = Credits::checked_sum(legs.iter().map(|leg| leg.amount)).ok_or(Refusal::Overflow)?.micros();
        let refunded = self.facts.refunds.get(&of).map_or(0, |total| total.refunded);
        Ok(RefundTotal { captured, refunded })
    }

    /// Adds `leg` to `legs`. What a payable does not cover, its publisher owes.
    fn give_back(&self, legs: &mut Vec<Leg>, leg: Leg) -> Result<(), Refusal> {
        let amount = leg.amount.micros();
        let is_payable =
            self.facts.accounts.get(&leg.debit).is_some_and(|account| account.kind == AccountKind::Payable);
        let covered = match self.spare(legs, leg.debit) {
            Some(spare) if is_payable => spare.min(amount),
            _ => amount,
        };
        let owed = Credits::from_micros(amount.saturating_sub(covered));
        push(legs, Leg { amount: Credits::from_micros(covered), ..leg });
        let debtor = leg.debit.receivable();
        if owed > Credits::ZERO && !self.facts.accounts.contains_key(&debtor) {
            return Err(Refusal::UnknownAccount(debtor));
        }
        push(legs, Leg { debit: debtor, amount: owed, ..leg });
        Ok(())
    }

    /// What can be taken from an account after `legs`, never below zero; `None`: as much as anybody wants.
    fn spare(&self, legs: &[Leg], id: LedgerAccountId) -> Option<i64> {
        let kind = self.facts.accounts.get(&id)?.kind;
        let before = match kind {
            AccountKind::Wallet | AccountKind::Grant => self.facts.wallets.get(&id)?.available().into(),
            AccountKind::Payable => self.balance(id),
            _ => return None,
        };
        let after = legs.iter().fold(before, |balance, leg| {
            let amount = i128::from(leg.amount.micros());
            match id {
                _ if leg.debit == id => balance.saturating_sub(amount),
                _ if leg.credit == id => balance.saturating_add(amount),
                _ => balance,
            }
        });
        Some(i64::try_from(after.max(0)).unwrap_or(i64::MAX))
    }

    /// What an unlimited account received and spent until now.
    pub(super) fn turnover(&self, id: LedgerAccountId) -> Turnover {
        let before = self.facts.turnovers.get(&id).copied().unwrap_or_default();
        let now = self.plan.hot.get(&id).copied().unwrap_or_default();
        Turnover {
            credits: before.credits.saturating_add(now.credits),
            debits: before.debits.saturating_add(now.debits),
        }
    }

    /// Credits less debits.
    pub(super) fn balance(&self, id: LedgerAccountId) -> i128 {
        let Turnover { credits, debits } = self.turnover(id);
        i128::from(credits).saturating_sub(debits.into())
    }

    /// A transaction that takes `of` back, without its postings.
    fn entry(&self, id: EntryId, kind: TransactionKind, of: EntryId, meta: Option<Digest>) -> TransactionEntry {
        let (reverses, effective_us) = (Some(of), self.now_us);
        TransactionEntry { id, kind, hold: None, reverses, effective_us, meta, legs: Vec::new() }
    }

    /// Books `entry`, which takes `amount` of `of` back.
    fn take_back(
        &mut self,
        of: EntryId,
        total: RefundTotal,
        amount: i64,
        entry: TransactionEntry,
    ) -> Result<Done, Refusal> {
        let refunded = total.refunded.checked_add(amount).ok_or(Refusal::Overflow)?;
        let done = self.book(entry)?;
        self.facts.refunds.insert(of, RefundTotal { refunded, ..total });
        self.plan.refunds.insert(of);
        Ok(done)
    }

    /// Moves the money of `entry` and writes it down.
    pub(super) fn book(&mut self, entry: TransactionEntry) -> Result<Done, Refusal> {
        self.open_accounts(entry.legs.iter().flat_map(|leg| [leg.debit, leg.credit]))?;
        self.move_money(&entry.legs, true)?;
        self.facts.known.insert(entry.id, Known::Transaction(entry.clone()));
        self.plan.entries.push(Entry::Transaction(entry));
        Ok(Done::Posted)
    }
}

/// What a transaction that may be taken back moved.
struct Moved {
    kind: TransactionKind,
    legs: Vec<Leg>,
    /// Of a charge: whose money it was, whichever grants paid.
    wallet: Option<LedgerAccountId>,
}

/// A posting of nothing is left out.
pub(super) fn push(legs: &mut Vec<Leg>, leg: Leg) {
    if leg.amount > Credits::ZERO {
        legs.push(leg);
    }
}

/// What of every posting of `charged` goes back with the next `amount`. All that goes back is shared in proportion, first
/// among the parties, then among the postings of each: so any series of refunds adds up exactly.
fn reversed_shares(charged: &[Leg], total: RefundTotal, amount: i64) -> Result<Vec<Credits>, Refusal> {
    let after = total.refunded.checked_add(amount).ok_or(Refusal::Overflow)?;
    let (before, after) = (given_back(charged, total.refunded)?, given_back(charged, after)?);
    let parts = before.into_iter().zip(after).map(|(before, after)| after.checked_sub(before));
    parts.collect::<Option<_>>().ok_or(Refusal::Overflow)
}

/// What of every posting of `charged` has gone back when `amount` of all has.
fn given_back(charged: &[Leg], amount: i64) -> Result<Vec<Credits>, Refusal> {
    if amount == 0 {
        return Ok(vec![Credits::ZERO; charged.len()]);
    }
    // Publisher, partner and platform, in this order; each may have several postings.
    let parties: Vec<&[Leg]> = charged.chunk_by(|one, next| one.credit == next.credit).collect();
    let mut sums =
        parties.iter().map(|legs| Credits::checked_sum(legs.iter().map(|leg| leg.amount)).unwrap_or_default());
    let mut next = || sums.next().unwrap_or_default();
    let posted = Shares { publisher: next(), partner: next(), platform: next() };
    let shares = refund_shares(posted, Credits::ZERO, Credits::from_micros(amount));
    let shares = shares.map_err(|_inconsistent| Refusal::Overflow)?;
    let mut back = Vec::with_capacity(charged.len());
    for (legs, share) in parties.into_iter().zip([shares.publisher, shares.partner, shares.platform]) {
        back.extend(in_proportion(legs, share).ok_or(Refusal::Overflow)?);
    }
    Ok(back)
}

/// Shares `amount` among the postings of one party in proportion: each is rounded up, the next one shares the rest.
fn in_proportion(legs: &[Leg], amount: Credits) -> Option<Vec<Credits>> {
    let mut rest = i128::from(amount.micros());
    let mut whole = legs.iter().try_fold(0_i128, |sum, leg| sum.checked_add(leg.amount.micros().into()))?;
    let mut shares = Vec::with_capacity(legs.len());
    for leg in legs {
        let part = i128::from(leg.amount.micros());
        let product = rest.checked_mul(part)?;
        let share = product.checked_div(whole)?.checked_add(i128::from(product.checked_rem(whole)? != 0))?;
        rest = rest.checked_sub(share)?;
        whole = whole.checked_sub(part)?;
        shares.push(Credits::from_micros(i64::try_from(share).ok()?));
    }
    Some(shares)
}

const fn exceeds(needed: Option<Credits>, total: RefundTotal) -> Refusal {
    Refusal::ExceedsRefundable {
        needed: match needed {
            Some(needed) => needed,
            None => Credits::ZERO,
        },
        captured: Credits::from_micros(total.captured),
        refunded: Credits::from_micros(total.refunded),
    }
}
