//! What a publisher's tools have earned, and what became of their calls.

use actix_web::{HttpRequest, HttpResponse, http::Method, web};
use engine::{
    code::Code,
    id::InvocationId,
    ledger::caps::CapWindow,
    service::publishing::{OwnCall, SalesSummary},
};
use serde_json::{Value, json};

use super::{Asking, Author, insist, missing, problem, view::id};
use crate::{
    http::{
        asked::{Answer, Asked},
        problem::{Fault, Problem},
        routes::{Mount, resource},
    },
    marketplace::{auth::store_problem, invoke::number, time_text},
};

pub(super) fn configure(routes: &mut Mount<'_>) {
    routes
        .service(resource("/publishers/earnings", [(Method::GET, web::to(earnings))]))
        .service(resource("/publishers/sales-summary", [(Method::GET, web::to(sales_summary))]))
        .service(resource("/publishers/invocations", [(Method::GET, web::to(invocations))]))
        .service(resource("/publishers/invocations/{id}/acknowledge", [(Method::PATCH, web::to(acknowledge))]));
}

/// What the publisher has earned.
#[utoipa::path(
    get,
    path = "/publishers/earnings",
    responses(
        (status = OK, description = "In credits: what is to be paid out, what is owed, everything that came in, and the last 30 days"),
        Asking
    )
)]
pub(crate) async fn earnings(asking: Asked<Asking>) -> Answer {
    let (earned, days) = asking.state.services.load_own_earnings(asking.publisher).await.map_err(problem)?;
    let day = |day: &engine::service::journal::EarnedDay| json!({"date": date_text(day.from_us), "earned": number(day.share), "taken_back": number(day.back)});
    Ok(HttpResponse::Ok().json(json!({
        "currency": "credits",
        "to_be_paid_out": number(earned.payable),
        "owed": number(earned.owed),
        "earned_in_all": number(earned.received),
        "days": days.days.iter().map(day).collect::<Vec<Value>>(),
        "days_are_complete_since": days.looked_back_to_us.map(time_text),
    })))
}

/// What the publisher's tools were called and charged in a month, by days and by namespaces.
#[utoipa::path(
    get,
    path = "/publishers/sales-summary",
    params(
        ("period" = Option<String>, Query, description = "`current_month` (default), `last_month` or `month`"),
        ("month" = Option<String>, Query, description = "With `month`: such as `2026-11`")
    ),
    responses(
        (status = OK, description = "The sums; `counted_until` says up to when they are complete"),
        Asking,
        (status = UNPROCESSABLE_ENTITY, description = "No such period")
    )
)]
pub(crate) async fn sales_summary(asking: Asked<Asking>) -> Answer {
    let [period, month] = query_of(&asking.request, ["period", "month"])?;
    let (from_us, to_us) = bounds(period.as_deref(), month.as_deref(), asking.state.services.clock.now_us())?;
    let summary = asking.state.services.load_sales(asking.publisher, from_us, to_us).await.map_err(store_problem)?;
    Ok(HttpResponse::Ok().json(summary_view(&summary, (from_us, to_us))))
}

fn query_fault(name: &str, msg: &str) -> Problem {
    let loc = vec!["query".to_owned(), name.to_owned()];
    Problem::invalid(Code::InvalidRequest, vec![Fault { loc, msg: msg.to_owned() }])
}

/// The parameters of an address by name; others than `names` are refused, and so is one that is given twice.
fn query_of<const N: usize>(request: &HttpRequest, names: [&str; N]) -> Result<[Option<String>; N], Problem> {
    let mut found = [const { None }; N];
    for (name, value) in url::form_urlencoded::parse(request.query_string().as_bytes()) {
        let place = names.iter().zip(&mut found).find(|(known, _)| **known == name);
        let Some((_, place)) = place else { return Err(query_fault("query", "has a parameter that there is not")) };
        if place.replace(value.into_owned()).is_some() {
            return Err(query_fault(&name, "is given more than once"));
        }
    }
    Ok(found)
}

/// From when to when a period is, in microseconds since the Unix epoch.
fn bounds(period: Option<&str>, month: Option<&str>, now_us: i64) -> Result<(i64, i64), Problem> {
    if month.is_some() && period != Some("month") {
        return Err(query_fault("month", "goes with `period=month`"));
    }
    let month_of = |at_us: i64| {
        let (from_us, to_us) = CapWindow::Month.bounds(at_us);
        (from_us, to_us.unwrap_or(i64::MAX))
    };
    match period {
        None | Some("current_month") => Ok(month_of(now_us)),
        Some("last_month") => Ok(month_of(month_of(now_us).0.saturating_sub(1))),
        Some("month") => {
            let wanted = month.and_then(month_us);
            let at_us = wanted.ok_or_else(|| query_fault("month", "must be a month such as `2026-11`"))?;
            Ok(month_of(at_us))
        }
        Some(_) => Err(query_fault("period", "must be `current_month`, `last_month` or `month`")),
    }
}

