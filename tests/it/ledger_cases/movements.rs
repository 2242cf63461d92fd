//! Money that goes back, is collected from several accounts, or moves together with other things.

use engine::{
    audit::OpContext,
    id::EntryId,
    ledger::{
        CaptureAmount, Collect, LedgerAccountId, PlaceHold, Refund, Revert, Settle, SettleAction, TransactionKind,
        batch::Done,
    },
    pricing::ShareTerms,
    service::movements::{MovementError, Note},
    store::{NotSaved, UnitOfWork, writer::Command},
};
use serde_json::{Map, Value};

use super::{
    accounts::{self, UNLIMITED},
    commands::{Fields, credits, entry_id, word},
    stage::{Outcome, Stage},
};
use crate::ledger::desk::{hold, push_account};

impl Stage {
    /// The command of a refund, a reversal or a collection; `None`: it is an order of an operator.
    pub(super) async fn movement(&mut self, mut fields: Fields<'_>) -> Result<Option<Command>, String> {
        let op = fields.text("op")?;
        if fields.get("key").is_some() || fields.is("dry_run") {
            return Ok(None);
        }
        let id = self.id(&mut fields);
        let command = match op {
            "refund" => {
                let of = entry_id(fields.text("of")?);
                let amount = fields.get("amount").filter(|amount| *amount != "all").map(credits).transpose()?;
                Command::Refund(Refund { id, of, amount, meta: None })
            }
            "revert" => Command::Revert(Revert { id, of: entry_id(fields.text("of")?), meta: None }),
            "collect" => {
                let names = fields.get("sources").and_then(Value::as_array).ok_or("nobody to collect from")?;
                let mut sources = Vec::new();
                for name in names {
                    sources.push(self.account(name.as_str().unwrap_or_default()).await?);
                }
                Command::Collect(self.collection(&mut fields, (id, sources, false)).await?)
            }
            _ => {
                let mode = fields.text("mode")?;
                if mode != "up_to_debtor_balance" {
                    return Err(format!("the mode `{mode}` has no meaning here"));
                }
                let source = self.account(fields.text("from")?).await?;
                Command::Collect(self.collection(&mut fields, (id, vec![source], true)).await?)
            }
        };
        fields.end()?;
        Ok(Some(command))
    }

    async fn collection(
        &mut self,
        fields: &mut Fields<'_>,
        (id, sources, is_at_most): (EntryId, Vec<LedgerAccountId>, bool),
    ) -> Result<Collect, String> {
        let to = self.account(fields.text("to")?).await?;
        // Nothing is out of range, and no case asks for it but as a lower amount than what was taken.
        let amount = credits(fields.get("amount").ok_or("a collection without an amount")?)?;
        let (kind, reverses) = (TransactionKind::Adjustment, None);
        Ok(Collect { id, kind, sources, to, amount, is_at_most, reverses, meta: None })
    }

    /// What operators order through the service: with a key, or only to see what would come of it.
    pub(super) async fn order(&mut self, op: &Value) -> Result<Option<Outcome>, String> {
        match op["op"].as_str() {
            Some("revert") => {}
            Some("charge") => return self.charge(op).await.map(Some),
            _ => return Ok(None),
        }
        let mut fields = Fields::of(op)?;
        let (of, key) = (entry_id(fields.text("of")?), fields.get("key").and_then(Value::as_str));
        let is_rehearsal = fields.is("dry_run");
        fields.get("id");
        fields.end()?;
        let services = self.services().await?;
        let said = services.revert(&OpContext::system(), of, Note { reason: "a case", key }, is_rehearsal).await;
        Ok(Some(Outcome::word(match said {
            Ok(reverted) => word(Ok(if reverted.is_replay { Done::Exists } else { Done::Posted })).0,
            Err(MovementError::KeyReused { .. }) => "key_reused_with_different_request",
            Err(MovementError::Refused(refusal)) => refusal.as_str(),
            Err(error) => return Err(error.to_string()),
        })))
    }

    /// A charge with its parts: the last one is the platform's, the first one the publisher's, the other one the partner's.
    async fn charge(&mut self, op: &Value) -> Result<Outcome, String> {
        let mut fields = Fields::of(op)?;
        let id = self.id(&mut fields);
        let amount = credits(fields.get("amount").ok_or("a charge without an amount")?)?;
        let parts = fields.get("parts").and_then(Value::as_object).ok_or("a charge without parts")?;
        let wallet = self.accounts.source(&self.desk, fields.text("wallet")?).await;
        fields.end()?;
        let (names, sizes): (Vec<&String>, Vec<i64>) =
            parts.iter().map(|(name, part)| (name, part.as_i64().unwrap_or(-1))).unzip();
        let (shared, platform) = names.split_at(names.len().saturating_sub(1));
        let mut payees = Vec::new();
        for name in shared {
            payees.push(self.accounts.payable(&self.desk, name).await);
        }
        for name in platform {
            self.accounts.call(name, LedgerAccountId::PLATFORM_FEE);
        }
        let bps = |part: usize| -> u16 {
            let size = if part < payees.len() { sizes[part] } else { 0 };
            u16::try_from((size * 10_000 + amount.micros() - 1) / amount.micros()).unwrap()
        };
        let payee = payees.first().copied().ok_or("a charge for nobody")?;
        let shares = ShareTerms::new(bps(0), bps(1)).map_err(|error| error.to_string())?;
        let place = PlaceHold { shares, partner: payees.get(1).copied(), ..hold(id, wallet, payee, amount.micros()) };
        let action = SettleAction::Capture(CaptureAmount::All);
        let settle = Settle { id, hold: id, action, wallet: None, payee: None, meta: None };
        for command in [Command::Hold(place), Command::Settle(settle)] {
            self.desk.ask(command).await.map_err(|refusal| refusal.to_string())?;
        }
        let found = self.desk.rows("SELECT amount FROM posting ORDER BY seq DESC, ord LIMIT 3").concat();
        let expected: Vec<String> = sizes.iter().map(ToString::to_string).collect();
        let is_split = found.iter().take(expected.len()).eq(&expected);
        if is_split { Ok(Outcome::word("ok")) } else { Err(format!("split into {found:?}, not into {expected:?}")) }
    }

