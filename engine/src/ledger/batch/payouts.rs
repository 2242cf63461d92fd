//! Paying out what was earned.

use super::{Batch, Done, movements::push, replay::same_payout};
use crate::{
    credits::Credits,
    ledger::{
        accounts::AccountKind,
        command::{Leg, TransactionKind},
        leaf::TransactionEntry,
        movement::{Payout, Statement, Turnover},
        refusal::Refusal,
    },
};

impl Batch<'_> {
    /// Pays out what somebody has earned, less what they owe.
    pub fn pay_out(&mut self, payout: &Payout) -> Result<Done, Refusal> {
        let decided = self.try_pay_out(payout);
        self.record_refusal(payout.id, None, payout.amount.unwrap_or_default(), decided)
    }

    fn try_pay_out(&mut self, payout: &Payout) -> Result<Done, Refusal> {
        if let Some(known) = self.known(payout.id) {
            return same_payout(&known, payout);
        }
        if payout.amount.is_some_and(|amount| amount <= Credits::ZERO) {
            return Err(Refusal::OutOfRange);
        }
        let debtor = payout.from.receivable();
        if payout.to == payout.from || payout.to == debtor {
            return Err(Refusal::SameAccount);
        }
        self.open_accounts([payout.from, payout.to])?;
        let earns = |kind| matches!(kind, AccountKind::Payable | AccountKind::PartnerMargin);
        if !self.facts.accounts.get(&payout.from).is_some_and(|account| earns(account.kind)) {
            return Err(Refusal::WrongKind(TransactionKind::Payout));
        }
        let small = |balance: i128| i64::try_from(balance.max(0)).unwrap_or(i64::MAX);
        let payable = small(self.balance(payout.from));
        let owed = small(self.balance(debtor).saturating_neg());
        let netted = payable.min(owed);
        let left = payable.saturating_sub(netted);
        let paid = payout.amount.map_or(left, Credits::micros);
        if paid > left || (paid == 0 && netted == 0) {
            let needed = payout.amount.unwrap_or_default();
            let (payable, owed) = (Credits::from_micros(payable), Credits::from_micros(owed));
            return Err(Refusal::ExceedsPayable { needed, payable, owed });
        }
        let mut legs = Vec::with_capacity(2);
        for (credit, amount) in [(debtor, netted), (payout.to, paid)] {
            push(&mut legs, Leg { debit: payout.from, credit, amount: Credits::from_micros(amount) });
        }
        let Turnover { credits, debits } = self.turnover(payout.from);
        let statement = Statement { account: payout.from, credits, debits, netted, paid, note: payout.meta };
        let done = self.book(TransactionEntry {
            id: payout.id,
            kind: TransactionKind::Payout,
            hold: None,
            reverses: None,
            effective_us: self.now_us,
            meta: Some(statement.digest()),
            legs,
        })?;
        self.plan.statements.push((payout.id, statement));
        Ok(done)
    }
}
