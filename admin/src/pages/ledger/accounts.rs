//! The chart of accounts: a list with balances, and one account with its newest entries.

use std::sync::Arc;

use actix_web::web::Path;
use engine::{
    credits::Credits,
    id::EntryId,
    ledger::{AccountKind, LedgerAccountId},
    policy::console::ConsoleAction,
    service::{
        chart::ChartLine,
        journal::{AccountMove, ENTRIES_LOOKED_AT, JournalCursor, JournalStart, RUNNING_ENTRIES_MAX, RunningBalance},
        paging::Listed,
    },
    store::StoreError,
};

use super::{
    BOOKS, KINDS, PURSES, account_href, class_table, class_text, journal, kind_slug, kind_text, money, money_or_none,
    short_code, transaction_href, transaction_text, tree,
};
use crate::{
    console::{Answer, Fault, Fields, ListedPage, Problems, Visit, csv_by, csv_of},
    kit::{
        Cell, Choice, Column, Empty, Facts, Field, Filters, Heading, Page, Row, Table, Text, Tone, instant_text,
        page_href,
    },
    text::{t, t_with},
};

/// The list, below [`BOOKS`].
const PATH: &str = "/accounts";

/// Whoever an account of the books belongs to.
fn owner_cell(owner: &str) -> Cell {
    let page = match owner.split_once('_') {
        Some(("acc", _)) => "accounts",
        Some(("par", _)) => "partners",
        Some(("pub", _)) => "publishers",
        _ => return if owner.is_empty() { Cell::None } else { Cell::text(owner) },
    };
    Cell::id(owner, format!("/admin/{page}/{owner}"))
}

fn state(line: &ChartLine) -> Cell {
    match line.closed_us {
        Some(_) => Cell::state(t("ledger-account-closed"), Tone::Warn),
        None => Cell::state(t("ledger-account-open"), Tone::Good),
    }
}

/// Which accounts are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chosen {
    /// Those of a kind.
    Kind(AccountKind),
    /// Wallets and grants, which are one class.
    Purses,
}

impl Chosen {
    /// Reads a word of an address.
    fn from_word(word: &str) -> Option<Self> {
        let kind = KINDS.iter().find(|(_, known)| *known == word).map(|(kind, _)| Self::Kind(*kind));
        kind.or_else(|| (word == PURSES).then_some(Self::Purses))
    }

    /// The one kind, if it is one.
    const fn kind(self) -> Option<AccountKind> {
        match self {
            Self::Kind(kind) => Some(kind),
            Self::Purses => None,
        }
    }

    fn has(self, line: &ChartLine) -> bool {
        match self {
            Self::Kind(kind) => line.kind == kind,
            Self::Purses => matches!(line.kind, AccountKind::Wallet | AccountKind::Grant),
        }
    }
}

/// The filter's choices of kinds.
fn kinds(chosen: Option<Chosen>) -> Vec<Choice> {
    let choice = |value: &str, label: String, of: Option<Chosen>| Choice {
        value: value.to_owned(),
        label,
        is_chosen: chosen == of,
    };
    let any = choice("", t("ledger-any"), None);
    let purses = choice(PURSES, class_text(AccountKind::Wallet), Some(Chosen::Purses));
    let kinds = KINDS.iter().map(|(kind, word)| choice(word, kind_text(*kind), Some(Chosen::Kind(*kind))));
    [any, purses].into_iter().chain(kinds).collect()
}

fn row(line: &ChartLine) -> Row {
    let href = account_href(line.id);
    let cells = vec![
        Cell::link(short_code(&line.code), href.clone()),
        Cell::text(kind_text(line.kind)),
        owner_cell(line.owner()),
        money(line.debits),
        money(line.credits),
        money(line.balance()),
        money_or_none(line.held),
        state(line),
    ];
    Row::new(href, cells)
}

/// A page of the chart below the number `after`; somebody's accounts all at once.
async fn read(
    visit: &Visit,
    (chosen, owner): (Option<Chosen>, &str),
    after: Option<i64>,
) -> Result<Listed<ChartLine>, StoreError> {
    let mut listed = if owner.is_empty() {
        // Wallets and grants are nearly all there are: of a page of everything the rest is left out.
        let kind = chosen.and_then(Chosen::kind);
        visit.services().list_chart(kind, after.map(LedgerAccountId::from_raw)).await?
    } else {
        Listed { rows: visit.services().find_chart_of(owner).await?, next: None }
    };
    listed.rows.retain(|line| chosen.is_none_or(|chosen| chosen.has(line)));
    Ok(listed)
}

