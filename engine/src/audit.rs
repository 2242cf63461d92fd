//! The audit trail: who changed what, when, and why. One row for every change by an operator, a customer or the program
//! itself, written in the transaction of the change, and one for every sign-in, failed sign-in and export. The rows of a
//! writer's slot are a hash chain of their own. A paid call writes none: the books are its trail.

use std::fmt::Display;

use serde_json::{Map, Value};

use crate::id::{AccountId, ApprovalId, AuditorId, OperatorId, PartnerId, RequestId, TokenId};

mod action;
mod chain;
mod verify;

pub use action::Action;
pub use chain::{AuditHead, AuditRow};
pub(crate) use verify::AuditVerifier;

/// Longest reason, in characters; what is longer is cut off.
pub const AUDIT_REASON_CHARS_MAX: usize = 500;

/// Who does something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// Somebody who may run commands on the machine: known by the number of that user, `uid:1000`. Or somebody who is signed
    /// in to the console: known by their identifier, `opr_…`.
    Operator(String),
    /// A customer.
    Account(AccountId),
    /// A platform.
    Partner(PartnerId),
    /// Somebody with an auditor's token.
    Auditor(AuditorId),
    /// The program itself.
    System,
    /// Somebody who has not said who it is, or has not shown it.
    Stranger,
}

impl Actor {
    /// The words that are stored.
    pub const KINDS: [&'static str; 6] = ["operator", "account", "partner", "auditor", "system", "stranger"];

    /// The word that is stored.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Operator(_) => "operator",
            Self::Account(_) => "account",
            Self::Partner(_) => "partner",
            Self::Auditor(_) => "auditor",
            Self::System => "system",
            Self::Stranger => "stranger",
        }
    }

    /// Which one of its kind; empty where there is only one.
    pub fn id(&self) -> String {
        match self {
            Self::Operator(id) => id.clone(),
            Self::Account(id) => id.to_string(),
            Self::Partner(id) => id.to_string(),
            Self::Auditor(id) => id.to_string(),
            Self::System | Self::Stranger => String::new(),
        }
    }
}

/// How the actor showed who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// By being able to open the database: a command that took the writer's place.
    CommandLine,
    /// By being the server's own user on its socket.
    Socket,
    /// With a password.
    Password,
    /// With a link that was mailed or shown.
    LoginLink,
    /// With a session, which a password began.
    Session,
    /// With this token.
    Token(TokenId),
    /// With an auditor's token.
    AuditorToken,
    /// By having approved it before, what somebody else had asked for.
    Approval {
        /// Which request.
        id: ApprovalId,
        /// Who asked for it.
        author: OperatorId,
    },
    /// The program itself.
    System,
    /// Not at all.
    Nothing,
}

impl Method {
    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CommandLine => "command_line",
            Self::Socket => "socket",
            Self::Password => "password",
            Self::LoginLink => "login_link",
            Self::Session => "session",
            Self::Token(_) => "token",
            Self::AuditorToken => "auditor_token",
            Self::Approval { .. } => "approval",
            Self::System => "system",
            Self::Nothing => "none",
        }
    }

    /// Which token or which approval it was.
    pub fn credential(self) -> Option<String> {
        match self {
            Self::Token(id) => Some(id.to_string()),
            Self::Approval { id, .. } => Some(id.to_string()),
            _ => None,
        }
    }
}

/// Who asks for a use case, how that is known, and in which request. The first argument of every use case that writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpContext {
    /// Who.
    pub actor: Actor,
    /// How that is known.
    pub method: Method,
    /// What ties the rows of one request together; none for what the program does by itself.
    pub request: Option<RequestId>,
}

impl OpContext {
    /// The program itself, without being asked.
    pub const fn system() -> Self {
        Self { actor: Actor::System, method: Method::System, request: None }
    }

    /// What the audit trail is to say: this actor did `action` to the object of the kind `kind` that is called `id`.
    #[must_use]
    pub fn entry(&self, action: Action, kind: &'static str, id: impl Display) -> AuditEntry {
        AuditEntry { by: self.clone(), action, object: (kind, id.to_string()), before: None, after: None, reason: None }
    }
}

/// What the audit trail is to say of one change. It gets its place and its hash from the writer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    by: OpContext,
    action: Action,
    object: (&'static str, String),
    before: Option<String>,
    after: Option<String>,
    reason: Option<String>,
}

impl AuditEntry {
    /// What of the object was as it no longer is: JSON. No secrets, and nothing that somebody may ask to be erased.
    #[must_use]
    pub fn before(mut self, facts: impl Display) -> Self {
        self.before = Some(facts.to_string());
        self
    }

    /// What of the object is new: JSON, as for [`Self::before`].
    #[must_use]
    pub fn after(mut self, facts: impl Display) -> Self {
        self.after = Some(facts.to_string());
        self
    }

    /// Why, in the actor's own words.
    #[must_use]
    pub fn because(mut self, reason: &str) -> Self {
        self.reason = Some(reason.chars().take(AUDIT_REASON_CHARS_MAX).collect());
        self
    }

    /// The same, where somebody has said why.
    #[must_use]
    pub fn because_of(self, reason: Option<&str>) -> Self {
        match reason {
            Some(reason) => self.because(reason),
            None => self,
        }
    }

    /// What is new; of what was approved also which request that was, and whose.
    fn told_after(&self) -> Option<String> {
        let Method::Approval { id, author } = self.by.method else { return self.after.clone() };
        let mut facts = match self.after.as_deref().map(serde_json::from_str) {
            Some(Ok(Value::Object(facts))) => facts,
            Some(Ok(other)) => Map::from_iter([("facts".to_owned(), other)]),
            Some(Err(_)) | None => Map::new(),
        };
        facts.insert("approval".to_owned(), id.to_string().into());
        facts.insert("requested_by".to_owned(), author.to_string().into());
        Some(Value::Object(facts).to_string())
    }

    /// What was done.
    pub const fn action(&self) -> Action {
        self.action
    }
}

#[cfg(test)]
mod tests;
