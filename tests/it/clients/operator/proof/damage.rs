//! Whoever changes the database behind the program's back is found out, and what they did is called by its name. Which
//! columns are drawn from comes from the schema: a new one is covered, or stands in [`UNCOVERED`] with the reason.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use engine::{
    clock::SystemClock,
    ledger::{
        chain::BatchHeader,
        jsonl::read_checkpoint,
        leaf::{Entry, Position, TransactionEntry, leaf_hash},
        verify::{Kept, ProblemKind, ProblemKind::*},
        {LedgerAccountId, Leg, TransactionKind},
    },
    store::{
        DatabasePlace,
        books::{self, VerifyReport, VerifyScope},
    },
    testing::Dice,
};
use tests::{
    environment::extent,
    home::{Home, Kind},
    on_both_databases,
};
use uuid::Uuid;

use super::{books::Books, checkpoints::tamper};
use crate::rows;

on_both_databases!(
    a_change_of_one_byte_anywhere_is_found_and_called_by_its_name,
    rows_that_were_deleted_added_or_swapped_are_found,
    a_cut_tail_is_found_with_a_checkpoint,
    a_chain_that_was_written_again_is_found_with_a_checkpoint,
);

/// Tables and columns of which a change is not found, and why not.
const UNCOVERED: [(&str, &str); 47] = [
    ("account.email", "an address: it may have to be erased, and the books keep what they say for ever"),
    ("account.is_suspended", "who may come in now; the audit trail tells who changed it"),
    ("account.is_verified", "who may come in now; the audit trail tells who changed it"),
    ("account.password_hash", "a secret's digest: whoever changes it locks the customer out"),
    ("account.sessions_from_us", "who may come in now"),
    ("auditor_token", "who may read from outside; the audit trail tells who made and revoked it"),
    ("chain_head.epoch", "PostgreSQL and SQLite: a writer raises it before it has written anything"),
    ("chain_head.last_write", "PostgreSQL: how a writer recognises its own commit after a lost connection"),
    ("chain_head.lease_until_us", "PostgreSQL: working state of a running server"),
    ("chain_head.owner", "PostgreSQL: working state of a running server"),
    (
        "credit_grant",
        "a note for people: the amount and the reason's digest are in the transaction of the same identifier",
    ),
    ("end_user", "whose customers a partner's are; its caps and its wallet are covered"),
    ("hot_balance.version", "how often a row was written; nothing depends on it"),
    ("idem.created_us", "until when a repeated key is recognised"),
    ("idem.fingerprint", "the digest of a request that is not kept; a changed one refuses the repetition"),
    ("idem.status", "the answer is not kept but for replays; whether there is one is checked"),
    ("idem_answer", "the answer is not kept but for replays; whether there is one is checked"),
    ("import", "what the configuration brought in last; a changed digest imports the same again"),
    ("invocation", "a record for people: money, shares, wallet and end of a paid call are in its hold and settlement"),
    ("ledger_account.closed_us", "nothing closes accounts yet"),
    ("login_link", "links that are good for minutes"),
    ("mail", "texts on their way out"),
    ("namespace.description", "a text for people"),
    ("namespace.is_suspended", "what is offered now"),
    ("open_call", "working state of a running server"),
    ("open_hold.epoch", "PostgreSQL: working state of a running server"),
    ("open_hold.slot", "PostgreSQL: working state of a running server"),
    ("partner.is_suspended", "who may come in now"),
    ("price_version.key", "the command's name, so that a repeated one makes no second price"),
    ("publisher.display_name", "a name for people"),
    ("publisher.is_suspended", "what is offered now"),
    ("purchase", "the order: the money of a confirmed one is in the transaction of the same identifier"),
    ("seaql_migrations", "the history of the schema"),
    ("signing_key.wrapped", "authenticated by itself: a changed one does not open, and no checkpoint is made with it"),
    ("token.hint", "four letters for people"),
    ("token.name", "a name for people"),
    ("tool.input_schema", "which arguments a call may have"),
    ("tool.is_suspended", "what is offered now"),
    ("tool.is_unverified_ok", "who may come in for nothing"),
    ("tool.long_description", "a text for people"),
    ("tool.short_description", "a text for people"),
    ("tool.timeout_ms", "how long a tool is waited for"),
    ("tool.upstream_method", "where a tool is; the audit trail tells who changed it"),
    ("tool.upstream_url", "where a tool is; the audit trail tells who changed it"),
    ("version.name", "names of counters: but for that of the facts, a missing one counts as 0"),
    ("version.value", "counters that make servers read again; that of the facts is covered"),
    ("wallet_balance.version", "how often a row was written; nothing depends on it"),
];

