//! Every use case that writes, and what the audit trail tells of it. A new one has to find its place in this list.

use std::collections::BTreeSet;

use engine::audit::Action::{self, *};
use tests::source::{lex, source_files};

const SERVICE: &str = "engine/src/service/";

/// Where a unit of work is saved: the file below [`SERVICE`], the function, and what may be told there.
const USE_CASES: [(&str, &str, &[Action]); 81] = [
    ("access/end_users.rs", "create_end_user", &[CapSet]),
    ("accounts.rs", "login", &[AccountSignIn]),
    ("accounts.rs", "save_account", &[AccountCreate, AccountSignUp, TokenCreate]),
    ("accounts/failed.rs", "write_failed_sign_ins", &[AccountSignInFailed, OperatorSignInFailed]),
    ("accounts/funding.rs", "grant_credits", &[GrantCreate]),
    ("accounts/funding.rs", "open_account", &[AccountCreate, TokenCreate, GrantCreate]),
    ("accounts/link.rs", "mail_login_link", &[AccountResendVerification]),
    ("accounts/link.rs", "resend_verification", &[AccountResendVerification]),
    ("accounts/link.rs", "set_password", &[AccountSetPassword]),
    ("accounts/reset.rs", "mail_password_reset", &[AccountRequestReset]),
    ("accounts/list.rs", "set_account_suspended", &[AccountSuspend, AccountResume]),
    ("approvals.rs", "request_approval", &[ApprovalRequest]),
    ("approvals/decide.rs", "close_approval", &[ApprovalApprove, ApprovalReject, ApprovalWithdraw]),
    ("approvals/rounds.rs", "expire_approvals", &[ApprovalExpire]),
    ("approvals/rounds.rs", "finish_approval", &[ApprovalFail]),
    ("audit.rs", "record", &[ExportCreate, PayloadRead, BooksVerify, BooksBackup, BooksRestore]),
    ("auditors.rs", "create_auditor", &[OperatorCreate]),
    ("auditors.rs", "revoke_auditor", &[OperatorRevoke]),
    ("caps/change.rs", "save_cap", &[CapSet]),
    ("catalog.rs", "import", &[CatalogImport, PriceSet, CapSet, TokenCreate, GrantCreate]),
    (
        "catalog/rows.rs",
        "save_change",
        &[
            PublisherCreate,
            PublisherChange,
            PublisherSuspend,
            PublisherResume,
            NamespaceCreate,
            NamespaceChange,
            NamespaceSuspend,
            NamespaceResume,
            ToolCreate,
            ToolChange,
            ToolDisable,
            ToolEnable,
        ],
    ),
    ("checkpoints.rs", "make_checkpoint_after", &[CheckpointSign]),
    ("checkpoints.rs", "rotate_signing_key", &[KeyCreate, KeyRetire]),
    ("counts.rs", "save_counts", &[]),
    ("facts.rs", "complete_facts", &[]),
    ("master_key.rs", "webhook_root", &[]),
    ("master_key/rotate.rs", "give_up_old_master_key", &[MasterKeyRotate]),
    ("master_key/rotate.rs", "keep_root_of", &[MasterKeyRotate]),
    ("master_key/rotate.rs", "save_resealed", &[MasterKeyRotate]),
    (
        "movements.rs",
        "carry_out",
        &[
            AccountAdjust,
            GrantCreate,
            RefundCreate,
            ReversalCreate,
            PayoutCreate,
            ChargebackOpen,
            ChargebackWon,
            ChargebackLost,
        ],
    ),
    ("movements/rehearsals.rs", "rehearse", &[]),
    ("operators.rs", "save_new_operator", &[OperatorCreate]),
    ("operators/change.rs", "change_operator", &[OperatorSetRoles, OperatorDisable, OperatorEnable]),
    ("operators/factor.rs", "enrol_factor", &[OperatorEnrolFactor]),
    ("operators/link.rs", "renew_operator_link", &[OperatorRenewLink]),
    ("operators/link.rs", "use_operator_link", &[OperatorSetPassword]),
    ("operators/session.rs", "end_operator_session", &[OperatorSignOut]),
    ("operators/session.rs", "end_operator_sessions", &[OperatorEndSessions]),
    ("operators/session.rs", "forget_ended_sessions", &[]),
    ("operators/session.rs", "save_session_note", &[]),
    ("operators/sign_in.rs", "change_operator_password", &[OperatorSetPassword]),
    ("operators/sign_in.rs", "operator_sign_in", &[OperatorSignIn]),
    ("operators/sign_in.rs", "refresh_operator_session", &[OperatorStepUp]),
    ("outbox.rs", "change_queued_mail", &[]),
    ("outbox/change.rs", "save_changed_mail", &[MailRetry, MailCancel]),
    ("outbox/change.rs", "send_test_mail", &[MailTest]),
    ("outbox/low_balance.rs", "warn_of_low_balance", &[]),
    ("partners.rs", "change_partner", &[PartnerChange]),
    ("partners.rs", "create_partner", &[PartnerCreate]),
    ("partners.rs", "set_partner_suspended", &[PartnerSuspend, PartnerResume]),
    ("partners/alerts.rs", "create_cap_alert", &[CapAlertCreate]),
    ("partners/alerts.rs", "remove_cap_alert", &[CapAlertRemove]),
    ("partners/deliveries.rs", "change_delivery", &[]),
    ("partners/deliveries.rs", "give_up_until", &[]),
    ("partners/hooks.rs", "create_webhook", &[WebhookCreate]),
    ("partners/hooks.rs", "remove_webhook", &[WebhookRemove]),
    ("partners/hooks.rs", "replay_delivery", &[WebhookReplay]),
    ("partners/notices.rs", "tell_partner", &[]),
    ("partners/erasure.rs", "save_erased_end_user", &[EndUserErase, CapSet]),
    ("partners/funding.rs", "open_end_user_wallet", &[]),
    ("partners/funding.rs", "return_left", &[]),
    ("partners/funding.rs", "set_partner_funding", &[PartnerChange]),
    ("partners/own.rs", "create_own_end_user", &[EndUserCreate, CapSet]),
    ("partners/own.rs", "save_own_end_user", &[EndUserBlock, EndUserUnblock, EndUserChange]),
    ("partners/transfers.rs", "save_transfer", &[EndUserTransfer]),
    ("partners/users.rs", "set_end_user_blocked", &[EndUserBlock, EndUserUnblock]),
    ("payloads.rs", "save_payloads", &[]),
    ("periods.rs", "close_period_as", &[PeriodClose]),
    ("policies.rs", "save_publication", &[PolicyPublish, PolicyRollback]),
    ("policies/draft.rs", "keep_draft", &[PolicyDraft]),
    ("policies/file.rs", "import_policy", &[PolicyDraft, PolicyPublish]),
    ("prices.rs", "order_price", &[PriceSchedule]),
    ("prices/cancel.rs", "take_price_back", &[PriceCancel]),
    (
        "publishing.rs",
        "save_published",
        &[
            PublisherCreate,
            PublisherChange,
            ConnectionCreate,
            ConnectionChange,
            ConnectionRemove,
            NamespaceCreate,
            NamespaceChange,
            NamespaceSuspend,
            NamespaceResume,
            ListingSubmit,
            ListingWithdraw,
            ListingDiscard,
            ListingApprove,
            ListingReject,
            ToolCreate,
            ToolChange,
            ToolGroupCreate,
            ToolGroupChange,
            ToolGroupRemove,
            PriceSet,
        ],
    ),
    ("publishing/former.rs", "free_former_name", &[NamespaceFreeName]),
    ("publishing/sales.rs", "acknowledge_call", &[CallAcknowledge]),
    ("purchases.rs", "confirm_purchase", &[PurchaseConfirm]),
    ("purchases.rs", "create_purchase", &[PurchaseCreate]),
    ("purchases.rs", "fail_purchase", &[PurchaseFail]),
    ("tokens.rs", "create_owned_token", &[TokenCreate]),
    ("tokens.rs", "revoke_owned_token", &[TokenRevoke]),
];

