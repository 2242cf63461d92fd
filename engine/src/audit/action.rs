//! What can be done that leaves a trace.

/// An action, as `category.operation`. The words are stored and hashed: they never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// An operator or the configuration made an account.
    AccountCreate,
    /// Somebody signed up.
    AccountSignUp,
    /// Somebody signed in.
    AccountSignIn,
    /// Somebody tried to sign in and could not; counted.
    AccountSignInFailed,
    /// Another mail was asked for.
    AccountResendVerification,
    /// A mail was asked for with which a forgotten password is replaced.
    AccountRequestReset,
    /// A link was used to set a password.
    AccountSetPassword,
    /// Money of an account was corrected.
    AccountAdjust,
    /// A token was made.
    TokenCreate,
    /// A token was revoked.
    TokenRevoke,
    /// A purchase was begun.
    PurchaseCreate,
    /// A purchase was paid.
    PurchaseConfirm,
    /// A purchase was not paid.
    PurchaseFail,
    /// Credits were given.
    GrantCreate,
    /// What was left of a grant is gone, because its time was over.
    GrantExpire,
    /// A charge was given back.
    RefundCreate,
    /// A whole transaction was taken back.
    ReversalCreate,
    /// A payment is disputed.
    ChargebackOpen,
    /// A disputed payment stays.
    ChargebackWon,
    /// A disputed payment is gone.
    ChargebackLost,
    /// A publisher was paid.
    PayoutCreate,
    /// A period was closed.
    PeriodClose,
    /// What a call carried was read.
    PayloadRead,
    /// Something declared was imported.
    CatalogImport,
    /// A price version was made.
    PriceSet,
    /// A price version was made for later.
    PriceSchedule,
    /// A price version that was to come was taken back.
    PriceCancel,
    /// A limit on spending was set.
    CapSet,
    /// A policy was kept.
    PolicyDraft,
    /// A policy was put in force.
    PolicyPublish,
    /// An earlier policy was put in force again.
    PolicyRollback,
    /// Somebody got an operator's role.
    OperatorCreate,
    /// Somebody lost an operator's role.
    OperatorRevoke,
    /// Somebody signed in to the console.
    OperatorSignIn,
    /// Somebody tried to sign in to the console and could not; counted.
    OperatorSignInFailed,
    /// Somebody signed out of the console.
    OperatorSignOut,
    /// An operator showed again who it is.
    OperatorStepUp,
    /// An operator set a password.
    OperatorSetPassword,
    /// An operator enrolled a second factor.
    OperatorEnrolFactor,
    /// An operator got other roles.
    OperatorSetRoles,
    /// An operator was shut out.
    OperatorDisable,
    /// An operator was let in again.
    OperatorEnable,
    /// An operator was signed out everywhere.
    OperatorEndSessions,
    /// An operator got a new link and lost password and second factor.
    OperatorRenewLink,
    /// An operator asked for something that another one has to decide.
    ApprovalRequest,
    /// What was asked for was approved.
    ApprovalApprove,
    /// What was asked for was rejected.
    ApprovalReject,
    /// What was asked for was taken back.
    ApprovalWithdraw,
    /// What was asked for was not decided in time.
    ApprovalExpire,
    /// What was approved could not be done.
    ApprovalFail,
    /// A publisher was added.
    PublisherCreate,
    /// A publisher was changed.
    PublisherChange,
    /// All tools of a publisher were stopped.
    PublisherSuspend,
    /// A publisher goes on.
    PublisherResume,
    /// A namespace was added.
    NamespaceCreate,
    /// A namespace was changed.
    NamespaceChange,
    /// All tools of a namespace were stopped.
    NamespaceSuspend,
    /// A namespace goes on.
    NamespaceResume,
    /// A tool was added.
    ToolCreate,
    /// A tool was changed.
    ToolChange,
    /// A group of tools was added.
    ToolGroupCreate,
    /// A group of tools was changed.
    ToolGroupChange,
    /// A group of tools is gone.
    ToolGroupRemove,
    /// A publisher's server was added.
    ConnectionCreate,
    /// What a publisher's server asks of its callers was set.
    ConnectionChange,
    /// A publisher's server is gone.
    ConnectionRemove,
    /// A namespace, or the draft of one, was handed in.
    ListingSubmit,
    /// What was handed in, or was public, is a draft again.
    ListingWithdraw,
    /// The draft of a public namespace is gone.
    ListingDiscard,
    /// What was handed in is public.
    ListingApprove,
    /// What was handed in is a draft again, and an operator said why.
    ListingReject,
    /// A warning of a call was seen by its publisher.
    CallAcknowledge,
    /// A name that a namespace had before may be anybody's.
    NamespaceFreeName,
    /// What was sealed under an earlier master key is sealed under the one in use.
    MasterKeyRotate,
    /// A tool was switched off.
    ToolDisable,
    /// A tool was switched on.
    ToolEnable,
    /// An account was stopped.
    AccountSuspend,
    /// An account goes on.
    AccountResume,
    /// A partner was added.
    PartnerCreate,
    /// A partner was changed.
    PartnerChange,
    /// A partner was stopped.
    PartnerSuspend,
    /// A partner goes on.
    PartnerResume,
    /// A partner's end user was shut out.
    EndUserBlock,
    /// A partner's end user was let in again.
    EndUserUnblock,
    /// A partner noted an end user before its first call.
    EndUserCreate,
    /// A partner changed what it keeps beside an end user.
    EndUserChange,
    /// What was known of an end user is gone.
    EndUserErase,
    /// A partner moved credits between its wallet and an end user's.
    EndUserTransfer,
    /// A partner wants to be told when a part of a limit is used.
    CapAlertCreate,
    /// A partner does not want to be told any more.
    CapAlertRemove,
    /// A partner said where it wants to be told.
    WebhookCreate,
    /// A partner is not told there any more.
    WebhookRemove,
    /// What a partner was told is sent once more.
    WebhookReplay,
    /// A mail that was given up is sent again.
    MailRetry,
    /// A mail was given up.
    MailCancel,
    /// An operator had a mail sent to themselves.
    MailTest,
    /// A signing key was made.
    KeyCreate,
    /// A signing key signs no more.
    KeyRetire,
    /// A checkpoint was signed.
    CheckpointSign,
    /// The books, or a report of them, were given away.
    ExportCreate,
    /// Somebody had the books checked.
    BooksVerify,
    /// A backup was made.
    BooksBackup,
    /// The books come from a backup.
    BooksRestore,
}