/// What a change of a column must be reported as: one of these, among others.
fn kinds_of(table: &str, column: &str) -> &'static [ProblemKind] {
    match (table, column) {
        ("txn" | "hold" | "hold_resolution" | "refusal" | "batch", "slot" | "seq" | "batch_no") => {
            &[Gap, Fork, LeafMismatch, HeaderMismatch, AnchorMissing]
        }
        ("posting", _) | ("txn" | "hold" | "hold_resolution" | "refusal", _) => &[LeafMismatch, Unreadable],
        ("batch", "first_seq" | "n_entry" | "n_posting" | "total") => &[CountMismatch, Gap, HeaderMismatch],
        ("batch", "merkle_root") => &[RootMismatch],
        ("batch", "prev_hash") => &[LinkMismatch],
        ("batch", _) => &[HeaderMismatch],
        ("audit", "slot" | "seq") => &[Gap, Fork, LeafMismatch, LinkMismatch, AnchorMissing, AnchorMismatch],
        ("audit", _) => &[LeafMismatch, LinkMismatch],
        ("chain_head" | "audit_head", _) => &[HeadMismatch],
        ("wallet_balance", "overdraft") => &[FactMismatch],
        ("cap_window" | "hot_balance" | "open_hold" | "wallet_balance" | "idem", _) => &[ProjectionMismatch],
        ("checkpoint", "signature") => &[BadSignature],
        ("checkpoint", _) => &[BadSignature, Unreadable, Gap, KeyMismatch],
        ("signing_key", "public_key") => &[BadSignature, KeyMismatch],
        ("signing_key", _) => &[KeyMismatch, Gap],
        ("ledger_account", "kind") => &[AccountMismatch, Unreadable],
        _ => &[FactMismatch],
    }
}

/// A column with the way its values are written.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Column {
    table: String,
    name: String,
    sort: String,
}

/// A database at rest, and what was kept of it outside.
struct Ground<'a> {
    home: &'a Home,
    columns: Vec<Column>,
    keys: BTreeMap<String, Vec<String>>,
    kept: Vec<Kept>,
}

impl<'a> Ground<'a> {
    fn of(books: &'a Books) -> Self {
        let kept = read_kept(&books.kept(1));
        let home = &books.home;
        let columns = match home.database() {
            None => {
                "SELECT m.name, c.name, lower(c.type) FROM sqlite_schema m, pragma_table_info(m.name) c
                 WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY 1, c.cid"
            }
            Some(_) => {
                "SELECT table_name, column_name, data_type FROM information_schema.columns
                 WHERE table_schema = 'public' ORDER BY 1, ordinal_position"
            }
        };
        let keys = match home.database() {
            None => {
                "SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c
                 WHERE m.type = 'table' AND c.pk > 0 ORDER BY 1, c.pk"
            }
            Some(_) => {
                "SELECT t.relname, a.attname FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid
                 JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = ANY (i.indkey)
                 WHERE i.indisprimary AND t.relnamespace = 'public'::regnamespace ORDER BY 1, a.attnum"
            }
        };
        let columns = rows::of_home(home, columns);
        let columns = columns
            .into_iter()
            .map(|row| Column { table: row[0].clone(), name: row[1].clone(), sort: row[2].clone() })
            .collect();
        let mut by_table: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in rows::of_home(home, keys) {
            by_table.entry(row[0].clone()).or_default().push(row[1].clone());
        }
        // This one is unique without being a key on SQLite.
        by_table.insert("idem".to_owned(), vec!["scope".to_owned(), "key".to_owned()]);
        Self { home, columns, keys: by_table, kept }
    }

