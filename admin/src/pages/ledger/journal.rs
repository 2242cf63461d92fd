//! The journal: transactions, the newest first.

use std::collections::{BTreeSet, HashMap};

use engine::{
    ledger::{LedgerAccountId, Leg, TransactionKind},
    policy::console::ConsoleAction,
    service::{
        chart::ChartLine,
        journal::{JournalCursor, JournalRow, JournalStart},
    },
    store::StoreError,
};

use super::{BOOKS, account_cell, money, transaction_href, transaction_text};
use crate::{
    console::{Answer, Fault, Fields, ListedPage, Problems, Visit, csv_by},
    kit::{Cell, Choice, Column, Control, Empty, Field, Filters, Notice, Row, Table, Tone, instant_text, page_href},
    text::{t, t_with},
};

/// The list, below [`BOOKS`].
const PATH: &str = "/journal";
/// The field that lets a list begin earlier than now.
const UNTIL: &str = "until";

/// Where a list of entries begins, as its address says. A time that is none is said of its field.
pub(super) fn start(fields: &Fields, problems: &mut Problems) -> Result<JournalStart, Fault> {
    let before = problems.day(fields, UNTIL);
    match fields.text("after") {
        "" => Ok(before.map_or(JournalStart::Newest, JournalStart::Before)),
        after => after.parse().map(JournalStart::After).map_err(|_unreadable| Fault::Address),
    }
}

/// Where the file of such a list begins.
pub(super) fn start_of_file(visit: &Visit) -> Result<JournalStart, Fault> {
    let mut problems = Problems::default();
    let start = start(&Fields::parse(&visit.query)?, &mut problems)?;
    if problems.is_empty() { Ok(start) } else { Err(Fault::Address) }
}

/// The field that lets a list begin earlier than now.
pub(super) fn until_field(fields: &Fields, problems: &Problems) -> Field {
    let field = Field::new(UNTIL, t("ledger-recorded-before"), Control::Line("datetime-local"));
    Field { problem: problems.of(UNTIL), ..field.value(fields.text(UNTIL)) }
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

/// The journal as a file: a row for each posting.
pub(super) async fn export(visit: Visit) -> Answer {
    let kind = TransactionKind::from_word(Fields::parse(&visit.query)?.text("kind"));
    let start = start_of_file(&visit)?;
    let columns = [
        "transaction",
        "slot",
        "seq",
        "batch",
        "recorded",
        "kind",
        "debit_account",
        "credit_account",
        "amount_credits",
    ];
    let reader = visit.clone();
    csv_by(&visit, "ledger-journal", &columns, move |after: Option<JournalCursor>| -> ListedPage<JournalCursor> {
        let (visit, start) = (reader.clone(), after.map_or_else(|| start.clone(), JournalStart::After));
        Box::pin(async move {
            let page = visit.services().list_journal(kind, &start).await?;
            Ok((csv_rows(&visit, &page.rows).await?, page.next))
        })
    })
    .await
}

async fn csv_rows(visit: &Visit, rows: &[JournalRow]) -> Result<Vec<Vec<String>>, StoreError> {
    let legs = rows.iter().flat_map(|row| &row.entry.legs);
    let wanted: BTreeSet<LedgerAccountId> = legs.flat_map(|leg| [leg.debit, leg.credit]).collect();
    let lines = visit.services().list_chart_lines(&wanted.into_iter().collect::<Vec<_>>()).await?;
    let codes: HashMap<LedgerAccountId, &str> = lines.iter().map(|line| (line.id, line.code.as_str())).collect();
    let code = |id: LedgerAccountId| codes.get(&id).map_or_else(|| id.to_string(), |code| (*code).to_owned());
    let mut out = Vec::with_capacity(rows.len());
    for row in rows {
        let about = [
            row.entry.id.to_string(),
            row.position.slot.to_string(),
            row.position.seq.to_string(),
            row.batch_no.to_string(),
            instant_text(row.recorded_us),
            row.entry.kind.as_str().to_owned(),
        ];
        let with = |rest: [String; 3]| about.iter().cloned().chain(rest).collect::<Vec<_>>();
        if row.entry.legs.is_empty() {
            out.push(with([String::new(), String::new(), String::new()]));
        }
        out.extend(row.entry.legs.iter().map(|leg| with([code(leg.debit), code(leg.credit), leg.amount.to_string()])));
    }
    Ok(out)
}

/// The journal.
pub(super) async fn list(visit: Visit) -> Answer {
    let path = format!("{BOOKS}{PATH}");
    let fields = Fields::parse(&visit.query)?;
    let kind = TransactionKind::from_word(fields.text("kind"));
    let mut problems = Problems::default();
    let start = start(&fields, &mut problems)?;
    let filters = Filters {
        action: path.clone(),
        fields: vec![Field::select("kind", t("ledger-kind"), kinds(kind)), until_field(&fields, &problems)],
        all_href: if visit.query.is_empty() { String::new() } else { path.clone() },
    };
    if !problems.is_empty() {
        return visit.show_refused(super::view(&visit, PATH).with(filters)).await;
    }
    let listed = visit.services().list_journal(kind, &start).await?;
    let empty = if listed.next.is_some() { "ledger-journal-none-here" } else { "ledger-journal-none" };
    let table = Table {
        first: visit.first_href(&path),
        next: next_href(&visit, &path, listed.next.as_ref()),
        exports: visit.file_links(ConsoleAction::LedgerExport, &format!("{path}/export")),
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
