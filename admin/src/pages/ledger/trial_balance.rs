//! The trial balance: as of now from the balances that are kept, and of a closed period as it was recorded with its close.

use engine::{
    ledger::{
        AccountKind, LedgerAccountId,
        periods::{BalanceKey, BalanceRow, PeriodClose},
    },
    policy::console::ConsoleAction,
    service::{
        chart::{CLASS_SUMS_S, ClassSums},
        paging::PAGE_ROWS,
        periods::NamedLine,
    },
};

use super::{
    BOOKS, account_href, balanced, class_table, class_text, difference, hash, kind_text, money, short_code,
    sides_picture,
};
use crate::{
    console::{Answer, Fault, Fields, Visit},
    kit::{Cell, Choice, Column, Facts, Field, Filters, Heading, Page, Row, Table, Text, instant_text, page_href},
    text::{t, t_with},
};

/// The page, below [`BOOKS`].
pub(super) const PATH: &str = "/trial-balance";

/// What a period is called.
pub(super) fn period_text(close: &PeriodClose) -> String {
    let when = close.month().unwrap_or_else(|| instant_text(close.start_us));
    t_with("ledger-period-name", &[("number", close.period.to_string().into()), ("when", when.into())])
}

/// The page of a closed period.
pub(super) fn period_href(period: i64) -> String {
    format!("{BOOKS}{PATH}?period={period}")
}

/// The columns of a period's trial balance.
fn columns() -> Vec<Column> {
    let right = ["ledger-opening", "ledger-debits", "ledger-credits", "ledger-closing"];
    std::iter::once(Column::new(t("ledger-account"))).chain(right.map(|key| Column::right(t(key)))).collect()
}

fn amounts(row: &BalanceRow) -> [Cell; 4] {
    [row.opening, row.debits, row.credits, row.closing].map(money)
}

/// The kind of accounts of which a row of a period's sums tells.
fn row_name(row: &BalanceRow) -> String {
    AccountKind::from_raw(row.key.0).map_or_else(|| row.key.0.to_string(), kind_text)
}

/// The sums of a period by kinds of accounts.
pub(super) fn sum_table(sums: &[BalanceRow]) -> Table {
    let row = |row: &BalanceRow| {
        let name = Cell::text(row_name(row));
        Row::new("", std::iter::once(name).chain(amounts(row)).collect())
    };
    Table { caption: t("ledger-classes"), columns: columns(), rows: sums.iter().map(row).collect(), ..Table::default() }
}

/// What moved: all credits less all debits.
pub(super) fn moved(sums: &[BalanceRow]) -> i128 {
    sums.iter().fold(0, |sum: i128, row| sum.saturating_add(row.credits.into()).saturating_sub(row.debits.into()))
}

/// The lines of a trial balance. Customers' wallets stand in one line.
pub(super) fn line_table(lines: &[NamedLine]) -> Table {
    let row = |line: &NamedLine| {
        let (_, account) = line.row.key;
        let href = if account == 0 { String::new() } else { account_href(LedgerAccountId::from_raw(account)) };
        let name =
            if href.is_empty() { Cell::text(&line.code) } else { Cell::link(short_code(&line.code), href.clone()) };
        Row::new(href, std::iter::once(name).chain(amounts(&line.row)).collect())
    };
    Table { caption: t("ledger-lines"), columns: columns(), rows: lines.iter().map(row).collect(), ..Table::default() }
}

/// Of which moment: now, or the end of one of the newest closed periods.
async fn filters(visit: &Visit, chosen: &str) -> Result<Filters, Fault> {
    let listed = visit.services().list_periods(None).await?;
    let mut closes = listed.rows;
    // One that is further back is reached from the list of periods, and stands here all the same.
    if let (Ok(number), false) = (chosen.parse::<i64>(), closes.iter().any(|close| close.period.to_string() == chosen))
    {
        closes.extend(visit.services().find_period(number).await?);
    }
    let now = Choice { value: String::new(), label: t("ledger-now"), is_chosen: chosen.is_empty() };
    let choice = |close: &PeriodClose| {
        let value = close.period.to_string();
        Choice { is_chosen: value == chosen, label: period_text(close), value }
    };
    let choices = std::iter::once(now).chain(closes.iter().map(choice)).collect();
    let action = format!("{BOOKS}{PATH}");
    let all_href = if chosen.is_empty() { String::new() } else { action.clone() };
    let shown = PAGE_ROWS.into();
    let hint = listed.next.map_or_else(String::new, |_more| t_with("ledger-as-of-hint", &[("shown", shown)]));
    let field = Field::select("period", t("ledger-as-of"), choices).hint(hint);
    Ok(Filters { action, fields: vec![field], all_href })
}

