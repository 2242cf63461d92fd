//! The publishers' surface (section 2.6 of the marketplace's documents): with a personal key or a session. What is somebody
//! else's is not there, and nobody is told that it is.
//!
//! Identifiers of this surface are UUIDs as everybody writes them: the published clients tell a namespace's identifier from
//! its slug by that.

pub mod assets;
pub mod connections;
pub mod groups;
pub mod imports;
pub mod listing;
pub mod namespaces;
pub mod profile;
pub mod sales;
mod sources;
pub mod tools;
mod upload;
mod view;

use std::{collections::BTreeMap, ops::Deref, sync::Arc};

use actix_web::{HttpRequest, http::Method, web};
use engine::{
    audit::OpContext,
    code::Code,
    id::{AccountId, NamespaceId, PublisherId},
    sealing::Sealing,
    service::{
        access::{AccountPrincipal, CapOwner, Owner, Principal},
        publishing::{CredentialSetup, OwnNamespace, PublishingError},
    },
};
use serde_json::Value;
use utoipa::{
    IntoResponses,
    openapi::{RefOr, Response},
};
use uuid::Uuid;

use crate::{
    config::master_key::{MasterKey, MasterKeyError},
    http::{
        asked::{Asked, Known, refusals},
        auth::{Caller, find_principal, named_end_user},
        problem::{Fault, Problem},
        routes::{Mount, resource},
    },
    marketplace::{auth::store_problem, time_text},
    master_key::CREDENTIALS_LABEL,
    state::AppState,
};

/// How often a change is tried again when somebody else was first.
const TRIES_MAX: u32 = 5;

/// What publishers' secrets are sealed under: a key of its own, from the master key.
///
/// # Errors
/// The library fails.
pub fn setup(key: &MasterKey) -> Result<Arc<CredentialSetup>, MasterKeyError> {
    let sealing = Sealing::new(&key.derive(CREDENTIALS_LABEL)?).map_err(|_failed| MasterKeyError::Crypto)?;
    Ok(Arc::new(CredentialSetup { sealing }))
}

/// The routes of this module.
pub fn configure(routes: &mut Mount<'_>) {
    routes
        .service(resource("/assets/{id}", [(Method::GET, web::to(assets::serve))]))
        .configure(profile::configure)
        .configure(sales::configure)
        .configure(imports::configure)
        .configure(connections::configure)
        .configure(tools::configure)
        .configure(groups::configure)
        .configure(listing::configure)
        .configure(namespaces::configure);
}

/// An account that asks something, within the limit of how fast it may ask.
pub(crate) struct Account {
    principal: Arc<Principal>,
    /// Which.
    pub(crate) account: AccountPrincipal,
}

/// An account that changes something: neither with a token that has a limit of its own nor while it is suspended.
pub(crate) struct Changing(Account);

/// A publisher that asks something.
pub(crate) struct Asking {
    by: Account,
    /// Which.
    pub(crate) publisher: PublisherId,
}

/// A publisher that changes something.
pub(crate) struct Author(Asking);

impl Asking {
    /// The account that the publisher is.
    pub(crate) fn account(&self) -> AccountId {
        self.by.account.id
    }

    async fn of(by: Account, state: &AppState) -> Result<Self, Problem> {
        let publisher = state.services.find_own_publisher(by.account.id).await.map_err(store_problem)?;
        match publisher {
            Some(publisher) => Ok(Self { by, publisher }),
            None => Err(problem(PublishingError::NotAPublisher)),
        }
    }
}

impl AsRef<Self> for Asking {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl AsRef<Asking> for Author {
    fn as_ref(&self) -> &Asking {
        &self.0
    }
}

impl Deref for Changing {
    type Target = Account;

    fn deref(&self) -> &Account {
        &self.0
    }
}

impl Deref for Author {
    type Target = Asking;

    fn deref(&self) -> &Asking {
        &self.0
    }
}

impl Known for Account {
    async fn find(request: &HttpRequest, state: &AppState) -> Result<Self, Problem> {
        let principal = find_principal(request, state).await?;
        named_end_user(request, &principal)?;
        let Owner::Account(account) = &principal.owner else {
            return Err(Problem::new(
                Code::PublisherRequired,
                "this route is for accounts that publish, not for partners",
            ));
        };
        state.discovery_limiter.check_token(&principal.shown)?;
        Ok(Self { account: account.clone(), principal })
    }

    fn context(&self, state: &AppState) -> OpContext {
        Caller { principal: Arc::clone(&self.principal), end_user: None }.context(state)
    }
}

impl Known for Changing {
    async fn find(request: &HttpRequest, state: &AppState) -> Result<Self, Problem> {
        let asking = Account::find(request, state).await?;
        if asking.account.is_suspended {
            return Err(Problem::new(Code::AccountSuspended, "the account is suspended: nothing can be changed"));
        }
        if asking.principal.caps.iter().any(|cap| cap.per == CapOwner::Token) {
            return Err(Problem::new(
                Code::TokenLimited,
                "this token has a spending limit of its own and is for calls alone: use one without a limit",
            ));
        }
        Ok(Self(asking))
    }

    fn context(&self, state: &AppState) -> OpContext {
        self.0.context(state)
    }
}

impl Known for Asking {
    async fn find(request: &HttpRequest, state: &AppState) -> Result<Self, Problem> {
        Self::of(Account::find(request, state).await?, state).await
    }

