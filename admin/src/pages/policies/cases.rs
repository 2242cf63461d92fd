//! Cases: calls and how a version must decide them. They are kept in files (`tollgate policy test`); here some are tried.

use actix_web::web::{Path, Payload};
use engine::{
    document::written::to_text,
    invocation::Surface,
    policy::{Decision, PolicyId, console::ConsoleAction},
    service::explain::{Asker, PolicyCase, Question},
};
use serde_json::{Map, Value, json};

use super::{Version, explain::MARKETPLACE, href, load_from, review, version_page};
use crate::{
    console::{Answer, Fault, Fields, Problems, Visit},
    kit::{Block, Cell, Code, Column, Control, Field, Form, Notice, Page, Row, Table, Text, Tone},
    text::{t, t_with},
};

/// Most cases that are tried at once.
const CASES_MAX: usize = 500;

/// An example that teaches.
const EXAMPLE: &str = "[\n  {\n    says: \"research may not fetch\",\n    tool: \"web_fetch\",\n    agent_id: \"research\",\n    \
                       expect: \"deny\",\n  },\n]\n";

fn page(visit: &Visit, version: &Version, typed: &Fields, problems: &Problems, results: Vec<Block>) -> Page {
    let cases = Field::new("cases", t("policies-cases"), Control::Lines { rows: 14, is_code: true });
    let form = Form::new(format!("{}/tests", href(version.info.number)), t("policies-cases-run"))
        .field(cases.hint(t("policies-cases-hint")).required())
        .filled(typed, problems);
    let mut page = version_page(&version.info, "tests").with(Text::new(t("policies-cases-text")));
    page.blocks.extend(results);
    if visit.may(ConsoleAction::PolicyDraft) {
        page = page.with(form);
    }
    page.with(Code { caption: t("policies-cases-example"), text: EXAMPLE.to_owned(), is_copied: true })
}

pub(super) async fn ask(visit: Visit, path: Path<String>) -> Answer {
    let version = load_from(&visit, &path).await?;
    let typed = Fields::parse(&visit.query)?;
    let page = page(&visit, &version, &typed, &Problems::default(), Vec::new());
    visit.show(page).await
}

/// Tries the cases; that changes nothing.
pub(super) async fn run(visit: Visit, path: Path<String>, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let version = load_from(&visit, &path).await?;
    let mut problems = Problems::default();
    let text = problems.required(&fields, "cases");
    let cases = if text.is_empty() { Ok(Vec::new()) } else { PolicyCase::read_all(text) };
    let cases = cases.unwrap_or_else(|found| {
        for problem in found {
            problems.add("cases", problem);
        }
        Vec::new()
    });
    if cases.len() > CASES_MAX {
        let count = i64::try_from(CASES_MAX).unwrap_or(i64::MAX);
        problems.add("cases", t_with("policies-cases-many", &[("count", count.into())]));
    }
    if !problems.is_empty() {
        return visit.show_refused(page(&visit, &version, &fields, &problems, Vec::new())).await;
    }
    let results = results(&visit, &version, &cases).await?;
    visit.show(page(&visit, &version, &fields, &problems, results)).await
}

async fn results(visit: &Visit, version: &Version, cases: &[PolicyCase]) -> Result<Vec<Block>, Fault> {
    let usually_owner = visit.console().door.gateway().callers_are_owners;
    let Some(tried) = visit.services().try_policy_cases(&version.written, cases, usually_owner).await? else {
        return Ok(review::of(visit, &version.text, &version.written).await?.blocks);
    };
    let failed = tried.iter().flatten().count();
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX).into();
    let values = [("tried", count(tried.len())), ("failed", count(failed))];
    let tone = if failed == 0 { Tone::Good } else { Tone::Bad };
    let row = |(number, (case, wrong)): (usize, (&PolicyCase, &Option<String>))| {
        let says =
            case.says.clone().unwrap_or_else(|| t_with("policies-case", &[("number", number.to_string().into())]));
        let verdict = match wrong {
            None => Cell::state(t("policies-case-right"), Tone::Good),
            Some(_) => Cell::state(t("policies-case-wrong"), Tone::Bad),
        };
        let mut row =
            Row::new("", vec![Cell::text(says), Cell::Mono(case.tool.clone()), verdict, Cell::maybe(wrong.as_deref())]);
        row.tone = if wrong.is_some() { Tone::Bad } else { Tone::Plain };
        row
    };
    let columns = ["policies-cases", "policies-tool", "policies-verdict", "policies-check-what"];
    let table = Table {
        caption: t("policies-cases"),
        columns: columns.map(|key| Column::new(t(key))).into(),
        rows: (1_usize..).zip(cases.iter().zip(&tried)).map(row).collect(),
        ..Table::default()
    };
    Ok(vec![Notice::new(tone, t_with("policies-cases-tried", &values)).into(), table.into()])
}

/// A question with its decision as a case, ready to be kept in a file.
pub(super) fn text_of(question: &Question, decision: &Decision) -> String {
    let mut case = Map::new();
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            case.insert(key.to_owned(), value);
        }
    };
    let text = |text: &Option<String>| text.as_deref().map(Value::from);
    let is_marketplace = question.surface == Surface::Marketplace;
    put("surface", is_marketplace.then(|| MARKETPLACE.into()));
    put("tool", Some(question.tool.as_str().into()));
    put("session_key", text(&question.session_key));
    put("agent_id", text(&question.agent_id));
    put("channel", text(&question.hints.channel));
    put("account_id", text(&question.hints.account));
    put("is_owner", (!is_marketplace).then(|| question.is_owner.into()));
    put(
        "caller",
        match &question.caller {
            Asker::Payer => None,
            Asker::Account(email) => Some(json!({"account": email})),
            Asker::Token { token, end_user: None } => Some(json!({"token": token})),
            Asker::Token { token, end_user } => Some(json!({"token": token, "end_user": end_user})),
        },
    );
    put("at", jiff::Timestamp::from_microsecond(question.at_us).ok().map(|at| at.to_string().into()));
    put("expect", Some(if decision.allowed { "allow" } else { "deny" }.into()));
    let by: Vec<&str> = decision.determining.iter().map(PolicyId::as_str).collect();
    put("by", (!by.is_empty()).then(|| by.into()));
    to_text(&Value::Object(case))
}

#[cfg(test)]
mod tests;
