//! The texts of a batch's statements. They never change, so each is planned once a connection.

use std::sync::LazyLock;

use super::columns::{Columns, Group, Groups, TYPES};

/// Reads all that a batch decides on: `$1` accounts, `$2`, `$3` counters, `$4`, `$5` keys, and which of `$6` name something
/// already. A first column tells what a row is: 1 an account, 2 a counter, 3 a key, 4 a wallet, 5 such a name, 6 a counter
/// that there is, locked or not, 7 an open grant of one of the wallets. A wallet comes with all its grants, and a grant's
/// account with all grants of its wallet, each with its own account. With `@lock` written out, grants, wallets and counters
/// are locked, in the order in which every server locks (grants, then wallets, then counters, each by its key).
///
/// No `EXISTS`: while a table is nearly empty PostgreSQL prefers to read all of it once into a hash, whatever settings say, and
/// would go on doing so as the table grows, for as long as the plan is kept.
const READ_TEMPLATE: &str = "
WITH granted AS MATERIALIZED (
    SELECT account, id, wallet, priority, expires_us FROM open_grant
    WHERE wallet = ANY($1::bigint[] || ARRAY(SELECT o.wallet FROM open_grant o WHERE o.account = ANY($1::bigint[])))
    ORDER BY account @lock
), wallet AS MATERIALIZED (
    SELECT account_id, credits, debits, held, overdraft, version FROM wallet_balance
    WHERE account_id = ANY($1::bigint[] || ARRAY(SELECT g.account FROM granted g)) ORDER BY account_id @lock
), counter AS MATERIALIZED (
    SELECT c.cap_id, c.start_us, c.spent, c.held
    FROM unnest($2::uuid[], $3::bigint[]) AS k (cap_id, start_us) JOIN cap_window c USING (cap_id, start_us)
    ORDER BY c.cap_id, c.start_us @lock
)
SELECT 4::smallint, w.account_id, w.credits, w.debits, w.held, w.overdraft, w.version,
       NULL::uuid, NULL::uuid, NULL::text, NULL::bytea, NULL::text FROM wallet w
UNION ALL
SELECT 2::smallint, c.start_us, c.spent, c.held, NULL, NULL, NULL, c.cap_id, NULL, NULL, NULL, NULL FROM counter c
UNION ALL
SELECT 1::smallint, a.id, a.kind::bigint, (a.closed_us IS NOT NULL)::int::bigint, NULL, NULL, NULL,
       NULL, NULL, NULL, NULL, NULL FROM ledger_account a
WHERE a.id = ANY($1::bigint[] || ARRAY(SELECT g.account FROM granted g))
UNION ALL
SELECT 7::smallint, g.account, g.wallet, g.priority, g.expires_us, NULL, NULL, g.id, NULL, NULL, NULL, NULL
FROM granted g
UNION ALL
SELECT 3::smallint, i.created_us, i.state, i.status, NULL, NULL, NULL, i.scope, i.call, i.key, i.fingerprint, a.body
FROM unnest($4::uuid[], $5::text[]) AS k (scope, key) JOIN idem i USING (scope, key)
LEFT JOIN idem_answer a ON a.call = i.call
UNION ALL
SELECT 5::smallint, NULL, NULL, NULL, NULL, NULL, NULL, u.id, NULL, NULL, NULL, NULL FROM unnest($6::uuid[]) AS u (id)
WHERE (SELECT true FROM hold_resolution r WHERE r.hold_id = u.id LIMIT 1)
   OR (SELECT true FROM hold_resolution r WHERE r.id = u.id AND r.id <> r.hold_id LIMIT 1)
   OR (SELECT true FROM txn t WHERE t.id = u.id AND t.id IS DISTINCT FROM t.hold_id LIMIT 1)
   OR (SELECT true FROM open_hold o WHERE o.hold_id = u.id LIMIT 1)
   OR (SELECT true FROM invocation i WHERE i.id = u.id AND i.state IN (1, 2) LIMIT 1)@seen";

/// The counters that there are: one that is passed over is not one that has to be made.
const SEEN: &str = "
UNION ALL
SELECT 6::smallint, c.start_us, NULL, NULL, NULL, NULL, NULL, c.cap_id, NULL, NULL, NULL, NULL
FROM unnest($2::uuid[], $3::bigint[]) AS k (cap_id, start_us) JOIN cap_window c USING (cap_id, start_us)";

