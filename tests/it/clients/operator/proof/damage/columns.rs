//! What is covered by the books, and as what its damage must be reported.

use std::collections::BTreeSet;

use engine::ledger::verify::{ProblemKind, ProblemKind::*};

use super::ground::{Column, Ground};

/// Tables and columns of which a change is not found, and why not.
const UNCOVERED: [(&str, &str); 117] = [
    ("account.email", "an address: it may have to be erased, and the books keep what they say for ever"),
    ("account.is_suspended", "who may come in now; the audit trail tells who changed it"),
    ("account.is_verified", "who may come in now; the audit trail tells who changed it"),
    ("account.password_hash", "a secret's digest: whoever changes it locks the customer out"),
    ("account.sessions_from_us", "who may come in now"),
    ("acknowledged_call", "which warnings a publisher has seen"),
    ("approval", "what was asked and decided; the audit trail tells both, and the ledger has what came of it"),
    ("asset", "pictures, by the digest of their content"),
    ("auditor_token", "who may read from outside; the audit trail tells who made and revoked it"),
    ("call_count", "how many calls there were, for people; counted again from the calls"),
    ("cap.is_imposed", "who may change it; the audit trail tells who set it"),
    ("cap_alert", "at which part of a limit a partner is told; the limits are covered"),
    ("catalog_change", "which namespaces a running server reads again"),
    (
        "chain_head.counted_seq",
        "SQLite: up to which entry the counters are true; a change is found where counters changed in between, or beyond the head",
    ),
    ("chain_head.epoch", "PostgreSQL and SQLite: a writer raises it before it has written anything"),
    ("chain_head.last_write", "PostgreSQL: how a writer recognises its own commit after a lost connection"),
    ("chain_head.lease_until_us", "PostgreSQL: working state of a running server"),
    ("chain_head.owner", "PostgreSQL: working state of a running server"),
    (
        "connection",
        "where publishers' servers are; the audit trail tells who changed it, and a changed secret does not open",
    ),
    ("count_head", "up to where the console has counted"),
    (
        "credit_grant",
        "a note for people: the amount and the reason's digest are in the transaction of the same identifier",
    ),
    ("end_user", "whose customers a partner's are; its caps and its wallet are covered"),
    (
        "end_user_transfer",
        "how a repeated request is recognised: the amount and both wallets are in the transaction of the same identifier",
    ),
    ("erased_name", "whom limits wait for; the limits are covered"),
    ("flow_count", "sums for people; counted again from the books"),
    ("former_name", "which names nobody else may take for a while; the audit trail tells who gave them up"),
    (
        "former_tool_name",
        "which names no other tool may take for a while; the audit trail tells when they were given up",
    ),
    ("hot_balance.version", "how often a row was written; nothing depends on it"),
    ("idem.created_us", "until when a repeated key is recognised"),
    ("idem.fingerprint", "the digest of a request that is not kept; a changed one refuses the repetition"),
    ("idem.status", "the answer is not kept but for replays; whether there is one is checked"),
    ("idem_answer", "the answer is not kept but for replays; whether there is one is checked"),
    ("import", "what the configuration brought in last; a changed digest imports the same again"),
    ("invocation", "a record for people: money, shares, wallet and end of a paid call are in its hold and settlement"),
    ("kept_key", "authenticated by itself: a changed one does not open, and no webhook is told anything with it"),
    ("ledger_account.closed_us", "nothing closes accounts yet"),
    ("login_link", "links that are good for minutes"),
    ("mail", "texts on their way out"),
    ("namespace.category", "a text for people, and what they search by"),
    ("namespace.description", "a text for people"),
    ("namespace.is_suspended", "what is offered now"),
    ("namespace.listing_name", "a text for people"),
    ("namespace.tags", "a text for people, and what they search by"),
    ("namespace.connection_id", "where its tools are; the audit trail tells who changed it"),
    ("namespace.credential", "authenticated by itself: a changed one does not open, and no call is sent with it"),
    ("namespace.draft_listing", "what it is to become; an operator looks at it before it is"),
    ("namespace.icon", "a picture for people"),
    ("namespace.is_own_suspension", "what is offered now"),
    ("namespace.key_identifier", "where a secret is sent; the audit trail tells who changed it"),
    ("namespace.param_description", "a note for its publisher"),
    ("namespace.param_location", "where a secret is sent; the audit trail tells who changed it"),
    ("namespace.readme_content", "a text for people"),
    ("namespace.readme_source_url", "where a text for people comes from"),
    ("namespace.status", "what is offered now; the audit trail tells who approved it"),
    ("open_call", "working state of a running server"),
    ("open_hold.epoch", "PostgreSQL: working state of a running server"),
    ("open_hold.slot", "PostgreSQL: working state of a running server"),
    ("operator", "who may use the console now; the audit trail tells who changed it"),
    ("operator_link", "links that are good for minutes"),
    ("operator_session", "who is signed in now"),
    ("partner.is_suspended", "who may come in now"),
    ("partner_event", "what a partner was told; it follows from its limits, which are covered"),
    ("partner_usage", "sums for partners; counted again from the calls"),
    ("payload", "what calls carried, for people and for a while; authenticated by itself: a changed one does not open"),
    ("price_version.key", "the command's name, so that a repeated one makes no second price"),
    ("publisher.account_id", "who publishes; the audit trail tells who has registered"),
    ("publisher.bio", "a text for people"),
    ("publisher.country", "a note for whoever pays"),
    ("publisher.display_name", "a name for people"),
    ("publisher.is_suspended", "what is offered now"),
    ("publisher.legal_name", "a name for people, which may have to be erased"),
    ("publisher.logo", "a picture for people"),
    ("publisher.support_email", "an address: it may have to be erased, and the books keep what they say for ever"),
    ("publisher.website_url", "a note for people"),
    ("sales_day", "sums for publishers; counted again from the calls"),
    ("purchase", "the order: the money of a confirmed one is in the transaction of the same identifier"),
    ("seaql_migrations", "the history of the schema"),
    ("signing_key.wrapped", "authenticated by itself: a changed one does not open, and no checkpoint is made with it"),
    ("token.hint", "four letters for people"),
    ("token.name", "a name for people"),
    ("tool.category", "a text for people, and what they search by"),
    ("tool.credits_per_unit", "what a price is made from; the price that counts is covered"),
    ("tool.default_args", "which arguments a call has; the audit trail tells who changed it"),
    ("tool.display_order", "an order for people"),
    ("tool.example_prompts", "texts for people"),
    ("tool.group_id", "what a price is made from; the price that counts is covered"),
    ("tool.input_schema", "which arguments a call may have"),
    ("tool.is_suspended", "what is offered now"),
    ("tool.is_unverified_ok", "who may come in for nothing"),
    ("tool.long_description", "a text for people"),
    ("tool.rest", "how a tool is called; the audit trail tells who changed it"),
    ("tool.short_description", "a text for people"),
    ("tool.static_args", "which arguments a call has; the audit trail tells who changed it"),
    ("tool.tags", "a text for people, and what they search by"),
    ("tool.timeout_ms", "how long a tool is waited for"),
    ("tool.unit_fields", "what a price is made from; the price that counts is covered"),
    ("tool.upstream_method", "where a tool is; the audit trail tells who changed it"),
    ("tool.upstream_tool", "what a tool is called where it is; the audit trail tells who changed it"),
    ("tool.upstream_url", "where a tool is; the audit trail tells who changed it"),
    ("tool.visibility", "what is offered now; the audit trail tells who changed it"),
    ("tool_document", "what tools are found by; made from the catalog, and nothing is decided by it"),
    ("tool_group", "what prices are made from; the prices that count are covered"),
    ("tool_index", "SQLite: words of tools; made from the catalog, and nothing is decided by them"),
    ("tool_index_config", "SQLite: the inside of the index of words"),
    ("tool_index_data", "SQLite: the inside of the index of words"),
    ("tool_index_docsize", "SQLite: the inside of the index of words"),
    ("tool_index_idx", "SQLite: the inside of the index of words"),
    ("tool_name_index", "SQLite: words of tools' names; made from the catalog, and nothing is decided by them"),
    ("tool_name_index_config", "SQLite: the inside of the index of names"),
    ("tool_name_index_data", "SQLite: the inside of the index of names"),
    ("tool_name_index_docsize", "SQLite: the inside of the index of names"),
    ("tool_name_index_idx", "SQLite: the inside of the index of names"),
    ("version.name", "names of counters: but for that of the facts, a missing one counts as 0"),
    ("version.value", "counters that make servers read again; that of the facts is covered"),
    ("webhook", "where a partner is told; the audit trail tells who changed it"),
    ("webhook_delivery", "what is on its way to a partner"),
    ("wallet_balance.version", "how often a row was written; nothing depends on it"),
];

