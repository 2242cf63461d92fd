//! Tools are added and changed.

use actix_web::web::{Path, Payload};
use engine::{
    catalog::{HTTP_METHODS, Topics},
    limits::UPSTREAM_TIMEOUT_MS_DEFAULT,
    policy::console::ConsoleAction,
    service::catalog::{CatalogError, NewTool, ToolDetail, ToolTerms},
};

use super::{NewThing, TOOLS, add_problem, difference::lines_of, making, reason_field, tool_href, tools::load, topics};
use crate::{
    console::{Answer, Fields, Problems, Visit},
    kit::{Choice, Control, Diff, Field, Form, Page},
    pages::prices,
    text::t,
};

/// The fields of what can be changed of a tool, as it is; as a new one is without.
fn terms_fields(form: Form, terms: Option<&ToolTerms>) -> Form {
    let value = |of: fn(&ToolTerms) -> &str| terms.map_or("", of).to_owned();
    let method = terms.map_or("POST", |terms| terms.method.as_str());
    let methods =
        HTTP_METHODS.map(|name| Choice { value: name.to_owned(), label: name.to_owned(), is_chosen: name == method });
    let is_unverified_ok = terms.is_some_and(|terms| terms.is_unverified_ok);
    let tiers = [("verified", "catalog-tier-verified", false), ("unverified", "catalog-tier-unverified", true)];
    let tiers = tiers.map(|(value, key, is_unverified)| Choice {
        value: value.to_owned(),
        label: t(key),
        is_chosen: is_unverified == is_unverified_ok,
    });
    let schema = terms.map_or("{\n  \"type\": \"object\",\n  \"properties\": {}\n}", |terms| &terms.input_schema);
    let timeout_ms = terms.map_or(UPSTREAM_TIMEOUT_MS_DEFAULT, |terms| terms.timeout_ms);
    let form = form
        .field(
            Field::line("short_description", t("catalog-short-description"))
                .hint(t("catalog-short-description-hint"))
                .value(value(|terms| &terms.short_description)),
        )
        .field(
            Field::new("long_description", t("catalog-long-description"), Control::Lines { rows: 4, is_code: false })
                .value(value(|terms| &terms.long_description)),
        );
    topics::fields(form, terms.map(|terms| &terms.topics))
        .field(
            Field::new("input_schema", t("catalog-schema"), Control::Lines { rows: 12, is_code: true })
                .hint(t("catalog-schema-hint"))
                .value(schema)
                .required(),
        )
        .field(Field::select("method", t("catalog-method"), methods.into()))
        .field(
            Field::new("url", t("catalog-url"), Control::Line("url"))
                .hint(t("catalog-url-hint"))
                .value(value(|terms| &terms.url))
                .required(),
        )
        .field(
            Field::line("timeout_ms", t("catalog-timeout"))
                .hint(t("catalog-timeout-hint"))
                .value(timeout_ms.to_string())
                .required(),
        )
        .field(Field::select("tier", t("catalog-tier"), tiers.into()))
}

/// What was typed into them.
fn terms_of(fields: &Fields, problems: &mut Problems) -> ToolTerms {
    let timeout_ms = problems.required(fields, "timeout_ms").parse().ok();
    if timeout_ms.is_none() && problems.of("timeout_ms").is_none() {
        problems.add("timeout_ms", t("console-number-unreadable"));
    }
    ToolTerms {
        short_description: fields.text("short_description").to_owned(),
        long_description: fields.text("long_description").to_owned(),
        topics: topics::of(fields),
        input_schema: problems.required(fields, "input_schema").to_owned(),
        is_unverified_ok: problems.one_of(fields, "tier", &["verified", "unverified"]) == "unverified",
        method: fields.text("method").to_owned(),
        url: problems.required(fields, "url").to_owned(),
        timeout_ms: timeout_ms.unwrap_or(0),
    }
}

const NEW: NewThing = NewThing {
    title: "catalog-tool-new",
    list: ("catalog-tools", TOOLS),
    text: "catalog-tool-new-text",
    action: ConsoleAction::ToolCreate,
};

fn new_page(visit: &Visit, typed: (&Fields, &Problems)) -> Page {
    let fields = |form: Form| {
        let form = form
            .field(Field::line("namespace", t("catalog-namespace")).required())
            .field(Field::line("name", t("catalog-tool-name")).hint(t("catalog-tool-name-hint")).required());
        prices::price_fields(terms_fields(form, None), None)
    };
    NEW.page(visit, fields, typed)
}

pub(super) async fn ask_new(visit: Visit) -> Answer {
    super::ask_new(visit, new_page).await
}