    fn context(&self, state: &AppState) -> OpContext {
        self.by.context(state)
    }
}

impl Known for Author {
    async fn find(request: &HttpRequest, state: &AppState) -> Result<Self, Problem> {
        let Changing(account) = Changing::find(request, state).await?;
        Asking::of(account, state).await.map(Self)
    }

    fn context(&self, state: &AppState) -> OpContext {
        self.0.context(state)
    }
}

impl IntoResponses for Asking {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals("The account is no publisher")
    }
}

impl IntoResponses for Author {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals("The account is no publisher, or the token has a limit of its own")
    }
}

/// What is tried again where somebody else has changed the catalog at the same moment.
macro_rules! insist {
    ($attempt:expr) => {{
        let mut tries = 0_u32;
        loop {
            match $attempt.await {
                Err(engine::service::publishing::PublishingError::Overtaken)
                    if tries < $crate::publishing::TRIES_MAX =>
                {
                    tries = tries.saturating_add(1);
                }
                done => break done.map_err($crate::publishing::problem),
            }
        }
    }};
}
pub(crate) use insist;

/// The answer to what was not done.
pub(crate) fn problem(error: PublishingError) -> Problem {
    match error {
        PublishingError::NotAPublisher => Problem::new(
            Code::PublisherRequired,
            "this account is no publisher yet: POST /publishers/register makes it one",
        ),
        PublishingError::Unverified => Problem::new(Code::EmailUnverified, "confirm the account's email address first"),
        PublishingError::NotFound(what) => missing(what),
        PublishingError::Field(fault) => {
            Problem::invalid(Code::InvalidRequest, vec![place("body", &fault.field, fault.message)])
        }
        PublishingError::Price(error) => {
            Problem::invalid(Code::InvalidRequest, vec![place("body", error.field(), error.fault().to_string())])
        }
        PublishingError::Incomplete(faults) => {
            let faults = faults.into_iter().map(|fault| place("listing", &fault.field, fault.message));
            Problem::invalid(Code::ListingIncomplete, faults.collect())
        }
        PublishingError::NameKept { field, until_us } => {
            let until = time_text(until_us);
            let whose = if field == "namespace" { "namespace" } else { "tool" };
            let message = format!("is kept for the {whose} that had it before; it is free from {until} on");
            let fault = place("body", field, message);
            Problem::invalid(Code::Conflict, vec![fault]).fact("free_from", until.into())
        }
        PublishingError::Conflict(message) => Problem::new(Code::Conflict, message),
        PublishingError::Overtaken => Problem::new(Code::Overloaded, error.to_string()).retry_after_s(1),
        PublishingError::Sealed(error) => {
            tracing::error!(%error, "a publisher's secret could not be sealed or opened");
            Problem::new(Code::Internal, "the credentials cannot be used here")
        }
        PublishingError::Store(error) => store_problem(error),
    }
}

fn place(of: &str, field: &str, msg: String) -> Fault {
    Fault { loc: std::iter::once(of).chain(field.split('.')).map(str::to_owned).collect(), msg }
}

/// The same for what is not there and for what is somebody else's.
pub(crate) fn missing(what: &str) -> Problem {
    Problem::new(Code::NotFound, format!("there is no such {what}"))
}

/// An identifier in a path: a UUID, or with its prefix as elsewhere. What is none names nothing.
pub(crate) fn parse_id<T: From<Uuid>>(what: &str, text: &str) -> Result<T, Problem> {
    let bare = text.split_once('_').map_or(text, |(_, digits)| digits);
    Uuid::try_parse(bare).map(T::from).map_err(|_malformed| missing(what))
}

/// The publisher's namespace that a path names, by its identifier or its slug.
pub(crate) async fn find_namespace<W: AsRef<Asking>>(asking: &Asked<W>, text: &str) -> Result<NamespaceId, Problem> {
    let who: &W = asking;
    asking.state.services.find_own_namespace(who.as_ref().publisher, text).await.map_err(problem)
}

/// A namespace for an operator who reviews it: pictures by their names, where they are of this server, and of what may be a
/// secret of the publisher the names alone, but for
/// arguments that a tool is priced by.
pub(crate) fn review_view(namespace: &OwnNamespace) -> Value {
    let mut view = view::namespace(namespace, "");
    let tools = view.get_mut("tools").and_then(Value::as_array_mut);
    for (shown, tool) in tools.into_iter().flatten().zip(&namespace.tools) {
        let Value::Object(members) = shown else { continue };
        names_alone(members);
        members.insert("priced_args".to_owned(), view::priced_arguments(tool).into());
    }
    view
}

/// What publishers set in requests of their own, and may be secrets.
const VALUES_KEPT: [&str; 4] = ["mcp_static_args", "mcp_default_args", "rest_static_headers", "rest_static_query"];

/// Leaves of what a publisher sets in a tool's requests a list of the names.
pub(crate) fn names_alone(tool: &mut serde_json::Map<String, Value>) {
    for member in VALUES_KEPT {
        if let Some(set) = tool.get_mut(member) {
            let names: Vec<String> = set.as_object().into_iter().flat_map(|set| set.keys().cloned()).collect();
            *set = names.into();
        }
    }
}

/// Where a picture is, for a terminal.
pub(crate) fn address_free(icon: &str) -> String {
    if icon.is_empty() { String::new() } else { assets::address_of(icon, "") }
}
