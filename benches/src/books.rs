//! The books of a run against what others counted: the upstream its calls, the driver its answers.
//!
//! Read from `tollgate ledger trial-balance --json`: `{"ok", "accounts": [{"account", "debits_micro",
//! "credits_micro"}]}`, amounts as whole micro-credits.

use serde::Deserialize;
use serde_json::Value;

use crate::{
    failure::{Context as _, Failure, Outcome},
    report::Books,
};

/// What each party gets of one call, in micro-credits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Split {
    pub(crate) publisher: i64,
    pub(crate) partner: i64,
    pub(crate) platform: i64,
}

impl Split {
    /// What the buyer pays.
    pub(crate) const fn price_micro(self) -> i64 {
        self.publisher + self.partner + self.platform
    }
}

#[derive(Debug, Deserialize)]
struct TrialBalance {
    ok: bool,
    accounts: Vec<Line>,
}

#[derive(Debug, Deserialize)]
struct Line {
    account: String,
    debits_micro: i64,
    credits_micro: i64,
}

impl TrialBalance {
    /// Debits and credits of all accounts whose name begins with `class`.
    fn totals(&self, class: &str) -> Outcome<(i64, i64)> {
        let of_class = || self.accounts.iter().filter(|line| line.account.starts_with(class));
        let debits = sum(of_class().map(|line| line.debits_micro))?;
        let credits = sum(of_class().map(|line| line.credits_micro))?;
        Ok((debits, credits))
    }
}

fn sum(mut amounts: impl Iterator<Item = i64>) -> Outcome<i64> {
    amounts
        .try_fold(0_i64, i64::checked_add)
        .ok_or_else(|| Failure::new("the trial balance is larger than 64 bits can say"))
}

/// Fails unless every call that the upstream received was answered and charged once, to every party its share.
pub(crate) fn check(balance: &Value, split: Split, at_upstream: u64, answered: u64) -> Outcome<Books> {
    let balance = TrialBalance::deserialize(balance).context(|| "cannot read the trial balance".to_owned())?;
    let (debits, credits) = balance.totals("")?;
    if !balance.ok || debits != credits {
        return Err(Failure::new(format!("the books do not balance: {debits} debited, {credits} credited")));
    }
    let calls = i64::try_from(at_upstream).context(|| "the upstream's count".to_owned())?;
    for (class, side, per_call_micro, found_micro) in [
        ("liabilities:wallet", "debited", split.price_micro(), balance.totals("liabilities:wallet")?.0),
        ("liabilities:payable", "credited", split.publisher, balance.totals("liabilities:payable")?.1),
        ("liabilities:partner", "credited", split.partner, balance.totals("liabilities:partner")?.1),
        ("revenue:platform:fee", "credited", split.platform, balance.totals("revenue:platform:fee")?.1),
    ] {
        if per_call_micro.checked_mul(calls) != Some(found_micro) {
            return Err(Failure::new(format!(
                "the upstream received {calls} calls at {per_call_micro} micro-credits for `{class}`, \
                 but the books have {found_micro} {side}"
            )));
        }
    }
    if answered != at_upstream {
        return Err(Failure::new(format!("the upstream received {at_upstream} calls, but {answered} were answered")));
    }
    Ok(Books { received: at_upstream, charged: at_upstream, answered })
}

#[cfg(test)]
mod tests;
