#![expect(clippy::arithmetic_side_effects, reason = "small numbers that the tests make up themselves")]

use uuid::Uuid;

use super::*;
use crate::{
    id::CapId,
    ledger::{chain::GENESIS, leaf::encode_counters},
};

const SCHEMA: &str = concat!(
    include_str!("../../../../../../migrations/src/m20261121_000001_ledger/up.sqlite.sql"),
    include_str!("../../../../../../migrations/src/m20261123_000022_late_counters/up.sqlite.sql"),
);
const NOW_US: i64 = 1_795_000_000_000_000;

fn key(number: usize) -> CounterKey {
    CounterKey { cap: CapId::from(Uuid::from_u128(u128::try_from(number).unwrap())), start_us: 7 }
}

const fn counter(spent: i64, held: i64) -> Counter {
    Counter { spent, held }
}

/// These counters, each with so much held.
fn held(numbers: std::ops::Range<usize>, held: i64) -> BTreeMap<CounterKey, Counter> {
    numbers.map(|number| (key(number), counter(0, held))).collect()
}

struct Books {
    connection: Connection,
    counters: Counters,
    seq: i64,
}

impl Books {
    fn new() -> Self {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(SCHEMA).unwrap();
        Self { connection, counters: Counters::default(), seq: 0 }
    }

    /// A batch of one entry that makes `changed` of counters, committed or not; whether it wrote rows.
    fn batch(&mut self, changed: BTreeMap<CounterKey, Counter>, at_us: i64, is_committed: bool) -> bool {
        self.connection.execute_batch("BEGIN").unwrap();
        let turn = self.counters.turn(changed, NOW_US + at_us, Rows::InTime);
        let is_written = turn.is_written;
        self.counters.write(&self.connection, turn, self.seq + 1).unwrap();
        if is_committed {
            self.connection.execute_batch("COMMIT").unwrap();
            self.counters.committed();
            self.seq += 1;
        } else {
            self.connection.execute_batch("ROLLBACK").unwrap();
            self.counters.taken_back();
        }
        is_written
    }

    /// What there is to write without an entry.
    fn tick(&mut self) {
        let turn = self.counters.turn(BTreeMap::new(), NOW_US, Rows::AtOnce);
        assert_eq!(self.counters.counted_after(&turn, self.seq), self.seq);
        self.counters.write(&self.connection, turn, self.seq).unwrap();
        self.counters.committed();
    }

    fn find(&self, number: usize) -> Counter {
        self.counters.find(&self.connection, key(number)).unwrap()
    }

    /// How many rows there are, and what they have in all.
    fn rows(&self) -> (i64, i64) {
        let sql = "SELECT count(*), coalesce(sum(held), 0) FROM cap_window";
        self.connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
    }
}

#[test]
fn few_counters_are_written_at_once() {
    let mut books = Books::new();
    for number in 0..20 {
        assert!(books.batch(held(number..number + FEW, 5), 0, true));
        assert_eq!(books.counters.counted_seq(), books.seq);
    }
    assert_eq!(books.rows(), (27, 135));
    assert!(!books.batch(BTreeMap::new(), 0, true), "there is nothing to write");
    assert_eq!(books.counters.counted_seq(), books.seq, "and nothing to count");
}

#[test]
fn many_are_written_together_and_known_meanwhile() {
    let mut books = Books::new();
    assert!(books.batch(held(0..10, 1), 0, true), "the first ones are");
    for at_us in [0, 1, LATE_US - 1] {
        assert!(!books.batch(held(0..10, 2), at_us, true), "{at_us}");
        assert!(!books.batch(held(3..4, 3), at_us, true), "few more are late with the others");
        assert!(!books.batch(BTreeMap::new(), at_us, true));
    }
    assert_eq!((books.rows(), books.counters.counted_seq()), ((10, 10), 1));
    assert_eq!((books.find(2), books.find(3), books.find(77)), (counter(0, 2), counter(0, 3), counter(0, 0)));
    assert!(books.batch(held(10..11, 4), LATE_US, true), "with those that are late");
    assert_eq!((books.rows(), books.counters.counted_seq()), ((11, 9 * 2 + 3 + 4), books.seq));
    assert!(books.counters.pending.is_empty());
}

#[test]
fn a_clock_that_was_set_back_and_a_tick_write_what_is_late() {
    let mut books = Books::new();
    books.batch(held(0..10, 1), 0, true);
    books.batch(held(0..10, 2), 1, true);
    assert_eq!(books.rows(), (10, 10));
    assert!(books.batch(held(0..1, 3), -1, true));
    assert_eq!(books.rows(), (10, 21));
    books.batch(held(0..10, 4), -1, true);
    assert_eq!(books.rows(), (10, 21));
    books.tick();
    assert_eq!((books.rows(), books.counters.counted_seq()), ((10, 40), books.seq));
}

#[test]
fn memory_has_a_bound() {
    let mut books = Books::new();
    books.batch(held(0..10, 1), 0, true);
    assert!(!books.batch(held(0..PENDING_MAX, 1), 0, true));
    assert!(books.batch(held(0..PENDING_MAX + 1, 1), 0, true));
    assert!(books.counters.pending.is_empty());
}