/// When a month began, in microseconds since the Unix epoch.
fn month_us(text: &str) -> Option<i64> {
    let is_month = text.len() == 7 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let day: jiff::civil::Date = is_month.then(|| format!("{text}-01"))?.parse().ok()?;
    Some(day.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_microsecond())
}

/// The date in UTC.
fn date_text(us: i64) -> String {
    time_text(us).chars().take(10).collect()
}

fn summary_view(summary: &SalesSummary, (from_us, to_us): (i64, i64)) -> Value {
    let days = summary.days.iter().map(|day| {
        json!({
            "date": date_text(day.start_us),
            "calls": day.calls,
            "paid_calls": day.paid_calls,
            "credits_charged": number(day.charged),
        })
    });
    let namespaces = summary.namespaces.iter().map(|of| {
        json!({
            "namespace_id": id(of.id.uuid()),
            "namespace": of.name,
            "calls": of.calls,
            "paid_calls": of.paid_calls,
            "credits_charged": number(of.charged),
        })
    });
    let total = |count: fn(&engine::service::publishing::SalesDay) -> i64| {
        summary.days.iter().fold(0_i64, |sum, day| sum.saturating_add(count(day)))
    };
    let charged = engine::credits::Credits::from_micros(total(|day| day.charged.micros()));
    json!({
        "from": time_text(from_us),
        "to": time_text(to_us),
        "calls": total(|day| day.calls),
        "paid_calls": total(|day| day.paid_calls),
        "credits_charged": number(charged),
        "daily": days.collect::<Vec<Value>>(),
        "namespaces": namespaces.collect::<Vec<Value>>(),
        "counted_until": time_text(summary.counted_until_us),
    })
}

/// The latest hundred calls of the publisher's tools, the newest first. Nobody is told who called.
///
/// `invocations` are found among the newest hundred thousand calls of all tools: where those held fewer than a hundred of the
/// publisher's, `complete_since` is the moment back to which none is missing. `warnings` are the newest hundred calls with a
/// warning that was not acknowledged, however long ago they were.
#[utoipa::path(
    get,
    path = "/publishers/invocations",
    responses(
        (status = OK, description = "The calls, with the warnings about their costs"),
        Asking
    )
)]
pub(crate) async fn invocations(asking: Asked<Asking>) -> Answer {
    let found = asking.state.services.list_own_calls(asking.publisher).await.map_err(store_problem)?;
    let views = |calls: &[OwnCall]| calls.iter().map(call).collect::<Vec<Value>>();
    Ok(HttpResponse::Ok().json(json!({
        "invocations": views(&found.rows),
        "complete_since": found.looked_back_to_us.map(time_text),
        "warnings": views(&found.warnings),
    })))
}

/// Notes that the publisher has seen the warning of a call.
#[utoipa::path(
    patch,
    path = "/publishers/invocations/{id}/acknowledge",
    params(("id" = String, Path)),
    responses(
        (status = OK, description = "The call"),
        Author,
        (status = NOT_FOUND, description = "There is no such call of the publisher's tools"),
        (status = CONFLICT, description = "The call has no warning")
    )
)]
pub(crate) async fn acknowledge(id: web::Path<String>, asking: Asked<Author>) -> Answer {
    let id: InvocationId = id.parse().map_err(|_malformed| missing("call"))?;
    let by = asking.context();
    let seen = insist!(asking.state.services.acknowledge_call(&by, asking.publisher, id))?;
    Ok(HttpResponse::Ok().json(call(&seen)))
}

fn call(of: &OwnCall) -> Value {
    json!({
        "id": of.id.to_string(),
        "tool_id": id(of.tool.0.uuid()),
        "tool": of.tool.1,
        "state": of.state.as_str(),
        "outcome": of.outcome.as_str(),
        "credits_charged": number(of.charged),
        "credits_above_the_hold": number(of.shortfall),
        "warning": of.warning,
        "acknowledged": of.is_acknowledged,
        "error": of.error,
        "created_at": time_text(of.created_us),
        "ended_at": of.ended_us.map(time_text),
    })
}
