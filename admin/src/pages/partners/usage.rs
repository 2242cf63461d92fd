//! What a partner's calls came to, in days or months: altogether, by end user, by tool. Calls are added up some minutes behind
//! them; the page says up to when it is complete.

use actix_web::web::Path;
use engine::{
    credits::Credits,
    id::EndUserId,
    limits::USAGE_ROWS_MAX,
    policy::console::ConsoleAction,
    service::{
        paging::PAGE_ROWS,
        partners::{
            EndUserProfile, PartnerProfile, UsageBy, UsageCursor, UsageLine, UsagePage, UsagePeriod, UsageQuery,
            UsageSubject,
        },
    },
};

use super::{href, load, users, view};
use crate::{
    console::{Answer, Fault, Fields, Problems, Visit, csv_of},
    kit::{
        Bars, Cell, Choice, Column, Control, Empty, Facts, Field, Filters, Link, Measure, Row, Series, Table, Text,
        instant_text, page_href,
    },
    pages::catalog,
    text::{t, t_with},
};

const DAY_US: i64 = 86_400_000_000;
/// How many days are shown if nothing else is asked for, and at most: in days, and in months.
const DAYS: (i64, i64) = (30, 366);
/// See [`DAYS`].
const DAYS_OF_MONTHS: (i64, i64) = (365, 3_660);

/// What is asked for.
struct Asked {
    query: UsageQuery,
    /// The first and the last day.
    days: (i64, i64),
    /// The one end user that it is about.
    user: Option<EndUserProfile>,
    /// What makes no sense: then nothing is looked for.
    problems: Problems,
}

impl Asked {
    async fn read(visit: &Visit, partner: &PartnerProfile, fields: &Fields) -> Result<Self, Fault> {
        let (period, days, mut problems) = range(fields, visit.now_us);
        let user = match fields.text("user") {
            "" => None,
            text => {
                let id = text.parse::<EndUserId>().ok();
                let found = match id {
                    Some(id) => visit.services().find_end_user_of(partner.id, id).await?,
                    None => None,
                };
                if found.is_none() {
                    problems.add("user", t("partners-usage-no-user"));
                }
                found
            }
        };
        let by = match (fields.text("by"), &user) {
            (_, Some(user)) => UsageBy::OneEndUser(user.id),
            ("user", None) => UsageBy::EndUser,
            ("tool", None) => UsageBy::Tool,
            _ => UsageBy::Total,
        };
        let query = UsageQuery { by, period, from_us: days.0, to_us: days.1.saturating_add(DAY_US) };
        Ok(Self { query, days, user, problems })
    }

    /// The same days of all calls together, or of the one end user's.
    fn whole(&self) -> UsageQuery {
        let by = match self.query.by {
            UsageBy::OneEndUser(id) => UsageBy::OneEndUser(id),
            _ => UsageBy::Total,
        };
        UsageQuery { by, ..self.query }
    }
}

/// In days or months, from which day to which one, and what is wrong with that.
fn range(fields: &Fields, now_us: i64) -> (UsagePeriod, (i64, i64), Problems) {
    let mut problems = Problems::default();
    let (period, (usual, most)) = match fields.text("per") {
        "month" => (UsagePeriod::Month, DAYS_OF_MONTHS),
        _ => (UsagePeriod::Day, DAYS),
    };
    let day = |at_us: i64| UsagePeriod::Day.start_us(at_us);
    let last_us = day(problems.day(fields, "to").unwrap_or(now_us));
    let before = |days: i64| last_us.saturating_sub(days.saturating_sub(1).saturating_mul(DAY_US));
    let from_us = problems.day(fields, "from").map_or_else(|| before(usual), day);
    if problems.is_empty() && from_us > last_us {
        problems.add("to", t("partners-usage-order"));
    }
    if problems.is_empty() && from_us < before(most) {
        problems.add("from", t_with("partners-usage-long", &[("days", most.into())]));
    }
    (period, (from_us, last_us), problems)
}

/// The day or the month that a period is.
pub(super) fn period_text(start_us: i64, period: UsagePeriod) -> String {
    let characters = match period {
        UsagePeriod::Day => 10,
        UsagePeriod::Month => 7,
    };
    instant_text(start_us).chars().take(characters).collect()
}

fn own_href(partner: &PartnerProfile) -> String {
    format!("{}/usage", href(partner.id))
}

