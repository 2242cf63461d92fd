//! Limits that a partner sets: on itself, on each of its end users, on one of them, on one of its tokens. A call has to fit into
//! all of them, and a refusal names the one that it does not fit into.

use actix_web::{HttpResponse, http::Method, web};
use engine::{
    code::Code,
    id::TokenId,
    ledger::caps::CapWindow,
    service::caps::{CapError, CapHolder, CapStanding, PartnerHolder},
};
use serde_json::Value;

use super::{Asking, Managing, users};
use crate::{
    http::{
        asked::{Answer, Asked},
        problem::{Fault, Problem},
        routes::{Mount, resource},
    },
    marketplace::{
        auth::store_problem,
        tokens::{
            self,
            caps::{CapBody, parse_limit, parse_window, problem, view as view_of_a_limit},
        },
    },
};

/// The routes of this module.
pub(super) fn configure(routes: &mut Mount<'_>) {
    routes
        .service(resource("/partners/caps", [(Method::GET, web::to(list_caps))]))
        .service(resource(
            "/partners/caps/{per}/{window}",
            [(Method::PUT, web::to(set_cap)), (Method::DELETE, web::to(remove_cap))],
        ))
        .service(resource("/partners/users/{external_id}/caps", [(Method::GET, web::to(list_user_caps))]))
        .service(resource(
            "/partners/users/{external_id}/caps/{window}",
            [(Method::PUT, web::to(set_user_cap)), (Method::DELETE, web::to(remove_user_cap))],
        ))
        .service(resource("/partners/tokens/{id}/caps", [(Method::GET, web::to(list_token_caps))]))
        .service(resource(
            "/partners/tokens/{id}/caps/{window}",
            [(Method::PUT, web::to(set_token_cap)), (Method::DELETE, web::to(remove_token_cap))],
        ));
}

/// The limits of the partner: on itself, and on each of its end users.
#[utoipa::path(
    get,
    path = "/partners/caps",
    responses(
        (status = OK, description = "The limits, at most one for each kind and window"),
        Asking
    )
)]
pub(crate) async fn list_caps(asking: Asked<Asking>) -> Answer {
    let mut caps = Vec::new();
    for whom in [PartnerHolder::Itself, PartnerHolder::EachEndUser] {
        let found = asking.state.services.list_partner_caps(asking.partner.id, whom).await.map_err(store_problem)?;
        caps.extend(found.unwrap_or_default());
    }
    Ok(HttpResponse::Ok().json(caps.iter().map(view).collect::<Vec<_>>()))
}

/// Limits what the partner spends in every window of this length, or what each of its end users does, whatever the limit was.
#[utoipa::path(
    put,
    path = "/partners/caps/{per}/{window}",
    params(
        ("per" = String, Path, description = "`partner`: all together; `end_user`: each apart from the others"),
        ("window" = String, Path, description = "`call`, `day`, `month` (in UTC) or `total`")
    ),
    request_body(content = inline(CapBody)),
    responses(
        (status = OK, description = "The limit"),
        Managing,
        (status = UNPROCESSABLE_ENTITY, description = "No such kind or window, or no usable amount"),
        (status = SERVICE_UNAVAILABLE, description = "The limit is being changed by somebody else, or the database is away")
    )
)]
pub(crate) async fn set_cap(path: web::Path<(String, String)>, asking: Asked<Managing>) -> Answer {
    let named = (parse_per(&path.0)?, parse_window(&path.1)?);
    set(&asking, named).await
}

/// Lifts a limit on the partner or on each of its end users.
#[utoipa::path(
    delete,
    path = "/partners/caps/{per}/{window}",
    params(
        ("per" = String, Path, description = "`partner` or `end_user`"),
        ("window" = String, Path, description = "`call`, `day`, `month` or `total`")
    ),
    responses(
        (status = NO_CONTENT, description = "Lifted"),
        Managing,
        (status = NOT_FOUND, description = "There is no such limit"),
        (status = UNPROCESSABLE_ENTITY, description = "No such kind or window"),
        (status = SERVICE_UNAVAILABLE, description = "The limit is being changed by somebody else, or the database is away")
    )
)]
pub(crate) async fn remove_cap(path: web::Path<(String, String)>, asking: Asked<Managing>) -> Answer {
    let named = (parse_per(&path.0)?, parse_window(&path.1)?);
    remove(&asking, named).await
}

