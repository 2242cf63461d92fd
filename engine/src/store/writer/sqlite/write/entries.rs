//! The books' own rows.

use rusqlite::{CachedStatement, Connection, params};

use super::{SLOT, Written};
use crate::ledger::{
    LedgerAccountId, OnExpiry,
    grants::GrantEntry,
    leaf::{Entry, HoldEntry, RefusalEntry, SettlementEntry, TransactionEntry, encode_counters},
    periods::{PeriodClose, encode_cut},
};

/// The statements of one batch.
pub(super) struct Rows<'c> {
    connection: &'c Connection,
    batch_no: i64,
    transaction: CachedStatement<'c>,
    posting: CachedStatement<'c>,
    hold: CachedStatement<'c>,
    settlement: CachedStatement<'c>,
    refusal: CachedStatement<'c>,
}

impl<'c> Rows<'c> {
    pub(super) fn prepare(connection: &'c Connection, batch_no: i64) -> rusqlite::Result<Self> {
        Ok(Self {
            connection,
            batch_no,
            transaction: connection.prepare_cached(
                "INSERT INTO txn (slot, seq, id, kind, batch_no, hold_id, reverses, effective_us, meta_hash)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?,
            posting: connection.prepare_cached(
                "INSERT INTO posting (slot, seq, ord, debit, credit, amount) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?,
            hold: connection.prepare_cached(
                "INSERT INTO hold (slot, seq, id, batch_no, wallet, payee, amount, ttl_us, publisher_bps, partner_bps,
                                   partner, expiry_capture, counters, meta_hash)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
            )?,
            settlement: connection.prepare_cached(
                "INSERT INTO hold_resolution (slot, seq, hold_id, id, batch_no, outcome, captured, meta_hash)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?,
            refusal: connection.prepare_cached(
                "INSERT INTO refusal (slot, seq, id, batch_no, wallet, reason, needed)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?,
        })
    }

    pub(super) fn insert(&mut self, seq: i64, entry: &Entry) -> Written {
        match entry {
            Entry::Transaction(transaction) => self.insert_transaction(seq, transaction),
            Entry::Hold(hold) => self.insert_hold(seq, hold),
            Entry::Settlement(settlement) => self.insert_settlement(seq, settlement),
            Entry::Refusal(refusal) => self.insert_refusal(seq, refusal),
            Entry::Grant(grant) => self.insert_grant(seq, grant),
            Entry::Close(close) => self.insert_close(seq, close),
        }
    }

    fn insert_transaction(&mut self, seq: i64, entry: &TransactionEntry) -> Written {
        self.transaction.execute(params![
            SLOT,
            seq,
            entry.id.uuid().as_bytes(),
            entry.kind.raw(),
            self.batch_no,
            entry.hold.map(|id| id.uuid().into_bytes()),
            entry.reverses.map(|id| id.uuid().into_bytes()),
            entry.effective_us,
            entry.meta
        ])?;
        for (ord, leg) in (0_i64..).zip(&entry.legs) {
            self.posting.execute((SLOT, seq, ord, leg.debit.raw(), leg.credit.raw(), leg.amount.micros()))?;
        }
        Ok(())
    }

    fn insert_hold(&mut self, seq: i64, hold: &HoldEntry) -> Written {
        let expiry_capture = match hold.on_expiry {
            OnExpiry::Release => None,
            OnExpiry::Capture(amount) => Some(amount.micros()),
        };
        self.hold.execute(params![
            SLOT,
            seq,
            hold.id.uuid().as_bytes(),
            self.batch_no,
            hold.wallet.raw(),
            hold.payee.raw(),
            hold.amount.micros(),
            hold.ttl_us,
            hold.shares.publisher_bps(),
            hold.shares.partner_bps(),
            hold.partner.map(LedgerAccountId::raw),
            expiry_capture,
            encode_counters(&hold.counters),
            hold.meta
        ])?;
        for (ord, source) in (0_i64..).zip(&hold.sources) {
            self.connection
                .prepare_cached(
                    "INSERT INTO hold_source (slot, seq, ord, grant_id, account, amount)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                )?
                .execute((
                    SLOT,
                    seq,
                    ord,
                    source.grant.uuid().as_bytes(),
                    source.account.raw(),
                    source.amount.micros(),
                ))?;
        }
        Ok(())
    }

    fn insert_grant(&mut self, seq: i64, grant: &GrantEntry) -> Written {
        self.connection
            .prepare_cached(
                "INSERT INTO wallet_grant (slot, seq, id, batch_no, wallet, account, priority, expires_us)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                SLOT,
                seq,
                grant.id.uuid().as_bytes(),
                self.batch_no,
                grant.wallet.raw(),
                grant.account.raw(),
                grant.priority,
                grant.expires_us
            ])
            .map(drop)
    }

    fn insert_close(&mut self, seq: i64, close: &PeriodClose) -> Written {
        self.connection
            .prepare_cached(
                "INSERT INTO period_close (slot, seq, id, batch_no, period, start_us, end_us, cut, digest)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![
                SLOT,
                seq,
                close.id.uuid().as_bytes(),
                self.batch_no,
                close.period,
                close.start_us,
                close.end_us,
                encode_cut(&close.cut),
                close.digest
            ])
            .map(drop)
    }

    fn insert_settlement(&mut self, seq: i64, entry: &SettlementEntry) -> Written {
        self.settlement
            .execute(params![
                SLOT,
                seq,
                entry.hold.uuid().as_bytes(),
                entry.id.uuid().as_bytes(),
                self.batch_no,
                entry.settled.raw(),
                entry.captured.micros(),
                entry.meta
            ])
            .map(drop)
    }

    fn insert_refusal(&mut self, seq: i64, refusal: &RefusalEntry) -> Written {
        self.refusal
            .execute(params![
                SLOT,
                seq,
                refusal.id.uuid().as_bytes(),
                self.batch_no,
                refusal.wallet.map(LedgerAccountId::raw),
                refusal.reason,
                refusal.needed.micros()
            ])
            .map(drop)
    }
}
