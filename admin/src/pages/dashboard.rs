//! What an operator sees first: what needs somebody, what today has brought, and how that compares with a week ago.

use engine::{
    credits::Credits,
    invocation::CallOutcome,
    policy::console::ConsoleAction,
    service::{
        counts::Calls,
        dashboard::{AtLeast, CapInUse, CapSubject, Dashboard},
    },
};

use super::{accounts, invocations, places};
use crate::{
    console::{Access, Answer, Route, Visit, get},
    kit::{
        Bars, Cell, Column, Heading, Measure, Notice, Page, Row, Series, Stat, Stats, Table, Text, Tone, Trend,
        grouped, instant_text,
    },
    text::{t, t_with},
};

mod needs;

/// Calls that are counted later than this (in microseconds) are said to be behind.
const BEHIND_US: i64 = 60_000_000;

/// What the texts of windows of caps begin with.
const WINDOW: &str = "dashboard-window-";

pub(super) fn routes() -> Vec<Route> {
    vec![get("/", Access::Needs(ConsoleAction::DashboardRead), show)]
}

async fn show(visit: Visit) -> Answer {
    let operator = visit.signed_in()?.operator.id;
    let found = visit.services().load_dashboard(operator).await?;
    let mut page = Page::new(t("dashboard-title")).with(Heading::new(t("dashboard-needs")));
    page = match needs::table(&visit, &found) {
        Some(table) => page.with(table),
        None => page.with(Notice::new(Tone::Good, t("dashboard-nothing-needed"))),
    };
    page = page.with(Heading::new(t("dashboard-today")));
    if found.now_us.saturating_sub(found.calls_until_us) > BEHIND_US {
        let until = [("until", instant_text(found.calls_until_us).into())];
        page = page.with(Notice::new(Tone::Plain, t_with("dashboard-behind", &until)));
    }
    page = page
        .with(Stats { stats: calls(&found) })
        .with(Stats { stats: takings(&found) })
        .with(bars(&found))
        .with(Heading::new(t("dashboard-now")))
        .with(Stats { stats: standing(&found) });
    if !found.near_caps.is_empty() {
        page = page.with(Heading::new(t("dashboard-caps"))).with(caps(&found));
    }
    visit.show(page.with(Text::new(t("dashboard-source")))).await
}

/// The minute of a moment: `14:20`.
fn minute(at_us: i64) -> String {
    instant_text(at_us).chars().skip(11).take(5).collect()
}

/// The day of a moment as an address has it.
fn day(at_us: i64) -> String {
    instant_text(at_us).chars().take(10).collect()
}

/// A number, or that it is at least that.
pub(super) fn at_least(number: AtLeast) -> Cell {
    if number.is_more {
        return Cell::text(format!("{}+", grouped(&number.count.to_string())));
    }
    Cell::Number(number.count)
}

fn stat(key: &str, value: Cell, note: String, href: String) -> Stat {
    Stat { label: t(key), value, note, href, tone: Tone::Plain }
}

/// What it was a week ago.
fn before(found: &Dashboard, written: &str) -> String {
    let values = [("before", written.to_owned().into()), ("until", minute(found.before_until_us).into())];
    t_with("dashboard-before", &values)
}

/// How many calls there were, by what came of them.
fn calls(found: &Dashboard) -> Vec<Stat> {
    let from = format!("/invocations?from={}", day(found.day_us));
    let total = |calls: &Calls| grouped(&calls.total().to_string());
    let all = Cell::Number(found.calls.total());
    let mut stats = vec![stat("dashboard-calls", all, before(found, &total(&found.calls_before)), places::href(&from))];
    for outcome in [
        CallOutcome::Charged,
        CallOutcome::Free,
        CallOutcome::Denied,
        CallOutcome::Refused,
        CallOutcome::Failed,
        CallOutcome::Invalid,
        CallOutcome::Unknown,
    ] {
        let (now, then) = (found.calls.of(outcome), found.calls_before.of(outcome));
        let note = before(found, &grouped(&then.to_string()));
        let href = places::href(&format!("{from}&outcome={}", outcome.as_str()));
        let tone = match outcome {
            CallOutcome::Failed | CallOutcome::Unknown if now > 0 => Tone::Warn,
            _ => Tone::Plain,
        };
        let label = invocations::outcome_text(outcome);
        stats.push(Stat { label, value: Cell::Number(now), note, href, tone });
    }
    stats
}

/// What they came to.
fn takings(found: &Dashboard) -> Vec<Stat> {
    let (now, then) = (&found.takings, &found.takings_before);
    let from = day(found.day_us);
    [
        ("dashboard-charged", now.charged, then.charged, format!("/invocations?outcome=charged&from={from}")),
        ("dashboard-publishers", now.publishers, then.publishers, "/publishers".to_owned()),
        ("dashboard-partners", now.partners, then.partners, "/partners".to_owned()),
        ("dashboard-platform", now.platform, then.platform, "/ledger".to_owned()),
        ("dashboard-refunded", now.refunded, then.refunded, "/refunds".to_owned()),
    ]
    .into_iter()
    .map(|(key, now, then, path)| {
        let money = |micros: i64| Credits::from_micros(micros);
        let note = before(found, &grouped(&money(then).to_string()));
        stat(key, Cell::Money(money(now)), note, places::href(&path))
    })
    .collect()
}

