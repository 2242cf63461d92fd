//! The canonical bytes of what the ledger records, and their hashes.
//!
//! A leaf is `SHA-256(0x00 || kind || fields…)`. Integers are big-endian 64-bit two's complement, identifiers are their
//! 16 bytes, texts and byte strings are preceded by their length as a 32-bit big-endian integer, an optional field is
//! `0x00`, or `0x01` and the field, a list is its 32-bit length and its items. So no two different facts have the same
//! bytes. `docs/ledger-format.md` says the same for people who write a verifier of their own; it must change with this
//! file, and neither may change what is already written.

use aws_lc_rs::digest::{SHA256, digest};
use uuid::Uuid;

use super::{
    accounts::LedgerAccountId,
    caps::CounterKey,
    command::{Leg, OnExpiry, TransactionKind},
    grants::{GrantEntry, HoldSource},
    periods::PeriodClose,
};
use crate::{
    credits::Credits,
    id::{CapId, EntryId},
    pricing::ShareTerms,
};

/// A SHA-256 digest.
pub type Digest = [u8; 32];

/// SHA-256 of some bytes.
pub fn sha256(bytes: &[u8]) -> Digest {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, bytes).as_ref());
    out
}

/// One line of the books: what a leaf stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// Money moved (or, with no legs, a fact was recorded).
    Transaction(TransactionEntry),
    /// Money was reserved.
    Hold(HoldEntry),
    /// A reservation ended.
    Settlement(SettlementEntry),
    /// Somebody was told no.
    Refusal(RefusalEntry),
    /// Credits that expire were given: their transaction follows.
    Grant(GrantEntry),
    /// A period was closed.
    Close(PeriodClose),
}

/// A transaction with its postings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionEntry {
    /// Unique for ever.
    pub id: EntryId,
    /// Why.
    pub kind: TransactionKind,
    /// The hold that it charges.
    pub hold: Option<EntryId>,
    /// The transaction that it takes back.
    pub reverses: Option<EntryId>,
    /// When it counts for the business, in microseconds since the Unix epoch.
    pub effective_us: i64,
    /// Digest of bound metadata.
    pub meta: Option<Digest>,
    /// The postings in their order.
    pub legs: Vec<Leg>,
}

/// A hold as placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldEntry {
    /// Unique for ever.
    pub id: EntryId,
    /// Whose money.
    pub wallet: LedgerAccountId,
    /// Who is to be paid.
    pub payee: LedgerAccountId,
    /// Micro-credits.
    pub amount: Credits,
    /// Lifetime in microseconds as asked for; 0 for ever.
    pub ttl_us: i64,
    /// How a capture is shared.
    pub shares: ShareTerms,
    /// The partner's margin account.
    pub partner: Option<LedgerAccountId>,
    /// What the sweep does.
    pub on_expiry: OnExpiry,
    /// The counters that it reserves from.
    pub counters: Vec<CounterKey>,
    /// The grants that it reserves from, in the order in which a capture drains them; what they do not cover is the
    /// wallet's own.
    pub sources: Vec<HoldSource>,
    /// Digest of bound metadata.
    pub meta: Option<Digest>,
}

/// How a hold ended. The numbers are stored and hashed: they never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Settled {
    /// Charged, perhaps with zero.
    Captured,
    /// Given back on request.
    Released,
    /// Given back because its time was over.
    Expired,
    /// Charged because its time was over and the call was priced by the attempt.
    CapturedAtExpiry,
}

impl Settled {
    const ALL: [(Self, i16, &'static str); 4] = [
        (Self::Captured, 1, "captured"),
        (Self::Released, 2, "released"),
        (Self::Expired, 3, "expired"),
        (Self::CapturedAtExpiry, 4, "captured_at_expiry"),
    ];

    /// As the database stores it.
    pub fn raw(self) -> i16 {
        Self::ALL.iter().find(|(settled, ..)| *settled == self).map_or(0, |(_, raw, _)| *raw)
    }

    /// Reads what [`Self::raw`] wrote.
    pub fn from_raw(raw: i16) -> Option<Self> {
        Self::ALL.iter().find(|(_, stored, _)| *stored == raw).map(|(settled, ..)| *settled)
    }

    /// The word that reports use.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(settled, ..)| *settled == self).map_or("", |(.., word)| *word)
    }
}

/// The end of a hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettlementEntry {
    /// The settlement's own identifier.
    pub id: EntryId,
    /// Which hold.
    pub hold: EntryId,
    /// How.
    pub settled: Settled,
    /// Micro-credits charged; the rest of the hold went back.
    pub captured: Credits,
    /// Digest of bound metadata.
    pub meta: Option<Digest>,
}

/// A refusal, kept for auditors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusalEntry {
    /// The refused command.
    pub id: EntryId,
    /// The wallet concerned, where there is one.
    pub wallet: Option<LedgerAccountId>,
    /// The word of [`super::Refusal::as_str`].
    pub reason: &'static str,
    /// Micro-credits asked for.
    pub needed: Credits,
}

/// The position of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The writer's slot: every slot has a chain of its own.
    pub slot: i64,
    /// Counts the slot's entries from 1, without gaps.
    pub seq: i64,
}

