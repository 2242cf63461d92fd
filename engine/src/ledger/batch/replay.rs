//! Whether a repeated identifier asks for what was done before. Sending a command twice has one effect; sending another
//! one under its identifier is told where it differs.

use super::{Done, money::asked_amount};
use crate::ledger::{
    accounts::LedgerAccountId,
    caps::CapUse,
    command::{Leg, PlaceHold, Post, Settle, SettleAction, TransactionKind},
    facts::Known,
    leaf::{Digest, HoldEntry, Settled, SettlementEntry, TransactionEntry},
    movement::{Collect, Payout, Secure},
    refusal::{Difference, Refusal},
};
use crate::{credits::Credits, id::EntryId};

fn same<T: PartialEq>(difference: Difference, one: T, other: T) -> Result<(), Refusal> {
    if one == other { Ok(()) } else { Err(Refusal::Exists(difference)) }
}

pub(super) fn same_transaction(known: &Known, post: &Post) -> Result<Done, Refusal> {
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

pub(super) fn same_hold(known: &Known, hold: &PlaceHold) -> Result<Done, Refusal> {
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

pub(super) fn same_settlement(hold: &HoldEntry, before: &SettlementEntry, settle: &Settle) -> Result<Done, Refusal> {
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

fn transaction(known: &Known) -> Result<&TransactionEntry, Refusal> {
    match known {
        Known::Transaction(before) => Ok(before),
        Known::Hold(..) | Known::Settlement(_) => Err(Refusal::Exists(Difference::Operation)),
    }
}

fn total<'l>(legs: impl IntoIterator<Item = &'l Leg>) -> Option<Credits> {
    Credits::checked_sum(legs.into_iter().map(|leg| leg.amount))
}

/// A refund or a reversal: of what, how much where that was said, and the digest.
pub(super) fn same_taking_back(
    known: &Known,
    kind: TransactionKind,
    (of, amount, meta): (EntryId, Option<Credits>, Option<Digest>),
) -> Result<Done, Refusal> {
    let before = transaction(known)?;
    same(Difference::Operation, (before.kind, before.reverses), (kind, Some(of)))?;
    if amount.is_some() {
        same(Difference::Amount, total(&before.legs), amount)?;
    }
    same(Difference::Metadata, before.meta, meta)?;
    Ok(Done::Exists)
}

/// Of a collection that takes what is there, a limit at or above what was taken asks for the same.
pub(super) fn same_collection(known: &Known, collect: &Collect) -> Result<Done, Refusal> {
    let before = transaction(known)?;
    same(Difference::Operation, (before.kind, before.hold, before.reverses), (collect.kind, None, collect.reverses))?;
    let is_source = |leg: &Leg| collect.sources.contains(&leg.debit);
    same(Difference::DebitAccount, before.legs.iter().all(is_source), true)?;
    same(Difference::CreditAccount, before.legs.iter().all(|leg| leg.credit == collect.to), true)?;
    let taken = total(&before.legs);
    let is_same = if collect.is_at_most { taken <= Some(collect.amount) } else { taken == Some(collect.amount) };
    same(Difference::Amount, is_same, true)?;
    same(Difference::Metadata, before.meta, collect.meta)?;
    Ok(Done::Exists)
}

pub(super) fn same_security(known: &Known, secure: &Secure) -> Result<Done, Refusal> {
    let Known::Hold(before, _) = known else { return Err(Refusal::Exists(Difference::Operation)) };
    same(Difference::DebitAccount, before.wallet, secure.wallet)?;
    same(Difference::CreditAccount, before.payee, secure.payee)?;
    same(Difference::Amount, before.amount <= secure.at_most, true)?;
    same(Difference::Metadata, before.meta, secure.meta)?;
    Ok(Done::Exists)
}

/// The digest of a payout is that of its statement, which the caller does not know: it is not compared.
pub(super) fn same_payout(known: &Known, payout: &Payout) -> Result<Done, Refusal> {
    let before = transaction(known)?;
    same(Difference::Operation, before.kind, TransactionKind::Payout)?;
    same(Difference::DebitAccount, before.legs.iter().all(|leg| leg.debit == payout.from), true)?;
    let is_expected = |leg: &Leg| leg.credit == payout.to || leg.credit == payout.from.receivable();
    same(Difference::CreditAccount, before.legs.iter().all(is_expected), true)?;
    if payout.amount.is_some() {
        same(Difference::Amount, total(before.legs.iter().filter(|leg| leg.credit == payout.to)), payout.amount)?;
    }
    Ok(Done::Exists)
}
