//! How a call would be decided, and why: every step in its order, with the key and the entry behind it.

use engine::{
    gateway::context::Hints,
    id::{AccountId, InvocationId},
    invocation::Surface,
    policy::{
        Explanation, PolicyId,
        chain::{StepExplanation, Verdict},
    },
    service::explain::{Asker, ExplainedBy, NotExplained, Question},
};

use super::{LIST, cases, compiled, href, load, name, number_field};
use crate::{
    console::{Answer, Fault, Fields, Problems, Visit},
    kit::{
        Ask, Block, Cell, Choice, Code, Column, Control, Facts, Field, Heading, Notice, Page, Row, Table, Text, Tone,
        instant_text, parse_time,
    },
    text::{said::Said, t, t_with},
};

/// The word of the marketplace in addresses and cases; anything else is the gateway.
pub(super) const MARKETPLACE: &str = "marketplace";

pub(super) async fn show(visit: Visit) -> Answer {
    let fields = Fields::parse(&visit.query)?;
    let mut problems = Problems::default();
    let mut blocks: Vec<Block> = Vec::new();
    let mut question = None;
    if !fields.text("invocation").is_empty() {
        question = recorded(&visit, &fields, &mut problems, &mut blocks).await?;
    }
    if question.is_none() && !fields.text("tool").is_empty() {
        question = typed(&visit, &fields, &mut problems).await?;
    }
    let version = number_field(&fields, "version");
    if let Some(question) = question.as_ref().filter(|_| problems.is_empty()) {
        match visit.services().explain_by(version, question).await {
            // What is said now stands before what was recorded.
            Ok(explained) => {
                let mut said = answer(&visit, question, &explained).await?;
                said.append(&mut blocks);
                blocks = said;
            }
            Err(NotExplained::Store(error)) => return Err(error.into()),
            Err(error) => problems.add(field_of(&error), error.said()),
        }
    }
    let mut page =
        Page::new(t("policies-explain")).under(t("policies-title"), LIST).with(Text::new(t("policies-explain-text")));
    for (_, problem) in problems.all() {
        page = page.with(Notice::new(Tone::Bad, problem));
    }
    page.blocks.extend(blocks);
    let form = form(&visit, &fields, question.as_ref(), &problems);
    visit.show(page.with(Heading::new(t("policies-explain-ask"))).with(form)).await
}

/// The field that a refusal is about.
const fn field_of(error: &NotExplained) -> &'static str {
    match error {
        NotExplained::NoTool(_) => "tool",
        NotExplained::NoPrice => "at",
        NotExplained::NoAccount(_) | NotExplained::BadToken(_) | NotExplained::NoToken(_) => "caller",
        NotExplained::NoEndUser | NotExplained::NotForEndUsers => "end_user",
        NotExplained::Session(_) => "session_key",
        NotExplained::NoVersion(_) | NotExplained::Broken(_) => "version",
        NotExplained::Unprepared | NotExplained::Store(_) => "",
    }
}

/// What a recorded call asked, and what was recorded of its denial.
async fn recorded(
    visit: &Visit,
    fields: &Fields,
    problems: &mut Problems,
    blocks: &mut Vec<Block>,
) -> Result<Option<Question>, Fault> {
    let Ok(call) = fields.text("invocation").parse::<InvocationId>() else {
        problems.add("invocation", t("policies-explain-no-call"));
        return Ok(None);
    };
    let question = visit.services().find_recorded_question(call).await?;
    if question.is_none() {
        problems.add("invocation", t("policies-explain-no-call"));
    }
    if let Some(text) = visit.services().find_recorded_explanation(call).await? {
        let value: Option<serde_json::Value> = serde_json::from_str(&text).ok();
        let pretty = value.and_then(|value| serde_json::to_string_pretty(&value).ok());
        blocks.push(Heading::new(t("policies-explain-recorded")).into());
        let caption = t("policies-explain-recorded-text");
        blocks.push(Code { caption, text: pretty.unwrap_or(text), is_copied: true }.into());
    }
    Ok(question)
}

