//! The audit trail: who changed what, when and why; each entry with what was before and after it.

use std::{collections::HashMap, sync::Arc};

use actix_web::web::Path;
use engine::{
    audit::AuditRow,
    ledger::hex::hex,
    policy::console::ConsoleAction,
    service::{
        audit::{AuditCursor, AuditFilter},
        paging::PAGE_ROWS,
    },
};

use super::places;
use crate::{
    console::{Access, Answer, Fault, Fields, ListFile, ListedPage, Problems, ROOT, Route, Visit, csv_by, get},
    kit::{
        Block, Cell, Column, Empty, Facts, Field, Filters, Heading, Link, Notice, Page, Row, Table, Text, Tone,
        instant_text, page_href, short_id,
    },
    text::{t, t_with},
};

mod fields;

use fields::{Change, changes};

const LIST: &str = "/admin/audit";
/// How many rows of a file are read at once.
const EXPORT_ROWS: u64 = 1_000;
/// How many fields of an entry are shown.
const FIELDS_SHOWN: usize = 500;

/// Operators' names by their identifiers, as the trail has those.
type Names = HashMap<String, String>;

pub(super) fn routes() -> Vec<Route> {
    vec![
        get("/audit", Access::Needs(ConsoleAction::AuditRead), list).lists(ListFile::At("/audit/export")),
        get("/audit/export", Access::Needs(ConsoleAction::AuditExport), export),
        get("/audit/{place}", Access::Needs(ConsoleAction::AuditRead), show),
    ]
}

fn href(row: &AuditRow) -> String {
    format!("{LIST}/{}.{}", row.slot, row.seq)
}

fn filter_of(fields: &Fields, problems: &mut Problems) -> AuditFilter {
    let text = |name: &str| Some(fields.text(name)).filter(|text| !text.is_empty()).map(str::to_owned);
    AuditFilter {
        from_us: problems.day(fields, "from"),
        to_us: problems.day(fields, "to"),
        actor: text("actor"),
        action: text("action"),
        object: text("object"),
    }
}

/// Where the list goes on.
fn place(fields: &Fields) -> Result<Option<AuditCursor>, Fault> {
    match fields.text("after") {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_unreadable| Fault::Address),
    }
}

async fn names(visit: &Visit) -> Result<Names, Fault> {
    let operators = visit.services().list_operators().await?;
    Ok(operators.into_iter().map(|operator| (operator.id.to_string(), operator.name)).collect())
}

fn actor(row: &AuditRow, names: &Names) -> Cell {
    let id = &row.actor_id;
    if let Some(name) = names.get(id) {
        return places::link(format!("{name} ({})", short_id(id)), &format!("/operators/{id}"));
    }
    thing(&row.actor_kind, id)
}

/// A kind and which one, leading to its page if it has one.
fn thing(kind: &str, id: &str) -> Cell {
    if id.is_empty() {
        return Cell::text(kind);
    }
    let page = match kind {
        "account" => format!("/accounts/{id}"),
        "approval" => format!("/approvals/{id}"),
        "auditor" => format!("/operators/auditors/{id}"),
        "namespace" => format!("/namespaces/{id}"),
        "operator" if id.starts_with("opr_") => format!("/operators/{id}"),
        "partner" => format!("/partners/{id}"),
        "policy" => format!("/policies/{id}"),
        "publisher" => format!("/publishers/{id}"),
        _ => format!("/audit?object={}", url::form_urlencoded::byte_serialize(id.as_bytes()).collect::<String>()),
    };
    places::link(format!("{kind} {}", short_id(id)), &page)
}

fn rows(found: &[AuditRow], names: &Names) -> Vec<Row> {
    let row = |row: &AuditRow| {
        let cells = vec![
            Cell::Time(row.recorded_us),
            actor(row, names),
            Cell::Mono(row.method.clone()),
            Cell::link(&row.action, href(row)),
            thing(&row.object_kind, &row.object_id),
            Cell::maybe(row.reason.clone()),
        ];
        Row::new(href(row), cells)
    };
    found.iter().map(row).collect()
}

fn columns() -> Vec<Column> {
    ["audit-time", "audit-actor", "audit-method", "audit-action", "audit-object", "audit-reason"]
        .map(|key| Column::new(t(key)))
        .into()
}

