//! Publishers: the list, and one of them with what it sells and has earned.

use actix_web::web::Path;
use engine::{
    credits::Credits,
    policy::console::ConsoleAction,
    service::catalog::{Earnings, NamespaceProfile, PublisherFilter, PublisherProfile, ToolFilter},
};

use super::{
    PUBLISHERS, TOOLS, namespace_href, namespace_state, percent, profile::with_profile, publisher_href, stop_state,
    tools,
};
use crate::{
    console::{Answer, Fault, Fields, ListedPage, Visit, csv},
    kit::{
        Cell, Choice, Column, Empty, Facts, Field, Filters, Heading, Link, Page, Row, Span, Spans, Table, instant_text,
        page_href,
    },
    text::t,
};

mod days;

fn filter_of(fields: &Fields) -> PublisherFilter {
    let is_suspended = match fields.text("suspended") {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    };
    PublisherFilter { name: fields.text("name").to_owned(), is_suspended }
}

pub(super) async fn list(visit: Visit) -> Answer {
    let fields = Fields::parse(&visit.query)?;
    let listed = visit.services().list_publishers(&filter_of(&fields), fields.cursor()?).await?;
    let mut rows = Vec::with_capacity(listed.rows.len());
    for publisher in &listed.rows {
        let earned = visit.services().load_earnings(publisher).await?;
        rows.push(Row::new(
            publisher_href(publisher.id),
            vec![
                Cell::link(&publisher.display_name, publisher_href(publisher.id)),
                Cell::Mono(publisher.slug.clone()),
                stop_state(publisher.is_suspended),
                Cell::text(percent(publisher.share_bps)),
                Cell::Money(earned.payable),
                Cell::Time(publisher.created_us),
            ],
        ));
    }
    let choices = [("", "catalog-any"), ("no", "catalog-active"), ("yes", "catalog-suspended")];
    let chosen = fields.text("suspended");
    let choices =
        choices.map(|(value, key)| Choice { value: value.to_owned(), label: t(key), is_chosen: value == chosen });
    let filters = Filters {
        action: PUBLISHERS.to_owned(),
        fields: vec![
            Field::line("name", t("catalog-name-begins")).value(fields.text("name")),
            Field::select("suspended", t("catalog-state"), choices.into()),
        ],
        all_href: if visit.query.is_empty() { String::new() } else { PUBLISHERS.to_owned() },
    };
    let may_create = visit.may(ConsoleAction::PublisherCreate);
    let new = Link::new(t("catalog-publisher-new"), format!("{PUBLISHERS}/new"));
    let export = Link::new(t("catalog-export"), page_href(&format!("{PUBLISHERS}/export"), &visit.query, "after", ""));
    let table = Table {
        caption: t("catalog-publishers"),
        columns: vec![
            Column::new(t("catalog-display-name")),
            Column::new(t("catalog-slug")),
            Column::new(t("catalog-state")),
            Column::new(t("catalog-share")),
            Column::right(t("catalog-payable")),
            Column::new(t("catalog-created")),
        ],
        rows,
        first: visit.first_href(PUBLISHERS),
        next: listed.next.map_or_else(String::new, |next| page_href(PUBLISHERS, &visit.query, "after", &next)),
        exports: if visit.may(ConsoleAction::ListsExport) { vec![export] } else { Vec::new() },
        empty: Some(Empty {
            text: t("catalog-publishers-empty"),
            command: "tollgate apply tollgate.json5".to_owned(),
            link: may_create.then(|| new.clone()),
        }),
        ..Table::default()
    };
    let page = Page::new(t("catalog-publishers")).tool(may_create, new.text, new.href).with(filters).with(table);
    visit.show(page).await
}

pub(super) async fn export(visit: Visit) -> Answer {
    let filter = filter_of(&Fields::parse(&visit.query)?);
    let columns = ["id", "slug", "display_name", "suspended", "share_bps", "payable_credits", "created_at"];
    let asked = visit.clone();
    let page = move |after| -> ListedPage {
        let (visit, filter) = (asked.clone(), filter.clone());
        Box::pin(async move {
            let listed = visit.services().list_publishers(&filter, after).await?;
            let mut rows = Vec::with_capacity(listed.rows.len());
            for publisher in listed.rows {
                let earned = visit.services().load_earnings(&publisher).await?;
                rows.push(vec![
                    publisher.id.to_string(),
                    publisher.slug,
                    publisher.display_name,
                    publisher.is_suspended.to_string(),
                    publisher.share_bps.to_string(),
                    earned.payable.to_string(),
                    instant_text(publisher.created_us),
                ]);
            }
            Ok((rows, listed.next.and_then(|next| next.parse().ok())))
        })
    };
    csv(&visit, "publishers", &columns, page).await
}