/// Reads without locks.
pub(super) static READ: LazyLock<String> = LazyLock::new(|| READ_TEMPLATE.replace("@lock", "").replace("@seen", ""));

/// Reads, and keeps other servers from changing grants, wallets and counters until the transaction ends. Waits for
/// those that another server has locked.
pub(super) static LOCK: LazyLock<String> = LazyLock::new(|| locking("FOR UPDATE", "FOR UPDATE OF c", ""));

/// As [`LOCK`], but passes over wallets and counters that another server has locked. Grants are few, and one that is passed
/// over would be one that is not spent: it waits for them.
pub(super) static LOCK_FREE: LazyLock<String> =
    LazyLock::new(|| locking("FOR UPDATE SKIP LOCKED", "FOR UPDATE OF c SKIP LOCKED", SEEN));

fn locking(wallets: &str, counters: &str, seen: &str) -> String {
    READ_TEMPLATE
        .replacen("@lock", "FOR UPDATE", 1)
        .replacen("@lock", wallets, 1)
        .replace("@lock", counters)
        .replace("@seen", seen)
}

/// How many arguments stand before the arrays of [`write_text`]: slot, term, the head's batch before, and the head after
/// (batch, entry, time, hash), the lease in microseconds, the owner's and the batch's names, and the
/// numbers of rows that [`expected`] gives.
pub(super) const SCALARS: usize = 11;

/// What writes, piece by piece. A piece cannot see what another one writes.
struct Part {
    name: &'static str,
    group: Group,
    /// How many rows it has to touch, where that shows whether something else was there than what was decided on.
    rows: Option<fn(&Columns) -> usize>,
    /// `@name` stands for the array of that name in [`Columns`].
    sql: &'static str,
}

const fn part(name: &'static str, group: Group, sql: &'static str) -> Part {
    Part { name, group, rows: None, sql }
}

const fn counted(name: &'static str, group: Group, rows: fn(&Columns) -> usize, sql: &'static str) -> Part {
    Part { name, group, rows: Some(rows), sql }
}

