//! The books: what they come to, their accounts, their entries, and the proofs that they are whole.

use engine::{
    credits::Credits,
    id::EntryId,
    ledger::{AccountKind, LedgerAccountId, TransactionKind},
    policy::console::ConsoleAction,
    service::{
        chart::{ChartLine, ClassSum, ClassSums},
        verification::VerificationState,
    },
};

use crate::{
    console::{Access, Answer, ListFile, Route, Visit, get, post},
    kit::{
        Cell, Column, Diverging, Heading, Link, Notice, Page, Row, Side, Stat, Stats, Table, Tone, instant_text,
        short_id,
    },
    text::{t, t_with},
};

mod accounts;
mod checkpoints;
mod close;
mod exports;
mod journal;
mod periods;
mod transactions;
mod tree;
mod trial_balance;
mod verify;

/// Where the books are.
const BOOKS: &str = "/admin/ledger";
/// What the keys of the kinds of accounts begin with.
const KIND: &str = "ledger-kind-";
/// What the keys of the kinds of transactions begin with.
const TRANSACTION: &str = "ledger-transaction-";
/// The kinds of accounts by the words of addresses and texts.
const KINDS: [(AccountKind, &str); 10] = [
    (AccountKind::Wallet, "wallet"),
    (AccountKind::Grant, "grant"),
    (AccountKind::Payable, "payable"),
    (AccountKind::PartnerMargin, "partner_margin"),
    (AccountKind::PlatformFee, "platform_fee"),
    (AccountKind::Promo, "promo"),
    (AccountKind::Clearing, "clearing"),
    (AccountKind::Receivable, "receivable"),
    (AccountKind::Loss, "loss"),
    (AccountKind::Opening, "opening"),
];
/// The word of addresses for wallets and grants together, which are one class.
const PURSES: &str = "wallets_and_grants";
/// The views of the books, with their paths below [`BOOKS`].
const VIEWS: [(&str, &str); 8] = [
    ("ledger-overview", ""),
    ("ledger-accounts", "/accounts"),
    ("ledger-journal", "/journal"),
    ("ledger-trial-balance", "/trial-balance"),
    ("ledger-verify", "/verify"),
    ("ledger-periods", "/periods"),
    ("ledger-checkpoints", "/checkpoints"),
    ("ledger-exports", "/exports"),
];

pub(super) fn routes() -> Vec<Route> {
    let read = Access::Needs(ConsoleAction::LedgerRead);
    let close = Access::Needs(ConsoleAction::PeriodClose);
    let sign = Access::Needs(ConsoleAction::LedgerCheckpoint);
    let export = Access::Needs(ConsoleAction::LedgerExport);
    vec![
        get("/ledger", read, overview),
        get("/ledger/accounts", read, accounts::list).lists(ListFile::At("/ledger/accounts/export")),
        get("/ledger/accounts/export", export, accounts::export),
        get("/ledger/accounts/{id}", read, accounts::show).lists(ListFile::At("/ledger/accounts/{id}/export")),
        get("/ledger/accounts/{id}/export", export, accounts::export_moves),
        get("/ledger/journal", read, journal::list).lists(ListFile::At("/ledger/journal/export")),
        get("/ledger/journal/export", export, journal::export),
        get("/ledger/transactions/{id}", read, transactions::show),
        get("/ledger/transactions/{id}/receipt", read, transactions::receipt),
        get("/ledger/trial-balance", read, trial_balance::show)
            .lists(ListFile::Without("the books export it as a report of its own")),
        get("/ledger/verify", read, verify::show),
        post("/ledger/verify", Access::Needs(ConsoleAction::LedgerVerify), verify::start),
        get("/ledger/periods", read, periods::list).lists(ListFile::At("/ledger/periods/export")),
        get("/ledger/periods/export", export, periods::export),
        get("/ledger/periods/close", close, close::ask),
        post("/ledger/periods/close", close, close::close),
        get("/ledger/checkpoints", read, checkpoints::list).lists(ListFile::At("/ledger/checkpoints/export")),
        get("/ledger/checkpoints/export", export, checkpoints::export),
        get("/ledger/checkpoints/{number}", read, checkpoints::show),
        get("/ledger/checkpoints/sign", sign, checkpoints::ask),
        post("/ledger/checkpoints/sign", sign, checkpoints::sign),
        get("/ledger/exports", export, exports::ask),
        post("/ledger/exports", export, exports::export),
    ]
}

