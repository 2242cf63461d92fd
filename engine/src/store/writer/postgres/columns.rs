//! What a batch writes, column by column: every list of rows is one array per column, so that the text of the statement
//! does not depend on how many there are. Arrays that most batches leave empty stand in groups: a part of a statement
//! costs the database something even if there is nothing for it to do.

use sea_orm::sqlx::{self, postgres::PgArguments};
use uuid::Uuid;

/// A statement with its arguments.
pub(super) type PgQuery<'q> = sqlx::query::Query<'q, sqlx::Postgres, PgArguments>;

/// Parts of the statement that are there only if a batch needs them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    /// In every batch.
    Always,
    /// Calls and holds that begin.
    Begin,
    /// Holds and calls that end, and money that moves.
    End,
    /// Idempotency keys.
    Keys,
    /// Whatever happens seldom.
    Rare,
    /// Credits that expire.
    Grants,
    /// Money that goes back or out.
    Movements,
}

/// Some of the [`Group`]s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Groups(u8);

impl Groups {
    /// How many different ones there are, without those of [`Group::Always`].
    pub(super) const COUNT: u8 = 64;

    /// Number `number`, below [`Self::COUNT`].
    pub(super) const fn numbered(number: u8) -> Self {
        Self(number)
    }

    pub(super) fn number(self) -> usize {
        self.0.into()
    }

    pub(super) const fn has(self, group: Group) -> bool {
        self.0 & group.bit() == group.bit()
    }
}

impl Group {
    const fn bit(self) -> u8 {
        match self {
            Self::Always => 0,
            Self::Begin => 1,
            Self::End => 2,
            Self::Keys => 4,
            Self::Rare => 8,
            Self::Grants => 16,
            Self::Movements => 32,
        }
    }
}