#[test]
fn what_was_not_committed_has_not_happened() {
    let mut books = Books::new();
    books.batch(held(0..10, 1), 0, true);
    books.batch(held(0..10, 2), 0, true);
    for at_us in [0, LATE_US] {
        assert_eq!(books.batch(held(0..12, 9), at_us, false), at_us == LATE_US);
        assert_eq!((books.find(0), books.find(11)), (counter(0, 2), counter(0, 0)));
        assert_eq!((books.rows(), books.counters.counted_seq()), ((10, 10), 1));
    }
    assert!(books.batch(held(0..1, 3), LATE_US, true), "they were not written");
    assert_eq!((books.rows(), books.counters.counted_seq()), ((10, 9 * 2 + 3), 3));
}

/// An entry of the journal: a hold of 100 that names these counters, or the end of the one before it.
fn entry(connection: &Connection, seq: i64, hold: i64, names: Option<&[usize]>, captured: i64) {
    let hold = Uuid::from_u128(u128::try_from(hold).unwrap());
    if let Some(names) = names {
        let keys: Vec<_> = names.iter().copied().map(key).collect();
        let sql = "INSERT INTO hold (slot, seq, id, batch_no, wallet, payee, amount, ttl_us, publisher_bps, partner_bps, counters)
                   VALUES (0, ?1, ?2, 1, 1, 2, 100, 0, 0, 0, ?3)";
        connection.execute(sql, (seq, hold.as_bytes(), encode_counters(&keys))).unwrap();
    } else {
        let sql = "INSERT INTO hold_resolution (slot, seq, hold_id, id, batch_no, outcome, captured)
                   VALUES (0, ?1, ?2, ?2, 1, 1, ?3)";
        connection.execute(sql, (seq, hold.as_bytes(), captured)).unwrap();
    }
}

fn head(seq: i64) -> ChainHead {
    ChainHead { slot: 0, epoch: 1, batch_no: 1, seq, last_us: 0, hash: GENESIS }
}

/// Four holds, two of which have ended, and the rows as they are after each entry.
fn journal() -> (Connection, Vec<[Counter; 2]>) {
    let connection = Books::new().connection;
    entry(&connection, 1, 1, Some(&[1, 2]), 0);
    entry(&connection, 2, 2, Some(&[1]), 0);
    entry(&connection, 3, 1, None, 30);
    entry(&connection, 4, 3, Some(&[]), 0);
    entry(&connection, 5, 2, None, 0);
    entry(&connection, 6, 4, Some(&[2]), 0);
    let after = [
        [counter(0, 0), counter(0, 0)],
        [counter(0, 100), counter(0, 100)],
        [counter(0, 200), counter(0, 100)],
        [counter(30, 100), counter(30, 0)],
        [counter(30, 100), counter(30, 0)],
        [counter(30, 0), counter(30, 0)],
        [counter(30, 0), counter(30, 100)],
    ];
    (connection, after.to_vec())
}

#[test]
fn the_journal_behind_the_rows_is_counted_wherever_they_end() {
    let (connection, after) = journal();
    for (counted, rows) in (0..).zip(&after) {
        connection.execute_batch("DELETE FROM cap_window").unwrap();
        for (number, row) in (1..).zip(rows) {
            let sql = "INSERT INTO cap_window VALUES (?1, 7, ?2, ?3)";
            connection.execute(sql, (key(number).cap.uuid().as_bytes(), row.spent, row.held)).unwrap();
        }
        let counters = Counters::read(&connection, &head(6), counted).unwrap();
        let found = [1, 2].map(|number| counters.find(&connection, key(number)).unwrap());
        assert_eq!(found, after[6], "rows up to {counted}");
        assert_eq!(counters.counted_seq(), counted);
        assert_eq!(counters.pending.is_empty(), counted == 6, "{counted}");
    }
}

#[test]
fn a_place_that_the_journal_does_not_have_makes_no_sense() {
    let (connection, _) = journal();
    for counted in [-1, 7, i64::MIN, i64::MAX] {
        let error = Counters::read(&connection, &head(6), counted).unwrap_err();
        assert!(matches!(error, StoreError::Inconsistent { table: "chain_head", .. }), "{counted}: {error}");
    }
}

#[test]
fn damage_behind_the_rows_is_not_counted() {
    for (sql, what) in [
        ("DELETE FROM hold WHERE seq = 2", "the missing hold of the entry 5"),
        ("UPDATE hold SET counters = x'00' WHERE seq = 6", "the counters of the entry 6"),
        ("UPDATE hold SET amount = 9223372036854775807 WHERE seq IN (1, 2)", "the amount of the entry 2"),
    ] {
        let (connection, _) = journal();
        let guards = "SELECT group_concat('DROP TRIGGER ' || name, ';') FROM sqlite_schema WHERE type = 'trigger'";
        let guards: Option<String> = connection.query_row(guards, [], |row| row.get(0)).unwrap();
        connection.execute_batch(&guards.unwrap_or_default()).unwrap();
        connection.execute_batch(sql).unwrap();
        let error = Counters::read(&connection, &head(6), 0).unwrap_err().to_string();
        assert!(error.contains(what), "{sql}: {error}");
        assert!(Counters::read(&connection, &head(6), 6).is_ok(), "{sql}");
    }
}

/// It is read at every start and after every failed batch, while callers wait.
#[test]
fn only_what_is_behind_the_rows_is_read() {
    let connection = Books::new().connection;
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {TAIL}")).unwrap();
    let steps = statement.query_map((0, 0), |row| row.get(3)).unwrap();
    let steps: Vec<String> = steps.collect::<rusqlite::Result<_>>().unwrap();
    assert_eq!(steps.iter().filter(|step| step.starts_with("SEARCH")).count(), 3, "{steps:#?}");
    assert!(!steps.iter().any(|step| step.starts_with("SCAN") || step.contains("TEMP B-TREE")), "{steps:#?}");
}
