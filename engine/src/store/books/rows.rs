//! Turns rows into lines. What fails is named by its column.

use uuid::Uuid;

use super::source::{Cell, FromCell, Row};
use crate::{
    audit::{AuditHead, AuditRow},
    credits::Credits,
    id::{CapId, EntryId},
    invocation::CallState,
    ledger::{
        AccountKind, LedgerAccountId, Leg, OnExpiry, Refusal, TransactionKind,
        caps::{Counter, CounterKey},
        chain::{BatchHeader, ChainHead},
        checkpoint::{Checkpoint, SignedCheckpoint},
        grants::{GrantEntry, HoldSource},
        leaf::{
            Digest, HoldEntry, Position, RefusalEntry, Settled, SettlementEntry, TransactionEntry, decode_counters,
        },
        movement::{RefundTotal, Statement},
        periods::{BalanceRow, PeriodClose, decode_cut},
        refusal::{Difference, Limit},
        signing::NumberedKey,
        verify::Line,
    },
    pricing::ShareTerms,
};

/// The column that holds nonsense.
pub(super) type Decoded<T> = Result<T, &'static str>;

fn column<'r, T: FromCell<'r>>(row: &'r impl Row, index: usize, name: &'static str) -> Decoded<T> {
    row.read(index).ok_or(name)
}

fn id(row: &impl Row, index: usize, name: &'static str) -> Decoded<EntryId> {
    column(row, index, name).map(|bytes| EntryId::from(Uuid::from_bytes(bytes)))
}

fn optional_id(row: &impl Row, index: usize, name: &'static str) -> Decoded<Option<EntryId>> {
    let bytes: Option<[u8; 16]> = column(row, index, name)?;
    Ok(bytes.map(|bytes| EntryId::from(Uuid::from_bytes(bytes))))
}

fn account_id(row: &impl Row, index: usize, name: &'static str) -> Decoded<LedgerAccountId> {
    column(row, index, name).map(LedgerAccountId::from_raw)
}

fn optional_account(row: &impl Row, index: usize, name: &'static str) -> Decoded<Option<LedgerAccountId>> {
    Ok(column::<Option<i64>>(row, index, name)?.map(LedgerAccountId::from_raw))
}

fn micros(row: &impl Row, index: usize, name: &'static str) -> Decoded<Credits> {
    column(row, index, name).map(Credits::from_micros)
}

/// `id, code, kind`
pub(super) fn account(row: &impl Row) -> Decoded<(LedgerAccountId, AccountKind, String)> {
    let kind = AccountKind::from_raw(column(row, 2, "kind")?).ok_or("kind")?;
    Ok((account_id(row, 0, "id")?, kind, column(row, 1, "code")?))
}

/// `slot, batch_no, epoch, first_seq, n_entry, n_posting, total, recorded_us, client_batch_id, merkle_root, prev_hash,
/// hash`
pub(super) fn batch(row: &impl Row) -> Decoded<(BatchHeader, Digest)> {
    let header = BatchHeader {
        slot: column(row, 0, "slot")?,
        batch_no: column(row, 1, "batch_no")?,
        epoch: column(row, 2, "epoch")?,
        first_seq: column(row, 3, "first_seq")?,
        entries: column(row, 4, "n_entry")?,
        postings: column(row, 5, "n_posting")?,
        total: column(row, 6, "total")?,
        recorded_us: column(row, 7, "recorded_us")?,
        client_batch: column(row, 8, "client_batch_id").map(Uuid::from_bytes)?,
        root: column(row, 9, "merkle_root")?,
        prev_hash: column(row, 10, "prev_hash")?,
    };
    Ok((header, column(row, 11, "hash")?))
}

/// `number, public_key, from_us`
pub(super) fn key(row: &impl Row) -> Decoded<Line> {
    Ok(Line::Key(NumberedKey {
        number: column(row, 0, "number")?,
        public: column(row, 1, "public_key")?,
        from_us: column(row, 2, "from_us")?,
    }))
}

/// `number, body, signature`
pub(super) fn checkpoint(row: &impl Row) -> Decoded<SignedCheckpoint> {
    let checkpoint = Checkpoint::from_bytes(column(row, 1, "body")?).ok_or("body")?;
    if checkpoint.number != column::<i64>(row, 0, "number")? {
        return Err("number");
    }
    Ok(SignedCheckpoint { checkpoint, signature: column(row, 2, "signature")? })
}

