//! A partner's end users: by the partner's own names for them, which stand in the paths.

use actix_web::{HttpResponse, web};
use engine::{
    code::Code,
    limits::{END_USER_METADATA_BYTES_MAX, EXTERNAL_USER_ID_CHARS_MAX},
    service::{
        balance::Balance,
        partners::{ChangeEndUserError, EndUserChange, EndUserFilter, EndUserProfile, MetadataChange, is_external_id},
    },
};
use serde_json::{Value, json};

use super::{Asking, Managing, query_of, query_problem, wallet_view};
use crate::{
    http::{
        asked::{Answer, Asked},
        problem::Problem,
    },
    marketplace::{
        auth::{
            fields::{Fields, ObjectMember},
            store_problem,
        },
        refusal::time_text,
    },
};

pub mod export;

/// The body of a new end user.
#[derive(Debug, utoipa::ToSchema)]
pub struct EndUserBody {
    /// The partner's own name for it, as it stands in `X-Faro-User`: 1 to 256 visible characters.
    pub external_id: String,
    /// A JSON object that is kept beside it, at most 4096 bytes.
    pub metadata: Option<Value>,
}

/// The body of a change of an end user. What is left out stays.
#[derive(Debug, utoipa::ToSchema)]
pub struct EndUserChangeBody {
    /// `active` or `blocked`: then its calls are refused.
    pub state: Option<String>,
    /// A JSON object that is kept beside it, at most 4096 bytes; `null`: nothing any more.
    pub metadata: Option<Value>,
}

/// The same for an end user that is not there and for one of somebody else.
pub(super) fn missing() -> Problem {
    Problem::new(Code::NotFound, "there is no such end user")
}

/// The partner's end users by their names. A page that was narrowed may have few rows, even none, and still a `next`, which is
/// given as `after` to go on.
#[utoipa::path(
    get,
    path = "/partners/users",
    params(
        ("external_id" = Option<String>, Query, description = "How the name begins"),
        ("state" = Option<String>, Query, description = "`active` or `blocked`"),
        ("after" = Option<String>, Query, description = "`next` of the page before")
    ),
    responses(
        (status = OK, description = "The end users"),
        Asking,
        (status = UNPROCESSABLE_ENTITY, description = "There is no such parameter or state")
    )
)]
pub(crate) async fn list_end_users(asking: Asked<Asking>) -> Answer {
    let [name, wanted, after] = query_of(&asking.request, ["external_id", "state", "after"])?;
    let is_blocked = match wanted.as_deref() {
        None => None,
        Some(word) => Some(parse_state(word).ok_or_else(|| query_problem("state", STATES))?),
    };
    let filter = EndUserFilter { external_id: name.unwrap_or_default(), is_blocked };
    let page = asking.state.services.list_end_users(asking.partner.id, &filter, after.as_deref()).await;
    let page = page.map_err(store_problem)?;
    let is_wanted = |user: &&EndUserProfile| is_blocked.is_none() || user.erased_us.is_none();
    let users: Vec<Value> = page.rows.iter().filter(is_wanted).map(view).collect();
    Ok(HttpResponse::Ok().json(json!({"users": users, "next": page.next})))
}

/// Notes an end user before its first call; one that is known already is left as it is, and shown.
#[utoipa::path(
    post,
    path = "/partners/users",
    request_body(content = inline(EndUserBody)),
    responses(
        (status = CREATED, description = "The end user"),
        (status = OK, description = "The end user, who was known before"),
        Managing,
        (status = UNPROCESSABLE_ENTITY, description = "No usable name or metadata")
    )
)]
pub(crate) async fn create_end_user(asking: Asked<Managing>) -> Answer {
    let body = asking.body().await?;
    let mut fields = Fields::parse(&body)?;
    let (name, metadata) = (fields.text("external_id"), read_metadata(&mut fields));
    if !fields.has_fault("external_id") && !is_external_id(&name) {
        let msg = format!("must be 1 to {EXTERNAL_USER_ID_CHARS_MAX} visible characters");
        fields.fault("external_id", &msg);
    }
    fields.finish()?;
    let by = asking.context();
    let metadata = match metadata {
        MetadataChange::Set(object) => Some(object),
        MetadataChange::Keep | MetadataChange::Remove => None,
    };
    let made = asking.state.services.create_own_end_user(&by, asking.partner.id, &name, metadata).await;
    let (user, is_new) = made.map_err(store_problem)?;
    let mut answer = if is_new { HttpResponse::Created() } else { HttpResponse::Ok() };
    Ok(answer.json(view(&user)))
}

