//! Thresholds of limits: the partner is told once in every window when a part of a limit is spent, by mail and at its webhooks.
//! What it was told stands in a list as well.

use actix_web::{HttpRequest, HttpResponse, http::Method, web};
use engine::{
    code::Code,
    id::CapAlertId,
    ledger::caps::CapWindow,
    service::{
        caps::{CapHolder, PartnerHolder},
        partners::{CapAlert, CapAlertError, NewCapAlert, named_by_key},
    },
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Asking, Managing, query_of, query_problem};
use crate::{
    http::{
        asked::{Answer, Asked},
        problem::Problem,
        routes::{Mount, resource},
    },
    marketplace::{
        auth::{
            fields::{self, Fields},
            store_problem,
        },
        refusal::time_text,
    },
    webhooks,
};

/// The body of a new threshold.
#[derive(Debug, utoipa::ToSchema)]
pub struct CapAlertBody {
    /// `partner`: all together; `each_end_user`; `end_user`; `token`.
    pub applies_to: String,
    /// With `end_user`: the partner's own name for it.
    pub external_id: Option<String>,
    /// With `token`: which.
    pub token_id: Option<String>,
    /// `day`, `month` (in UTC) or `total`.
    pub window: String,
    /// From how many hundredths of the limit on: a whole number from 1 to 100.
    pub percent: i64,
    /// Who is told by mail; not with `each_end_user`.
    pub email: Option<String>,
    /// At most 255 bytes; with the same key again no other threshold is made.
    pub idempotency_key: Option<String>,
}

/// The routes of this module.
pub(super) fn configure(routes: &mut Mount<'_>) {
    routes
        .service(resource(
            "/partners/alerts",
            [(Method::GET, web::to(list_alerts)), (Method::POST, web::to(create_alert))],
        ))
        .service(resource("/partners/alerts/{id}", [(Method::DELETE, web::to(remove_alert))]))
        .service(resource("/partners/events", [(Method::GET, web::to(list_events))]));
}

/// The thresholds of the partner. `next` is given as `after` to go on.
#[utoipa::path(
    get,
    path = "/partners/alerts",
    params(("after" = Option<String>, Query, description = "`next` of the page before")),
    responses(
        (status = OK, description = "The thresholds"),
        Asking,
        (status = UNPROCESSABLE_ENTITY, description = "There is no such place")
    )
)]
pub(crate) async fn list_alerts(asking: Asked<Asking>) -> Answer {
    let after = read_place(&asking.request)?;
    let page = asking.state.services.list_cap_alerts(asking.partner.id, after).await.map_err(store_problem)?;
    let alerts: Vec<Value> = page.rows.iter().map(view).collect();
    Ok(HttpResponse::Ok().json(json!({"alerts": alerts, "next": page.next})))
}

/// Makes a threshold. The limit need not be there yet. Once it is reached, the partner is told within seconds, and not again
/// before the next window.
#[utoipa::path(
    post,
    path = "/partners/alerts",
    request_body(content = inline(CapAlertBody)),
    responses(
        (status = CREATED, description = "The threshold"),
        (status = OK, description = "The threshold that the key has made before"),
        Managing,
        (status = CONFLICT, description = "The key has made another threshold"),
        (status = UNPROCESSABLE_ENTITY, description = "A member is missing or cannot be used, or there are too many thresholds")
    )
)]
pub(crate) async fn create_alert(asking: Asked<Managing>) -> Answer {
    let body = asking.body().await?;
    let wanted = parse(&body)?;
    let new = NewCapAlert {
        whom: wanted.whom(),
        window: wanted.window,
        percent: wanted.percent,
        email: wanted.email.as_deref(),
        reason: None,
        key: wanted.key.as_deref().map(|key| named_by_key(asking.partner.id, "threshold", key)),
    };
    let made = asking.state.services.create_cap_alert(&asking.context(), asking.partner.id, new).await;
    let (alert, is_new) = made.map_err(|error| problem(error, wanted.whose.field()))?;
    let mut answer = if is_new { HttpResponse::Created() } else { HttpResponse::Ok() };
    Ok(answer.json(view(&alert)))
}

/// Removes a threshold.
#[utoipa::path(
    delete,
    path = "/partners/alerts/{id}",
    params(("id" = String, Path)),
    responses(
        (status = NO_CONTENT, description = "Removed"),
        Managing,
        (status = NOT_FOUND, description = "The partner has no such threshold")
    )
)]
pub(crate) async fn remove_alert(id: web::Path<String>, asking: Asked<Managing>) -> Answer {
    let id: CapAlertId = id.parse().map_err(|_malformed| problem(CapAlertError::NotFound, "id"))?;
    let removed = asking.state.services.remove_cap_alert(&asking.context(), asking.partner.id, id, None).await;
    removed.map_err(|error| problem(error, "id"))?;
    Ok(HttpResponse::NoContent().finish())
}

/// What the partner was told, the newest first. `next` is given as `after` to go on.
#[utoipa::path(
    get,
    path = "/partners/events",
    params(("after" = Option<String>, Query, description = "`next` of the page before")),
    responses(
        (status = OK, description = "The events, as webhooks get them"),
        Asking,
        (status = UNPROCESSABLE_ENTITY, description = "There is no such place")
    )
)]
pub(crate) async fn list_events(asking: Asked<Asking>) -> Answer {
    let after = read_place(&asking.request)?;
    let page = asking.state.services.list_partner_events(asking.partner.id, after).await.map_err(store_problem)?;
    let events: Vec<Value> = page.rows.iter().map(webhooks::view).collect();
    Ok(HttpResponse::Ok().json(json!({"events": events, "next": page.next})))
}

