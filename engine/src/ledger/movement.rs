//! What can be asked about money that has moved before: taking it back, collecting it, paying it out.
//!
//! A correction is a transaction of its own that names the one it takes back. How much of that one has been taken back
//! so far is kept as a running total beside the books, and no total ever exceeds what moved.

use std::collections::BTreeSet;

use super::{
    accounts::LedgerAccountId,
    command::TransactionKind,
    facts::{Facts, Known},
    leaf::{Bytes, Digest, sha256},
};
use crate::{credits::Credits, id::EntryId};

/// Gives back a part of a charge, or all that is left of it. Every party gives its share of what goes back; what a
/// publisher's payable no longer covers, the publisher owes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refund {
    /// The refund's identifier.
    pub id: EntryId,
    /// The charge: a call's carries the identifier of the call.
    pub of: EntryId,
    /// Micro-credits; above zero. `None`: all that is left.
    pub amount: Option<Credits>,
    /// Digest of whatever the caller wants bound to it.
    pub meta: Option<Digest>,
}

/// Takes a whole transaction back: the same postings with the sides changed, the last one first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revert {
    /// The reversal's identifier.
    pub id: EntryId,
    /// The transaction of which nothing was taken back so far.
    pub of: EntryId,
    /// As in [`Refund::meta`].
    pub meta: Option<Digest>,
}

/// Collects an amount from several accounts: each gives what it has before the next one is asked. An account without a
/// limit gives whatever is still missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collect {
    /// The transaction's identifier.
    pub id: EntryId,
    /// Why.
    pub kind: TransactionKind,
    /// Who is asked, in this order.
    pub sources: Vec<LedgerAccountId>,
    /// Who gets it.
    pub to: LedgerAccountId,
    /// Micro-credits; above zero.
    pub amount: Credits,
    /// Less is taken if less is there. Otherwise that is a refusal.
    pub is_at_most: bool,
    /// The transaction that it takes back.
    pub reverses: Option<EntryId>,
    /// As in [`Refund::meta`].
    pub meta: Option<Digest>,
}

/// Reserves what a wallet has, up to an amount, until somebody settles it. Never refused for want of money: what was
/// not there is not reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Secure {
    /// The hold's identifier.
    pub id: EntryId,
    /// Whose money.
    pub wallet: LedgerAccountId,
    /// Who might get it.
    pub payee: LedgerAccountId,
    /// Micro-credits; above zero.
    pub at_most: Credits,
    /// As in [`Refund::meta`].
    pub meta: Option<Digest>,
}

/// Pays out what somebody has earned. What they owe is taken off first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payout {
    /// The payout's identifier.
    pub id: EntryId,
    /// A publisher's payable or a partner's margin.
    pub from: LedgerAccountId,
    /// Through which account the money leaves.
    pub to: LedgerAccountId,
    /// Micro-credits; above zero. `None`: all that is there.
    pub amount: Option<Credits>,
    /// As in [`Refund::meta`].
    pub meta: Option<Digest>,
}

/// How much of a transaction has been taken back, in micro-credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RefundTotal {
    /// What it moved.
    pub captured: i64,
    /// What went back.
    pub refunded: i64,
}

impl RefundTotal {
    /// What can still go back.
    pub const fn left(&self) -> i64 {
        self.captured.saturating_sub(self.refunded)
    }
}

/// What an unlimited account received and spent, over all slots, in micro-credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Turnover {
    /// Received.
    pub credits: i64,
    /// Spent.
    pub debits: i64,
}

/// What a payout was worked out from, and what came of it. Bound to the payout's transaction by its digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement {
    /// Whose.
    pub account: LedgerAccountId,
    /// What the account had received before, since it was opened.
    pub credits: i64,
    /// What it had spent before, since it was opened.
    pub debits: i64,
    /// Kept for what was owed.
    pub netted: i64,
    /// Paid.
    pub paid: i64,
    /// The digest that the caller wanted bound to it.
    pub note: Option<Digest>,
}

impl Statement {
    /// What the transaction carries as its digest of metadata.
    pub fn digest(&self) -> Digest {
        let mut bytes = Vec::with_capacity(73);
        let mut writer = Bytes(&mut bytes);
        for number in [self.account.raw(), self.credits, self.debits, self.netted, self.paid] {
            writer.int(number);
        }
        bytes.push(u8::from(self.note.is_some()));
        bytes.extend(self.note.unwrap_or_default());
        sha256(&bytes)
    }
}

impl TransactionKind {
    /// Whether such a transaction follows rules of its own, so that nobody may post it freely.
    pub const fn has_own_rules(self) -> bool {
        match self {
            Self::Charge | Self::Refund | Self::Payout | Self::Chargeback | Self::Reversal => true,
            Self::Purchase | Self::Grant | Self::Adjustment | Self::Opening | Self::Transfer | Self::Fact => false,
        }
    }

    /// Whether such a transaction takes another one back, so that it counts in that one's [`RefundTotal`].
    pub const fn takes_back(self) -> bool {
        matches!(self, Self::Refund | Self::Chargeback | Self::Reversal)
    }
}

impl Facts {
    /// The accounts that taking `of` back may touch, as far as it is known what `of` names.
    pub fn parties_of(&self, of: EntryId) -> BTreeSet<LedgerAccountId> {
        let mut parties = BTreeSet::new();
        for id in [Some(of), self.charged_hold(of)].into_iter().flatten() {
            match self.known.get(&id) {
                Some(Known::Transaction(entry)) => {
                    parties.extend(entry.legs.iter().flat_map(|leg| [leg.debit, leg.credit]));
                }
                Some(Known::Hold(hold, _)) => {
                    let partner = hold.partner.unwrap_or(LedgerAccountId::PLATFORM_FEE);
                    parties.extend([hold.wallet, hold.payee, partner, LedgerAccountId::PLATFORM_FEE]);
                    parties.extend(hold.sources.iter().map(|source| source.account));
                }
                Some(Known::Settlement(_)) | None => {}
            }
        }
        let debtors: Vec<_> = parties.iter().map(|id| id.receivable()).collect();
        parties.extend(debtors);
        parties
    }

    /// The hold that the charge `of` charges, where that has another name.
    pub fn charged_hold(&self, of: EntryId) -> Option<EntryId> {
        match self.known.get(&of) {
            Some(Known::Transaction(entry)) => entry.hold,
            Some(Known::Hold(..) | Known::Settlement(_)) | None => None,
        }
    }
}