/// Use cases that tell nothing, and why that is right.
const UNTOLD: [(&str, &str); 14] = [
    ("complete_facts", "the rows were told of when they were made"),
    ("open_end_user_wallet", "a paid call opens it on its way, with nothing in it; the books have the account"),
    ("return_left", "it follows from an erasure that is told; the books have the transaction"),
    ("change_queued_mail", "a mail follows from a change that is told"),
    ("change_delivery", "it follows from an event, which follows from calls"),
    ("give_up_until", "what is sent follows from an event, which follows from calls"),
    ("tell_partner", "it follows from calls that are in the books"),
    ("warn_of_low_balance", "it follows from calls that are in the books"),
    ("forget_ended_sessions", "what is over cannot be used already"),
    ("webhook_root", "what follows from the master key is written down; nothing is different by it"),
    ("save_payloads", "what calls carried, kept and forgotten as the configuration says; who reads it is told"),
    ("save_counts", "counts of calls and of the books, which are kept elsewhere"),
    ("save_session_note", "when somebody was last seen, and what a page says once"),
    ("rehearse", "a rehearsal changes nothing; what is done after it is an order and is told"),
];

/// What the ledger's writer tells by itself, in its own transactions.
const TOLD_BY_THE_WRITER: [Action; 1] = [GrantExpire];

