//! Cases about the chain: rows that somebody took away or changed, and writers that come late.

use std::collections::BTreeMap;

use engine::store::writer::Command;
use serde_json::Value;

use super::{
    commands::{Fields, entry_id, word},
    stage::{Outcome, Stage},
};
use crate::ledger::desk::{BOOKS, post};

/// What a case's word for damage means in a report of the verifier.
const DAMAGE: [(&str, &[&str]); 6] = [
    ("gap", &["gap"]),
    ("fork", &["fork"]),
    ("leaf", &["leaf_mismatch"]),
    ("content", &["leaf_mismatch"]),
    ("link", &["link_mismatch", "header_mismatch"]),
    ("head", &["head_mismatch"]),
];

impl Stage {
    /// Writes the rows that `given.chain` speaks of: one entry, one batch and one moment each.
    pub(super) async fn write_chain(&mut self, text: &str) -> Result<(), String> {
        let last = text.strip_prefix("rows 1..").map(|last| last.trim().parse::<i64>());
        let rows = match last {
            Some(Ok(rows)) => rows,
            Some(Err(_)) => return Err(format!("`{text}` is no range")),
            // A clock with more digits than a row keeps: what is hashed is what is kept, the whole microsecond.
            None if text.contains("timestamps") => 25,
            None if text.contains("two writers") => 0,
            None => return Err(format!("a chain of `{text}` has no meaning here")),
        };
        let (from, to) = (self.accounts.source(&self.desk, "W").await, self.account("B").await?);
        for row in 1..=rows {
            self.desk.clock.advance_us(row * 1_000_003 % 7_919);
            let post = post(entry_id(&format!("row {row}")), &[(from, to, row)]);
            self.desk.ask(Command::Post(post)).await.map_err(|refusal| refusal.to_string())?;
        }
        if text.contains("timestamps") {
            // What was written in one process is read by the next.
            self.desk.restart();
        }
        Ok(())
    }

    /// Does to the database what a person with access to it could do.
    pub(super) fn tamper(&mut self, op: &Value) -> Result<(), String> {
        let mut fields = Fields::of(op)?;
        let mut touched = 0;
        let mut change = |sql: &str| touched += self.desk.force(sql);
        for seq in numbers(fields.get("delete_rows"))? {
            for table in BOOKS.iter().filter(|table| !["batch", "trial_balance"].contains(table)) {
                change(&format!("DELETE FROM {table} WHERE seq = {seq}"));
            }
        }
        for batch in numbers(fields.get("delete_batches"))? {
            change(&format!("DELETE FROM batch WHERE batch_no = {batch}"));
        }
        for name in ["change_rows", "edit_rows", "update_rows"] {
            for seq in numbers(fields.get(name))? {
                change(&format!("UPDATE posting SET amount = amount + 1 WHERE seq = {seq}"));
            }
        }
        fields.end()?;
        self.is_tampered = true;
        if touched == 0 { Err(format!("{op} touches nothing")) } else { Ok(()) }
    }

    /// Operations such as `writer1_takes_id_1_and_waits`; `None` for others.
    pub(super) async fn writers(&mut self, op: &str) -> Result<Option<Outcome>, String> {
        if op == "seal" {
            self.seal()?;
            return Ok(Some(Outcome::default()));
        }
        let Some(rest) = op.strip_prefix("writer") else { return Ok(None) };
        let (writer, deed) = rest.split_once('_').ok_or_else(|| format!("`{op}` says nothing"))?;
        let writer = writer.to_owned();
        if let Some(taking) = deed.strip_prefix("takes_id_") {
            let (id, then) = taking.split_once("_and_").ok_or_else(|| format!("`{op}` says nothing"))?;
            let id: i64 = id.parse().map_err(|_error| format!("`{id}` is no number"))?;
            let (from, to) = (self.accounts.source(&self.desk, "W").await, self.account("B").await?);
            self.prepared.insert(writer.clone(), (id, post(entry_id(&format!("sealed {id}")), &[(from, to, 1)])));
            if then == "waits" {
                return Ok(Some(Outcome::default()));
            }
        } else if deed != "commits" {
            return Err(format!("`{op}` has no meaning here"));
        }
        let (_, post) = self.prepared.get(&writer).ok_or_else(|| format!("writer {writer} has nothing"))?;
        let (word, _) = word(self.desk.ask(Command::Post(post.clone())).await);
        Ok(Some(Outcome::word(word)))
    }

    /// Which of the identifiers stand in batches that the verifier found sound.
    fn seal(&mut self) -> Result<(), String> {
        let report = self.desk.report();
        if !report.ok {
            return Err(format!("{:?}", report.problems));
        }
        let sql = "SELECT count(*) FROM txn t JOIN batch b ON b.slot = t.slot AND b.batch_no = t.batch_no
                   WHERE t.seq BETWEEN b.first_seq AND b.first_seq + b.n_entry - 1 AND t.id = ";
        let mut sealed = BTreeMap::new();
        for (id, post) in self.prepared.values() {
            let count = self.desk.number(&format!("{sql}{}", self.desk.id_literal(post.id)));
            sealed.insert(*id, count == 1);
        }
        self.sealed = sealed.into_iter().filter(|(_, is_sealed)| *is_sealed).map(|(id, _)| id).collect();
        Ok(())
    }

    /// Compares a report of the verifier with a case's `ok` or `broken: gap at 5`.
    pub(super) fn check_verify(&self, expected: &str) -> Result<(), String> {
        let report = self.desk.report();
        let Some(damage) = expected.strip_prefix("broken: ") else {
            return if expected == "ok" && report.ok { Ok(()) } else { Err(format!("verify: {:?}", report.problems)) };
        };
        let (kind, place) = damage.split_once(" at ").map_or((damage, None), |(kind, place)| (kind, Some(place)));
        let words = DAMAGE.iter().find(|(word, _)| kind.starts_with(word)).map(|(_, words)| *words);
        let words = words.ok_or_else(|| format!("damage called `{kind}` has no meaning here"))?;
        let is_it = |problem: &engine::ledger::verify::Problem| {
            let says = |place: &str| {
                let text = format!("{} {}", problem.key, problem.text);
                text.split(|character: char| !character.is_ascii_digit()).any(|number| number == place)
            };
            words.contains(&problem.kind.as_str()) && place.is_none_or(says)
        };
        if report.problems.iter().any(is_it) {
            Ok(())
        } else {
            Err(format!("`{damage}` not found: {:?}", report.problems))
        }
    }
}

fn numbers(list: Option<&Value>) -> Result<Vec<i64>, String> {
    let Some(list) = list else { return Ok(Vec::new()) };
    let list = list.as_array().ok_or_else(|| format!("{list} is no list of rows"))?;
    list.iter().map(|row| row.as_i64().ok_or_else(|| format!("{row} is no row"))).collect()
}
