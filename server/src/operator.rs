//! What operators change from the command line. Each command is one function over [`Services`]: carried out by the
//! running server of the database, which is asked over the [`socket`] beside the SQLite file, or, when nobody serves,
//! by the process that was called. Both say the same and end with the same exit code.

use engine::{
    audit::{Actor, Method, OpContext},
    credits::{Credits, CreditsError},
    id::RequestId,
    ledger::grants::PRIORITY_DEFAULT,
    service::{
        Services,
        accounts::{AccountProfile, GrantTerms},
        movements::Note,
    },
    store::StoreError,
};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::{cli::Exit, master_key::HandedKeys};

mod accounts;
mod auditor;
pub mod catalog;
pub mod console;
mod ledger;
pub mod listings;
mod master_key;
pub mod movements;
pub mod periods;
pub mod policy;
mod price;
pub mod protocol;
mod purchases;
pub mod socket;
pub mod trail;

/// A command that writes, or that only the writer can answer.
#[derive(Serialize, Deserialize)]
#[serde(tag = "command", content = "arguments", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// How the writer's own connection writes.
    Settings,
    /// Import a catalog.
    Apply {
        /// A configuration with nothing left to fill in; see [`crate::config::Loaded::catalog_text`].
        catalog: String,
        /// The policy, as one JSON object; see [`policy::text_of`]. None where the file has no policy.
        policy: Option<String>,
        /// A changed policy is put in force, not only kept as a draft.
        publishes: bool,
    },
    /// Make an account with a token.
    AccountCreate {
        /// Its address.
        email: String,
        /// The address counts as confirmed.
        is_verified: bool,
        /// Credits to begin with, as decimal text.
        credits: Option<String>,
        /// The token's name.
        token_name: String,
    },
    /// Give credits.
    AccountGrant {
        /// The account's identifier or address.
        account: String,
        /// How many, as decimal text.
        credits: String,
        /// When what is left of them goes back, in microseconds since the Unix epoch; never if there is none.
        expires_us: Option<i64>,
        /// Which of those that expire are spent first.
        priority: Option<i64>,
        /// Why, for the books.
        reason: String,
        /// The same key again changes nothing.
        key: Option<String>,
    },
    /// Confirm that a purchase was paid.
    PurchaseConfirm {
        /// The purchase's identifier.
        purchase: String,
    },
    /// Say that a purchase was never paid.
    PurchaseFail {
        /// The purchase's identifier.
        purchase: String,
        /// Why.
        reason: String,
    },
    /// Move money that has moved before.
    Move {
        /// What to do.
        order: movements::Order,
        /// Why, for the books.
        reason: String,
        /// The same key again changes nothing.
        key: Option<String>,
    },
    /// Sign what the books have come to.
    LedgerCheckpoint,
    /// Sign with a new key from now on.
    LedgerRotateKey,
    /// Close the next period.
    LedgerClose {
        /// The first moment after it, in microseconds since the Unix epoch; without it the end of its month.
        until_us: Option<i64>,
    },
    /// Tell in the audit trail that a backup was made.
    BackupNoted {
        /// The file's name.
        name: String,
        /// Its size.
        bytes: u64,
    },
    /// Tell in the audit trail that a report of the books is given away.
    ExportNoted {
        /// Which report.
        report: String,
        /// What it is about: a JSON object.
        facts: serde_json::Value,
    },
    /// Make an auditor's token.
    AuditorCreate {
        /// Who it is for.
        name: String,
        /// For how many days it is good.
        days: u32,
    },
    /// Revoke an auditor's token.
    AuditorRevoke {
        /// The auditor's identifier.
        operator: String,
        /// Why.
        reason: Option<String>,
    },
    /// Let somebody into the console.
    OperatorCreate {
        /// The address that they sign in with.
        email: String,
        /// Who that is.
        name: String,
        /// The words of what they are.
        roles: Vec<String>,
        /// The origin of the link that sets their password.
        base_url: String,
    },
    /// Give an operator a link instead of its password and second factor.
    OperatorLink {
        /// The operator's identifier or address.
        operator: String,
        /// Why.
        reason: Option<String>,
        /// The origin of the link.
        base_url: String,
    },
    /// Shut an operator out of the console.
    OperatorDisable {
        /// The operator's identifier or address.
        operator: String,
        /// Why.
        reason: Option<String>,
    },
    /// Let an operator in again who was shut out.
    OperatorEnable {
        /// The operator's identifier or address.
        operator: String,
        /// Why.
        reason: Option<String>,
    },
    /// Set a price that is to come.
    PriceSchedule {
        /// The tool's namespace and name, or its plain name.
        tool: String,
        /// The price, as JSON of [`engine::service::catalog::spec_to_json`].
        spec: String,
        /// From when on, in microseconds since the Unix epoch.
        from_us: i64,
        /// The same key again changes nothing.
        key: Option<String>,
    },
    /// Take a price back that is to come.
    PriceCancel {
        /// The price's identifier.
        price: String,
        /// Why.
        reason: Option<String>,
    },
    /// Make a namespace, or the draft of one, public.
    ListingApprove {
        /// The namespace's identifier or slug.
        namespace: String,
        /// What was looked at; see [`engine::service::publishing::OwnNamespace::fingerprint`].
        seen: String,
    },
    /// Give a namespace, or the draft of one, back.
    ListingReject {
        /// The namespace's identifier or slug.
        namespace: String,
        /// What was looked at.
        seen: String,
        /// Why; its publisher reads it.
        reason: String,
    },
    /// Take a name back that a namespace had, so that anybody may have it.
    ListingFree {
        /// The former slug.
        name: String,
        /// Why.
        reason: Option<String>,
    },
    /// Seal everything under the master key that is in use now.
    MasterKeyRotate {
        /// What was made from the one before; none if that is lost.
        old: Option<Box<HandedKeys>>,
        /// Which one is in use now, in hexadecimal digits.
        new: String,
    },
    /// Keep a policy.
    PolicyDraft {
        /// The policy, as one JSON object; see [`policy::text_of`].
        policy: String,
        /// Who wrote it.
        author: String,
        /// What for.
        note: String,
    },
    /// Put a draft in force.
    PolicyPublish {
        /// Its number.
        number: i64,
    },
    /// Put an earlier version in force again.
    PolicyRollback {
        /// Its number; without one, that of the version before.
        number: Option<i64>,
        /// Who wants that.
        author: String,
    },
}