/// What a change of a column must be reported as: one of these, among others.
pub(super) fn kinds_of(table: &str, column: &str) -> &'static [ProblemKind] {
    match (table, column) {
        ("txn" | "hold" | "hold_resolution" | "refusal" | "batch", "slot" | "seq" | "batch_no") => {
            &[Gap, Fork, LeafMismatch, HeaderMismatch, AnchorMissing]
        }
        ("posting", _) | ("txn" | "hold" | "hold_resolution" | "refusal", _) => &[LeafMismatch, Unreadable],
        ("batch", "first_seq" | "n_entry" | "n_posting" | "total") => &[CountMismatch, Gap, HeaderMismatch],
        ("batch", "merkle_root") => &[RootMismatch],
        ("batch", "prev_hash") => &[LinkMismatch],
        ("batch", _) => &[HeaderMismatch],
        ("audit", "slot" | "seq") => &[Gap, Fork, LeafMismatch, LinkMismatch, AnchorMissing, AnchorMismatch],
        ("audit", _) => &[LeafMismatch, LinkMismatch],
        ("chain_head" | "audit_head", _) => &[HeadMismatch],
        ("wallet_balance", "overdraft") => &[FactMismatch],
        ("cap_window" | "hot_balance" | "open_hold" | "wallet_balance" | "idem", _) => &[ProjectionMismatch],
        ("checkpoint", "signature") => &[BadSignature],
        ("checkpoint", _) => &[BadSignature, Unreadable, Gap, KeyMismatch],
        ("signing_key", "public_key") => &[BadSignature, KeyMismatch],
        ("signing_key", _) => &[KeyMismatch, Gap],
        ("ledger_account", "kind") => &[AccountMismatch, Unreadable],
        _ => &[FactMismatch],
    }
}

