//! Reads the plans that the program tells in its log, and finds those that read a table that grows with every call as a whole.

use tests::home::Kind;

/// The tables that get rows with every call, or that nobody ever takes rows out of.
const GROWING: [&str; 12] = [
    "invocation",
    "txn",
    "posting",
    "hold",
    "hold_resolution",
    "hold_source",
    "refusal",
    "batch",
    "idem",
    "idem_answer",
    "audit",
    "cap_window",
];

/// The statement and the steps of its plan, if a line of the log tells them.
pub(super) fn plan_of(line: &str) -> Option<(&str, Vec<&str>)> {
    let (_, told) = line.split_once("engine::store::readers::plans: ")?;
    let (statement, steps) = told.split_once(" => ")?;
    Some((statement, steps.split(" | ").collect()))
}

/// The steps that read a growing table from end to end, each with its statement. A step in the order of an index that ends at
/// a `LIMIT`, and leaves nothing out before, reads no more than that.
pub(super) fn scans(kind: Kind, statement: &str, steps: &[&str]) -> Vec<String> {
    let is_scan = |(place, step): &(usize, &&str)| match kind {
        Kind::Sqlite => is_sqlite_scan(statement, step),
        Kind::Postgres => is_postgres_scan(steps, *place, step),
    };
    let found = steps.iter().enumerate().filter(is_scan);
    found.map(|(_, step)| format!("`{step}` in {statement}\n    {}", steps.join("\n    "))).collect()
}

fn is_sqlite_scan(statement: &str, step: &str) -> bool {
    let Some(name) = step.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next()) else { return false };
    let meant = GROWING.iter().flat_map(|table| places_of(statement, table)).filter(|(called, _)| *called == name);
    meant.map(|(_, at)| select_around(statement, at)).any(|select| !is_short(&select))
}

/// Where a statement reads a table, and what it calls it there.
fn places_of<'s>(statement: &'s str, table: &str) -> Vec<(&'s str, usize)> {
    let mut found = Vec::new();
    let (mut at, mut before) = (0, "");
    let mut words = Vec::new();
    for word in statement.split(' ') {
        words.push((word, before, at));
        (at, before) = (at + word.len() + 1, word);
    }
    for (place, (word, before, at)) in words.iter().enumerate() {
        let name = word.trim_matches(|letter| matches!(letter, '"' | ')' | ','));
        if name != table || !matches!(*before, "FROM" | "JOIN") {
            continue;
        }
        let mut behind = words.get(place + 1..).unwrap_or_default().iter().map(|(word, ..)| *word);
        let next = match behind.next() {
            Some("AS") => behind.next(),
            next => next,
        };
        let is_end =
            word.ends_with(')') || next.is_none_or(|next| next.chars().any(|letter| !letter.is_ascii_lowercase()));
        found.push((if is_end { name } else { next.unwrap_or(name) }, *at));
    }
    found
}

/// The select that the place `at` of a statement belongs to, without those inside it.
fn select_around(statement: &str, at: usize) -> String {
    let (before, behind) = statement.split_at(at);
    let (mut select, mut depth) = (String::new(), 0_i32);
    for letter in behind.chars() {
        match letter {
            '(' => depth += 1,
            ')' if depth == 0 => break,
            ')' => depth -= 1,
            letter if depth == 0 => select.push(letter),
            _ => {}
        }
    }
    depth = 0;
    let mut front = String::new();
    for letter in before.chars().rev() {
        match letter {
            ')' => depth += 1,
            '(' if depth == 0 => break,
            '(' => depth -= 1,
            letter if depth == 0 => front.push(letter),
            _ => {}
        }
    }
    front.chars().rev().collect::<String>() + &select
}

fn is_short(select: &str) -> bool {
    select.contains(" LIMIT ") && !select.contains(" WHERE ") && !select.contains(" GROUP BY ")
}

fn is_postgres_scan(steps: &[&str], place: usize, step: &str) -> bool {
    let is_node = |step: &str| step.starts_with("->") || step.contains(" Scan ");
    let table = step.split(" on ").nth(1).and_then(|rest| rest.split(' ').next());
    if !is_node(step) || !step.contains("Scan") || !table.is_some_and(|table| GROWING.contains(&table)) {
        return false;
    }
    let own: Vec<&&str> = steps.iter().skip(place + 1).take_while(|step| !is_node(step)).collect();
    let has = |what: &str| own.iter().any(|step| step.starts_with(what));
    let is_limited = steps.iter().take(place).any(|step| step.ends_with("Limit"));
    let is_found = has("Index Cond:") || has("Recheck Cond:");
    step.contains("Seq Scan") || (!is_found && (has("Filter:") || !is_limited))
}

#[test]
fn plans_that_read_a_table_whole_are_found() {
    let newest = "SELECT id FROM invocation ORDER BY id DESC LIMIT ?";
    let first =
        "SELECT * FROM (SELECT * FROM \"invocation\" ORDER BY id DESC LIMIT $1) AS newest WHERE state = 'failed'";
    let narrowed = "SELECT a FROM txn t WHERE t.kind = $1 ORDER BY seq LIMIT $2";
    let few = "SELECT name FROM tool WHERE name = $1";
    for (kind, statement, steps, expected) in [
        (Kind::Sqlite, newest, &["SCAN invocation"][..], 0),
        (Kind::Sqlite, first, &["CO-ROUTINE newest", "SCAN invocation", "SCAN newest"], 0),
        (Kind::Sqlite, narrowed, &["SCAN t"], 1),
        (Kind::Sqlite, narrowed, &["SEARCH t USING PRIMARY KEY (slot=?)"], 0),
        (Kind::Sqlite, "SELECT count(*) FROM audit", &["SCAN audit USING COVERING INDEX audit_time"], 1),
        (Kind::Sqlite, few, &["SCAN tool"], 0),
        (Kind::Postgres, newest, &["Limit", "->  Index Only Scan Backward using invocation_pkey on invocation"], 0),
        (Kind::Postgres, newest, &["Aggregate", "->  Index Only Scan using invocation_pkey on invocation"], 1),
        (Kind::Postgres, narrowed, &["Limit", "->  Index Scan using txn_pkey on txn t", "Filter: (kind = 1)"], 1),
        (Kind::Postgres, narrowed, &["Limit", "->  Index Scan using txn_pkey on txn t", "Index Cond: (slot = 1)"], 0),
        (Kind::Postgres, narrowed, &["Limit", "->  Seq Scan on txn t", "Filter: (kind = 1)"], 1),
        (Kind::Postgres, few, &["Seq Scan on tool", "Filter: (name = '?'::text)"], 0),
    ] {
        assert_eq!(scans(kind, statement, steps).len(), expected, "{statement}: {steps:?}");
    }
}
