//! What a list of calls is narrowed by: all of it stands in the address, in words that people can write.

use engine::{
    code::Code,
    invocation::{CallOutcome, CallState, Surface},
    service::invocations::CallFilter,
};

use super::{LIST, outcome_text};
use crate::{
    console::{Fault, Fields, Visit},
    kit::{Choice, Control, Field, Filters, parse_time},
    text::{t, t_with},
};

/// What the texts of endpoints begin with.
const SURFACE: &str = "invocations-surface-";

/// What is wanted.
pub(super) struct Asked {
    /// As far as it makes sense.
    pub(super) filter: CallFilter,
    /// What makes none: then nothing is looked for.
    pub(super) problems: Vec<String>,
}

/// Reads what the address asks for.
pub(super) async fn read(visit: &Visit, fields: &Fields) -> Result<Asked, Fault> {
    let mut problems = Vec::new();
    let services = visit.services();
    let mut filter = CallFilter::default();
    let named = |name: &str| Some(fields.text(name)).filter(|text| !text.is_empty());
    if let Some(text) = named("account") {
        filter.account = expect(services.find_account_called(text).await?, text, &mut problems);
    }
    if let Some(text) = named("partner") {
        filter.partner = expect(services.find_partner_called(text).await?, text, &mut problems);
    }
    if let Some(text) = named("end_user") {
        let found = services.find_end_user_called(filter.partner, text).await?;
        filter.end_user = expect(found, text, &mut problems);
    }
    if let Some(text) = named("tool") {
        filter.tool = expect(services.find_tool_called(text), text, &mut problems);
    }
    if let Some(text) = named("outcome") {
        filter.outcome = expect(CallOutcome::from_word(text), text, &mut problems);
    }
    if let Some(text) = named("state") {
        filter.state = expect(CallState::from_word(text), text, &mut problems);
    }
    if let Some(text) = named("surface") {
        filter.surface = expect(Surface::from_word(text), text, &mut problems);
    }
    filter.error = named("error").map(str::to_owned);
    for (name, place) in [("from", &mut filter.from_us), ("to", &mut filter.to_us)] {
        if let Some(text) = named(name) {
            *place = parse_time(text);
            if place.is_none() {
                problems.push(t("console-day-unreadable"));
            }
        }
    }
    Ok(Asked { filter, problems })
}

/// Whoever is named and is not there is told: a list of nobody's calls would look like one without calls.
fn expect<T>(found: Option<T>, name: &str, problems: &mut Vec<String>) -> Option<T> {
    if found.is_none() {
        problems.push(t_with("invocations-nobody", &[("name", name.to_owned().into())]));
    }
    found
}

fn choice(value: &str, label: String, chosen: &str) -> Choice {
    Choice { value: value.to_owned(), label, is_chosen: value == chosen }
}

fn select(fields: &Fields, name: &str, label: &str, choices: impl Iterator<Item = (String, String)>) -> Field {
    let chosen = fields.text(name);
    let any = choice("", t("invocations-any"), chosen);
    let choices = choices.map(|(value, label)| choice(&value, label, chosen));
    Field::select(name, t(label), std::iter::once(any).chain(choices).collect())
}

/// The form that narrows the list.
pub(super) fn form(visit: &Visit, fields: &Fields) -> Filters {
    let line = |name: &str, label: &str| Field::line(name, t(label)).value(fields.text(name));
    let moment =
        |name: &str, label: &str| Field::new(name, t(label), Control::Line("datetime-local")).value(fields.text(name));
    let outcomes = CallOutcome::ALL.iter().map(|(outcome, _, word)| ((*word).to_owned(), outcome_text(*outcome)));
    let surfaces = Surface::ALL.iter().map(|(_, word)| ((*word).to_owned(), t(&format!("{SURFACE}{word}"))));
    let codes = Code::ALL.iter().map(|code| (code.as_str().to_owned(), code.as_str().to_owned()));
    let mut all = vec![
        line("account", "invocations-account"),
        line("partner", "invocations-partner"),
        line("end_user", "invocations-end-user"),
        line("tool", "invocations-tool"),
        select(fields, "outcome", "invocations-outcome", outcomes),
        select(fields, "error", "invocations-error", codes),
        select(fields, "surface", "invocations-surface", surfaces),
        moment("from", "invocations-from"),
        moment("to", "invocations-to"),
    ];
    let state = fields.text("state");
    if !state.is_empty() {
        all.push(Field::new("state", "", Control::Hidden).value(state));
    }
    let all_href = if visit.query.is_empty() { String::new() } else { LIST.to_owned() };
    Filters { action: LIST.to_owned(), fields: all, all_href }
}