/// The chart as a file.
pub(super) async fn export(visit: Visit) -> Answer {
    let fields = Fields::parse(&visit.query)?;
    let (chosen, owner) = (Chosen::from_word(fields.text("kind")), Arc::new(fields.text("owner").to_owned()));
    let columns = [
        "account",
        "code",
        "kind",
        "owner",
        "debits_credits",
        "credits_credits",
        "balance_credits",
        "held_credits",
        "opened",
        "closed",
    ];
    let reader = visit.clone();
    csv_by(&visit, "ledger-accounts", &columns, move |after: Option<i64>| -> ListedPage<i64> {
        let (visit, owner) = (reader.clone(), Arc::clone(&owner));
        Box::pin(async move {
            let listed = read(&visit, (chosen, &owner), after).await?;
            Ok((listed.rows.iter().map(csv_row).collect(), listed.next.and_then(|next| next.parse().ok())))
        })
    })
    .await
}

/// An amount of micro-credits in credits, for programs.
fn credits(micros: i64) -> String {
    Credits::from_micros(micros).to_string()
}

fn csv_row(line: &ChartLine) -> Vec<String> {
    vec![
        line.id.to_string(),
        line.code.clone(),
        kind_slug(line.kind).to_owned(),
        line.owner().to_owned(),
        credits(line.debits),
        credits(line.credits),
        credits(line.balance()),
        credits(line.held),
        instant_text(line.opened_us),
        line.closed_us.map(instant_text).unwrap_or_default(),
    ]
}

/// The chart.
pub(super) async fn list(visit: Visit) -> Answer {
    let path = format!("{BOOKS}{PATH}");
    let fields = Fields::parse(&visit.query)?;
    let (chosen, owner) = (Chosen::from_word(fields.text("kind")), fields.text("owner"));
    let after = match fields.text("after") {
        "" => None,
        text => Some(text.parse().map_err(|_unreadable| Fault::Address)?),
    };
    let listed = read(&visit, (chosen, owner), after).await?;
    let is_narrowed = chosen.is_some() || !owner.is_empty() || after.is_some();
    let filters = Filters {
        action: path.clone(),
        fields: vec![
            Field::select("kind", t("ledger-class"), kinds(chosen)),
            Field::line("owner", t("ledger-owner-filter")).value(owner),
        ],
        all_href: if is_narrowed { path.clone() } else { String::new() },
    };
    let empty = if listed.next.is_some() { "ledger-accounts-none-here" } else { "ledger-accounts-none" };
    let table = Table {
        caption: t("ledger-accounts"),
        columns: vec![
            Column::new(t("ledger-account")),
            Column::new(t("ledger-class")),
            Column::new(t("ledger-owner")),
            Column::right(t("ledger-debits")),
            Column::right(t("ledger-credits")),
            Column::right(t("ledger-balance")),
            Column::right(t("ledger-held")),
            Column::new(t("ledger-state")),
        ],
        rows: listed.rows.iter().map(row).collect(),
        first: visit.first_href(&path),
        next: listed.next.map_or_else(String::new, |next| page_href(&path, &visit.query, "after", &next)),
        exports: visit.file_links(ConsoleAction::LedgerExport, &format!("{path}/export")),
        empty: Some(Empty {
            text: t(empty),
            command: "tollgate account create --email someone@example.com --credits 100".to_owned(),
            link: None,
        }),
        ..Table::default()
    };
    let mut page = super::view(&visit, PATH).tool(
        visit.may(ConsoleAction::LedgerExport),
        t("ledger-export"),
        format!("{BOOKS}/exports?report=trial-balance&format=csv"),
    );
    if !is_narrowed {
        let found = visit.services().load_class_sums().await?;
        page.blocks.extend(tree::blocks(&found));
        page = page
            .with(class_table(&found.sums))
            .with(Text::new(t_with("ledger-classes-at", &[("when", instant_text(found.at_us).into())])))
            .with(Heading::new(t("ledger-accounts")));
    }
    visit.show(page.with(filters).with(table)).await
}

fn facts(line: &ChartLine) -> Facts {
    let mut facts = Facts::new()
        .fact(t("ledger-balance"), money(line.balance()))
        .fact(t("ledger-debits"), money(line.debits))
        .fact(t("ledger-credits"), money(line.credits));
    if let Some(overdraft) = line.overdraft {
        facts = facts.fact(t("ledger-held"), money(line.held)).fact(t("ledger-overdraft"), money(overdraft));
    }
    facts
        .fact(
            t("ledger-class"),
            Cell::link(kind_text(line.kind), format!("{BOOKS}{PATH}?kind={}", kind_slug(line.kind))),
        )
        .fact(t("ledger-owner"), owner_cell(line.owner()))
        .fact(t("ledger-code"), Cell::Mono(line.code.clone()))
        .fact(t("ledger-number"), Cell::Mono(line.id.to_string()))
        .fact(t("ledger-opened"), Cell::Time(line.opened_us))
        .fact(t("ledger-closed"), Cell::time(line.closed_us))
}