/// What limits an end user: its own limits, and those on each.
#[utoipa::path(
    get,
    path = "/partners/users/{external_id}/caps",
    params(("external_id" = String, Path)),
    responses(
        (status = OK, description = "The limits; `applies_to` tells its own from those on everybody"),
        Asking,
        (status = NOT_FOUND, description = "The partner has no such end user")
    )
)]
pub(crate) async fn list_user_caps(name: web::Path<String>, asking: Asked<Asking>) -> Answer {
    list(&asking, PartnerHolder::EndUser(&name)).await
}

/// Limits what one end user spends in every window of this length, whatever the limit was.
#[utoipa::path(
    put,
    path = "/partners/users/{external_id}/caps/{window}",
    params(
        ("external_id" = String, Path),
        ("window" = String, Path, description = "`call`, `day`, `month` (in UTC) or `total`")
    ),
    request_body(content = inline(CapBody)),
    responses(
        (status = OK, description = "The limit"),
        Managing,
        (status = NOT_FOUND, description = "The partner has no such end user"),
        (status = UNPROCESSABLE_ENTITY, description = "No such window, or no usable amount"),
        (status = SERVICE_UNAVAILABLE, description = "The limit is being changed by somebody else, or the database is away")
    )
)]
pub(crate) async fn set_user_cap(path: web::Path<(String, String)>, asking: Asked<Managing>) -> Answer {
    let named = (PartnerHolder::EndUser(&path.0), parse_window(&path.1)?);
    set(&asking, named).await
}

/// Lifts a limit on one end user.
#[utoipa::path(
    delete,
    path = "/partners/users/{external_id}/caps/{window}",
    params(
        ("external_id" = String, Path),
        ("window" = String, Path, description = "`call`, `day`, `month` or `total`")
    ),
    responses(
        (status = NO_CONTENT, description = "Lifted"),
        Managing,
        (status = NOT_FOUND, description = "The partner has no such end user, or there is no such limit on it"),
        (status = UNPROCESSABLE_ENTITY, description = "No such window"),
        (status = SERVICE_UNAVAILABLE, description = "The limit is being changed by somebody else, or the database is away")
    )
)]
pub(crate) async fn remove_user_cap(path: web::Path<(String, String)>, asking: Asked<Managing>) -> Answer {
    let named = (PartnerHolder::EndUser(&path.0), parse_window(&path.1)?);
    remove(&asking, named).await
}

/// The limits on a token of the partner.
#[utoipa::path(
    get,
    path = "/partners/tokens/{id}/caps",
    params(("id" = String, Path)),
    responses(
        (status = OK, description = "The limits, at most one for each window"),
        Asking,
        (status = NOT_FOUND, description = "The partner has no such token")
    )
)]
pub(crate) async fn list_token_caps(id: web::Path<String>, asking: Asked<Asking>) -> Answer {
    list(&asking, parse_token(&id)?).await
}

/// Limits what another token of the partner spends in every window of this length, whatever the limit was. From then on it is
/// for calls alone.
#[utoipa::path(
    put,
    path = "/partners/tokens/{id}/caps/{window}",
    params(("id" = String, Path), ("window" = String, Path, description = "`call`, `day`, `month` (in UTC) or `total`")),
    request_body(content = inline(CapBody)),
    responses(
        (status = OK, description = "The limit"),
        (status = UNAUTHORIZED, description = "No valid token"),
        (status = FORBIDDEN, description = "Not a partner's token, or one with a limit of its own, or the token itself, or the partner is suspended"),
        (status = NOT_FOUND, description = "The partner has no such token, or it is revoked"),
        (status = UNPROCESSABLE_ENTITY, description = "No such window, or no usable amount"),
        (status = TOO_MANY_REQUESTS, description = "This caller asks too fast"),
        (status = SERVICE_UNAVAILABLE, description = "The limit is being changed by somebody else, or the database is away")
    )
)]
pub(crate) async fn set_token_cap(path: web::Path<(String, String)>, asking: Asked<Managing>) -> Answer {
    let named = (parse_token(&path.0)?, parse_window(&path.1)?);
    if asking.principal.token.map(PartnerHolder::Token) == Some(named.0) {
        return Err(Problem::new(Code::TokenLimited, "a token does not limit itself: use another one"));
    }
    set(&asking, named).await
}

