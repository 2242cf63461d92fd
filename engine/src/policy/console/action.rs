//! Every deed in the console, each with its word and its group.

/// What deeds are put together by. A policy can speak about a group as about a deed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConsoleGroup {
    /// It changes nothing.
    Read,
    /// It takes something out of the house.
    Export,
    /// Publishers, namespaces, tools and prices.
    Catalog,
    /// Platforms and their end users.
    Partners,
    /// Customers.
    Accounts,
    /// What moves money.
    Money,
    /// Closing and checking the books.
    Books,
    /// What decides on calls.
    Policy,
    /// Operators and auditors.
    People,
    /// What waits to be sent.
    Mail,
    /// What everybody does about themselves.
    Own,
}

impl ConsoleGroup {
    /// Every group with its word.
    pub const ALL: [(Self, &'static str); 11] = [
        (Self::Read, "read"),
        (Self::Export, "export"),
        (Self::Catalog, "catalog"),
        (Self::Partners, "partners"),
        (Self::Accounts, "accounts"),
        (Self::Money, "money"),
        (Self::Books, "books"),
        (Self::Policy, "policy"),
        (Self::People, "people"),
        (Self::Mail, "mail"),
        (Self::Own, "self"),
    ];

    /// The word of the schema.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(group, _)| *group == self).map_or("", |(_, word)| *word)
    }
}