fn filters(visit: &Visit, fields: &Fields, problems: &Problems) -> Filters {
    let line = |name: &str, label: &str, hint: String| Field {
        problem: problems.of(name),
        ..Field::line(name, t(label)).value(fields.text(name)).hint(hint)
    };
    Filters {
        action: LIST.to_owned(),
        fields: vec![
            line("actor", "audit-actor", t("audit-actor-hint")),
            line("action", "audit-action", t("audit-action-hint")),
            line("object", "audit-object", t("audit-object-hint")),
            line("from", "audit-from", t("audit-from-hint")),
            line("to", "audit-to", String::new()),
        ],
        all_href: if visit.query.is_empty() { String::new() } else { LIST.to_owned() },
    }
}

/// The newest first. Times and actors and objects by identifier have an index each; the order is that of the index of
/// times.
async fn list(visit: Visit) -> Answer {
    let fields = Fields::parse(&visit.query)?;
    let mut problems = Problems::default();
    let filter = filter_of(&fields, &mut problems);
    let page = Page::new(t("audit-title"))
        .tool(visit.may(ConsoleAction::LedgerRead), t("audit-verify"), format!("{ROOT}/ledger/verify"))
        .with(filters(&visit, &fields, &problems));
    if !problems.is_empty() {
        return visit.show_refused(page).await;
    }
    let (found, next) = visit.services().list_audit(&filter, place(&fields)?, PAGE_ROWS).await?;
    let is_full = u64::try_from(found.len()).is_ok_and(|count| count >= PAGE_ROWS);
    // Enough was looked at: what is wanted may stand further back.
    let looked_to = next.filter(|_next| !is_full).map(|next| {
        let when = instant_text(next.recorded_us);
        Notice::new(Tone::Plain, t_with("ledger-looked-back", &[("when", when.into())]))
    });
    let export = Link::new(t("audit-export"), page_href(&format!("{LIST}/export"), &visit.query, "after", ""));
    let table = Table {
        caption: t("audit-title"),
        columns: columns(),
        rows: rows(&found, &names(&visit).await?),
        first: visit.first_href(LIST),
        next: next.map_or_else(String::new, |next| page_href(LIST, &visit.query, "after", &next.to_string())),
        exports: if visit.may(ConsoleAction::AuditExport) { vec![export] } else { Vec::new() },
        empty: Some(Empty {
            text: t("audit-empty"),
            command: "tollgate account create --email someone@example.com".to_owned(),
            link: None,
        }),
        ..Table::default()
    };
    let page = page.with(table);
    visit.show(looked_to.into_iter().fold(page, Page::with)).await
}

/// The list as a file.
async fn export(visit: Visit) -> Answer {
    let mut problems = Problems::default();
    let filter = Arc::new(filter_of(&Fields::parse(&visit.query)?, &mut problems));
    if !problems.is_empty() {
        return Err(Fault::Address);
    }
    let columns = [
        "slot",
        "seq",
        "time",
        "actor_kind",
        "actor",
        "method",
        "credential",
        "action",
        "object_kind",
        "object",
        "before",
        "after",
        "reason",
        "request",
    ];
    let reader = visit.clone();
    csv_by(&visit, "audit", &columns, move |after: Option<AuditCursor>| -> ListedPage<AuditCursor> {
        let (visit, filter) = (reader.clone(), Arc::clone(&filter));
        Box::pin(async move {
            let (found, next) = visit.services().list_audit(&filter, after, EXPORT_ROWS).await?;
            Ok((found.into_iter().map(line).collect(), next))
        })
    })
    .await
}

fn line(row: AuditRow) -> Vec<String> {
    vec![
        row.slot.to_string(),
        row.seq.to_string(),
        instant_text(row.recorded_us),
        row.actor_kind,
        row.actor_id,
        row.method,
        row.credential.unwrap_or_default(),
        row.action,
        row.object_kind,
        row.object_id,
        row.before.unwrap_or_default(),
        row.after.unwrap_or_default(),
        row.reason.unwrap_or_default(),
        row.request_id.unwrap_or_default(),
    ]
}

