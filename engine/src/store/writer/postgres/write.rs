//! Turns a plan into the arrays of one statement, and carries it out.

use std::collections::HashMap;

use sea_orm::sqlx;
use uuid::Uuid;

use super::{
    columns::Columns,
    session::{Session, Trouble},
    slot::LEASE_US,
    statements::{expected, write_text},
    wanted::Wanted,
};
use crate::{
    code::Code,
    id::{AccountId, EndUserId, EntryId, InvocationId, PartnerId, PriceVersionId, TokenId, ToolId},
    invocation::{CallEnd, CallRecord},
    ledger::{
        LedgerAccountId, OnExpiry,
        caps::{Counter, CounterKey},
        chain::{ChainHead, SealedBatch},
        facts::Facts,
        grants::GrantEntry,
        key::{KeyName, KeyState, StoredKey},
        leaf::{Digest, Entry, HoldEntry, SettlementEntry, TransactionEntry, encode_counters},
        movement::RefundTotal,
        periods::{PeriodClose, encode_cut},
        plan::{CallWrite, KeyWrite, Plan},
    },
};

/// What was there before the batch, as far as the statement has to know.
#[derive(Debug, Default)]
pub(super) struct Before {
    /// The wallets' versions.
    wallets: HashMap<LedgerAccountId, i64>,
    /// The counters that have a row.
    counters: HashMap<CounterKey, Counter>,
    /// The keys that have a row, and whose they are.
    keys: HashMap<KeyName, InvocationId>,
    /// The totals of what was taken back that have a row.
    pub(super) refunds: HashMap<EntryId, RefundTotal>,
}

/// A decided batch.
pub(super) struct Decision<'a> {
    /// What is to be written.
    pub(super) plan: &'a Plan,
    /// The facts after it.
    pub(super) facts: &'a Facts,
    /// What was there before it.
    pub(super) before: &'a Before,
    /// When it was decided, in microseconds since the Unix epoch.
    pub(super) now_us: i64,
    /// Its name.
    pub(super) name: Uuid,
}

impl Before {
    /// As far as a batch may change it that decides on `wanted`.
    pub(super) fn of(wanted: &Wanted, facts: &Facts) -> Self {
        let wallets = wanted.accounts.iter().filter_map(|id| Some((*id, facts.wallets.get(id)?.version)));
        let counters = wanted.counters.iter().filter_map(|key| Some((*key, *facts.counters.get(key)?)));
        let keys = facts.keys.iter().map(|(name, stored)| (name.clone(), stored.call));
        let refunds = facts.refunds.clone();
        Self { wallets: wallets.collect(), counters: counters.collect(), keys: keys.collect(), refunds }
    }
}

/// Writes the batch, into the open transaction if there is one, and returns the head after it.
///
/// # Errors
/// [`Trouble::Raced`] if a row was not as the batch was decided on: the slot has gone to somebody else, or another server
/// was first.
pub(super) async fn write(
    session: &mut Session,
    head: &ChainHead,
    owner: Uuid,
    decision: Decision<'_>,
) -> Result<ChainHead, Trouble> {
    let Decision { plan, facts, before, now_us, name } = decision;
    let mut columns = Columns::default();
    let next = if plan.entries.is_empty() {
        ChainHead { last_us: head.last_us, ..*head }
    } else {
        let sealed = head.seal(&plan.entries, now_us, name);
        columns.add_batch(&sealed);
        for (seq, entry) in (sealed.header.first_seq..).zip(&plan.entries) {
            columns.add_entry(seq, entry);
        }
        sealed.head
    };
    columns.add_holds(facts, plan);
    columns.lapsed.extend(plan.lapsed.iter().map(|lapse| lapse.account.raw()));
    columns.add_balances(facts, before, plan);
    columns.add_movements(facts, before, plan);
    columns.add_calls(facts, plan);
    columns.add_keys(before, &plan.keys);
    let groups = columns.groups();
    let query = sqlx::query(write_text(groups))
        .bind(head.slot)
        .bind(head.epoch)
        .bind(head.batch_no)
        .bind(next.batch_no)
        .bind(next.seq)
        .bind(next.last_us)
        .bind(next.hash.to_vec())
        .bind(LEASE_US)
        .bind(owner)
        .bind(name)
        .bind(expected(groups, &columns));
    columns.bind(groups, query).execute(session.connection()).await?;
    Ok(next)
}

