//! Whoever changes anything in the file is found out, whatever it is.

use super::*;

/// The tables that the verifier looks at.
const TABLES: [&str; 19] = [
    "batch",
    "cap_window",
    "chain_head",
    "hold",
    "hold_resolution",
    "hold_source",
    "hot_balance",
    "ledger_account",
    "open_grant",
    "open_hold",
    "payout",
    "period_close",
    "posting",
    "refund_total",
    "refusal",
    "trial_balance",
    "txn",
    "wallet_balance",
    "wallet_grant",
];

/// Columns of which the books say nothing.
const UNKNOWABLE: [&str; 5] = [
    "hot_balance.version",
    "ledger_account.closed_us",
    "ledger_account.created_us",
    "wallet_balance.overdraft",
    "wallet_balance.version",
];

/// What a change of `column` must be reported as: one of these.
fn kinds_of(table: &str, column: &str) -> &'static [ProblemKind] {
    match (table, column) {
        ("batch", "slot" | "batch_no")
        | ("txn" | "hold" | "hold_resolution" | "refusal" | "wallet_grant" | "period_close", "slot" | "seq") => &[Gap],
        ("trial_balance", _) => &[PeriodMismatch],
        ("batch", "first_seq" | "n_entry" | "n_posting" | "total") => &[CountMismatch],
        ("batch", "merkle_root") => &[RootMismatch],
        ("batch", "prev_hash") => &[LinkMismatch],
        ("batch", _) => &[HeaderMismatch],
        ("chain_head", _) => &[HeadMismatch],
        ("ledger_account", "id") => &[AccountMismatch, UnknownAccount, ProjectionMismatch],
        ("ledger_account", _) => &[AccountMismatch],
        (
            "cap_window" | "hot_balance" | "open_grant" | "open_hold" | "wallet_balance" | "payout" | "refund_total",
            _,
        ) => &[ProjectionMismatch],
        _ => &[LeafMismatch],
    }
}

/// Another value for `column`, in SQL.
fn other_value(table: &str, column: &str, sql_type: &str) -> String {
    match (table, column, sql_type) {
        // The term of a head may be above that of the last batch: a new writer has come.
        ("chain_head", "epoch", _) => "0".to_owned(),
        // Words and numbers that mean nothing are cases of their own.
        ("ledger_account" | "txn", "kind", _) => "1 + kind % 9".to_owned(),
        ("hold_resolution", "outcome", _) => "1 + outcome % 4".to_owned(),
        ("refusal", "reason", _) => "'overflow'".to_owned(),
        (_, "slot" | "seq" | "ord" | "id" | "account" | "account_id", "INTEGER") | ("batch", "batch_no", _) => {
            format!("{column} + 10000")
        }
        (_, _, "INTEGER") => format!("coalesce({column}, 0) + 1"),
        // The first batch's is zero.
        (_, "prev_hash", _) => format!("x'{}'", "5a".repeat(32)),
        (_, "meta_hash", "BLOB") => "zeroblob(32)".to_owned(),
        (_, "counters", "BLOB") => "CASE length(counters) WHEN 0 THEN zeroblob(24) ELSE x'' END".to_owned(),
        (_, _, "BLOB") => format!("zeroblob(coalesce(length({column}), 16))"),
        _ => format!("'x' || {column}"),
    }
}

/// The books as one file, to be copied for every case.
struct Original {
    folder: tempfile::TempDir,
    path: PathBuf,
    cases: std::cell::Cell<u32>,
}

impl Original {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("books.sqlite");
        drop(small_books(path.clone()));
        let connection = Connection::open(&path).unwrap();
        // Damage comes in below all guards.
        let guards: String = list(&connection, "SELECT name FROM sqlite_schema WHERE type = 'trigger'")
            .iter()
            .map(|name| format!("DROP TRIGGER {name};"))
            .collect();
        connection.execute_batch(&guards).unwrap();
        connection.execute_batch("PRAGMA journal_mode = DELETE").unwrap();
        connection.close().unwrap();
        Self { folder, path, cases: std::cell::Cell::new(0) }
    }

    fn copy(&self) -> PathBuf {
        self.cases.set(self.cases.get() + 1);
        let path = self.folder.path().join("damaged.sqlite");
        std::fs::copy(&self.path, &path).unwrap();
        path
    }

    /// What is found after `sql`, which must change something.
    fn after(&self, sql: &str) -> VerifyReport {
        let path = self.copy();
        let connection = Connection::open(&path).unwrap();
        connection
            .execute_batch("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; PRAGMA synchronous = OFF")
            .unwrap();
        let touched = connection.execute(sql, []).unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert_eq!(touched, 1, "{sql}");
        connection.close().unwrap();
        check(&path)
    }
}

