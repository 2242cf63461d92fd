//! Listings: what publishers have handed in, so that somebody looks at it before it is in public.

use actix_web::web::{Path, Payload};
use engine::{
    catalog::NamespaceState,
    id::NamespaceId,
    policy::console::ConsoleAction,
    service::publishing::{ListedListing, ListingFilter, PublishingError, Review},
};

use super::catalog::{namespace_state, publisher_href};
use crate::{
    console::{Access, Answer, Fault, Fields, ListFile, ListedPage, Route, Visit, csv, get, post},
    kit::{Cell, Choice, Column, Empty, Field, Filters, Page, Row, Table, Tone, instant_text, page_href},
    text::t,
};

mod compare;
mod decide;
mod show;

use decide::Decision;
pub(super) use show::{credential, server};

/// Where the list is.
const LISTINGS: &str = "/admin/listings";

pub(super) fn routes() -> Vec<Route> {
    let needs = Access::Needs;
    vec![
        get("/listings", needs(ConsoleAction::CatalogRead), list).lists(ListFile::At("/listings/export")),
        get("/listings/export", needs(ConsoleAction::ListsExport), export),
        get("/listings/{id}", needs(ConsoleAction::CatalogRead), show::show),
        get("/listings/{id}/approve", needs(ConsoleAction::ListingDecide), ask_approve),
        post("/listings/{id}/approve", needs(ConsoleAction::ListingDecide), approve),
        get("/listings/{id}/reject", needs(ConsoleAction::ListingDecide), ask_reject),
        post("/listings/{id}/reject", needs(ConsoleAction::ListingDecide), reject),
    ]
}

/// The page on which a namespace is looked at.
pub(super) fn href(id: NamespaceId) -> String {
    format!("{LISTINGS}/{id}")
}

/// What is wrong with what publishers have, where that is nothing that a form could say.
pub(super) fn fault_of(error: PublishingError) -> Fault {
    match error {
        PublishingError::Store(error) => error.into(),
        PublishingError::NotFound(_) | PublishingError::NotAPublisher => Fault::NotFound,
        error => Fault::Broken(error.to_string()),
    }
}

async fn load(visit: &Visit, text: &str) -> Result<Review, Fault> {
    visit.services().load_review(text).await.map_err(fault_of)
}

/// What waits for an operator; nothing if nothing does.
fn waiting(status: NamespaceState) -> Cell {
    if status == NamespaceState::Active {
        Cell::state(t("listings-changes"), Tone::Warn)
    } else {
        Cell::state(t("listings-new"), Tone::Warn)
    }
}

fn filters(visit: &Visit, chosen: ListingFilter) -> Filters {
    let choice = |wanted: &ListingFilter| Choice {
        value: wanted.as_str().to_owned(),
        label: t(&["listings-filter-", wanted.as_str()].concat()),
        is_chosen: *wanted == chosen,
    };
    let choices = ListingFilter::ALL.iter().map(choice).collect();
    Filters {
        action: LISTINGS.to_owned(),
        fields: vec![Field::select("state", t("catalog-state"), choices)],
        all_href: if visit.query.is_empty() { String::new() } else { LISTINGS.to_owned() },
    }
}

fn row(listing: &ListedListing) -> Row {
    let own = href(listing.namespace);
    let waits = if listing.is_waiting { waiting(listing.status) } else { Cell::None };
    Row::new(
        own.clone(),
        vec![
            Cell::link(&listing.name, own),
            Cell::maybe(listing.listing_name.as_deref()),
            Cell::link(&listing.publisher_name, publisher_href(listing.publisher)),
            namespace_state(listing.status),
            waits,
            Cell::time(listing.submitted_us),
            Cell::Time(listing.created_us),
        ],
    )
}

fn wanted(fields: &Fields) -> ListingFilter {
    ListingFilter::from_wire(fields.text("state")).unwrap_or(ListingFilter::Waiting)
}

/// The list as a file.
async fn export(visit: Visit) -> Answer {
    let wanted = wanted(&Fields::parse(&visit.query)?);
    let columns = ["namespace", "name", "title", "publisher", "publisher_name", "state", "waits", "since", "created"];
    let reader = visit.clone();
    csv(&visit, "listings", &columns, move |after| -> ListedPage {
        let visit = reader.clone();
        Box::pin(async move {
            let listed = visit.services().list_listings(wanted, after).await?;
            let row = |listing: &ListedListing| {
                vec![
                    listing.namespace.to_string(),
                    listing.name.clone(),
                    listing.listing_name.clone().unwrap_or_default(),
                    listing.publisher.to_string(),
                    listing.publisher_name.clone(),
                    listing.status.as_str().to_owned(),
                    listing.is_waiting.to_string(),
                    listing.submitted_us.map(instant_text).unwrap_or_default(),
                    instant_text(listing.created_us),
                ]
            };
            Ok((listed.rows.iter().map(row).collect(), listed.next.and_then(|next| next.parse().ok())))
        })
    })
    .await
}

async fn list(visit: Visit) -> Answer {
    let fields = Fields::parse(&visit.query)?;
    let wanted = wanted(&fields);
    let listed = visit.services().list_listings(wanted, fields.cursor()?).await?;
    let table = Table {
        caption: t("listings-title"),
        columns: [
            "catalog-namespace",
            "catalog-listing-name",
            "catalog-publisher",
            "catalog-state",
            "listings-waits",
            "listings-since",
            "catalog-created",
        ]
        .map(|key| Column::new(t(key)))
        .into(),
        rows: listed.rows.iter().map(row).collect(),
        first: visit.first_href(LISTINGS),
        next: listed.next.map_or_else(String::new, |next| page_href(LISTINGS, &visit.query, "after", &next)),
        exports: visit.file_links(ConsoleAction::ListsExport, &format!("{LISTINGS}/export")),
        empty: Some(Empty { text: t("listings-empty"), command: "tollgate listing list".to_owned(), link: None }),
        ..Table::default()
    };
    visit.show(Page::new(t("listings-title")).with(filters(&visit, wanted)).with(table)).await
}

async fn ask_approve(visit: Visit, id: Path<String>) -> Answer {
    decide::ask(visit, &id, Decision::Approve).await
}

async fn approve(visit: Visit, id: Path<String>, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    decide::decide(visit, &id, &fields, Decision::Approve).await
}

async fn ask_reject(visit: Visit, id: Path<String>) -> Answer {
    decide::ask(visit, &id, Decision::Reject).await
}

async fn reject(visit: Visit, id: Path<String>, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    decide::decide(visit, &id, &fields, Decision::Reject).await
}
