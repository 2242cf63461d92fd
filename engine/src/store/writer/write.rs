//! Turns a plan into rows: every statement has a constant text and is prepared once.

use rusqlite::params;
use uuid::Uuid;

use super::sqlite::{Books, SLOT};
use crate::{
    code::Code,
    credits::Credits,
    invocation::{CallEnd, CallRecord},
    ledger::{
        LedgerAccountId, OnExpiry,
        chain::BatchHeader,
        facts::Facts,
        key::{KeyName, KeyState, StoredKey},
        leaf::{Digest, Entry, HoldEntry, Position, SettlementEntry, TransactionEntry, encode_counters, leaf_hash},
        merkle,
        plan::{CallWrite, KeyWrite, Plan},
    },
};

type Written = rusqlite::Result<()>;

impl Books {
    /// Writes `plan` into the open transaction; `false` if another process has become the writer.
    pub(super) fn write(&mut self, facts: &Facts, plan: &Plan, now_us: i64, name: Uuid) -> rusqlite::Result<bool> {
        let is_ours = if plan.entries.is_empty() { self.holds_slot()? } else { self.append(plan, now_us, name)? };
        if !is_ours {
            return Ok(false);
        }
        self.write_holds(facts, plan)?;
        self.write_balances(facts, plan)?;
        for key in &plan.keys {
            self.write_key(key)?;
        }
        for call in &plan.calls {
            match call {
                CallWrite::Insert(record) => self.insert_call(record)?,
                CallWrite::End(id, end) => self.end_call(id.uuid(), end)?,
            }
        }
        Ok(true)
    }

    /// Numbers, hashes and stores the entries, and moves the chain on.
    fn append(&mut self, plan: &Plan, now_us: i64, name: Uuid) -> rusqlite::Result<bool> {
        let batch_no = self.head.batch_no.saturating_add(1);
        let first_seq = self.head.seq.saturating_add(1);
        let (mut seq, mut postings, mut total) = (self.head.seq, 0_i64, 0_i64);
        let mut leaves: Vec<Digest> = Vec::with_capacity(plan.entries.len());
        let mut scratch = std::mem::take(&mut self.scratch);
        for entry in &plan.entries {
            seq = seq.saturating_add(1);
            leaves.push(leaf_hash(Position { slot: SLOT, seq }, entry, &mut scratch));
            match entry {
                Entry::Transaction(transaction) => {
                    for leg in &transaction.legs {
                        postings = postings.saturating_add(1);
                        total = total.saturating_add(leg.amount.micros());
                    }
                    self.insert_transaction(seq, batch_no, transaction)?;
                }
                Entry::Hold(hold) => self.insert_hold(seq, batch_no, hold)?,
                Entry::Settlement(settlement) => self.insert_settlement(seq, batch_no, settlement)?,
                Entry::Refusal(refusal) => {
                    self.connection
                        .prepare_cached(
                            "INSERT INTO refusal (slot, seq, id, batch_no, wallet, reason, needed)
                             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                        )?
                        .execute(params![
                            SLOT,
                            seq,
                            refusal.id.uuid().as_bytes(),
                            batch_no,
                            refusal.wallet.map(LedgerAccountId::raw),
                            refusal.reason,
                            refusal.needed.micros()
                        ])?;
                }
            }
        }
        self.scratch = scratch;
        let header = BatchHeader {
            slot: SLOT,
            batch_no,
            epoch: self.head.epoch,
            first_seq,
            entries: seq.saturating_sub(self.head.seq),
            postings,
            total,
            recorded_us: now_us,
            client_batch: name,
            root: merkle::root(&leaves),
            prev_hash: self.head.hash,
        };
        let hash = header.hash();
        self.insert_batch(&header, hash)?;
        if !self.advance(&header, hash, seq)? {
            return Ok(false);
        }
        // Taken back by `reload` if the commit fails.
        self.head.batch_no = batch_no;
        self.head.seq = seq;
        self.head.last_us = now_us;
        self.head.hash = hash;
        Ok(true)
    }