impl Action {
    /// Every action with its word.
    pub const ALL: [(Self, &'static str); 103] = [
        (Self::AccountCreate, "account.create"),
        (Self::AccountSignUp, "account.sign_up"),
        (Self::AccountSignIn, "account.sign_in"),
        (Self::AccountSignInFailed, "account.sign_in_failed"),
        (Self::AccountResendVerification, "account.resend_verification"),
        (Self::AccountRequestReset, "account.request_reset"),
        (Self::AccountSetPassword, "account.set_password"),
        (Self::AccountAdjust, "account.adjust"),
        (Self::TokenCreate, "token.create"),
        (Self::TokenRevoke, "token.revoke"),
        (Self::PurchaseCreate, "purchase.create"),
        (Self::PurchaseConfirm, "purchase.confirm"),
        (Self::PurchaseFail, "purchase.fail"),
        (Self::GrantCreate, "grant.create"),
        (Self::GrantExpire, "grant.expire"),
        (Self::RefundCreate, "refund.create"),
        (Self::ReversalCreate, "reversal.create"),
        (Self::ChargebackOpen, "chargeback.open"),
        (Self::ChargebackWon, "chargeback.won"),
        (Self::ChargebackLost, "chargeback.lost"),
        (Self::PayoutCreate, "payout.create"),
        (Self::PeriodClose, "period.close"),
        (Self::PayloadRead, "payload.read"),
        (Self::CatalogImport, "catalog.import"),
        (Self::PriceSet, "price.set"),
        (Self::PriceSchedule, "price.schedule"),
        (Self::PriceCancel, "price.cancel"),
        (Self::CapSet, "cap.set"),
        (Self::PolicyDraft, "policy.draft"),
        (Self::PolicyPublish, "policy.publish"),
        (Self::PolicyRollback, "policy.rollback"),
        (Self::OperatorCreate, "operator.create"),
        (Self::OperatorRevoke, "operator.revoke"),
        (Self::OperatorSignIn, "operator.sign_in"),
        (Self::OperatorSignInFailed, "operator.sign_in_failed"),
        (Self::OperatorSignOut, "operator.sign_out"),
        (Self::OperatorStepUp, "operator.step_up"),
        (Self::OperatorSetPassword, "operator.set_password"),
        (Self::OperatorEnrolFactor, "operator.enrol_factor"),
        (Self::OperatorSetRoles, "operator.set_roles"),
        (Self::OperatorDisable, "operator.disable"),
        (Self::OperatorEnable, "operator.enable"),
        (Self::OperatorEndSessions, "operator.end_sessions"),
        (Self::OperatorRenewLink, "operator.renew_link"),
        (Self::ApprovalRequest, "approval.request"),
        (Self::ApprovalApprove, "approval.approve"),
        (Self::ApprovalReject, "approval.reject"),
        (Self::ApprovalWithdraw, "approval.withdraw"),
        (Self::ApprovalExpire, "approval.expire"),
        (Self::ApprovalFail, "approval.fail"),
        (Self::PublisherCreate, "publisher.create"),
        (Self::PublisherChange, "publisher.change"),
        (Self::PublisherSuspend, "publisher.suspend"),
        (Self::PublisherResume, "publisher.resume"),
        (Self::NamespaceCreate, "namespace.create"),
        (Self::NamespaceChange, "namespace.change"),
        (Self::NamespaceSuspend, "namespace.suspend"),
        (Self::NamespaceResume, "namespace.resume"),
        (Self::ToolCreate, "tool.create"),
        (Self::ToolChange, "tool.change"),
        (Self::ToolGroupCreate, "tool_group.create"),
        (Self::ToolGroupChange, "tool_group.change"),
        (Self::ToolGroupRemove, "tool_group.remove"),
        (Self::ConnectionCreate, "connection.create"),
        (Self::ConnectionChange, "connection.change"),
        (Self::ConnectionRemove, "connection.remove"),
        (Self::ListingSubmit, "listing.submit"),
        (Self::ListingWithdraw, "listing.withdraw"),
        (Self::ListingDiscard, "listing.discard"),
        (Self::ListingApprove, "listing.approve"),
        (Self::ListingReject, "listing.reject"),
        (Self::CallAcknowledge, "call.acknowledge"),
        (Self::NamespaceFreeName, "namespace.free_name"),
        (Self::MasterKeyRotate, "master_key.rotate"),
        (Self::ToolDisable, "tool.disable"),
        (Self::ToolEnable, "tool.enable"),
        (Self::AccountSuspend, "account.suspend"),
        (Self::AccountResume, "account.resume"),
        (Self::PartnerCreate, "partner.create"),
        (Self::PartnerChange, "partner.change"),
        (Self::PartnerSuspend, "partner.suspend"),
        (Self::PartnerResume, "partner.resume"),
        (Self::EndUserBlock, "end_user.block"),
        (Self::EndUserUnblock, "end_user.unblock"),
        (Self::EndUserCreate, "end_user.create"),
        (Self::EndUserChange, "end_user.change"),
        (Self::EndUserErase, "end_user.erase"),
        (Self::EndUserTransfer, "end_user.transfer"),
        (Self::CapAlertCreate, "cap_alert.create"),
        (Self::CapAlertRemove, "cap_alert.remove"),
        (Self::WebhookCreate, "webhook.create"),
        (Self::WebhookRemove, "webhook.remove"),
        (Self::WebhookReplay, "webhook.replay"),
        (Self::MailRetry, "mail.retry"),
        (Self::MailCancel, "mail.cancel"),
        (Self::MailTest, "mail.test"),
        (Self::KeyCreate, "key.create"),
        (Self::KeyRetire, "key.retire"),
        (Self::CheckpointSign, "checkpoint.sign"),
        (Self::ExportCreate, "export.create"),
        (Self::BooksVerify, "books.verify"),
        (Self::BooksBackup, "books.backup"),
        (Self::BooksRestore, "books.restore"),
    ];

    /// The word of the database and the command line.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(action, _)| *action == self).map_or("", |(_, word)| *word)
    }
}