    fn place(&self) -> DatabasePlace {
        match self.home.database() {
            None => DatabasePlace::File(self.home.file()),
            Some(database) => DatabasePlace::Server(database.url()),
        }
    }

    fn verify(&self, kept: &[Kept]) -> VerifyReport {
        let scope = VerifyScope { from: None, kept: kept.to_vec() };
        books::verify_within(&self.place(), &scope, &SystemClock::start()).unwrap()
    }

    fn columns_of(&self, table: &str) -> Vec<&Column> {
        self.columns.iter().filter(|column| column.table == table).collect()
    }

    /// The rows of a table, every value as SQL writes it.
    fn rows(&self, table: &str) -> Vec<Vec<String>> {
        let columns = self.columns_of(table);
        // Lists separate columns by a bar on one database, so that texts are read as digits.
        let read = |column: &&Column| {
            let name = &column.name;
            match (column.sort.as_str(), self.home.database().is_some()) {
                ("text" | "blob", false) => format!("coalesce(hex(\"{name}\"), ''), \"{name}\" IS NULL"),
                ("text", true) => {
                    format!("coalesce(encode(convert_to(\"{name}\", 'UTF8'), 'hex'), ''), (\"{name}\" IS NULL)::int")
                }
                ("bytea", true) => format!("coalesce(encode(\"{name}\", 'hex'), ''), (\"{name}\" IS NULL)::int"),
                ("boolean", true) => format!("\"{name}\"::int, (\"{name}\" IS NULL)::int"),
                (_, true) => format!("coalesce(\"{name}\"::text, ''), (\"{name}\" IS NULL)::int"),
                (_, false) => format!("coalesce(\"{name}\", ''), \"{name}\" IS NULL"),
            }
        };
        let list: Vec<_> = columns.iter().map(read).collect();
        let found = rows::of_home(self.home, &format!("SELECT {} FROM {table}", list.join(", ")));
        let literal = |(column, pair): (&&Column, &[String])| match (&*pair[1], column.sort.as_str()) {
            ("1", _) => "NULL".to_owned(),
            (_, "text") if self.home.database().is_none() => format!("CAST(x'{}' AS TEXT)", pair[0]),
            (_, "text") => format!("convert_from('\\x{}', 'UTF8')", pair[0]),
            (_, "blob") => format!("x'{}'", pair[0]),
            (_, "bytea") => format!("'\\x{}'::bytea", pair[0]),
            (_, "uuid") => format!("'{}'::uuid", pair[0]),
            (_, "boolean") => format!("{}::int::boolean", pair[0]),
            _ => pair[0].clone(),
        };
        found.iter().map(|row| columns.iter().zip(row.chunks(2)).map(literal).collect()).collect()
    }

    /// How to find a row.
    fn condition(&self, table: &str, row: &[String]) -> String {
        let columns = self.columns_of(table);
        let parts = columns.iter().zip(row).filter(|(column, _)| self.keys[table].contains(&column.name));
        parts.map(|(column, value)| format!("\"{}\" = {value}", column.name)).collect::<Vec<_>>().join(" AND ")
    }

    /// Whether the database takes this at all: a number may be taken, or too large.
    fn try_change(&self, sql: &str) -> bool {
        match self.home.database() {
            Some(database) => {
                database.query_as_superuser(&format!("SET session_replication_role = replica; {sql}")).is_ok()
            }
            None => {
                let connection = rows::connect(&self.home.file());
                connection
                    .execute_batch(
                        "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; PRAGMA synchronous = OFF",
                    )
                    .unwrap();
                connection.execute_batch(sql).is_ok()
            }
        }
    }

    fn change(&self, sql: &str) {
        assert!(self.try_change(sql), "{sql}");
    }