fn bytes(digest: Option<Digest>) -> Option<Vec<u8>> {
    digest.map(|digest| digest.to_vec())
}

impl Columns {
    fn add_batch(&mut self, sealed: &SealedBatch) {
        let header = &sealed.header;
        self.batch_no.push(header.batch_no);
        self.batch_first_seq.push(header.first_seq);
        self.batch_entries.push(header.entries);
        self.batch_postings.push(header.postings);
        self.batch_total.push(header.total);
        self.batch_recorded_us.push(header.recorded_us);
        self.batch_client.push(header.client_batch);
        self.batch_root.push(header.root.to_vec());
        self.batch_prev_hash.push(header.prev_hash.to_vec());
        self.batch_hash.push(sealed.head.hash.to_vec());
    }

    fn add_entry(&mut self, seq: i64, entry: &Entry) {
        match entry {
            Entry::Transaction(transaction) => self.add_transaction(seq, transaction),
            Entry::Hold(hold) => self.add_hold(seq, hold),
            Entry::Settlement(settlement) => self.add_settlement(seq, settlement),
            Entry::Refusal(refusal) => {
                self.refusal_seq.push(seq);
                self.refusal_id.push(refusal.id.uuid());
                self.refusal_wallet.push(refusal.wallet.map(LedgerAccountId::raw));
                self.refusal_reason.push(refusal.reason.to_owned());
                self.refusal_needed.push(refusal.needed.micros());
            }
            Entry::Grant(grant) => self.add_grant(seq, grant),
            Entry::Close(close) => self.add_close(seq, close),
        }
    }

    fn add_transaction(&mut self, seq: i64, entry: &TransactionEntry) {
        self.txn_seq.push(seq);
        self.txn_id.push(entry.id.uuid());
        self.txn_kind.push(entry.kind.raw());
        self.txn_hold.push(entry.hold.map(EntryId::uuid));
        self.txn_reverses.push(entry.reverses.map(EntryId::uuid));
        self.txn_effective_us.push(entry.effective_us);
        self.txn_meta.push(bytes(entry.meta));
        for (ord, leg) in (0_i32..).zip(&entry.legs) {
            self.posting_seq.push(seq);
            self.posting_ord.push(ord);
            self.posting_debit.push(leg.debit.raw());
            self.posting_credit.push(leg.credit.raw());
            self.posting_amount.push(leg.amount.micros());
        }
    }

    fn add_hold(&mut self, seq: i64, hold: &HoldEntry) {
        self.hold_seq.push(seq);
        self.hold_id.push(hold.id.uuid());
        self.hold_wallet.push(hold.wallet.raw());
        self.hold_payee.push(hold.payee.raw());
        self.hold_amount.push(hold.amount.micros());
        self.hold_ttl_us.push(hold.ttl_us);
        self.hold_publisher_bps.push(hold.shares.publisher_bps().into());
        self.hold_partner_bps.push(hold.shares.partner_bps().into());
        self.hold_partner.push(hold.partner.map(LedgerAccountId::raw));
        self.hold_expiry_capture.push(match hold.on_expiry {
            OnExpiry::Release => None,
            OnExpiry::Capture(amount) => Some(amount.micros()),
        });
        self.hold_counters.push(encode_counters(&hold.counters));
        self.hold_meta.push(bytes(hold.meta));
        for (ord, source) in (0_i32..).zip(&hold.sources) {
            self.source_seq.push(seq);
            self.source_ord.push(ord);
            self.source_grant.push(source.grant.uuid());
            self.source_account.push(source.account.raw());
            self.source_amount.push(source.amount.micros());
        }
    }

