//! Adds the closed periods up again: their trial balances must be what the transactions make, each the continuation of the
//! one before.

use std::collections::BTreeMap;

use super::{ProblemKind, Problems, key_of};
use crate::ledger::{
    accounts::{AccountKind, LedgerAccountId},
    leaf::Position,
    periods::{BalanceKey, BalanceRow, Calendar, PeriodClose, balance_key, digest, trial_balance},
};

#[derive(Debug, Default)]
pub(super) struct Periods {
    calendar: Calendar,
    /// Closes that were announced and have not been met in the chain yet.
    announced: Vec<PeriodClose>,
    /// What moved in each closed period: debits, credits.
    moved: Vec<BTreeMap<BalanceKey, (i128, i128)>>,
    /// The stored lines of each.
    stored: BTreeMap<i64, Vec<BalanceRow>>,
}

const CLOSE: (ProblemKind, &str) = (ProblemKind::PeriodMismatch, "period_close");
const BALANCE: (ProblemKind, &str) = (ProblemKind::PeriodMismatch, "trial_balance");

impl Periods {
    /// The closes, in the order of their numbers, before anything else is read: a transaction's period depends on them.
    pub(super) fn announce(&mut self, close: PeriodClose, problems: &mut Problems) {
        let last = self.calendar.last();
        let key = close.period;
        if close.period != self.calendar.open() {
            problems.add(CLOSE.0, CLOSE.1, key, || format!("period {} should be closed here", self.calendar.open()));
        }
        if close.end_us <= close.start_us || last.is_some_and(|last| last.end_us != close.start_us) {
            problems.add(CLOSE.0, CLOSE.1, key, || {
                format!("from {} to {} does not continue the period before", close.start_us, close.end_us)
            });
        }
        if last.is_some_and(|last| last.cut.iter().any(|before| close.cut_of(before.slot) < before.seq)) {
            problems.add(CLOSE.0, CLOSE.1, key, || "the cut lies before that of the period before".to_owned());
        }
        self.announced.push(close.clone());
        let mut closes = self.calendar.closes().to_vec();
        closes.push(close);
        self.calendar = Calendar::of(closes);
        self.moved.push(BTreeMap::new());
    }

    /// A close where it stands in the chain.
    pub(super) fn close(&mut self, position: Position, recorded_us: i64, close: &PeriodClose, problems: &mut Problems) {
        match self.announced.iter().position(|announced| announced == close) {
            Some(at) => drop(self.announced.swap_remove(at)),
            None => {
                problems.add(CLOSE.0, CLOSE.1, key_of(position), || format!("period {} is not this one", close.period));
            }
        }
        if close.end_us > recorded_us || close.cut_of(position.slot) >= position.seq {
            problems.add(CLOSE.0, CLOSE.1, key_of(position), || {
                format!("period {} was closed before it was over, or before its cut", close.period)
            });
        }
    }

    /// One side of a posting: `amount` went out of `account` or, with `is_credit`, came in.
    pub(super) fn moved(
        &mut self,
        (position, effective_us): (Position, i64),
        (account, kind): (LedgerAccountId, Option<AccountKind>),
        amount: i128,
        is_credit: bool,
    ) {
        let Some(kind) = kind.filter(|_| !self.moved.is_empty()) else { return };
        let period = self.calendar.period_of(position, effective_us);
        let closed = usize::try_from(period.saturating_sub(1)).ok().and_then(|at| self.moved.get_mut(at));
        if let Some(moved) = closed {
            let (debits, credits) = moved.entry(balance_key(kind, account)).or_default();
            let side = if is_credit { credits } else { debits };
            *side = side.saturating_add(amount);
        }
    }

    /// A stored line, in the order of periods and keys.
    pub(super) fn stored(&mut self, period: i64, row: BalanceRow) {
        self.stored.entry(period).or_default().push(row);
    }

    /// Everything has been read.
    pub(super) fn finish(&mut self, ends: impl Fn(i64) -> i64, problems: &mut Problems) {
        for close in &self.announced {
            problems.add(CLOSE.0, CLOSE.1, close.period, || "the chain does not have this close".to_owned());
        }
        let mut before = Vec::new();
        for (close, moved) in self.calendar.closes().iter().zip(&self.moved) {
            let period = close.period;
            for last in close.cut.iter().filter(|last| last.seq > ends(last.slot)) {
                problems.add(CLOSE.0, CLOSE.1, period, || {
                    format!("the cut is entry {} of slot {}, which ends with {}", last.seq, last.slot, ends(last.slot))
                });
            }
            let stored = self.stored.remove(&period).unwrap_or_default();
            let Ok(derived) = trial_balance(&before, moved) else {
                problems.add(BALANCE.0, BALANCE.1, period, || "a sum does not fit".to_owned());
                return;
            };
            compare(period, &stored, &derived, problems);
            if digest(period, &stored) != close.digest {
                problems.add(CLOSE.0, CLOSE.1, period, || "`digest` is not that of the trial balance".to_owned());
            }
            before = derived;
        }
        for period in self.stored.keys() {
            problems.add(BALANCE.0, BALANCE.1, period, || "there is no such closed period".to_owned());
        }
    }
}

fn compare(period: i64, stored: &[BalanceRow], derived: &[BalanceRow], problems: &mut Problems) {
    let name = |(kind, account): BalanceKey| format!("{period}/{kind}/{account}");
    let found: BTreeMap<BalanceKey, &BalanceRow> = stored.iter().map(|row| (row.key, row)).collect();
    let wanted: BTreeMap<BalanceKey, &BalanceRow> = derived.iter().map(|row| (row.key, row)).collect();
    for key in found.keys().filter(|key| !wanted.contains_key(key)) {
        problems.add(BALANCE.0, BALANCE.1, name(*key), || "the books do not make this line".to_owned());
    }
    for (key, row) in wanted {
        let Some(stored) = found.get(&key) else {
            problems.add(BALANCE.0, BALANCE.1, name(key), || "the line is missing".to_owned());
            continue;
        };
        for (column, stored, derived) in [
            ("opening", stored.opening, row.opening),
            ("debits", stored.debits, row.debits),
            ("credits", stored.credits, row.credits),
            ("closing", stored.closing, row.closing),
        ] {
            problems.compare(BALANCE, name(key), column, (stored, derived));
        }
    }
}