    fn delete(&self, table: &str, row: &[String]) {
        self.change(&format!("DELETE FROM {table} WHERE {}", self.condition(table, row)));
    }

    fn insert(&self, table: &str, row: &[String]) -> bool {
        let names: Vec<_> = self.columns_of(table).iter().map(|column| format!("\"{}\"", column.name)).collect();
        self.try_change(&format!("INSERT INTO {table} ({}) VALUES ({})", names.join(", "), row.join(", ")))
    }
}

/// The checkpoints in a file outside of the database.
fn read_kept(file: &Path) -> Vec<Kept> {
    let text = std::fs::read_to_string(file).unwrap();
    let read = |line| read_checkpoint(&serde_json::from_str(line).unwrap()).unwrap();
    text.lines().map(read).map(|(signed, public)| Kept { signed, public }).collect()
}

/// The columns that are drawn from. The others are printed with their reasons.
fn covered(ground: &Ground<'_>) -> Vec<Column> {
    let mut used = BTreeSet::new();
    let covered: Vec<Column> = ground
        .columns
        .iter()
        .filter(|column| {
            let full = format!("{}.{}", column.table, column.name);
            let listed = UNCOVERED.iter().find(|(name, _)| *name == column.table || *name == full);
            used.extend(listed.map(|(name, _)| *name));
            listed.is_none()
        })
        .cloned()
        .collect();
    let is_sqlite = ground.home.database().is_none();
    for (name, reason) in UNCOVERED {
        assert!(used.contains(name) || (is_sqlite && reason.starts_with("PostgreSQL:")), "{name} is not in the schema");
        println!("not covered: {name}: {reason}");
    }
    covered
}

/// Another value, one byte of which differs.
fn with_another_byte(literal: &str, dice: &mut Dice) -> Option<String> {
    if literal == "NULL" {
        return None;
    }
    if let Ok(number) = literal.parse::<i64>() {
        // Which of the eight bytes, and which bit of it.
        let bit = 8 * dice.below(8) + dice.below(8);
        return Some((number ^ (1_i64 << bit)).to_string());
    }
    let (before, rest) = literal.split_once('\'')?;
    let (digits, after) = rest.split_once('\'')?;
    let (mark, digits) = digits.strip_prefix("\\x").map_or(("", digits), |digits| ("\\x", digits));
    let mut bytes: Vec<u8> = (0..digits.len() / 2)
        .map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16))
        .collect::<Result<_, _>>()
        .ok()?;
    let at = usize::try_from(dice.below(bytes.len() as u64)).ok()?;
    // A text stays one: the lowest bit of a letter makes another letter.
    *bytes.get_mut(at)? ^= if literal.contains("TEXT") || literal.contains("UTF8") { 1 } else { 1 << dice.below(8) };
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Some(format!("{before}'{mark}{digits}'{after}"))
}

/// Books with everything in them, at rest.
fn at_rest(kind: Kind) -> Books {
    let mut books = Books::open(kind, 86_400);
    books.let_everything_happen();
    books.checkpoint();
    super::super::json_of(books.path(), &["ledger", "rotate-key"]);
    books.server().invoke(super::books::PAYER, "paid", "{\"idempotency_key\": \"twice\"}");
    let last = books.checkpoint();
    books.kept_with(&last);
    books.stop();
    tamper(&books.home, "SELECT 1");
    books
}

