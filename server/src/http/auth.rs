//! Who is calling.

use std::sync::Arc;

use actix_web::{HttpRequest, http::header};
use engine::{
    audit::{Actor, Method, OpContext},
    code::Code,
    id::RequestId,
    limits::EXTERNAL_USER_ID_CHARS_MAX,
    service::{
        access::{ACCOUNT_TOKEN_PREFIX, EndUser, Owner, PartnerPrincipal, Principal},
        auditors::{AUDITOR_TOKEN_PREFIX, Auditor},
        partners::is_external_id,
    },
};

use super::problem::{Fault, Problem};
use crate::state::AppState;

/// Names a partner's end user.
pub const END_USER_HEADER: &str = "x-faro-user";

/// The caller of a request.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Whose token it is.
    pub principal: Arc<Principal>,
    /// For partners that named one: for whom.
    pub end_user: Option<Arc<EndUser>>,
}

impl Caller {
    /// What the audit trail says of who asks.
    pub fn context(&self, state: &AppState) -> OpContext {
        let actor = match &self.principal.owner {
            Owner::Account(account) => Actor::Account(account.id),
            Owner::Partner(partner) => Actor::Partner(partner.id),
        };
        let method = self.principal.token.map_or(Method::Session, Method::Token);
        OpContext { actor, method, request: Some(new_request_id(state)) }
    }
}

/// Names a request that changes something, for the audit trail.
pub fn new_request_id(state: &AppState) -> RequestId {
    RequestId::new(&*state.services.ids, state.services.clock.now_us())
}

/// What the audit trail says of somebody who has not said who it is.
pub fn stranger(state: &AppState) -> OpContext {
    OpContext { actor: Actor::Stranger, method: Method::Nothing, request: Some(new_request_id(state)) }
}

/// The auditor who is calling: for routes that give the books away and change nothing.
///
/// # Errors
/// No token, or one that is no auditor's, is over or was revoked: nobody is told which.
pub async fn authenticate_auditor(request: &HttpRequest, state: &AppState) -> Result<Auditor, Problem> {
    let token = bearer_token(request)
        .ok_or_else(|| Problem::new(Code::MissingToken, "send `Authorization: Bearer <token>`"))?;
    let found = if token.starts_with(AUDITOR_TOKEN_PREFIX) { state.services.find_auditor(token).await? } else { None };
    found.ok_or_else(|| {
        Problem::new(
            Code::InvalidToken,
            "this is no auditor's token, or it is over: `tollgate operator create --role auditor` makes one",
        )
    })
}

/// Finds out who is calling. An end user that a partner names is made on first use.
///
/// # Errors
/// No token, one that nobody has, or a header that makes no sense.
pub async fn authenticate(request: &HttpRequest, state: &AppState) -> Result<Caller, Problem> {
    let principal = find_principal(request, state).await?;
    let end_user = load_end_user(request, state, &principal).await?;
    Ok(Caller { principal, end_user })
}

/// Whose token it is.
///
/// # Errors
/// No token, or one that nobody has.
pub async fn find_principal(request: &HttpRequest, state: &AppState) -> Result<Arc<Principal>, Problem> {
    let token = bearer_token(request)
        .ok_or_else(|| Problem::new(Code::MissingToken, "send `Authorization: Bearer <token>`"))?;
    let unknown = || Problem::new(Code::InvalidToken, "the token is not valid; create one with POST /tokens/");
    let principal = if token.starts_with(ACCOUNT_TOKEN_PREFIX) {
        state.services.find_principal(token).await?
    } else {
        let (account, issued_us) = state.jwt.verify(token, state.services.clock.now_us()).ok_or_else(unknown)?;
        state.services.find_session_principal(account, issued_us).await?
    };
    principal.ok_or_else(unknown)
}

/// The end user that the request names, made on first use: a write, so what limits the token comes before.
///
/// # Errors
/// The header makes no sense, or the database failed.
pub async fn load_end_user(
    request: &HttpRequest,
    state: &AppState,
    principal: &Principal,
) -> Result<Option<Arc<EndUser>>, Problem> {
    Ok(match named_end_user(request, principal)? {
        None => None,
        Some((partner, external_id)) => Some(state.services.load_calling_end_user(partner, external_id).await?),
    })
}

/// The partner's own name for the end user that the request names, whether anybody knows it or not.
///
/// # Errors
/// The header makes no sense.
pub fn named_end_user<'r>(
    request: &'r HttpRequest,
    principal: &'r Principal,
) -> Result<Option<(&'r PartnerPrincipal, &'r str)>, Problem> {
    match (&principal.owner, request.headers().get(END_USER_HEADER)) {
        (_, None) => Ok(None),
        (Owner::Account(_), Some(_)) => {
            Err(Problem::new(Code::EndUserNotAllowed, "`X-Faro-User` goes with partner tokens only"))
        }
        (Owner::Partner(partner), Some(value)) => {
            let external_id = value.to_str().ok().filter(|text| is_external_id(text)).ok_or_else(end_user_fault)?;
            Ok(Some((partner, external_id)))
        }
    }
}

/// A partner's call is always for one of its users.
///
/// # Errors
/// It names none.
pub async fn require_end_user(
    request: &HttpRequest,
    state: &AppState,
    principal: &Principal,
) -> Result<Option<Arc<EndUser>>, Problem> {
    match (&principal.owner, load_end_user(request, state, principal).await?) {
        (Owner::Partner(_), None) => Err(end_user_fault()),
        (_, end_user) => Ok(end_user),
    }
}

fn end_user_fault() -> Problem {
    let msg =
        format!("a partner token needs the user it calls for: 1 to {EXTERNAL_USER_ID_CHARS_MAX} visible characters");
    Problem::invalid(
        Code::EndUserRequired,
        vec![Fault { loc: vec!["header".to_owned(), "X-Faro-User".to_owned()], msg }],
    )
}

fn bearer_token(request: &HttpRequest) -> Option<&str> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}
