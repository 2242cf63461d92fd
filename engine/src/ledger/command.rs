//! What the ledger can be asked to do. Every command carries its own identifier: sending it twice has one effect.

use super::{accounts::LedgerAccountId, caps::CapUse, leaf::Digest};
use crate::{credits::Credits, id::EntryId, pricing::ShareTerms};

/// One posting: `amount` leaves `debit` and arrives at `credit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leg {
    /// The account that is debited: a wallet gets poorer.
    pub debit: LedgerAccountId,
    /// The account that is credited.
    pub credit: LedgerAccountId,
    /// Micro-credits; above zero.
    pub amount: Credits,
}

/// Why money moved. The numbers are stored and hashed: they never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransactionKind {
    /// A customer bought credits.
    Purchase,
    /// Credits given by the platform.
    Grant,
    /// A call was paid.
    Charge,
    /// Part or all of a charge went back.
    Refund,
    /// An operator's correction.
    Adjustment,
    /// A publisher was paid.
    Payout,
    /// A payment was taken back by its provider.
    Chargeback,
    /// The exact opposite of an earlier transaction.
    Reversal,
    /// A balance carried in from elsewhere.
    Opening,
    /// Credits went between a partner's wallet and one of its end users'.
    Transfer,
    /// No money: what decides over money was made or changed ([`super::fact`]).
    Fact,
}

impl TransactionKind {
    const ALL: [(Self, i16, &'static str); 11] = [
        (Self::Purchase, 1, "purchase"),
        (Self::Grant, 2, "grant"),
        (Self::Charge, 3, "charge"),
        (Self::Refund, 4, "refund"),
        (Self::Adjustment, 5, "adjustment"),
        (Self::Payout, 6, "payout"),
        (Self::Chargeback, 7, "chargeback"),
        (Self::Reversal, 8, "reversal"),
        (Self::Opening, 9, "opening"),
        (Self::Transfer, 10, "transfer"),
        (Self::Fact, 20, "fact"),
    ];

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::ALL.iter().map(|(kind, ..)| *kind)
    }

    /// As the database stores it.
    pub fn raw(self) -> i16 {
        Self::ALL.iter().find(|(kind, ..)| *kind == self).map_or(0, |(_, raw, _)| *raw)
    }

    /// Reads what [`Self::raw`] wrote.
    pub fn from_raw(raw: i16) -> Option<Self> {
        Self::ALL.iter().find(|(_, stored, _)| *stored == raw).map(|(kind, ..)| *kind)
    }

    /// The word that reports use.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(kind, ..)| *kind == self).map_or("", |(.., word)| *word)
    }

    /// Reads what [`Self::as_str`] gives.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(.., known)| *known == word).map(|(kind, ..)| *kind)
    }
}

/// Moves money at once, all legs or none. No legs: the fact is recorded and nothing moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// The transaction's identifier.
    pub id: EntryId,
    /// Why.
    pub kind: TransactionKind,
    /// The postings, in the order in which they are numbered.
    pub legs: Vec<Leg>,
    /// The earlier transaction that this one takes back, wholly or in part.
    pub reverses: Option<EntryId>,
    /// When it counts for the business, in microseconds; when it was recorded is the ledger's own affair.
    pub effective_us: Option<i64>,
    /// Digest of whatever the caller wants bound to the transaction.
    pub meta: Option<Digest>,
}

/// What becomes of a hold that nobody settles in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnExpiry {
    /// The money goes back.
    Release,
    /// That many micro-credits are charged, the rest goes back: the call was priced by the attempt.
    Capture(Credits),
}

/// Reserves the worst case of a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceHold {
    /// The hold's identifier.
    pub id: EntryId,
    /// Whose money.
    pub wallet: LedgerAccountId,
    /// Who is to be paid: the publisher's payable account.
    pub payee: LedgerAccountId,
    /// The most that can be captured, in micro-credits.
    pub amount: Credits,
    /// How long the hold lives, in microseconds; 0 means for ever. An interval, not a date: the ledger's clock counts.
    pub ttl_us: i64,
    /// How a capture is shared out.
    pub shares: ShareTerms,
    /// The partner's margin account, where a partner brought the caller.
    pub partner: Option<LedgerAccountId>,
    /// What the sweep does when the time is over.
    pub on_expiry: OnExpiry,
    /// Every limit that this spending counts against.
    pub caps: Vec<CapUse>,
    /// As in [`Post::meta`].
    pub meta: Option<Digest>,
}

/// How much of a hold to capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaptureAmount {
    /// The whole hold.
    All,
    /// So many micro-credits; zero is legal and leaves a record.
    Exactly(Credits),
}

/// What to do with a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettleAction {
    /// Charge, and give the rest back.
    Capture(CaptureAmount),
    /// Give everything back. An amount, where given, must be that of the hold.
    Release(Option<Credits>),
}

/// Ends a hold. The first settlement wins; later ones learn what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settle {
    /// The settlement's identifier; the charge carries it too. Calls use the hold's own.
    pub id: EntryId,
    /// Which hold.
    pub hold: EntryId,
    /// What to do.
    pub action: SettleAction,
    /// Where the caller wants to be sure whose hold it is: the wallet.
    pub wallet: Option<LedgerAccountId>,
    /// Where the caller wants to be sure whose hold it is: the payee.
    pub payee: Option<LedgerAccountId>,
    /// As in [`Post::meta`]; absent means that of the hold.
    pub meta: Option<Digest>,
}