fn a_change_of_one_byte_anywhere_is_found_and_called_by_its_name(kind: Kind) {
    let seed = 1;
    let count = match kind {
        Kind::Sqlite => 1_000,
        Kind::Postgres => extent().pick(100, 1_000),
    };
    println!("seed {seed}, {count} changes");
    let books = at_rest(kind);
    let ground = Ground::of(&books);
    assert_eq!(ground.verify(&ground.kept).problems, []);
    let covered = covered(&ground);
    let mut dice = Dice::new(seed);
    let (mut done, mut drawn, mut empty) = (0, BTreeSet::new(), BTreeSet::new());
    while done < count {
        let Column { table, name, .. } = dice.pick(&covered).unwrap();
        let mut rows = ground.rows(table);
        rows.retain(|row| !is_empty_slot(table, row));
        let at = ground.columns_of(table).iter().position(|column| column.name == *name).unwrap();
        let Some(row) = dice.pick(&rows) else {
            empty.insert(format!("{table}.{name}"));
            continue;
        };
        let Some(value) = with_another_byte(&row[at], &mut dice) else {
            empty.insert(format!("{table}.{name}"));
            continue;
        };
        let mut changed = row.clone();
        changed[at].clone_from(&value);
        if !ground
            .try_change(&format!("UPDATE {table} SET \"{name}\" = {value} WHERE {}", ground.condition(table, row)))
        {
            continue;
        }
        let report = ground.verify(&ground.kept);
        let found: BTreeSet<_> = report.problems.iter().map(|problem| problem.kind).collect();
        let expected = kinds_of(table, name);
        assert!(
            expected.iter().any(|kind| found.contains(kind)),
            "{table}.{name} from {} to {value}: {:?}",
            row[at],
            report.problems
        );
        let back = format!("UPDATE {table} SET \"{name}\" = {} WHERE {}", row[at], ground.condition(table, &changed));
        ground.change(&back);
        drawn.insert(format!("{table}.{name}"));
        done += 1;
    }
    empty.retain(|name| !drawn.contains(name));
    println!("columns without a value: {empty:?}");
    println!("{} columns of {} were changed", drawn.len(), covered.len());
    assert_eq!(ground.verify(&ground.kept).problems, []);
}

/// Tables whose rows belong to the books or are stated in them.
fn tables(ground: &Ground<'_>) -> Vec<String> {
    let tables: BTreeSet<_> = covered(ground).into_iter().map(|column| column.table).collect();
    tables.into_iter().filter(|table| table != "idem").collect()
}

fn rows_that_were_deleted_added_or_swapped_are_found(kind: Kind) {
    let seed = 2;
    let count = match kind {
        Kind::Sqlite => 100,
        Kind::Postgres => extent().pick(10, 100),
    };
    println!("seed {seed}, {count} of each");
    let books = at_rest(kind);
    let ground = Ground::of(&books);
    let tables = tables(&ground);
    let mut dice = Dice::new(seed);
    let mut done = [0; 3];
    while done.iter().any(|done| *done < count) {
        let table = dice.pick(&tables).unwrap();
        let rows = ground.rows(table);
        let (Some(row), Some(other)) = (dice.pick(&rows), dice.pick(&rows)) else { continue };
        let expect = |what: &str, kinds: &[ProblemKind]| {
            let report = ground.verify(&ground.kept);
            let found = report.problems.iter().any(|problem| kinds.contains(&problem.kind));
            assert!(found, "{what} {table} {row:?}: {:?}", report.problems);
        };
        if done[0] < count && !is_empty_slot(table, row) {
            ground.delete(table, row);
            expect("deleted", kinds_of_rows(table));
            assert!(ground.insert(table, row));
            done[0] += 1;
        }
        let mut added = row.clone();
        let key = ground.columns_of(table).iter().position(|column| ground.keys[table].last() == Some(&column.name));
        let key = key.unwrap();
        added[key] = with_another_byte(&row[key], &mut dice).unwrap();
        if done[1] < count && !is_empty_slot(table, row) && ground.insert(table, &added) {
            expect("added", kinds_of_rows(table));
            ground.delete(table, &added);
            done[1] += 1;
        }
        // Two rows change places: each gets the other's key.
        if done[2] < count && row[key] != other[key] && !is_empty_slot(table, row) && !is_empty_slot(table, other) {
            let (mut first, mut second) = (row.clone(), other.clone());
            std::mem::swap(&mut first[key], &mut second[key]);
            ground.delete(table, row);
            ground.delete(table, other);
            if ground.insert(table, &first) {
                if ground.insert(table, &second) {
                    expect("swapped", kinds_of_rows(table));
                    ground.delete(table, &second);
                    done[2] += 1;
                }
                ground.delete(table, &first);
            }
            assert!(ground.insert(table, row) && ground.insert(table, other));
        }
    }
    assert_eq!(ground.verify(&ground.kept).problems, []);
}