/// The hash of `entry` at `position`. `scratch` is reused from call to call to save allocations.
pub fn leaf_hash(position: Position, entry: &Entry, scratch: &mut Vec<u8>) -> Digest {
    scratch.clear();
    scratch.push(0x00);
    let mut bytes = Bytes(scratch);
    match entry {
        Entry::Transaction(transaction) => bytes.transaction(position, transaction),
        Entry::Hold(hold) => bytes.hold(position, hold),
        Entry::Settlement(settlement) => bytes.settlement(position, settlement),
        Entry::Refusal(refusal) => bytes.refusal(position, refusal),
        Entry::Grant(grant) => bytes.grant(position, grant),
        Entry::Close(close) => bytes.close(position, close),
    }
    sha256(scratch)
}

/// Appends fields in their canonical form.
#[derive(Debug)]
pub(crate) struct Bytes<'a>(pub(crate) &'a mut Vec<u8>);

impl Bytes<'_> {
    fn tag(&mut self, kind: u8, position: Position) {
        self.0.push(kind);
        self.int(position.slot);
        self.int(position.seq);
    }

    pub(crate) fn int(&mut self, value: i64) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    pub(super) fn uuid(&mut self, uuid: Uuid) {
        self.0.extend_from_slice(uuid.as_bytes());
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn length(&mut self, length: usize) {
        self.0.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.length(text.len());
        self.raw(text.as_bytes());
    }

    pub(crate) fn optional<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.0.push(u8::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }

    fn meta(&mut self, meta: Option<Digest>) {
        self.optional(meta, |bytes, digest| bytes.raw(&digest));
    }

    fn transaction(&mut self, position: Position, entry: &TransactionEntry) {
        self.tag(1, position);
        self.uuid(entry.id.uuid());
        self.int(entry.kind.raw().into());
        self.optional(entry.hold, |bytes, id| bytes.uuid(id.uuid()));
        self.optional(entry.reverses, |bytes, id| bytes.uuid(id.uuid()));
        self.int(entry.effective_us);
        self.meta(entry.meta);
        self.length(entry.legs.len());
        for leg in &entry.legs {
            self.int(leg.debit.raw());
            self.int(leg.credit.raw());
            self.int(leg.amount.micros());
        }
    }

    /// A hold without grants is what it was before there were any.
    fn hold(&mut self, position: Position, entry: &HoldEntry) {
        self.tag(if entry.sources.is_empty() { 2 } else { 5 }, position);
        self.uuid(entry.id.uuid());
        self.int(entry.wallet.raw());
        self.int(entry.payee.raw());
        self.int(entry.amount.micros());
        self.int(entry.ttl_us);
        self.int(entry.shares.publisher_bps().into());
        self.int(entry.shares.partner_bps().into());
        self.optional(entry.partner, |bytes, account| bytes.int(account.raw()));
        self.optional(
            match entry.on_expiry {
                OnExpiry::Release => None,
                OnExpiry::Capture(amount) => Some(amount.micros()),
            },
            Self::int,
        );
        self.length(entry.counters.len());
        for counter in &entry.counters {
            self.uuid(counter.cap.uuid());
            self.int(counter.start_us);
        }
        self.meta(entry.meta);
        if !entry.sources.is_empty() {
            self.length(entry.sources.len());
            for source in &entry.sources {
                self.uuid(source.grant.uuid());
                self.int(source.account.raw());
                self.int(source.amount.micros());
            }
        }
    }

    fn settlement(&mut self, position: Position, entry: &SettlementEntry) {
        self.tag(3, position);
        self.uuid(entry.id.uuid());
        self.uuid(entry.hold.uuid());
        self.int(entry.settled.raw().into());
        self.int(entry.captured.micros());
        self.meta(entry.meta);
    }

    fn refusal(&mut self, position: Position, entry: &RefusalEntry) {
        self.tag(4, position);
        self.uuid(entry.id.uuid());
        self.optional(entry.wallet, |bytes, account| bytes.int(account.raw()));
        self.text(entry.reason);
        self.int(entry.needed.micros());
    }

    fn grant(&mut self, position: Position, entry: &GrantEntry) {
        self.tag(6, position);
        self.uuid(entry.id.uuid());
        self.int(entry.wallet.raw());
        self.int(entry.account.raw());
        self.int(entry.priority);
        self.int(entry.expires_us);
    }

    fn close(&mut self, position: Position, entry: &PeriodClose) {
        self.tag(7, position);
        self.uuid(entry.id.uuid());
        self.int(entry.period);
        self.int(entry.start_us);
        self.int(entry.end_us);
        self.length(entry.cut.len());
        for last in &entry.cut {
            self.int(last.slot);
            self.int(last.seq);
        }
        self.raw(&entry.digest);
    }
}

/// The counters of a hold as one column: 24 bytes each (cap, window start).
pub fn encode_counters(counters: &[CounterKey]) -> Vec<u8> {
    let mut out = Vec::with_capacity(counters.len().saturating_mul(24));
    for counter in counters {
        out.extend_from_slice(counter.cap.uuid().as_bytes());
        out.extend_from_slice(&counter.start_us.to_be_bytes());
    }
    out
}

/// Reads what [`encode_counters`] wrote; `None` when the bytes are damaged.
pub fn decode_counters(bytes: &[u8]) -> Option<Vec<CounterKey>> {
    let (items, rest) = bytes.as_chunks::<24>();
    if !rest.is_empty() {
        return None;
    }
    items
        .iter()
        .map(|item| {
            let (cap, start) = item.split_at_checked(16)?;
            Some(CounterKey {
                cap: CapId::from(Uuid::from_slice(cap).ok()?),
                start_us: i64::from_be_bytes(start.try_into().ok()?),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests;
