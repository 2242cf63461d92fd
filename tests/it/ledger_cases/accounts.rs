//! The accounts of a case: which there are, how far they may go, and what is in them at its beginning.

use engine::ledger::{AccountKind, LedgerAccountId, leaf::sha256};
use serde_json::{Map, Value};

use super::case::Case;
use crate::ledger::desk::{Desk, hold, post, wallet_id};

/// Far beyond any amount of a case, and far below what 64 bits hold.
const UNLIMITED: i64 = 1_000_000_000_000_000;

/// Where money goes that a case only mentions as gone, or as held for nobody in particular.
pub(super) const ELSEWHERE: LedgerAccountId = wallet_id(0);

/// Names that mean "whoever has money".
const SOURCES: [&str; 3] = ["W", "world", "bank"];

/// A number for an account: the same for the same name.
fn id_of(name: &str) -> LedgerAccountId {
    let [a, b, c, d, e, f, ..] = sha256(name.as_bytes());
    LedgerAccountId::from_raw(10_000 + i64::from_be_bytes([0, 0, a, b, c, d, e, f]))
}

/// The accounts of one case.
#[derive(Debug, Default)]
pub(super) struct Accounts(Vec<(String, LedgerAccountId)>);

fn micros(value: &Value, of: &str) -> Result<i64, String> {
    value.as_i64().ok_or_else(|| format!("`{of}` is {value}"))
}

/// The overdraft of an account as a case declares it.
fn overdraft(declared: Option<&Map<String, Value>>, name: &str, group: &str) -> Result<i64, String> {
    let Some(declared) = declared else { return Ok(if SOURCES.contains(&name) { UNLIMITED } else { 0 }) };
    if let Some(overdraft) = declared.get("overdraft") {
        return limit(overdraft);
    }
    match declared.get("rule").and_then(Value::as_str) {
        Some("no_overdraft" | "debits_must_not_exceed_credits") => Ok(0),
        Some("unlimited" | "none") => Ok(UNLIMITED),
        Some(other) => Err(format!("rule `{other}` has no meaning here")),
        // Cases on overdrafts speak of accounts that have none unless they say so; those on holds of accounts that have
        // no limit unless they say so. What somebody was given is a limit in both.
        None if group == "over" || !declared.is_empty() => Ok(0),
        None => Ok(UNLIMITED),
    }
}

/// An overdraft as a case writes it.
pub(super) fn limit(value: &Value) -> Result<i64, String> {
    match value.as_str() {
        Some("unbounded" | "unlimited") => Ok(UNLIMITED),
        _ => micros(value, "overdraft"),
    }
}

impl Accounts {
    /// Opens the declared accounts and puts in what is in them.
    pub(super) async fn open(desk: &Desk, case: &Case) -> Result<Self, String> {
        desk.open_account(ELSEWHERE, AccountKind::Wallet, UNLIMITED).await;
        let mut accounts = Self::default();
        let Some(declared) = case.given.get("accounts") else { return Ok(accounts) };
        let declared = declared.as_object().ok_or_else(|| format!("`accounts` is {declared}"))?;
        for (name, fields) in declared {
            let fields = fields.as_object().ok_or_else(|| format!("account `{name}` is {fields}"))?;
            let id = id_of(name);
            desk.open_account(id, AccountKind::Wallet, overdraft(Some(fields), name, case.group())?).await;
            accounts.0.push((name.clone(), id));
            fill(desk, id, fields).await.map_err(|why| format!("account `{name}`: {why}"))?;
        }
        Ok(accounts)
    }

    /// The account called `name`; one that no case declares is opened when it is first mentioned.
    pub(super) async fn id(&mut self, desk: &Desk, name: &str, group: &str) -> Result<LedgerAccountId, String> {
        if let Some(id) = self.find(name) {
            return Ok(id);
        }
        let id = id_of(name);
        desk.open_account(id, AccountKind::Wallet, overdraft(None, name, group)?).await;
        self.0.push((name.to_owned(), id));
        Ok(id)
    }

    /// As [`Self::id`], for an account that nobody has funded and that pays all the same.
    pub(super) async fn source(&mut self, desk: &Desk, name: &str) -> LedgerAccountId {
        if let Some(id) = self.find(name) {
            return id;
        }
        let id = id_of(name);
        desk.open_account(id, AccountKind::Wallet, UNLIMITED).await;
        self.0.push((name.to_owned(), id));
        id
    }

    /// The account called `name`, opened with nothing in it and no overdraft.
    pub(super) async fn open_empty(&mut self, desk: &Desk, name: &str) -> LedgerAccountId {
        let id = id_of(name);
        desk.open_account(id, AccountKind::Wallet, 0).await;
        self.0.push((name.to_owned(), id));
        id
    }

    pub(super) fn find(&self, name: &str) -> Option<LedgerAccountId> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, id)| *id)
    }

    /// Gives a name to an account that is there.
    pub(super) fn call(&mut self, name: &str, id: LedgerAccountId) {
        self.0.push((name.to_owned(), id));
    }

    pub(super) fn all(&self) -> &[(String, LedgerAccountId)] {
        &self.0
    }
}

/// Brings an account to what a case says of it at its beginning.
async fn fill(desk: &Desk, id: LedgerAccountId, fields: &Map<String, Value>) -> Result<(), String> {
    let amount = |name: &str| fields.get(name).map_or(Ok(0), |value| micros(value, name));
    let (income, spent, held, expected) = (amount("in")?, amount("out")?, amount("held_out")?, amount("held_in")?);
    let known = ["in", "out", "held_out", "held_in", "rule", "overdraft"];
    if let Some(unknown) = fields.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(format!("`{unknown}` has no meaning here"));
    }
    if income > 0 {
        desk.fund(id, income).await;
    }
    let refused = |what: &str, refusal| format!("{what} is refused: {refusal}");
    if spent > 0 {
        let post = post(desk.fresh(), &[(id, ELSEWHERE, spent)]);
        desk.ask(engine::store::writer::Command::Post(post)).await.map_err(|refusal| refused("`out`", refusal))?;
    }
    for (wallet, payee, amount) in [(id, ELSEWHERE, held), (ELSEWHERE, id, expected)] {
        if amount > 0 {
            let hold = hold(desk.fresh(), wallet, payee, amount);
            desk.ask(engine::store::writer::Command::Hold(hold)).await.map_err(|refusal| refused("`held`", refusal))?;
        }
    }
    Ok(())
}