pub(super) async fn create(mut visit: Visit, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let mut problems = Problems::default();
    let namespace = problems.required(&fields, "namespace").to_owned();
    let name = problems.required(&fields, "name").to_owned();
    let terms = terms_of(&fields, &mut problems);
    let reason = problems.required(&fields, "reason").to_owned();
    let found = visit.services().find_namespace(&namespace).await?;
    if found.is_none() && !namespace.is_empty() {
        problems.add("namespace", t("catalog-namespace-unknown"));
    }
    problems.key(&fields);
    visit.permit(ConsoleAction::ToolCreate, None, &fields, &mut problems).await?;
    if let (true, Some(namespace)) = (problems.is_empty(), found) {
        let pricing = prices::spec_of(&fields);
        let new = NewTool { namespace: namespace.id, name: &name, terms: &terms, pricing: &pricing };
        match visit.services().create_tool(&visit.context()?, &new, making(&fields, &reason)).await {
            Ok(id) => return visit.go(&tool_href(id), &t("catalog-tool-made")).await,
            Err(error) => add_problem(&mut problems, error)?,
        }
    }
    visit.show_refused(new_page(&visit, (&fields, &problems))).await
}

/// The form for a tool. If it `was_changed` since the form was opened, what is now stands beside what was typed, and the
/// form is about what is now.
fn edit_page(
    visit: &Visit,
    tool: &ToolDetail,
    typed: &Fields,
    problems: &Problems,
    was_changed: Option<&ToolTerms>,
) -> Page {
    let own = tool_href(tool.profile.id);
    let seen = match typed.text("seen") {
        text if was_changed.is_none() && !text.is_empty() => text.to_owned(),
        _ => tool.terms.fingerprint(),
    };
    let form = terms_fields(Form::new(format!("{own}/edit"), t("catalog-change")), Some(&tool.terms))
        .field(reason_field())
        .step_up(visit, ConsoleAction::ToolChange)
        .cancel(own.clone())
        .filled(typed, problems)
        .field(Field::new("seen", "", Control::Hidden).value(seen));
    let mut page = Page::new(t("catalog-change")).under(t("catalog-tools"), TOOLS).under(tool.profile.path(), own);
    if let Some(new) = was_changed {
        page = page.with(difference(&tool.terms, new));
    }
    page.with(form)
}

fn difference(now: &ToolTerms, new: &ToolTerms) -> Diff {
    let category = |topics: &Topics| topics.category.clone().unwrap_or_default();
    let tier = |is_unverified: bool| if is_unverified { "unverified" } else { "verified" };
    let fields = [
        ("catalog-short-description", now.short_description.clone(), new.short_description.clone()),
        ("catalog-long-description", now.long_description.clone(), new.long_description.clone()),
        ("catalog-category", category(&now.topics), category(&new.topics)),
        ("catalog-tags", topics::text_of(&now.topics), topics::text_of(&new.topics)),
        ("catalog-schema", now.input_schema.clone(), new.input_schema.clone()),
        ("catalog-method", now.method.clone(), new.method.clone()),
        ("catalog-url", now.url.clone(), new.url.clone()),
        ("catalog-timeout", now.timeout_ms.to_string(), new.timeout_ms.to_string()),
        ("catalog-tier", tier(now.is_unverified_ok).to_owned(), tier(new.is_unverified_ok).to_owned()),
    ];
    let lines = fields.into_iter().flat_map(|(key, now, new)| lines_of(&t(key), &now, &new));
    Diff { caption: t("catalog-difference"), lines: lines.collect() }
}

pub(super) async fn ask_edit(visit: Visit, id: Path<String>) -> Answer {
    let tool = load(&visit, &id).await?;
    let typed = Fields::parse(&visit.query)?;
    visit.show(edit_page(&visit, &tool, &typed, &Problems::default(), None)).await
}

pub(super) async fn edit(mut visit: Visit, id: Path<String>, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let tool = load(&visit, &id).await?;
    let own = tool_href(tool.profile.id);
    let mut problems = Problems::default();
    let terms = terms_of(&fields, &mut problems);
    let reason = problems.required(&fields, "reason").to_owned();
    visit.permit(ConsoleAction::ToolChange, None, &fields, &mut problems).await?;
    let mut was_changed = None;
    if problems.is_empty() {
        let (by, seen) = (visit.context()?, fields.text("seen"));
        match visit.services().change_tool(&by, tool.profile.id, seen, &terms, &reason).await {
            Ok(()) => return visit.go(&own, &t("catalog-changed")).await,
            Err(CatalogError::Unchanged) => return visit.go(&own, &t("catalog-unchanged")).await,
            Err(error) => {
                was_changed = matches!(error, CatalogError::Stale).then_some(&terms);
                add_problem(&mut problems, error)?;
            }
        }
    }
    visit.show_refused(edit_page(&visit, &tool, &fields, &problems, was_changed)).await
}
