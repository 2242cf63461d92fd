//! Namespaces: one of them with its tools, and how one is added and changed.

use actix_web::web::{Path, Payload};
use engine::{
    policy::console::ConsoleAction,
    service::{
        catalog::{CatalogError, NamespaceProfile, NamespaceTerms, NewNamespace, PublisherProfile, ToolFilter},
        publishing::{ListingFacts, OwnGroup},
    },
};

use super::{
    NAMESPACES, PUBLISHERS, TOOLS, add_problem, difference::lines_of, making, namespace_href, namespace_state,
    publisher_href, publishers, reason_field, stop_state, tools, topics,
};
use crate::{
    console::{Answer, Fault, Fields, Problems, Visit},
    kit::{Cell, Column, Control, Diff, Facts, Field, Form, Heading, Page, Row, Table},
    pages::{listings, prices},
    text::t,
};

pub(super) async fn load(visit: &Visit, text: &str) -> Result<(NamespaceProfile, PublisherProfile), Fault> {
    let namespace = visit.services().find_namespace(text).await?.ok_or(Fault::NotFound)?;
    let publisher = publishers::load(visit, &namespace.publisher.to_string()).await?;
    Ok((namespace, publisher))
}

pub(super) async fn show(visit: Visit, id: Path<String>) -> Answer {
    let (namespace, publisher) = load(&visit, &id).await?;
    let own = namespace_href(namespace.id);
    let wanted = ToolFilter { namespace: namespace.name.clone(), ..ToolFilter::default() };
    let sold = visit.services().list_tools(&wanted, None).await?;
    let suspend = if namespace.is_suspended { "catalog-resume" } else { "catalog-suspend" };
    let listing = visit.services().load_listing_facts(namespace.id).await.map_err(listings::fault_of)?;
    let mut page = Page::new(namespace.name.clone())
        .under(t("catalog-publishers"), PUBLISHERS)
        .under(publisher.display_name.clone(), publisher_href(publisher.id))
        .tool(visit.may(ConsoleAction::ToolCreate), t("catalog-tool-new"), tools::new_href(&namespace.name))
        .tool(visit.may(ConsoleAction::NamespaceChange), t("catalog-change"), format!("{own}/edit"))
        .tool(visit.may(ConsoleAction::NamespaceSuspend), t(suspend), format!("{own}/suspend"))
        .tool(true, t("listings-look"), listings::href(namespace.id))
        .with(facts(&namespace, &publisher, &listing))
        .with(listings::server(&listing));
    page.subtitle = vec![namespace_state(namespace.state()), Cell::id(namespace.id, "")];
    if !listing.shown.groups.is_empty() {
        page = page.with(Heading::new(t("catalog-groups"))).with(group_table(&listing.shown.groups));
    }
    let more = format!("{TOOLS}?namespace={}", namespace.name);
    let sold = tools::table(
        &visit,
        &sold.rows,
        sold.next.map_or_else(String::new, |_more| more),
        tools::new_href(&namespace.name),
    );
    let names = [namespace.id.to_string(), namespace.name.clone()].map(|name| ("namespace", name));
    let timeline = super::super::timeline_of(&visit, &names).await?;
    let page =
        page.with(Heading::new(t("catalog-tools"))).with(sold).with(Heading::new(t("console-timeline"))).with(timeline);
    visit.show(page).await
}

/// The groups of its tools, with their prices.
fn group_table(groups: &[OwnGroup]) -> Table {
    let row = |group: &OwnGroup| {
        let what = group.is_default.then(|| t("catalog-group-default"));
        let next = group.staged_pricing.as_deref().map(prices::stored_text);
        let cells = vec![
            Cell::text(&group.name),
            Cell::maybe(what),
            Cell::text(&group.description),
            Cell::text(prices::stored_text(&group.pricing)),
            Cell::maybe(next),
        ];
        Row::new("", cells)
    };
    Table {
        caption: t("catalog-groups"),
        columns: vec![
            Column::new(t("catalog-group")),
            Column::new(t("catalog-group-for")),
            Column::new(t("catalog-description")),
            Column::new(t("prices-price")),
            Column::new(t("catalog-staged-price")),
        ],
        rows: groups.iter().map(row).collect(),
        ..Table::default()
    }
}

fn facts(namespace: &NamespaceProfile, publisher: &PublisherProfile, listing: &ListingFacts) -> Facts {
    let by = if listing.shown.is_stopped { "catalog-suspended-by-us" } else { "catalog-suspended-by-itself" };
    let by = namespace.is_suspended.then(|| t(by));
    let about = Facts::new()
        .fact(t("catalog-publisher"), Cell::link(&publisher.display_name, publisher_href(publisher.id)))
        .fact(t("catalog-publisher-state"), stop_state(publisher.is_suspended))
        .fact(t("catalog-listing-name"), Cell::maybe(namespace.terms.listing_name.as_deref()))
        .fact(t("catalog-description"), Cell::text(&namespace.terms.description));
    topics::facts(about, &namespace.terms.topics)
        .fact(t("catalog-suspended-by"), Cell::maybe(by))
        .fact(t("catalog-created"), Cell::Time(namespace.created_us))
}

/// The fields of what can be changed of a namespace, as it is; as a new one is without.
fn terms_fields(form: Form, terms: Option<&NamespaceTerms>) -> Form {
    let name = terms.and_then(|terms| terms.listing_name.clone()).unwrap_or_default();
    let description = terms.map_or_else(String::new, |terms| terms.description.clone());
    let lines = Control::Lines { rows: 3, is_code: false };
    let form = form
        .field(Field::line("listing_name", t("catalog-listing-name")).hint(t("catalog-listing-name-hint")).value(name))
        .field(Field::new("description", t("catalog-description"), lines).value(description));
    topics::fields(form, terms.map(|terms| &terms.topics))
}

