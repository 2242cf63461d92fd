//! Limits on what a token spends. Its account's owner sets and lifts them, signed in: a key that could raise its own limit
//! would have none.

use std::ops::Deref;

use actix_web::{HttpRequest, HttpResponse, web};
use engine::{
    audit::OpContext,
    code::Code,
    credits::Credits,
    id::{AccountId, TokenId},
    ledger::caps::CapWindow,
    service::caps::{CapError, CapStanding},
};
use serde_json::{Value, json};

use super::missing;
use crate::{
    http::{
        asked::{Answer, Asked, Known},
        auth::{Caller, authenticate},
        problem::{Fault, Problem},
    },
    marketplace::{
        auth::{
            fields::{self, Fields},
            require_account, store_problem,
        },
        invoke::number,
        refusal::time_text,
    },
    state::AppState,
};

/// An account that looks at its limits.
pub(crate) struct Holder {
    caller: Caller,
    account: AccountId,
}

/// An account whose owner is signed in.
pub(crate) struct SignedIn(Holder);

impl Deref for SignedIn {
    type Target = Holder;

    fn deref(&self) -> &Holder {
        &self.0
    }
}

impl Known for Holder {
    async fn find(request: &HttpRequest, state: &AppState) -> Result<Self, Problem> {
        let caller = authenticate(request, state).await?;
        let account = require_account(&caller)?.id;
        Ok(Self { caller, account })
    }

    fn context(&self, state: &AppState) -> OpContext {
        self.caller.context(state)
    }
}

impl Known for SignedIn {
    async fn find(request: &HttpRequest, state: &AppState) -> Result<Self, Problem> {
        let holder = Holder::find(request, state).await?;
        if holder.caller.principal.token.is_some() {
            return Err(Problem::new(
                Code::SessionRequired,
                "a key cannot change limits; sign in with POST /auth/login and use its access_token",
            ));
        }
        Ok(Self(holder))
    }

    fn context(&self, state: &AppState) -> OpContext {
        self.0.context(state)
    }
}

/// The body of a limit.
#[derive(Debug, utoipa::ToSchema)]
pub struct CapBody {
    /// The most that the token may spend in one window, in credits, as a number or a decimal text.
    pub credits: String,
}

/// The limits on a token, with what counts against them now.
#[utoipa::path(
    get,
    path = "/tokens/{id}/caps",
    params(("id" = String, Path)),
    responses(
        (status = OK, description = "The limits, at most one for each window"),
        (status = UNAUTHORIZED, description = "No valid token"),
        (status = FORBIDDEN, description = "Not an account's token"),
        (status = NOT_FOUND, description = "No such token of this caller")
    )
)]
pub(crate) async fn list_token_caps(id: web::Path<String>, asking: Asked<Holder>) -> Answer {
    let id: TokenId = id.parse().map_err(|_malformed| missing())?;
    let caps = asking.state.services.list_own_token_caps(asking.account, id).await.map_err(store_problem)?;
    let caps = caps.ok_or_else(missing)?;
    Ok(HttpResponse::Ok().json(caps.iter().map(view).collect::<Vec<_>>()))
}

/// Limits what a token spends in every window of this length, whatever the limit was. What was spent in the present window
/// counts, if there was a limit before; a new one begins at zero.
#[utoipa::path(
    put,
    path = "/tokens/{id}/caps/{window}",
    params(("id" = String, Path), ("window" = String, Path, description = "`call`, `day`, `month` (in UTC) or `total`")),
    request_body(content = inline(CapBody)),
    responses(
        (status = OK, description = "The limit"),
        (status = UNAUTHORIZED, description = "No valid session"),
        (status = FORBIDDEN, description = "A key, not a session"),
        (status = NOT_FOUND, description = "No such token of this caller, or it is revoked"),
        (status = UNPROCESSABLE_ENTITY, description = "No such window, or no usable amount"),
        (status = SERVICE_UNAVAILABLE, description = "The limit is being changed by somebody else, or the database is away")
    )
)]
pub(crate) async fn set_token_cap(path: web::Path<(String, String)>, asking: Asked<SignedIn>) -> Answer {
    let named = parse_path(&path)?;
    let (limit, by) = (parse_limit(&asking.body().await?)?, asking.context());
    let cap = asking.state.services.set_own_token_cap(&by, asking.account, named, limit).await.map_err(problem)?;
    Ok(HttpResponse::Ok().json(view(&cap)))
}