impl Command {
    /// What logs and messages call it. The arguments may be secrets.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Apply { .. } => "apply",
            Self::AccountCreate { .. } => "account create",
            Self::AccountGrant { .. } => "account grant",
            Self::PurchaseConfirm { .. } => "purchase confirm",
            Self::PurchaseFail { .. } => "purchase fail",
            Self::Move { order, .. } => order.name(),
            Self::LedgerCheckpoint => "ledger checkpoint",
            Self::LedgerRotateKey => "ledger rotate-key",
            Self::LedgerClose { .. } => "ledger close",
            Self::BackupNoted { .. } => "backup",
            Self::ExportNoted { .. } => "ledger export",
            Self::AuditorCreate { .. } | Self::OperatorCreate { .. } => "operator create",
            Self::AuditorRevoke { .. } | Self::OperatorDisable { .. } => "operator revoke",
            Self::OperatorLink { .. } => "operator link",
            Self::OperatorEnable { .. } => "operator enable",
            Self::PriceSchedule { .. } => "price schedule",
            Self::PriceCancel { .. } => "price cancel",
            Self::ListingApprove { .. } => "listing approve",
            Self::ListingReject { .. } => "listing reject",
            Self::ListingFree { .. } => "listing free",
            Self::MasterKeyRotate { .. } => "master-key rotate",
            Self::PolicyDraft { .. } => "policy draft",
            Self::PolicyPublish { .. } => "policy publish",
            Self::PolicyRollback { .. } => "policy rollback",
        }
    }
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// What a command has to say when it was carried out. `Debug` shows nothing: there may be a new token in it.
pub struct Done {
    /// For `--json`: one object.
    pub json: Box<RawValue>,
    /// For people.
    pub lines: Vec<String>,
}

impl std::fmt::Debug for Done {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Done")
    }
}

/// Why a command was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct NotDone {
    /// How the program ends.
    pub exit: Exit,
    /// One sentence.
    pub message: String,
}

impl NotDone {
    /// With this exit code and message.
    pub fn new(exit: Exit, message: impl std::fmt::Display) -> Self {
        Self { exit, message: message.to_string() }
    }

    fn refused(message: impl std::fmt::Display) -> Self {
        Self::new(Exit::Refused, message)
    }
}

impl From<StoreError> for NotDone {
    fn from(error: StoreError) -> Self {
        Self::new(Exit::Database, error)
    }
}

/// The answer to [`Command::Settings`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsView {
    /// As SQLite says it of the writer's connection.
    pub journal_mode: String,
    /// As SQLite says it of the writer's connection.
    pub synchronous: String,
    /// Of the process that writes.
    pub pid: u32,
    /// The version of the program that writes.
    pub version: String,
}

/// Credits as an exact JSON number, never through a double.
struct Amount(Credits);

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.0.to_json_number()).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

/// What the audit trail says of the user of this process, who gives a command in the way `method`.
pub fn context(services: &Services, method: Method) -> OpContext {
    let actor = Actor::Operator(format!("uid:{}", rustix::process::geteuid().as_raw()));
    OpContext { actor, method, request: Some(RequestId::new(&*services.ids, services.clock.now_us())) }
}