/// One end user, with what is in its wallet if it has one: where each pays for itself, from its first call or filling on.
#[utoipa::path(
    get,
    path = "/partners/users/{external_id}",
    params(("external_id" = String, Path)),
    responses(
        (status = OK, description = "The end user"),
        Asking,
        (status = NOT_FOUND, description = "The partner has no such end user")
    )
)]
pub(crate) async fn show_end_user(name: web::Path<String>, asking: Asked<Asking>) -> Answer {
    let user = asking.state.services.find_own_end_user(asking.partner.id, &name).await.map_err(store_problem)?;
    let user = user.ok_or_else(missing)?;
    let balance = asking.state.services.load_end_user_balance(user.id).await.map_err(store_problem)?;
    Ok(HttpResponse::Ok().json(view_with_wallet(&user, balance.as_ref())))
}

/// Blocks an end user or lets it in again, and changes what is kept beside it. The next call is decided by that, on every
/// server within a second.
#[utoipa::path(
    patch,
    path = "/partners/users/{external_id}",
    params(("external_id" = String, Path)),
    request_body(content = inline(EndUserChangeBody)),
    responses(
        (status = OK, description = "The end user as it is now"),
        Managing,
        (status = NOT_FOUND, description = "The partner has no such end user"),
        (status = UNPROCESSABLE_ENTITY, description = "No such state, or no usable metadata"),
        (status = SERVICE_UNAVAILABLE, description = "It is being changed by somebody else, or the database is away")
    )
)]
pub(crate) async fn change_end_user(name: web::Path<String>, asking: Asked<Managing>) -> Answer {
    let body = asking.body().await?;
    let change = parse_change(&body)?;
    let by = asking.context();
    let user = asking.state.services.change_own_end_user(&by, asking.partner.id, &name, &change).await;
    Ok(HttpResponse::Ok().json(view(&user.map_err(problem)?)))
}

/// Erases what is known of an end user. What stays is its identifier, which the books and the records of its calls have; the
/// next call under the same name is that of a new end user.
#[utoipa::path(
    delete,
    path = "/partners/users/{external_id}",
    params(("external_id" = String, Path)),
    responses(
        (status = OK, description = "The identifier, which is all that stays"),
        Managing,
        (status = NOT_FOUND, description = "The partner has no such end user"),
        (status = SERVICE_UNAVAILABLE, description = "It is being changed by somebody else, or the database is away")
    )
)]
pub(crate) async fn erase_end_user(name: web::Path<String>, asking: Asked<Managing>) -> Answer {
    let by = asking.context();
    let id = asking.state.services.erase_own_end_user(&by, asking.partner.id, &name).await.map_err(problem)?;
    Ok(HttpResponse::Ok().json(json!({"id": id.to_string(), "state": "erased"})))
}

const STATES: &str = "must be `active` or `blocked`";

/// Whether calls are refused in the state of this name.
fn parse_state(word: &str) -> Option<bool> {
    match word {
        "active" => Some(false),
        "blocked" => Some(true),
        _ => None,
    }
}

fn parse_change(body: &str) -> Result<EndUserChange, Problem> {
    let mut fields = Fields::parse(body)?;
    let state = fields.optional_text("state");
    let is_blocked = state.as_deref().and_then(parse_state);
    if state.is_some() && is_blocked.is_none() {
        fields.fault("state", STATES);
    }
    let metadata = read_metadata(&mut fields);
    fields.finish()?;
    Ok(EndUserChange { is_blocked, metadata })
}

fn read_metadata(fields: &mut Fields<'_>) -> MetadataChange {
    match fields.object("metadata") {
        ObjectMember::Absent => MetadataChange::Keep,
        ObjectMember::Null => MetadataChange::Remove,
        ObjectMember::Object(text) => {
            if text.len() > END_USER_METADATA_BYTES_MAX {
                fields.fault("metadata", &format!("must have at most {END_USER_METADATA_BYTES_MAX} bytes"));
            }
            MetadataChange::Set(text)
        }
    }
}

fn problem(error: ChangeEndUserError) -> Problem {
    match error {
        ChangeEndUserError::NotFound => missing(),
        ChangeEndUserError::Changed => Problem::new(Code::Overloaded, error.to_string()).retry_after_s(1),
        ChangeEndUserError::Store(error) => store_problem(error),
    }
}

/// An end user. Of one that was erased nothing is left but the identifier and two times.
fn view(user: &EndUserProfile) -> Value {
    let state = match (user.erased_us, user.is_blocked) {
        (Some(_), _) => "erased",
        (None, true) => "blocked",
        (None, false) => "active",
    };
    let metadata: Option<Value> = user.metadata.as_deref().and_then(|text| serde_json::from_str(text).ok());
    json!({
        "id": user.id.to_string(),
        "external_id": user.erased_us.is_none().then_some(&user.external_id),
        "state": state,
        "metadata": metadata,
        "created_at": time_text(user.created_us),
        "erased_at": user.erased_us.map(time_text),
    })
}

/// The same with what is in its wallet, if it has one.
pub(super) fn view_with_wallet(user: &EndUserProfile, balance: Option<&Balance>) -> Value {
    let mut shown = view(user);
    if let Value::Object(members) = &mut shown {
        members.insert("wallet".to_owned(), balance.map(wallet_view).into());
    }
    shown
}

#[cfg(test)]
mod tests;