/// Where a page begins: the only parameter.
pub(super) fn read_place(request: &HttpRequest) -> Result<Option<Uuid>, Problem> {
    let [after] = query_of(request, ["after"])?;
    let place = after.map(|text| Uuid::try_parse(&text)).transpose();
    place.map_err(|_no_place| query_problem("after", "must be `next` of the page before"))
}

/// Whose spending.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Whose {
    Partner,
    EachEndUser,
    EndUser(String),
    Token(engine::id::TokenId),
}

impl Whose {
    /// The member that names it.
    const fn field(&self) -> &'static str {
        match self {
            Self::Partner | Self::EachEndUser => "applies_to",
            Self::EndUser(_) => "external_id",
            Self::Token(_) => "token_id",
        }
    }
}

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    whose: Whose,
    window: CapWindow,
    percent: i16,
    email: Option<String>,
    key: Option<String>,
}

impl Wanted {
    fn whom(&self) -> PartnerHolder<'_> {
        match &self.whose {
            Whose::Partner => PartnerHolder::Itself,
            Whose::EachEndUser => PartnerHolder::EachEndUser,
            Whose::EndUser(name) => PartnerHolder::EndUser(name),
            Whose::Token(id) => PartnerHolder::Token(*id),
        }
    }
}

fn parse(body: &str) -> Result<Wanted, Problem> {
    let mut fields = Fields::parse(body)?;
    let whose = read_whose(&mut fields);
    let window = fields.text("window");
    let known = CapWindow::from_word(&window);
    if known.is_none() && !fields.has_fault("window") {
        fields.fault("window", "must be one of `day`, `month`, `total`");
    }
    let percent = fields.optional_digits("percent");
    let percent =
        percent.map_or_else(|| Err("is missing"), |digits| digits.parse::<i16>().map_err(|_no_number| PERCENT));
    if let Err(msg) = percent
        && !fields.has_fault("percent")
    {
        fields.fault("percent", msg);
    }
    let (email, key) = (fields.optional_text("email"), fields.idempotency_key());
    fields.finish()?;
    match (whose, known, percent) {
        (Some(whose), Some(window), Ok(percent)) => Ok(Wanted { whose, window, percent, email, key }),
        // Each of them was named above.
        (_, _, _) => Err(fields::fault("applies_to", "is missing")),
    }
}

const PERCENT: &str = "must be a whole number from 1 to 100";

fn read_whose(fields: &mut Fields<'_>) -> Option<Whose> {
    let word = fields.text("applies_to");
    let (name, token) = (fields.optional_text("external_id"), fields.optional_text("token_id"));
    if name.is_some() && word != "end_user" {
        fields.fault("external_id", "goes with `end_user`");
    }
    if token.is_some() && word != "token" {
        fields.fault("token_id", "goes with `token`");
    }
    match (&*word, name, token) {
        ("partner", ..) => Some(Whose::Partner),
        ("each_end_user", ..) => Some(Whose::EachEndUser),
        ("end_user", Some(name), _) => Some(Whose::EndUser(name)),
        ("token", _, Some(token)) => {
            let id = token.parse().ok();
            if id.is_none() {
                fields.fault("token_id", NOBODY);
            }
            id.map(Whose::Token)
        }
        (word, ..) => {
            let missing = match word {
                "end_user" => "external_id",
                "token" => "token_id",
                _ => "applies_to",
            };
            let msg = if missing == "applies_to" {
                "must be one of `partner`, `each_end_user`, `end_user`, `token`"
            } else {
                "is missing"
            };
            if !fields.has_fault(missing) {
                fields.fault(missing, msg);
            }
            None
        }
    }
}

/// The same for what is not there and for what is somebody else's.
const NOBODY: &str = "is nothing that this partner has";

/// `whose` is the member that named whose spending it is.
fn problem(error: CapAlertError, whose: &str) -> Problem {
    match error {
        CapAlertError::NoHolder => fields::fault(whose, NOBODY),
        CapAlertError::NotFound => Problem::new(Code::NotFound, "there is no such threshold"),
        CapAlertError::Window => fields::fault("window", &error.to_string()),
        CapAlertError::Percent => fields::fault("percent", PERCENT),
        CapAlertError::Email | CapAlertError::TooManyMails => fields::fault("email", &error.to_string()),
        CapAlertError::TooMany => fields::fault("applies_to", &error.to_string()),
        CapAlertError::MadeBefore(id) => {
            Problem::new(Code::IdempotencyKeyReused, error.to_string()).fact("alert_id", id.to_string().into())
        }
        CapAlertError::Store(error) => store_problem(error),
    }
}

fn view(alert: &CapAlert) -> Value {
    let (applies_to, user, token) = match alert.holder {
        CapHolder::Partner(_) | CapHolder::Account(_) => ("partner", None, None),
        CapHolder::EachEndUser(_) => ("each_end_user", None, None),
        CapHolder::EndUser(id) => ("end_user", Some(id.to_string()), None),
        CapHolder::Token(id) => ("token", None, Some(id.to_string())),
    };
    json!({
        "id": alert.id.to_string(),
        "applies_to": applies_to,
        "user_id": user,
        "token_id": token,
        "window": alert.window.as_str(),
        "percent": alert.percent,
        "email": alert.email,
        "created_at": time_text(alert.created_us),
    })
}

#[cfg(test)]
mod tests;
