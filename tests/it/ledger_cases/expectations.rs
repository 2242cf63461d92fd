//! What a case expects, compared with what happened.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    case::Case,
    commands::entry_id,
    stage::{Outcome, Sizes, Stage},
    words::is_called,
};

/// Says what differs.
fn same<T: PartialEq + std::fmt::Debug>(what: &str, expected: &T, found: &T) -> Result<(), String> {
    if expected == found { Ok(()) } else { Err(format!("{what}: expected {expected:?}, found {found:?}")) }
}

fn number(what: &str, expected: &Value, found: i64) -> Result<(), String> {
    same(what, &expected.as_i64(), &Some(found))
}

/// Whether the answers are what a case lists. Operations that are not answered may be left out of the list, or stand
/// in it as `ok`.
fn are_called(outcomes: &[Outcome], expected: &Value) -> Result<(), String> {
    let expected = expected.as_array().ok_or("`results` is no list")?;
    let mut said: Vec<&str> = outcomes.iter().map(|outcome| outcome.word.as_str()).collect();
    if said.len() == expected.len() {
        for word in said.iter_mut().filter(|word| word.is_empty()) {
            *word = "ok";
        }
    } else {
        said.retain(|word| !word.is_empty());
    }
    let fits = |(ours, theirs): (&&str, &Value)| theirs.as_str().is_some_and(|theirs| is_called(ours, theirs));
    if said.len() == expected.len() && said.iter().zip(expected).all(fits) {
        Ok(())
    } else {
        Err(format!("results: expected {expected:?}, found {said:?}"))
    }
}

fn is_fine(outcome: &Outcome) -> bool {
    outcome.word == "ok" || outcome.word == "processed"
}

impl Stage {
    /// Compares everything that a case expects, and what must hold after every case.
    pub(super) async fn check(
        &mut self,
        case: &Case,
        outcomes: &[Outcome],
        before: Sizes,
        credited: &BTreeMap<i64, i64>,
    ) -> Result<(), String> {
        let mut is_anything_expected = false;
        for (name, expected) in &case.then {
            is_anything_expected |= name != "note";
            let said = || outcomes.iter().filter(|outcome| !outcome.word.is_empty());
            match name.as_str() {
                "note" => {}
                "results" => are_called(outcomes, expected)?,
                "results_any_of" => {
                    let lists = expected.as_array().ok_or("`results_any_of` is no list")?;
                    let refusals: Vec<_> = lists.iter().map(|list| are_called(outcomes, list)).collect();
                    if refusals.iter().all(Result::is_err) {
                        return Err(format!("results: none of {expected}: {outcomes:?}"));
                    }
                }
                "status" => {
                    let status = outcomes.iter().rev().find_map(|outcome| outcome.status);
                    number("status", expected, status.map_or(0, i64::from))?;
                }
                "count_ok" => number("successes", expected, count(said().filter(|outcome| is_fine(outcome))))?,
                "others" => {
                    let is_other =
                        |outcome: &&Outcome| !is_called(&outcome.word, expected.as_str().unwrap_or_default());
                    let wrong: Vec<_> = said().filter(|outcome| !is_fine(outcome)).filter(is_other).collect();
                    same("others", &Vec::new(), &wrong)?;
                }
                "exactly_one_of" => self.check_one_end(expected, outcomes)?,
                "effects_so_far" => {
                    let dispatched = count(outcomes.iter().filter(|outcome| outcome.dispatched));
                    let most = expected.as_str().and_then(|text| text.strip_prefix("at most ")?.parse().ok());
                    let most: i64 = most.ok_or_else(|| format!("effects of `{expected}` have no meaning here"))?;
                    let calls = self.desk.number("SELECT count(*) FROM invocation WHERE state <> 7");
                    if dispatched > most || calls > most {
                        return Err(format!("{calls} effects, at most {most} were allowed"));
                    }
                }
                "available" => self.check_available(expected, outcomes).await?,
                "would_be" => {
                    let told = outcomes.iter().rev().find_map(|outcome| outcome.number);
                    number(name, expected, told.ok_or("nobody said what it would be")?)?;
                }
                "balances" => self.check_balances(expected).await?,
                "overdraft_used" => {
                    for (account, used) in object(name, expected)? {
                        let id = self.account(account).await?;
                        let wallet = self.desk.wallet(id);
                        number(account, used, (wallet.debits + wallet.held - wallet.credits).max(0))?;
                    }
                }
                "parts" => self.check_parts(case, object(name, expected)?, credited)?,
                "postings" | "journal_postings" => number(name, expected, self.sizes().postings - before.postings)?,
                "audit_entries" => number(name, expected, self.sizes().refusals - before.refusals)?,
                "conserved" => self.check_conservation()?,
                "recorded_amount" => self.check_recorded(object(name, expected)?)?,
                "not_stored" => self.check_not_stored(expected)?,
                "verify" => self.check_verify(expected.as_str().unwrap_or_default())?,
                "sealed_ids" => {
                    let expected: Option<Vec<i64>> =
                        expected.as_array().map(|ids| ids.iter().filter_map(Value::as_i64).collect());
                    same("sealed", &expected, &Some(self.sealed.clone()))?;
                }
                unknown => return Err(format!("`then.{unknown}` has no meaning here")),
            }
        }
        if !is_anything_expected {
            return Err("nothing is expected".to_owned());
        }
        self.check_conservation()?;
        if self.is_tampered { Ok(()) } else { self.check_verify("ok") }
    }