const PARTS: &[Part] = &[
    counted(
        "head",
        Group::Always,
        |_columns| 1,
        "UPDATE chain_head SET batch_no = $4, seq = $5, last_us = $6, hash = $7, last_write = $10,
             lease_until_us = (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + $8
         WHERE slot = $1 AND epoch = $2 AND batch_no = $3 AND owner = $9 RETURNING 1",
    ),
    part(
        "batches",
        Group::Always,
        "INSERT INTO batch (slot, epoch, batch_no, first_seq, n_entry, n_posting, total, recorded_us, client_batch_id,
                            merkle_root, prev_hash, hash)
         SELECT $1, $2, u.* FROM unnest(@batch_no, @batch_first_seq, @batch_entries, @batch_postings, @batch_total,
                                        @batch_recorded_us, @batch_client, @batch_root, @batch_prev_hash, @batch_hash) u",
    ),
    counted(
        "wallets",
        Group::Always,
        |columns| columns.wallet_id.len(),
        "UPDATE wallet_balance b SET credits = u.credits, debits = u.debits, held = u.held, version = u.version
         FROM unnest(@wallet_id, @wallet_credits, @wallet_debits, @wallet_held, @wallet_version, @wallet_before)
             AS u (id, credits, debits, held, version, before)
         WHERE b.account_id = u.id AND b.version = u.before RETURNING 1",
    ),
    counted(
        "counters",
        Group::Always,
        |columns| columns.counter_cap.len(),
        "UPDATE cap_window c SET spent = u.spent, held = u.held
         FROM unnest(@counter_cap, @counter_start_us, @counter_spent, @counter_held, @counter_spent_before,
                     @counter_held_before) AS u (cap_id, start_us, spent, held, spent_before, held_before)
         WHERE c.cap_id = u.cap_id AND c.start_us = u.start_us AND c.spent = u.spent_before AND c.held = u.held_before
         RETURNING 1",
    ),
    part(
        "holds",
        Group::Begin,
        "INSERT INTO hold (slot, batch_no, seq, id, wallet, payee, amount, ttl_us, publisher_bps, partner_bps, partner,
                           expiry_capture, counters, meta_hash)
         SELECT $1, $4, u.* FROM unnest(@hold_seq, @hold_id, @hold_wallet, @hold_payee, @hold_amount, @hold_ttl_us,
             @hold_publisher_bps, @hold_partner_bps, @hold_partner, @hold_expiry_capture, @hold_counters, @hold_meta) u",
    ),
    part(
        "opened",
        Group::Begin,
        "INSERT INTO open_hold (slot, epoch, hold_id, wallet, amount, expires_us)
         SELECT $1, $2, u.* FROM unnest(@open_id, @open_wallet, @open_amount, @open_expires_us) u",
    ),
    part(
        "calls",
        Group::Begin,
        "INSERT INTO invocation (slot, epoch, id, surface, account_id, token_id, partner_id, end_user_id, tool_id,
             price_id, wallet, held, snapshot_version, policy_version, denied_by, key_scope, key, created_us, state,
             charged, shortfall, error, warning, ended_us, resolves_us, requested, session_key, channel,
             channel_account, is_owner, explanation, priced_units, returned_value)
         SELECT $1, $2, u.* FROM unnest(@call_id, @call_surface, @call_account, @call_token, @call_partner,
             @call_end_user, @call_tool, @call_price, @call_wallet, @call_held, @call_snapshot_version,
             @call_policy_version, @call_denied_by, @call_key_scope, @call_key, @call_created_us, @call_state,
             @call_charged, @call_shortfall, @call_error, @call_warning, @call_ended_us, @call_resolves_us,
             @call_requested, @call_session_key, @call_channel, @call_channel_account, @call_is_owner, @call_explanation,
             @call_units, @call_returned) u",
    ),
    part(
        "ends",
        Group::End,
        "INSERT INTO hold_resolution (slot, batch_no, seq, hold_id, id, outcome, captured, meta_hash)
         SELECT $1, $4, u.* FROM unnest(@end_seq, @end_hold, @end_id, @end_outcome, @end_captured, @end_meta) u",
    ),
    part(
        "txns",
        Group::End,
        "INSERT INTO txn (slot, batch_no, seq, id, kind, hold_id, reverses, effective_us, meta_hash)
         SELECT $1, $4, u.* FROM unnest(@txn_seq, @txn_id, @txn_kind, @txn_hold, @txn_reverses, @txn_effective_us,
                                        @txn_meta) u",
    ),
    part(
        "postings",
        Group::End,
        "INSERT INTO posting (slot, seq, ord, debit, credit, amount)
         SELECT $1, u.* FROM unnest(@posting_seq, @posting_ord, @posting_debit, @posting_credit, @posting_amount) u",
    ),
    counted(
        "closed",
        Group::End,
        |columns| columns.closed.len(),
        "DELETE FROM open_hold o USING unnest(@closed) AS u (id) WHERE o.hold_id = u.id RETURNING 1",
    ),
    part(
        "hot",
        Group::End,
        "INSERT INTO hot_balance AS b (account_id, slot, credits, debits, version)
         SELECT u.id, $1, u.credits, u.debits, 1
         FROM unnest(@hot_id, @hot_credits, @hot_debits) AS u (id, credits, debits)
         ON CONFLICT (account_id, slot) DO UPDATE
             SET credits = b.credits + excluded.credits, debits = b.debits + excluded.debits, version = b.version + 1",
    ),
    counted(
        "ended",
        Group::End,
        |columns| columns.ended_id.len(),
        "UPDATE invocation i SET state = u.state, charged = u.charged, shortfall = u.shortfall, error = u.error,
             warning = u.warning, ended_us = u.ended_us, resolves_us = u.resolves_us,
             returned_value = u.returned_value
         FROM unnest(@ended_id, @ended_state, @ended_charged, @ended_shortfall, @ended_error, @ended_warning, @ended_us,
                     @ended_resolves_us, @ended_returned)
             AS u (id, state, charged, shortfall, error, warning, ended_us, resolves_us, returned_value)
         WHERE i.id = u.id AND i.state IN (1, 2) RETURNING 1",
    ),
    part(
        "claims",
        Group::Keys,
        "INSERT INTO idem (scope, key, fingerprint, call, created_us, state, status)
         SELECT u.* FROM unnest(@claim_scope, @claim_key, @claim_fingerprint, @claim_call, @claim_created_us,
                                @claim_state, @claim_status) u",
    ),
    part(
        "completed",
        Group::Keys,
        "UPDATE idem i SET state = u.state, status = u.status
         FROM unnest(@complete_scope, @complete_key, @complete_call, @complete_state, @complete_status)
             AS u (scope, key, call, state, status)
         WHERE i.scope = u.scope AND i.key = u.key AND i.call = u.call",
    ),
    part(
        "answers",
        Group::Keys,
        "INSERT INTO idem_answer (call, body) SELECT u.* FROM unnest(@answer_call, @answer_body) u",
    ),
    part(
        "refusals",
        Group::Rare,
        "INSERT INTO refusal (slot, batch_no, seq, id, wallet, reason, needed)
         SELECT $1, $4, u.* FROM unnest(@refusal_seq, @refusal_id, @refusal_wallet, @refusal_reason, @refusal_needed) u",
    ),
    counted(
        "postponed",
        Group::Rare,
        |columns| columns.postponed_id.len(),
        "UPDATE open_hold o SET expires_us = u.expires_us
         FROM unnest(@postponed_id, @postponed_us) AS u (id, expires_us) WHERE o.hold_id = u.id RETURNING 1",
    ),
    part(
        "fresh",
        Group::Rare,
        "INSERT INTO cap_window (cap_id, start_us, spent, held)
         SELECT u.* FROM unnest(@fresh_cap, @fresh_start_us, @fresh_spent, @fresh_held) u",
    ),
    part(
        "free_opened",
        Group::Rare,
        "INSERT INTO open_call (slot, epoch, id) SELECT $1, $2, u.* FROM unnest(@free_opened) u",
    ),
    counted(
        "free_closed",
        Group::Rare,
        |columns| columns.free_closed.len(),
        "DELETE FROM open_call o USING unnest(@free_closed) AS u (id) WHERE o.id = u.id RETURNING 1",
    ),
    counted(
        "replaced",
        Group::Rare,
        |columns| columns.replace_scope.len(),
        "UPDATE idem i SET fingerprint = u.fingerprint, call = u.call, created_us = u.created_us, state = u.state,
             status = u.status
         FROM unnest(@replace_scope, @replace_key, @replace_fingerprint, @replace_call, @replace_created_us,
                     @replace_state, @replace_status, @replace_call_before)
             AS u (scope, key, fingerprint, call, created_us, state, status, call_before)
         WHERE i.scope = u.scope AND i.key = u.key AND i.call = u.call_before RETURNING 1",
    ),
    part(
        "forgotten",
        Group::Rare,
        "DELETE FROM idem_answer a USING idem i, (
             SELECT * FROM unnest(@freed_scope, @freed_key)
             UNION ALL
             SELECT * FROM unnest(@replace_scope, @replace_key)
         ) AS u (scope, key) WHERE i.scope = u.scope AND i.key = u.key AND a.call = i.call",
    ),
    part(
        "closes",
        Group::Rare,
        "INSERT INTO period_close (slot, batch_no, seq, id, period, start_us, end_us, cut, digest)
         SELECT $1, $4, u.* FROM unnest(@close_seq, @close_id, @close_period, @close_start_us, @close_end_us, @close_cut,
                                        @close_digest) u",
    ),
    part(
        "sources",
        Group::Grants,
        "INSERT INTO hold_source (slot, seq, ord, grant_id, account, amount)
         SELECT $1, u.* FROM unnest(@source_seq, @source_ord, @source_grant, @source_account, @source_amount) u",
    ),
    part(
        "given",
        Group::Grants,
        "INSERT INTO wallet_grant (slot, batch_no, seq, id, wallet, account, priority, expires_us)
         SELECT $1, $4, u.* FROM unnest(@given_seq, @given_id, @given_wallet, @given_account, @given_priority,
                                        @given_expires_us) u",
    ),
    part(
        "granted",
        Group::Grants,
        "INSERT INTO open_grant (slot, id, wallet, account, priority, expires_us)
         SELECT $1, u.* FROM unnest(@given_id, @given_wallet, @given_account, @given_priority, @given_expires_us) u",
    ),
    counted(
        "lapsed",
        Group::Grants,
        |columns| columns.lapsed.len(),
        "DELETE FROM open_grant o USING unnest(@lapsed) AS u (account) WHERE o.account = u.account RETURNING 1",
    ),
    counted(
        "freed",
        Group::Rare,
        |columns| columns.freed_scope.len(),
        "DELETE FROM idem i USING unnest(@freed_scope, @freed_key) AS u (scope, key)
         WHERE i.scope = u.scope AND i.key = u.key RETURNING 1",
    ),
    counted(
        "totals",
        Group::Movements,
        |columns| columns.total_id.len(),
        "UPDATE refund_total t SET refunded = u.refunded
         FROM unnest(@total_id, @total_refunded, @total_refunded_before) AS u (id, refunded, before)
         WHERE t.txn_id = u.id AND t.refunded = u.before RETURNING 1",
    ),
    part(
        "first_totals",
        Group::Movements,
        "INSERT INTO refund_total (txn_id, captured, refunded)
         SELECT u.* FROM unnest(@first_total_id, @first_total_captured, @first_total_refunded) u",
    ),
    part(
        "payouts",
        Group::Movements,
        "INSERT INTO payout (txn_id, account, credits, debits, netted, paid, note)
         SELECT u.* FROM unnest(@payout_id, @payout_account, @payout_credits, @payout_debits, @payout_netted,
                                @payout_paid, @payout_note) u",
    ),
];