/// The columns that are drawn from. The others are printed with their reasons.
pub(super) fn covered(ground: &Ground<'_>) -> Vec<Column> {
    let mut used = BTreeSet::new();
    let covered: Vec<Column> = ground
        .columns
        .iter()
        .filter(|column| {
            let full = format!("{}.{}", column.table, column.name);
            let listed = UNCOVERED.iter().find(|(name, _)| *name == column.table || *name == full);
            used.extend(listed.map(|(name, _)| *name));
            listed.is_none()
        })
        .cloned()
        .collect();
    let is_sqlite = ground.home.database().is_none();
    for (name, reason) in UNCOVERED {
        let elsewhere = if is_sqlite { "PostgreSQL:" } else { "SQLite:" };
        assert!(used.contains(name) || reason.starts_with(elsewhere), "{name} is not in the schema");
        println!("not covered: {name}: {reason}");
    }
    covered
}

/// Tables whose rows belong to the books or are stated in them.
pub(super) fn tables(ground: &Ground<'_>) -> Vec<String> {
    let tables: BTreeSet<_> = covered(ground).into_iter().map(|column| column.table).collect();
    tables.into_iter().filter(|table| table != "idem").collect()
}

/// A slot that nobody has written to, or a row of it: there is nothing to be missed.
pub(super) fn is_empty_slot(table: &str, row: &[String]) -> bool {
    let is = |table_with, column: usize| table == table_with && row.get(column).is_some_and(|number| number == "0");
    is("chain_head", 2) || is("audit_head", 1)
}

/// What rows that are missing, too many or in each other's places are reported as.
pub(super) fn kinds_of_rows(table: &str) -> &'static [ProblemKind] {
    match table {
        "txn" | "hold" | "hold_resolution" | "refusal" => &[Gap, Fork, LeafMismatch],
        "batch" => &[Gap, Fork, LeafMismatch, HeaderMismatch, AnchorMissing],
        "posting" => &[LeafMismatch],
        "chain_head" | "audit_head" => &[HeadMismatch],
        "audit" => &[Gap, Fork, LeafMismatch, LinkMismatch, AnchorMissing, HeadMismatch],
        "checkpoint" => &[Gap, AnchorMissing, Unreadable, KeyMismatch],
        "signing_key" => &[Gap, KeyMismatch, BadSignature],
        "cap_window" | "hot_balance" | "open_hold" | "wallet_balance" => &[ProjectionMismatch, FactMismatch],
        _ => &[FactMismatch],
    }
}