/// A slot that nobody has written to, or a row of it: there is nothing to be missed.
fn is_empty_slot(table: &str, row: &[String]) -> bool {
    let is = |table_with, column: usize| table == table_with && row.get(column).is_some_and(|number| number == "0");
    is("chain_head", 2) || is("audit_head", 1)
}

/// What rows that are missing, too many or in each other's places are reported as.
fn kinds_of_rows(table: &str) -> &'static [ProblemKind] {
    match table {
        "txn" | "hold" | "hold_resolution" | "refusal" => &[Gap, Fork, LeafMismatch],
        "batch" => &[Gap, Fork, LeafMismatch, HeaderMismatch, AnchorMissing],
        "posting" => &[LeafMismatch],
        "chain_head" | "audit_head" => &[HeadMismatch],
        "audit" => &[Gap, Fork, LeafMismatch, LinkMismatch, AnchorMissing, HeadMismatch],
        "checkpoint" => &[Gap, AnchorMissing, Unreadable, KeyMismatch],
        "signing_key" => &[Gap, KeyMismatch, BadSignature],
        "cap_window" | "hot_balance" | "open_hold" | "wallet_balance" => &[ProjectionMismatch, FactMismatch],
        _ => &[FactMismatch],
    }
}

/// The batches of slot 0 as they stand.
fn headers(home: &Home) -> Vec<BatchHeader> {
    let sql = "SELECT slot, batch_no, epoch, first_seq, n_entry, n_posting, total, recorded_us, client_batch_id, \
               HEX(merkle_root), HEX(prev_hash) FROM batch WHERE slot = 0 ORDER BY batch_no";
    let digest = |text: &str| engine::ledger::jsonl::from_hex(&text.to_lowercase()).unwrap();
    let read = |row: Vec<String>| {
        let int = |index: usize| row[index].parse().unwrap();
        BatchHeader {
            slot: int(0),
            batch_no: int(1),
            epoch: int(2),
            first_seq: int(3),
            entries: int(4),
            postings: int(5),
            total: int(6),
            recorded_us: int(7),
            client_batch: row[8].parse::<Uuid>().unwrap(),
            root: digest(&row[9]),
            prev_hash: digest(&row[10]),
        }
    };
    rows::of_home(home, &in_words_of(home, sql)).into_iter().map(read).collect()
}

/// SQLite's way to write bytes as digits, or PostgreSQL's.
fn in_words_of(home: &Home, sql: &str) -> String {
    let mut parts = sql.split("HEX(");
    let mut out = parts.next().unwrap().to_owned();
    for part in parts {
        let (bytes, rest) = part.split_once(')').unwrap();
        let digits =
            if home.database().is_some() { format!("encode({bytes}, 'hex')") } else { format!("hex({bytes})") };
        out += &format!("{digits}{rest}");
    }
    out
}

fn bytes(home: &Home, bytes: &[u8]) -> String {
    let digits = engine::ledger::jsonl::hex(bytes);
    if home.database().is_some() { format!("'\\x{digits}'::bytea") } else { format!("x'{digits}'") }
}

/// Takes everything away that was recorded after a batch, so that the chain is in order again.
fn cut(home: &Home, last: &BatchHeader) -> String {
    let (batch_no, seq) = (last.batch_no, last.first_seq + last.entries - 1);
    let mut sql = format!("DELETE FROM batch WHERE slot = 0 AND batch_no > {batch_no};");
    for table in ["posting", "txn", "hold", "hold_resolution", "refusal"] {
        sql += &format!("DELETE FROM {table} WHERE slot = 0 AND seq > {seq};");
    }
    let (epoch, recorded_us, hash) = (last.epoch, last.recorded_us, bytes(home, &last.hash()));
    sql + &format!(
        "UPDATE chain_head SET epoch = {epoch}, batch_no = {batch_no}, seq = {seq}, last_us = {recorded_us}, hash = {hash} WHERE slot = 0;"
    )
}