fn filters(visit: &Visit, partner: &PartnerProfile, fields: &Fields, asked: &Asked) -> Filters {
    let select = |name: &str, label: &str, choices: &[(&str, &str)]| {
        let chosen = fields.text(name);
        let choice = |(value, key): &(&str, &str)| Choice {
            value: (*value).to_owned(),
            label: t(key),
            is_chosen: *value == chosen,
        };
        Field::select(name, t(label), choices.iter().map(choice).collect())
    };
    let day = |name: &str, label: &str, shown_us: i64| {
        let typed = fields.text(name);
        let shown = if typed.is_empty() { period_text(shown_us, UsagePeriod::Day) } else { typed.to_owned() };
        let problem = asked.problems.of(name);
        Field { problem, ..Field::new(name, t(label), Control::Line("date")).value(shown) }
    };
    let by = [("", "partners-usage-total"), ("user", "partners-usage-by-user"), ("tool", "partners-usage-by-tool")];
    let per = [("", "partners-usage-days"), ("month", "partners-usage-months")];
    let user = Field::line("user", t("partners-usage-user")).value(fields.text("user"));
    Filters {
        action: own_href(partner),
        fields: vec![
            day("from", "partners-usage-from", asked.days.0),
            day("to", "partners-usage-to", asked.days.1),
            select("by", "partners-usage-by", &by),
            select("per", "partners-usage-per", &per),
            Field { problem: asked.problems.of("user"), ..user },
        ],
        all_href: if visit.query.is_empty() { String::new() } else { own_href(partner) },
    }
}

/// Where a page of usage begins.
pub(super) fn cursor(fields: &Fields) -> Result<Option<UsageCursor>, Fault> {
    match fields.text("after") {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_unreadable| Fault::Address),
    }
}

/// What lines came to together: calls, charged ones, and what they were charged.
pub(super) fn sum_of(lines: &[UsageLine]) -> (i64, i64, Credits) {
    let add = |(calls, paid, charged): (i64, i64, i64), line: &UsageLine| {
        let charged = charged.saturating_add(line.charged.micros());
        (calls.saturating_add(line.calls), paid.saturating_add(line.paid_calls), charged)
    };
    let (calls, paid, charged) = lines.iter().fold((0, 0, 0), add);
    (calls, paid, Credits::from_micros(charged))
}

/// The same as facts.
pub(super) fn sums(lines: &[UsageLine]) -> Facts {
    let (calls, paid, charged) = sum_of(lines);
    Facts::new()
        .fact(t("partners-usage-calls"), Cell::Number(calls))
        .fact(t("partners-usage-paid"), Cell::Number(paid))
        .fact(t("partners-usage-charged"), Cell::Money(charged))
}

/// Up to when calls have been counted.
pub(super) fn counted_until(page: &UsagePage) -> Text {
    let until = instant_text(page.counted_until_us);
    Text::new(t_with("partners-usage-counted", &[("until", until.into())]))
}

/// What was charged, period by period, with nothing where there was no call; nothing at all if there was none.
fn bars(asked: &Asked, lines: &[UsageLine]) -> Option<Bars> {
    if lines.is_empty() {
        return None;
    }
    let starts_us = asked.query.period.starts_us(asked.query.from_us, asked.query.to_us);
    let charged =
        |start_us: &i64| lines.iter().find(|line| line.start_us == *start_us).map_or(0, |line| line.charged.micros());
    let (title, label) = match &asked.user {
        None => (t("partners-usage-picture"), t("partners-usage-charged")),
        Some(user) => {
            let name = [("name", users::shown_name(user).into())];
            (t_with("partners-usage-picture-of", &name), t("partners-usage-charged"))
        }
    };
    Some(Bars {
        title,
        measure: Measure::Money,
        labels: starts_us.iter().map(|start_us| period_text(*start_us, asked.query.period)).collect(),
        series: vec![Series { label, class: "s1", values: starts_us.iter().map(charged).collect() }],
        ..Bars::default()
    })
}

/// About whom or what a line is.
fn subject(partner: &PartnerProfile, subject: &UsageSubject) -> Cell {
    let user_href = |id: &EndUserId| format!("{}/users/{id}", href(partner.id));
    match subject {
        UsageSubject::All => Cell::None,
        UsageSubject::EndUser(id, Some(name)) => Cell::link(name, user_href(id)),
        UsageSubject::EndUser(id, None) => Cell::id(id, user_href(id)),
        UsageSubject::Tool(id, Some(name)) => Cell::link(name, catalog::tool_href(*id)),
        UsageSubject::Tool(id, None) => Cell::id(id, ""),
        UsageSubject::Unknown => Cell::text(t("partners-usage-unknown")),
    }
}