/// What the form asks.
async fn typed(visit: &Visit, fields: &Fields, problems: &mut Problems) -> Result<Option<Question>, Fault> {
    let text = |name: &str| Some(fields.text(name).to_owned()).filter(|text| !text.is_empty());
    let at_us = match fields.text("at") {
        "" => Some(visit.now_us),
        text => parse_time(text),
    };
    let Some(at_us) = at_us else {
        problems.add("at", t("console-day-unreadable"));
        return Ok(None);
    };
    let caller = match fields.text("caller") {
        "" => Asker::Payer,
        token if token.starts_with("tok_") => Asker::Token { token: token.to_owned(), end_user: text("end_user") },
        account => match account.parse::<AccountId>() {
            Ok(id) => {
                let found = visit.services().find_profile(id).await?;
                Asker::Account(found.map_or_else(|| account.to_owned(), |found| found.email))
            }
            Err(_an_address) => Asker::Account(account.to_lowercase()),
        },
    };
    let is_marketplace = fields.text("surface") == MARKETPLACE;
    Ok(Some(Question {
        surface: if is_marketplace { Surface::Marketplace } else { Surface::Gateway },
        tool: fields.text("tool").to_owned(),
        caller,
        session_key: text("session_key"),
        agent_id: text("agent_id"),
        hints: Hints { channel: text("channel"), account: text("account_id"), ..Hints::default() },
        is_owner: fields.is_on("is_owner"),
        at_us,
    }))
}

fn form(visit: &Visit, fields: &Fields, question: Option<&Question>, problems: &Problems) -> Ask {
    let prefilled = |of: fn(&Question) -> Option<&str>| question.and_then(of).unwrap_or_default().to_owned();
    let line = |name: &str, key: &str, of: fn(&Question) -> Option<&str>| {
        let typed = fields.text(name);
        let value = if typed.is_empty() { prefilled(of) } else { typed.to_owned() };
        Field { problem: problems.of(name), ..Field::line(name, t(key)).value(value) }
    };
    let is_marketplace =
        question.map_or(fields.text("surface") == MARKETPLACE, |question| question.surface == Surface::Marketplace);
    let surfaces =
        [("gateway", "policies-gateway", !is_marketplace), (MARKETPLACE, "policies-marketplace", is_marketplace)];
    let surfaces = surfaces.map(|(value, key, is_chosen)| Choice { value: value.to_owned(), label: t(key), is_chosen });
    // A question in an address says everything, also what is not ticked.
    let usually = visit.console().door.gateway().callers_are_owners;
    let is_owner = match question {
        Some(question) => question.is_owner,
        None => fields.is_on("is_owner") || (usually && fields.text("tool").is_empty()),
    };
    let is_recorded = !fields.text("invocation").is_empty();
    let at = question.filter(|_| is_recorded).map(|question| instant_text(question.at_us));
    let at = at.map_or_else(|| fields.text("at").to_owned(), |at| at.replace(' ', "T"));
    let when = Field { problem: problems.of("at"), ..Field::line("at", t("policies-at")) };
    Ask {
        action: format!("{LIST}/explain"),
        fields: vec![
            Field::select("surface", t("policies-surface"), surfaces.into()),
            line("tool", "policies-tool", |question| Some(&question.tool)).hint(t("policies-tool-hint")).required(),
            line("session_key", "policies-session-key", |question| question.session_key.as_deref())
                .hint(t("policies-session-hint")),
            line("agent_id", "policies-agent", |question| question.agent_id.as_deref()),
            line("channel", "policies-channel", |question| question.hints.channel.as_deref()),
            line("account_id", "policies-channel-account", |question| question.hints.account.as_deref()),
            line("caller", "policies-caller", |question| match &question.caller {
                Asker::Payer => None,
                Asker::Account(email) => Some(email),
                Asker::Token { token, .. } => Some(token),
            })
            .hint(t("policies-caller-hint")),
            line("end_user", "policies-end-user", |question| match &question.caller {
                Asker::Token { end_user, .. } => end_user.as_deref(),
                Asker::Payer | Asker::Account(_) => None,
            }),
            Field::new("is_owner", t("policies-is-owner"), Control::Tick(is_owner)),
            when.value(at).hint(t("policies-at-hint")),
            Field { problem: problems.of("version"), ..Field::line("version", t("policies-explain-version")) }
                .value(fields.text("version"))
                .hint(t("policies-explain-version-hint")),
        ],
        submit: t("policies-explain"),
    }
}