pub(super) async fn load(visit: &Visit, text: &str) -> Result<PublisherProfile, Fault> {
    visit.services().find_publisher(text).await?.ok_or(Fault::NotFound)
}

pub(super) async fn show(visit: Visit, id: Path<String>) -> Answer {
    let publisher = load(&visit, &id).await?;
    let own = publisher_href(publisher.id);
    let earned = visit.services().load_earnings(&publisher).await?;
    let fields = Fields::parse(&visit.query)?;
    let namespaces = visit.services().list_namespaces(publisher.id, fields.cursor()?).await?;
    let wanted = ToolFilter { publisher: Some(publisher.id), ..ToolFilter::default() };
    let sold = visit.services().list_tools(&wanted, None).await?;
    let suspend = if publisher.is_suspended { "catalog-resume" } else { "catalog-suspend" };
    let new_namespace =
        Link::new(t("catalog-namespace-new"), format!("/admin/namespaces/new?publisher={}", publisher.id));
    let may_create = visit.may(ConsoleAction::NamespaceCreate);
    let mut page = Page::new(publisher.display_name.clone())
        .under(t("catalog-publishers"), PUBLISHERS)
        .tool(may_create, new_namespace.text.clone(), new_namespace.href.clone())
        .tool(visit.may(ConsoleAction::PublisherChange), t("catalog-change"), format!("{own}/edit"))
        .tool(visit.may(ConsoleAction::PublisherSuspend), t(suspend), format!("{own}/suspend"))
        .with(facts(&publisher, &earned));
    page = with_profile(&visit, publisher.id, page).await?;
    if earned.received > Credits::ZERO {
        page = page.with(picture(&earned));
        // What is read for it is much: once, not again with every page of its namespaces.
        if fields.text("after").is_empty() {
            page = days::with(&visit, &publisher, page).await?;
        }
    }
    page.subtitle =
        vec![stop_state(publisher.is_suspended), Cell::Mono(publisher.slug.clone()), Cell::id(publisher.id, "")];
    let empty = Empty {
        text: t("catalog-namespaces-empty"),
        command: "tollgate apply tollgate.json5".to_owned(),
        link: may_create.then_some(new_namespace),
    };
    let table = Table {
        caption: t("catalog-namespaces"),
        columns: ["catalog-namespace", "catalog-state", "catalog-description", "catalog-created"]
            .map(|key| Column::new(t(key)))
            .into(),
        rows: namespaces.rows.iter().map(namespace_row).collect(),
        first: visit.first_href(&own),
        next: namespaces.next.map_or_else(String::new, |next| page_href(&own, &visit.query, "after", &next)),
        empty: Some(empty),
        ..Table::default()
    };
    let more = format!("{TOOLS}?publisher={}", publisher.slug);
    let sold = tools::table(&visit, &sold.rows, sold.next.map_or_else(String::new, |_more| more), tools::new_href(""));
    let id = publisher.id.to_string();
    // An import knows it by its slug, payouts by what they pay.
    let names = [("publisher", id.clone()), ("publisher", publisher.slug.clone()), ("payee", id)];
    let timeline = super::super::timeline_of(&visit, &names).await?;
    let page = page
        .with(Heading::new(t("catalog-namespaces")))
        .with(table)
        .with(Heading::new(t("catalog-tools")))
        .with(sold)
        .with(Heading::new(t("console-timeline")))
        .with(timeline);
    visit.show(page).await
}

fn namespace_row(namespace: &NamespaceProfile) -> Row {
    let href = namespace_href(namespace.id);
    Row::new(
        href.clone(),
        vec![
            Cell::link(&namespace.name, href),
            namespace_state(namespace.state()),
            Cell::text(&namespace.terms.description),
            Cell::Time(namespace.created_us),
        ],
    )
}

/// What came in, what of it is gone, and what is left.
fn picture(earned: &Earnings) -> Spans {
    let span = |key: &str, from, to, class| Span::amount(t(key), from, to, class);
    let spans = vec![
        span("catalog-received", Credits::ZERO, earned.received, "s2"),
        span("catalog-gone", earned.received, earned.payable, "s3"),
        span("catalog-payable", Credits::ZERO, earned.payable, "s1"),
    ];
    Spans { title: t("catalog-earned-picture"), values: t("catalog-credits"), spans }
}

fn facts(publisher: &PublisherProfile, earned: &Earnings) -> Facts {
    Facts::new()
        .fact(t("catalog-share"), Cell::text(percent(publisher.share_bps)))
        .fact(t("catalog-payable"), Cell::Money(earned.payable))
        .fact(t("catalog-owed"), Cell::Money(earned.owed))
        .fact(t("catalog-received"), Cell::Money(earned.received))
        .fact(t("catalog-ledger-account"), Cell::Mono(publisher.payable.to_string()))
        .fact(t("catalog-created"), Cell::Time(publisher.created_us))
}
