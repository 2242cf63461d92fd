//! Units of work: everything that a use case writes happens together or not at all.

use engine::{
    credits::Credits,
    ledger::{AccountKind, LedgerAccountId, Refusal, batch::Done, refusal::Limit},
    store::{NotSaved, UnitOfWork},
    testing::push_statement,
};

use super::desk::{Desk, Kind, payable_id, post, push_account, wallet_id};

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

super::desk::on_both! {
    an_account_and_its_first_money_come_together,
    a_statement_that_touches_another_number_of_rows_undoes_the_unit,
    a_refused_post_undoes_the_unit_and_only_the_refusal_is_recorded,
    a_unit_sees_what_was_changed_outside_the_ledger,
}