/// The statement that writes everything of a batch with `groups`, and fails if a part of it does not touch the rows that
/// it has to.
pub(super) fn write_text(groups: Groups) -> &'static str {
    static TEXTS: LazyLock<Vec<String>> =
        LazyLock::new(|| (0..Groups::COUNT).map(|number| compose(Groups::numbered(number))).collect());
    TEXTS.get(groups.number()).map_or("", String::as_str)
}

/// How many rows the counted parts of that statement have to touch, part by part.
pub(super) fn expected(groups: Groups, columns: &Columns) -> Vec<i64> {
    let counts = parts(groups).filter_map(|part| part.rows).map(|rows| rows(columns));
    counts.map(|rows| i64::try_from(rows).unwrap_or(i64::MAX)).collect()
}

/// PostgreSQL's code for a text that is no number: how the statement says that it touched other rows than expected. All
/// its arguments are sent as what they are, so nothing else in it is read from text.
pub(super) const OTHER_ROWS: &str = "22P02";

fn parts(groups: Groups) -> impl Iterator<Item = &'static Part> {
    PARTS.iter().filter(move |part| groups.has(part.group))
}

fn compose(groups: Groups) -> String {
    let written: Vec<String> = parts(groups).map(|part| format!("{} AS ({})", part.name, part.sql)).collect();
    let counts: Vec<String> = parts(groups)
        .filter(|part| part.rows.is_some())
        .map(|part| format!("(SELECT count(*) FROM {})", part.name))
        .collect();
    let sql = format!(
        "WITH {} SELECT CASE WHEN rows = $11::bigint[] THEN 0
                             ELSE ('touched ' || rows::text || ' rows instead of ' || $11::text)::int END
         FROM (SELECT ARRAY[{}] AS rows) AS touched",
        written.join(",\n"),
        counts.join(", ")
    );
    let arrays = TYPES.iter().filter(|(group, ..)| groups.has(*group));
    let mut names: Vec<(usize, &str, &str)> = (SCALARS.saturating_add(1)..)
        .zip(arrays)
        .map(|(number, (_, name, sql_type))| (number, *name, *sql_type))
        .collect();
    // a longer name may begin with a shorter one
    names.sort_unstable_by_key(|(_, name, _)| std::cmp::Reverse(name.len()));
    names.iter().fold(sql, |sql, (number, name, sql_type)| {
        sql.replace(&format!("@{name}"), &format!("${number}::{sql_type}[]"))
    })
}

#[cfg(test)]
mod tests;