/// `slot, seq, batch_no, id, kind, hold_id, reverses, effective_us, meta_hash`; `legs` stand elsewhere.
pub(super) fn transaction(row: &impl Row, legs: Vec<Leg>) -> Decoded<TransactionEntry> {
    Ok(TransactionEntry {
        id: id(row, 3, "id")?,
        kind: TransactionKind::from_raw(column(row, 4, "kind")?).ok_or("kind")?,
        hold: optional_id(row, 5, "hold_id")?,
        reverses: optional_id(row, 6, "reverses")?,
        effective_us: column(row, 7, "effective_us")?,
        meta: column(row, 8, "meta_hash")?,
        legs,
    })
}

/// `slot, seq, ord, debit, credit, amount`
pub(super) fn leg(row: &impl Row) -> Decoded<Leg> {
    Ok(Leg {
        debit: account_id(row, 3, "debit")?,
        credit: account_id(row, 4, "credit")?,
        amount: micros(row, 5, "amount")?,
    })
}

/// `slot, seq, batch_no, id, wallet, payee, amount, ttl_us, publisher_bps, partner_bps, partner, expiry_capture,
/// counters, meta_hash`; `sources` stand elsewhere.
pub(super) fn hold(row: &impl Row, sources: Vec<HoldSource>) -> Decoded<HoldEntry> {
    let partner_bps = column(row, 9, "partner_bps")?;
    let shares = ShareTerms::new(column(row, 8, "publisher_bps")?, partner_bps).map_err(|_above| "publisher_bps")?;
    let expiry_capture: Option<i64> = column(row, 11, "expiry_capture")?;
    let counters = decode_counters(column(row, 12, "counters")?).ok_or("counters")?;
    Ok(HoldEntry {
        id: id(row, 3, "id")?,
        wallet: account_id(row, 4, "wallet")?,
        payee: account_id(row, 5, "payee")?,
        amount: micros(row, 6, "amount")?,
        ttl_us: column(row, 7, "ttl_us")?,
        shares,
        partner: optional_account(row, 10, "partner")?,
        on_expiry: expiry_capture.map_or(OnExpiry::Release, |amount| OnExpiry::Capture(Credits::from_micros(amount))),
        counters,
        sources,
        meta: column(row, 13, "meta_hash")?,
    })
}

/// `slot, seq, ord, grant_id, account, amount`
pub(super) fn source(row: &impl Row) -> Decoded<HoldSource> {
    Ok(HoldSource {
        grant: id(row, 3, "grant_id")?,
        account: account_id(row, 4, "account")?,
        amount: micros(row, 5, "amount")?,
    })
}

/// `slot, seq, batch_no, id, wallet, account, priority, expires_us`
pub(super) fn grant(row: &impl Row) -> Decoded<GrantEntry> {
    Ok(GrantEntry {
        id: id(row, 3, "id")?,
        wallet: account_id(row, 4, "wallet")?,
        account: account_id(row, 5, "account")?,
        priority: column(row, 6, "priority")?,
        expires_us: column(row, 7, "expires_us")?,
    })
}

/// `slot, seq, batch_no, id, period, start_us, end_us, cut, digest`
pub(super) fn close(row: &impl Row) -> Decoded<PeriodClose> {
    Ok(PeriodClose {
        id: id(row, 3, "id")?,
        period: column(row, 4, "period")?,
        start_us: column(row, 5, "start_us")?,
        end_us: column(row, 6, "end_us")?,
        cut: decode_cut(column(row, 7, "cut")?).ok_or("cut")?,
        digest: column(row, 8, "digest")?,
    })
}

/// `account, id, wallet, priority, expires_us`
pub(super) fn open_grant(row: &impl Row) -> Decoded<Line> {
    Ok(Line::OpenGrant(GrantEntry {
        id: id(row, 1, "id")?,
        wallet: account_id(row, 2, "wallet")?,
        account: account_id(row, 0, "account")?,
        priority: column(row, 3, "priority")?,
        expires_us: column(row, 4, "expires_us")?,
    }))
}

/// `period, kind, account, opening, debits, credits, closing`
pub(super) fn trial_balance(row: &impl Row) -> Decoded<Line> {
    let balance = BalanceRow {
        key: (column(row, 1, "kind")?, column(row, 2, "account")?),
        opening: column(row, 3, "opening")?,
        debits: column(row, 4, "debits")?,
        credits: column(row, 5, "credits")?,
        closing: column(row, 6, "closing")?,
    };
    Ok(Line::TrialBalance(column(row, 0, "period")?, balance))
}