    /// Things that happen together or not at all are a unit of work. Of a refused one every part has failed, and the
    /// part at fault says why.
    pub(super) async fn unit(&mut self, ops: &[Value]) -> Result<Vec<Outcome>, String> {
        let mut unit = UnitOfWork::new();
        let mut opened = Vec::new();
        for op in ops {
            let mut fields = Fields::of(op)?;
            if fields.text("op")? == "open_account" {
                let name = fields.text("id")?;
                // Whoever opens accounts here closes the unit by handing it over.
                fields.is("linked");
                fields.end()?;
                push_account(&mut unit, accounts::id_of(name), engine::ledger::AccountKind::Wallet, UNLIMITED);
                opened.push(name);
                continue;
            }
            // There is one unit of account; naming another one, or none, changes nothing.
            let mut op = op.clone();
            op.as_object_mut().map(|op| op.remove("asset"));
            let command = self.command(&op).await?.ok_or_else(|| format!("{op} cannot be part of a unit"))?;
            unit.command(command);
        }
        let fail = |at: usize, why: &str| {
            let word = |number| if number == at { why } else { "group_failed" };
            (0..ops.len()).map(|number| Outcome::word(word(number))).collect()
        };
        Ok(match self.desk.save(unit).await {
            Ok(_) => ops.iter().map(|_| Outcome::word("ok")).collect(),
            // An account has two rows.
            Err(NotSaved::Conflict { statement }) => fail(statement / 2, "exists"),
            Err(NotSaved::Refused(refusal)) => fail(ops.len() - 1, refusal.as_str()),
            Err(error) => return Err(error.to_string()),
        })
    }

    /// Who gave how much to a collection; who is not named gave nothing.
    pub(super) fn check_collected(&self, expected: &Map<String, Value>) -> Result<(), String> {
        let rows = self.desk.rows(
            "SELECT p.debit, sum(p.amount) FROM posting p JOIN txn t ON t.slot = p.slot AND t.seq = p.seq
             WHERE t.kind = 5 GROUP BY p.debit ORDER BY p.debit",
        );
        let mut wanted = Vec::new();
        for (name, amount) in expected.iter().filter(|(_, amount)| amount.as_i64() != Some(0)) {
            let id = self.accounts.find(name).ok_or_else(|| format!("`{name}` has no part"))?;
            wanted.push(vec![id.raw().to_string(), amount.to_string()]);
        }
        wanted.sort_by_key(|row| row[0].parse::<i64>().unwrap_or_default());
        if rows == wanted { Ok(()) } else { Err(format!("parts: expected {wanted:?}, found {rows:?}")) }
    }

    /// What everybody has given back after each refund.
    pub(super) fn check_given_back(&self, expected: &[Value]) -> Result<(), String> {
        let rows = self.desk.rows(
            "SELECT t.seq, p.debit, p.amount FROM posting p JOIN txn t ON t.slot = p.slot AND t.seq = p.seq
             WHERE t.kind = 4 ORDER BY t.seq",
        );
        let mut refunds: Vec<&str> = rows.iter().map(|row| row[0].as_str()).collect();
        refunds.dedup();
        if refunds.len() != expected.len() {
            return Err(format!("{} refunds, expected {}", refunds.len(), expected.len()));
        }
        for (number, parts) in expected.iter().enumerate() {
            let done = &refunds[..=number];
            for (name, part) in parts.as_object().ok_or("`parts_cumulative` holds no parts")? {
                let id = self.accounts.find(name).ok_or_else(|| format!("`{name}` has no part"))?.raw().to_string();
                let given = rows.iter().filter(|row| row[1] == id && done.contains(&row[0].as_str()));
                let sum: i64 = given.map(|row| row[2].parse::<i64>().unwrap()).sum();
                if part.as_i64() != Some(sum) {
                    return Err(format!("{name} gave {sum} back after refund {}, expected {part}", number + 1));
                }
            }
        }
        Ok(())
    }

    /// Which transactions have been taken back as a whole.
    pub(super) fn check_reverted(&self, expected: &Map<String, Value>) -> Result<(), String> {
        for (name, is_reverted) in expected {
            let id = self.desk.id_literal(entry_id(name));
            let found = self.desk.number(&format!("SELECT count(*) FROM txn WHERE kind = 8 AND reverses = {id}")) == 1;
            if is_reverted.as_bool() != Some(found) {
                return Err(format!("{name} taken back: expected {is_reverted}, found {found}"));
            }
        }
        Ok(())
    }

    /// The numbers of the accounts' changes.
    pub(super) async fn check_versions(&mut self, expected: &Map<String, Value>) -> Result<(), String> {
        for (name, version) in expected {
            let id = self.account(name).await?.raw();
            let found = self.desk.number(&format!("SELECT version FROM wallet_balance WHERE account_id = {id}"));
            if version.as_i64() != Some(found) {
                return Err(format!("version of {name}: expected {version}, found {found}"));
            }
        }
        Ok(())
    }
}
