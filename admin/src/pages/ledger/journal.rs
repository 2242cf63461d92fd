//! The journal: transactions, the newest first.

use std::collections::BTreeSet;

use engine::{
    ledger::{LedgerAccountId, Leg, TransactionKind},
    policy::console::ConsoleAction,
    service::{
        chart::ChartLine,
        journal::{JournalCursor, JournalRow, JournalStart},
    },
};

use super::{BOOKS, account_cell, money, transaction_href, transaction_text};
use crate::{
    console::{Answer, Fault, Fields, Visit},
    kit::{
        Cell, Choice, Column, Control, Empty, Field, Filters, Notice, Row, Table, Tone, instant_text, page_href,
        parse_time,
    },
    text::{t, t_with},
};

/// The list, below [`BOOKS`].
const PATH: &str = "/journal";

/// Where a list of entries begins, as its address says.
pub(super) fn start(fields: &Fields) -> Result<JournalStart, Fault> {
    match (fields.text("after"), fields.text("until")) {
        ("", "") => Ok(JournalStart::Newest),
        ("", until) => parse_time(until).map(JournalStart::Before).ok_or(Fault::Address),
        (after, _) => after.parse().map(JournalStart::After).map_err(|_unreadable| Fault::Address),
    }
}

/// The field that lets a list begin earlier than now.
pub(super) fn until_field(fields: &Fields) -> Field {
    Field::new("until", t("ledger-recorded-before"), Control::Line("datetime-local")).value(fields.text("until"))
}

/// Where a list goes on; empty at its end.
pub(super) fn next_href(visit: &Visit, path: &str, next: Option<&JournalCursor>) -> String {
    next.map_or_else(String::new, |next| page_href(path, &visit.query, "after", &next.to_string()))
}

/// Says that a page ends because enough was looked at.
pub(super) fn looked_back(us: Option<i64>) -> Option<Notice> {
    let text = |us| t_with("ledger-looked-back", &[("when", instant_text(us).into())]);
    us.map(|us| Notice::new(Tone::Plain, text(us)))
}

/// The accounts of one side that are named in a row.
fn side(legs: &[Leg], of: impl Fn(&Leg) -> LedgerAccountId) -> Vec<LedgerAccountId> {
    let mut accounts = Vec::new();
    for account in legs.iter().map(of) {
        if !accounts.contains(&account) {
            accounts.push(account);
        }
    }
    accounts
}

/// The first account of a side, and how many others there are.
fn side_cell(accounts: &[LedgerAccountId], lines: &[ChartLine]) -> Cell {
    let Some(first) = accounts.first() else { return Cell::None };
    match (account_cell(*first, lines), accounts.len()) {
        (Cell::Link { text, href }, count) if count > 1 => {
            Cell::Link { text: format!("{text} +{}", count.saturating_sub(1)), href }
        }
        (cell, _) => cell,
    }
}

/// A table of transactions. The pages around it are the caller's.
pub(super) async fn table(visit: &Visit, caption: &str, rows: &[JournalRow]) -> Result<Table, Fault> {
    let sides = |row: &JournalRow| (side(&row.entry.legs, |leg| leg.debit), side(&row.entry.legs, |leg| leg.credit));
    let firsts = |row: &JournalRow| {
        let (debits, credits) = sides(row);
        debits.into_iter().take(1).chain(credits.into_iter().take(1))
    };
    let wanted: BTreeSet<LedgerAccountId> = rows.iter().flat_map(firsts).collect();
    let lines = visit.services().list_chart_lines(&wanted.into_iter().collect::<Vec<_>>()).await?;
    let row = |row: &JournalRow| {
        let href = transaction_href(row.entry.id);
        let (debits, credits) = sides(row);
        let total = if row.entry.legs.is_empty() { Cell::None } else { money(row.total()) };
        let cells = vec![
            Cell::Time(row.recorded_us),
            Cell::link(transaction_text(row.entry.kind), href.clone()),
            side_cell(&debits, &lines),
            side_cell(&credits, &lines),
            total,
            Cell::Mono(format!("{}/{}", row.position.slot, row.position.seq)),
            Cell::id(row.entry.id, href.clone()),
        ];
        Row::new(href, cells)
    };
    Ok(Table {
        caption: t(caption),
        columns: vec![
            Column::new(t("ledger-recorded")),
            Column::new(t("ledger-kind")),
            Column::new(t("ledger-debit")),
            Column::new(t("ledger-credit")),
            Column::right(t("ledger-amount")),
            Column::new(t("ledger-place")),
            Column::new(t("ledger-transaction")),
        ],
        rows: rows.iter().map(row).collect(),
        ..Table::default()
    })
}

/// The filter's choices of kinds.
fn kinds(chosen: Option<TransactionKind>) -> Vec<Choice> {
    let any = Choice { value: String::new(), label: t("ledger-any"), is_chosen: chosen.is_none() };
    let choice = |kind: TransactionKind| Choice {
        value: kind.as_str().to_owned(),
        label: transaction_text(kind),
        is_chosen: chosen == Some(kind),
    };
    std::iter::once(any).chain(TransactionKind::all().map(choice)).collect()
}

/// The journal.
pub(super) async fn list(visit: Visit) -> Answer {
    let path = format!("{BOOKS}{PATH}");
    let fields = Fields::parse(&visit.query)?;
    let kind = TransactionKind::from_word(fields.text("kind"));
    let listed = visit.services().list_journal(kind, &start(&fields)?).await?;
    let filters = Filters {
        action: path.clone(),
        fields: vec![Field::select("kind", t("ledger-kind"), kinds(kind)), until_field(&fields)],
        all_href: if visit.query.is_empty() { String::new() } else { path.clone() },
    };
    let empty = if listed.next.is_some() { "ledger-journal-none-here" } else { "ledger-journal-none" };
    let table = Table {
        first: visit.first_href(&path),
        next: next_href(&visit, &path, listed.next.as_ref()),
        empty: Some(Empty {
            text: t(empty),
            command: "tollgate account create --email someone@example.com --credits 100".to_owned(),
            link: None,
        }),
        ..table(&visit, "ledger-journal", &listed.rows).await?
    };
    let page = super::view(&visit, PATH).tool(
        visit.may(ConsoleAction::LedgerExport),
        t("ledger-export"),
        format!("{BOOKS}/exports?report=journal&format=csv"),
    );
    let mut page = page.with(filters).with(table);
    if let Some(notice) = looked_back(listed.looked_back_to_us) {
        page = page.with(notice);
    }
    visit.show(page).await
}
