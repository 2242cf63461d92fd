//! Checks what went back and what was paid out: no more than moved, by everybody in their share, and as it is kept beside
//! the books.
//!
//! The totals and the statements are fed before the books: so it is known which transactions to remember, and memory
//! grows with what was taken back, not with the postings. In which order several slots took something back from the same
//! transaction cannot be told, and does not matter: all of it together has to be shared as one.

use std::collections::{BTreeMap, HashMap};

use super::{ProblemKind, Problems, key_of};
use crate::{
    id::EntryId,
    ledger::{
        accounts::LedgerAccountId,
        command::{Leg, TransactionKind},
        grants::GrantEntry,
        leaf::{Position, TransactionEntry},
        movement::{RefundTotal, Statement},
    },
};

const REVERSAL: ProblemKind = ProblemKind::ReversalMismatch;

/// A transaction of which something was taken back.
#[derive(Debug, Default)]
struct TakenBack {
    stored: Option<RefundTotal>,
    /// What it is, and its postings.
    target: Option<(TransactionKind, Vec<Leg>)>,
    /// What took something back last, for reports.
    by: Option<Position>,
    amount: i128,
    /// A chargeback took from whoever had something: there are no shares.
    has_chargeback: bool,
    /// Who gave how much back, and to whom.
    given: BTreeMap<(LedgerAccountId, LedgerAccountId), i128>,
}

/// What was taken back and paid out, as far as it was read.
#[derive(Debug, Default)]
pub(super) struct Movements {
    taken_back: HashMap<EntryId, TakenBack>,
    statements: HashMap<EntryId, Statement>,
    /// The wallets of the grants, by the grants' accounts.
    grants: HashMap<LedgerAccountId, LedgerAccountId>,
}

impl Movements {
    pub(super) fn grant(&mut self, grant: &GrantEntry) {
        self.grants.insert(grant.account, grant.wallet);
    }

    pub(super) fn total(&mut self, id: EntryId, total: RefundTotal) {
        self.taken_back.entry(id).or_default().stored = Some(total);
    }

    pub(super) fn statement(&mut self, id: EntryId, statement: Statement) {
        self.statements.insert(id, statement);
    }

    pub(super) fn transaction(&mut self, at: Position, entry: &TransactionEntry, problems: &mut Problems) {
        if let Some(taken) = self.taken_back.get_mut(&entry.id) {
            taken.target = Some((entry.kind, entry.legs.clone()));
        }
        if entry.kind.takes_back() && entry.hold.is_none() {
            match entry.reverses {
                Some(of) => self.take_back(of, at, entry),
                None => problems.add(REVERSAL, "txn", key_of(at), || "it does not say what it takes back".to_owned()),
            }
        }
        if entry.kind == TransactionKind::Payout {
            match self.statements.remove(&entry.id) {
                Some(statement) => check_payout(at, entry, &statement, problems),
                None => problems
                    .add(ProblemKind::ProjectionMismatch, "payout", entry.id, || "the row is missing".to_owned()),
            }
        }
    }

    fn take_back(&mut self, of: EntryId, at: Position, entry: &TransactionEntry) {
        let taken = self.taken_back.entry(of).or_default();
        taken.by = Some(at);
        taken.has_chargeback |= entry.kind == TransactionKind::Chargeback;
        for leg in &entry.legs {
            let amount = i128::from(leg.amount.micros());
            taken.amount = taken.amount.saturating_add(amount);
            let given = taken.given.entry((leg.debit, leg.credit)).or_default();
            *given = given.saturating_add(amount);
        }
    }

    /// After the last entry of the last slot.
    pub(super) fn end_books(&mut self, problems: &mut Problems) {
        let mut taken_back: Vec<_> = self.taken_back.drain().collect();
        taken_back.sort_unstable_by_key(|(id, _)| *id);
        for (id, taken) in taken_back {
            check_total(id, &taken, problems);
            check_shares(id, taken, &self.grants, problems);
        }
        let mut left: Vec<_> = self.statements.drain().map(|(id, _)| id).collect();
        left.sort_unstable();
        for id in left {
            problems.add(ProblemKind::ProjectionMismatch, "payout", id, || "the books know no such payout".to_owned());
        }
    }
}