/// Lifts a limit on a token of the partner.
#[utoipa::path(
    delete,
    path = "/partners/tokens/{id}/caps/{window}",
    params(("id" = String, Path), ("window" = String, Path, description = "`call`, `day`, `month` or `total`")),
    responses(
        (status = NO_CONTENT, description = "Lifted"),
        Managing,
        (status = NOT_FOUND, description = "The partner has no such token, or there is no such limit on it"),
        (status = UNPROCESSABLE_ENTITY, description = "No such window"),
        (status = SERVICE_UNAVAILABLE, description = "The limit is being changed by somebody else, or the database is away")
    )
)]
pub(crate) async fn remove_token_cap(path: web::Path<(String, String)>, asking: Asked<Managing>) -> Answer {
    let named = (parse_token(&path.0)?, parse_window(&path.1)?);
    remove(&asking, named).await
}

async fn list(asking: &Asked<Asking>, whom: PartnerHolder<'_>) -> Answer {
    let caps = asking.state.services.list_partner_caps(asking.partner.id, whom).await.map_err(store_problem)?;
    let caps = caps.ok_or_else(|| missing(whom))?;
    Ok(HttpResponse::Ok().json(caps.iter().map(view).collect::<Vec<_>>()))
}

async fn set(asking: &Asked<Managing>, named: (PartnerHolder<'_>, CapWindow)) -> Answer {
    let limit = parse_limit(&asking.body().await?)?;
    let cap = asking.state.services.set_partner_cap(&asking.context(), asking.partner.id, named, limit).await;
    Ok(HttpResponse::Ok().json(view(&cap.map_err(|error| refused(error, named.0))?)))
}

async fn remove(asking: &Asked<Managing>, named: (PartnerHolder<'_>, CapWindow)) -> Answer {
    let removed = asking.state.services.remove_partner_cap(&asking.context(), asking.partner.id, named).await;
    removed.map_err(|error| refused(error, named.0))?;
    Ok(HttpResponse::NoContent().finish())
}

fn refused(error: CapError, whom: PartnerHolder<'_>) -> Problem {
    match error {
        CapError::NoHolder => missing(whom),
        other => problem(other),
    }
}

fn missing(whom: PartnerHolder<'_>) -> Problem {
    if matches!(whom, PartnerHolder::Token(_)) { tokens::missing() } else { users::missing() }
}

fn parse_per(word: &str) -> Result<PartnerHolder<'static>, Problem> {
    match word {
        "partner" => Ok(PartnerHolder::Itself),
        "end_user" => Ok(PartnerHolder::EachEndUser),
        _ => {
            let loc = vec!["path".to_owned(), "per".to_owned()];
            let msg = "must be `partner` or `end_user`".to_owned();
            Err(Problem::invalid(Code::InvalidRequest, vec![Fault { loc, msg }]))
        }
    }
}

fn parse_token(text: &str) -> Result<PartnerHolder<'static>, Problem> {
    let id: TokenId = text.parse().map_err(|_malformed| tokens::missing())?;
    Ok(PartnerHolder::Token(id))
}

/// A limit with whom it is for.
pub(super) fn view(cap: &CapStanding) -> Value {
    let applies_to = match cap.holder {
        CapHolder::Account(_) => "account",
        CapHolder::Token(_) => "token",
        CapHolder::Partner(_) => "partner",
        CapHolder::EachEndUser(_) => "each_end_user",
        CapHolder::EndUser(_) => "end_user",
    };
    let mut shown = view_of_a_limit(cap);
    if let Value::Object(members) = &mut shown {
        members.insert("applies_to".to_owned(), applies_to.into());
    }
    shown
}
