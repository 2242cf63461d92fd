//! The texts of the two statements of a batch. They never change, so each is planned once a connection.

use std::{fmt::Write as _, sync::LazyLock};

use super::columns::TYPES;

/// Locks what the batch decides on, in the order in which every server locks (wallets, then counters, each by its key),
/// and reads all of it. `$1` accounts, `$2`, `$3` counters, `$4`, `$5` keys.
///
/// A first column tells what a row is: 1 an account (with its wallet, if it has one), 2 a counter, 3 a key.
pub(super) const LOCK: &str = "
WITH wallet AS MATERIALIZED (
    SELECT account_id, credits, debits, held, overdraft, version FROM wallet_balance
    WHERE account_id = ANY($1::bigint[]) ORDER BY account_id FOR UPDATE
), counter AS MATERIALIZED (
    SELECT c.cap_id, c.start_us, c.spent, c.held
    FROM cap_window c JOIN unnest($2::uuid[], $3::bigint[]) AS k (cap_id, start_us) USING (cap_id, start_us)
    ORDER BY c.cap_id, c.start_us FOR UPDATE OF c
)
SELECT 1::smallint, a.id, a.kind::bigint, (a.closed_us IS NOT NULL)::int::bigint, w.credits, w.debits, w.held, w.overdraft,
       w.version, NULL::uuid, NULL::uuid, NULL::text, NULL::bytea, NULL::text
FROM ledger_account a LEFT JOIN wallet w ON w.account_id = a.id WHERE a.id = ANY($1::bigint[])
UNION ALL
SELECT 2::smallint, c.start_us, c.spent, c.held, NULL, NULL, NULL, NULL, NULL, c.cap_id, NULL, NULL, NULL, NULL FROM counter c
UNION ALL
SELECT 3::smallint, i.created_us, i.state, i.status, NULL, NULL, NULL, NULL, NULL, i.scope, i.call, i.key, i.fingerprint, a.body
FROM unnest($4::uuid[], $5::text[]) AS k (scope, key) JOIN idem i USING (scope, key)
LEFT JOIN idem_answer a ON a.call = i.call";

/// How many arguments stand before the arrays of [`WRITE`]: slot, term, the head's batch before, and the head after:
/// batch, entry, time, hash, the lease in microseconds.
const SCALARS: usize = 8;

