use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    super::{Books, tests},
    Figures, LedgerRate, Postgres, PostgresLedger, PostgresSettings, RunDry, Unbatched,
};

fn settings(fsync: &str, synchronous_commit: &str) -> PostgresSettings {
    PostgresSettings {
        version: "15.9".to_owned(),
        fsync: fsync.to_owned(),
        synchronous_commit: synchronous_commit.to_owned(),
        full_page_writes: "on".to_owned(),
        shared_buffers: "128MB".to_owned(),
    }
}

fn ledger() -> PostgresLedger {
    let rate = |per_s| LedgerRate { hold_captures_per_s: per_s, p50_ms: 1.0, p99_ms: 2.0, requests_per_batch: 8.0 };
    let unbatched = |per_s| Unbatched { connections: 16, per_s, mean_ms: 4.0 };
    PostgresLedger {
        processes: 4,
        callers_of_each: 64,
        one_publisher: rate(9_000.0),
        thousand_publishers: rate(10_000.0),
        one_over_thousand: 0.9,
        one_wallet: rate(3_000.0),
        run_dry: RunDry { funded: 7, captured: 7 },
        unbatched: unbatched(450.0),
        over_unbatched: 20.0,
        row_locks: unbatched(900.0),
        over_row_locks: 10.0,
    }
}

/// The member `postgres` of a report, and the report's table.
fn shown(postgres: Option<Postgres>) -> (Option<Value>, String) {
    let mut report = tests::report(None);
    report.postgres = postgres;
    (serde_json::to_value(&report).unwrap().get("postgres").cloned(), report.to_string())
}

#[test]
fn the_object_has_the_documented_keys() {
    let figures = Figures {
        levels: BTreeMap::from([(1, tests::level(None))]),
        two_servers: Some(BTreeMap::from([(64, tests::level(None))])),
        settings: Some(settings("on", "on")),
        books: Some(Books { received: 3, charged: 3, answered: 3 }),
        ledger: Some(ledger()),
        verify: None,
        export: None,
    };
    let (object, table) = shown(Some(Postgres::Measured(Box::new(figures))));
    let object = object.unwrap();
    for (pointer, value) in [
        ("/1/paid_per_s", json!(1000.0)),
        ("/1/keyed/paid_per_s", json!(900.0)),
        ("/two_servers/64/paid_over_bare", json!(0.5)),
        ("/settings/fsync", json!("on")),
        ("/books/charged", json!(3)),
        ("/ledger/one_publisher/hold_captures_per_s", json!(9000.0)),
        ("/ledger/one_over_thousand", json!(0.9)),
        ("/ledger/run_dry/captured", json!(7)),
        ("/ledger/unbatched/connections", json!(16)),
        ("/ledger/over_row_locks", json!(10.0)),
    ] {
        assert_eq!(object.pointer(pointer), Some(&value), "{pointer}");
    }
    assert!(table.contains("two servers on one database") && table.contains("PostgreSQL 15.9"), "{table}");
}

#[test]
fn a_missing_server_is_null_and_not_measured_and_an_unwanted_one_is_absent() {
    let (object, table) = shown(Some(Postgres::NotMeasured));
    assert_eq!(object, Some(json!(null)));
    assert!(table.contains("PostgreSQL: not measured"), "{table}");
    let (object, table) = shown(None);
    assert_eq!(object, None);
    assert!(!table.contains("PostgreSQL"), "{table}");
}

#[test]
fn only_a_server_that_waits_for_the_disk_is_durable() {
    assert!(settings("on", "on").is_durable());
    for (fsync, synchronous_commit) in [("off", "on"), ("on", "off"), ("on", "local")] {
        assert!(!settings(fsync, synchronous_commit).is_durable(), "{fsync} {synchronous_commit}");
    }
}
