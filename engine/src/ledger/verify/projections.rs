//! Compares what the database keeps beside the books with what the books add up to.

use super::{
    Line, ProblemKind, Verifier,
    money::{CounterSums, Sums},
};
use crate::{
    credits::Credits,
    id::EntryId,
    ledger::{
        accounts::{AccountKind, LedgerAccountId},
        caps::{Counter, CounterKey},
        chain::ChainHead,
        checkpoint::trail_of,
    },
};

const PROJECTION: ProblemKind = ProblemKind::ProjectionMismatch;

impl Verifier {
    /// Takes a line that does not belong to the books themselves. What has been compared is forgotten: what is left at
    /// the end is missing in the database.
    pub(super) fn stored(&mut self, line: &Line) {
        match *line {
            Line::Wallet { id, credits, debits, held } => self.stored_wallet(id, (credits, debits, held)),
            Line::Hot { id, slot, credits, debits } => self.stored_hot(id, slot, (credits, debits)),
            Line::Counter(key, counter) => self.stored_counter(key, counter),
            Line::Postponed(id, resolves_us) => {
                if let Some(open) = self.money.holds.get_mut(&id) {
                    open.expires_us = Some(resolves_us);
                }
            }
            Line::OpenHold { id, wallet, amount, expires_us } => self.stored_hold(id, (wallet, amount, expires_us)),
            Line::Head(ref head) => self.stored_head(head),
            Line::FactsComplete(is_complete) => self.facts.complete(is_complete, &mut self.problems),
            Line::FactRow { table, ref key, thing, digest } => {
                self.facts.row((table, key), thing, digest, &mut self.problems);
            }
            Line::OpenGrant(ref grant) => self.money.grants.stored(grant, &mut self.problems),
            Line::TrialBalance(period, row) => self.money.periods.stored(period, row),
            Line::Audit(ref row, hash) => {
                self.counts.audit_rows = self.counts.audit_rows.saturating_add(1);
                self.anchors.passed_other(trail_of(row.slot), row.seq, &hash, &mut self.problems);
                for fault in self.trail.row(row, hash) {
                    self.problems.report(fault);
                }
            }
            Line::AuditHead(ref head) => {
                if let Some(fault) = self.trail.head(head) {
                    self.problems.report(fault);
                }
            }
            Line::Account { .. }
            | Line::RefundTotal(..)
            | Line::Statement(..)
            | Line::Key(_)
            | Line::Checkpoint(_)
            | Line::Close(_)
            | Line::CountedTo(_)
            | Line::Batch(..)
            | Line::Entry(..)
            | Line::UnreadableEntry(..)
            | Line::Problem(_) => {}
        }
    }

    fn stored_wallet(&mut self, id: LedgerAccountId, (credits, debits, held): (i64, i64, i64)) {
        const TABLE: &str = "wallet_balance";
        let is_wallet = |kind: Option<AccountKind>| kind.is_some_and(AccountKind::is_limited);
        let known = self.money.accounts.get(&id).filter(|account| is_wallet(account.kind)).map(|account| account.sums);
        let Some(sums) = known else {
            self.problems.add(PROJECTION, TABLE, id, || "there is no wallet with this number".to_owned());
            return;
        };
        for (column, stored, derived) in
            [("credits", credits, sums.credits), ("debits", debits, sums.debits), ("held", held, sums.held)]
        {
            self.problems.compare((PROJECTION, TABLE), id, column, (stored.into(), derived));
        }
        self.money.accounts.remove(&id);
    }

    fn stored_hot(&mut self, id: LedgerAccountId, slot: i64, (credits, debits): (i64, i64)) {
        const TABLE: &str = "hot_balance";
        let key = || format!("{id}/{slot}");
        if self.money.accounts.get(&id).is_none_or(|account| account.kind.is_none_or(AccountKind::is_limited)) {
            self.problems.add(PROJECTION, TABLE, key(), || "there is no unlimited account with this number".to_owned());
        }
        let sums = self.money.hot.remove(&(id, slot)).unwrap_or_default();
        self.problems.compare((PROJECTION, TABLE), key(), "credits", (credits.into(), sums.credits));
        self.problems.compare((PROJECTION, TABLE), key(), "debits", (debits.into(), sums.debits));
    }

