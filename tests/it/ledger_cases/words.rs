//! The cases' words for what this ledger says.

/// Other ledgers' names for an answer of ours. Every name of ours is also accepted as it is.
const ALSO_CALLED: [(&str, &[&str]); 18] = [
    ("insufficient_funds", &["exceeds_credits", "insufficient_balance"]),
    ("already_captured", &["hold_already_captured", "hold_already_posted"]),
    ("already_released", &["hold_already_voided", "already_voided", "hold_already_released"]),
    ("release_is_partial", &["hold_has_different_amount", "void_must_be_whole"]),
    ("exceeds_hold_amount", &["exceeds_hold", "exceeds_pending_amount"]),
    ("out_of_range", &["amount_out_of_range", "negative_amount", "invalid_amount"]),
    ("same_account", &["accounts_must_be_different", "accounts_must_differ"]),
    ("unknown_account", &["account_not_found", "debit_account_not_found", "credit_account_not_found"]),
    ("account_closed", &["debit_account_closed", "credit_account_closed"]),
    ("overflow", &["overflows", "overflows_debits", "overflows_credits", "overflows_held"]),
    ("exceeds_refundable", &["refund_exceeds_charge", "refund_exceeds_remaining", "nothing_left_to_refund"]),
    ("already_reversed", &["already_reverted", "transaction_already_reverted"]),
    ("transaction_not_found", &["not_found", "unknown_transaction"]),
    ("not_reversible", &["not_refundable", "not_a_charge", "cannot_refund_a_refund", "not_revertible"]),
    ("exists_different_hold", &["exists_different_hold_id"]),
    ("exists_different_metadata", &["exists_different_meta"]),
    ("exists_different_debit_account", &["exists_different_from"]),
    ("exists_different_credit_account", &["exists_different_to"]),
];

/// Whether `theirs` is what the cases call `ours`.
pub(super) fn is_called(ours: &str, theirs: &str) -> bool {
    ours == theirs || ALSO_CALLED.iter().any(|(word, others)| *word == ours && others.contains(&theirs))
}
