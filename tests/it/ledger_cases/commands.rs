//! The operations of a case as commands of this ledger.

use engine::{
    credits::Credits,
    id::EntryId,
    ledger::{
        CaptureAmount, PlaceHold, Refusal, Settle, SettleAction,
        batch::Done,
        leaf::{Digest, Settled, sha256},
    },
    store::writer::Command,
};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{accounts, stage::Stage};
use crate::ledger::desk::{SECOND_US, hold, post};

/// An operation with its fields; every field must be asked for.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    fields: &'a Map<String, Value>,
    asked: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    pub(super) fn of(op: &'a Value) -> Result<Self, String> {
        let fields = op.as_object().ok_or_else(|| format!("{op} is no operation"))?;
        Ok(Self { fields, asked: vec!["op", "note"] })
    }

    pub(super) fn get(&mut self, name: &'static str) -> Option<&'a Value> {
        self.asked.push(name);
        self.fields.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn text(&mut self, name: &'static str) -> Result<&'a str, String> {
        self.get(name).and_then(Value::as_str).ok_or_else(|| format!("no `{name}` in {:?}", self.fields))
    }

    pub(super) fn number(&mut self, name: &'static str) -> Result<Option<i64>, String> {
        let number = |value: &Value| value.as_i64().ok_or_else(|| format!("`{name}` is {value}"));
        self.get(name).map(number).transpose()
    }

    pub(super) fn is(&mut self, name: &'static str) -> bool {
        self.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// A field that was not asked for has a meaning that is not known here.
    pub(super) fn end(self) -> Result<(), String> {
        match self.fields.keys().find(|name| !self.asked.contains(&name.as_str())) {
            Some(unknown) => Err(format!("`{unknown}` in {:?} has no meaning here", self.fields)),
            None => Ok(()),
        }
    }
}

/// The identifier that a case calls `name`.
pub(super) fn entry_id(name: &str) -> EntryId {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, ..] = sha256(name.as_bytes());
    EntryId::from(Uuid::from_bytes([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]))
}

/// What the ledger said to a command, in its own word, and what that did to a hold.
pub(super) fn word(done: Result<Done, Refusal>) -> (&'static str, Option<&'static str>) {
    match done {
        Ok(Done::Posted | Done::Held) => ("ok", None),
        Ok(Done::Settled { settled: Settled::Captured | Settled::CapturedAtExpiry, .. }) => ("ok", Some("captured")),
        Ok(Done::Settled { settled: Settled::Released | Settled::Expired, .. }) => ("ok", Some("voided")),
        Ok(Done::Exists) => ("exists", None),
        Err(refusal) => (refusal.as_str(), None),
    }
}

impl Stage {
    pub(super) fn id(&self, fields: &mut Fields<'_>) -> EntryId {
        match fields.get("id").and_then(Value::as_str) {
            None | Some("unique") => self.desk.fresh(),
            Some(name) => entry_id(name),
        }
    }

    fn meta(fields: &mut Fields<'_>) -> Option<Digest> {
        fields.get("meta").map(|meta| sha256(meta.to_string().as_bytes()))
    }

    /// An overdraft that a case grants to one operation is the wallet's from then on.
    async fn grant_overdraft(&mut self, fields: &mut Fields<'_>, from: &str) -> Result<(), String> {
        let Some(overdraft) = fields.get("overdraft") else { return Ok(()) };
        let (limit, wallet) = (accounts::limit(overdraft)?, self.account(from).await?);
        if self.desk.wallet(wallet).overdraft < limit {
            let sql = format!("UPDATE wallet_balance SET overdraft = {limit} WHERE account_id = {}", wallet.raw());
            self.desk.change(&sql).await;
        }
        Ok(())
    }

    /// The command that `op` stands for, if it stands for one.
    pub(super) async fn command(&mut self, op: &Value) -> Result<Option<Command>, String> {
        let mut fields = Fields::of(op)?;
        let command = match op["op"].as_str() {
            Some("transfer") if op.get("mode").is_some() => return self.movement(fields).await,
            Some("transfer") => {
                let id = self.id(&mut fields);
                let leg = self.leg(&mut fields).await?;
                let legs = if leg.2 == 0 { Vec::new() } else { vec![leg] };
                let mut post = post(id, &legs);
                post.meta = Self::meta(&mut fields);
                // Whether the client waits for the answer is no concern of the ledger.
                fields.is("client_times_out");
                Command::Post(post)
            }
            Some("refund" | "revert" | "collect") => return self.movement(fields).await,
            Some("group") if is_plain_group(op) => return self.group(fields).await.map(Some),
            // An imported hold is a hold: nothing here was held before it is recorded.
            Some("hold" | "import_hold") => Command::Hold(self.place_hold(&mut fields).await?),
            Some("capture") => {
                let action = match fields.get("amount") {
                    None => CaptureAmount::All,
                    Some(amount) if amount == "all" => CaptureAmount::All,
                    Some(amount) => CaptureAmount::Exactly(credits(amount)?),
                };
                Command::Settle(self.settle(&mut fields, SettleAction::Capture(action)).await?)
            }
            Some("void" | "release") => {
                let amount = fields.get("amount").filter(|amount| *amount != "all").map(credits).transpose()?;
                Command::Settle(self.settle(&mut fields, SettleAction::Release(amount)).await?)
            }
            _ => return Ok(None),
        };
        fields.end()?;
        Ok(Some(command))
    }

    async fn leg(&mut self, fields: &mut Fields<'_>) -> Result<Leg, String> {
        let (from, to) = (fields.text("from")?, fields.text("to")?);
        self.grant_overdraft(fields, from).await?;
        let (debit, credit) = (self.account(from).await?, self.account(to).await?);
        let amount = match fields.get("amount") {
            Some(amount) if amount == "all" || amount == "*" => self.available(debit).await?,
            Some(amount) => credits(amount)?.micros(),
            None => return Err("a transfer without an amount".to_owned()),
        };
        Ok((debit, credit, amount))
    }

    /// Several transfers that happen together are one post with several legs.
    async fn group(&mut self, mut fields: Fields<'_>) -> Result<Command, String> {
        let ops = fields.get("ops").and_then(Value::as_array).ok_or("a group without `ops`")?;
        let (mut id, mut legs) = (self.id(&mut fields), Vec::new());
        let is_named = fields.get("id").is_some();
        for op in ops {
            let mut inner = Fields::of(op)?;
            if inner.text("op")? != "transfer" {
                return Err(format!("{op} cannot be part of a post"));
            }
            let inner_id = self.id(&mut inner);
            if legs.is_empty() && !is_named {
                id = inner_id;
            }
            legs.push(self.leg(&mut inner).await?);
            inner.end()?;
        }
        fields.end()?;
        Ok(Command::Post(post(id, &legs)))
    }

    async fn place_hold(&mut self, fields: &mut Fields<'_>) -> Result<PlaceHold, String> {
        let id = self.id(fields);
        let (from, to) = (fields.text("from")?, fields.text("to")?);
        self.grant_overdraft(fields, from).await?;
        let (wallet, payee) = (self.account(from).await?, self.account(to).await?);
        let amount = match fields.get("amount") {
            Some(amount) if amount == "all" => self.available(wallet).await?,
            Some(amount) => credits(amount)?.micros(),
            None => return Err("a hold without an amount".to_owned()),
        };
        let ttl_us =
            fields.number("ttl_s")?.unwrap_or(0).checked_mul(SECOND_US).ok_or("a lifetime beyond all times")?;
        Ok(PlaceHold { ttl_us, meta: Self::meta(fields), ..hold(id, wallet, payee, amount) })
    }

    async fn settle(&mut self, fields: &mut Fields<'_>, action: SettleAction) -> Result<Settle, String> {
        let (id, hold) = (self.id(fields), entry_id(fields.text("hold")?));
        let mut parties = [None, None];
        for (party, name) in parties.iter_mut().zip(["from", "to"]) {
            if let Some(account) = fields.get(name).and_then(Value::as_str) {
                *party = Some(self.account(account).await?);
            }
        }
        let [wallet, payee] = parties;
        Ok(Settle { id, hold, action, wallet, payee, meta: Self::meta(fields) })
    }
}

/// Whether a group holds transfers in the one unit that there is, and nothing else.
fn is_plain_group(op: &Value) -> bool {
    let is_transfer = |op: &Value| op["op"] == "transfer" && op.get("asset").is_none();
    op["ops"].as_array().is_some_and(|ops| ops.iter().all(is_transfer))
}

type Leg = (engine::ledger::LedgerAccountId, engine::ledger::LedgerAccountId, i64);

/// A case's amounts are whole and small; here they are micro-credits.
pub(super) fn credits(amount: &Value) -> Result<Credits, String> {
    amount.as_i64().map(Credits::from_micros).ok_or_else(|| format!("{amount} is no amount"))
}
