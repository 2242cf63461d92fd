//! What operators have done with money: the list, and each with its postings.

use actix_web::web::Path;
use engine::{
    id::EntryId,
    policy::console::ConsoleAction,
    service::{
        approvals::{ApprovalFilter, ApprovalState},
        movements::{Movement, MovementDetail, MovementFilter, MovementKind},
    },
};

use super::{LIST, choices, export, href, kind_text, postings_table, subject_cell, tabs};
use crate::{
    console::{Access, Answer, Fault, Fields, ListFile, Route, Visit, get},
    kit::{Cell, Column, Empty, Facts, Field, Filters, Heading, Link, Notice, Page, Row, Table, Text, Tone, page_href},
    text::{t, t_with},
};

/// How many requests are counted that wait for an approval.
const WAITING_COUNTED: u64 = 20;

mod grants;
mod pictures;

pub(super) fn routes() -> Vec<Route> {
    vec![
        get("/refunds", Access::Needs(ConsoleAction::MovementsRead), list).lists(ListFile::At("/refunds/export")),
        get("/refunds/export", Access::Needs(ConsoleAction::ListsExport), export_list),
        get("/refunds/{id}", Access::Needs(ConsoleAction::MovementsRead), show),
    ]
}

/// The kinds behind a word of the address; without one, what takes charges back.
fn kinds_of(word: &str) -> Vec<MovementKind> {
    match word {
        "any" => Vec::new(),
        "chargeback" => {
            vec![MovementKind::ChargebackOpen, MovementKind::ChargebackWon, MovementKind::ChargebackLost]
        }
        word => MovementKind::from_word(word)
            .map_or_else(|| vec![MovementKind::Refund, MovementKind::Reversal], |kind| vec![kind]),
    }
}

fn filter_of(fields: &Fields) -> MovementFilter {
    let subject = Some(fields.text("object")).filter(|text| !text.is_empty()).map(as_subject);
    MovementFilter { kinds: kinds_of(fields.text("kind")), subject }
}

/// A call's charge has the call's identifier, under another prefix.
fn as_subject(text: &str) -> String {
    super::refund::charge_of(text).map_or_else(|| text.to_owned(), |id| id.to_string())
}

async fn list(visit: Visit) -> Answer {
    let fields = Fields::parse(&visit.query)?;
    let listed = visit.services().list_movements(&filter_of(&fields), fields.cursor()?).await?;
    let kinds = [
        ("", "movements-refunds-only"),
        ("refund", "movements-kind-refund"),
        ("reversal", "movements-kind-reversal"),
        ("adjustment", "movements-kind-adjustment"),
        ("grant", "movements-kind-grant"),
        ("partner_grant", "movements-kind-partner_grant"),
        ("payout", "movements-kind-payout"),
        ("chargeback", "movements-chargebacks"),
        ("any", "movements-any"),
    ];
    let filters = Filters {
        action: LIST.to_owned(),
        fields: vec![
            Field::select("kind", t("movements-kind"), choices(&kinds, fields.text("kind"))),
            Field::line("object", t("movements-object")).value(fields.text("object")).hint(t("movements-object-hint")),
        ],
        all_href: if visit.query.is_empty() { String::new() } else { LIST.to_owned() },
    };
    let mut table = movements_table(&listed.rows);
    table.first = visit.first_href(LIST);
    table.next = listed.next.map_or_else(String::new, |next| page_href(LIST, &visit.query, "after", &next));
    if visit.may(ConsoleAction::ListsExport) {
        let href = page_href(&format!("{LIST}/export"), &visit.query, "after", "");
        table.exports.push(Link::new(t("movements-export"), href));
    }
    table.empty = Some(Empty {
        text: t("movements-refunds-empty"),
        command: "tollgate refund inv_… --credits 1.5 --reason \"wrong answer\"".to_owned(),
        link: visit.may(ConsoleAction::RefundCreate).then(|| Link::new(t("movements-refund"), format!("{LIST}/new"))),
    });
    let mut page = Page::new(t("movements-refunds"))
        .tool(visit.may(ConsoleAction::RefundCreate), t("movements-refund"), format!("{LIST}/new"))
        .tool(visit.may(ConsoleAction::ReversalCreate), t("movements-reverse"), format!("{LIST}/reverse"));
    page.tabs = tabs(LIST);
    if let Some(notice) = waiting(&visit).await? {
        page = page.with(notice);
    }
    // It is about refunds, whatever they are of, and not about those of a later page.
    if ["kind", "object", "after"].iter().all(|name| fields.text(name).is_empty()) {
        page.blocks.extend(pictures::of(&visit).await?);
    }
    if kinds_of(fields.text("kind")) == [MovementKind::Grant]
        && ["object", "after"].iter().all(|name| fields.text(name).is_empty())
    {
        page.blocks.extend(grants::expiring(&visit).await?);
    }
    visit.show(page.with(filters).with(table)).await
}

