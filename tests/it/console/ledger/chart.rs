//! The chart of accounts, and what its classes come to.

use std::collections::BTreeSet;

use engine::{
    ledger::{AccountKind, LedgerAccountId, batch::Done},
    service::chart::{CLASS_SUMS_S, LARGE_ACCOUNTS},
    store::{UnitOfWork, writer::Command},
};

use super::{PUBLISHER, WALLET, open, pay, writers};
use crate::ledger::desk::{Kind, SECOND_US, grant, hold, on_both, payable_id, push_account, wallet_id};

on_both! {
    the_chart_is_listed_by_kind_and_by_owner,
    the_classes_balance,
    of_each_class_those_who_have_most_are_named,
}

async fn the_chart_is_listed_by_kind_and_by_owner(kind: Kind) {
    let desk = open(kind).await;
    let services = desk.services().await;
    let mut unit = UnitOfWork::new();
    for number in 2..=110 {
        push_account(&mut unit, wallet_id(number), AccountKind::Wallet, 0);
    }
    desk.save(unit).await.unwrap();
    let publisher = desk.id_literal(desk.fresh());
    let payable = PUBLISHER.raw();
    desk.change(&format!(
        "INSERT INTO publisher (id, slug, display_name, is_suspended, share_bps, payable, created_us)
         VALUES ({publisher}, 'acme', 'Acme', false, 7000, {payable}, 0)"
    ))
    .await;
    desk.fund(WALLET, 10).await;

    let (mut listed, mut after, mut lengths) = (Vec::new(), None, Vec::new());
    loop {
        let page = services.list_chart(Some(AccountKind::Wallet), after).await.unwrap();
        lengths.push(page.rows.len());
        listed.extend(page.rows.iter().map(|line| line.id));
        let Some(next) = page.next else { break };
        after = Some(LedgerAccountId::from_raw(next.parse().unwrap()));
    }
    let expected: Vec<LedgerAccountId> = (1..=110).rev().map(wallet_id).collect();
    assert_eq!((listed, lengths), (expected, vec![50, 50, 10]));
    for (wanted, ids) in [
        (AccountKind::Payable, vec![PUBLISHER]),
        (AccountKind::Receivable, vec![PUBLISHER.receivable()]),
        (AccountKind::Clearing, vec![LedgerAccountId::CLEARING_DEMO, LedgerAccountId::CLEARING_MANUAL]),
        (AccountKind::PartnerMargin, vec![]),
        (AccountKind::Grant, vec![]),
    ] {
        let page = services.list_chart(Some(wanted), None).await.unwrap();
        assert_eq!(page.rows.iter().map(|line| line.id).collect::<Vec<_>>(), ids, "{wanted:?}");
        assert!(page.rows.iter().all(|line| line.kind == wanted) && page.next.is_none());
    }
    let everything = services.list_chart(None, Some(LedgerAccountId::from_raw(10))).await.unwrap();
    let platform: BTreeSet<LedgerAccountId> = LedgerAccountId::WELL_KNOWN.into_iter().map(|(id, _)| id).collect();
    let found: BTreeSet<LedgerAccountId> = everything.rows.iter().map(|line| line.id).collect();
    assert!(found.is_superset(&platform) && found.contains(&PUBLISHER.receivable()), "{found:?}");

    let ids = async |text: &str| {
        let lines = services.find_chart_of(text).await.unwrap();
        lines.iter().map(|line| (line.id, line.balance())).collect::<Vec<_>>()
    };
    assert_eq!(ids("acme").await, [(PUBLISHER, 0), (PUBLISHER.receivable(), 0)]);
    assert_eq!(ids(&WALLET.to_string()).await, [(WALLET, 10)]);
    assert_eq!(ids("equity:opening").await, [(LedgerAccountId::OPENING, -10)]);
    assert_eq!(ids("nobody@example.com").await, []);
}