async fn load(visit: &Visit, place: &str) -> Result<AuditRow, Fault> {
    let numbers = place.split_once('.').and_then(|(slot, seq)| Some((slot.parse().ok()?, seq.parse().ok()?)));
    let (slot, seq) = numbers.ok_or(Fault::NotFound)?;
    visit.services().find_audit(slot, seq).await?.ok_or(Fault::NotFound)
}

fn facts(row: &AuditRow, names: &Names) -> Facts {
    let mono = |text: &Option<String>| text.clone().map_or(Cell::None, Cell::Mono);
    Facts::new()
        .fact(t("audit-time"), Cell::Time(row.recorded_us))
        .fact(t("audit-actor"), actor(row, names))
        .fact(t("audit-actor-id"), Cell::Mono(format!("{} {}", row.actor_kind, row.actor_id)))
        .fact(t("audit-method"), Cell::Mono(row.method.clone()))
        .fact(t("audit-credential"), mono(&row.credential))
        .fact(t("audit-object"), thing(&row.object_kind, &row.object_id))
        .fact(t("audit-object-id"), Cell::Mono(row.object_id.clone()))
        .fact(t("audit-reason"), Cell::maybe(row.reason.clone()))
        .fact(t("audit-request"), mono(&row.request_id))
        .fact(t("audit-place"), Cell::text(format!("{}.{}", row.slot, row.seq)))
        .fact(t("audit-prev-hash"), Cell::Mono(hex(&row.prev_hash)))
        .fact(t("audit-hash"), Cell::Mono(hex(&row.hash())))
}

/// What the entry says was before and is after it, field by field.
fn difference(row: &AuditRow) -> Block {
    let found = changes(row.before.as_deref(), row.after.as_deref());
    let state = |change: Change| match change {
        Change::Added => (t("audit-added"), Tone::Good),
        Change::Removed => (t("audit-removed"), Tone::Bad),
        Change::Changed => (t("audit-changed"), Tone::Warn),
        Change::Same => (t("audit-same"), Tone::Plain),
    };
    let cell = |text: &Option<String>| text.clone().map_or(Cell::None, Cell::Mono);
    let rows = found.iter().take(FIELDS_SHOWN).map(|field| {
        let (word, tone) = state(field.change());
        let cells =
            vec![Cell::Mono(field.name.clone()), cell(&field.before), cell(&field.after), Cell::state(word, tone)];
        Row::new("", cells)
    });
    let left_out = found.len().saturating_sub(FIELDS_SHOWN);
    let count = match i64::try_from(left_out) {
        Ok(0) | Err(_) => String::new(),
        Ok(count) => t_with("audit-fields-more", &[("count", count.into())]),
    };
    Table {
        caption: t("audit-fields"),
        columns: ["audit-field", "audit-before", "audit-after", "audit-change"].map(|key| Column::new(t(key))).into(),
        rows: rows.collect(),
        count,
        empty: Some(Empty { text: t("audit-fields-none"), command: String::new(), link: None }),
        ..Table::default()
    }
    .into()
}

async fn show(visit: Visit, place: Path<String>) -> Answer {
    let row = load(&visit, &place).await?;
    let names = names(&visit).await?;
    let beside = visit.services().list_audit_beside(&row).await?;
    let object = url::form_urlencoded::byte_serialize(row.object_id.as_bytes()).collect::<String>();
    let others = Table {
        caption: t("audit-beside"),
        columns: columns(),
        rows: rows(&beside, &names),
        empty: Some(Empty { text: t("audit-beside-none"), command: String::new(), link: None }),
        ..Table::default()
    };
    let page = Page::new(row.action.clone())
        .under(t("audit-title"), LIST)
        .tool(!object.is_empty(), t("audit-of-object"), format!("{LIST}?object={object}"))
        .tool(visit.may(ConsoleAction::LedgerRead), t("audit-verify"), format!("{ROOT}/ledger/verify"))
        .with(facts(&row, &names))
        .with(Heading::new(t("audit-fields")))
        .with(difference(&row))
        .with(Heading::new(t("audit-beside")))
        .with(others)
        .with(Text::new(t("audit-chain-text")));
    visit.show(page).await
}
