//! Namespaces: one of them with its tools, and how one is added.

use actix_web::web::{Path, Payload};
use engine::{
    policy::console::ConsoleAction,
    service::catalog::{NamespaceProfile, NewNamespace, PublisherProfile, ToolFilter},
};

use super::{
    NAMESPACES, PUBLISHERS, TOOLS, add_problem, making, namespace_href, publisher_href, publishers, reason_field,
    stop_state, tools,
};
use crate::{
    console::{Answer, Fault, Fields, Problems, Visit},
    kit::{Cell, Control, Facts, Field, Form, Heading, Page},
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
    let facts = Facts::new()
        .fact(t("catalog-publisher"), Cell::link(&publisher.display_name, publisher_href(publisher.id)))
        .fact(t("catalog-publisher-state"), stop_state(publisher.is_suspended))
        .fact(t("catalog-description"), Cell::text(&namespace.description))
        .fact(t("catalog-created"), Cell::Time(namespace.created_us));
    let mut page = Page::new(namespace.name.clone())
        .under(t("catalog-publishers"), PUBLISHERS)
        .under(publisher.display_name.clone(), publisher_href(publisher.id))
        .tool(visit.may(ConsoleAction::ToolCreate), t("catalog-tool-new"), tools::new_href(&namespace.name))
        .tool(visit.may(ConsoleAction::NamespaceSuspend), t(suspend), format!("{own}/suspend"))
        .with(facts);
    page.subtitle = vec![stop_state(namespace.is_suspended), Cell::id(namespace.id, "")];
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

fn new_page(visit: &Visit, publisher: &PublisherProfile, typed: &Fields, problems: &Problems) -> Page {
    let own = publisher_href(publisher.id);
    let form = Form::new(format!("{NAMESPACES}/new"), t("catalog-namespace-new"))
        .field(Field::line("name", t("catalog-namespace")).hint(t("catalog-namespace-hint")).required())
        .field(Field::new("description", t("catalog-description"), Control::Lines { rows: 3, is_code: false }))
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
        let new = NewNamespace { publisher: publisher.id, name: &name, description: fields.text("description") };
        match visit.services().create_namespace(&visit.context()?, &new, making(&fields, &reason)).await {
            Ok(id) => return visit.go(&namespace_href(id), &t("catalog-namespace-made")).await,
            Err(error) => add_problem(&mut problems, error)?,
        }
    }
    visit.show_refused(new_page(&visit, &publisher, &fields, &problems)).await
}