    fn add_grant(&mut self, seq: i64, grant: &GrantEntry) {
        self.given_seq.push(seq);
        self.given_id.push(grant.id.uuid());
        self.given_wallet.push(grant.wallet.raw());
        self.given_account.push(grant.account.raw());
        self.given_priority.push(grant.priority);
        self.given_expires_us.push(grant.expires_us);
    }

    fn add_close(&mut self, seq: i64, close: &PeriodClose) {
        self.close_seq.push(seq);
        self.close_id.push(close.id.uuid());
        self.close_period.push(close.period);
        self.close_start_us.push(close.start_us);
        self.close_end_us.push(close.end_us);
        self.close_cut.push(encode_cut(&close.cut));
        self.close_digest.push(close.digest.to_vec());
    }

    fn add_settlement(&mut self, seq: i64, entry: &SettlementEntry) {
        self.end_seq.push(seq);
        self.end_hold.push(entry.hold.uuid());
        self.end_id.push(entry.id.uuid());
        self.end_outcome.push(entry.settled.raw());
        self.end_captured.push(entry.captured.micros());
        self.end_meta.push(bytes(entry.meta));
    }

    fn add_holds(&mut self, facts: &Facts, plan: &Plan) {
        let opened: HashMap<EntryId, Option<i64>> = plan.opened.iter().copied().collect();
        for (id, expires_us) in &plan.opened {
            // A hold that was placed and settled in the same batch was never open for anybody else.
            if let Some(open) = facts.holds.get(id) {
                self.open_id.push(id.uuid());
                self.open_wallet.push(open.entry.wallet.raw());
                self.open_amount.push(open.entry.amount.micros());
                // It may have been postponed since.
                self.open_expires_us.push(open.expires_us.or(*expires_us));
            }
        }
        self.closed.extend(plan.closed.iter().filter(|id| !opened.contains_key(id)).map(|id| id.uuid()));
        for (id, expires_us) in plan.postponed.iter().filter(|(id, _)| !opened.contains_key(id)) {
            if facts.holds.contains_key(id) {
                self.postponed_id.push(id.uuid());
                self.postponed_us.push(*expires_us);
            }
        }
    }

    fn add_balances(&mut self, facts: &Facts, before: &Before, plan: &Plan) {
        for (id, wallet) in plan.wallets.iter().filter_map(|id| facts.wallets.get(id).map(|wallet| (id, wallet))) {
            self.wallet_id.push(id.raw());
            self.wallet_credits.push(wallet.credits);
            self.wallet_debits.push(wallet.debits);
            self.wallet_held.push(wallet.held);
            self.wallet_version.push(wallet.version);
            // without a known row before, the statement finds none either
            self.wallet_before.push(before.wallets.get(id).copied().unwrap_or(-1));
        }
        for (key, counter) in
            plan.counters.iter().filter_map(|key| facts.counters.get(key).map(|counter| (key, counter)))
        {
            let (caps, starts, spent, held) = if let Some(was) = before.counters.get(key) {
                self.counter_spent_before.push(was.spent);
                self.counter_held_before.push(was.held);
                (&mut self.counter_cap, &mut self.counter_start_us, &mut self.counter_spent, &mut self.counter_held)
            } else {
                (&mut self.fresh_cap, &mut self.fresh_start_us, &mut self.fresh_spent, &mut self.fresh_held)
            };
            caps.push(key.cap.uuid());
            starts.push(key.start_us);
            spent.push(counter.spent);
            held.push(counter.held);
        }
        for (id, delta) in &plan.hot {
            self.hot_id.push(id.raw());
            self.hot_credits.push(delta.credits);
            self.hot_debits.push(delta.debits);
        }
    }

