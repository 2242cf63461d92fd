//! What goes back and what is paid out, by many at once: never more than there was, whoever is first, on every server.

use engine::{
    credits::Credits,
    id::EntryId,
    ledger::{AccountKind, LedgerAccountId, Payout, PlaceHold, Refund, Refusal, Secure, batch::Done},
    pricing::ShareTerms,
    store::{Ledger, UnitOfWork, writer::Command},
};
use tests::environment::extent;
use tokio::task::JoinSet;

use super::desk::{Desk, Kind, capture_all, hold, on_both, payable_id, push_account, wallet_id};

on_both! {
    many_refunds_of_one_charge_at_once_add_up_to_it,
    many_payouts_at_once_pay_what_was_earned,
    a_rehearsal_says_what_would_happen_and_nothing_does,
    a_capture_after_expiry_is_refused_and_changes_nothing,
    a_refused_movement_leaves_its_refusal_and_nothing_else,
}

const PUBLISHER: LedgerAccountId = payable_id(1);
const PARTNER: LedgerAccountId = payable_id(2);
const WALLET: LedgerAccountId = wallet_id(1);
const BANK: LedgerAccountId = LedgerAccountId::CLEARING_MANUAL;

/// A desk with a customer, a publisher who can owe, and a partner.
async fn open(kind: Kind) -> Desk {
    let desk = Desk::open_on(kind).await;
    let mut unit = UnitOfWork::new();
    push_account(&mut unit, PUBLISHER, AccountKind::Payable, 0);
    push_account(&mut unit, PUBLISHER.receivable(), AccountKind::Receivable, 0);
    push_account(&mut unit, PARTNER, AccountKind::PartnerMargin, 0);
    push_account(&mut unit, WALLET, AccountKind::Wallet, 0);
    desk.save(unit).await.unwrap();
    desk
}

/// A charge of `amount`: 70 of 100 for the publisher, 20 for the partner.
async fn charge(desk: &Desk, amount: i64) -> EntryId {
    desk.fund(WALLET, amount).await;
    let id = desk.fresh();
    let shares = ShareTerms::new(7_000, 2_000).unwrap();
    let place = PlaceHold { shares, partner: Some(PARTNER), ..hold(id, WALLET, PUBLISHER, amount) };
    desk.ask(Command::Hold(place)).await.unwrap();
    desk.ask(Command::Settle(capture_all(id, id))).await.unwrap();
    id
}

/// The desk's own writer, and on PostgreSQL two more, each in a slot of its own.
fn writers(desk: &Desk) -> (Vec<Ledger>, Vec<std::thread::JoinHandle<()>>) {
    let (mut ledgers, mut threads) = (vec![desk.ledger().clone()], Vec::new());
    if desk.url().starts_with("postgres") {
        for _ in 0..2 {
            let (ledger, thread) = desk.another_writer().unwrap();
            ledgers.push(ledger);
            threads.push(thread);
        }
    }
    (ledgers, threads)
}

/// Sends `commands` to `ledgers` in turn, all at once.
async fn all_at_once(ledgers: &[Ledger], commands: Vec<Command>) -> Vec<Result<Done, Refusal>> {
    let mut tasks = JoinSet::new();
    for (ledger, command) in ledgers.iter().cycle().zip(commands) {
        let ledger = ledger.clone();
        tasks.spawn(async move { ledger.command(command).await.unwrap() });
    }
    tasks.join_all().await
}