/// Carries out a command that `by` gave.
///
/// # Errors
/// It was refused, its arguments make no sense, or the database failed. Nothing was changed.
pub async fn execute(services: &Services, by: &OpContext, command: &Command) -> Result<Done, NotDone> {
    match command {
        Command::Settings => settings(services).await,
        Command::Apply { catalog, policy, publishes } => {
            catalog::apply(services, by, catalog, policy.as_deref(), *publishes).await
        }
        Command::AccountCreate { email, is_verified, credits, token_name } => {
            accounts::create(services, by, (email, *is_verified), token_name, credits.as_deref()).await
        }
        Command::AccountGrant { account, credits, expires_us, priority, reason, key } => {
            let priority = priority.unwrap_or(PRIORITY_DEFAULT);
            let terms = expires_us.map(|expires_us| GrantTerms { expires_us, priority });
            let (account, credits) = (account.as_str(), credits.as_str());
            accounts::grant(services, by, (account, credits), terms, (reason.as_str(), key.as_deref())).await
        }
        Command::LedgerClose { until_us } => periods::close(services, by, *until_us).await,
        Command::PurchaseConfirm { purchase } => purchases::confirm(services, by, purchase).await,
        Command::PurchaseFail { purchase, reason } => purchases::fail(services, by, purchase, reason).await,
        Command::Move { order, reason, key } => {
            movements::execute(services, by, order, Note { reason, key: key.as_deref() }).await
        }
        Command::LedgerCheckpoint => ledger::checkpoint(services, by).await,
        Command::LedgerRotateKey => ledger::rotate_key(services, by).await,
        Command::BackupNoted { name, bytes } => {
            services.record_backup(by, name, *bytes).await?;
            done(&serde_json::json!({}), Vec::new())
        }
        Command::ExportNoted { report, facts } => {
            services.record_export(by, report, facts).await?;
            done(&serde_json::json!({}), Vec::new())
        }
        Command::AuditorCreate { name, days } => auditor::create(services, by, name, *days).await,
        Command::AuditorRevoke { operator, reason } => auditor::revoke(services, by, operator, reason.as_deref()).await,
        Command::OperatorCreate { email, name, roles, base_url } => {
            console::create(services, by, (email, name), roles, base_url).await
        }
        Command::OperatorLink { operator, reason, base_url } => {
            console::renew_link(services, by, operator, reason.as_deref(), base_url).await
        }
        Command::OperatorDisable { operator, reason } => {
            console::disable(services, by, operator, reason.as_deref()).await
        }
        Command::OperatorEnable { operator, reason } => {
            console::enable(services, by, operator, reason.as_deref()).await
        }
        Command::PriceSchedule { tool, spec, from_us, key } => {
            price::schedule(services, by, tool, (spec, *from_us), key.as_deref()).await
        }
        Command::PriceCancel { price, reason } => price::cancel(services, by, price, reason.as_deref()).await,
        Command::ListingApprove { namespace, seen } => listings::approve(services, by, namespace, seen).await,
        Command::ListingReject { namespace, seen, reason } => {
            listings::reject(services, by, (namespace, seen), reason).await
        }
        Command::ListingFree { name, reason } => listings::free(services, by, name, reason.as_deref()).await,
        Command::MasterKeyRotate { old, new } => master_key::rotate(services, by, old.as_deref(), new).await,
        Command::PolicyDraft { policy, author, note } => policy::draft(services, by, policy, author, note).await,
        Command::PolicyPublish { number } => policy::publish(services, by, *number).await,
        Command::PolicyRollback { number, author } => policy::rollback(services, by, *number, author).await,
    }
}

async fn settings(services: &Services) -> Result<Done, NotDone> {
    let settings = services.ledger.settings().await.map_err(StoreError::from)?;
    let view = SettingsView {
        journal_mode: settings.journal_mode,
        synchronous: settings.synchronous.to_owned(),
        pid: std::process::id(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let line = format!("journal_mode {}, synchronous {}", view.journal_mode, view.synchronous);
    done(&view, vec![line])
}

async fn find_account(services: &Services, text: &str) -> Result<AccountProfile, NotDone> {
    let found = match text.parse() {
        Ok(id) => services.find_profile(id).await?,
        Err(_) if text.contains('@') => services.find_account_by_email(text).await?,
        Err(error) => return Err(NotDone::refused(format!("{error}, nor an email address"))),
    };
    found.ok_or_else(|| NotDone::refused(format!("there is no account `{text}`")))
}

async fn available(services: &Services, profile: &AccountProfile) -> Result<Credits, NotDone> {
    Ok(services.load_balance(profile.wallet, services.clock.now_us()).await?.available())
}

fn parse_credits(name: &str, text: &str) -> Result<Credits, NotDone> {
    let parsed = Credits::parse_exact(text).and_then(Credits::non_negative);
    parsed.map_err(|error: CreditsError| NotDone::refused(format!("`{name}` {error}: `{text}`")))
}

fn done(view: &impl Serialize, lines: Vec<String>) -> Result<Done, NotDone> {
    let json = serde_json::value::to_raw_value(view)
        .map_err(|error| NotDone::refused(format!("the answer cannot be written: {error}")))?;
    Ok(Done { json, lines })
}