    /// A call that began and ended in the same batch is inserted as it ended: a statement does not see its own rows.
    fn add_calls(&mut self, facts: &Facts, plan: &Plan) {
        let mut ends: HashMap<InvocationId, &CallEnd> = HashMap::new();
        for call in &plan.calls {
            if let CallWrite::End(id, end) = call {
                ends.insert(*id, end);
            }
        }
        for call in &plan.calls {
            if let CallWrite::Insert(record) = call {
                let end = ends.remove(&record.id).or(record.end.as_ref());
                let open = || facts.holds.get(&EntryId::from(record.id)).and_then(|open| open.expires_us);
                let resolves_us = end.map_or_else(open, |end| end.resolves_us);
                self.add_call(record, end, resolves_us);
            }
        }
        for (id, end) in ends {
            self.ended_id.push(id.uuid());
            self.ended_state.push(end.state.raw());
            self.ended_charged.push(end.charged.micros());
            self.ended_shortfall.push(end.shortfall.micros());
            self.ended_error.push(end.error.map(|code| Code::as_str(code).to_owned()));
            self.ended_warning.push(end.warning.clone());
            self.ended_us.push(end.ended_us);
            self.ended_resolves_us.push(end.resolves_us);
            self.ended_returned.push(end.returned.clone());
        }
        let is_in = |list: &[InvocationId], id: &InvocationId| list.contains(id);
        let (opened, closed) = (&plan.free_opened, &plan.free_closed);
        self.free_opened.extend(opened.iter().filter(|id| !is_in(closed, id)).map(|id| id.uuid()));
        self.free_closed.extend(closed.iter().filter(|id| !is_in(opened, id)).map(|id| id.uuid()));
    }

    fn add_call(&mut self, call: &CallRecord, end: Option<&CallEnd>, resolves_us: Option<i64>) {
        let parties = &call.parties;
        self.call_id.push(call.id.uuid());
        self.call_surface.push(call.surface.raw());
        self.call_account.push(parties.account.map(AccountId::uuid));
        self.call_token.push(parties.token.map(TokenId::uuid));
        self.call_partner.push(parties.partner.map(PartnerId::uuid));
        self.call_end_user.push(parties.end_user.map(EndUserId::uuid));
        self.call_tool.push(call.tool.map(ToolId::uuid));
        self.call_price.push(call.price.map(PriceVersionId::uuid));
        self.call_wallet.push(call.wallet.map(LedgerAccountId::raw));
        self.call_held.push(call.held.micros());
        self.call_snapshot_version.push(call.snapshot_version);
        self.call_policy_version.push(call.policy_version.to_string());
        self.call_denied_by.push(call.denied_by.clone());
        self.call_key_scope.push(call.key.as_ref().map(|(scope, _)| *scope));
        self.call_key.push(call.key.as_ref().map(|(_, key)| key.to_string()));
        self.call_created_us.push(call.created_us);
        self.call_state.push(end.map_or(call.state, |end| end.state).raw());
        self.call_charged.push(end.map_or(0, |end| end.charged.micros()));
        self.call_shortfall.push(end.map_or(0, |end| end.shortfall.micros()));
        self.call_error.push(end.and_then(|end| end.error).map(|code| Code::as_str(code).to_owned()));
        self.call_warning.push(end.and_then(|end| end.warning.clone()));
        self.call_ended_us.push(end.map(|end| end.ended_us));
        self.call_resolves_us.push(resolves_us);
        let asked = call.asked.as_deref();
        self.call_requested.push(asked.map(|asked| storable(&asked.tool)));
        self.call_session_key.push(asked.map(|asked| storable(&asked.session_key)));
        self.call_channel.push(asked.and_then(|asked| asked.channel.as_deref()).map(storable));
        self.call_channel_account.push(asked.and_then(|asked| asked.account.as_deref()).map(storable));
        self.call_is_owner.push(asked.map(|asked| asked.is_owner));
        self.call_explanation.push(call.explanation.as_deref().map(storable));
        self.call_units.push(call.units.clone());
        self.call_returned.push(end.and_then(|end| end.returned.clone()));
    }