/// The decision and what led to it.
async fn answer(visit: &Visit, question: &Question, by: &ExplainedBy) -> Result<Vec<Block>, Fault> {
    let explanation = &by.explained.explanation;
    let mut out: Vec<Block> = vec![facts(by).into()];
    if let Some(chain) = &explanation.chain {
        // The keys lead into the text of the version.
        let places = load(visit, by.number).await?.text.places();
        let own = href(by.number);
        let link = |key: &str| match places.get(key) {
            Some(place) => Cell::link(key, format!("{own}#{}", compiled::anchor(place))),
            None => Cell::text(key),
        };
        let columns = [
            "policies-step",
            "policies-step-where",
            "policies-verdict",
            "policies-key",
            "policies-step-entry",
            "policies-cedar",
            "policies-tools-left",
        ];
        let table = Table {
            caption: t("policies-steps"),
            columns: columns.map(|key| Column::new(t(key))).into(),
            rows: chain.steps.iter().map(|step| step_row(step, &link)).collect(),
            ..Table::default()
        };
        let agent = chain.agent.clone().unwrap_or_else(|| t("policies-agent-none"));
        let values = [("agent", agent.into()), ("tool", chain.tool.clone().into())];
        out.push(Heading::new(t_with("policies-steps-of", &values)).into());
        out.push(table.into());
    }
    let case = cases::text_of(question, &explanation.decision);
    out.push(Code { caption: t("policies-as-case"), text: case, is_copied: true }.into());
    Ok(out)
}

fn facts(by: &ExplainedBy) -> Facts {
    let Explanation { decision, version, .. } = &by.explained.explanation;
    let verdict = if decision.allowed {
        Cell::state(t("policies-allowed"), Tone::Good)
    } else {
        Cell::state(t("policies-denied"), Tone::Bad)
    };
    let determining = ids(&decision.determining);
    let entities = by.explained.entities.iter().map(|(kind, id)| format!("{kind}::\"{id}\""));
    let faults: Vec<String> = decision.faults.iter().map(Said::said).collect();
    let mut facts = Facts::new()
        .fact(t("policies-decision"), verdict)
        .fact(t("policies-determining"), if determining.is_empty() { Cell::None } else { Cell::Mono(determining) })
        .fact(t("policies-reason"), Cell::maybe(decision.reason.as_deref()))
        .fact(t("policies-code"), decision.code.map_or(Cell::None, |code| Cell::Mono(code.as_str().to_owned())))
        .fact(t("policies-decided-by"), Cell::link(name(by.number), href(by.number)))
        .fact(t("policies-label"), Cell::Mono(format!("{}-{version}", by.number)))
        .fact(t("policies-entities"), Cell::Mono(entities.collect::<Vec<_>>().join(", ")));
    if !faults.is_empty() {
        facts = facts.fact(t("policies-faults"), Cell::text(faults.join("; ")));
    }
    facts
}

fn ids(ids: &[PolicyId]) -> String {
    ids.iter().map(PolicyId::as_str).collect::<Vec<_>>().join(", ")
}

fn step_row(step: &StepExplanation, link: &dyn Fn(&str) -> Cell) -> Row {
    let (word, tone, key, entry) = match &step.verdict {
        Verdict::Unrestricted => ("policies-verdict-unrestricted", Tone::Plain, Cell::None, Cell::None),
        Verdict::Allowed(cause) => ("policies-verdict-allowed", Tone::Good, link(&cause.key), entry(&cause.entry)),
        Verdict::Denied(cause) => ("policies-verdict-denied", Tone::Bad, link(&cause.key), entry(&cause.entry)),
        Verdict::NotAllowed { keys } => {
            let key = if let [key] = keys.as_slice() { link(key) } else { Cell::text(keys.join(", ")) };
            ("policies-verdict-not-allowed", Tone::Bad, key, Cell::None)
        }
    };
    let key = match (&step.dropped, key) {
        (Some(dropped), Cell::None) => {
            Cell::text(t_with("policies-verdict-dropped", &[("key", dropped.as_str().into())]))
        }
        (_, key) => key,
    };
    let mut row = Row::new(
        "",
        vec![
            Cell::text(t(&["policies-step-", step.kind.as_str()].concat())),
            Cell::Mono(step.id.clone()),
            Cell::state(t(word), tone),
            key,
            entry,
            Cell::Mono(ids(&step.policies)),
            Cell::Number(i64::try_from(step.tools_left).unwrap_or(i64::MAX)),
        ],
    );
    row.tone = if step.verdict.passes() { Tone::Plain } else { Tone::Bad };
    row
}

fn entry(text: &str) -> Cell {
    if text.is_empty() { Cell::text(t("policies-entry-by-rule")) } else { Cell::Mono(text.to_owned()) }
}
