//! What a partner's calls came to: by day, month, end user and tool, and as a statement of a month. Counted some minutes behind
//! the calls; every answer says up to when it is complete.

use actix_web::{HttpResponse, web};
use engine::{
    limits::USAGE_ROWS_MAX,
    service::partners::{UsageBy, UsageCursor, UsageLine, UsagePeriod, UsageQuery, UsageSubject},
};
use serde_json::{Map, Value, json};

use super::{Asking, query_of, query_problem, users};
use crate::{
    cli::dates::{self, DateRange},
    http::{
        asked::{Answer, Asked},
        problem::Problem,
    },
    marketplace::{auth::store_problem, invoke::number, refusal::time_text},
};

/// How many lines a page has, if nothing else is asked for.
const ROWS: u64 = 100;

/// What the partner's calls came to. `next` is given as `after` to go on, with the same parameters, and is null at the end.
/// Amounts are what calls were charged when they ended: what went back later is in `GET /credits/transactions`.
#[utoipa::path(
    get,
    path = "/partners/usage",
    params(
        ("from" = Option<String>, Query, description = "From the day or month on that this date or time is in; else the present month"),
        ("to" = Option<String>, Query, description = "Only days or months that begin before this date or time"),
        ("group_by" = Option<String>, Query, description = "`day` (else), `month`: all calls together; `user`, `tool`: each"),
        ("per" = Option<String>, Query, description = "With `user` and `tool`: `day` (else) or `month`"),
        ("user" = Option<String>, Query, description = "With `group_by=user`: this end user alone, over at most 400 periods"),
        ("limit" = Option<i64>, Query, description = "How many lines at most: 1 to 500, else 100"),
        ("after" = Option<String>, Query, description = "`next` of the page before")
    ),
    responses(
        (status = OK, description = "The lines, the earliest first, in credits"),
        Asking,
        (status = NOT_FOUND, description = "The partner has no such end user"),
        (status = UNPROCESSABLE_ENTITY, description = "There is no such parameter, time or place")
    )
)]
pub(crate) async fn show_usage(asking: Asked<Asking>) -> Answer {
    let parameters = query_of(&asking.request, ["from", "to", "group_by", "per", "user", "limit", "after"])?;
    let now_us = asking.state.services.clock.now_us();
    let wanted = read(&parameters, now_us).map_err(|(name, msg)| query_problem(name, msg))?;
    let mut query = wanted.query;
    if let Some(name) = &wanted.user {
        let user = asking.state.services.find_own_end_user(asking.partner.id, name).await.map_err(store_problem)?;
        query.by = UsageBy::OneEndUser(user.ok_or_else(users::missing)?.id);
    }
    let page = asking.state.services.list_partner_usage(asking.partner.id, query, wanted.after, wanted.count).await;
    let page = page.map_err(store_problem)?;
    let rows: Vec<Value> = page.rows.iter().map(|line| view(line, query.period)).collect();
    Ok(HttpResponse::Ok().json(json!({
        "usage": rows,
        "next": page.next.map(|next| next.to_string()),
        "counted_until": time_text(page.counted_until_us),
    })))
}

/// The months of which there are statements, the latest first.
#[utoipa::path(
    get,
    path = "/partners/statements",
    responses(
        (status = OK, description = "The months with what their calls came to, in credits"),
        Asking
    )
)]
pub(crate) async fn list_statements(asking: Asked<Asking>) -> Answer {
    let page = asking.state.services.list_partner_months(asking.partner.id).await.map_err(store_problem)?;
    let months: Vec<Value> = page.rows.iter().map(|line| view(line, UsagePeriod::Month)).collect();
    Ok(HttpResponse::Ok().json(json!({
        "statements": months,
        "counted_until": time_text(page.counted_until_us),
    })))
}

/// The statement of a month: what all calls came to, and then every end user's, page by page. `is_complete` once no call of the
/// month is missing any more.
#[utoipa::path(
    get,
    path = "/partners/statements/{period}",
    params(
        ("period" = String, Path, description = "A month, such as `2026-11`"),
        ("limit" = Option<i64>, Query, description = "How many end users at most: 1 to 500, else 100"),
        ("after" = Option<String>, Query, description = "`next` of the page before")
    ),
    responses(
        (status = OK, description = "The statement, in credits"),
        Asking,
        (status = NOT_FOUND, description = "This is no month"),
        (status = UNPROCESSABLE_ENTITY, description = "There is no such parameter or place")
    )
)]
pub(crate) async fn show_statement(period: web::Path<String>, asking: Asked<Asking>) -> Answer {
    let missing = || Problem::new(engine::code::Code::NotFound, "there is no such month: write it as `2026-11`");
    let range = DateRange::month("period", &period).map_err(|_no_month| missing())?;
    let (Some(from_us), Some(to_us)) = (range.from_us, range.until_us) else { return Err(missing()) };
    let [limit, after] = query_of(&asking.request, ["limit", "after"])?;
    let count = read_count(limit.as_deref()).map_err(|(name, msg)| query_problem(name, msg))?;
    let after = read_after(after.as_deref()).map_err(|(name, msg)| query_problem(name, msg))?;
    let of = |by: UsageBy| UsageQuery { by, period: UsagePeriod::Month, from_us, to_us };
    let total = list(&asking, of(UsageBy::Total), None, 1).await?;
    let users = list(&asking, of(UsageBy::EndUser), after, count).await?;
    let total = total.rows.first().map_or_else(|| json!({"calls": 0, "paid_calls": 0, "credits_charged": 0}), sums);
    Ok(HttpResponse::Ok().json(json!({
        "period": *period,
        "from": time_text(from_us),
        "to": time_text(to_us),
        "is_complete": users.counted_until_us >= to_us,
        "total": total,
        "users": users.rows.iter().map(|line| view(line, UsagePeriod::Month)).collect::<Vec<_>>(),
        "next": users.next.map(|next| next.to_string()),
        "counted_until": time_text(users.counted_until_us),
    })))
}