/// `path:function` of every place in the program where `marker` stands in the code.
fn places(marker: &str) -> BTreeSet<(String, String)> {
    let shipped = source_files().iter().filter(|file| file.is_shipped_code());
    let mut found = BTreeSet::new();
    for file in shipped.filter(|file| !file.path.starts_with("engine/src/store/")) {
        let mut function = String::new();
        for line in lex(&file.text).code.lines() {
            if let Some((_, rest)) = line.split_once("fn ") {
                function = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            }
            if line.contains(marker) {
                found.insert((file.path.clone(), function.clone()));
            }
        }
    }
    found
}

#[test]
fn every_use_case_that_writes_is_known_with_what_it_tells() {
    let known = USE_CASES.iter().map(|(file, function, _)| (format!("{SERVICE}{file}"), (*function).to_owned()));
    assert_eq!(places("ledger.save("), known.collect::<BTreeSet<_>>());
    let untold = USE_CASES.iter().filter(|(_, _, told)| told.is_empty()).map(|(_, function, _)| *function);
    assert_eq!(untold.collect::<BTreeSet<_>>(), UNTOLD.map(|(function, _)| function).into());
    let deliberate = places(".unaudited(");
    let functions: BTreeSet<&str> = deliberate.iter().map(|(_, function)| function.as_str()).collect();
    // The policy's only notes which file was looked at; a checkpoint by the clock tells of itself; what an approval has come
    // to is told by what was done.
    let expected = [
        // Of the end user itself nothing is told; limits that waited for its name are.
        "create_end_user",
        "open_end_user_wallet",
        "return_left",
        "change_queued_mail",
        "change_delivery",
        "give_up_until",
        "tell_partner",
        "warn_of_low_balance",
        "import_policy",
        "make_checkpoint_after",
        "complete_facts",
        "finish_approval",
        "forget_ended_sessions",
        "save_session_note",
        "save_counts",
        "save_payloads",
        "webhook_root",
        "rehearse",
    ];
    assert_eq!(functions, expected.into());
}

#[test]
fn nothing_is_posted_past_the_units_of_work_but_paid_calls() {
    assert_eq!(places("ledger.command("), BTreeSet::new());
    for marker in ["ledger.begin(", "ledger.finish(", "ledger.record("] {
        let found = places(marker);
        assert!(!found.is_empty(), "{marker} is looked for in vain");
        assert!(found.iter().all(|(path, _)| path.starts_with("engine/src/service/invoke")), "{found:?}");
    }
}

#[test]
fn every_action_is_told_by_some_use_case_or_by_the_writer() {
    let told: BTreeSet<Action> = USE_CASES.iter().flat_map(|(_, _, told)| told.iter().copied()).collect();
    let all: BTreeSet<Action> = Action::ALL.iter().map(|(action, _)| *action).collect();
    assert_eq!(all.difference(&told).copied().collect::<BTreeSet<_>>(), TOLD_BY_THE_WRITER.into());
}