/// What was typed into them.
fn terms_of(fields: &Fields) -> NamespaceTerms {
    NamespaceTerms {
        listing_name: topics::optional(fields, "listing_name"),
        description: fields.text("description").to_owned(),
        topics: topics::of(fields),
    }
}

fn new_page(visit: &Visit, publisher: &PublisherProfile, typed: &Fields, problems: &Problems) -> Page {
    let own = publisher_href(publisher.id);
    let form = Form::new(format!("{NAMESPACES}/new"), t("catalog-namespace-new"))
        .field(Field::line("name", t("catalog-namespace")).hint(t("catalog-namespace-hint")).required());
    let form = terms_fields(form, None)
        .field(reason_field())
        .once(visit)
        .step_up(visit, ConsoleAction::NamespaceCreate)
        .cancel(own.clone())
        .filled(typed, problems)
        .field(Field::new("publisher", "", Control::Hidden).value(publisher.id.to_string()));
    Page::new(t("catalog-namespace-new"))
        .under(t("catalog-publishers"), PUBLISHERS)
        .under(publisher.display_name.clone(), own)
        .with(form)
}

pub(super) async fn ask_new(visit: Visit) -> Answer {
    let typed = Fields::parse(&visit.query)?;
    let publisher = publishers::load(&visit, typed.text("publisher")).await?;
    visit.show(new_page(&visit, &publisher, &typed, &Problems::default())).await
}

pub(super) async fn create(mut visit: Visit, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let publisher = publishers::load(&visit, fields.text("publisher")).await?;
    let mut problems = Problems::default();
    let name = problems.required(&fields, "name").to_owned();
    let reason = problems.required(&fields, "reason").to_owned();
    problems.key(&fields);
    visit.permit(ConsoleAction::NamespaceCreate, None, &fields, &mut problems).await?;
    if problems.is_empty() {
        let new = NewNamespace { publisher: publisher.id, name: &name, terms: &terms_of(&fields) };
        match visit.services().create_namespace(&visit.context()?, &new, making(&fields, &reason)).await {
            Ok(id) => return visit.go(&namespace_href(id), &t("catalog-namespace-made")).await,
            Err(error) => add_problem(&mut problems, error)?,
        }
    }
    visit.show_refused(new_page(&visit, &publisher, &fields, &problems)).await
}

/// The form for a namespace. If it `was_changed` since the form was opened, what is now stands beside what was typed, and the
/// form is about what is now.
fn edit_page(
    visit: &Visit,
    (namespace, publisher): (&NamespaceProfile, &PublisherProfile),
    (typed, problems): (&Fields, &Problems),
    was_changed: Option<&NamespaceTerms>,
) -> Page {
    let own = namespace_href(namespace.id);
    let seen = match typed.text("seen") {
        text if was_changed.is_none() && !text.is_empty() => text.to_owned(),
        _ => namespace.terms.fingerprint(),
    };
    let form = terms_fields(Form::new(format!("{own}/edit"), t("catalog-change")), Some(&namespace.terms))
        .field(reason_field())
        .step_up(visit, ConsoleAction::NamespaceChange)
        .cancel(own.clone())
        .filled(typed, problems)
        .field(Field::new("seen", "", Control::Hidden).value(seen));
    let mut page = Page::new(t("catalog-change"))
        .under(t("catalog-publishers"), PUBLISHERS)
        .under(publisher.display_name.clone(), publisher_href(publisher.id))
        .under(namespace.name.clone(), own);
    if let Some(new) = was_changed {
        page = page.with(difference(&namespace.terms, new));
    }
    page.with(form)
}

fn difference(now: &NamespaceTerms, new: &NamespaceTerms) -> Diff {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let fields = [
        ("catalog-listing-name", text(&now.listing_name), text(&new.listing_name)),
        ("catalog-description", now.description.clone(), new.description.clone()),
        ("catalog-category", text(&now.topics.category), text(&new.topics.category)),
        ("catalog-tags", topics::text_of(&now.topics), topics::text_of(&new.topics)),
    ];
    let lines = fields.into_iter().flat_map(|(key, now, new)| lines_of(&t(key), &now, &new));
    Diff { caption: t("catalog-difference"), lines: lines.collect() }
}

pub(super) async fn ask_edit(visit: Visit, id: Path<String>) -> Answer {
    let (namespace, publisher) = load(&visit, &id).await?;
    let typed = Fields::parse(&visit.query)?;
    visit.show(edit_page(&visit, (&namespace, &publisher), (&typed, &Problems::default()), None)).await
}

pub(super) async fn edit(mut visit: Visit, id: Path<String>, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let (namespace, publisher) = load(&visit, &id).await?;
    let own = namespace_href(namespace.id);
    let mut problems = Problems::default();
    let terms = terms_of(&fields);
    let reason = problems.required(&fields, "reason").to_owned();
    visit.permit(ConsoleAction::NamespaceChange, None, &fields, &mut problems).await?;
    let mut was_changed = None;
    if problems.is_empty() {
        let (by, seen) = (visit.context()?, fields.text("seen"));
        match visit.services().change_namespace(&by, namespace.id, seen, &terms, &reason).await {
            Ok(()) => return visit.go(&own, &t("catalog-changed")).await,
            Err(CatalogError::Unchanged) => return visit.go(&own, &t("catalog-unchanged")).await,
            Err(error) => {
                was_changed = matches!(error, CatalogError::Stale).then_some(&terms);
                add_problem(&mut problems, error)?;
            }
        }
    }
    visit.show_refused(edit_page(&visit, (&namespace, &publisher), (&fields, &problems), was_changed)).await
}
