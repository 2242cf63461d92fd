//! `GET /credits/transactions`: what moved in the caller's own wallet.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, web};
use engine::{
    code::Code,
    service::journal::{
        JournalCursor, JournalPage, WALLET_PAGE_ROWS, WALLET_PAGE_ROWS_MAX, WalletFilter, WalletMove, WalletMoveKind,
    },
};
use serde_json::{Value, json};

use crate::{
    cli::dates,
    http::{
        auth::authenticate,
        problem::{Fault, Problem},
    },
    marketplace::{auth::store_problem, invoke::number, refusal::time_text},
    state::AppState,
};

const KIND: &str = "kind";
const FROM: &str = "from";
const TO: &str = "to";
const LIMIT: &str = "limit";
const AFTER: &str = "after";
const PARAMETERS: [&str; 5] = [KIND, FROM, TO, LIMIT, AFTER];

/// What moved in the caller's wallet, or in that of the end user whom a partner names if each pays for itself, the newest first; what left it is below zero. `next` is given as `after` to go on, with
/// the same filters, and is null at the end. A page may have fewer rows than there are, even none, and still a `next`: it
/// looks at so many entries of the books, and `looked_back_to` says how far that was.
#[utoipa::path(
    get,
    path = "/credits/transactions",
    params(
        ("kind" = Option<String>, Query, description = "charge, purchase, grant, refund, expiry, adjustment, chargeback, reversal, opening or transfer"),
        ("from" = Option<String>, Query, description = "Only what was recorded on this date or at this time, or later"),
        ("to" = Option<String>, Query, description = "Only what was recorded before this date or time"),
        ("limit" = Option<i64>, Query, description = "How many at most: 1 to 200, else 50"),
        ("after" = Option<String>, Query, description = "`next` of the page before")
    ),
    responses(
        (status = OK, description = "The movements, in credits"),
        (status = UNAUTHORIZED, description = "No valid token"),
        (status = UNPROCESSABLE_ENTITY, description = "There is no such kind, time or place")
    )
)]
pub(crate) async fn list_transactions(
    request: HttpRequest,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let caller = authenticate(&request, &state).await?;
    let query = web::Query::<BTreeMap<String, String>>::from_query(request.query_string());
    let query = query.map_err(|error| problem(("query", error.to_string())))?;
    let Wanted { filter, after, count } = read(&query).map_err(problem)?;
    let (owner, end_user) = (&caller.principal.owner, caller.end_user.as_deref());
    let page = state.services.list_wallet_moves(owner, end_user, filter, after, count).await;
    Ok(HttpResponse::Ok().json(view(&page.map_err(store_problem)?)))
}

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    filter: WalletFilter,
    after: Option<JournalCursor>,
    count: u64,
}

/// Reads the parameters; else which one is wrong, and why.
fn read(query: &BTreeMap<String, String>) -> Result<Wanted, (&'static str, String)> {
    let text = |name: &str| query.get(name).map(String::as_str);
    if let Some(unknown) = query.keys().find(|name| !PARAMETERS.contains(&name.as_str())) {
        let unknown: String = unknown.chars().take(64).collect();
        return Err(("query", format!("there is no parameter `{unknown}`")));
    }
    let kind = match text(KIND) {
        None => None,
        Some(word) => {
            let all = || WalletMoveKind::ALL.map(WalletMoveKind::as_str).join(", ");
            Some(WalletMoveKind::from_word(word).ok_or_else(|| (KIND, format!("must be one of {}", all())))?)
        }
    };
    let time = |name: &'static str| {
        text(name).map(|text| dates::parse(name, text)).transpose().map_err(|error| (name, error.to_string()))
    };
    let (from_us, to_us) = (time(FROM)?, time(TO)?);
    if let (Some(from), Some(to)) = (from_us, to_us)
        && to <= from
    {
        return Err((TO, "must be after `from`".to_owned()));
    }
    let count = match text(LIMIT) {
        None => WALLET_PAGE_ROWS,
        Some(text) => text
            .parse()
            .ok()
            .filter(|count| (1..=WALLET_PAGE_ROWS_MAX).contains(count))
            .ok_or_else(|| (LIMIT, format!("must be a number from 1 to {WALLET_PAGE_ROWS_MAX}")))?,
    };
    let after = text(AFTER).map(str::parse).transpose();
    let after = after.map_err(|error: engine::service::journal::InvalidJournalCursor| (AFTER, error.to_string()))?;
    Ok(Wanted { filter: WalletFilter { kind, from_us, to_us }, after, count })
}

fn problem((parameter, msg): (&str, String)) -> Problem {
    let loc = vec!["query".to_owned(), parameter.to_owned()];
    Problem::invalid(Code::InvalidRequest, vec![Fault { loc, msg }])
}

fn view(page: &JournalPage<WalletMove>) -> Value {
    json!({
        "transactions": page.rows.iter().map(row).collect::<Vec<_>>(),
        "next": page.next.as_ref().map(ToString::to_string),
        "looked_back_to": page.looked_back_to_us.map(time_text),
    })
}

fn row(moved: &WalletMove) -> Value {
    json!({
        "transaction_id": moved.id.to_string(),
        "kind": moved.kind.as_str(),
        "credits": number(moved.amount),
        "at": time_text(moved.recorded_us),
        "invocation_id": moved.invocation.map(|id| id.to_string()),
        "purchase_id": moved.purchase.map(|id| id.to_string()),
        "reverses": moved.reverses.map(|id| id.to_string()),
    })
}

#[cfg(test)]
mod tests;
