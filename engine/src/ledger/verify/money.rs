//! Adds up what the books say: balances, counters, open holds; and checks that every charge is what its hold agreed to.

use std::collections::{BTreeMap, HashMap, hash_map::Entry as MapEntry};

use super::{ProblemKind, Problems, grants::Grants, key_of, periods::Periods};
use crate::{
    credits::Credits,
    id::EntryId,
    ledger::{
        accounts::{AccountKind, LedgerAccountId},
        caps::CounterKey,
        command::{Leg, OnExpiry, TransactionKind},
        facts::OpenHold,
        grants::GrantEntry,
        leaf::{Digest, Entry, HoldEntry, Position, Settled, SettlementEntry, TransactionEntry},
    },
    pricing::split,
};

/// Sums of one account, in micro-credits. Wider than what is stored: damaged values must not overflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Sums {
    pub(super) credits: i128,
    pub(super) debits: i128,
    pub(super) held: i128,
}

/// Sums of one counter, in micro-credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct CounterSums {
    pub(super) spent: i128,
    pub(super) held: i128,
}

#[derive(Debug, Default)]
pub(super) struct Account {
    /// `None`: no such account, but an entry names it.
    pub(super) kind: Option<AccountKind>,
    /// Of wallets over all slots, of others in the slot that is being read.
    pub(super) sums: Sums,
}

/// The charge that must follow the settlement just read.
#[derive(Debug)]
struct DueCharge {
    settlement: Position,
    id: EntryId,
    hold: EntryId,
    meta: Option<Digest>,
    /// `None`: the shares cannot be computed, which was reported, or the hold was not read yet.
    legs: Option<Vec<Leg>>,
}

/// A settlement that was read and whose hold was not yet: every slot has an order of its own, and a server may end the
/// holds of another one's slot.
#[derive(Debug)]
struct Early {
    at: Position,
    entry: SettlementEntry,
    /// The postings of its charge, which only the hold can tell to be right, and where they are.
    charge: Option<(Position, Vec<Leg>)>,
}

#[derive(Debug, Default)]
pub(super) struct Money {
    pub(super) accounts: HashMap<LedgerAccountId, Account>,
    /// Sums of unlimited accounts by slot.
    pub(super) hot: BTreeMap<(LedgerAccountId, i64), Sums>,
    pub(super) counters: HashMap<CounterKey, CounterSums>,
    /// Up to and including which entry of a slot counters are added up; of a slot that is not in it, to the end.
    pub(super) counted: BTreeMap<i64, i64>,
    pub(super) holds: HashMap<EntryId, OpenHold>,
    /// By the hold.
    early: HashMap<EntryId, Early>,
    due: Option<DueCharge>,
    pub(super) grants: Grants,
    pub(super) periods: Periods,
}

impl Money {
    pub(super) fn account(&mut self, id: LedgerAccountId, kind: AccountKind, code: &str, problems: &mut Problems) {
        let class = kind.code("");
        let belongs = kind.has_code(code);
        let is_right = LedgerAccountId::WELL_KNOWN.iter().all(|(known, wanted)| *known != id || *wanted == kind);
        if !belongs || !is_right {
            problems.add(ProblemKind::AccountMismatch, "ledger_account", id, || {
                format!("`kind` is {} (`{class}`), `code` is `{code}`", kind.raw())
            });
        }
        self.accounts.insert(id, Account { kind: Some(kind), sums: Sums::default() });
    }

    pub(super) fn entry(&mut self, position: Position, recorded_us: i64, entry: Entry, problems: &mut Problems) {
        if !matches!(entry, Entry::Transaction(_)) {
            self.grants.report_due(problems);
        }
        match entry {
            Entry::Transaction(transaction) => self.transaction(position, &transaction, problems),
            Entry::Hold(hold) => {
                self.report_due_charge(problems);
                self.grants.hold(position, recorded_us, &hold, problems);
                self.hold(position, recorded_us, hold, problems);
            }
            Entry::Settlement(settlement) => {
                self.report_due_charge(problems);
                self.settlement(position, &settlement, problems);
            }
            Entry::Refusal(_) => self.report_due_charge(problems),
            Entry::Grant(grant) => {
                self.report_due_charge(problems);
                self.grant(position, grant, problems);
            }
            Entry::Close(close) => {
                self.report_due_charge(problems);
                self.periods.close(position, recorded_us, &close, problems);
            }
        }
    }

