//! Whoever changes the database behind the program's back is found out, and what they did is called by its name. Which
//! columns are drawn from comes from the schema: a new one is covered, or stands in [`columns::UNCOVERED`] with the reason.

mod columns;
mod forged;
mod ground;

use std::collections::BTreeSet;

use engine::{
    ledger::verify::{ProblemKind, ProblemKind::*},
    store::books::VerifyReport,
    testing::Dice,
};
use tests::{environment::extent, home::Kind, on_both_databases};
use uuid::Uuid;

use self::{
    columns::{covered, is_empty_slot, kinds_of, kinds_of_rows, tables},
    forged::{NO_CHECKPOINTS, bytes, cut, enlarge, headers, in_words_of},
    ground::{Column, Ground, beside},
};
use super::{books::Books, checkpoints::tamper};
use crate::rows;

on_both_databases!(
    a_change_of_one_byte_anywhere_is_found_and_called_by_its_name,
    rows_that_were_deleted_added_or_swapped_are_found,
    a_cut_tail_is_found_with_a_checkpoint,
    a_chain_that_was_written_again_is_found_with_a_checkpoint,
);

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

fn has(report: &VerifyReport, kind: ProblemKind, table: &str) -> bool {
    report.problems.iter().any(|problem| problem.kind == kind && problem.table == table)
}

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