fn check_payout(at: Position, entry: &TransactionEntry, statement: &Statement, problems: &mut Problems) {
    if entry.meta != Some(statement.digest()) {
        problems.add(ProblemKind::ProjectionMismatch, "payout", entry.id, || {
            "the row is not what the payout's transaction carries the digest of".to_owned()
        });
    }
    let debtor = statement.account.receivable();
    let kept: i128 = sum(entry.legs.iter().filter(|leg| leg.credit == debtor));
    let paid: i128 = sum(entry.legs.iter().filter(|leg| leg.credit != debtor));
    let is_its_own = entry.legs.iter().all(|leg| leg.debit == statement.account);
    if !is_its_own || kept != i128::from(statement.netted) || paid != i128::from(statement.paid) {
        problems.add(REVERSAL, "txn", key_of(at), || {
            format!("the postings are not those of a payout of {} after {} owed", statement.paid, statement.netted)
        });
    }
}

fn sum<'l>(legs: impl IntoIterator<Item = &'l Leg>) -> i128 {
    legs.into_iter().fold(0, |sum, leg| sum.saturating_add(leg.amount.micros().into()))
}

fn check_total(id: EntryId, taken: &TakenBack, problems: &mut Problems) {
    const TOTAL: (ProblemKind, &str) = (ProblemKind::ProjectionMismatch, "refund_total");
    let Some(stored) = taken.stored else {
        problems.add(TOTAL.0, TOTAL.1, id, || "the row is missing".to_owned());
        return;
    };
    problems.compare(TOTAL, id, "refunded", (i128::from(stored.refunded), taken.amount));
    match &taken.target {
        Some((_, legs)) => problems.compare(TOTAL, id, "captured", (i128::from(stored.captured), sum(legs))),
        None => problems.add(TOTAL.0, TOTAL.1, id, || "the books know no such transaction".to_owned()),
    }
}

/// That everybody gave back their share of what went back in all.
fn check_shares(
    id: EntryId,
    taken: TakenBack,
    grants: &HashMap<LedgerAccountId, LedgerAccountId>,
    problems: &mut Problems,
) {
    // What a grant paid goes back to it or, when it has expired, to its wallet.
    let owner = |account: LedgerAccountId| grants.get(&account).copied().unwrap_or(account);
    let (Some((_, legs)), Some(by)) = (taken.target, taken.by) else { return };
    if taken.amount > sum(&legs) {
        problems.add(REVERSAL, "txn", key_of(by), || format!("more of {id} went back than it moved"));
        return;
    }
    if taken.has_chargeback {
        return;
    }
    let mut expected: BTreeMap<(LedgerAccountId, LedgerAccountId), i128> = BTreeMap::new();
    let parties: Vec<&[Leg]> = legs.chunk_by(|one, next| one.credit == next.credit).collect();
    let sums: Vec<i128> = parties.iter().map(|legs| sum(*legs)).collect();
    for (legs, back) in parties.into_iter().zip(in_proportion(&sums, taken.amount)) {
        let parts: Vec<i128> = legs.iter().map(|leg| leg.amount.micros().into()).collect();
        for (leg, back) in legs.iter().zip(in_proportion(&parts, back)) {
            let share = expected.entry((leg.credit, owner(leg.debit))).or_default();
            *share = share.saturating_add(back);
        }
    }
    let mut given: BTreeMap<(LedgerAccountId, LedgerAccountId), i128> = BTreeMap::new();
    for ((giver, receiver), amount) in taken.given {
        let receiver = owner(receiver);
        // What a payable did not cover, its publisher owes.
        let stands_in = |party: LedgerAccountId| party == giver || party.receivable() == giver;
        let party = expected.keys().find(|(party, to)| *to == receiver && stands_in(*party));
        let share = given.entry(party.copied().unwrap_or((giver, receiver))).or_default();
        *share = share.saturating_add(amount);
    }
    expected.retain(|_, amount| *amount != 0);
    if given != expected {
        problems.add(REVERSAL, "txn", key_of(by), || format!("what went back of {id} is not everybody's share"));
    }
}

/// Shares `amount` in the proportion of `parts`: each is rounded up, the next one shares the rest.
fn in_proportion(parts: &[i128], amount: i128) -> Vec<i128> {
    let (mut whole, mut rest) = (parts.iter().fold(0_i128, |sum, part| sum.saturating_add(*part)), amount);
    let share = |part: &i128| {
        let product = rest.saturating_mul(*part);
        let has_rest = product.checked_rem(whole).is_some_and(|rest| rest != 0);
        let share = product.checked_div(whole).unwrap_or(0).saturating_add(has_rest.into());
        (whole, rest) = (whole.saturating_sub(*part), rest.saturating_sub(share));
        share
    };
    parts.iter().map(share).collect()
}
