//! One entry of the books: its postings, its place in the chain, why it was made, and its receipt.

use std::collections::BTreeSet;

use actix_web::{HttpResponse, http::header, web::Path};
use engine::{
    id::{EntryId, InvocationId},
    ledger::{LedgerAccountId, leaf::Position},
    policy::console::ConsoleAction,
    service::{
        chart::ChartLine,
        journal::{Cause, HashedPlace, JournalRow, Named},
    },
    store::{StoreError, books::FoundReceipt},
};

use super::{BOOKS, account_cell, hash, journal, money, transaction_href, transaction_text};
use crate::{
    console::{Answer, Fault, Visit},
    kit::{Cell, Column, Facts, Heading, Notice, Page, Row, TAccount, TAccounts, Table, Tone, short_id},
    text::{t, t_with},
};

/// What the keys of the ways in which holds end begin with.
const END: &str = "ledger-end-";

/// An entry's identifier; that of a call is the name of its hold and its charge, too.
fn entry_id(text: &str) -> Result<EntryId, Fault> {
    let call = text.parse::<InvocationId>().map(EntryId::from);
    call.or_else(|_no_call| text.parse()).map_err(|_unreadable| Fault::NotFound)
}

/// Every account that is named on the page.
fn accounts_of(named: &Named) -> Vec<LedgerAccountId> {
    let legs = named.transaction.iter().flat_map(|row| &row.entry.legs);
    let of_hold = named.hold.iter().flat_map(|hold| [hold.wallet, hold.payee]);
    let all: BTreeSet<LedgerAccountId> = legs.flat_map(|leg| [leg.debit, leg.credit]).chain(of_hold).collect();
    all.into_iter().collect()
}

/// The T of every account, in the order in which the postings name them.
fn t_accounts(row: &JournalRow, lines: &[ChartLine]) -> TAccounts {
    let mut accounts: Vec<(LedgerAccountId, TAccount)> = Vec::new();
    for leg in &row.entry.legs {
        for (id, is_debit) in [(leg.debit, true), (leg.credit, false)] {
            if !accounts.iter().any(|(known, _)| *known == id) {
                let name = account_cell(id, lines);
                accounts.push((id, TAccount { name, debits: Vec::new(), credits: Vec::new() }));
            }
            if let Some((_, account)) = accounts.iter_mut().find(|(known, _)| *known == id) {
                let side = if is_debit { &mut account.debits } else { &mut account.credits };
                side.push(leg.amount);
            }
        }
    }
    TAccounts {
        debit: t("ledger-debit"),
        credit: t("ledger-credit"),
        accounts: accounts.into_iter().map(|(_, account)| account).collect(),
    }
}

fn postings(row: &JournalRow, lines: &[ChartLine]) -> Table {
    let rows = (1_i64..).zip(&row.entry.legs).map(|(number, leg)| {
        let cells = vec![
            Cell::Number(number),
            account_cell(leg.debit, lines),
            account_cell(leg.credit, lines),
            Cell::Money(leg.amount),
        ];
        Row::new("", cells)
    });
    Table {
        caption: t("ledger-postings"),
        columns: vec![
            Column::right(t("ledger-posting")),
            Column::new(t("ledger-debit")),
            Column::new(t("ledger-credit")),
            Column::right(t("ledger-amount")),
        ],
        rows: rows.collect(),
        ..Table::default()
    }
}

fn facts(named: &Named) -> Facts {
    let mut facts = Facts::new();
    if let Some(row) = &named.transaction {
        facts = facts
            .fact(t("ledger-recorded"), Cell::Time(row.recorded_us))
            .fact(t("ledger-effective"), Cell::Time(row.entry.effective_us));
        if !row.entry.legs.is_empty() {
            facts = facts.fact(t("ledger-amount"), money(row.total()));
        }
        if row.entry.kind.takes_back()
            && let Some(id) = row.entry.reverses
        {
            facts = facts.fact(t("ledger-takes-back"), Cell::id(id, transaction_href(id)));
        }
        if let Some(meta) = &row.entry.meta {
            facts = facts.fact(t("ledger-meta"), hash(meta));
        }
    }
    named.cause.iter().fold(facts, add_cause)
}

fn add_cause(facts: Facts, cause: &Cause) -> Facts {
    let because = t("ledger-cause");
    match cause {
        Cause::Call(id) => facts.fact(because, Cell::id(id, format!("/admin/invocations/{id}"))),
        Cause::Purchase { id, account } => facts
            .fact(because, Cell::id(id, format!("/admin/purchases/{id}")))
            .fact(t("ledger-owner"), Cell::id(account, super::super::accounts::href(*account))),
        Cause::Grant { account, reason } => facts
            .fact(because, Cell::text(reason))
            .fact(t("ledger-owner"), Cell::id(account, super::super::accounts::href(*account))),
        Cause::Movement { kind, subject, credits, reason } => facts
            .fact(because, Cell::text(reason))
            .fact(t("ledger-order"), Cell::Mono(kind.clone()))
            .fact(t("ledger-subject"), Cell::id(subject, ""))
            .fact(t("ledger-asked"), credits.map_or_else(|| Cell::text(t("ledger-asked-all")), Cell::Money)),
        Cause::Fact { table } => facts.fact(because, Cell::text(t_with("ledger-fact", &[("table", (*table).into())]))),
    }
}