async fn the_classes_balance(kind: Kind) {
    let desk = open(kind).await;
    let services = desk.services().await;
    let at_first = services.load_class_sums().await.unwrap();
    assert_eq!(at_first.at_us, desk.now_us());
    assert!(at_first.sums.iter().all(|sum| sum.debits == 0 && sum.credits == 0) && at_first.large.is_empty());
    assert_eq!(at_first.sums.len(), 9, "a line for each kind, wallets and grants in one");
    desk.fund(WALLET, 1_000).await;
    // Every wallet is read for them: for some seconds they stay as they are, and say of when.
    desk.clock.advance_us(CLASS_SUMS_S * SECOND_US - 1);
    assert_eq!(services.load_class_sums().await.unwrap(), at_first);
    desk.clock.advance_us(1);
    let sums = services.load_class_sums().await.unwrap();
    assert_eq!(sums.at_us, desk.now_us());
    assert_ne!(sums.sums, at_first.sums);
    desk.clock.advance_us(CLASS_SUMS_S * SECOND_US);
    let id = desk.fresh();
    desk.ask(Command::Hold(hold(id, WALLET, PUBLISHER, 100))).await.unwrap();
    let (ledgers, thread) = writers(&desk);
    for ledger in &ledgers {
        pay(&desk, ledger, (WALLET, PUBLISHER, 7)).await;
    }
    let sums = services.load_class_sums().await.unwrap().sums;
    let of = |kind: AccountKind| *sums.iter().find(|sum| sum.kind == kind).unwrap();
    let spent = 7 * i64::try_from(ledgers.len()).unwrap();
    let wallets = of(AccountKind::Wallet);
    assert_eq!((wallets.accounts, wallets.credits, wallets.debits, wallets.held), (1, 1_000, spent, 100));
    assert_eq!((of(AccountKind::Payable).accounts, of(AccountKind::Payable).balance()), (1, spent));
    assert_eq!(of(AccountKind::Opening).balance(), -1_000);
    assert_eq!(sums.iter().map(|sum| sum.credits - sum.debits).sum::<i64>(), 0);
    drop(ledgers);
    if let Some(thread) = thread {
        thread.join().unwrap();
    }
}

async fn of_each_class_those_who_have_most_are_named(kind: Kind) {
    let desk = open(kind).await;
    let services = desk.services().await;
    let count = LARGE_ACCOUNTS + 2;
    for number in 1..=count {
        if number > 1 {
            desk.open_account(wallet_id(number), AccountKind::Wallet, 0).await;
            desk.open_account(payable_id(number), AccountKind::Payable, 0).await;
        }
        desk.fund(wallet_id(number), 1_000 * number).await;
    }
    // What expires is in the class of wallets, under its own number.
    let give = grant(&desk, 1, WALLET, 1_000 * count + 500, 100 * SECOND_US);
    assert_eq!(desk.give(&give).await, Ok(Done::Posted));
    let (ledgers, thread) = writers(&desk);
    // Each in the slots of all writers: an account that no limit is kept of has a balance in each of them.
    for ledger in &ledgers {
        for number in 1..=count {
            pay(&desk, ledger, (wallet_id(number), payable_id(number), 10 * number)).await;
        }
    }
    let writers = i64::try_from(ledgers.len()).unwrap();
    let found = services.load_class_sums().await.unwrap();
    let of = |class: AccountKind| -> Vec<(LedgerAccountId, i64)> {
        let large = found.large.iter().filter(|account| account.class == class);
        large.map(|account| (account.id, account.balance)).collect()
    };
    let largest = || (3..=count).rev();
    let payables: Vec<_> = largest().map(|number| (payable_id(number), 10 * number * writers)).collect();
    assert_eq!(of(AccountKind::Payable), payables);
    let wallets = largest().map(|number| (wallet_id(number), number * (1_000 - 10 * writers)));
    let mut expected = vec![(give.account, 1_000 * count + 500)];
    expected.extend(wallets.take(usize::try_from(LARGE_ACCOUNTS - 1).unwrap()));
    assert_eq!(of(AccountKind::Wallet), expected);
    let promo = (LedgerAccountId::PROMO, -(1_000 * count + 500));
    assert_eq!(of(AccountKind::Promo), [promo], "what is spent is below zero");
    assert!(of(AccountKind::Grant).is_empty() && of(AccountKind::Loss).is_empty());
    let code = found.large.iter().find(|account| account.id == LedgerAccountId::PROMO).unwrap().code.clone();
    assert_eq!(code, "expenses:promo");
    // Of one moment with the sums: what is not named is what is missing.
    let sum = found.sums.iter().find(|sum| sum.kind == AccountKind::Payable).unwrap();
    let named: i64 = of(AccountKind::Payable).iter().map(|(_, balance)| balance).sum();
    assert_eq!((sum.accounts, sum.balance() - named), (count, 10 * writers * (1 + 2)));
    drop(ledgers);
    if let Some(thread) = thread {
        thread.join().unwrap();
    }
}