fn move_row(moved: &AccountMove) -> Row {
    let id: EntryId = moved.transaction.entry.id;
    let cells = vec![
        Cell::Time(moved.transaction.recorded_us),
        Cell::link(transaction_text(moved.transaction.entry.kind), transaction_href(id)),
        money_or_none(moved.debits),
        money_or_none(moved.credits),
        moved.balance.map_or(Cell::None, money),
        Cell::id(id, transaction_href(id)),
    ];
    Row::new(transaction_href(id), cells)
}

/// Where an account's entries go on in a file, and what it had there.
type MovesPlace = (JournalCursor, RunningBalance);

/// An account's entries as a file.
pub(super) async fn export_moves(visit: Visit, id: Path<String>) -> Answer {
    let id = id.parse().map(LedgerAccountId::from_raw).map_err(|_unreadable| Fault::NotFound)?;
    visit.services().find_chart_line(id).await?.ok_or(Fault::NotFound)?;
    let start = journal::start_of_file(&visit)?;
    let columns =
        ["transaction", "slot", "seq", "recorded", "kind", "debit_credits", "credit_credits", "balance_after_credits"];
    let (reader, of) = (visit.clone(), id.to_string());
    csv_of(&visit, ("entries", &of), &columns, move |after: Option<MovesPlace>| -> ListedPage<MovesPlace> {
        let visit = reader.clone();
        let (start, running) = match after {
            Some((cursor, running)) => (JournalStart::After(cursor), Some(running)),
            None => (start.clone(), None),
        };
        Box::pin(async move {
            // The balance goes along from page to page: adding it up for each would look at all that is newer each time.
            let (page, running) = visit.services().read_account_moves(id, &start, running).await?;
            Ok((page.rows.iter().map(move_cells).collect(), page.next.map(|next| (next, running))))
        })
    })
    .await
}

fn move_cells(moved: &AccountMove) -> Vec<String> {
    let row = &moved.transaction;
    vec![
        row.entry.id.to_string(),
        row.position.slot.to_string(),
        row.position.seq.to_string(),
        instant_text(row.recorded_us),
        row.entry.kind.as_str().to_owned(),
        credits(moved.debits),
        credits(moved.credits),
        moved.balance.map(credits).unwrap_or_default(),
    ]
}

/// One account.
pub(super) async fn show(visit: Visit, id: Path<String>) -> Answer {
    let id = id.parse().map(LedgerAccountId::from_raw).map_err(|_unreadable| Fault::NotFound)?;
    let line = visit.services().find_chart_line(id).await?.ok_or(Fault::NotFound)?;
    let own = account_href(id);
    let fields = Fields::parse(&visit.query)?;
    let mut problems = Problems::default();
    let start = journal::start(&fields, &mut problems)?;
    let filters = Filters {
        action: own.clone(),
        fields: vec![journal::until_field(&fields, &problems)],
        all_href: if visit.query.is_empty() { String::new() } else { own.clone() },
    };
    let page = Page::new(short_code(&line.code))
        .under(t("ledger-title"), BOOKS)
        .under(t("ledger-accounts"), format!("{BOOKS}{PATH}"));
    if !problems.is_empty() {
        return visit.show_refused(page.with(filters)).await;
    }
    let moves = visit.services().list_account_moves(id, &start).await?;
    let text =
        t_with("ledger-moves-text", &[("looked", ENTRIES_LOOKED_AT.into()), ("running", RUNNING_ENTRIES_MAX.into())]);
    let table = Table {
        caption: t("ledger-moves"),
        columns: vec![
            Column::new(t("ledger-recorded")),
            Column::new(t("ledger-kind")),
            Column::right(t("ledger-debit")),
            Column::right(t("ledger-credit")),
            Column::right(t("ledger-balance-after")),
            Column::new(t("ledger-transaction")),
        ],
        rows: moves.rows.iter().map(move_row).collect(),
        first: visit.first_href(&own),
        next: journal::next_href(&visit, &own, moves.next.as_ref()),
        exports: visit.file_links(ConsoleAction::LedgerExport, &format!("{own}/export")),
        empty: Some(Empty {
            text: t("ledger-moves-none"),
            command: "tollgate account grant acc_… 10 --reason \"a first entry\"".to_owned(),
            link: None,
        }),
        ..Table::default()
    };
    let statement = format!("{BOOKS}/exports?report=account-statement&format=csv&account={id}");
    let mut page = page
        .tool(visit.may(ConsoleAction::LedgerExport), t("ledger-statement"), statement)
        .with(facts(&line))
        .with(Heading::new(t("ledger-moves")))
        .with(Text::new(text))
        .with(filters)
        .with(table);
    if let Some(notice) = journal::looked_back(moves.looked_back_to_us) {
        page = page.with(notice);
    }
    page.subtitle = vec![state(&line)];
    if !line.owner().is_empty() {
        let timeline = super::super::timeline(&visit, line.owner()).await?;
        page = page.with(Heading::new(t("console-timeline"))).with(timeline);
    }
    visit.show(page).await
}
