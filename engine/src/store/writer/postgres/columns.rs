//! What a batch writes, column by column: every list of rows is one array per column, so that the text of the statement
//! does not depend on how many there are.

use sea_orm::sqlx::{self, postgres::PgArguments};
use uuid::Uuid;

/// A statement with its arguments.
pub(super) type PgQuery<'q> = sqlx::query::Query<'q, sqlx::Postgres, PgArguments>;

macro_rules! columns {
    ($($name:ident: $rust:ty = $sql:literal,)*) => {
        /// The arrays of one batch.
        #[derive(Debug, Default)]
        pub(super) struct Columns {
            $(pub(super) $name: Vec<$rust>,)*
        }

        /// Their names and SQL types, in the order of [`Columns::bind`].
        pub(super) const TYPES: &[(&str, &str)] = &[$((stringify!($name), $sql),)*];

        impl Columns {
            /// Adds all arrays to the statement's arguments.
            pub(super) fn bind(self, query: PgQuery<'_>) -> PgQuery<'_> {
                $(let query = query.bind(self.$name);)*
                query
            }
        }
    };
}

columns! {
    hold_seq: i64 = "bigint",
    hold_id: Uuid = "uuid",
    hold_wallet: i64 = "bigint",
    hold_payee: i64 = "bigint",
    hold_amount: i64 = "bigint",
    hold_ttl_us: i64 = "bigint",
    hold_publisher_bps: i32 = "integer",
    hold_partner_bps: i32 = "integer",
    hold_partner: Option<i64> = "bigint",
    hold_expiry_capture: Option<i64> = "bigint",
    hold_counters: Vec<u8> = "bytea",
    hold_meta: Option<Vec<u8>> = "bytea",
    open_id: Uuid = "uuid",
    open_wallet: i64 = "bigint",
    open_amount: i64 = "bigint",
    open_expires_us: Option<i64> = "bigint",
    end_seq: i64 = "bigint",
    end_hold: Uuid = "uuid",
    end_id: Uuid = "uuid",
    end_outcome: i16 = "smallint",
    end_captured: i64 = "bigint",
    end_meta: Option<Vec<u8>> = "bytea",
    txn_seq: i64 = "bigint",
    txn_id: Uuid = "uuid",
    txn_kind: i16 = "smallint",
    txn_hold: Option<Uuid> = "uuid",
    txn_reverses: Option<Uuid> = "uuid",
    txn_effective_us: i64 = "bigint",
    txn_meta: Option<Vec<u8>> = "bytea",
    posting_seq: i64 = "bigint",
    posting_ord: i32 = "integer",
    posting_debit: i64 = "bigint",
    posting_credit: i64 = "bigint",
    posting_amount: i64 = "bigint",
    refusal_seq: i64 = "bigint",
    refusal_id: Uuid = "uuid",
    refusal_wallet: Option<i64> = "bigint",
    refusal_reason: String = "text",
    refusal_needed: i64 = "bigint",
    closed: Uuid = "uuid",
    postponed_id: Uuid = "uuid",
    postponed_us: i64 = "bigint",
    wallet_id: i64 = "bigint",
    wallet_credits: i64 = "bigint",
    wallet_debits: i64 = "bigint",
    wallet_held: i64 = "bigint",
    wallet_version: i64 = "bigint",
    counter_cap: Uuid = "uuid",
    counter_start_us: i64 = "bigint",
    counter_spent: i64 = "bigint",
    counter_held: i64 = "bigint",
    fresh_cap: Uuid = "uuid",
    fresh_start_us: i64 = "bigint",
    fresh_spent: i64 = "bigint",
    fresh_held: i64 = "bigint",
    hot_id: i64 = "bigint",
    hot_credits: i64 = "bigint",
    hot_debits: i64 = "bigint",
    call_id: Uuid = "uuid",
    call_surface: i16 = "smallint",
    call_account: Option<Uuid> = "uuid",
    call_token: Option<Uuid> = "uuid",
    call_partner: Option<Uuid> = "uuid",
    call_end_user: Option<Uuid> = "uuid",
    call_tool: Option<Uuid> = "uuid",
    call_price: Option<Uuid> = "uuid",
    call_wallet: Option<i64> = "bigint",
    call_held: i64 = "bigint",
    call_snapshot_version: i64 = "bigint",
    call_policy_version: String = "text",
    call_denied_by: Option<String> = "text",
    call_key_scope: Option<Uuid> = "uuid",
    call_key: Option<String> = "text",
    call_created_us: i64 = "bigint",
    call_state: i16 = "smallint",
    call_charged: i64 = "bigint",
    call_shortfall: i64 = "bigint",
    call_error: Option<String> = "text",
    call_warning: Option<String> = "text",
    call_ended_us: Option<i64> = "bigint",
    call_resolves_us: Option<i64> = "bigint",
    ended_id: Uuid = "uuid",
    ended_state: i16 = "smallint",
    ended_charged: i64 = "bigint",
    ended_shortfall: i64 = "bigint",
    ended_error: Option<String> = "text",
    ended_warning: Option<String> = "text",
    ended_us: i64 = "bigint",
    ended_resolves_us: Option<i64> = "bigint",
    free_opened: Uuid = "uuid",
    free_closed: Uuid = "uuid",
    claim_scope: Uuid = "uuid",
    claim_key: String = "text",
    claim_fingerprint: Vec<u8> = "bytea",
    claim_call: Uuid = "uuid",
    claim_created_us: i64 = "bigint",
    claim_state: i16 = "smallint",
    claim_status: Option<i16> = "smallint",
    claim_replaces: bool = "boolean",
    complete_scope: Uuid = "uuid",
    complete_key: String = "text",
    complete_call: Uuid = "uuid",
    complete_state: i16 = "smallint",
    complete_status: Option<i16> = "smallint",
    answer_call: Uuid = "uuid",
    answer_body: String = "text",
    freed_scope: Uuid = "uuid",
    freed_key: String = "text",
    batch_no: i64 = "bigint",
    batch_first_seq: i64 = "bigint",
    batch_entries: i64 = "bigint",
    batch_postings: i64 = "bigint",
    batch_total: i64 = "bigint",
    batch_recorded_us: i64 = "bigint",
    batch_client: Uuid = "uuid",
    batch_root: Vec<u8> = "bytea",
    batch_prev_hash: Vec<u8> = "bytea",
    batch_hash: Vec<u8> = "bytea",
}
