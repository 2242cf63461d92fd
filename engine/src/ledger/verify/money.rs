//! Adds up what the books say: balances, counters, open holds; and checks that every charge is what its hold agreed to.

use std::collections::{BTreeMap, HashMap, hash_map::Entry as MapEntry};

use super::{ProblemKind, Problems, key_of};
use crate::{
    credits::Credits,
    id::EntryId,
    ledger::{
        accounts::{AccountKind, LedgerAccountId},
        caps::CounterKey,
        command::{Leg, OnExpiry, TransactionKind},
        facts::OpenHold,
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
    legs: Option<[Leg; 3]>,
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
    pub(super) holds: HashMap<EntryId, OpenHold>,
    /// By the hold.
    early: HashMap<EntryId, Early>,
    due: Option<DueCharge>,
}

impl Money {
    pub(super) fn account(&mut self, id: LedgerAccountId, kind: AccountKind, code: &str, problems: &mut Problems) {
        let class = kind.code("");
        let belongs = code.strip_prefix(&class).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'));
        let is_right = LedgerAccountId::WELL_KNOWN.iter().all(|(known, wanted)| *known != id || *wanted == kind);
        if !belongs || !is_right {
            problems.add(ProblemKind::AccountMismatch, "ledger_account", id, || {
                format!("`kind` is {} (`{class}`), `code` is `{code}`", kind.raw())
            });
        }
        self.accounts.insert(id, Account { kind: Some(kind), sums: Sums::default() });
    }

    pub(super) fn entry(&mut self, position: Position, recorded_us: i64, entry: Entry, problems: &mut Problems) {
        match entry {
            Entry::Transaction(transaction) => self.transaction(position, &transaction, problems),
            Entry::Hold(hold) => {
                self.report_due_charge(problems);
                self.hold(position, recorded_us, hold, problems);
            }
            Entry::Settlement(settlement) => {
                self.report_due_charge(problems);
                self.settlement(position, &settlement, problems);
            }
            Entry::Refusal(_) => self.report_due_charge(problems),
        }
    }

    /// The next row cannot be read: it may be the charge.
    pub(super) fn forget_due_charge(&mut self) {
        self.due = None;
    }

    /// The slot's entries are over.
    pub(super) fn end_slot(&mut self, slot: i64, problems: &mut Problems) {
        self.report_due_charge(problems);
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
        for (ord, leg) in transaction.legs.iter().enumerate() {
            let amount = i128::from(leg.amount.micros());
            let mut unknown = |id: LedgerAccountId| {
                problems.add(ProblemKind::UnknownAccount, "posting", format!("{}/{ord}", key_of(position)), || {
                    format!("there is no account {id}")
                });
            };
            let debited = self.accounts.entry(leg.debit).or_default();
            debited.sums.debits = debited.sums.debits.saturating_add(amount);
            if debited.kind.is_none() {
                unknown(leg.debit);
            }
            let credited = self.accounts.entry(leg.credit).or_default();
            credited.sums.credits = credited.sums.credits.saturating_add(amount);
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
        let amount = i128::from(hold.amount.micros());
        self.reserve(&hold, amount);
        if let Some(before) = self.holds.insert(id, OpenHold { entry: hold, expires_us }) {
            let amount = i128::from(before.entry.amount.micros());
            self.reserve(&before.entry, amount.saturating_neg());
            problems.add(ProblemKind::DuplicateId, "hold", key_of(position), || format!("{id} is open already"));
        }
        // Within a slot the order is that of time.
        if self.early.get(&id).is_some_and(|early| early.at.slot != position.slot)
            && let (Some(early), Some(open)) = (self.early.remove(&id), self.holds.remove(&id))
        {
            let legs = self.end_hold(open.entry, early.at, &early.entry, problems);
            if let (Some(legs), Some((charge_at, charged))) = (legs, early.charge)
                && !agree(&legs, &charged)
            {
                problems.add(ProblemKind::SettlementMismatch, "txn", key_of(charge_at), || NOT_THE_SHARES.to_owned());
            }
        }
    }

    /// Changes what is reserved for `hold` by `amount`.
    fn reserve(&mut self, hold: &HoldEntry, amount: i128) {
        let wallet = self.accounts.entry(hold.wallet).or_default();
        wallet.sums.held = wallet.sums.held.saturating_add(amount);
        for key in &hold.counters {
            let counter = self.counters.entry(*key).or_default();
            counter.held = counter.held.saturating_add(amount);
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
    ) -> Option<[Leg; 3]> {
        if let Some(fault) = find_fault(&hold, settlement) {
            problems.add(ProblemKind::SettlementMismatch, "hold_resolution", key_of(position), || fault);
        }
        let captured = i128::from(settlement.captured.micros());
        self.reserve(&hold, i128::from(hold.amount.micros()).saturating_neg());
        for key in &hold.counters {
            let counter = self.counters.entry(*key).or_default();
            counter.spent = counter.spent.saturating_add(captured);
        }
        legs_of(&hold, settlement.captured)
    }
}

fn report_not_open(settlement: Position, hold: EntryId, problems: &mut Problems) {
    problems.add(ProblemKind::DoubleSettlement, "hold_resolution", key_of(settlement), || {
        format!("{hold} is not open: it ended before, or was never placed")
    });
}

fn due_charge(settlement: Position, entry: &SettlementEntry, legs: Option<[Leg; 3]>) -> DueCharge {
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

/// The postings of a charge: publisher, partner, platform. Those of nothing are not posted.
fn legs_of(hold: &HoldEntry, captured: Credits) -> Option<[Leg; 3]> {
    let shares = split(captured, hold.shares).ok()?;
    let leg = |credit, amount| Leg { debit: hold.wallet, credit, amount };
    Some([
        leg(hold.payee, shares.publisher),
        leg(hold.partner.unwrap_or(LedgerAccountId::PLATFORM_FEE), shares.partner),
        leg(LedgerAccountId::PLATFORM_FEE, shares.platform),
    ])
}

const NOT_THE_SHARES: &str = "the postings are not the shares of what was captured";

/// Whether `charged` are the postings of a charge; those of nothing are left out.
fn agree(legs: &[Leg; 3], charged: &[Leg]) -> bool {
    legs.iter().filter(|leg| leg.amount > Credits::ZERO).eq(charged)
}

fn check_charge(position: Position, charge: &TransactionEntry, due: &DueCharge, problems: &mut Problems) {
    let fault = if charge.kind != TransactionKind::Charge {
        "the transaction after a capture is no charge"
    } else if charge.id != due.id {
        "the charge does not carry the settlement's identifier"
    } else if charge.meta != due.meta {
        "the charge does not carry the settlement's metadata"
    } else if !due.legs.as_ref().is_none_or(|legs| agree(legs, &charge.legs)) {
        NOT_THE_SHARES
    } else {
        return;
    };
    problems.add(ProblemKind::SettlementMismatch, "txn", key_of(position), || fault.to_owned());
}
