//! Units of work: everything that a use case writes happens together or not at all.

use std::sync::atomic::Ordering;

use engine::{
    credits::Credits,
    ledger::{AccountKind, LedgerAccountId, PlaceHold, Refusal, batch::Done, refusal::Limit},
    store::{NotSaved, UnitOfWork, writer::Command},
    testing::push_statement,
};

use super::desk::{
    Desk, Kind, SECOND_US, capture_all, grant, hold, payable_id, post, push_account, release, wallet_id,
};

const OPENING: LedgerAccountId = LedgerAccountId::OPENING;

async fn desk(kind: Kind) -> Desk {
    let desk = Desk::open_on(kind).await;
    desk.open_account(payable_id(1), AccountKind::Payable, 0).await;
    desk.open_account(wallet_id(1), AccountKind::Wallet, 0).await;
    desk.fund(wallet_id(1), 100).await;
    desk
}

/// How many rows each table of the ledger has.
fn sizes(desk: &Desk) -> Vec<(&'static str, i64)> {
    let tables = ["ledger_account", "wallet_balance", "hot_balance", "txn", "posting", "hold", "refusal", "batch"];
    tables.iter().map(|table| (*table, desk.number(&format!("SELECT count(*) FROM {table}")))).collect()
}

async fn an_account_and_its_first_money_come_together(kind: Kind) {
    let desk = desk(kind).await;
    let mut unit = UnitOfWork::new();
    push_account(&mut unit, wallet_id(2), AccountKind::Wallet, 5);
    let grant = post(desk.fresh(), &[(OPENING, wallet_id(2), 70)]);
    let spend = post(desk.fresh(), &[(wallet_id(2), payable_id(1), 75)]);
    unit.post(grant.clone()).post(grant).post(spend);
    assert_eq!(desk.save(unit).await, Ok(vec![Done::Posted, Done::Exists, Done::Posted]));
    assert_eq!(desk.wallet(wallet_id(2)).available(), 0);
    desk.verify();
}

async fn a_statement_that_touches_another_number_of_rows_undoes_the_unit(kind: Kind) {
    let desk = desk(kind).await;
    let before = sizes(&desk);
    let update = |id: i64| format!("UPDATE ledger_account SET closed_us = 1 WHERE id = {id}");
    let double = "UPDATE ledger_account SET closed_us = 1 WHERE kind = 6".to_owned();
    let twice = "INSERT INTO ledger_account (id, code, kind, created_us) VALUES (1, 'a second one', 2, 0)".to_owned();
    let negative = "UPDATE wallet_balance SET debits = 101".to_owned();
    for (what, sql) in
        [("no row", update(77)), ("two rows", double), ("a name that is taken", twice), ("below zero", negative)]
    {
        let mut unit = UnitOfWork::new();
        push_account(&mut unit, payable_id(7), AccountKind::Payable, 0);
        push_statement(&mut unit, &sql, Some(1));
        unit.post(post(desk.fresh(), &[(OPENING, wallet_id(1), 1)]));
        assert_eq!(desk.save(unit).await, Err(NotSaved::Conflict { statement: 1 }), "{what}");
        assert_eq!(sizes(&desk), before, "{what}");
        assert_eq!(desk.wallet(wallet_id(1)).available(), 100, "{what}");
    }
    assert_eq!(desk.number("SELECT count(*) FROM ledger_account WHERE closed_us IS NOT NULL"), 0);
    desk.fund(wallet_id(1), 1).await;
    desk.verify();
}

async fn a_refused_post_undoes_the_unit_and_only_the_refusal_is_recorded(kind: Kind) {
    let desk = desk(kind).await;
    let before = sizes(&desk);
    let mut unit = UnitOfWork::new();
    push_account(&mut unit, payable_id(7), AccountKind::Payable, 0);
    let first = post(desk.fresh(), &[(wallet_id(1), payable_id(7), 60)]);
    let second = post(desk.fresh(), &[(wallet_id(1), payable_id(7), 41)]);
    unit.post(first.clone()).post(second);
    let amount = Credits::from_micros;
    let refusal =
        Refusal::Insufficient { limit: Limit::Wallet(wallet_id(1)), needed: amount(41), available: amount(40) };
    assert_eq!(desk.save(unit).await, Err(NotSaved::Refused(refusal)));
    let after: Vec<_> = before
        .into_iter()
        .map(|(table, count)| (table, count + i64::from(table == "refusal" || table == "batch")))
        .collect();
    assert_eq!(sizes(&desk), after);
    assert_eq!(desk.wallet(wallet_id(1)).available(), 100);
    // Nothing of it is left in memory either: the same name may be used, and the account is not there.
    let mut unit = UnitOfWork::new();
    unit.post(first);
    assert_eq!(desk.save(unit).await, Err(NotSaved::Refused(Refusal::UnknownAccount(payable_id(7)))));
    desk.verify();
}