/// The last twenty-four hours, by what came of calls.
fn bars(found: &Dashboard) -> Bars {
    let shown = [
        (CallOutcome::Charged, "s2"),
        (CallOutcome::Free, "s1"),
        (CallOutcome::Refused, "s3"),
        (CallOutcome::Failed, "s4"),
        (CallOutcome::Denied, "s5"),
    ];
    let values = |outcome: CallOutcome| found.hours.iter().map(|(_, calls)| calls.of(outcome)).collect();
    let mut series: Vec<Series> = shown
        .into_iter()
        .map(|(outcome, class)| Series { label: invocations::outcome_text(outcome), class, values: values(outcome) })
        .collect();
    // The rest in one colour: there are no more that can be told apart.
    let rest = found.hours.iter().map(|(_, calls)| {
        let shown = shown.iter().map(|(outcome, _)| calls.of(*outcome)).fold(0, i64::saturating_add);
        calls.total().saturating_sub(shown)
    });
    series.push(Series { label: t("dashboard-others"), class: "s6", values: rest.collect() });
    // No calls of their own: what went back is of earlier ones.
    series.push(Series { label: t("dashboard-refunds-ordered"), class: "s7", values: found.hours_refunds.clone() });
    let labels = found.hours.iter().map(|(from_us, _)| minute(*from_us)).collect();
    let kept = Trend { label: t("dashboard-kept"), own: Some(Measure::Money), values: found.hours_kept.clone() };
    Bars { title: t("dashboard-hours"), labels, series, line: Some(kept), ..Bars::default() }
}

/// How things stand.
fn standing(found: &Dashboard) -> Vec<Stat> {
    let held = t_with("dashboard-held", &[("credits", grouped(&found.held.to_string()).into())]);
    let holds = places::href("/invocations?outcome=open");
    let oldest = found.mail.oldest_us.map(|at_us| t_with("dashboard-since", &[("since", instant_text(at_us).into())]));
    let waiting = found.waiting.iter().map(|waiting| waiting.count).fold(0, i64::saturating_add);
    let refunds = found.waiting.iter().filter(|waiting| waiting.kind == ConsoleAction::RefundCreate.as_str());
    let refunds = refunds.map(|waiting| waiting.count).fold(0, i64::saturating_add);
    let near =
        AtLeast { count: i64::try_from(found.near_caps.len()).unwrap_or(i64::MAX), is_more: found.has_more_near_caps };
    let approvals = |kind: &str| places::href(&format!("/approvals?view=all&state=waiting{kind}"));
    vec![
        stat("dashboard-open-holds", at_least(found.open_holds), held, holds),
        stat("dashboard-approvals", Cell::Number(waiting), String::new(), approvals("")),
        stat("dashboard-refunds", Cell::Number(refunds), String::new(), approvals("&kind=refund.create")),
        stat("dashboard-caps", at_least(near), t("dashboard-caps-note"), String::new()),
        checkpoint(found),
        stat("dashboard-mail", at_least(found.mail.queued), oldest.unwrap_or_default(), places::href("/mail")),
        webhooks(found),
    ]
}

/// What is on its way to partners' webhooks.
fn webhooks(found: &Dashboard) -> Stat {
    let oldest = found.webhooks.oldest_us;
    let oldest = oldest.map(|at_us| t_with("dashboard-since", &[("since", instant_text(at_us).into())]));
    let waiting = places::href("/partners/deliveries?state=queued");
    stat("dashboard-webhooks", at_least(found.webhooks.queued), oldest.unwrap_or_default(), waiting)
}

/// How far the proof of the books reaches.
fn checkpoint(found: &Dashboard) -> Stat {
    let href = places::href("/ledger");
    match &found.checkpoint {
        None => stat("dashboard-checkpoint", Cell::None, t("dashboard-no-checkpoint"), href),
        Some(last) => {
            let since =
                t_with("dashboard-batches-since", &[("count", grouped(&last.batches_since.to_string()).into())]);
            stat("dashboard-checkpoint", Cell::Time(last.made_us), since, href)
        }
    }
}

fn caps(found: &Dashboard) -> Table {
    let rows = found.near_caps.iter().map(|cap| {
        let tone = if cap.percent() >= 100 { Tone::Bad } else { Tone::Warn };
        let used = Cell::state(t_with("dashboard-percent", &[("percent", cap.percent().into())]), tone);
        let window = cap.window.map(|window| t(&format!("{WINDOW}{}", window.as_str())));
        let cells = vec![subject(cap), Cell::maybe(window), Cell::Money(cap.used), Cell::Money(cap.limit), used];
        Row::new("", cells)
    });
    Table {
        caption: t("dashboard-caps"),
        columns: vec![
            Column::new(t("dashboard-cap-of")),
            Column::new(t("dashboard-cap-window")),
            Column::right(t("dashboard-cap-used")),
            Column::right(t("dashboard-cap-limit")),
            Column::new(t("dashboard-cap-percent")),
        ],
        rows: rows.collect(),
        count: if found.has_more_near_caps { t("dashboard-more") } else { String::new() },
        ..Table::default()
    }
}

/// Whom a cap limits.
fn subject(cap: &CapInUse) -> Cell {
    match &cap.subject {
        None => Cell::id(cap.id, ""),
        Some(CapSubject::Account(id, email)) => Cell::link(email, accounts::href(*id)),
        Some(CapSubject::Token(id, name)) => {
            let name = t_with("dashboard-cap-token", &[("name", name.clone().into())]);
            places::link(name, &format!("/audit?object={id}"))
        }
        Some(CapSubject::Partner(id, name)) => places::link(name, &format!("/partners/{id}")),
        Some(CapSubject::EndUser(id, name)) => places::link(name, &format!("/invocations?end_user={id}")),
    }
}

#[cfg(test)]
mod tests;
