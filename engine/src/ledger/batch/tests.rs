//! The decision against tables, and against the reference model on random histories.

use std::sync::Arc;

use super::*;
use crate::{
    id::InvocationId,
    invocation::CallState,
    ledger::{
        AccountKind, CaptureAmount, OnExpiry, PlaceHold, Post, Settle, SettleAction, TransactionKind,
        caps::{Cap, CapUse, CapWindow},
        facts::AccountFacts,
        grants::{GiveGrant, OpenGrant},
        key::{KeyClaim, KeyName, KeyState, KeyVerdict},
        leaf::sha256,
        plan::{CallWrite, KeyWrite},
        refusal::Difference,
    },
    pricing::ShareTerms,
    testing::World,
};

mod calls;
mod grants;
mod histories;
mod holds;
mod refusals;

const NOW_US: i64 = 1_800_000_000_000_000;
const SECOND_US: i64 = 1_000_000;

const WALLET: LedgerAccountId = LedgerAccountId::from_raw(1_001);
const OTHER_WALLET: LedgerAccountId = LedgerAccountId::from_raw(1_002);
const PUBLISHER: LedgerAccountId = LedgerAccountId::from_raw(2_001);
const OTHER_PUBLISHER: LedgerAccountId = LedgerAccountId::from_raw(2_002);
const PARTNER: LedgerAccountId = LedgerAccountId::from_raw(3_001);
const STRANGER: LedgerAccountId = LedgerAccountId::from_raw(9_999);

fn micros(amount: i64) -> Credits {
    Credits::from_micros(amount)
}

fn name(number: u128) -> EntryId {
    EntryId::from(uuid::Uuid::from_u128(number))
}

/// Every account of the standard world, with nothing in the wallets.
fn facts() -> Facts {
    let world = World::standard();
    let mut facts = Facts::default();
    for (id, kind) in world.accounts() {
        facts.accounts.insert(id, AccountFacts { kind, is_closed: false });
        if let Some(overdraft) = world.overdraft_of(id) {
            assert_eq!(kind, AccountKind::Wallet);
            facts.wallets.insert(id, Wallet { overdraft, ..Wallet::default() });
        }
    }
    facts
}

/// As [`facts`], with `balance` micro-credits in [`WALLET`].
fn facts_with(balance: i64) -> Facts {
    let mut facts = facts();
    let funding = post(name(1), &[leg(LedgerAccountId::OPENING, WALLET, balance)]);
    let mut batch = Batch::new(&mut facts, NOW_US, 1);
    assert_eq!(batch.post(&funding), Ok(Done::Posted));
    facts
}

fn leg(debit: LedgerAccountId, credit: LedgerAccountId, amount: i64) -> Leg {
    Leg { debit, credit, amount: micros(amount) }
}

fn post(id: EntryId, legs: &[Leg]) -> Post {
    let kind = TransactionKind::Adjustment;
    Post { id, kind, legs: legs.to_vec(), reverses: None, effective_us: None, meta: None }
}

/// A hold on [`WALLET`] for [`PUBLISHER`], which gets everything.
fn hold(id: EntryId, amount: i64) -> PlaceHold {
    PlaceHold {
        id,
        wallet: WALLET,
        payee: PUBLISHER,
        amount: micros(amount),
        ttl_us: 0,
        shares: ShareTerms::new(10_000, 0).unwrap(),
        partner: None,
        on_expiry: OnExpiry::Release,
        caps: Vec::new(),
        meta: None,
    }
}

fn capture(id: EntryId, hold: EntryId, amount: i64) -> Settle {
    let action = SettleAction::Capture(CaptureAmount::Exactly(micros(amount)));
    Settle { id, hold, action, wallet: None, payee: None, meta: None }
}

fn release(id: EntryId, hold: EntryId) -> Settle {
    Settle { id, hold, action: SettleAction::Release(None), wallet: None, payee: None, meta: None }
}

fn cap(number: u128, window: CapWindow, limit: i64) -> CapUse {
    let id = crate::id::CapId::from(uuid::Uuid::from_u128(number));
    CapUse::at(Cap { id, window, limit: micros(limit) }, NOW_US)
}

fn close(facts: &mut Facts, id: LedgerAccountId) {
    facts.accounts.get_mut(&id).unwrap().is_closed = true;
}

fn captured(amount: i64) -> Result<Done, Refusal> {
    Ok(Done::Settled { settled: Settled::Captured, captured: micros(amount) })
}

fn released() -> Result<Done, Refusal> {
    Ok(Done::Settled { settled: Settled::Released, captured: Credits::ZERO })
}