    fn stored_counter(&mut self, key: CounterKey, counter: Counter) {
        let sums = self.money.counters.remove(&key).unwrap_or_default();
        let name = format!("{}/{}", key.cap, key.start_us);
        self.problems.compare((PROJECTION, "cap_window"), &name, "spent", (counter.spent.into(), sums.spent));
        self.problems.compare((PROJECTION, "cap_window"), &name, "held", (counter.held.into(), sums.held));
    }

    fn stored_hold(&mut self, id: EntryId, (wallet, amount, expires_us): (LedgerAccountId, Credits, Option<i64>)) {
        const TABLE: &str = "open_hold";
        let Some(open) = self.money.holds.remove(&id) else {
            self.problems.add(PROJECTION, TABLE, id, || "the books know no such open hold".to_owned());
            return;
        };
        let time = |us: Option<i64>| us.map_or_else(|| "never".to_owned(), |us| us.to_string());
        self.problems.compare((PROJECTION, TABLE), id, "wallet", (wallet, open.entry.wallet));
        self.problems.compare((PROJECTION, TABLE), id, "amount", (amount, open.entry.amount));
        self.problems.compare((PROJECTION, TABLE), id, "expires_us", (time(expires_us), time(open.expires_us)));
    }

    fn stored_head(&mut self, head: &ChainHead) {
        const HEAD: (ProblemKind, &str) = (ProblemKind::HeadMismatch, "chain_head");
        let end = self.chains.get(&head.slot).map_or(0, |chain| chain.head.seq);
        if let Some(counted) = self.money.counted.get(&head.slot).filter(|counted| !(0..=end).contains(*counted)) {
            let text = || format!("`counted_seq` is {counted}, the books end with {end}");
            self.problems.add(HEAD.0, HEAD.1, head.slot, text);
        }
        let Some(chain) = self.chains.get_mut(&head.slot) else {
            if head.batch_no != 0 || head.seq != 0 || head.hash != crate::ledger::chain::GENESIS {
                self.problems.add(HEAD.0, HEAD.1, head.slot, || "the slot has no batches".to_owned());
            }
            return;
        };
        chain.has_stored_head = true;
        for (column, stored, derived) in [
            ("batch_no", head.batch_no, chain.head.batch_no),
            ("seq", head.seq, chain.head.seq),
            ("last_us", head.last_us, chain.head.last_us),
            // A new writer raises the term before it has written anything.
            ("epoch", head.epoch.min(chain.head.epoch), chain.head.epoch),
        ] {
            self.problems.compare(HEAD, head.slot, column, (stored, derived));
        }
        if !chain.ends_with(&head.hash) {
            self.problems.add(HEAD.0, HEAD.1, head.slot, || "`hash` is not that of the last batch".to_owned());
        }
    }

    /// Reports what the books add up to and no stored line has named.
    pub(super) fn report_missing(&mut self) {
        for fault in self.trail.finish() {
            self.problems.report(fault);
        }
        let problems = &mut self.problems;
        self.anchors.end_others(problems);
        self.facts.report_missing(problems);
        let missing = || "the row is missing".to_owned();
        for (id, _) in LedgerAccountId::WELL_KNOWN {
            if self.money.accounts.get(&id).is_none_or(|account| account.kind.is_none()) {
                problems.add(ProblemKind::AccountMismatch, "ledger_account", id, missing);
            }
        }
        let mut wallets: Vec<_> = self.money.accounts.iter().collect();
        wallets.retain(|(_, account)| account.kind.is_some_and(AccountKind::is_limited));
        wallets.sort_unstable_by_key(|(id, _)| **id);
        for (id, _) in wallets {
            problems.add(PROJECTION, "wallet_balance", id, missing);
        }
        for ((id, slot), sums) in &self.money.hot {
            if *sums != Sums::default() {
                problems.add(PROJECTION, "hot_balance", format!("{id}/{slot}"), missing);
            }
        }
        let mut counters: Vec<_> = self.money.counters.iter().collect();
        counters.retain(|(_, sums)| **sums != CounterSums::default());
        counters.sort_unstable_by_key(|(key, _)| **key);
        for (key, _) in counters {
            problems.add(PROJECTION, "cap_window", format!("{}/{}", key.cap, key.start_us), missing);
        }
        let mut holds: Vec<_> = self.money.holds.keys().collect();
        holds.sort_unstable();
        for id in holds {
            problems.add(PROJECTION, "open_hold", id, missing);
        }
        self.money.grants.report_missing(problems);
        for (slot, chain) in &self.chains {
            if !chain.has_stored_head {
                problems.add(ProblemKind::HeadMismatch, "chain_head", slot, missing);
            }
        }
    }
}