    /// The next row cannot be read: it may be the charge.
    pub(super) fn forget_due_charge(&mut self) {
        self.due = None;
        self.grants.forget_due();
    }

    /// The slot's entries are over.
    pub(super) fn end_slot(&mut self, slot: i64, problems: &mut Problems) {
        self.report_due_charge(problems);
        self.grants.report_due(problems);
        for (id, account) in &mut self.accounts {
            if !account.kind.is_some_and(AccountKind::is_limited) && account.sums != Sums::default() {
                self.hot.insert((*id, slot), std::mem::take(&mut account.sums));
            }
        }
    }

    /// There are no more entries: what is still early has no hold, or a second one has ended it.
    pub(super) fn end_books(&mut self, problems: &mut Problems) {
        let mut unheld: Vec<_> = self.early.drain().map(|(hold, early)| (early.at, hold)).collect();
        unheld.sort_unstable();
        for (at, hold) in unheld {
            report_not_open(at, hold, problems);
        }
        self.grants.end_books(problems);
    }

    /// Credits that expire are in an account of their own, beside a wallet.
    fn grant(&mut self, position: Position, grant: GrantEntry, problems: &mut Problems) {
        for (id, wanted) in [(grant.wallet, AccountKind::Wallet), (grant.account, AccountKind::Grant)] {
            let kind = self.accounts.get(&id).and_then(|account| account.kind);
            if kind != Some(wanted) {
                problems.add(ProblemKind::UnknownAccount, "wallet_grant", key_of(position), || {
                    format!("account {id} is none of {}", wanted.code(""))
                });
            }
        }
        self.grants.given(position, grant, problems);
    }

    fn report_due_charge(&mut self, problems: &mut Problems) {
        if let Some(due) = self.due.take() {
            problems.add(ProblemKind::SettlementMismatch, "hold_resolution", key_of(due.settlement), || {
                "the charge does not follow".to_owned()
            });
        }
    }

    fn transaction(&mut self, position: Position, transaction: &TransactionEntry, problems: &mut Problems) {
        if let Some(hold) = transaction.hold {
            match self.due.take() {
                Some(due) if due.hold == hold => {
                    check_charge(position, transaction, &due, problems);
                    if let Some(early) = self.early.get_mut(&hold).filter(|early| early.at == due.settlement) {
                        early.charge = Some((position, transaction.legs.clone()));
                    }
                }
                due => {
                    self.due = due;
                    problems.add(ProblemKind::SettlementMismatch, "txn", key_of(position), || {
                        format!("charges {hold}, which was not captured right before")
                    });
                }
            }
        }
        self.report_due_charge(problems);
        self.grants.transaction(position, transaction, problems);
        let when = (position, transaction.effective_us);
        for (ord, leg) in transaction.legs.iter().enumerate() {
            let amount = i128::from(leg.amount.micros());
            let mut unknown = |id: LedgerAccountId| {
                problems.add(ProblemKind::UnknownAccount, "posting", format!("{}/{ord}", key_of(position)), || {
                    format!("there is no account {id}")
                });
            };
            let debited = self.accounts.entry(leg.debit).or_default();
            debited.sums.debits = debited.sums.debits.saturating_add(amount);
            self.periods.moved(when, (leg.debit, debited.kind), amount, false);
            if debited.kind.is_none() {
                unknown(leg.debit);
            }
            let credited = self.accounts.entry(leg.credit).or_default();
            credited.sums.credits = credited.sums.credits.saturating_add(amount);
            self.periods.moved(when, (leg.credit, credited.kind), amount, true);
            if credited.kind.is_none() {
                unknown(leg.credit);
            }
        }
    }