/// The one list: a sentence, a name, a word and a group of each.
macro_rules! console_actions {
    ($count:literal: $(#[doc = $sentence:literal] $name:ident, $word:literal, $group:ident;)*) => {
        /// What somebody does in the console, as `thing.deed`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ConsoleAction {
            $(#[doc = $sentence] $name,)*
        }

        impl ConsoleAction {
            /// Every one with its word and its group, group by group.
            pub const ALL: [(Self, &'static str, ConsoleGroup); $count] =
                [$((Self::$name, $word, ConsoleGroup::$group),)*];

            /// What it is, for people: a sentence without its full stop.
            pub fn sentence(self) -> &'static str {
                let sentence = match self {
                    $(Self::$name => $sentence,)*
                };
                sentence.trim().trim_end_matches('.')
            }
        }
    };
}

console_actions! { 77:
    /// See the dashboard.
    DashboardRead, "dashboard.read", Read;
    /// See publishers, namespaces and tools.
    CatalogRead, "catalog.read", Read;
    /// See prices, past, present and to come.
    PricesRead, "prices.read", Read;
    /// See partners and their end users.
    PartnersRead, "partners.read", Read;
    /// See accounts, tokens, wallets and grants.
    AccountsRead, "accounts.read", Read;
    /// See calls, and why they were allowed or not.
    InvocationsRead, "invocations.read", Read;
    /// See purchases, refunds, chargebacks and payouts.
    MovementsRead, "movements.read", Read;
    /// See the books, their periods and proofs.
    LedgerRead, "ledger.read", Read;
    /// See policies and try them.
    PoliciesRead, "policies.read", Read;
    /// See who changed what.
    AuditRead, "audit.read", Read;
    /// See who may use the console.
    OperatorsRead, "operators.read", Read;
    /// See what is sent by mail.
    MailRead, "mail.read", Read;
    /// See how the program is doing.
    HealthRead, "health.read", Read;
    /// See what waits for a decision.
    ApprovalsRead, "approvals.read", Read;
    /// Search.
    SearchRead, "search.read", Read;
    /// Take away the books and their reports.
    LedgerExport, "ledger.export", Export;
    /// Take away the audit trail.
    AuditExport, "audit.export", Export;
    /// Take away any list as a file.
    ListsExport, "lists.export", Export;
    /// See what a call carried, where that is kept.
    PayloadRead, "payload.read", Export;
    /// Take away what is known of a partner's end user.
    EndUserExport, "end_user.export", Export;
    /// Add a publisher.
    PublisherCreate, "publisher.create", Catalog;
    /// Stop all tools of a publisher, or let them go on.
    PublisherSuspend, "publisher.suspend", Catalog;
    /// Change a publisher and their share.
    PublisherChange, "publisher.change", Catalog;
    /// Add a namespace.
    NamespaceCreate, "namespace.create", Catalog;
    /// Change how a namespace presents itself.
    NamespaceChange, "namespace.change", Catalog;
    /// Stop all tools of a namespace, or let them go on.
    NamespaceSuspend, "namespace.suspend", Catalog;
    /// Approve what a publisher has handed in, or give it back.
    ListingDecide, "listing.decide", Catalog;
    /// Add a tool.
    ToolCreate, "tool.create", Catalog;
    /// Change a tool.
    ToolChange, "tool.change", Catalog;
    /// Switch a tool off or on.
    ToolDisable, "tool.disable", Catalog;
    /// Set a price that is to come.
    PriceSchedule, "price.schedule", Catalog;
    /// Take back a price that is to come.
    PriceCancel, "price.cancel", Catalog;
    /// Add a partner.
    PartnerCreate, "partner.create", Partners;
    /// Stop a partner, or let them go on.
    PartnerSuspend, "partner.suspend", Partners;
    /// Change a partner.
    PartnerChange, "partner.change", Partners;
    /// Make and revoke tokens of a partner.
    PartnerToken, "partner.token", Partners;
    /// Limit what a partner and their end users spend.
    PartnerCap, "partner.cap", Partners;
    /// Set and remove thresholds at which a partner is told.
    PartnerAlert, "partner.alert", Partners;
    /// Make and remove webhooks of a partner, and have something sent to them again.
    PartnerWebhook, "partner.webhook", Partners;
    /// Block an end user, or let them in again.
    EndUserBlock, "end_user.block", Partners;
    /// Erase what is known of an end user.
    EndUserErase, "end_user.erase", Partners;
    /// Make an account.
    AccountCreate, "account.create", Accounts;
    /// Stop an account, or let it go on.
    AccountSuspend, "account.suspend", Accounts;
    /// Make and revoke tokens of an account.
    AccountToken, "account.token", Accounts;
    /// Limit what an account spends.
    AccountCap, "account.cap", Accounts;
    /// Have a link mailed with which an account's owner chooses a password.
    AccountLink, "account.link", Accounts;
    /// Give credits to an account.
    GrantCreate, "grant.create", Money;
    /// Correct the money of an account.
    AccountAdjust, "account.adjust", Money;
    /// Say that a purchase was paid, or was not.
    PurchaseConfirm, "purchase.confirm", Money;
    /// Give back what a call was charged, or a part of it.
    RefundCreate, "refund.create", Money;
    /// Take back a whole transaction.
    ReversalCreate, "reversal.create", Money;
    /// Open a dispute over a payment, and close it.
    ChargebackDecide, "chargeback.decide", Money;
    /// Pay a publisher, or a partner their margin.
    PayoutCreate, "payout.create", Money;
    /// Give credits to a partner.
    PartnerGrant, "partner.grant", Money;
    /// Decide what somebody else has asked for.
    ApprovalDecide, "approval.decide", Money;
    /// Close a period.
    PeriodClose, "period.close", Books;
    /// Have the books checked.
    LedgerVerify, "ledger.verify", Books;
    /// Sign what the books have come to.
    LedgerCheckpoint, "ledger.checkpoint", Books;
    /// Write a policy.
    PolicyDraft, "policy.draft", Policy;
    /// Put a policy in force.
    PolicyPublish, "policy.publish", Policy;
    /// Put an earlier policy in force again.
    PolicyRollback, "policy.rollback", Policy;
    /// Let somebody into the console.
    OperatorCreate, "operator.create", People;
    /// Change what somebody is.
    OperatorRoles, "operator.roles", People;
    /// Shut somebody out.
    OperatorDisable, "operator.disable", People;
    /// Let somebody in again.
    OperatorEnable, "operator.enable", People;
    /// Sign somebody out everywhere.
    OperatorEndSessions, "operator.end_sessions", People;
    /// Give somebody a new link, without their password and second factor.
    OperatorReset, "operator.reset", People;
    /// Make a token for an auditor.
    AuditorCreate, "auditor.create", People;
    /// Revoke an auditor's token.
    AuditorRevoke, "auditor.revoke", People;
    /// Have a mail sent again.
    MailRetry, "mail.retry", Mail;
    /// Give a mail up.
    MailCancel, "mail.cancel", Mail;
    /// Send a mail to try it out.
    MailTest, "mail.test", Mail;
    /// See one's own sessions.
    SelfRead, "self.read", Own;
    /// Change one's own password.
    SelfPassword, "self.password", Own;
    /// Enrol one's own second factor.
    SelfFactor, "self.factor", Own;
    /// Take back what one has asked for oneself.
    ApprovalWithdraw, "approval.withdraw", Own;
    /// Sign out.
    SelfSignOut, "self.sign_out", Own;
}

impl ConsoleAction {
    /// The word of the schema and of approvals.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(action, ..)| *action == self).map_or("", |(_, word, _)| *word)
    }

    /// What it is put together with.
    pub fn group(self) -> ConsoleGroup {
        Self::ALL.iter().find(|(action, ..)| *action == self).map_or(ConsoleGroup::Read, |(.., group)| *group)
    }

    /// Reads what [`Self::as_str`] gives.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known, _)| *known == word).map(|(action, ..)| *action)
    }
}
