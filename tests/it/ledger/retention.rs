//! Stored answers go after their day: in small batches, between which calls are served, and the books stay sound.

use engine::{
    ledger::{AccountKind, key::KEY_TTL_US},
    store::{UnitOfWork, writer::Command},
    testing::push_statement,
};

use super::desk::{Desk, Kind, SECOND_US, hold, on_both, payable_id, wallet_id};

on_both! {
    answers_of_yesterday_go_in_small_batches_and_calls_go_on_in_between,
}

/// More than three transactions forget.
const EXPIRED: i64 = 7_000;
/// What one transaction forgets at most: 2,048 keys on SQLite, 1,024 on PostgreSQL.
const BATCH_MAX: i64 = 2_048;

/// Adds `count` calls with keys, made at `created_us`: with answers, or still running.
async fn add_keys(desk: &Desk, kind: Kind, (first, count): (i64, i64), created_us: i64, is_answered: bool) {
    let (numbers, id) = match kind {
        Kind::Sqlite => (
            format!(
                "WITH RECURSIVE number(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM number WHERE n < {})",
                first + count - 1
            ),
            "unhex(printf('%032x', n))",
        ),
        Kind::Postgres => (
            format!("WITH number AS (SELECT generate_series({first}, {}) AS n)", first + count - 1),
            "lpad(to_hex(n), 32, '0')::uuid",
        ),
    };
    let zeros = match kind {
        Kind::Sqlite => "zeroblob(16)".to_owned(),
        Kind::Postgres => "'00000000-0000-0000-0000-000000000000'::uuid".to_owned(),
    };
    let digest = if kind == Kind::Sqlite { "zeroblob(32)" } else { "decode(repeat('00', 32), 'hex')" };
    // As `invocation.state` and `idem.state` have them.
    let (ended, state, status) = if is_answered { (3, 2, "200") } else { (1, 1, "NULL") };
    let mut unit = UnitOfWork::new();
    let calls = format!(
        "{numbers} INSERT INTO invocation (id, surface, held, snapshot_version, policy_version, key_scope, key, epoch,
                                           created_us, state, charged, shortfall)
         SELECT {id}, 1, 0, 1, 'test', {zeros}, 'k' || n, 1, {created_us}, {ended}, 0, 0 FROM number"
    );
    push_statement(&mut unit, &calls, None);
    let keys = format!(
        "{numbers} INSERT INTO idem (scope, key, fingerprint, call, created_us, state, status)
         SELECT {zeros}, 'k' || n, {digest}, {id}, {created_us}, {state}, {status} FROM number"
    );
    push_statement(&mut unit, &keys, None);
    if is_answered {
        let answers = format!("{numbers} INSERT INTO idem_answer (call, body) SELECT {id}, 'an answer' FROM number");
        push_statement(&mut unit, &answers, None);
    }
    desk.save(unit).await.unwrap();
}

async fn answers_of_yesterday_go_in_small_batches_and_calls_go_on_in_between(kind: Kind) {
    let desk = Desk::open_on(kind).await;
    desk.open_account(payable_id(1), AccountKind::Payable, 0).await;
    desk.open_account(wallet_id(1), AccountKind::Wallet, 0).await;
    desk.fund(wallet_id(1), 1_000_000).await;
    let now_us = desk.now_us();
    add_keys(&desk, kind, (1, EXPIRED), now_us - KEY_TTL_US - SECOND_US, true).await;
    add_keys(&desk, kind, (100_001, 10), now_us - KEY_TTL_US + 3_600 * SECOND_US, true).await;
    add_keys(&desk, kind, (200_001, 3), now_us - 3 * KEY_TTL_US, false).await;

    let count = |table: &str| desk.number(&format!("SELECT count(*) FROM {table}"));
    let (mut left, mut rounds) = (count("idem"), 0);
    while left > 13 {
        desk.clock.advance_us(SECOND_US);
        desk.ledger().tick().await.unwrap();
        let now = count("idem");
        assert!(left - now <= BATCH_MAX, "{} keys at once", left - now);
        assert!(now < left || rounds == 0, "no progress with {now} left");
        assert_eq!(count("idem_answer") + 3, now, "an answer goes with its key");
        left = now;
        rounds += 1;
        assert!(desk.ask(Command::Hold(hold(desk.fresh(), wallet_id(1), payable_id(1), 1))).await.is_ok());
        desk.verify();
    }
    assert!(rounds >= 4, "{rounds}");
    let kept = desk.rows("SELECT state, count(*) FROM idem GROUP BY state ORDER BY state");
    assert_eq!(kept, [["1", "3"], ["2", "10"]], "running calls and the keys of today stay");
}
