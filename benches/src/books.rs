//! The books of a run against what others counted: the upstream its calls, the driver its answers.
//!
//! Read from `tollgate ledger trial-balance --json`: `{"accounts": [{"code", "debits_micros", "credits_micros", …}]}`,
//! amounts as decimal text, because sums may be wider than a JSON number is exact.

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
    accounts: Vec<Line>,
}

#[derive(Debug, Deserialize)]
struct Line {
    code: String,
    debits_micros: String,
    credits_micros: String,
}

impl TrialBalance {
    /// Debits and credits of all accounts of a class, in micro-credits.
    fn totals(&self, class: &str) -> Outcome<(i128, i128)> {
        let of_class = || self.accounts.iter().filter(|line| line.code.starts_with(class));
        let debits = sum(of_class().map(|line| &line.debits_micros))?;
        let credits = sum(of_class().map(|line| &line.credits_micros))?;
        Ok((debits, credits))
    }
}

fn sum<'a>(amounts: impl Iterator<Item = &'a String>) -> Outcome<i128> {
    amounts.map(|text| text.parse::<i128>().context(|| format!("`{text}` in the trial balance"))).sum()
}

/// Fails unless every call that the upstream received was answered and charged once, to every party its share.
pub(crate) fn check(balance: &Value, split: Split, at_upstream: u64, answered: u64) -> Outcome<Books> {
    let balance = TrialBalance::deserialize(balance).context(|| "cannot read the trial balance".to_owned())?;
    let (debits, credits) = balance.totals("")?;
    if debits != credits {
        return Err(Failure::new(format!("the books do not balance: {debits} debited, {credits} credited")));
    }
    let calls = i128::from(at_upstream);
    for (class, side, per_call_micro, found_micro) in [
        ("liabilities:wallet", "debited", split.price_micro(), balance.totals("liabilities:wallet")?.0),
        ("liabilities:payable", "credited", split.publisher, balance.totals("liabilities:payable")?.1),
        ("liabilities:partner", "credited", split.partner, balance.totals("liabilities:partner")?.1),
        ("revenue:platform:fee", "credited", split.platform, balance.totals("revenue:platform:fee")?.1),
    ] {
        if i128::from(per_call_micro).checked_mul(calls) != Some(found_micro) {
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
