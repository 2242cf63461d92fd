//! What mails say, and where they stand: the words that are stored.

/// What a mail says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailTemplate {
    /// Asks to confirm an address. Data: `secret` of the link, `minutes` that it is good for.
    Verification,
    /// A link with which the owner of an account chooses a new password. Data: as for [`Self::Verification`].
    PasswordReset,
    /// A link with which a new operator chooses a password. Data: `secret` of the link, `minutes` that it is good for, `name`.
    OperatorLink,
    /// The same for an operator whose password and second factor are worth nothing any more.
    OperatorReset,
    /// A purchase was confirmed. Data: `purchase_id`, `credits` and `usd` as decimal texts.
    Receipt,
    /// What a call was charged went back, or a part of it. Data: `transaction` that gave it back, `call` that was charged. How
    /// much that was is read from the books.
    Refund,
    /// Most of what was last bought is used up. Data: `left` and `bought` as decimal texts of credits.
    LowBalance,
    /// A part of a partner's limit is spent. Data: `per`, `window`, `percent`, `limit` and `spent` as decimal texts, and perhaps
    /// `user_id`, `token_id`, `resets_us`. Whose limit it is, is read when it is said: a name may have been erased.
    CapAlert,
    /// Somebody has asked for something that another operator has to decide. Data: `approval_id`, `what` it is about, `object`,
    /// `author`, `reason`, and perhaps `credits`.
    ApprovalRequest,
    /// What somebody has asked for was decided. Data: `approval_id`, `what` it was about, `object`, `decided` (`approved` or
    /// `rejected`), `by`, and perhaps `note`.
    ApprovalDecision,
    /// What a publisher has handed in was approved or rejected. Data: `namespace`, `what` it was, `decided` (`approved` or
    /// `rejected`), and perhaps `reason`.
    ListingDecision,
    /// A publisher or a partner was paid. Data: `payout`. The statement is read from the books.
    Statement,
    /// A checkpoint, for an auditor to keep. Data: `number`, `made_us`, `hash` as hexadecimal digits, `checkpoint` as JSON.
    Checkpoint,
    /// An operator wants to know whether mail arrives. No data.
    Test,
}

impl MailTemplate {
    /// Every one with its word.
    pub const ALL: [(Self, &'static str); 14] = [
        (Self::Verification, "verification"),
        (Self::PasswordReset, "password_reset"),
        (Self::OperatorLink, "operator_link"),
        (Self::OperatorReset, "operator_reset"),
        (Self::Receipt, "receipt"),
        (Self::Refund, "refund"),
        (Self::LowBalance, "low_balance"),
        (Self::CapAlert, "cap_alert"),
        (Self::ApprovalRequest, "approval_request"),
        (Self::ApprovalDecision, "approval_decision"),
        (Self::ListingDecision, "listing_decision"),
        (Self::Statement, "statement"),
        (Self::Checkpoint, "checkpoint"),
        (Self::Test, "test"),
    ];

    /// The word that the database stores.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(template, _)| *template == self).map_or("", |(_, word)| *word)
    }

    /// Reads what [`Self::as_str`] gives.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, stored)| *stored == word).map(|(template, _)| *template)
    }

    /// Whoever reads it can sign in: it is for its receiver's eyes only, and kept no longer than it has to be.
    pub const fn holds_secret(self) -> bool {
        matches!(self, Self::Verification | Self::PasswordReset | Self::OperatorLink | Self::OperatorReset)
    }
}

/// Where a mail stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailState {
    /// It is still to be sent.
    Queued,
    /// It was handed over.
    Sent,
    /// It was refused for good, or tried too often: nothing more happens by itself.
    Failed,
    /// An operator has given it up.
    Cancelled,
}

impl MailState {
    /// Every one with its word.
    pub const ALL: [(Self, &'static str); 4] =
        [(Self::Queued, "queued"), (Self::Sent, "sent"), (Self::Failed, "failed"), (Self::Cancelled, "cancelled")];

    /// The word that the database stores.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(state, _)| *state == self).map_or("", |(_, word)| *word)
    }

    /// Reads what [`Self::as_str`] gives.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, stored)| *stored == word).map(|(state, _)| *state)
    }
}