/// How many refunds wait for somebody's approval.
async fn waiting(visit: &Visit) -> Result<Option<Notice>, Fault> {
    let kind = ConsoleAction::RefundCreate.as_str();
    let filter = ApprovalFilter {
        state: Some(ApprovalState::Waiting),
        kind: Some(kind.to_owned()),
        ..ApprovalFilter::default()
    };
    let (rows, more) = visit.services().list_approvals(&filter, None, WAITING_COUNTED).await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let count = format!("{}{}", rows.len(), if more.is_some() { "+" } else { "" });
    let notice = Notice::new(Tone::Warn, t_with("movements-refunds-waiting", &[("count", count.into())]));
    Ok(Some(notice.link(t("approvals-title"), format!("/admin/approvals?view=all&kind={kind}&state=waiting"))))
}

/// Movements in the order in which they are given.
fn movements_table(rows: &[Movement]) -> Table {
    let row = |movement: &Movement| {
        let cells = vec![
            Cell::link(kind_text(movement.kind), href(movement.id)),
            movement.credits.map_or(Cell::None, Cell::Money),
            subject_cell(&movement.subject),
            Cell::text(&movement.reason),
            Cell::Time(movement.created_us),
            Cell::id(movement.id, href(movement.id)),
        ];
        Row::new(href(movement.id), cells)
    };
    Table {
        caption: t("movements-refunds"),
        columns: vec![
            Column::new(t("movements-kind")),
            Column::right(t("movements-amount")),
            Column::new(t("movements-object")),
            Column::new(t("movements-reason")),
            Column::new(t("movements-when")),
            Column::new(t("movements-id")),
        ],
        rows: rows.iter().map(row).collect(),
        ..Table::default()
    }
}

async fn show(visit: Visit, id: Path<String>) -> Answer {
    let id: EntryId = id.parse().map_err(|_unreadable| Fault::NotFound)?;
    let detail = visit.services().find_movement(id).await?.ok_or(Fault::NotFound)?;
    let movement = &detail.movement;
    let of = detail.charge.filter(|charge| !charge.left().is_zero());
    let again = of.map_or_else(String::new, |charge| format!("{LIST}/new?transaction={}", charge.id));
    let mut page = Page::new(kind_text(movement.kind))
        .under(t("movements-refunds"), LIST)
        .tool(of.is_some() && visit.may(ConsoleAction::RefundCreate), t("movements-refund-more"), again)
        .with(facts(&detail));
    page.subtitle = vec![Cell::id(movement.id, "")];
    if movement.kind == MovementKind::Payout {
        page.tools.push(Link::new(t("movements-statement"), format!("{}/{id}", super::payouts::LIST)));
    }
    if movement.kind == MovementKind::Grant {
        page.blocks.extend(grants::of(&visit, movement.id).await?);
    }
    page = page.with(Heading::new(t("movements-postings")));
    page = if detail.postings.is_empty() {
        page.with(Text::new(t("movements-no-postings")))
    } else {
        page.with(postings_table(&detail.postings))
    };
    let about = MovementFilter { kinds: Vec::new(), subject: Some(movement.subject.clone()) };
    let others = visit.services().list_movements(&about, None).await?;
    let others: Vec<Movement> = others.rows.into_iter().filter(|other| other.id != movement.id).collect();
    if !others.is_empty() {
        page = page.with(Heading::new(t("movements-others"))).with(movements_table(&others));
    }
    // The trail tells of an order under what it is about; of a grant, under its own name.
    let told_of = if movement.kind == MovementKind::Grant { movement.id.to_string() } else { movement.subject.clone() };
    let timeline = crate::pages::timeline(&visit, &told_of).await?;
    visit.show(page.with(Heading::new(t("console-timeline"))).with(timeline)).await
}

fn facts(detail: &MovementDetail) -> Facts {
    let movement = &detail.movement;
    let mut facts = Facts::new()
        .fact(t("movements-amount"), movement.credits.map_or(Cell::None, Cell::Money))
        .fact(t("movements-object"), subject_cell(&movement.subject))
        .fact(t("movements-reason"), Cell::text(&movement.reason))
        .fact(t("movements-when"), Cell::Time(movement.created_us));
    if let Some(charge) = &detail.charge {
        if let Some(call) = charge.call {
            facts = facts.fact(t("movements-call"), Cell::id(call, format!("/admin/invocations/{call}")));
        }
        facts = facts
            .fact(t("movements-charged"), Cell::Money(charge.charged))
            .fact(t("movements-refunded"), Cell::Money(charge.refunded))
            .fact(t("movements-left"), Cell::Money(charge.left()));
    }
    if let Some(transaction) = &detail.transaction {
        let position = format!("{}/{}", transaction.position.slot, transaction.position.seq);
        facts = facts
            .fact(t("movements-posted"), Cell::Time(transaction.recorded_us))
            .fact(t("movements-position"), Cell::Mono(position));
    }
    facts
}

async fn export_list(visit: Visit) -> Answer {
    let fields = Fields::parse(&visit.query)?;
    let filter = filter_of(&fields);
    let columns = ["id", "kind", "credits", "object", "reason", "created_at"];
    export::answer(visit, "movements", &columns, move |visit, after| {
        let filter = filter.clone();
        async move {
            let listed = visit.services().list_movements(&filter, after).await?;
            Ok(listed.map(|movement| {
                vec![
                    movement.id.to_string(),
                    movement.kind.as_str().to_owned(),
                    movement.credits.map(|credits| credits.to_string()).unwrap_or_default(),
                    movement.subject,
                    movement.reason,
                    export::moment(Some(movement.created_us)),
                ]
            }))
        }
    })
    .await
}
