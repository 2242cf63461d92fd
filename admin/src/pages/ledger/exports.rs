//! Exports: the reports that auditors and the command line get, for an operator. The audit trail tells of each.

use actix_web::web::Payload;
use engine::{
    ledger::{
        export::request::{Format, Only, Report, Request, RequestError},
        periods::end_of_month,
    },
    policy::console::ConsoleAction,
};

use super::BOOKS;
use crate::{
    console::{Answer, Fields, NoExport, Problems, Visit},
    kit::{Choice, Control, Field, Form, Page, Text, parse_time},
    text::{said::Said as _, t, t_with},
};

/// The page, below [`BOOKS`].
const PATH: &str = "/exports";
/// What the keys of the reports begin with.
const REPORT: &str = "ledger-report-";
/// What the keys of the formats begin with.
const FORMAT: &str = "ledger-format-";

/// The reports that the operator may have.
fn reports(visit: &Visit) -> impl Iterator<Item = Report> {
    let has_trail = visit.may(ConsoleAction::AuditExport);
    Report::all().filter(move |report| has_trail || *report != Report::AuditTrail)
}

fn choices<T>(all: impl Iterator<Item = T>, word: impl Fn(&T) -> &'static str, prefix: &str) -> Vec<Choice> {
    let choice = |one: T| {
        let value = word(&one);
        Choice { value: value.to_owned(), label: t(&[prefix, value].concat()), is_chosen: false }
    };
    all.map(choice).collect()
}

fn page(visit: &Visit, typed: &Fields, problems: &Problems) -> Page {
    let form = Form::new(format!("{BOOKS}{PATH}"), t("ledger-export-submit"))
        .field(Field::select("report", t("ledger-report"), choices(reports(visit), |report| report.as_str(), REPORT)))
        .field(Field::select("format", t("ledger-format"), choices(Format::all(), |format| format.as_str(), FORMAT)))
        .field(Field::line("month", t("ledger-export-month")).hint(t("ledger-export-month-hint")))
        .field(
            Field::new("from", t("ledger-export-from"), Control::Line("datetime-local"))
                .hint(t("ledger-export-from-hint")),
        )
        .field(
            Field::new("to", t("ledger-export-to"), Control::Line("datetime-local")).hint(t("ledger-export-to-hint")),
        )
        .field(Field::line("account", t("ledger-export-account")).hint(t("ledger-export-account-hint")))
        .field(Field::line("publisher", t("ledger-export-publisher")).hint(t("ledger-export-publisher-hint")))
        .field(Field::line("partner", t("ledger-export-partner")).hint(t("ledger-export-partner-hint")))
        .field(Field::new("full", t("ledger-export-full"), Control::Tick(false)))
        .step_up(visit, ConsoleAction::LedgerExport)
        .filled(typed, problems);
    super::view(visit, PATH).with(Text::new(t("ledger-exports-text"))).with(form)
}

/// The form; what to export can stand in its address.
pub(super) async fn ask(visit: Visit) -> Answer {
    let typed = Fields::parse(&visit.query)?;
    visit.show(page(&visit, &typed, &Problems::default())).await
}

/// The range that is asked for: a month in UTC, or from and to, in microseconds since the Unix epoch.
fn range(fields: &Fields, problems: &mut Problems) -> (Option<i64>, Option<i64>) {
    let (from, to) = (problems.day(fields, "from"), problems.day(fields, "to"));
    let month = fields.text("month");
    if month.is_empty() {
        return (from, to);
    }
    if from.is_some() || to.is_some() {
        problems.add("month", t("ledger-export-month-alone"));
        return (None, None);
    }
    let start = Some(month).filter(|month| month.len() == 7).and_then(|month| parse_time(&format!("{month}-01")));
    if let Some((start, end)) = start.and_then(|start| Some((start, end_of_month(start)?))) {
        (Some(start), Some(end))
    } else {
        problems.add("month", t("ledger-export-month-unreadable"));
        (None, None)
    }
}

/// Whose part of the books is asked for.
fn only(fields: &Fields, problems: &mut Problems) -> Only {
    let named = ["account", "publisher", "partner"].map(|name| (name, fields.text(name)));
    let mut given = named.into_iter().filter(|(_, text)| !text.is_empty());
    let Some((name, text)) = given.next() else { return Only::Everything };
    if let Some((second, _)) = given.next() {
        problems.add(second, t("ledger-export-one"));
    }
    match name {
        "publisher" => Only::Publisher(text.to_owned()),
        "partner" => Only::Partner(text.to_owned()),
        _ => Only::Account(text.to_owned()),
    }
}

/// Says which field a request is wrong in.
fn refuse(error: &RequestError, problems: &mut Problems) {
    let field = match error {
        RequestError::NotAJournal { .. } => "format",
        RequestError::AlwaysFull { .. } => "full",
        RequestError::Missing { what, .. } | RequestError::NotLimited { what, .. } => *what,
        RequestError::EndsBeforeItBegins { .. } => "to",
    };
    let text = match error {
        RequestError::EndsBeforeItBegins { .. } => t("ledger-export-backwards"),
        error => error.said(),
    };
    problems.add(field, text);
}

/// What is asked for, if it makes sense.
fn read(fields: &Fields, problems: &mut Problems) -> Option<Request> {
    let report = Report::parse(fields.text("report"));
    let format = Format::parse(fields.text("format"));
    if report.is_none() {
        problems.add("report", t("console-required"));
    }
    if format.is_none() {
        problems.add("format", t("console-required"));
    }
    let (from_us, to_us) = range(fields, problems);
    let only = only(fields, problems);
    let wanted = Request { report: report?, format: format?, from_us, to_us, only, is_full: fields.is_on("full") };
    if let Err(error) = wanted.check() {
        refuse(&error, problems);
    }
    problems.is_empty().then_some(wanted)
}

/// Streams the report.
pub(super) async fn export(mut visit: Visit, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let mut problems = Problems::default();
    let wanted = read(&fields, &mut problems);
    let trail = wanted.as_ref().is_some_and(|wanted| wanted.report == Report::AuditTrail);
    let action = if trail { ConsoleAction::AuditExport } else { ConsoleAction::LedgerExport };
    visit.permit(action, None, &fields, &mut problems).await?;
    if let Some(wanted) = wanted.filter(|_| problems.is_empty()) {
        match visit.console().door.export(wanted, visit.context()?).await {
            Ok(response) => return Ok(response),
            Err(NoExport::Store(error)) => return Err(error.into()),
            Err(NoExport::Full) => problems.add("", t("ledger-exports-full")),
            Err(NoExport::Refused { what, why }) => {
                let values = [("why", why.into())];
                problems.add(what, t_with("ledger-export-refused", &values));
            }
        }
    }
    visit.show_refused(page(&visit, &fields, &problems)).await
}

#[cfg(test)]
mod tests;
