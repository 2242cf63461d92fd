//! The one box: an identifier leads to its page, anything else to what fits, by kinds.

use engine::{
    policy::console::ConsoleAction,
    service::search::{HITS_MAX, Hit, HitGroup, HitKind, NAMES_LOOKED_AT, SearchResult},
};

use super::{SECTIONS, places};
use crate::{
    console::{Access, Answer, Fields, ROOT, Route, Visit, get},
    kit::{Cell, Column, Empty, Field, Filters, Heading, Page, Row, Table, Text},
    text::{t, t_with},
};

/// What the texts of kinds begin with.
const KIND: &str = "search-kind-";

pub(super) fn routes() -> Vec<Route> {
    vec![get("/search", Access::Needs(ConsoleAction::SearchRead), show)]
}

/// What one has to be allowed to see to find something of this kind.
const fn needs(kind: HitKind) -> ConsoleAction {
    match kind {
        HitKind::Account | HitKind::Token | HitKind::Cap | HitKind::Grant => ConsoleAction::AccountsRead,
        HitKind::Partner | HitKind::EndUser => ConsoleAction::PartnersRead,
        HitKind::Publisher | HitKind::Namespace | HitKind::Tool => ConsoleAction::CatalogRead,
        HitKind::Price => ConsoleAction::PricesRead,
        HitKind::Call => ConsoleAction::InvocationsRead,
        HitKind::Purchase | HitKind::Movement => ConsoleAction::MovementsRead,
        HitKind::Transaction => ConsoleAction::LedgerRead,
        HitKind::Mail => ConsoleAction::MailRead,
        HitKind::Auditor | HitKind::Operator => ConsoleAction::OperatorsRead,
        HitKind::Approval => ConsoleAction::ApprovalsRead,
    }
}

/// Where something that was found has its page: its own, or what is told of it.
fn href(kind: HitKind, id: &str) -> String {
    let page = match kind {
        HitKind::Account => format!("/accounts/{id}"),
        // A call's charge bears its identifier.
        HitKind::Call => match id.strip_prefix("ent_") {
            Some(rest) => format!("/invocations/inv_{rest}"),
            None => format!("/invocations/{id}"),
        },
        HitKind::Tool => format!("/tools/{id}"),
        HitKind::Namespace => format!("/namespaces/{id}"),
        HitKind::Publisher => format!("/publishers/{id}"),
        HitKind::Partner => format!("/partners/{id}"),
        HitKind::Purchase => format!("/purchases/{id}"),
        HitKind::Movement => format!("/refunds/{id}"),
        HitKind::Grant | HitKind::Transaction => format!("/ledger/transactions/{id}"),
        HitKind::Approval => format!("/approvals/{id}"),
        HitKind::Operator => format!("/operators/{id}"),
        HitKind::Mail => format!("/mail/{id}"),
        // They have no page of their own.
        HitKind::Auditor => format!("/operators/auditors/{id}"),
        HitKind::EndUser | HitKind::Price | HitKind::Token | HitKind::Cap => String::new(),
    };
    let others = match kind {
        HitKind::EndUser => format!("/invocations?end_user={id}"),
        _ => format!("/audit?object={id}"),
    };
    let found = places::href(&page);
    if found.is_empty() { places::href(&others) } else { found }
}

async fn show(visit: Visit) -> Answer {
    let fields = Fields::parse(&visit.query)?;
    let text = fields.text("q").to_owned();
    let among: Vec<HitKind> =
        HitKind::ALL.into_iter().map(|(kind, ..)| kind).filter(|kind| visit.may(needs(*kind))).collect();
    let groups = match visit.services().search(&text, &among).await? {
        SearchResult::Exact(hit) => {
            let to = href(hit.kind, &hit.id);
            if !to.is_empty() {
                return Ok(visit.go_quietly(&to));
            }
            vec![HitGroup { kind: hit.kind, hits: vec![hit], has_more: false }]
        }
        SearchResult::Groups(groups) => groups,
    };
    let pages = pages_called(&visit, &text);
    let again = Filters {
        action: format!("{ROOT}/search"),
        fields: vec![Field::line("q", t("search-for")).value(text.clone())],
        all_href: String::new(),
    };
    let mut page = Page::new(t("search-title")).with(again);
    if groups.is_empty() && pages.rows.is_empty() {
        let said = if text.is_empty() { t("search-help") } else { t_with("search-nothing", &[("text", text.into())]) };
        page = page.with(Empty { text: said, command: String::new(), link: None });
    }
    if !pages.rows.is_empty() {
        page = page.with(Heading::new(t("search-pages"))).with(pages);
    }
    for group in &groups {
        page = page.with(Heading::new(t(&format!("{KIND}{}", group.kind.as_str())))).with(table(group));
    }
    let bound = [("count", NAMES_LOOKED_AT.into())];
    visit.show(page.with(Text::new(t_with("search-bound", &bound)))).await
}

fn table(group: &HitGroup) -> Table {
    let more = if group.has_more { t_with("search-more", &[("count", HITS_MAX.into())]) } else { String::new() };
    Table {
        caption: t(&format!("{KIND}{}", group.kind.as_str())),
        columns: ["search-name", "search-id", "search-note"].map(|key| Column::new(t(key))).into(),
        rows: group.hits.iter().map(row).collect(),
        count: more,
        ..Table::default()
    }
}

fn row(hit: &Hit) -> Row {
    let href = href(hit.kind, &hit.id);
    let name = match (hit.name.is_empty(), href.is_empty()) {
        (true, _) => Cell::None,
        (false, true) => Cell::text(&hit.name),
        (false, false) => Cell::link(&hit.name, href.clone()),
    };
    let note = Some(&hit.note).filter(|note| !note.is_empty());
    Row::new(href.clone(), vec![name, Cell::id(&hit.id, href), Cell::maybe(note)])
}

/// The parts of the console whose names have the text in them.
fn pages_called(visit: &Visit, text: &str) -> Table {
    let wanted = text.to_lowercase();
    let sections = SECTIONS.iter().filter(|section| !wanted.is_empty() && visit.may(section.needs));
    let called = sections.map(|section| (t(section.key), section.path));
    let rows = called.filter(|(name, _)| name.to_lowercase().contains(&wanted)).map(|(name, path)| {
        let href = format!("{ROOT}{path}");
        Row::new("", vec![Cell::link(name, href)])
    });
    Table {
        caption: t("search-pages"),
        columns: vec![Column::new(t("search-name"))],
        rows: rows.collect(),
        ..Table::default()
    }
}

#[cfg(test)]
mod tests;