fn stop(ledgers: Vec<Ledger>, threads: Vec<std::thread::JoinHandle<()>>) {
    drop(ledgers);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

async fn many_refunds_of_one_charge_at_once_add_up_to_it(kind: Kind) {
    for round in 0..extent().pick(3, 30) {
        let desk = open(kind).await;
        let of = charge(&desk, 1_003).await;
        let (ledgers, threads) = writers(&desk);
        let refund = |amount| Refund { id: desk.fresh(), of, amount: Some(Credits::from_micros(amount)), meta: None };
        let commands = (0..40).map(|number| Command::Refund(refund(31 + number % 7))).collect();
        let answers = all_at_once(&ledgers, commands).await;
        let done = answers.iter().filter(|answer| **answer == Ok(Done::Posted)).count();
        for answer in &answers {
            if let Err(Refusal::ExceedsRefundable { needed, captured, refunded }) = answer {
                assert_eq!(captured.micros(), 1_003);
                assert!(needed.micros() + refunded.micros() > 1_003, "{answer:?}");
            } else {
                assert_eq!(*answer, Ok(Done::Posted), "round {round}");
            }
        }
        assert!(done > 20, "round {round}: {done} refunds");
        let rest = Refund { id: desk.fresh(), of, amount: None, meta: None };
        let last = desk.ask(Command::Refund(rest)).await;
        assert!(matches!(last, Ok(Done::Posted) | Err(Refusal::ExceedsRefundable { .. })), "{last:?}");
        let total = desk.rows("SELECT captured, refunded FROM refund_total");
        assert_eq!(total, [["1003", "1003"]], "round {round}");
        assert_eq!(desk.wallet(WALLET).available(), 1_003);
        for account in [PUBLISHER, PUBLISHER.receivable(), PARTNER, LedgerAccountId::PLATFORM_FEE] {
            assert_eq!(desk.hot_balance(account), 0, "round {round}: {account}");
        }
        stop(ledgers, threads);
        desk.verify();
    }
}

async fn many_payouts_at_once_pay_what_was_earned(kind: Kind) {
    for round in 0..extent().pick(3, 30) {
        let desk = open(kind).await;
        let (ledgers, threads) = writers(&desk);
        let charged = charge(&desk, 1_000).await;
        let pay = |amount| {
            let amount = Some(Credits::from_micros(amount));
            Command::Payout(Payout { id: desk.fresh(), from: PUBLISHER, to: BANK, amount, meta: None })
        };
        let mut commands: Vec<_> = (0..24).map(|number| pay(90 + number)).collect();
        // What goes back at the same time makes the publisher owe, or leaves less to pay.
        commands.push(Command::Refund(Refund { id: desk.fresh(), of: charged, amount: None, meta: None }));
        for answer in all_at_once(&ledgers, commands).await {
            assert!(
                matches!(answer, Ok(Done::Posted) | Err(Refusal::ExceedsPayable { .. })),
                "round {round}: {answer:?}"
            );
        }
        let (payable, owed) = (desk.hot_balance(PUBLISHER), -desk.hot_balance(PUBLISHER.receivable()));
        let paid = desk.number("SELECT coalesce(sum(paid), 0) FROM payout");
        assert!(payable >= 0 && paid <= 700 && owed >= 0, "round {round}: {payable} payable, {owed} owed, {paid} paid");
        assert_eq!(payable + paid - owed, 0, "round {round}: all that was earned went back");
        // What is earned next pays the debt first.
        charge(&desk, 1_000).await;
        let all = Payout { id: desk.fresh(), from: PUBLISHER, to: BANK, amount: None, meta: None };
        assert_eq!(desk.ask(Command::Payout(all)).await, Ok(Done::Posted));
        assert_eq!((desk.hot_balance(PUBLISHER), desk.hot_balance(PUBLISHER.receivable())), (0, 0), "round {round}");
        assert_eq!(desk.number("SELECT sum(paid) FROM payout"), 700, "round {round}");
        stop(ledgers, threads);
        desk.verify();
    }
}

async fn a_rehearsal_says_what_would_happen_and_nothing_does(kind: Kind) {
    let desk = open(kind).await;
    let of = charge(&desk, 100).await;
    let tables = ["txn", "posting", "batch", "refusal", "refund_total", "hot_balance", "wallet_balance"];
    let state = || tables.map(|table| desk.rows(&format!("SELECT * FROM {table} ORDER BY 1, 2")));
    let before = state();
    for (amount, is_fine) in [(100, true), (101, false)] {
        let mut unit = UnitOfWork::new();
        let amount = Some(Credits::from_micros(amount));
        unit.command(Command::Refund(Refund { id: desk.fresh(), of, amount, meta: None })).rehearse();
        assert_eq!(desk.save(unit).await.is_ok(), is_fine);
        assert_eq!(state(), before);
    }
    // The writer goes on as if it had not been asked.
    charge(&desk, 100).await;
    let refund = Refund { id: desk.fresh(), of, amount: None, meta: None };
    assert_eq!(desk.ask(Command::Refund(refund)).await, Ok(Done::Posted));
    desk.verify();
}

async fn a_capture_after_expiry_is_refused_and_changes_nothing(kind: Kind) {
    let desk = open(kind).await;
    desk.fund(WALLET, 100).await;
    let id = desk.fresh();
    desk.ask(Command::Hold(PlaceHold { ttl_us: 5, ..hold(id, WALLET, PUBLISHER, 60) })).await.unwrap();
    desk.clock.advance_us(5);
    assert_eq!(desk.ask(Command::Settle(capture_all(id, id))).await, Err(Refusal::HoldExpired));
    let wallet = desk.wallet(WALLET);
    assert_eq!((wallet.available(), wallet.held, desk.hot_balance(PUBLISHER)), (100, 0, 0));
    desk.verify();
}

async fn a_refused_movement_leaves_its_refusal_and_nothing_else(kind: Kind) {
    let desk = open(kind).await;
    let of = charge(&desk, 100).await;
    desk.ask(Command::Payout(Payout { id: desk.fresh(), from: PUBLISHER, to: BANK, amount: None, meta: None }))
        .await
        .unwrap();
    let amount = |amount: i64| Some(Credits::from_micros(amount));
    let [first, second, third, fourth] = [desk.fresh(), desk.fresh(), desk.fresh(), desk.fresh()];
    let balances = "SELECT account_id, credits, debits FROM hot_balance UNION ALL
                    SELECT account_id, credits, debits FROM wallet_balance ORDER BY 1, 2, 3";
    let before = desk.rows(balances);
    for (command, word) in [
        (Command::Refund(Refund { id: first, of, amount: amount(101), meta: None }), "exceeds_refundable"),
        (Command::Refund(Refund { id: second, of: first, amount: amount(1), meta: None }), "transaction_not_found"),
        (
            Command::Payout(Payout { id: third, from: PUBLISHER, to: BANK, amount: amount(1), meta: None }),
            "exceeds_payable",
        ),
        (
            Command::Secure(Secure {
                id: fourth,
                wallet: PUBLISHER,
                payee: BANK,
                at_most: Credits::from_micros(1),
                meta: None,
            }),
            "unknown_account",
        ),
    ] {
        let refusals = desk.number("SELECT count(*) FROM refusal");
        assert_eq!(desk.ask(command).await.map_err(|refusal| refusal.as_str()), Err(word));
        let recorded = desk.rows("SELECT reason FROM refusal ORDER BY slot, seq");
        assert_eq!(
            (recorded.len(), recorded.last().unwrap()[0].as_str()),
            (usize::try_from(refusals).unwrap() + 1, word)
        );
        assert_eq!(desk.rows(balances), before, "{word}");
    }
    desk.verify();
}