async fn a_unit_sees_what_was_changed_outside_the_ledger(kind: Kind) {
    let desk = desk(kind).await;
    desk.change("UPDATE wallet_balance SET overdraft = 10 WHERE account_id = 1001").await;
    let mut unit = UnitOfWork::new();
    unit.post(post(desk.fresh(), &[(wallet_id(1), payable_id(1), 110)]));
    assert_eq!(desk.save(unit).await, Ok(vec![Done::Posted]));
    desk.change("UPDATE ledger_account SET closed_us = 5 WHERE id = 1001").await;
    let mut unit = UnitOfWork::new();
    unit.post(post(desk.fresh(), &[(OPENING, wallet_id(1), 1)]));
    assert_eq!(desk.save(unit).await, Err(NotSaved::Refused(Refusal::AccountClosed(wallet_id(1)))));
}

/// Reads what is open only once, however often a unit is rehearsed, refused or overtaken: there may be very much of it.
async fn what_is_not_written_leaves_what_is_open_as_it_was(kind: Kind) {
    let desk = desk(kind).await;
    let (wallet, payee) = (wallet_id(1), payable_id(1));
    let [open, brief, placed] = [desk.fresh(), desk.fresh(), desk.fresh()];
    assert_eq!(desk.ask(Command::Hold(hold(open, wallet, payee, 30))).await, Ok(Done::Held));
    let expiring = PlaceHold { ttl_us: 5 * SECOND_US, ..hold(brief, wallet, payee, 20) };
    assert_eq!(desk.ask(Command::Hold(expiring)).await, Ok(Done::Held));
    let reloads = || desk.ledger().counters().reloads.load(Ordering::Relaxed);
    let before = reloads();
    let given = grant(&desk, 1, wallet, 40, 60 * SECOND_US);
    let unit = || {
        let mut unit = UnitOfWork::new();
        push_account(&mut unit, given.account, AccountKind::Grant, 0);
        unit.command(Command::Hold(hold(placed, wallet, payee, 10)));
        unit.command(Command::Settle(capture_all(open, open)));
        unit.command(Command::Settle(release(brief, brief)));
        unit.give(given.clone());
        unit
    };
    let mut rehearsed = unit();
    rehearsed.rehearse();
    assert_eq!(desk.save(rehearsed).await.map(|done| done.len()), Ok(4));
    let mut refused = unit();
    refused.post(post(desk.fresh(), &[(wallet, payee, 1_000)]));
    let refused = desk.save(refused).await;
    assert!(matches!(refused, Err(NotSaved::Refused(Refusal::Insufficient { .. }))), "{refused:?}");
    let mut overtaken = unit();
    push_statement(&mut overtaken, "UPDATE ledger_account SET closed_us = 1 WHERE id = 77", Some(1));
    assert!(matches!(desk.save(overtaken).await, Err(NotSaved::Conflict { .. })));
    let row = desk.wallet(wallet);
    assert_eq!((row.available(), row.held), (50, 50));

    // Everything of it can still be done, and what expires does so in its time.
    desk.clock.advance_us(5 * SECOND_US);
    desk.ledger().tick().await.unwrap();
    assert_eq!(desk.wallet(wallet).held, 30);
    assert!(matches!(desk.ask(Command::Settle(capture_all(open, open))).await, Ok(Done::Settled { .. })));
    assert_eq!(desk.ask(Command::Hold(hold(placed, wallet, payee, 10))).await, Ok(Done::Held));
    assert_eq!(desk.give(&given).await, Ok(Done::Posted));
    assert_eq!(desk.number("SELECT count(*) FROM open_grant"), 1);
    // The same again is no news, and rehearsing it makes nobody forget when it expires.
    let mut again = UnitOfWork::new();
    again.give(given.clone()).rehearse();
    assert_eq!(desk.save(again).await, Ok(vec![Done::Exists]));
    desk.clock.advance_us(60 * SECOND_US);
    desk.ledger().tick().await.unwrap();
    assert_eq!(desk.number("SELECT count(*) FROM open_grant"), 0);
    assert_eq!(desk.number("SELECT count(*) FROM open_hold"), 1);
    assert_eq!(reloads(), before);
    desk.verify();
}

super::desk::on_both! {
    an_account_and_its_first_money_come_together,
    a_statement_that_touches_another_number_of_rows_undoes_the_unit,
    a_refused_post_undoes_the_unit_and_only_the_refusal_is_recorded,
    a_unit_sees_what_was_changed_outside_the_ledger,
    what_is_not_written_leaves_what_is_open_as_it_was,
}
