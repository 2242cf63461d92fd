//! The trial balance: what every account received and spent.

use std::collections::BTreeMap;

use crate::ledger::{
    accounts::{AccountKind, LedgerAccountId},
    command::Leg,
};

/// One account's line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialBalanceRow {
    /// Which account.
    pub account: LedgerAccountId,
    /// Its name in the chart; empty for an account that postings name and that does not exist.
    pub code: String,
    /// What it is for; `None` for such an account.
    pub kind: Option<AccountKind>,
    /// Everything that left it, in micro-credits.
    pub debits: i128,
    /// Everything that arrived at it, in micro-credits.
    pub credits: i128,
    /// Credits less debits, in micro-credits: positive for what is owed (liabilities, revenue, equity), negative for
    /// what is owned or was spent (assets, expenses).
    pub balance: i128,
}

/// Adds postings up. Memory grows with the accounts.
#[derive(Debug, Clone, Default)]
pub struct TrialBalance {
    rows: BTreeMap<LedgerAccountId, TrialBalanceRow>,
}

impl TrialBalance {
    /// With no accounts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in an account of the chart: it gets a line even if nothing was ever posted to it.
    pub fn account(&mut self, id: LedgerAccountId, kind: AccountKind, code: String) {
        let row = self.row(id);
        row.kind = Some(kind);
        row.code = code;
    }

    /// Takes in a posting.
    pub fn post(&mut self, leg: &Leg) {
        let amount = i128::from(leg.amount.micros());
        let debited = self.row(leg.debit);
        debited.debits = debited.debits.saturating_add(amount);
        debited.balance = debited.balance.saturating_sub(amount);
        let credited = self.row(leg.credit);
        credited.credits = credited.credits.saturating_add(amount);
        credited.balance = credited.balance.saturating_add(amount);
    }

    /// All credits less all debits, in micro-credits. Anything but zero is an error of this program.
    pub fn difference(&self) -> i128 {
        self.rows.values().fold(0, |sum, row| sum.saturating_add(row.credits).saturating_sub(row.debits))
    }

    /// The lines in the order of the accounts' numbers.
    pub fn into_rows(self) -> Vec<TrialBalanceRow> {
        self.rows.into_values().collect()
    }

    fn row(&mut self, account: LedgerAccountId) -> &mut TrialBalanceRow {
        self.rows.entry(account).or_insert_with(|| TrialBalanceRow {
            account,
            code: String::new(),
            kind: None,
            debits: 0,
            credits: 0,
            balance: 0,
        })
    }
}