    /// A hold has one end, and only one of those who wanted to end it was told that he did.
    fn check_one_end(&self, expected: &Value, outcomes: &[Outcome]) -> Result<(), String> {
        let sql =
            "SELECT CASE outcome WHEN 1 THEN 'captured' WHEN 2 THEN 'voided' ELSE 'expired' END FROM hold_resolution";
        let ends = self.desk.rows(sql).concat();
        let [end] = ends.as_slice() else { return Err(format!("ends: {ends:?}")) };
        let allowed = expected.as_array().is_some_and(|words| words.iter().any(|word| word == end));
        let told: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.deed).collect();
        let fits = if end == "expired" { told.is_empty() } else { told == [end.as_str()] };
        if allowed && fits { Ok(()) } else { Err(format!("the hold was {end}, told were {told:?}")) }
    }

    async fn check_available(&mut self, expected: &Value, outcomes: &[Outcome]) -> Result<(), String> {
        let Some(accounts) = expected.as_object() else {
            let read = outcomes.iter().rev().find_map(|outcome| outcome.number);
            return number("available", expected, read.ok_or("nothing was read")?);
        };
        for (name, available) in accounts {
            let wallet = self.account(name).await?;
            number(&format!("available of {name}"), available, self.available(wallet).await?)?;
        }
        Ok(())
    }

    async fn check_balances(&mut self, expected: &Value) -> Result<(), String> {
        for (name, fields) in object("balances", expected)? {
            let id = self.account(name).await?;
            let wallet = self.desk.wallet(id);
            let held_in =
                "SELECT coalesce(sum(o.amount), 0) FROM open_hold o JOIN hold h ON h.id = o.hold_id WHERE h.payee = ";
            for (field, value) in object(name, fields)? {
                let found = match field.as_str() {
                    "in" => wallet.credits,
                    "out" => wallet.debits,
                    "held_out" => wallet.held,
                    "held_in" => self.desk.number(&format!("{held_in}{}", id.raw())),
                    unknown => return Err(format!("a balance of `{unknown}` has no meaning here")),
                };
                number(&format!("{name}.{field}"), value, found)?;
            }
        }
        Ok(())
    }

    /// What everybody got since the beginning; who is not named among the parts got nothing.
    fn check_parts(
        &self,
        case: &Case,
        expected: &Map<String, Value>,
        credited: &BTreeMap<i64, i64>,
    ) -> Result<(), String> {
        let now = self.credited();
        let shares = case.when.iter().filter_map(|op| op["shares"].as_array()).flatten();
        let names: Vec<&str> = shares.filter_map(|share| share[0].as_str()).collect();
        for (name, id) in self.accounts.all().iter().filter(|(name, _)| names.contains(&name.as_str())) {
            let of = |sums: &BTreeMap<i64, i64>| sums.get(&id.raw()).copied().unwrap_or(0);
            let part = expected.get(name).cloned().unwrap_or_else(|| Value::from(0));
            number(&format!("part of {name}"), &part, of(&now) - of(credited))?;
        }
        match expected.keys().find(|name| self.accounts.find(name).is_none()) {
            Some(nobody) => Err(format!("`{nobody}` has no part")),
            None => Ok(()),
        }
    }

    /// Nothing is made, nothing is lost, and no wallet is below its limit.
    fn check_conservation(&self) -> Result<(), String> {
        let sums = "SELECT (SELECT coalesce(sum(credits - debits), 0) FROM wallet_balance)
                         + (SELECT coalesce(sum(credits - debits), 0) FROM hot_balance)";
        same("credits less debits", &0, &self.desk.number(sums))?;
        let below = "SELECT count(*) FROM wallet_balance WHERE credits - debits - held + overdraft < 0";
        same("wallets below zero", &0, &self.desk.number(below))
    }

    fn check_recorded(&self, expected: &Map<String, Value>) -> Result<(), String> {
        for (name, amount) in expected {
            let id = self.desk.id_literal(entry_id(name));
            let rows = self.desk.rows(&format!(
                "SELECT captured FROM hold_resolution WHERE id = {id} UNION ALL
                 SELECT (SELECT coalesce(sum(amount), 0) FROM posting p WHERE p.slot = t.slot AND p.seq = t.seq)
                 FROM txn t WHERE t.id = {id}"
            ));
            let found = rows.first().and_then(|row| row[0].parse().ok());
            number(name, amount, found.ok_or_else(|| format!("{name} is not recorded"))?)?;
        }
        Ok(())
    }

    fn check_not_stored(&self, expected: &Value) -> Result<(), String> {
        for name in expected.as_array().ok_or("`not_stored` is no list")? {
            let id = self.desk.id_literal(entry_id(name.as_str().unwrap_or_default()));
            let found = self.desk.number(&format!(
                "SELECT (SELECT count(*) FROM txn WHERE id = {id}) + (SELECT count(*) FROM hold WHERE id = {id})
                      + (SELECT count(*) FROM hold_resolution WHERE id = {id})"
            ));
            same(&format!("rows of {name}"), &0, &found)?;
        }
        Ok(())
    }
}

fn object<'a>(what: &str, value: &'a Value) -> Result<&'a Map<String, Value>, String> {
    value.as_object().ok_or_else(|| format!("`{what}` is {value}"))
}

fn count<T>(items: impl Iterator<Item = T>) -> i64 {
    i64::try_from(items.count()).unwrap_or(i64::MAX)
}
