//! What anybody may know of the books: the checkpoints that vouch for them, and the keys that signed these. There is
//! nothing in them but numbers of batches and hashes.

use actix_web::{
    HttpRequest, HttpResponse,
    http::Method,
    web::{self, Data, Query},
};
use engine::{
    code::Code,
    ledger::hex::hex,
    service::checkpoints::{CHECKPOINTS_LISTED_MAX, KnownCheckpoint},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    http::{
        problem::{Fault, Problem},
        routes::{Mount, resource},
    },
    state::AppState,
};

/// The routes.
pub fn configure(routes: &mut Mount<'_>) {
    routes
        .service(resource("/ledger/checkpoints", [(Method::GET, web::to(list))]))
        .service(resource("/ledger/checkpoints/{number}", [(Method::GET, web::to(show))]))
        .service(resource("/ledger/keys", [(Method::GET, web::to(keys))]));
}

/// Which checkpoints are wanted.
#[derive(Debug, Deserialize)]
struct Wanted {
    before: Option<i64>,
}

/// The signed checkpoints, newest first, at most 100 at once; `before` gives those below a number.
#[utoipa::path(
    get,
    path = "/ledger/checkpoints",
    params(("before" = Option<i64>, Query)),
    responses(
        (status = OK, description = "The checkpoints"),
        (status = UNPROCESSABLE_ENTITY, description = "`before` is no number")
    )
)]
pub(crate) async fn list(request: HttpRequest, state: Data<AppState>) -> Result<HttpResponse, Problem> {
    let wanted = Query::<Wanted>::from_query(request.query_string()).map_err(|_malformed| {
        let loc = vec!["query".to_owned(), "before".to_owned()];
        Problem::invalid(
            Code::InvalidRequest,
            vec![Fault { loc, msg: "must be the number of a checkpoint".to_owned() }],
        )
    })?;
    let found = state.services.list_checkpoints(wanted.before).await?;
    let is_more = u64::try_from(found.len()).is_ok_and(|length| length == CHECKPOINTS_LISTED_MAX);
    let next = found.last().map(|known| known.signed.checkpoint.number).filter(|number| is_more && *number > 1);
    let views: Vec<Value> = found.iter().map(KnownCheckpoint::view).collect();
    Ok(HttpResponse::Ok().json(json!({"checkpoints": views, "next_before": next})))
}

/// One signed checkpoint with the key that signed it: a line to be kept.
#[utoipa::path(
    get,
    path = "/ledger/checkpoints/{number}",
    params(("number" = i64, Path)),
    responses(
        (status = OK, description = "The checkpoint"),
        (status = NOT_FOUND, description = "No such checkpoint")
    )
)]
pub(crate) async fn show(number: web::Path<String>, state: Data<AppState>) -> Result<HttpResponse, Problem> {
    let missing = || Problem::new(Code::NotFound, "there is no such checkpoint");
    let number = number.parse().map_err(|_malformed| missing())?;
    let found = state.services.find_checkpoint(number).await?.ok_or_else(missing)?;
    Ok(HttpResponse::Ok().json(found.view()))
}

/// The public keys (Ed25519) that sign checkpoints. A key is good from `from_us` until `until_us`, the last one until there
/// is a next one.
#[utoipa::path(get, path = "/ledger/keys", responses((status = OK, description = "The keys")))]
pub(crate) async fn keys(state: Data<AppState>) -> Result<HttpResponse, Problem> {
    let keys = state.services.list_signing_keys().await?;
    let until = keys.iter().skip(1).map(|key| Some(key.from_us)).chain([None]);
    let views: Vec<Value> = keys
        .iter()
        .zip(until)
        .map(|(key, until_us)| {
            json!({"number": key.number, "algorithm": "Ed25519", "public_key": hex(&key.public),
                   "from_us": key.from_us, "until_us": until_us})
        })
        .collect();
    Ok(HttpResponse::Ok().json(json!({"keys": views})))
}
