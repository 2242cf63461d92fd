//! What is asked of a ledger, and the rows of its accounts.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    task::Poll,
};

use engine::{
    credits::Credits,
    id::EntryId,
    ledger::{
        AccountKind, CaptureAmount, LedgerAccountId, Leg, OnExpiry, PlaceHold, Post, Refusal, Settle, SettleAction,
        TransactionKind, accounts::GRANT_MARK, batch::Done, grants::GiveGrant,
    },
    pricing::ShareTerms,
    store::{Ledger, NotSaved, UnitOfWork},
    testing::push_statement,
};

use super::{Desk, START_US};

/// As [`Desk::give`], through the writer of one's choice.
pub(crate) async fn give_by(ledger: &Ledger, give: &GiveGrant) -> Result<Done, Refusal> {
    give_at(ledger, give, START_US).await
}

pub(super) async fn give_at(ledger: &Ledger, give: &GiveGrant, opened_us: i64) -> Result<Done, Refusal> {
    let mut unit = UnitOfWork::new();
    push_account_at(&mut unit, give.account, AccountKind::Grant, 0, opened_us);
    unit.give(give.clone());
    match ledger.save(unit.unaudited("a test gives it")).await {
        Ok(done) => Ok(done[0]),
        Err(NotSaved::Refused(refusal)) => Err(refusal),
        Err(error) => panic!("{error}"),
    }
}

/// Grant number `number`: credits for `wallet` that expire after `lifetime_us`.
pub(crate) fn grant(desk: &Desk, number: i64, wallet: LedgerAccountId, amount: i64, lifetime_us: i64) -> GiveGrant {
    let account = LedgerAccountId::from_raw(4_000 + number);
    let funding = post(desk.fresh(), &[(LedgerAccountId::PROMO, account, amount)]);
    let post = Post { kind: TransactionKind::Grant, ..funding };
    GiveGrant { post, wallet, account, priority: 100, expires_us: desk.now_us() + lifetime_us }
}

/// The rows of a new account that was there from the start.
pub(crate) fn push_account(unit: &mut UnitOfWork, id: LedgerAccountId, kind: AccountKind, overdraft: i64) {
    push_account_at(unit, id, kind, overdraft, START_US);
}

pub(super) fn push_account_at(
    unit: &mut UnitOfWork,
    id: LedgerAccountId,
    kind: AccountKind,
    overdraft: i64,
    opened_us: i64,
) {
    let owner = if kind == AccountKind::Grant { format!("0{GRANT_MARK}{id}") } else { id.to_string() };
    let (raw, code, kind_raw) = (id.raw(), kind.code(&owner), kind.raw());
    let columns = "ledger_account (id, code, kind, created_us)";
    push_statement(unit, &format!("INSERT INTO {columns} VALUES ({raw}, '{code}', {kind_raw}, {opened_us})"), Some(1));
    if kind.is_limited() {
        let columns = "wallet_balance (account_id, credits, debits, held, overdraft, version)";
        push_statement(unit, &format!("INSERT INTO {columns} VALUES ({raw}, 0, 0, 0, {overdraft}, 0)"), Some(1));
    }
}

pub(crate) const fn wallet_id(number: i64) -> LedgerAccountId {
    LedgerAccountId::from_raw(1_000 + number)
}

pub(crate) const fn payable_id(number: i64) -> LedgerAccountId {
    LedgerAccountId::from_raw(2_000 + number)
}

pub(crate) fn post(id: EntryId, legs: &[(LedgerAccountId, LedgerAccountId, i64)]) -> Post {
    let leg = |(debit, credit, amount)| Leg { debit, credit, amount: Credits::from_micros(amount) };
    let legs = legs.iter().copied().map(leg).collect();
    Post { id, kind: TransactionKind::Opening, legs, reverses: None, effective_us: None, meta: None }
}

/// A hold without end for a payee that gets everything.
pub(crate) fn hold(id: EntryId, wallet: LedgerAccountId, payee: LedgerAccountId, amount: i64) -> PlaceHold {
    PlaceHold {
        id,
        wallet,
        payee,
        amount: Credits::from_micros(amount),
        ttl_us: 0,
        shares: ShareTerms::new(10_000, 0).unwrap(),
        partner: None,
        on_expiry: OnExpiry::Release,
        caps: Vec::new(),
        meta: None,
    }
}

pub(crate) fn capture_all(id: EntryId, hold: EntryId) -> Settle {
    let action = SettleAction::Capture(CaptureAmount::All);
    Settle { id, hold, action, wallet: None, payee: None, meta: None }
}

pub(crate) fn release(id: EntryId, hold: EntryId) -> Settle {
    Settle { id, hold, action: SettleAction::Release(None), wallet: None, payee: None, meta: None }
}

/// Something that is waited for together with others.
pub(crate) type Waited<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Starts all of `waited` in their order, then waits for all: the writer finds them together in its queue.
pub(crate) async fn together<T>(mut waited: Vec<Waited<'_, T>>) -> Vec<T> {
    let mut answers: Vec<Option<T>> = waited.iter().map(|_| None).collect();
    poll_fn(|context| {
        for (future, answer) in waited.iter_mut().zip(&mut answers) {
            if answer.is_none()
                && let Poll::Ready(value) = future.as_mut().poll(context)
            {
                *answer = Some(value);
            }
        }
        if answers.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    answers.into_iter().flatten().collect()
}
