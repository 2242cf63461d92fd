//! Turns a plan into rows: every statement has a constant text, is prepared once, and is looked up once a batch.

use rusqlite::params;
use uuid::Uuid;

use super::{
    books::{Books, SLOT},
    counters::{Rows, Turn, changed_by},
};
use crate::ledger::{
    chain::BatchHeader,
    facts::Facts,
    grants::OpenGrant,
    leaf::Digest,
    plan::{Lapse, Plan},
};

mod calls;
mod entries;
mod keys;
mod movements;

pub(super) use keys::forget_expired;

type Written = rusqlite::Result<()>;

impl Books {
    /// Writes `plan` into the open transaction, the rows of counters when `rows` says; `false` if another process has become
    /// the writer.
    pub(super) fn write(
        &mut self,
        facts: &Facts,
        plan: &Plan,
        now_us: i64,
        name: Uuid,
        rows: Rows,
    ) -> rusqlite::Result<bool> {
        let turn = self.counters.turn(changed_by(plan, facts)?, now_us, rows);
        let is_ours = if plan.entries.is_empty() { self.stay(&turn)? } else { self.append(plan, now_us, name, &turn)? };
        if !is_ours {
            return Ok(false);
        }
        self.write_holds(facts, plan)?;
        self.write_balances(facts, plan)?;
        self.counters.write(&self.connection, turn, self.head.seq)?;
        movements::write(&self.connection, facts, plan)?;
        self.write_grants(plan)?;
        keys::write(&self.connection, &plan.keys)?;
        calls::write(&self.connection, self.head.epoch, facts, plan)?;
        Ok(true)
    }

    /// Leaves the chain as it is. Rows of counters that were late may still become true.
    fn stay(&mut self, turn: &Turn) -> rusqlite::Result<bool> {
        let is_moving = self.counters.counted_after(turn, self.head.seq) != self.counters.counted_seq();
        if is_moving { self.level() } else { self.holds_slot() }
    }

    /// Stores the entries and moves the chain on.
    fn append(&mut self, plan: &Plan, now_us: i64, name: Uuid, turn: &Turn) -> rusqlite::Result<bool> {
        let sealed = self.head.seal(&plan.entries, now_us, name);
        let mut rows = entries::Rows::prepare(&self.connection, sealed.header.batch_no)?;
        for (seq, entry) in (sealed.header.first_seq..).zip(&plan.entries) {
            rows.insert(seq, entry)?;
        }
        drop(rows);
        self.insert_batch(&sealed.header, sealed.head.hash)?;
        let counted_seq = self.counters.counted_after(turn, sealed.head.seq);
        let is_ours = self.advance(&sealed.header, &sealed.head, counted_seq)?;
        if is_ours {
            // Taken back by `reload` if the commit fails.
            self.head = sealed.head;
        }
        Ok(is_ours)
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

    fn write_grants(&mut self, plan: &Plan) -> Written {
        for OpenGrant(grant) in &plan.granted {
            self.connection
                .prepare_cached(
                    "INSERT INTO open_grant (account, id, wallet, priority, expires_us) VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute((
                    grant.account.raw(),
                    grant.id.uuid().as_bytes(),
                    grant.wallet.raw(),
                    grant.priority,
                    grant.expires_us,
                ))?;
        }
        for Lapse { account, .. } in &plan.lapsed {
            self.connection.prepare_cached("DELETE FROM open_grant WHERE account = ?1")?.execute([account.raw()])?;
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
}