/// The trial balance of now or of a period.
pub(super) async fn show(visit: Visit) -> Answer {
    let fields = Fields::parse(&visit.query)?;
    let chosen = fields.text("period");
    let page = super::view(&visit, PATH).with(filters(&visit, chosen).await?);
    let (mut page, range) = match chosen {
        "" => (of_now(&visit, page).await?, String::new()),
        text => {
            let number: i64 = text.parse().map_err(|_unreadable| Fault::NotFound)?;
            let close = visit.services().find_period(number).await?.ok_or(Fault::NotFound)?;
            let range = range_of(&close).unwrap_or_default();
            (of_period(&visit, page, &close, &fields).await?, range)
        }
    };
    let export = format!("{BOOKS}/exports?report=trial-balance&format=csv{range}");
    page = page.tool(visit.may(ConsoleAction::LedgerExport), t("ledger-export"), export);
    visit.show(page).await
}

async fn of_now(visit: &Visit, page: Page) -> Result<Page, Fault> {
    let ClassSums { at_us, sums, .. } = visit.services().load_class_sums().await?;
    let facts = Facts::new()
        .fact(t("ledger-as-of"), Cell::Time(at_us))
        .fact(t("ledger-difference"), balanced(difference(&sums)));
    let shown = sums.iter().filter(|sum| sum.accounts > 0);
    let now = shown.map(|sum| (class_text(sum.kind), sum.debits, sum.credits));
    Ok(page
        .with(Text::new(t_with("ledger-now-text", &[("seconds", CLASS_SUMS_S.into())])))
        .with(facts)
        .with(sides_picture(now))
        .with(class_table(&sums)))
}

/// Where the list of lines goes on: `kind.account`.
fn cursor(text: &str) -> Option<BalanceKey> {
    let (kind, account) = text.split_once('.')?;
    Some((kind.parse().ok()?, account.parse().ok()?))
}

/// The part of an address that fills a period into the form for exports; nothing where its fields cannot hold it, which
/// know milliseconds.
fn range_of(close: &PeriodClose) -> Option<String> {
    let moment = |us: i64| {
        let time = jiff::Timestamp::from_microsecond(us).ok().filter(|_| us.checked_rem(1_000) == Some(0))?;
        Some(time.strftime("%Y-%m-%dT%H:%M:%S%.f").to_string())
    };
    Some(format!("&from={}&to={}", moment(close.start_us)?, moment(close.end_us)?))
}

async fn of_period(visit: &Visit, page: Page, close: &PeriodClose, fields: &Fields) -> Result<Page, Fault> {
    let number = close.period;
    let after = match fields.text("after") {
        "" => None,
        text => Some(cursor(text).ok_or(Fault::Address)?),
    };
    let sums = visit.services().load_period_sums(number).await?;
    let listed = visit.services().list_period_lines(number, after).await?;
    let path = format!("{BOOKS}{PATH}");
    let table = Table {
        first: visit.first_href(&path),
        next: listed.next.map_or_else(String::new, |next| page_href(&path, &visit.query, "after", &next)),
        ..line_table(&listed.rows)
    };
    let cut: Vec<String> = close.cut.iter().map(|last| format!("{}/{}", last.slot, last.seq)).collect();
    let facts = Facts::new()
        .fact(t("ledger-period"), Cell::text(period_text(close)))
        .fact(t("ledger-begins"), Cell::Time(close.start_us))
        .fact(t("ledger-ends"), Cell::Time(close.end_us))
        .fact(t("ledger-difference"), balanced(moved(&sums)))
        .fact(t("ledger-cut"), Cell::Mono(cut.join(" ")))
        .fact(t("ledger-digest"), hash(&close.digest));
    let timeline = super::super::timeline_in(visit, &number.to_string(), "period").await?;
    Ok(page
        .with(facts)
        .with(sides_picture(sums.iter().map(|row| (row_name(row), row.debits, row.credits))))
        .with(sum_table(&sums))
        .with(Heading::new(t("ledger-lines")))
        .with(table)
        .with(Heading::new(t("console-timeline")))
        .with(timeline))
}