fn hold_facts(named: &Named, lines: &[ChartLine]) -> Option<Facts> {
    let hold = named.hold.as_ref()?;
    let facts = Facts::new()
        .fact(t("ledger-held"), Cell::Money(hold.amount))
        .fact(t("ledger-wallet"), account_cell(hold.wallet, lines))
        .fact(t("ledger-payee"), account_cell(hold.payee, lines))
        .fact(t("ledger-place"), position(hold.position));
    Some(match &named.end {
        None => facts.fact(t("ledger-state"), Cell::state(t("ledger-end-open"), Tone::Warn)),
        Some(end) => facts
            .fact(t("ledger-state"), Cell::state(t(&[END, end.settled.as_str()].concat()), Tone::Good))
            .fact(t("ledger-captured"), Cell::Money(end.captured)),
    })
}

fn position(position: Position) -> Cell {
    Cell::Mono(format!("{}/{}", position.slot, position.seq))
}

fn place_facts(place: &HashedPlace) -> Facts {
    let header = if place.is_header_whole() {
        Cell::state(t("ledger-header-whole"), Tone::Good)
    } else {
        Cell::state(t("ledger-header-changed"), Tone::Bad)
    };
    let vouched = match place.checkpoint {
        Some(number) => {
            let text = t_with("ledger-vouched", &[("number", number.to_string().into())]);
            Cell::link(text, format!("{BOOKS}/checkpoints/{number}"))
        }
        None => Cell::state(t("ledger-not-vouched"), Tone::Warn),
    };
    Facts::new()
        .fact(t("ledger-place"), position(place.position))
        .fact(t("ledger-leaf"), hash(&place.leaf))
        .fact(t("ledger-batch"), Cell::Mono(format!("{}/{}", place.header.slot, place.header.batch_no)))
        .fact(t("ledger-batch-entries"), Cell::Number(place.header.entries))
        .fact(t("ledger-root"), hash(&place.header.root))
        .fact(t("ledger-prev-hash"), hash(&place.header.prev_hash))
        .fact(t("ledger-batch-hash"), hash(&place.hash))
        .fact(t("ledger-header"), header)
        .fact(t("ledger-checkpoint"), vouched)
}

/// What an entry is called, for people.
fn title(named: &Named) -> String {
    let what = named.transaction.as_ref().map_or_else(|| t("ledger-hold"), |row| transaction_text(row.entry.kind));
    format!("{what} {}", short_id(&named.id.to_string()))
}

async fn page(visit: &Visit, named: &Named) -> Result<Page, Fault> {
    let lines = visit.services().list_chart_lines(&accounts_of(named)).await?;
    let own = transaction_href(named.id);
    let mut page = Page::new(title(named))
        .under(t("ledger-title"), BOOKS)
        .under(t("ledger-journal"), format!("{BOOKS}/journal"))
        .tool(true, t("ledger-receipt"), format!("{own}/receipt"))
        .with(facts(named));
    page.subtitle = vec![Cell::id(named.id, "")];
    if let Some(row) = named.transaction.as_ref().filter(|row| !row.entry.legs.is_empty()) {
        page =
            page.with(Heading::new(t("ledger-t-accounts"))).with(t_accounts(row, &lines)).with(postings(row, &lines));
    }
    if let Some(hold) = hold_facts(named, &lines) {
        page = page.with(Heading::new(t("ledger-hold"))).with(hold);
    }
    if !named.taken_back_by.is_empty() {
        let table = journal::table(visit, "ledger-taken-back", &named.taken_back_by).await?;
        page = page.with(Heading::new(t("ledger-taken-back"))).with(table);
    }
    if let Some(place) = &named.place {
        page = page.with(Heading::new(t("ledger-chain"))).with(place_facts(place));
    }
    let subject = match &named.cause {
        Some(Cause::Call(id)) => id.to_string(),
        Some(Cause::Purchase { id, .. }) => id.to_string(),
        Some(Cause::Grant { account, .. }) => account.to_string(),
        Some(Cause::Movement { subject, .. }) => subject.clone(),
        Some(Cause::Fact { .. }) | None => named.id.to_string(),
    };
    let timeline = super::super::timeline(visit, &subject).await?;
    Ok(page.with(Heading::new(t("console-timeline"))).with(timeline))
}

async fn load(visit: &Visit, id: &str) -> Result<Named, Fault> {
    visit.services().find_named(entry_id(id)?).await?.ok_or(Fault::NotFound)
}

/// One entry.
pub(super) async fn show(visit: Visit, id: Path<String>) -> Answer {
    let named = load(&visit, &id).await?;
    visit.show(page(&visit, &named).await?).await
}

/// The proof of an entry, as a file that can be checked without us.
pub(super) async fn receipt(visit: Visit, id: Path<String>) -> Answer {
    let entry = entry_id(&id)?;
    let notice = match visit.services().find_receipt(entry).await {
        Ok(FoundReceipt::Proven(receipt)) => {
            let name = format!("attachment; filename=\"receipt-{entry}.json\"");
            return Ok(HttpResponse::Ok()
                .content_type("application/json")
                .insert_header((header::CONTENT_DISPOSITION, name))
                .body(receipt.view(&id).to_string()));
        }
        Ok(FoundReceipt::Unknown) => return Err(Fault::NotFound),
        Ok(FoundReceipt::NotYet(_)) => {
            let notice = Notice::new(Tone::Warn, t("ledger-receipt-not-yet"));
            if visit.may(ConsoleAction::LedgerCheckpoint) {
                notice.link(t("ledger-sign"), format!("{BOOKS}/checkpoints/sign"))
            } else {
                notice
            }
        }
        Err(StoreError::Inconsistent { .. }) => {
            Notice::new(Tone::Bad, t("ledger-receipt-damaged")).link(t("ledger-verify"), format!("{BOOKS}/verify"))
        }
        Err(error) => return Err(error.into()),
    };
    let named = load(&visit, &id).await?;
    let mut page = page(&visit, &named).await?;
    page.blocks.insert(0, notice.into());
    visit.show(page).await
}