/// Does something to the database, looks, and puts everything back.
fn beside<T>(ground: &Ground<'_>, sql: &str, look: impl FnOnce() -> T) -> T {
    let tables = [
        "batch",
        "posting",
        "txn",
        "hold",
        "hold_resolution",
        "refusal",
        "chain_head",
        "checkpoint",
        "signing_key",
        "wallet_balance",
        "hot_balance",
    ];
    let before: Vec<_> = tables.iter().map(|table| (table, ground.rows(table))).collect();
    ground.change(sql);
    let seen = look();
    for (table, rows) in before {
        let columns = ground.columns_of(table);
        let names: Vec<_> = columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
        let rows: Vec<_> = rows.iter().map(|row| format!("({})", row.join(", "))).collect();
        let insert = format!("INSERT INTO {table} ({}) VALUES {}", names.join(", "), rows.join(", "));
        ground.change(&format!("DELETE FROM {table}; {insert}"));
    }
    seen
}

fn has(report: &VerifyReport, kind: ProblemKind, table: &str) -> bool {
    report.problems.iter().any(|problem| problem.kind == kind && problem.table == table)
}

/// What whoever has the database and no key can take away.
const NO_CHECKPOINTS: &str = "DELETE FROM checkpoint; DELETE FROM signing_key;";

fn a_cut_tail_is_found_with_a_checkpoint(kind: Kind) {
    let seed = 3;
    let count = match kind {
        Kind::Sqlite => 100,
        Kind::Postgres => extent().pick(10, 100),
    };
    println!("seed {seed}, {count} tails");
    let books = at_rest(kind);
    let ground = Ground::of(&books);
    let headers = headers(ground.home);
    let vouched = ground.kept.last().unwrap().signed.checkpoint.heads[0].batch_no;
    let mut dice = Dice::new(seed);
    for _ in 0..count {
        let last = &headers[usize::try_from(dice.between(0, vouched - 2)).unwrap()];
        let cut = cut(ground.home, last);
        // The checkpoints in the database are enough; without them, those that were kept.
        let report = beside(&ground, &cut, || ground.verify(&[]));
        assert!(has(&report, AnchorMissing, "batch"), "after batch {}: {:?}", last.batch_no, report.problems);
        let both = format!("{cut}{NO_CHECKPOINTS}");
        let (blind, report) = beside(&ground, &both, || (ground.verify(&[]), ground.verify(&ground.kept)));
        let chain = [Gap, Fork, LeafMismatch, LinkMismatch, HeaderMismatch, AnchorMissing];
        assert!(!blind.problems.iter().any(|problem| chain.contains(&problem.kind)), "{:?}", blind.problems);
        for table in ["batch", "checkpoint"] {
            assert!(has(&report, AnchorMissing, table), "after batch {}: {:?}", last.batch_no, report.problems);
        }
    }
    assert_eq!(ground.verify(&ground.kept).problems, []);
}