macro_rules! columns {
    ($($group:ident $name:ident: $rust:ty = $sql:literal,)*) => {
        /// The arrays of one batch.
        #[derive(Debug, Default)]
        pub(super) struct Columns {
            $(pub(super) $name: Vec<$rust>,)*
        }

        /// Their groups, names and SQL types, in the order of [`Columns::bind`].
        pub(super) const TYPES: &[(Group, &str, &str)] = &[$((Group::$group, stringify!($name), $sql),)*];

        impl Columns {
            /// Those that something is in.
            pub(super) fn groups(&self) -> Groups {
                let mut groups = 0;
                $(if !self.$name.is_empty() {
                    groups |= Group::$group.bit();
                })*
                Groups(groups)
            }

            /// Adds the arrays of `groups` to the statement's arguments.
            pub(super) fn bind(self, groups: Groups, query: PgQuery<'_>) -> PgQuery<'_> {
                $(let query = if groups.has(Group::$group) { query.bind(self.$name) } else { query };)*
                query
            }
        }
    };
}

columns! {
    Begin hold_seq: i64 = "bigint",
    Begin hold_id: Uuid = "uuid",
    Begin hold_wallet: i64 = "bigint",
    Begin hold_payee: i64 = "bigint",
    Begin hold_amount: i64 = "bigint",
    Begin hold_ttl_us: i64 = "bigint",
    Begin hold_publisher_bps: i32 = "integer",
    Begin hold_partner_bps: i32 = "integer",
    Begin hold_partner: Option<i64> = "bigint",
    Begin hold_expiry_capture: Option<i64> = "bigint",
    Begin hold_counters: Vec<u8> = "bytea",
    Begin hold_meta: Option<Vec<u8>> = "bytea",
    Begin open_id: Uuid = "uuid",
    Begin open_wallet: i64 = "bigint",
    Begin open_amount: i64 = "bigint",
    Begin open_expires_us: Option<i64> = "bigint",
    End end_seq: i64 = "bigint",
    End end_hold: Uuid = "uuid",
    End end_id: Uuid = "uuid",
    End end_outcome: i16 = "smallint",
    End end_captured: i64 = "bigint",
    End end_meta: Option<Vec<u8>> = "bytea",
    End txn_seq: i64 = "bigint",
    End txn_id: Uuid = "uuid",
    End txn_kind: i16 = "smallint",
    End txn_hold: Option<Uuid> = "uuid",
    End txn_reverses: Option<Uuid> = "uuid",
    End txn_effective_us: i64 = "bigint",
    End txn_meta: Option<Vec<u8>> = "bytea",
    End posting_seq: i64 = "bigint",
    End posting_ord: i32 = "integer",
    End posting_debit: i64 = "bigint",
    End posting_credit: i64 = "bigint",
    End posting_amount: i64 = "bigint",
    Rare refusal_seq: i64 = "bigint",
    Rare refusal_id: Uuid = "uuid",
    Rare refusal_wallet: Option<i64> = "bigint",
    Rare refusal_reason: String = "text",
    Rare refusal_needed: i64 = "bigint",
    End closed: Uuid = "uuid",
    Rare postponed_id: Uuid = "uuid",
    Rare postponed_us: i64 = "bigint",
    Always wallet_id: i64 = "bigint",
    Always wallet_credits: i64 = "bigint",
    Always wallet_debits: i64 = "bigint",
    Always wallet_held: i64 = "bigint",
    Always wallet_version: i64 = "bigint",
    Always wallet_before: i64 = "bigint",
    Always counter_cap: Uuid = "uuid",
    Always counter_start_us: i64 = "bigint",
    Always counter_spent: i64 = "bigint",
    Always counter_held: i64 = "bigint",
    Always counter_spent_before: i64 = "bigint",
    Always counter_held_before: i64 = "bigint",
    Rare fresh_cap: Uuid = "uuid",
    Rare fresh_start_us: i64 = "bigint",
    Rare fresh_spent: i64 = "bigint",
    Rare fresh_held: i64 = "bigint",
    End hot_id: i64 = "bigint",
    End hot_credits: i64 = "bigint",
    End hot_debits: i64 = "bigint",
    Begin call_id: Uuid = "uuid",
    Begin call_surface: i16 = "smallint",
    Begin call_account: Option<Uuid> = "uuid",
    Begin call_token: Option<Uuid> = "uuid",
    Begin call_partner: Option<Uuid> = "uuid",
    Begin call_end_user: Option<Uuid> = "uuid",
    Begin call_tool: Option<Uuid> = "uuid",
    Begin call_price: Option<Uuid> = "uuid",
    Begin call_wallet: Option<i64> = "bigint",
    Begin call_held: i64 = "bigint",
    Begin call_snapshot_version: i64 = "bigint",
    Begin call_policy_version: String = "text",
    Begin call_denied_by: Option<String> = "text",
    Begin call_key_scope: Option<Uuid> = "uuid",
    Begin call_key: Option<String> = "text",
    Begin call_created_us: i64 = "bigint",
    Begin call_state: i16 = "smallint",
    Begin call_charged: i64 = "bigint",
    Begin call_shortfall: i64 = "bigint",
    Begin call_error: Option<String> = "text",
    Begin call_warning: Option<String> = "text",
    Begin call_ended_us: Option<i64> = "bigint",
    Begin call_resolves_us: Option<i64> = "bigint",
    Begin call_requested: Option<String> = "text",
    Begin call_session_key: Option<String> = "text",
    Begin call_channel: Option<String> = "text",
    Begin call_channel_account: Option<String> = "text",
    Begin call_is_owner: Option<bool> = "boolean",
    Begin call_explanation: Option<String> = "text",
    Begin call_units: Option<String> = "text",
    Begin call_returned: Option<String> = "text",
    End ended_id: Uuid = "uuid",
    End ended_state: i16 = "smallint",
    End ended_charged: i64 = "bigint",
    End ended_shortfall: i64 = "bigint",
    End ended_error: Option<String> = "text",
    End ended_warning: Option<String> = "text",
    End ended_us: i64 = "bigint",
    End ended_resolves_us: Option<i64> = "bigint",
    End ended_returned: Option<String> = "text",
    Rare free_opened: Uuid = "uuid",
    Rare free_closed: Uuid = "uuid",
    Keys claim_scope: Uuid = "uuid",
    Keys claim_key: String = "text",
    Keys claim_fingerprint: Vec<u8> = "bytea",
    Keys claim_call: Uuid = "uuid",
    Keys claim_created_us: i64 = "bigint",
    Keys claim_state: i16 = "smallint",
    Keys claim_status: Option<i16> = "smallint",
    Keys complete_scope: Uuid = "uuid",
    Keys complete_key: String = "text",
    Keys complete_call: Uuid = "uuid",
    Keys complete_state: i16 = "smallint",
    Keys complete_status: Option<i16> = "smallint",
    Keys answer_call: Uuid = "uuid",
    Keys answer_body: String = "text",
    Rare replace_scope: Uuid = "uuid",
    Rare replace_key: String = "text",
    Rare replace_fingerprint: Vec<u8> = "bytea",
    Rare replace_call: Uuid = "uuid",
    Rare replace_call_before: Uuid = "uuid",
    Rare replace_created_us: i64 = "bigint",
    Rare replace_state: i16 = "smallint",
    Rare replace_status: Option<i16> = "smallint",
    Rare freed_scope: Uuid = "uuid",
    Rare freed_key: String = "text",
    Movements total_id: Uuid = "uuid",
    Movements total_refunded: i64 = "bigint",
    Movements total_refunded_before: i64 = "bigint",
    Movements first_total_id: Uuid = "uuid",
    Movements first_total_captured: i64 = "bigint",
    Movements first_total_refunded: i64 = "bigint",
    Movements payout_id: Uuid = "uuid",
    Movements payout_account: i64 = "bigint",
    Movements payout_credits: i64 = "bigint",
    Movements payout_debits: i64 = "bigint",
    Movements payout_netted: i64 = "bigint",
    Movements payout_paid: i64 = "bigint",
    Movements payout_note: Option<Vec<u8>> = "bytea",
    Rare close_seq: i64 = "bigint",
    Rare close_id: Uuid = "uuid",
    Rare close_period: i64 = "bigint",
    Rare close_start_us: i64 = "bigint",
    Rare close_end_us: i64 = "bigint",
    Rare close_cut: Vec<u8> = "bytea",
    Rare close_digest: Vec<u8> = "bytea",
    Grants source_seq: i64 = "bigint",
    Grants source_ord: i32 = "integer",
    Grants source_grant: Uuid = "uuid",
    Grants source_account: i64 = "bigint",
    Grants source_amount: i64 = "bigint",
    Grants given_seq: i64 = "bigint",
    Grants given_id: Uuid = "uuid",
    Grants given_wallet: i64 = "bigint",
    Grants given_account: i64 = "bigint",
    Grants given_priority: i64 = "bigint",
    Grants given_expires_us: i64 = "bigint",
    Grants lapsed: i64 = "bigint",
    Always batch_no: i64 = "bigint",
    Always batch_first_seq: i64 = "bigint",
    Always batch_entries: i64 = "bigint",
    Always batch_postings: i64 = "bigint",
    Always batch_total: i64 = "bigint",
    Always batch_recorded_us: i64 = "bigint",
    Always batch_client: Uuid = "uuid",
    Always batch_root: Vec<u8> = "bytea",
    Always batch_prev_hash: Vec<u8> = "bytea",
    Always batch_hash: Vec<u8> = "bytea",
}