    fn hold(&mut self, position: Position, recorded_us: i64, hold: HoldEntry, problems: &mut Problems) {
        for id in [Some(hold.wallet), Some(hold.payee), hold.partner].into_iter().flatten() {
            if self.accounts.get(&id).is_none_or(|account| account.kind.is_none()) {
                problems
                    .add(ProblemKind::UnknownAccount, "hold", key_of(position), || format!("there is no account {id}"));
            }
        }
        let expires_us = (hold.ttl_us > 0).then(|| recorded_us.saturating_add(hold.ttl_us));
        let id = hold.id;
        self.reserve(position, &hold, 1);
        if let Some(before) = self.holds.insert(id, OpenHold { entry: hold, expires_us }) {
            self.reserve(position, &before.entry, -1);
            problems.add(ProblemKind::DuplicateId, "hold", key_of(position), || format!("{id} is open already"));
        }
        // Within a slot the order is that of time.
        if self.early.get(&id).is_some_and(|early| early.at.slot != position.slot)
            && let (Some(early), Some(open)) = (self.early.remove(&id), self.holds.remove(&id))
        {
            let legs = self.end_hold(open.entry, early.at, &early.entry, problems);
            if let (Some(legs), Some((charge_at, charged))) = (legs, early.charge)
                && legs != charged
            {
                problems.add(ProblemKind::SettlementMismatch, "txn", key_of(charge_at), || NOT_THE_SHARES.to_owned());
            }
        }
    }

    /// The stored counters have to know of the entries of a slot up to this one.
    pub(super) fn count_to(&mut self, Position { slot, seq }: Position) {
        self.counted.insert(slot, seq);
    }

    /// Whether the stored counters have to know of the entry at `position`.
    fn is_counted(&self, position: Position) -> bool {
        self.counted.get(&position.slot).is_none_or(|counted| position.seq <= *counted)
    }

    /// Reserves what `hold` holds, `times` once or less one time: of its grants, of its wallet what they do not cover, and
    /// of its counters all of it. The entry at `position` does so.
    fn reserve(&mut self, position: Position, hold: &HoldEntry, times: i128) {
        let mut held = |id: LedgerAccountId, amount: i128| {
            let sums = &mut self.accounts.entry(id).or_default().sums;
            sums.held = sums.held.saturating_add(amount.saturating_mul(times));
        };
        let mut own = i128::from(hold.amount.micros());
        for source in &hold.sources {
            let part = i128::from(source.amount.micros());
            own = own.saturating_sub(part);
            held(source.account, part);
        }
        held(hold.wallet, own);
        if !self.is_counted(position) {
            return;
        }
        for key in &hold.counters {
            let counter = self.counters.entry(*key).or_default();
            counter.held = counter.held.saturating_add(i128::from(hold.amount.micros()).saturating_mul(times));
        }
    }

    fn settlement(&mut self, position: Position, settlement: &SettlementEntry, problems: &mut Problems) {
        let legs = if let Some(open) = self.holds.remove(&settlement.hold) {
            self.end_hold(open.entry, position, settlement, problems)
        } else {
            match self.early.entry(settlement.hold) {
                MapEntry::Vacant(place) => {
                    place.insert(Early { at: position, entry: settlement.clone(), charge: None });
                }
                MapEntry::Occupied(_) => report_not_open(position, settlement.hold, problems),
            }
            // Its charge, if any, cannot be checked against anything, or not yet.
            None
        };
        if settlement.captured > Credits::ZERO {
            self.due = Some(due_charge(position, settlement, legs));
        }
    }

