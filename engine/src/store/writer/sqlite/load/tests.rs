use rusqlite::Connection;

use super::{super::grants::SOURCES, HOLD_COLUMNS, OPEN_CALLS, OPEN_HOLDS};

/// All of it is read after every rehearsal and every failed batch, while callers wait.
#[test]
fn what_is_open_is_read_without_what_is_settled() {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(include_str!("../../../../../../migrations/schema.sqlite.sql")).unwrap();
    for sql in [&format!("SELECT {HOLD_COLUMNS}, o.expires_us {OPEN_HOLDS}"), SOURCES, OPEN_CALLS] {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let steps = statement.query_map([], |row| row.get(3)).unwrap();
        let steps: Vec<String> = steps.collect::<rusqlite::Result<_>>().unwrap();
        let scanned = steps.iter().filter_map(|step| step.strip_prefix("SCAN ")?.split(' ').next());
        let scanned: Vec<&str> = scanned.collect();
        assert!(!scanned.is_empty(), "{steps:?}");
        let others = scanned.iter().find(|table| !["o", "open_hold", "open_call"].contains(*table));
        assert_eq!(others, None, "{sql}: {steps:#?}");
    }
}
