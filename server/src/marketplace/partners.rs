//! What partners do themselves, with their own tokens: tokens, end users, limits on spending, what their calls
//! came to, and when and where they want to be told of it.
//!
//! Nothing of another partner is ever found here: what is not one's own is not there. A token with a spending limit of its own
//! is for calls alone and only looks around here: whoever holds it could lift its limit otherwise.

pub mod alerts;
pub mod caps;
pub mod funding;
pub mod tokens;
pub mod usage;
pub mod users;
pub mod webhooks;

use std::{collections::BTreeMap, ops::Deref, sync::Arc};

use actix_web::{HttpRequest, HttpResponse, http::Method, web};
use engine::{
    audit::OpContext,
    code::Code,
    credits::Credits,
    service::{
        access::{CapOwner, Owner, PartnerPrincipal, Principal},
        balance::Balance,
    },
};
use serde_json::{Value, json};
use utoipa::{
    IntoResponses,
    openapi::{RefOr, Response},
};

use super::{auth::store_problem, invoke::number};
use crate::{
    http::{
        asked::{Answer, Asked, Known, refusals},
        auth::{Caller, find_principal},
        problem::{Fault, Problem},
        routes::{Mount, resource},
    },
    state::AppState,
};

/// The routes of this module.
pub fn configure(routes: &mut Mount<'_>) {
    routes
        .service(resource("/partners/me", [(Method::GET, web::to(me))]))
        .service(resource(
            "/partners/tokens",
            [
                (Method::GET, web::to(tokens::list_partner_tokens)),
                (Method::POST, web::to(tokens::create_partner_token)),
            ],
        ))
        .service(resource("/partners/tokens/{id}", [(Method::DELETE, web::to(tokens::revoke_partner_token))]))
        .service(resource(
            "/partners/users",
            [(Method::GET, web::to(users::list_end_users)), (Method::POST, web::to(users::create_end_user))],
        ))
        .service(resource(
            "/partners/users/{external_id}",
            [
                (Method::GET, web::to(users::show_end_user)),
                (Method::PATCH, web::to(users::change_end_user)),
                (Method::DELETE, web::to(users::erase_end_user)),
            ],
        ))
        .service(resource(
            "/partners/users/{external_id}/export",
            [(Method::GET, web::to(users::export::export_end_user))],
        ))
        .service(resource("/partners/usage", [(Method::GET, web::to(usage::show_usage))]))
        .service(resource("/partners/statements", [(Method::GET, web::to(usage::list_statements))]))
        .service(resource("/partners/statements/{period}", [(Method::GET, web::to(usage::show_statement))]))
        .configure(funding::configure)
        .configure(caps::configure)
        .configure(alerts::configure)
        .configure(webhooks::configure);
}

/// A partner that asks something, within the limit of how fast it may ask. The end user that the request may name does not
/// matter, and is not made.
pub(crate) struct Asking {
    principal: Arc<Principal>,
    partner: PartnerPrincipal,
}

/// A partner that changes something: neither with a token that has a limit of its own nor while it is suspended.
pub(crate) struct Managing(Asking);

impl Deref for Managing {
    type Target = Asking;

    fn deref(&self) -> &Asking {
        &self.0
    }
}

impl Known for Asking {
    async fn find(request: &HttpRequest, state: &AppState) -> Result<Self, Problem> {
        let principal = find_principal(request, state).await?;
        let Owner::Partner(partner) = &principal.owner else {
            return Err(Problem::new(
                Code::PartnerRequired,
                "this route is for partners: send a `faro_partner_…` token",
            ));
        };
        state.discovery_limiter.check_token(&principal.shown)?;
        Ok(Self { partner: partner.clone(), principal })
    }

    fn context(&self, state: &AppState) -> OpContext {
        Caller { principal: Arc::clone(&self.principal), end_user: None }.context(state)
    }
}

impl Known for Managing {
    async fn find(request: &HttpRequest, state: &AppState) -> Result<Self, Problem> {
        let asking = Asking::find(request, state).await?;
        if asking.partner.is_suspended {
            return Err(Problem::new(Code::AccountSuspended, "the partner is suspended: nothing can be changed"));
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

impl IntoResponses for Asking {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals("Not a partner's token")
    }
}

impl IntoResponses for Managing {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals("Not a partner's token, or one with a limit of its own, or the partner is suspended")
    }
}

/// What is wrong with one parameter of an address.
fn query_problem(name: &str, msg: impl Into<String>) -> Problem {
    let loc = vec!["query".to_owned(), name.to_owned()];
    Problem::invalid(Code::InvalidRequest, vec![Fault { loc, msg: msg.into() }])
}

/// The parameters of an address by name; others than `names` are refused, and so is one that is given twice.
fn query_of<const N: usize>(request: &HttpRequest, names: [&str; N]) -> Result<[Option<String>; N], Problem> {
    let mut found = [const { None }; N];
    for (name, value) in url::form_urlencoded::parse(request.query_string().as_bytes()) {
        let place = names.iter().zip(&mut found).find(|(known, _)| **known == name);
        let Some((_, place)) = place else {
            let unknown: String = name.chars().take(64).collect();
            return Err(query_problem("query", format!("there is no parameter `{unknown}`")));
        };
        if place.replace(value.into_owned()).is_some() {
            return Err(query_problem(&name, "is given more than once"));
        }
    }
    Ok(found)
}

/// The partner itself: who pays for its users, its share of every charge, and what is there.
#[utoipa::path(
    get,
    path = "/partners/me",
    responses(
        (status = OK, description = "The partner, in credits"),
        Asking
    )
)]
pub(crate) async fn me(asking: Asked<Asking>) -> Answer {
    let partner = asking.state.services.find_partner(asking.partner.id).await.map_err(store_problem)?;
    let partner = partner.ok_or_else(|| Problem::new(Code::NotFound, "there is no such partner"))?;
    let now_us = asking.state.services.clock.now_us();
    let balance = asking.state.services.load_balance(partner.wallet, now_us).await.map_err(store_problem)?;
    let margin = asking.state.services.load_partner_margin(&partner).await.map_err(store_problem)?;
    let left = margin.credits.saturating_sub(margin.debits);
    Ok(HttpResponse::Ok().json(json!({
        "id": partner.id.to_string(),
        "name": partner.name,
        "suspended": partner.is_suspended,
        "funding": asking.partner.funding.as_str(),
        "wallet": wallet_view(&balance),
        "margin": {
            "basis_points": partner.margin_bps,
            "earned": number(Credits::from_micros(margin.credits)),
            "taken_back_or_paid": number(Credits::from_micros(margin.debits)),
            "left": number(Credits::from_micros(left)),
        },
        "created_at": super::time_text(partner.created_us),
    })))
}

/// What is in a wallet, in credits.
fn wallet_view(balance: &Balance) -> Value {
    json!({
        "balance": number(balance.balance),
        "reserved": number(balance.reserved),
        "available": number(balance.available()),
    })
}