    /// What becomes of every key in the end: a part of the statement does not see what another part writes.
    fn add_keys(&mut self, before: &Before, writes: &[KeyWrite]) {
        let mut keys: HashMap<&KeyName, KeyFate<'_>> = HashMap::new();
        for write in writes {
            let (name, fate) = match write {
                KeyWrite::Claim(name, stored) => (name, KeyFate::Claimed(stored, &KeyState::Running)),
                // What is not known is not there, as far as is known: another call may have claimed the key that this one
                // still has. Its claim stays, is found out when it is written, and decided again on what is there.
                KeyWrite::Complete(name, call, state) => match keys.get(name) {
                    Some(KeyFate::Claimed(stored, of)) if stored.call != *call => (name, KeyFate::Claimed(stored, of)),
                    Some(KeyFate::Claimed(stored, _)) => (name, KeyFate::Claimed(stored, state)),
                    _ => (name, KeyFate::Completed(*call, state)),
                },
                KeyWrite::Free(name, call) => match keys.get(name) {
                    Some(KeyFate::Claimed(stored, of)) if stored.call != *call => (name, KeyFate::Claimed(stored, of)),
                    Some(KeyFate::Claimed(..)) if !before.keys.contains_key(name) => (name, KeyFate::NeverThere),
                    _ => (name, KeyFate::Freed),
                },
            };
            keys.insert(name, fate);
        }
        for (name, fate) in keys {
            match fate {
                KeyFate::NeverThere => {}
                KeyFate::Freed => {
                    self.freed_scope.push(name.scope);
                    self.freed_key.push(name.key.to_string());
                }
                KeyFate::Completed(call, state) => {
                    let (number, status) = self.add_answer(call, state);
                    self.complete_scope.push(name.scope);
                    self.complete_key.push(name.key.to_string());
                    self.complete_call.push(call.uuid());
                    self.complete_state.push(number);
                    self.complete_status.push(status);
                }
                KeyFate::Claimed(stored, state) if before.keys.contains_key(name) => {
                    let (number, status) = self.add_answer(stored.call, state);
                    self.replace_call_before.extend(before.keys.get(name).map(|call| call.uuid()));
                    self.replace_scope.push(name.scope);
                    self.replace_key.push(name.key.to_string());
                    self.replace_fingerprint.push(stored.fingerprint.to_vec());
                    self.replace_call.push(stored.call.uuid());
                    self.replace_created_us.push(stored.created_us);
                    self.replace_state.push(number);
                    self.replace_status.push(status);
                }
                KeyFate::Claimed(stored, state) => {
                    let (number, status) = self.add_answer(stored.call, state);
                    self.claim_scope.push(name.scope);
                    self.claim_key.push(name.key.to_string());
                    self.claim_fingerprint.push(stored.fingerprint.to_vec());
                    self.claim_call.push(stored.call.uuid());
                    self.claim_created_us.push(stored.created_us);
                    self.claim_state.push(number);
                    self.claim_status.push(status);
                }
            }
        }
    }

    /// Keeps the body of a finished call; returns the state's number and the HTTP status.
    fn add_answer(&mut self, call: InvocationId, state: &KeyState) -> (i16, Option<i16>) {
        match state {
            KeyState::Running => (1, None),
            KeyState::Finished { status, body } => {
                self.answer_call.push(call.uuid());
                self.answer_body.push(body.to_string());
                (2, i16::try_from(*status).ok())
            }
            KeyState::Unknown => (3, None),
        }
    }
}

/// Text that somebody has sent. PostgreSQL stores all of it but the character of number 0.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// What becomes of a key in one batch.
enum KeyFate<'a> {
    Claimed(&'a StoredKey, &'a KeyState),
    Completed(InvocationId, &'a KeyState),
    Freed,
    NeverThere,
}