/// `slot, seq, batch_no, hold_id, id, outcome, captured, meta_hash`
pub(super) fn settlement(row: &impl Row) -> Decoded<SettlementEntry> {
    Ok(SettlementEntry {
        hold: id(row, 3, "hold_id")?,
        id: id(row, 4, "id")?,
        settled: Settled::from_raw(column(row, 5, "outcome")?).ok_or("outcome")?,
        captured: micros(row, 6, "captured")?,
        meta: column(row, 7, "meta_hash")?,
    })
}

/// `slot, seq, batch_no, id, wallet, reason, needed`
pub(super) fn refusal(row: &impl Row) -> Decoded<RefusalEntry> {
    let reason = find_reason(column(row, 5, "reason")?).ok_or("reason")?;
    Ok(RefusalEntry {
        id: id(row, 3, "id")?,
        wallet: optional_account(row, 4, "wallet")?,
        reason,
        needed: micros(row, 6, "needed")?,
    })
}

/// The word of [`Refusal::as_str`] that `word` is.
pub(super) fn find_reason(word: &str) -> Option<&'static str> {
    const NOBODY: LedgerAccountId = LedgerAccountId::from_raw(0);
    const HELD: Credits = Credits::ZERO;
    const fn insufficient(limit: Limit) -> Refusal {
        Refusal::Insufficient { limit, needed: HELD, available: HELD }
    }
    [
        Refusal::Exists(Difference::Operation),
        Refusal::Exists(Difference::Hold),
        Refusal::Exists(Difference::DebitAccount),
        Refusal::Exists(Difference::CreditAccount),
        Refusal::Exists(Difference::Amount),
        Refusal::Exists(Difference::Ttl),
        Refusal::Exists(Difference::Metadata),
        Refusal::OutOfRange,
        Refusal::SameAccount,
        Refusal::UnknownAccount(NOBODY),
        Refusal::WrongKind(TransactionKind::Charge),
        Refusal::TransactionNotFound,
        Refusal::NotReversible(None),
        Refusal::AlreadyReversed { captured: HELD, refunded: HELD },
        Refusal::ExceedsRefundable { needed: HELD, captured: HELD, refunded: HELD },
        Refusal::HoldNotFound,
        Refusal::NotAHold,
        Refusal::HoldHasOtherWallet,
        Refusal::HoldHasOtherPayee,
        Refusal::ExceedsHold { held: HELD },
        Refusal::ReleaseIsPartial { held: HELD },
        Refusal::AlreadyCaptured,
        Refusal::AlreadyReleased,
        Refusal::HoldExpired,
        Refusal::AccountClosed(NOBODY),
        insufficient(Limit::Wallet(NOBODY)),
        insufficient(Limit::Cap { cap: CapId::from(Uuid::nil()), resets_us: None }),
        Refusal::ExceedsPayable { needed: HELD, payable: HELD, owed: HELD },
        Refusal::Overflow,
    ]
    .iter()
    .map(Refusal::as_str)
    .find(|known| *known == word)
}

/// `account_id, credits, debits, held`
pub(super) fn wallet(row: &impl Row) -> Decoded<Line> {
    Ok(Line::Wallet {
        id: account_id(row, 0, "account_id")?,
        credits: column(row, 1, "credits")?,
        debits: column(row, 2, "debits")?,
        held: column(row, 3, "held")?,
    })
}

/// `account_id, slot, credits, debits`
pub(super) fn hot(row: &impl Row) -> Decoded<Line> {
    Ok(Line::Hot {
        id: account_id(row, 0, "account_id")?,
        slot: column(row, 1, "slot")?,
        credits: column(row, 2, "credits")?,
        debits: column(row, 3, "debits")?,
    })
}

/// `txn_id, captured, refunded`
pub(super) fn refund_total(row: &impl Row) -> Decoded<Line> {
    let total = RefundTotal { captured: column(row, 1, "captured")?, refunded: column(row, 2, "refunded")? };
    Ok(Line::RefundTotal(id(row, 0, "txn_id")?, total))
}

/// `txn_id, account, credits, debits, netted, paid, note`
pub(super) fn statement(row: &impl Row) -> Decoded<Line> {
    let statement = Statement {
        account: account_id(row, 1, "account")?,
        credits: column(row, 2, "credits")?,
        debits: column(row, 3, "debits")?,
        netted: column(row, 4, "netted")?,
        paid: column(row, 5, "paid")?,
        note: column(row, 6, "note")?,
    };
    Ok(Line::Statement(id(row, 0, "txn_id")?, statement))
}