fn a_chain_that_was_written_again_is_found_with_a_checkpoint(kind: Kind) {
    let seed = 4;
    let count = match kind {
        Kind::Sqlite => 100,
        Kind::Postgres => extent().pick(10, 100),
    };
    println!("seed {seed}, {count} chains");
    let books = at_rest(kind);
    let ground = Ground::of(&books);
    let headers = headers(ground.home);
    let mut dice = Dice::new(seed);
    let grants = "SELECT t.batch_no, t.seq, t.id, t.kind, t.effective_us, p.debit, p.credit, p.amount, HEX(t.meta_hash) FROM txn t \
                  JOIN posting p ON p.slot = t.slot AND p.seq = t.seq \
                  JOIN batch b ON b.slot = t.slot AND b.batch_no = t.batch_no \
                  WHERE t.slot = 0 AND b.n_entry = 1 AND b.n_posting = 1 AND t.hold_id IS NULL AND t.reverses IS NULL AND t.kind = 2";
    let grants = rows::of_home(ground.home, &in_words_of(ground.home, grants));
    let vouched = ground.kept.last().unwrap().signed.checkpoint.heads[0].batch_no;
    let mut forged = 0;
    for _ in 0..count {
        // Either the first rows of the books are others, or a header says something else; the rest follows.
        let first = usize::try_from(dice.between(0, vouched - 1)).unwrap();
        let mut chain = headers.clone();
        let mut sql = String::new();
        let first = match dice.pick(&grants).filter(|_| dice.chance(50)) {
            Some(row) => {
                let more = dice.between(1, 1_000_000);
                let (root, changes) = enlarge(row, more);
                let at = chain.iter().position(|header| header.batch_no.to_string() == row[0]).unwrap();
                chain[at].root = root;
                chain[at].total += more;
                sql += &changes;
                forged += 1;
                at
            }
            None => {
                chain[first].client_batch = Uuid::from_u128(u128::from(dice.roll()));
                first
            }
        };
        let mut prev_hash = chain[first].prev_hash;
        for header in &mut chain[first..] {
            header.prev_hash = prev_hash;
            prev_hash = header.hash();
            let client = if ground.home.database().is_some() {
                format!("'{}'::uuid", header.client_batch)
            } else {
                bytes(ground.home, header.client_batch.as_bytes())
            };
            sql += &format!(
                "UPDATE batch SET prev_hash = {}, hash = {}, merkle_root = {}, total = {}, client_batch_id = {client} \
                 WHERE slot = 0 AND batch_no = {};",
                bytes(ground.home, &header.prev_hash),
                bytes(ground.home, &prev_hash),
                bytes(ground.home, &header.root),
                header.total,
                header.batch_no,
            );
        }
        sql += &format!("UPDATE chain_head SET hash = {} WHERE slot = 0;", bytes(ground.home, &prev_hash));
        let report = beside(&ground, &sql, || ground.verify(&[]));
        assert!(has(&report, AnchorMismatch, "batch"), "from {first} on: {:?}", report.problems);
        let both = format!("{sql}{NO_CHECKPOINTS}");
        let (blind, report) = beside(&ground, &both, || (ground.verify(&[]), ground.verify(&ground.kept)));
        assert_eq!(blind.problems, [], "the forgery is not good enough");
        assert!(has(&report, AnchorMismatch, "batch"), "from {first} on: {:?}", report.problems);
    }
    // On PostgreSQL an operator's grant stands in the slot of the command.
    assert!(forged > count / 5 || kind == Kind::Postgres, "only {forged} with another amount");
    assert_eq!(ground.verify(&ground.kept).problems, []);
}

/// A grant of so much more: the batch's new root, and what has to be changed beside the chain.
fn enlarge(row: &[String], more: i64) -> (engine::ledger::leaf::Digest, String) {
    let int = |index: usize| row[index].parse::<i64>().unwrap();
    let account = |index: usize| LedgerAccountId::from_raw(int(index));
    let amount = engine::credits::Credits::from_micros(int(7) + more);
    let entry = Entry::Transaction(TransactionEntry {
        id: row[2].parse::<Uuid>().unwrap().into(),
        kind: TransactionKind::from_raw(row[3].parse().unwrap()).unwrap(),
        hold: None,
        reverses: None,
        effective_us: int(4),
        meta: engine::ledger::jsonl::from_hex(&row[8].to_lowercase()),
        legs: vec![Leg { debit: account(5), credit: account(6), amount }],
    });
    let (seq, debit, credit) = (int(1), int(5), int(6));
    let mut sql = format!("UPDATE posting SET amount = amount + {more} WHERE slot = 0 AND seq = {seq};");
    for table in ["wallet_balance", "hot_balance"] {
        sql += &format!("UPDATE {table} SET debits = debits + {more} WHERE account_id = {debit};");
        sql += &format!("UPDATE {table} SET credits = credits + {more} WHERE account_id = {credit};");
    }
    (leaf_hash(Position { slot: 0, seq }, &entry, &mut Vec::new()), sql)
}