async fn list(
    asking: &Asked<Asking>,
    query: UsageQuery,
    after: Option<UsageCursor>,
    count: u64,
) -> Result<engine::service::partners::UsagePage, Problem> {
    asking.state.services.list_partner_usage(asking.partner.id, query, after, count).await.map_err(store_problem)
}

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    query: UsageQuery,
    user: Option<String>,
    after: Option<UsageCursor>,
    count: u64,
}

/// What is wrong with which parameter.
type Fault = (&'static str, String);

/// Reads the parameters; else which one is wrong, and why.
fn read([from, to, group_by, per, user, limit, after]: &[Option<String>; 7], now_us: i64) -> Result<Wanted, Fault> {
    let time = |name: &'static str, text: Option<&str>| {
        text.map(|text| dates::parse(name, text)).transpose().map_err(|error| (name, error.to_string()))
    };
    let from_us = time("from", from.as_deref())?.unwrap_or_else(|| UsagePeriod::Month.start_us(now_us));
    // What comes in at this very moment belongs to it, too.
    let to_us = time("to", to.as_deref())?.unwrap_or_else(|| now_us.saturating_add(1));
    if to_us <= from_us {
        return Err(("to", "must be after `from`".to_owned()));
    }
    let (by, is_of_months) = match group_by.as_deref() {
        None | Some("day") => (UsageBy::Total, false),
        Some("month") => (UsageBy::Total, true),
        Some("user") => (UsageBy::EndUser, false),
        Some("tool") => (UsageBy::Tool, false),
        Some(_) => return Err(("group_by", "must be one of `day`, `month`, `user`, `tool`".to_owned())),
    };
    let period = match (per.as_deref(), by) {
        (None, _) if is_of_months => UsagePeriod::Month,
        (Some(_), UsageBy::Total) => return Err(("per", "goes with `group_by=user` and `group_by=tool`".to_owned())),
        (None | Some("day"), _) => UsagePeriod::Day,
        (Some("month"), _) => UsagePeriod::Month,
        (Some(_), _) => return Err(("per", "must be `day` or `month`".to_owned())),
    };
    if user.is_some() && by != UsageBy::EndUser {
        return Err(("user", "goes with `group_by=user`".to_owned()));
    }
    let (count, after) = (read_count(limit.as_deref())?, read_after(after.as_deref())?);
    Ok(Wanted { query: UsageQuery { by, period, from_us, to_us }, user: user.clone(), after, count })
}

fn read_count(text: Option<&str>) -> Result<u64, Fault> {
    let Some(text) = text else { return Ok(ROWS) };
    let count = text.parse().ok().filter(|count| (1..=USAGE_ROWS_MAX).contains(count));
    count.ok_or_else(|| ("limit", format!("must be a number from 1 to {USAGE_ROWS_MAX}")))
}

fn read_after(text: Option<&str>) -> Result<Option<UsageCursor>, Fault> {
    let after = text.map(str::parse::<UsageCursor>).transpose();
    after.map_err(|error| ("after", error.to_string()))
}

fn sums(line: &UsageLine) -> Value {
    json!({"calls": line.calls, "paid_calls": line.paid_calls, "credits_charged": number(line.charged)})
}

/// A line: its period as `2026-11-30` or `2026-11`, about whom or what it is, and the sums.
fn view(line: &UsageLine, period: UsagePeriod) -> Value {
    let characters = match period {
        UsagePeriod::Day => 10,
        UsagePeriod::Month => 7,
    };
    let start: String = time_text(line.start_us).chars().take(characters).collect();
    let mut shown = Map::from_iter([("period".to_owned(), start.into())]);
    let about = match &line.subject {
        UsageSubject::All => json!({}),
        UsageSubject::EndUser(id, name) => json!({"user_id": id.to_string(), "external_id": name}),
        UsageSubject::Tool(id, name) => json!({"tool_id": id.to_string(), "tool": name}),
        UsageSubject::Unknown => json!({"user_id": null, "tool_id": null}),
    };
    for part in [about, sums(line)] {
        if let Value::Object(members) = part {
            shown.extend(members);
        }
    }
    Value::Object(shown)
}

#[cfg(test)]
mod tests;