/// Lines of usage as rows: with the period, with whom or what they are about, and with what they came to.
pub(super) fn rows(
    partner: &PartnerProfile,
    lines: &[UsageLine],
    period: Option<UsagePeriod>,
    has_subject: bool,
) -> Vec<Row> {
    let row = |line: &UsageLine| {
        let mut cells = Vec::new();
        cells.extend(period.map(|period| Cell::text(period_text(line.start_us, period))));
        cells.extend(has_subject.then(|| subject(partner, &line.subject)));
        cells.extend([Cell::Number(line.calls), Cell::Number(line.paid_calls), Cell::Money(line.charged)]);
        Row::new("", cells)
    };
    lines.iter().map(row).collect()
}

/// The columns of what lines came to.
pub(super) fn sum_columns() -> [Column; 3] {
    ["partners-usage-calls", "partners-usage-paid", "partners-usage-charged"].map(|key| Column::right(t(key)))
}

pub(super) async fn show(visit: Visit, id: Path<String>) -> Answer {
    let partner = load(&visit, &id).await?;
    let fields = Fields::parse(&visit.query)?;
    let asked = Asked::read(&visit, &partner, &fields).await?;
    let page = view(&visit, &partner, "/usage").with(filters(&visit, &partner, &fields, &asked));
    if !asked.problems.is_empty() {
        return visit.show_refused(page).await;
    }
    let services = visit.services();
    let whole = services.list_partner_usage(partner.id, asked.whole(), None, USAGE_ROWS_MAX).await?;
    let found = services.list_partner_usage(partner.id, asked.query, cursor(&fields)?, PAGE_ROWS).await?;
    let mut page = page.with(sums(&whole.rows)).with(counted_until(&whole));
    if let Some(bars) = bars(&asked, &whole.rows) {
        page = page.with(bars);
    }
    visit.show(page.with(table(&visit, &partner, &asked, found))).await
}

fn table(visit: &Visit, partner: &PartnerProfile, asked: &Asked, found: UsagePage) -> Table {
    let about = match asked.query.by {
        UsageBy::EndUser => Some("partners-usage-end-user"),
        UsageBy::Tool => Some("partners-usage-tool"),
        UsageBy::Total | UsageBy::OneEndUser(_) => None,
    };
    let path = own_href(partner);
    let export = Link::new(t("partners-export"), page_href(&format!("{path}/export"), &visit.query, "after", ""));
    let columns = std::iter::once(Column::new(t("partners-usage-period")));
    let next = found.next.map_or_else(String::new, |next| page_href(&path, &visit.query, "after", &next.to_string()));
    Table {
        caption: t("partners-usage"),
        columns: columns.chain(about.map(|key| Column::new(t(key)))).chain(sum_columns()).collect(),
        rows: rows(partner, &found.rows, Some(asked.query.period), about.is_some()),
        first: visit.first_href(&path),
        next,
        exports: if visit.may(ConsoleAction::ListsExport) { vec![export] } else { Vec::new() },
        empty: Some(Empty {
            text: t("partners-usage-empty"),
            command: "curl -H 'Authorization: Bearer faro_partner_…' …/partners/usage".to_owned(),
            link: None,
        }),
        ..Table::default()
    }
}

/// The same as a file.
pub(super) async fn export(visit: Visit, id: Path<String>) -> Answer {
    let partner = load(&visit, &id).await?;
    let asked = Asked::read(&visit, &partner, &Fields::parse(&visit.query)?).await?;
    if !asked.problems.is_empty() {
        return Err(Fault::Address);
    }
    let columns = ["period", "about", "name", "calls", "paid_calls", "charged_credits"];
    let (reader, of, query) = (visit.clone(), partner.id.to_string(), asked.query);
    csv_of(&visit, ("partner-usage", &of), &columns, move |after: Option<UsageCursor>| {
        let reader = reader.clone();
        Box::pin(async move {
            let found = reader.services().list_partner_usage(partner.id, query, after, USAGE_ROWS_MAX).await?;
            Ok((found.rows.iter().map(|line| csv_row(line, query.period)).collect(), found.next))
        })
    })
    .await
}

fn csv_row(line: &UsageLine, period: UsagePeriod) -> Vec<String> {
    let (about, name) = match &line.subject {
        UsageSubject::All | UsageSubject::Unknown => (String::new(), None),
        UsageSubject::EndUser(id, name) => (id.to_string(), name.clone()),
        UsageSubject::Tool(id, name) => (id.to_string(), name.clone()),
    };
    vec![
        period_text(line.start_us, period),
        about,
        name.unwrap_or_default(),
        line.calls.to_string(),
        line.paid_calls.to_string(),
        line.charged.to_string(),
    ]
}

#[cfg(test)]
mod tests;
