//! Accounts that are closed, and facts that count earlier than they are recorded.

use engine::ledger::{Post, Refusal};
use serde_json::Value;

use super::{
    accounts::ELSEWHERE,
    commands::{Fields, word},
    stage::{Outcome, Stage},
};
use crate::ledger::desk::{SECOND_US, START_US, post};

/// Whose history a case tells that names nobody.
const NAMELESS: &str = "A";

impl Stage {
    /// Plays what happened to the one account of a case: pairs of a time in seconds and an amount, which is spent if it is
    /// below zero. Each counts when it happens.
    pub(super) async fn play_history(&mut self, history: &[Value]) -> Result<(), String> {
        let wallet = self.accounts.open_empty(&self.desk, NAMELESS).await;
        for fact in history {
            let at_s = fact[0].as_i64().ok_or_else(|| format!("{fact} has no time"))?;
            let amount = fact[1].as_i64().ok_or_else(|| format!("{fact} has no amount"))?;
            let at_us = START_US + at_s * SECOND_US;
            self.desk.clock.advance_us(at_us - self.desk.now_us());
            if amount > 0 {
                self.desk.fund(wallet, amount).await;
            } else {
                let spent = post(self.desk.fresh(), &[(wallet, ELSEWHERE, -amount)]);
                self.desk
                    .ask(engine::store::writer::Command::Post(spent))
                    .await
                    .map_err(|refusal| format!("{fact} is refused: {refusal}"))?;
            }
        }
        Ok(())
    }

    /// A fact that counts earlier than what was recorded since. The number is what the balance would be.
    pub(super) async fn backdate(&mut self, fields: &mut Fields<'_>) -> Result<Outcome, String> {
        let at_s = fields.number("at")?.ok_or("a fact without a time")?;
        let amount = fields.number("amount")?.ok_or("a fact without an amount")?;
        let wallet = self.account(NAMELESS).await?;
        let legs = [(wallet, ELSEWHERE, -amount)];
        let effective_us = Some(START_US + at_s * SECOND_US);
        let fact = Post { effective_us, ..post(self.desk.fresh(), &legs) };
        let done = self.desk.ask(engine::store::writer::Command::Post(fact)).await;
        let number = match done {
            Err(Refusal::Insufficient { needed, available, .. }) => Some(available.micros() - needed.micros()),
            _ => None,
        };
        Ok(Outcome { number, ..Outcome::word(word(done).0) })
    }

    /// An operator closes an account. Here that is for good: how long it lasts in a case makes no difference while no time
    /// passes.
    pub(super) async fn close_account(&mut self, fields: &mut Fields<'_>) -> Result<(), String> {
        let account = self.account(fields.text("account")?).await?;
        let (_name, _lasts_s) = (fields.get("id"), fields.number("ttl_s")?);
        let sql = format!("UPDATE ledger_account SET closed_us = {} WHERE id = {}", self.desk.now_us(), account.raw());
        self.desk.change(&sql).await;
        Ok(())
    }
}