    fn insert_batch(&mut self, header: &BatchHeader, hash: Digest) -> Written {
        self.connection
            .prepare_cached(
                "INSERT INTO batch (slot, batch_no, epoch, first_seq, n_entry, n_posting, total, recorded_us,
                                    client_batch_id, merkle_root, prev_hash, hash)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            )?
            .execute(params![
                header.slot,
                header.batch_no,
                header.epoch,
                header.first_seq,
                header.entries,
                header.postings,
                header.total,
                header.recorded_us,
                header.client_batch.as_bytes(),
                header.root,
                header.prev_hash,
                hash
            ])
            .map(drop)
    }

    fn insert_transaction(&mut self, seq: i64, batch_no: i64, entry: &TransactionEntry) -> Written {
        self.connection
            .prepare_cached(
                "INSERT INTO txn (slot, seq, id, kind, batch_no, hold_id, reverses, effective_us, meta_hash)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![
                SLOT,
                seq,
                entry.id.uuid().as_bytes(),
                entry.kind.raw(),
                batch_no,
                entry.hold.map(|id| id.uuid().into_bytes()),
                entry.reverses.map(|id| id.uuid().into_bytes()),
                entry.effective_us,
                entry.meta
            ])?;
        let mut posting = self.connection.prepare_cached(
            "INSERT INTO posting (slot, seq, ord, debit, credit, amount) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?;
        for (ord, leg) in (0_i64..).zip(&entry.legs) {
            posting.execute((SLOT, seq, ord, leg.debit.raw(), leg.credit.raw(), leg.amount.micros()))?;
        }
        Ok(())
    }

    fn insert_hold(&mut self, seq: i64, batch_no: i64, hold: &HoldEntry) -> Written {
        let expiry_capture = match hold.on_expiry {
            OnExpiry::Release => None,
            OnExpiry::Capture(amount) => Some(amount.micros()),
        };
        self.connection
            .prepare_cached(
                "INSERT INTO hold (slot, seq, id, batch_no, wallet, payee, amount, ttl_us, publisher_bps, partner_bps,
                                   partner, expiry_capture, counters, meta_hash)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
            )?
            .execute(params![
                SLOT,
                seq,
                hold.id.uuid().as_bytes(),
                batch_no,
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
            ])
            .map(drop)
    }

    fn insert_settlement(&mut self, seq: i64, batch_no: i64, entry: &SettlementEntry) -> Written {
        self.connection
            .prepare_cached(
                "INSERT INTO hold_resolution (slot, seq, hold_id, id, batch_no, outcome, captured, meta_hash)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                SLOT,
                seq,
                entry.hold.uuid().as_bytes(),
                entry.id.uuid().as_bytes(),
                batch_no,
                entry.settled.raw(),
                entry.captured.micros(),
                entry.meta
            ])
            .map(drop)
    }

    fn write_holds(&mut self, facts: &Facts, plan: &Plan) -> Written {
        let mut insert = self
            .connection
            .prepare_cached("INSERT INTO open_hold (hold_id, wallet, amount, expires_us) VALUES (?1, ?2, ?3, ?4)")?;
        for (id, expires_us) in &plan.opened {
            // A hold that was placed and settled in the same batch was never open for anybody else.
            if let Some(open) = facts.holds.get(id) {
                let (wallet, amount) = (open.entry.wallet.raw(), open.entry.amount.micros());
                insert.execute((id.uuid().as_bytes(), wallet, amount, expires_us))?;
            }
        }
        let mut postpone = self.connection.prepare_cached("UPDATE open_hold SET expires_us = ?2 WHERE hold_id = ?1")?;
        for (id, expires_us) in &plan.postponed {
            postpone.execute((id.uuid().as_bytes(), expires_us))?;
        }
        let mut delete = self.connection.prepare_cached("DELETE FROM open_hold WHERE hold_id = ?1")?;
        for id in &plan.closed {
            delete.execute([id.uuid().as_bytes()])?;
        }
        Ok(())
    }

    fn write_balances(&mut self, facts: &Facts, plan: &Plan) -> Written {
        let mut update = self.connection.prepare_cached(
            "UPDATE wallet_balance SET credits = ?2, debits = ?3, held = ?4, version = ?5 WHERE account_id = ?1",
        )?;
        for id in &plan.wallets {
            if let Some(wallet) = facts.wallets.get(id) {
                update.execute((id.raw(), wallet.credits, wallet.debits, wallet.held, wallet.version))?;
            }
        }
        let mut upsert = self.connection.prepare_cached(
            "INSERT INTO cap_window (cap_id, start_us, spent, held) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (cap_id, start_us) DO UPDATE SET spent = excluded.spent, held = excluded.held",
        )?;
        for key in &plan.counters {
            if let Some(counter) = facts.counters.get(key) {
                upsert.execute((key.cap.uuid().as_bytes(), key.start_us, counter.spent, counter.held))?;
            }
        }
        let mut hot = self.connection.prepare_cached(
            "INSERT INTO hot_balance (account_id, slot, credits, debits, version) VALUES (?1, ?2, ?3, ?4, 1)
             ON CONFLICT (account_id, slot) DO UPDATE SET credits = credits + excluded.credits,
                 debits = debits + excluded.debits, version = version + 1",
        )?;
        for (id, delta) in &plan.hot {
            hot.execute((id.raw(), SLOT, delta.credits, delta.debits))?;
        }
        Ok(())
    }

    fn write_key(&mut self, write: &KeyWrite) -> Written {
        match write {
            KeyWrite::Claim(name, stored) => self.claim_key(name, stored),
            KeyWrite::Complete(name, state) => {
                let (state, status, body) = match state {
                    KeyState::Running => (1, None, None),
                    KeyState::Finished { status, body } => (2, Some(*status), Some(&**body)),
                    KeyState::Unknown => (3, None, None),
                };
                self.connection
                    .prepare_cached("UPDATE idem SET state = ?3, status = ?4, body = ?5 WHERE scope = ?1 AND key = ?2")?
                    .execute((name.scope.as_bytes(), &*name.key, state, status, body))
                    .map(drop)
            }
            KeyWrite::Free(name) => self
                .connection
                .prepare_cached("DELETE FROM idem WHERE scope = ?1 AND key = ?2")?
                .execute((name.scope.as_bytes(), &*name.key))
                .map(drop),
        }
    }

    /// The decision has looked: whatever stands there has expired.
    fn claim_key(&mut self, name: &KeyName, stored: &StoredKey) -> Written {
        self.connection
            .prepare_cached(
                "INSERT INTO idem (scope, key, fingerprint, call, created_us, state) VALUES (?1, ?2, ?3, ?4, ?5, 1)
                 ON CONFLICT (scope, key) DO UPDATE SET fingerprint = excluded.fingerprint, call = excluded.call,
                     created_us = excluded.created_us, state = 1, status = NULL, body = NULL",
            )?
            .execute((
                name.scope.as_bytes(),
                &*name.key,
                stored.fingerprint,
                stored.call.uuid().as_bytes(),
                stored.created_us,
            ))
            .map(drop)
    }

    fn insert_call(&mut self, call: &CallRecord) -> Written {
        let end = call.end.as_ref();
        let parties = &call.parties;
        self.connection
            .prepare_cached(
                "INSERT INTO invocation (id, surface, account_id, token_id, partner_id, end_user_id, tool_id, price_id,
                     wallet, held, snapshot_version, policy_version, denied_by, key_scope, key, epoch, created_us, state,
                     charged, shortfall, error, warning, ended_us, resolves_us)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21,
                         ?22, ?23, ?24)",
            )?
            .execute(params![
                call.id.uuid().as_bytes(),
                call.surface.raw(),
                parties.account.map(|id| id.uuid().into_bytes()),
                parties.token.map(|id| id.uuid().into_bytes()),
                parties.partner.map(|id| id.uuid().into_bytes()),
                parties.end_user.map(|id| id.uuid().into_bytes()),
                call.tool.map(|id| id.uuid().into_bytes()),
                call.price.map(|id| id.uuid().into_bytes()),
                call.wallet.map(LedgerAccountId::raw),
                call.held.micros(),
                call.snapshot_version,
                &*call.policy_version,
                call.denied_by,
                call.key.as_ref().map(|(scope, _)| scope.into_bytes()),
                call.key.as_ref().map(|(_, key)| &**key),
                self.head.epoch,
                call.created_us,
                call.state.raw(),
                end.map_or(0, |end| end.charged.micros()),
                end.map_or(0, |end| end.shortfall.micros()),
                end.and_then(|end| end.error).map(Code::as_str),
                end.and_then(|end| end.warning.as_deref()),
                end.map(|end| end.ended_us),
                end.and_then(|end| end.resolves_us)
            ])
            .map(drop)
    }

    fn end_call(&mut self, id: Uuid, end: &CallEnd) -> Written {
        let charged: Credits = end.charged;
        self.connection
            .prepare_cached(
                "UPDATE invocation SET state = ?2, charged = ?3, shortfall = ?4, error = ?5, warning = ?6, ended_us = ?7,
                     resolves_us = ?8 WHERE id = ?1",
            )?
            .execute(params![
                id.as_bytes(),
                end.state.raw(),
                charged.micros(),
                end.shortfall.micros(),
                end.error.map(Code::as_str),
                end.warning,
                end.ended_us,
                end.resolves_us
            ])
            .map(drop)
    }
}