/// Lifts a limit.
#[utoipa::path(
    delete,
    path = "/tokens/{id}/caps/{window}",
    params(("id" = String, Path), ("window" = String, Path, description = "`call`, `day`, `month` or `total`")),
    responses(
        (status = NO_CONTENT, description = "Lifted"),
        (status = UNAUTHORIZED, description = "No valid session"),
        (status = FORBIDDEN, description = "A key, not a session"),
        (status = NOT_FOUND, description = "No such token of this caller, or no such limit on it"),
        (status = UNPROCESSABLE_ENTITY, description = "No such window"),
        (status = SERVICE_UNAVAILABLE, description = "The limit is being changed by somebody else, or the database is away")
    )
)]
pub(crate) async fn remove_token_cap(path: web::Path<(String, String)>, asking: Asked<SignedIn>) -> Answer {
    let named = parse_path(&path)?;
    asking.state.services.remove_own_token_cap(&asking.context(), asking.account, named).await.map_err(problem)?;
    Ok(HttpResponse::NoContent().finish())
}

fn parse_path((id, window): &(String, String)) -> Result<(TokenId, CapWindow), Problem> {
    let id = id.parse().map_err(|_malformed| missing())?;
    Ok((id, parse_window(window)?))
}

/// The length of a limit's window, as it stands in a path.
pub(in crate::marketplace) fn parse_window(window: &str) -> Result<CapWindow, Problem> {
    CapWindow::from_word(window).ok_or_else(|| {
        let loc = vec!["path".to_owned(), "window".to_owned()];
        let msg = "must be one of `call`, `day`, `month`, `total`".to_owned();
        Problem::invalid(Code::InvalidRequest, vec![Fault { loc, msg }])
    })
}

/// The body of a limit.
pub(in crate::marketplace) fn parse_limit(body: &str) -> Result<Credits, Problem> {
    let mut fields = Fields::parse(body)?;
    let limit = fields.optional_amount("credits");
    if limit.is_none() && !fields.has_fault("credits") {
        fields.fault("credits", "is missing");
    }
    fields.finish()?;
    limit.ok_or_else(|| fields::fault("credits", "is missing"))
}

/// What a limit that was not changed is answered with.
pub(in crate::marketplace) fn problem(error: CapError) -> Problem {
    match error {
        CapError::NoHolder => missing(),
        CapError::NotFound => Problem::new(Code::NotFound, "there is no such limit"),
        CapError::Negative => fields::fault("credits", "must not be negative"),
        CapError::Imposed => Problem::new(Code::LimitImposed, error.to_string()),
        CapError::Changed { .. } => {
            Problem::new(Code::Overloaded, "somebody else is changing this limit").retry_after_s(1)
        }
        CapError::Reason => {
            tracing::error!(%error, "a limit could not be told in the audit trail");
            Problem::new(Code::Internal, "the limit could not be changed")
        }
        CapError::Store(error) => store_problem(error),
    }
}

/// A limit with its numbers in credits. Of single calls nothing is counted.
pub(in crate::marketplace) fn view(cap: &CapStanding) -> Value {
    let left = |spent: Credits, held: Credits| {
        let used = spent.checked_add(held).unwrap_or(Credits::MAX);
        cap.limit.checked_sub(used).unwrap_or(Credits::ZERO).max(Credits::ZERO)
    };
    json!({
        "window": cap.window.as_str(),
        "credits": number(cap.limit),
        "spent": cap.used.map(|used| number(used.spent)),
        "reserved": cap.used.map(|used| number(used.held)),
        "left": number(cap.used.map_or(cap.limit, |used| left(used.spent, used.held))),
        "resets_at": cap.used.and_then(|used| used.resets_us).map(time_text),
    })
}

#[cfg(test)]
mod tests;
