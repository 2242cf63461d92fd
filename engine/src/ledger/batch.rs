//! The decision of a batch: a pure function from facts and requests to answers and a plan.
//!
//! Requests are decided in the order of their arrival, each on the facts that the ones before it left. A refused request
//! changes nothing but the list of refusals. Every check stands before the first change.

use std::collections::BTreeMap;

use super::{
    accounts::{AccountKind, LedgerAccountId},
    command::Leg,
    facts::{Facts, Known, Wallet},
    leaf::{Entry, RefusalEntry, Settled},
    plan::{HotDelta, Plan},
    refusal::{Limit, Refusal},
};
use crate::{credits::Credits, id::EntryId};

mod calls;
mod grants;
mod money;
mod replay;

pub use calls::{Begin, Begun, Ended, Finish, KeyEnd, Outcome, RenderBody};

/// What a plain ledger command did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// The money moved.
    Posted,
    /// The money is reserved.
    Held,
    /// The hold has ended.
    Settled {
        /// How.
        settled: Settled,
        /// Micro-credits charged.
        captured: Credits,
    },
    /// The same command was carried out before; nothing new happened.
    Exists,
}

/// Decides requests one after the other.
#[derive(Debug)]
pub struct Batch<'a> {
    facts: &'a mut Facts,
    now_us: i64,
    epoch: i64,
    plan: Plan,
}

impl<'a> Batch<'a> {
    /// Starts a batch at `now_us` (microseconds since the Unix epoch) for a writer in its term `epoch`.
    pub fn new(facts: &'a mut Facts, now_us: i64, epoch: i64) -> Self {
        Self { facts, now_us, epoch, plan: Plan::default() }
    }

    /// The facts as they stand after the requests so far.
    pub fn facts(&self) -> &Facts {
        self.facts
    }

    /// What is to be written.
    pub fn into_plan(self) -> Plan {
        self.plan
    }

    fn record_refusal(
        &mut self,
        id: EntryId,
        wallet: Option<LedgerAccountId>,
        needed: Credits,
        decided: Result<Done, Refusal>,
    ) -> Result<Done, Refusal> {
        if let Err(refusal) = decided {
            self.plan.entries.push(Entry::Refusal(RefusalEntry { id, wallet, reason: refusal.as_str(), needed }));
        }
        decided
    }

    fn known(&self, id: EntryId) -> Option<Known> {
        let open = || self.facts.holds.get(&id).map(|open| Known::Hold(open.entry.clone(), None));
        self.facts.known.get(&id).cloned().or_else(open)
    }

    /// That all of `ids` exist, and then that all of them are open. The account of a grant is open until that expires.
    fn open_accounts(&self, ids: impl IntoIterator<Item = LedgerAccountId>) -> Result<(), Refusal> {
        let mut closed = None;
        for id in ids {
            match self.facts.accounts.get(&id) {
                None => return Err(Refusal::UnknownAccount(id)),
                Some(account) if account.is_closed || self.is_over(id, account.kind) => closed = closed.or(Some(id)),
                Some(_) => {}
            }
        }
        closed.map_or(Ok(()), |id| Err(Refusal::AccountClosed(id)))
    }

    /// Whether it is the account of a grant that cannot be spent any more.
    fn is_over(&self, id: LedgerAccountId, kind: AccountKind) -> bool {
        kind == AccountKind::Grant && self.facts.grants.find(id).is_none_or(|grant| !grant.is_live(self.now_us))
    }

    fn wallet(&self, id: LedgerAccountId) -> Result<Wallet, Refusal> {
        self.facts.wallets.get(&id).copied().ok_or(Refusal::UnknownAccount(id))
    }

    fn set_wallet(&mut self, id: LedgerAccountId, wallet: Wallet) {
        self.facts.wallets.insert(id, wallet);
        self.plan.wallets.insert(id);
    }

    /// Applies `legs` one after the other on a copy; takes the copy over only if every leg fits.
    fn move_money(&mut self, legs: &[Leg], debits_too: bool) -> Result<(), Refusal> {
        let mut wallets: Vec<(LedgerAccountId, Wallet)> = Vec::new();
        let mut hot: BTreeMap<LedgerAccountId, HotDelta> = BTreeMap::new();
        let so_far = |id: LedgerAccountId| self.plan.hot.get(&id).copied().unwrap_or_default();
        for leg in legs {
            let amount = leg.amount.micros();
            if debits_too {
                if let Some(wallet) = self.scratch_wallet(&mut wallets, leg.debit) {
                    let available = Credits::from_micros(wallet.available());
                    if leg.amount > available {
                        return Err(insufficient(Limit::Wallet(leg.debit), leg.amount, available));
                    }
                    *wallet = wallet.debited(amount).ok_or(Refusal::Overflow)?;
                } else {
                    let delta = hot.entry(leg.debit).or_insert_with(|| so_far(leg.debit));
                    delta.debits = delta.debits.checked_add(amount).ok_or(Refusal::Overflow)?;
                }
            }
            if let Some(wallet) = self.scratch_wallet(&mut wallets, leg.credit) {
                *wallet = wallet.credited(amount).ok_or(Refusal::Overflow)?;
            } else {
                let delta = hot.entry(leg.credit).or_insert_with(|| so_far(leg.credit));
                delta.credits = delta.credits.checked_add(amount).ok_or(Refusal::Overflow)?;
            }
        }
        self.plan.hot.extend(hot);
        for (id, wallet) in wallets {
            self.set_wallet(id, wallet);
        }
        Ok(())
    }

    /// The working copy of a wallet; `None` for accounts without a limit.
    fn scratch_wallet<'w>(
        &self,
        wallets: &'w mut Vec<(LedgerAccountId, Wallet)>,
        id: LedgerAccountId,
    ) -> Option<&'w mut Wallet> {
        let at = if let Some(at) = wallets.iter().position(|(known, _)| *known == id) {
            at
        } else {
            wallets.push((id, *self.facts.wallets.get(&id)?));
            wallets.len().saturating_sub(1)
        };
        wallets.get_mut(at).map(|(_, wallet)| wallet)
    }
}

fn insufficient(limit: Limit, needed: Credits, available: Credits) -> Refusal {
    Refusal::Insufficient { limit, needed, available }
}

#[cfg(test)]
mod tests;