/// `cap_id, start_us, spent, held`
pub(super) fn counter(row: &impl Row) -> Decoded<Line> {
    let cap = column(row, 0, "cap_id").map(|bytes| CapId::from(Uuid::from_bytes(bytes)))?;
    let key = CounterKey { cap, start_us: column(row, 1, "start_us")? };
    Ok(Line::Counter(key, Counter { spent: column(row, 2, "spent")?, held: column(row, 3, "held")? }))
}

/// `slot, counted_seq`
pub(super) fn counted(row: &impl Row) -> Decoded<Line> {
    Ok(Line::CountedTo(Position { slot: column(row, 0, "slot")?, seq: column(row, 1, "counted_seq")? }))
}

/// `id, resolves_us`
pub(super) fn postponed(row: &impl Row) -> Decoded<Line> {
    Ok(Line::Postponed(id(row, 0, "id")?, column(row, 1, "resolves_us")?))
}

/// `scope, key, state, status` of a key, `key_scope, key, state` of its call, `call` of its answer. What is wrong with it.
pub(super) fn key_of_call(row: &impl Row) -> Option<&'static str> {
    let same = |left: usize, right: usize| row.cell(left) == row.cell(right);
    let Some(call) = row.read(6).and_then(CallState::from_raw) else { return Some("its call is not recorded") };
    if !same(0, 4) || !same(1, 5) {
        return Some("its call was made with another key");
    }
    let has_answer = row.cell(7) != Cell::Null;
    let has_status = row.cell(3) != Cell::Null;
    let is_right = match row.read::<i16>(2) {
        Some(1) => call == CallState::Running && !has_answer && !has_status,
        Some(2) => !call.is_open() && has_answer && has_status,
        Some(3) => call != CallState::Running && !has_answer && !has_status,
        _ => false,
    };
    (!is_right).then_some("it does not say what became of its call")
}

/// `hold_id, wallet, amount, expires_us`
pub(super) fn open_hold(row: &impl Row) -> Decoded<Line> {
    Ok(Line::OpenHold {
        id: id(row, 0, "hold_id")?,
        wallet: account_id(row, 1, "wallet")?,
        amount: micros(row, 2, "amount")?,
        expires_us: column(row, 3, "expires_us")?,
    })
}

/// `slot, epoch, batch_no, seq, last_us, hash`
pub(super) fn head(row: &impl Row) -> Decoded<Line> {
    Ok(Line::Head(ChainHead {
        slot: column(row, 0, "slot")?,
        epoch: column(row, 1, "epoch")?,
        batch_no: column(row, 2, "batch_no")?,
        seq: column(row, 3, "seq")?,
        last_us: column(row, 4, "last_us")?,
        hash: column(row, 5, "hash")?,
    }))
}

/// `slot, seq, recorded_us, actor_kind, actor_id, method, credential, action, object_kind, object_id, before_json,
/// after_json, reason, request_id, prev_hash, hash`
pub(super) fn audit(row: &impl Row) -> Decoded<Line> {
    let audit = AuditRow {
        slot: column(row, 0, "slot")?,
        seq: column(row, 1, "seq")?,
        recorded_us: column(row, 2, "recorded_us")?,
        actor_kind: column(row, 3, "actor_kind")?,
        actor_id: column(row, 4, "actor_id")?,
        method: column(row, 5, "method")?,
        credential: column(row, 6, "credential")?,
        action: column(row, 7, "action")?,
        object_kind: column(row, 8, "object_kind")?,
        object_id: column(row, 9, "object_id")?,
        before: column(row, 10, "before_json")?,
        after: column(row, 11, "after_json")?,
        reason: column(row, 12, "reason")?,
        request_id: column(row, 13, "request_id")?,
        prev_hash: column(row, 14, "prev_hash")?,
    };
    Ok(Line::Audit(Box::new(audit), column(row, 15, "hash")?))
}

/// `slot, seq, last_us, hash`
pub(super) fn audit_head(row: &impl Row) -> Decoded<Line> {
    Ok(Line::AuditHead(AuditHead {
        slot: column(row, 0, "slot")?,
        seq: column(row, 1, "seq")?,
        last_us: column(row, 2, "last_us")?,
        hash: column(row, 3, "hash")?,
    }))
}
