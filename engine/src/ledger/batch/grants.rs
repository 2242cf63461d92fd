//! Credits that expire are given, and lapse. Every check stands before the first change.

use super::{Batch, Done, replay::same_transaction};
use crate::{
    credits::Credits,
    id::EntryId,
    ledger::{
        accounts::{AccountKind, LedgerAccountId},
        command::{Leg, TransactionKind},
        facts::Known,
        grants::{GiveGrant, GrantEntry, HoldPart, OpenGrant, lapse_id},
        leaf::{Entry, TransactionEntry},
        periods::PeriodClose,
        plan::Lapse,
        refusal::Refusal,
    },
};

impl Batch<'_> {
    /// Gives credits that expire.
    pub fn give(&mut self, give: &GiveGrant) -> Result<Done, Refusal> {
        let needed = give.post.legs.iter().map(|leg| leg.amount).max().unwrap_or_default();
        let decided = self.try_give(give);
        self.record_refusal(give.post.id, Some(give.wallet), needed, decided)
    }

    fn try_give(&mut self, give: &GiveGrant) -> Result<Done, Refusal> {
        let post = &give.post;
        if let Some(known) = self.known(post.id) {
            return same_transaction(&known, post);
        }
        let effective_us = post.effective_us.unwrap_or(self.now_us);
        let is_out = |leg: &Leg| leg.amount <= Credits::ZERO || leg.credit != give.account;
        if post.legs.is_empty() || post.legs.iter().any(is_out) || give.expires_us <= self.now_us {
            return Err(Refusal::OutOfRange);
        }
        if effective_us > self.now_us || give.priority < 0 {
            return Err(Refusal::OutOfRange);
        }
        for (id, kind) in [(give.wallet, AccountKind::Wallet), (give.account, AccountKind::Grant)] {
            let is_fit = self.facts.accounts.get(&id).is_some_and(|account| account.kind == kind);
            if !is_fit || (kind == AccountKind::Grant && self.facts.grants.find(id).is_some()) {
                return Err(Refusal::UnknownAccount(id));
            }
        }
        let debited = post.legs.iter().map(|leg| leg.debit);
        self.open_accounts(debited.chain([give.wallet]))?;
        // Other servers must read the wallet's grants again: by its own line they see that something has changed.
        let seen = self.wallet(give.wallet)?.holding(0).ok_or(Refusal::Overflow)?;
        self.move_money(&post.legs, true)?;
        self.set_wallet(give.wallet, seen);
        let entry = GrantEntry {
            id: post.id,
            wallet: give.wallet,
            account: give.account,
            priority: give.priority,
            expires_us: give.expires_us,
        };
        self.facts.grants.insert(OpenGrant(entry));
        self.facts.grants.expiries.insert(OpenGrant(entry));
        self.plan.granted.push(OpenGrant(entry));
        self.plan.entries.push(Entry::Grant(entry));
        let transaction = TransactionEntry {
            id: post.id,
            kind: post.kind,
            hold: None,
            reverses: post.reverses,
            effective_us,
            meta: post.meta,
            legs: post.legs.clone(),
        };
        self.facts.known.insert(post.id, Known::Transaction(transaction.clone()));
        self.plan.entries.push(Entry::Transaction(transaction));
        Ok(Done::Posted)
    }

    /// Grants that have expired lapse, at most `count_max`: what is left and not held goes back. That a grant has lapsed is
    /// recorded even if nothing was left.
    pub(super) fn lapse_grants(&mut self, count_max: usize) -> Result<(), Refusal> {
        for expiry in self.facts.grants.expiries.due(self.now_us, count_max) {
            let (expires_us, grant, account) = expiry;
            // Another server may have been faster.
            if self.facts.grants.find(account).is_some() {
                let left = self.wallet(account)?.available().max(0);
                self.lapse(grant, account, left, expires_us)?;
                self.facts.grants.remove(account);
                self.plan.lapsed.push(Lapse { grant, account, left: Credits::from_micros(left) });
            }
            self.facts.grants.expiries.remove(&expiry);
        }
        Ok(())
    }

    /// What a hold gives back to a grant that has lapsed meanwhile goes on to the platform.
    pub(super) fn lapse_parts(&mut self, parts: &[HoldPart]) -> Result<(), Refusal> {
        for part in parts {
            let left = part.held.saturating_sub(part.captured);
            if let Some(grant) = part.grant.filter(|_| left > 0 && self.facts.grants.find(part.account).is_none()) {
                self.lapse(grant, part.account, left, self.now_us)?;
            }
        }
        Ok(())
    }

    fn lapse(&mut self, grant: EntryId, account: LedgerAccountId, left: i64, effective_us: i64) -> Result<(), Refusal> {
        let wallet = self.wallet(account)?;
        let amount = Credits::from_micros(left);
        let legs =
            if left > 0 { vec![Leg { debit: account, credit: LedgerAccountId::PROMO, amount }] } else { Vec::new() };
        self.move_money(&legs, false)?;
        // Its line changes even if nothing was left: whoever still takes it for open is told so by that.
        self.set_wallet(account, wallet.debited(left).ok_or(Refusal::Overflow)?);
        let id = lapse_id(grant, wallet.version);
        let kind = TransactionKind::Grant;
        let entry = TransactionEntry { id, kind, hold: None, reverses: Some(grant), effective_us, meta: None, legs };
        self.plan.entries.push(Entry::Transaction(entry));
        Ok(())
    }

    /// That none of `ids` is unknown or the account of a grant: those take part in nothing by themselves.
    pub(super) fn no_grants(&self, ids: impl IntoIterator<Item = LedgerAccountId>) -> Result<(), Refusal> {
        for id in ids {
            let account = self.facts.accounts.get(&id);
            if account.is_none_or(|account| account.kind == AccountKind::Grant) {
                return Err(Refusal::UnknownAccount(id));
            }
        }
        Ok(())
    }

    /// Records that a period is closed. What it contains was decided by its cut.
    pub fn close_period(&mut self, close: &PeriodClose) -> Result<Done, Refusal> {
        if close.end_us > self.now_us {
            return Err(Refusal::OutOfRange);
        }
        self.plan.entries.push(Entry::Close(close.clone()));
        Ok(Done::Posted)
    }
}