/// Writes everything at once, and counts the rows that had to be there. A part cannot see what another part writes.
/// `@name` stands for the array of that name in [`super::columns::Columns`].
const WRITE_TEMPLATE: &str = "
WITH head AS (
    UPDATE chain_head SET batch_no = $4, seq = $5, last_us = $6, hash = $7,
        lease_until_us = (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + $8
    WHERE slot = $1 AND epoch = $2 AND batch_no = $3 RETURNING 1
), batches AS (
    INSERT INTO batch (slot, epoch, batch_no, first_seq, n_entry, n_posting, total, recorded_us, client_batch_id,
                       merkle_root, prev_hash, hash)
    SELECT $1, $2, u.* FROM unnest(@batch_no, @batch_first_seq, @batch_entries, @batch_postings, @batch_total,
                                   @batch_recorded_us, @batch_client, @batch_root, @batch_prev_hash, @batch_hash) u
), holds AS (
    INSERT INTO hold (slot, batch_no, seq, id, wallet, payee, amount, ttl_us, publisher_bps, partner_bps, partner,
                      expiry_capture, counters, meta_hash)
    SELECT $1, $4, u.* FROM unnest(@hold_seq, @hold_id, @hold_wallet, @hold_payee, @hold_amount, @hold_ttl_us,
        @hold_publisher_bps, @hold_partner_bps, @hold_partner, @hold_expiry_capture, @hold_counters, @hold_meta) u
), opened AS (
    INSERT INTO open_hold (slot, epoch, hold_id, wallet, amount, expires_us)
    SELECT $1, $2, u.* FROM unnest(@open_id, @open_wallet, @open_amount, @open_expires_us) u
), ends AS (
    INSERT INTO hold_resolution (slot, batch_no, seq, hold_id, id, outcome, captured, meta_hash)
    SELECT $1, $4, u.* FROM unnest(@end_seq, @end_hold, @end_id, @end_outcome, @end_captured, @end_meta) u
), txns AS (
    INSERT INTO txn (slot, batch_no, seq, id, kind, hold_id, reverses, effective_us, meta_hash)
    SELECT $1, $4, u.* FROM unnest(@txn_seq, @txn_id, @txn_kind, @txn_hold, @txn_reverses, @txn_effective_us, @txn_meta) u
), postings AS (
    INSERT INTO posting (slot, seq, ord, debit, credit, amount)
    SELECT $1, u.* FROM unnest(@posting_seq, @posting_ord, @posting_debit, @posting_credit, @posting_amount) u
), refusals AS (
    INSERT INTO refusal (slot, batch_no, seq, id, wallet, reason, needed)
    SELECT $1, $4, u.* FROM unnest(@refusal_seq, @refusal_id, @refusal_wallet, @refusal_reason, @refusal_needed) u
), closed AS (
    DELETE FROM open_hold o USING unnest(@closed) AS u (id) WHERE o.hold_id = u.id RETURNING 1
), postponed AS (
    UPDATE open_hold o SET expires_us = u.expires_us
    FROM unnest(@postponed_id, @postponed_us) AS u (id, expires_us) WHERE o.hold_id = u.id RETURNING 1
), wallets AS (
    UPDATE wallet_balance b SET credits = u.credits, debits = u.debits, held = u.held, version = u.version
    FROM unnest(@wallet_id, @wallet_credits, @wallet_debits, @wallet_held, @wallet_version)
        AS u (id, credits, debits, held, version)
    WHERE b.account_id = u.id RETURNING 1
), counters AS (
    UPDATE cap_window c SET spent = u.spent, held = u.held
    FROM unnest(@counter_cap, @counter_start_us, @counter_spent, @counter_held) AS u (cap_id, start_us, spent, held)
    WHERE c.cap_id = u.cap_id AND c.start_us = u.start_us RETURNING 1
), fresh AS (
    INSERT INTO cap_window (cap_id, start_us, spent, held)
    SELECT u.* FROM unnest(@fresh_cap, @fresh_start_us, @fresh_spent, @fresh_held) u
), hot AS (
    INSERT INTO hot_balance AS b (account_id, slot, credits, debits, version)
    SELECT u.id, $1, u.credits, u.debits, 1 FROM unnest(@hot_id, @hot_credits, @hot_debits) AS u (id, credits, debits)
    ON CONFLICT (account_id, slot) DO UPDATE
        SET credits = b.credits + excluded.credits, debits = b.debits + excluded.debits, version = b.version + 1
), calls AS (
    INSERT INTO invocation (slot, epoch, id, surface, account_id, token_id, partner_id, end_user_id, tool_id, price_id,
        wallet, held, snapshot_version, policy_version, denied_by, key_scope, key, created_us, state, charged,
        shortfall, error, warning, ended_us, resolves_us)
    SELECT $1, $2, u.* FROM unnest(@call_id, @call_surface, @call_account, @call_token, @call_partner, @call_end_user,
        @call_tool, @call_price, @call_wallet, @call_held, @call_snapshot_version, @call_policy_version,
        @call_denied_by, @call_key_scope, @call_key, @call_created_us, @call_state, @call_charged, @call_shortfall,
        @call_error, @call_warning, @call_ended_us, @call_resolves_us) u
), ended AS (
    UPDATE invocation i SET state = u.state, charged = u.charged, shortfall = u.shortfall, error = u.error,
        warning = u.warning, ended_us = u.ended_us, resolves_us = u.resolves_us
    FROM unnest(@ended_id, @ended_state, @ended_charged, @ended_shortfall, @ended_error, @ended_warning, @ended_us,
                @ended_resolves_us) AS u (id, state, charged, shortfall, error, warning, ended_us, resolves_us)
    WHERE i.id = u.id AND i.state IN (1, 2) RETURNING 1
), free_opened AS (
    INSERT INTO open_call (slot, epoch, id) SELECT $1, $2, u.* FROM unnest(@free_opened) u
), free_closed AS (
    DELETE FROM open_call o USING unnest(@free_closed) AS u (id) WHERE o.id = u.id RETURNING 1
), claims AS (
    INSERT INTO idem (scope, key, fingerprint, call, created_us, state, status)
    SELECT u.scope, u.key, u.fingerprint, u.call, u.created_us, u.state, u.status
    FROM unnest(@claim_scope, @claim_key, @claim_fingerprint, @claim_call, @claim_created_us, @claim_state,
                @claim_status, @claim_replaces)
        AS u (scope, key, fingerprint, call, created_us, state, status, replaces)
    WHERE NOT u.replaces
), replaced AS (
    UPDATE idem i SET fingerprint = u.fingerprint, call = u.call, created_us = u.created_us, state = u.state,
        status = u.status
    FROM unnest(@claim_scope, @claim_key, @claim_fingerprint, @claim_call, @claim_created_us, @claim_state,
                @claim_status, @claim_replaces)
        AS u (scope, key, fingerprint, call, created_us, state, status, replaces)
    WHERE u.replaces AND i.scope = u.scope AND i.key = u.key RETURNING 1
), completed AS (
    UPDATE idem i SET state = u.state, status = u.status
    FROM unnest(@complete_scope, @complete_key, @complete_call, @complete_state, @complete_status)
        AS u (scope, key, call, state, status)
    WHERE i.scope = u.scope AND i.key = u.key AND i.call = u.call
), answers AS (
    INSERT INTO idem_answer (call, body) SELECT u.* FROM unnest(@answer_call, @answer_body) u
), forgotten AS (
    DELETE FROM idem_answer a USING idem i, (
        SELECT * FROM unnest(@freed_scope, @freed_key)
        UNION ALL
        SELECT scope, key FROM unnest(@claim_scope, @claim_key, @claim_replaces) AS u (scope, key, replaces) WHERE replaces
    ) AS u (scope, key) WHERE i.scope = u.scope AND i.key = u.key AND a.call = i.call
), freed AS (
    DELETE FROM idem i USING unnest(@freed_scope, @freed_key) AS u (scope, key)
    WHERE i.scope = u.scope AND i.key = u.key RETURNING 1
)
SELECT (SELECT count(*) FROM head), (SELECT count(*) FROM closed), (SELECT count(*) FROM postponed),
       (SELECT count(*) FROM wallets), (SELECT count(*) FROM counters), (SELECT count(*) FROM ended),
       (SELECT count(*) FROM free_closed), (SELECT count(*) FROM replaced), (SELECT count(*) FROM freed)";

/// [`WRITE_TEMPLATE`] with the numbers and types of its arguments.
pub(super) static WRITE: LazyLock<String> = LazyLock::new(|| {
    let mut sql = String::with_capacity(WRITE_TEMPLATE.len().saturating_mul(2));
    let mut parts = WRITE_TEMPLATE.split('@');
    sql.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let end = part.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(part.len());
        let (name, rest) = part.split_at(end);
        let found = (SCALARS.saturating_add(1)..).zip(TYPES).find(|(_, (known, _))| *known == name);
        // An unknown name stays as it is: the database refuses the statement, and the tests with it.
        let written = match found {
            Some((number, (_, sql_type))) => write!(sql, "${number}::{sql_type}[]{rest}"),
            None => write!(sql, "@{part}"),
        };
        debug_assert!(written.is_ok(), "a String takes everything");
    }
    sql
});

#[cfg(test)]
mod tests;