    /// Checks how `hold` ended and returns the postings of its charge; `None`: they cannot be computed.
    fn end_hold(
        &mut self,
        hold: HoldEntry,
        position: Position,
        settlement: &SettlementEntry,
        problems: &mut Problems,
    ) -> Option<Vec<Leg>> {
        if let Some(fault) = find_fault(&hold, settlement) {
            problems.add(ProblemKind::SettlementMismatch, "hold_resolution", key_of(position), || fault);
        }
        let captured = i128::from(settlement.captured.micros());
        self.reserve(position, &hold, -1);
        if self.is_counted(position) {
            for key in &hold.counters {
                let counter = self.counters.entry(*key).or_default();
                counter.spent = counter.spent.saturating_add(captured);
            }
        }
        legs_of(&hold, settlement.captured)
    }
}

fn report_not_open(settlement: Position, hold: EntryId, problems: &mut Problems) {
    problems.add(ProblemKind::DoubleSettlement, "hold_resolution", key_of(settlement), || {
        format!("{hold} is not open: it ended before, or was never placed")
    });
}

fn due_charge(settlement: Position, entry: &SettlementEntry, legs: Option<Vec<Leg>>) -> DueCharge {
    DueCharge { settlement, id: entry.id, hold: entry.hold, meta: entry.meta, legs }
}

/// What the hold does not allow.
fn find_fault(hold: &HoldEntry, settlement: &SettlementEntry) -> Option<String> {
    let captured = settlement.captured;
    if captured < Credits::ZERO || captured > hold.amount {
        return Some(format!("{captured} captured of {} held", hold.amount));
    }
    let allowed = match (settlement.settled, hold.on_expiry) {
        (Settled::Captured, _) => return None,
        (Settled::Released, _) | (Settled::Expired, OnExpiry::Release) => Credits::ZERO,
        (Settled::CapturedAtExpiry, OnExpiry::Capture(amount)) => amount.min(hold.amount),
        (Settled::Expired, OnExpiry::Capture(_)) | (Settled::CapturedAtExpiry, OnExpiry::Release) => {
            return Some(format!("the hold does not allow to be {}", settlement.settled.as_str()));
        }
    };
    (captured != allowed).then(|| format!("{captured} captured, {} means {allowed}", settlement.settled.as_str()))
}

/// The postings of a charge: publisher, partner, platform, each out of the grants as far as they go and then out of the
/// wallet. Those of nothing are not posted.
fn legs_of(hold: &HoldEntry, captured: Credits) -> Option<Vec<Leg>> {
    let shares = split(captured, hold.shares).ok()?;
    let partner = hold.partner.unwrap_or(LedgerAccountId::PLATFORM_FEE);
    let mut purses: Vec<(LedgerAccountId, i64)> =
        hold.sources.iter().map(|source| (source.account, source.amount.micros())).collect();
    purses.push((hold.wallet, i64::MAX));
    let mut legs = Vec::with_capacity(3);
    for (credit, share) in
        [(hold.payee, shares.publisher), (partner, shares.partner), (LedgerAccountId::PLATFORM_FEE, shares.platform)]
    {
        let mut due = share.micros();
        for (debit, left) in &mut purses {
            let amount = due.min(*left);
            if amount > 0 {
                legs.push(Leg { debit: *debit, credit, amount: Credits::from_micros(amount) });
                due = due.saturating_sub(amount);
                *left = left.saturating_sub(amount);
            }
        }
    }
    Some(legs)
}

const NOT_THE_SHARES: &str = "the postings are not the shares of what was captured";

fn check_charge(position: Position, charge: &TransactionEntry, due: &DueCharge, problems: &mut Problems) {
    let fault = if charge.kind != TransactionKind::Charge {
        "the transaction after a capture is no charge"
    } else if charge.id != due.id {
        "the charge does not carry the settlement's identifier"
    } else if charge.meta != due.meta {
        "the charge does not carry the settlement's metadata"
    } else if due.legs.as_ref().is_some_and(|legs| *legs != charge.legs) {
        NOT_THE_SHARES
    } else {
        return;
    };
    problems.add(ProblemKind::SettlementMismatch, "txn", key_of(position), || fault.to_owned());
}