fn check(path: &Path) -> VerifyReport {
    let report = verify(path, &ManualClock::starting_at(0)).unwrap();
    assert_eq!(report.ok, report.problem_count == 0);
    assert_eq!(report.ok, report.problems.is_empty());
    assert!(report.problems.len() <= PROBLEMS_MAX);
    report
}

fn list(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// How to find each row of a table.
fn rows_of(connection: &Connection, table: &str) -> Vec<String> {
    let key = list(connection, &format!("SELECT name FROM pragma_table_info('{table}') WHERE pk > 0 ORDER BY pk"));
    let parts: Vec<_> = key.iter().map(|column| format!("'{column} = ' || quote({column})")).collect();
    list(connection, &format!("SELECT {} FROM {table}", parts.join(" || ' AND ' || ")))
}

#[test]
fn every_change_of_a_value_is_found_and_called_by_its_name() {
    let original = Original::new();
    let connection = Connection::open(&original.path).unwrap();
    for table in TABLES {
        let columns: Vec<(String, String)> = {
            let mut statement =
                connection.prepare(&format!("SELECT name, type FROM pragma_table_info('{table}')")).unwrap();
            statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
        };
        let rows = rows_of(&connection, table);
        assert!(!rows.is_empty(), "{table} has no rows");
        for (column, sql_type) in
            columns.iter().filter(|(column, _)| !UNKNOWABLE.contains(&&*format!("{table}.{column}")))
        {
            let value = other_value(table, column, sql_type);
            for row in &rows {
                // The first batch's `prev_hash` is zeros already.
                let unchanged = format!("SELECT {column} IS ({value}) FROM {table} WHERE {row}");
                if connection.query_row(&unchanged, [], |row| row.get(0)).unwrap() {
                    continue;
                }
                // Nothing in the books speaks of an account that no posting names.
                let named = format!(
                    "SELECT EXISTS (SELECT 1 FROM posting WHERE (SELECT id FROM ledger_account WHERE {row}) IN (debit, credit))"
                );
                if (table, column.as_str()) == ("ledger_account", "id")
                    && !connection.query_row(&named, [], |row| row.get::<_, bool>(0)).unwrap()
                {
                    continue;
                }
                let sql = format!("UPDATE {table} SET {column} = {value} WHERE {row}");
                let report = original.after(&sql);
                let found: BTreeSet<_> = report.problems.iter().map(|problem| problem.kind).collect();
                let expected = kinds_of(table, column);
                assert!(expected.iter().any(|kind| found.contains(kind)), "{sql}: {:?}", report.problems);
            }
        }
    }
    assert!(original.cases.get() > 440, "only {} cases", original.cases.get());
}

#[test]
fn what_the_books_say_nothing_of_is_not_found() {
    let original = Original::new();
    for name in UNKNOWABLE {
        let (table, column) = name.split_once('.').unwrap();
        let row = rows_of(&Connection::open(&original.path).unwrap(), table).remove(0);
        let report = original.after(&format!("UPDATE {table} SET {column} = coalesce({column}, 0) + 1 WHERE {row}"));
        assert_eq!(report.problems, [], "{name}");
    }
}

#[test]
fn every_row_that_is_taken_away_is_missed() {
    let original = Original::new();
    let connection = Connection::open(&original.path).unwrap();
    for table in TABLES {
        let rows = rows_of(&connection, table);
        for (number, row) in rows.iter().enumerate() {
            // Nobody misses the account of what a publisher might owe before they owe something.
            let is_debtor = format!("SELECT EXISTS (SELECT 1 FROM ledger_account WHERE {row} AND kind = 7)");
            if table == "ledger_account" && connection.query_row(&is_debtor, [], |row| row.get::<_, bool>(0)).unwrap() {
                continue;
            }
            let report = original.after(&format!("DELETE FROM {table} WHERE {row}"));
            let found: BTreeSet<_> = report.problems.iter().map(|problem| problem.kind).collect();
            let is_last = number + 1 == rows.len();
            let expected: &[ProblemKind] = match table {
                "batch" if is_last => &[LeafMismatch],
                "batch" | "txn" | "hold" | "hold_resolution" | "refusal" | "wallet_grant" | "period_close" => &[Gap],
                "posting" | "hold_source" => &[LeafMismatch],
                "trial_balance" => &[PeriodMismatch],
                "chain_head" => &[HeadMismatch],
                "ledger_account" => &[UnknownAccount, AccountMismatch, ProjectionMismatch],
                _ => &[ProjectionMismatch],
            };
            assert!(expected.iter().any(|kind| found.contains(kind)), "{table} without {row}: {:?}", report.problems);
        }
    }
}

#[test]
fn rows_that_are_added_are_found() {
    let original = Original::new();
    let next = "(SELECT seq + 1 FROM chain_head), zeroblob(16)";
    for (sql, kind) in [
        (format!("INSERT INTO txn (slot, seq, id, kind, batch_no, effective_us) VALUES (0, {next}, 2, 12, 0)"), LeafMismatch),
        (format!("INSERT INTO refusal (slot, seq, id, batch_no, reason, needed) VALUES (0, {next}, 12, 'overflow', 0)"), LeafMismatch),
        ("INSERT INTO refusal (slot, seq, id, batch_no, reason, needed) VALUES (0, 1, x'', 1, 'overflow', 0)".into(), Unreadable),
        ("INSERT INTO refusal (slot, seq, id, batch_no, reason, needed) VALUES (0, 1, zeroblob(16), 1, 'overflow', 0)".into(), Fork),
        ("INSERT INTO refusal (slot, seq, id, batch_no, reason, needed) VALUES (5, 1, zeroblob(16), 1, 'overflow', 0)".into(), LeafMismatch),
        ("INSERT INTO posting VALUES (0, 1, 3, 1001, 2001, 5)".into(), LeafMismatch),
        ("INSERT INTO posting VALUES (0, 3, 0, 1001, 2001, 5)".into(), LeafMismatch),
        ("INSERT INTO posting VALUES (0, 9999, 0, 1001, 2001, 5)".into(), LeafMismatch),
        (format!("INSERT INTO wallet_grant (slot, seq, id, batch_no, wallet, account, priority, expires_us) VALUES (0, {next}, 15, 1001, 77, 1, 1)"), LeafMismatch),
        ("INSERT INTO hold_source VALUES (0, 1, 0, zeroblob(16), 4001, 5)".into(), LeafMismatch),
        ("INSERT INTO open_grant VALUES (77, zeroblob(16), 1001, 1, 1)".into(), ProjectionMismatch),
        ("INSERT INTO trial_balance VALUES (1, 7, 77, 0, 0, 0, 0)".into(), PeriodMismatch),
        ("INSERT INTO hot_balance VALUES (2, 1, 0, 5, 1)".into(), ProjectionMismatch),
        ("INSERT INTO hot_balance VALUES (77, 0, 0, 0, 1)".into(), ProjectionMismatch),
        ("INSERT INTO wallet_balance VALUES (2001, 0, 0, 0, 0, 1)".into(), ProjectionMismatch),
        ("INSERT INTO cap_window VALUES (zeroblob(16), 0, 1, 0)".into(), ProjectionMismatch),
        ("INSERT INTO open_hold VALUES (zeroblob(16), 1001, 1, NULL)".into(), ProjectionMismatch),
        ("INSERT INTO chain_head VALUES (1, 1, 1, 1, 1, zeroblob(32), 0)".into(), HeadMismatch),
    ] {
        let report = original.after(&sql);
        assert!(report.problems.iter().any(|problem| problem.kind == kind), "{sql}: {:?}", report.problems);
    }
}

#[test]
fn counters_that_are_said_to_be_true_up_to_another_entry_are_found() {
    let original = Original::new();
    let connection = Connection::open(&original.path).unwrap();
    let numbers = "SELECT seq, counted_seq FROM chain_head";
    let (end, counted): (i64, i64) = connection.query_row(numbers, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    assert_eq!(counted, end, "few counters are written at once");
    let last: i64 =
        connection.query_row("SELECT max(seq) FROM hold WHERE length(counters) > 0", [], |row| row.get(0)).unwrap();
    let found = |seq: i64| {
        let report = original.after(&format!("UPDATE chain_head SET counted_seq = {seq}"));
        report.problems.into_iter().map(|problem| (problem.kind, problem.table)).collect::<BTreeSet<_>>()
    };
    for seq in 0..last {
        assert_eq!(found(seq), [(ProjectionMismatch, "cap_window")].into(), "{seq} of {end}");
    }
    for seq in [end + 1, i64::MAX] {
        assert_eq!(found(seq), [(HeadMismatch, "chain_head")].into(), "{seq}");
    }
    assert!(found(-1).contains(&(HeadMismatch, "chain_head")));
    assert!(last < end, "nothing is behind the last counter");
    // No counter has changed behind these: they say the truth, too.
    assert!((last..end).all(|seq| found(seq).is_empty()));
}

#[test]
fn values_that_make_no_sense_are_reported_with_their_table_and_column() {
    let original = Original::new();
    for (table, column, value) in [
        ("txn", "id", "x'00'"),
        ("txn", "kind", "99"),
        ("txn", "kind", "-1"),
        ("txn", "kind", "70000"),
        ("txn", "meta_hash", "x'00'"),
        ("txn", "reverses", "zeroblob(17)"),
        ("hold", "publisher_bps", "20000"),
        ("hold", "publisher_bps", "-1"),
        ("hold", "partner_bps", "65536"),
        ("hold", "counters", "zeroblob(25)"),
        ("hold_resolution", "outcome", "5"),
        ("hold_resolution", "hold_id", "x''"),
        ("refusal", "reason", "'because'"),
        ("batch", "merkle_root", "x''"),
        ("batch", "client_batch_id", "x''"),
        ("chain_head", "hash", "x''"),
        ("ledger_account", "kind", "0"),
        ("wallet_grant", "id", "x''"),
        ("hold_source", "grant_id", "x''"),
        ("period_close", "cut", "x'00'"),
        ("period_close", "digest", "x''"),
        ("open_grant", "id", "x''"),
        ("cap_window", "cap_id", "x''"),
        ("open_hold", "hold_id", "x''"),
    ] {
        let row = rows_of(&Connection::open(&original.path).unwrap(), table).remove(0);
        let report = original.after(&format!("UPDATE {table} SET {column} = {value} WHERE {row}"));
        let is_named = |problem: &Problem| {
            problem.kind == Unreadable && problem.table == table && problem.text.contains(&format!("`{column}`"))
        };
        assert!(report.problems.iter().any(is_named), "{table}.{column} = {value}: {:?}", report.problems);
    }
}

#[test]
fn a_damaged_header_does_not_make_other_batches_look_wrong() {
    let original = Original::new();
    for column in
        ["epoch", "first_seq", "n_entry", "n_posting", "total", "client_batch_id", "merkle_root", "prev_hash", "hash"]
    {
        let sql_type =
            if matches!(column, "client_batch_id" | "merkle_root" | "prev_hash" | "hash") { "BLOB" } else { "INTEGER" };
        let value = if column == "epoch" { "0".to_owned() } else { other_value("batch", column, sql_type) };
        let report = original.after(&format!("UPDATE batch SET {column} = {value} WHERE batch_no = 5"));
        assert!(report.problems.iter().all(|problem| problem.key == "0/5"), "{column}: {:?}", report.problems);
    }
}

#[test]
fn a_run_of_rows_without_its_batch_is_one_problem() {
    let original = Original::new();
    let report = original.after("DELETE FROM batch WHERE batch_no = 9");
    let kinds: Vec<_> = report.problems.iter().map(|problem| problem.kind).collect();
    assert_eq!(kinds, [Gap, LeafMismatch], "{:?}", report.problems);
}

#[test]
fn a_page_of_nonsense_is_damage_and_no_crash() {
    const PAGE: usize = 4_096;
    let original = Original::new();
    let sound = std::fs::read(&original.path).unwrap();
    let mut found = 0;
    for page in 1..sound.len() / PAGE {
        let path = original.copy();
        let mut bytes = sound.clone();
        bytes[page * PAGE..(page + 1) * PAGE].fill(0xa5);
        std::fs::write(&path, bytes).unwrap();
        found += u32::from(!check(&path).ok);
    }
    // Pages of indexes that the verifier has no use for may be anything.
    assert!(found >= 11, "found {found} of {}", sound.len() / PAGE);
}
