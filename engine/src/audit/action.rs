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
    /// A charge is disputed.
    ChargebackOpen,
    /// A dispute was decided for the publisher.
    ChargebackWon,
    /// A dispute was decided against the publisher.
    ChargebackLost,
    /// A publisher was paid.
    PayoutCreate,
    /// A period was closed.
    PeriodClose,
    /// A period was locked.
    PeriodLock,
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
    /// A signing key was made.
    KeyCreate,
    /// A signing key signs no more.
    KeyRetire,
    /// A checkpoint was signed.
    CheckpointSign,
    /// The books, or a report of them, were given away.
    ExportCreate,
    /// A backup was made.
    BooksBackup,
    /// The books come from a backup.
    BooksRestore,
}

impl Action {
    /// Every action with its word.
    pub const ALL: [(Self, &'static str); 37] = [
        (Self::AccountCreate, "account.create"),
        (Self::AccountSignUp, "account.sign_up"),
        (Self::AccountSignIn, "account.sign_in"),
        (Self::AccountSignInFailed, "account.sign_in_failed"),
        (Self::AccountResendVerification, "account.resend_verification"),
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
        (Self::ChargebackOpen, "chargeback.open"),
        (Self::ChargebackWon, "chargeback.won"),
        (Self::ChargebackLost, "chargeback.lost"),
        (Self::PayoutCreate, "payout.create"),
        (Self::PeriodClose, "period.close"),
        (Self::PeriodLock, "period.lock"),
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
        (Self::KeyCreate, "key.create"),
        (Self::KeyRetire, "key.retire"),
        (Self::CheckpointSign, "checkpoint.sign"),
        (Self::ExportCreate, "export.create"),
        (Self::BooksBackup, "books.backup"),
        (Self::BooksRestore, "books.restore"),
    ];

    /// The word of the database and the command line.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(action, _)| *action == self).map_or("", |(_, word)| *word)
    }
}