/// The view at this path below [`BOOKS`], with the others beside it.
fn view(visit: &Visit, path: &str) -> Page {
    let seen = VIEWS.iter().filter(|(_, other)| *other != "/exports" || visit.may(ConsoleAction::LedgerExport));
    let link = |(key, other): &(&str, &str)| {
        let href = if *other == path { String::new() } else { format!("{BOOKS}{other}") };
        Link::new(t(key), href)
    };
    let title = VIEWS.iter().find(|(_, other)| *other == path).map_or_else(String::new, |(key, _)| t(key));
    Page { tabs: seen.map(link).collect(), ..Page::new(title) }
}

/// The page of a transaction.
fn transaction_href(id: EntryId) -> String {
    format!("{BOOKS}/transactions/{id}")
}

/// The page of an account of the books.
fn account_href(id: LedgerAccountId) -> String {
    format!("{BOOKS}/accounts/{id}")
}

/// A word for a kind of accounts, as it stands in addresses.
fn kind_slug(kind: AccountKind) -> &'static str {
    KINDS.iter().find(|(known, _)| *known == kind).map_or("", |(_, word)| *word)
}

/// A kind of accounts, for people.
fn kind_text(kind: AccountKind) -> String {
    t(&[KIND, kind_slug(kind)].concat())
}

/// A kind of transactions, for people.
fn transaction_text(kind: TransactionKind) -> String {
    t(&[TRANSACTION, kind.as_str()].concat())
}

/// The name of an account in the chart with its identifiers cut short.
fn short_code(code: &str) -> String {
    code.split(':').map(short_id).collect::<Vec<_>>().join(":")
}

/// An account that leads to its page, by its name if it is among `lines`.
fn account_cell(id: LedgerAccountId, lines: &[ChartLine]) -> Cell {
    let line = lines.iter().find(|line| line.id == id);
    Cell::link(line.map_or_else(|| id.to_string(), |line| short_code(&line.code)), account_href(id))
}

/// An amount of micro-credits.
const fn money(micros: i64) -> Cell {
    Cell::Money(Credits::from_micros(micros))
}

/// An amount of micro-credits that is nothing where it is zero.
const fn money_or_none(micros: i64) -> Cell {
    if micros == 0 { Cell::None } else { money(micros) }
}

/// A hash as people compare it.
fn hash(digest: &[u8]) -> Cell {
    Cell::Mono(engine::ledger::hex::hex(digest))
}

/// All credits less all debits.
fn difference(sums: &[ClassSum]) -> i128 {
    sums.iter().fold(0, |sum: i128, of| sum.saturating_add(of.credits.into()).saturating_sub(of.debits.into()))
}

/// Whether both sides are equal, as a state.
fn balanced(difference: i128) -> Cell {
    match difference {
        0 => Cell::state(t("ledger-balanced"), Tone::Good),
        micros => Cell::state(t_with("ledger-unbalanced", &[("micros", micros.to_string().into())]), Tone::Bad),
    }
}

/// A line for each class; each leads to its accounts.
fn class_table(sums: &[ClassSum]) -> Table {
    let row = |sum: &ClassSum| {
        let href = class_href(sum.kind);
        let cells = vec![
            Cell::link(class_text(sum.kind), href.clone()),
            Cell::Mono(sum.kind.code("")),
            Cell::Number(sum.accounts),
            money(sum.debits),
            money(sum.credits),
            money(sum.balance()),
            money_or_none(sum.held),
        ];
        Row::new(href, cells)
    };
    Table {
        caption: t("ledger-classes"),
        columns: vec![
            Column::new(t("ledger-class")),
            Column::new(t("ledger-code")),
            Column::right(t("ledger-count")),
            Column::right(t("ledger-debits")),
            Column::right(t("ledger-credits")),
            Column::right(t("ledger-balance")),
            Column::right(t("ledger-held")),
        ],
        rows: sums.iter().map(row).collect(),
        ..Table::default()
    }
}

