//! Stored answers go after their day, and what calls carried after the time that was configured: in small batches, between which calls are served, and the books stay sound.

use std::sync::Arc;

use engine::{
    audit::OpContext,
    id::{EntryId, InvocationId},
    ledger::{AccountKind, key::KEY_TTL_US},
    sealing::Sealing,
    service::payloads::{PayloadRules, PayloadSetup},
    store::{UnitOfWork, writer::Command},
    testing::push_statement,
};

use super::desk::{Desk, Kind, SECOND_US, hold, on_both, payable_id, wallet_id};

on_both! {
    answers_of_yesterday_go_in_small_batches_and_calls_go_on_in_between,
    what_calls_carried_goes_in_small_batches_and_calls_go_on_in_between,
    what_a_call_carried_is_not_shown_any_more_when_its_time_is_over,
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

/// What one transaction forgets of what calls carried.
const PAYLOADS_MAX: i64 = 64;

async fn what_calls_carried_goes_in_small_batches_and_calls_go_on_in_between(kind: Kind) {
    let desk = Desk::open_on(kind).await;
    let services = desk.services().await;
    desk.open_account(payable_id(1), AccountKind::Payable, 0).await;
    desk.open_account(wallet_id(1), AccountKind::Wallet, 0).await;
    desk.fund(wallet_id(1), 1_000_000).await;
    let now_us = desk.now_us();
    let mut unit = UnitOfWork::new();
    for (first, last, until_us) in [(1, 200, now_us), (301, 307, now_us + SECOND_US)] {
        let (numbers, id, bytes) = match kind {
            Kind::Sqlite => (
                format!(
                    "WITH RECURSIVE number(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM number WHERE n < {last})"
                ),
                "unhex(printf('%032x', n))",
                "zeroblob(3000)",
            ),
            Kind::Postgres => (
                format!("WITH number AS (SELECT generate_series({first}, {last}) AS n)"),
                "lpad(to_hex(n), 32, '0')::uuid",
                "decode(repeat('00', 3000), 'hex')",
            ),
        };
        let insert = format!(
            "{numbers} INSERT INTO payload (call, arguments, arguments_bytes, until_us)
             SELECT {id}, {bytes}, 3000, {until_us} FROM number"
        );
        push_statement(&mut unit, &insert, None);
    }
    desk.save(unit).await.unwrap();

    let count = || desk.number("SELECT count(*) FROM payload");
    let (mut left, mut rounds) = (count(), 0);
    assert_eq!(left, 207);
    while services.forget_payloads().await.unwrap() {
        let now = count();
        assert!((1..=PAYLOADS_MAX).contains(&(left - now)), "{} at once", left - now);
        left = now;
        rounds += 1;
        assert!(desk.ask(Command::Hold(hold(desk.fresh(), wallet_id(1), payable_id(1), 1))).await.is_ok());
        desk.verify();
    }
    assert_eq!((left, rounds), (7, 4), "what is not over stays");
    assert!(!services.forget_payloads().await.unwrap());
    desk.clock.advance_us(SECOND_US);
    assert!(services.forget_payloads().await.unwrap());
    assert_eq!(count(), 0);
    desk.verify();
}

/// Also before anybody has forgotten it; and who was shown nothing has read nothing.
async fn what_a_call_carried_is_not_shown_any_more_when_its_time_is_over(kind: Kind) {
    let desk = Desk::open_on(kind).await;
    let (services, by) = (desk.services().await, OpContext::system());
    let sealing = || Sealing::new(&[9; 32]).unwrap();
    services.set_up_payloads(Arc::new(PayloadSetup { rules: PayloadRules::default(), sealing: sealing() }));
    let id = InvocationId::from(desk.fresh().uuid());
    // As it is stored, so that what is stored today can be read tomorrow.
    let bound_to = [b"payload arguments".as_slice(), id.uuid().as_bytes()].concat();
    let sealed = sealing().seal(b"{}", [3; 12], &bound_to).unwrap();
    let digits: String = sealed.iter().map(|byte| format!("{byte:02x}")).collect();
    let bytes = if kind == Kind::Sqlite { format!("x'{digits}'") } else { format!("decode('{digits}', 'hex')") };
    let mut unit = UnitOfWork::new();
    let insert = format!(
        "INSERT INTO payload (call, arguments, arguments_bytes, until_us) VALUES ({}, {bytes}, 2, {})",
        desk.id_literal(EntryId::from(id)),
        desk.now_us() + SECOND_US
    );
    push_statement(&mut unit, &insert, Some(1));
    desk.save(unit).await.unwrap();

    let shown = services.read_payload(&by, id).await.unwrap().unwrap();
    assert_eq!((shown.arguments.text.as_str(), shown.arguments.bytes, shown.answer), ("{}", 2, None));
    desk.clock.advance_us(SECOND_US);
    assert_eq!(services.read_payload(&by, id).await.unwrap(), None);
    assert_eq!(desk.number("SELECT count(*) FROM payload"), 1, "nobody has forgotten it");
    assert_eq!(desk.number("SELECT count(*) FROM audit WHERE action = 'payload.read'"), 1);
}