/// A class of accounts: that of wallets has their grants in it.
fn class_text(kind: AccountKind) -> String {
    if kind == AccountKind::Wallet { t("ledger-wallets-and-grants") } else { kind_text(kind) }
}

/// The list of the accounts of a class: of that of wallets, their grants too.
fn class_href(kind: AccountKind) -> String {
    let word = if kind == AccountKind::Wallet { PURSES } else { kind_slug(kind) };
    format!("{BOOKS}/accounts?kind={word}")
}

/// The balances of the classes to both sides of nothing.
fn class_picture(sums: &[ClassSum]) -> Diverging {
    let row = |sum: &ClassSum| (class_text(sum.kind), Credits::from_micros(sum.balance()));
    let rows = sums.iter().filter(|sum| sum.accounts > 0).map(row).collect();
    Diverging::balances(t("ledger-picture"), t("ledger-balance"), rows)
}

/// Debits to the left, credits to the right, in micro-credits.
fn sides_picture(rows: impl Iterator<Item = (String, i64, i64)>) -> Diverging {
    let sides = |(name, debits, credits)| (name, [debits, credits].map(Credits::from_micros).to_vec());
    Diverging {
        title: t("ledger-sides"),
        columns: vec![(t("ledger-debits"), Side::Left), (t("ledger-credits"), Side::Right)],
        rows: rows.map(sides).collect(),
    }
}

/// How the last run of this process ended, and when.
fn last_run(state: &VerificationState) -> (Cell, String, Tone) {
    match (&state.running, &state.last) {
        (Some(_), _) => (Cell::state(t("ledger-verify-running"), Tone::Plain), String::new(), Tone::Plain),
        (None, None) => (Cell::state(t("ledger-verify-never"), Tone::Warn), String::new(), Tone::Warn),
        (None, Some(last)) => {
            let (key, tone) = match &last.found {
                Ok(report) if report.ok => ("ledger-verify-whole", Tone::Good),
                Ok(_) => ("ledger-verify-damaged", Tone::Bad),
                Err(_) => ("ledger-verify-failed", Tone::Warn),
            };
            (Cell::state(t(key), tone), instant_text(last.ended_us), tone)
        }
    }
}

async fn overview(visit: Visit) -> Answer {
    let services = visit.services();
    let ClassSums { at_us, sums, .. } = services.load_class_sums().await?;
    let open = services.find_open_period().await?;
    let newest = services.find_newest_checkpoint().await?;
    let (verified, verified_at, tone) = last_run(&services.verification());
    let off = difference(&sums);
    let stat = |key: &str, value: Cell, note: String, path: &str, tone: Tone| {
        let href = format!("{BOOKS}{path}");
        Stat { label: t(key), value, note, href, tone }
    };
    let signed_at = newest.as_ref().map_or_else(String::new, |known| instant_text(known.signed.checkpoint.made_us));
    let number = newest.map_or(Cell::None, |known| Cell::Number(known.signed.checkpoint.number));
    let until =
        open.map_or_else(String::new, |open| t_with("ledger-until", &[("when", instant_text(open.end_us).into())]));
    let stats = Stats {
        stats: vec![
            stat(
                "ledger-difference",
                balanced(off),
                instant_text(at_us),
                "/trial-balance",
                if off == 0 { Tone::Good } else { Tone::Bad },
            ),
            stat("ledger-verified", verified, verified_at, "/verify", tone),
            stat(
                "ledger-open-period",
                open.map_or(Cell::None, |open| Cell::Number(open.period)),
                until,
                "/periods",
                Tone::Plain,
            ),
            stat("ledger-newest-checkpoint", number, signed_at, "/checkpoints", Tone::Plain),
        ],
    };
    let mut page = view(&visit, "").with(stats);
    page.title = t("ledger-title");
    if off != 0 {
        page = page.with(Notice::new(Tone::Bad, t("ledger-unbalanced-text")));
    }
    visit.show(page.with(class_picture(&sums)).with(Heading::new(t("ledger-classes"))).with(class_table(&sums))).await
}

#[cfg(test)]
mod tests;
