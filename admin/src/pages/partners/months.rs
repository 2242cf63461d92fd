//! Statements of calendar months: what a partner's calls came to, by tool and by end user; as a page, and as one to print.

use actix_web::web::Path;
use engine::{
    ledger::caps::CapWindow,
    limits::USAGE_ROWS_MAX,
    service::{
        paging::PAGE_ROWS,
        partners::{PartnerProfile, UsageBy, UsageLine, UsagePage, UsagePeriod, UsageQuery},
    },
};

use super::{
    below, href, load,
    usage::{self, counted_until, cursor, period_text, sum_columns, sums},
    view,
};
use crate::{
    console::{Answer, Fault, Fields, Visit},
    kit::{
        Block, Cell, Column, Empty, Facts, Heading, Link, Notice, Page, Row, Table, Text, Tone, page_href, parse_time,
    },
    text::{t, t_with},
};

fn list_href(partner: &PartnerProfile) -> String {
    format!("{}/statements", href(partner.id))
}

/// The month that is called `text` (`2026-11`), from its first moment to that of the next one, in microseconds since the Unix
/// epoch.
fn month(text: &str) -> Option<(i64, i64)> {
    let is_month = text.len() == 7
        && text.bytes().enumerate().all(|(at, byte)| if at == 4 { byte == b'-' } else { byte.is_ascii_digit() });
    let first_us = parse_time(&format!("{text}-01")).filter(|_| is_month)?;
    Some((first_us, end_of(first_us)))
}

fn end_of(first_us: i64) -> i64 {
    CapWindow::Month.bounds(first_us).1.unwrap_or(i64::MAX)
}

/// Whether no call of the month that ends at `end_us` is missing any more.
fn state(end_us: i64, counted_until_us: i64) -> Cell {
    if counted_until_us >= end_us {
        Cell::state(t("partners-month-complete"), Tone::Good)
    } else {
        Cell::state(t("partners-month-open"), Tone::Warn)
    }
}

pub(super) async fn list(visit: Visit, id: Path<String>) -> Answer {
    let partner = load(&visit, &id).await?;
    let found = visit.services().list_partner_months(partner.id).await?;
    let row = |line: &UsageLine| {
        let name = period_text(line.start_us, UsagePeriod::Month);
        let own = format!("{}/{name}", list_href(&partner));
        let cells = vec![
            Cell::link(name, own.clone()),
            Cell::Number(line.calls),
            Cell::Number(line.paid_calls),
            Cell::Money(line.charged),
            state(end_of(line.start_us), found.counted_until_us),
        ];
        Row::new(own, cells)
    };
    let table = Table {
        caption: t("partners-months"),
        columns: std::iter::once(Column::new(t("partners-month")))
            .chain(sum_columns())
            .chain([Column::new(t("partners-state"))])
            .collect(),
        rows: found.rows.iter().map(row).collect(),
        empty: Some(Empty {
            text: t("partners-months-empty"),
            command: "curl -H 'Authorization: Bearer faro_partner_…' …/partners/statements".to_owned(),
            link: None,
        }),
        ..Table::default()
    };
    visit.show(view(&visit, &partner, "/statements").with(counted_until(&found)).with(table)).await
}

/// One month.
struct Statement {
    partner: PartnerProfile,
    /// As people write it.
    name: String,
    end_us: i64,
    total: UsagePage,
    tools: UsagePage,
    users: UsagePage,
}

/// Reads a month with so many of its end users, from behind the one that the address names.
async fn read(visit: &Visit, (id, name): (&str, String), users_max: u64) -> Result<Statement, Fault> {
    let partner = load(visit, id).await?;
    let (from_us, to_us) = month(&name).ok_or(Fault::NotFound)?;
    let after = cursor(&Fields::parse(&visit.query)?)?;
    let query = |by: UsageBy| UsageQuery { by, period: UsagePeriod::Month, from_us, to_us };
    let services = visit.services();
    let total = services.list_partner_usage(partner.id, query(UsageBy::Total), None, 1).await?;
    let tools = services.list_partner_usage(partner.id, query(UsageBy::Tool), None, USAGE_ROWS_MAX).await?;
    let users = services.list_partner_usage(partner.id, query(UsageBy::EndUser), after, users_max).await?;
    Ok(Statement { partner, name, end_us: to_us, total, tools, users })
}

impl Statement {
    fn title(&self) -> String {
        t_with("partners-month-of", &[("month", self.name.as_str().into())])
    }

    fn href(&self) -> String {
        format!("{}/{}", list_href(&self.partner), self.name)
    }

    /// What the calls came to, and up to when they are in it.
    fn total(&self) -> Vec<Block> {
        vec![
            sums(&self.total.rows).into(),
            counted_until(&self.total).into(),
            Text::new(t("partners-month-text")).into(),
        ]
    }

    /// The calls by tool.
    fn tools(&self) -> Vec<Block> {
        let table = self.table(("partners-usage-by-tool", "partners-usage-tool"), &self.tools);
        let mut blocks = vec![Heading::new(t("partners-usage-by-tool")).into(), table.into()];
        blocks.extend(self.tools.next.map(|_more| cut()));
        blocks
    }

    fn table(&self, (caption, about): (&str, &str), page: &UsagePage) -> Table {
        Table {
            caption: t(caption),
            columns: std::iter::once(Column::new(t(about))).chain(sum_columns()).collect(),
            rows: usage::rows(&self.partner, &page.rows, None, true),
            ..Table::default()
        }
    }

    /// The calls by end user.
    fn users(&self) -> Table {
        self.table(("partners-usage-by-user", "partners-usage-end-user"), &self.users)
    }
}

/// That there are more lines than are shown.
fn cut() -> Block {
    let most = i64::try_from(USAGE_ROWS_MAX).unwrap_or(i64::MAX);
    Notice::new(Tone::Warn, t_with("partners-month-cut", &[("rows", most.into())])).into()
}

pub(super) async fn show(visit: Visit, path: Path<(String, String)>) -> Answer {
    let (id, name) = path.into_inner();
    let statement = read(&visit, (&id, name), PAGE_ROWS).await?;
    let (partner, own) = (&statement.partner, statement.href());
    let mut page = below(partner, statement.title()).under(t("partners-months"), list_href(partner));
    page.subtitle = vec![state(statement.end_us, statement.users.counted_until_us)];
    page.tools = vec![Link::new(t("partners-month-print"), format!("{own}/print"))];
    page.blocks.extend(statement.total());
    page.blocks.extend(statement.tools());
    let next = statement.users.next.map(|next| page_href(&own, &visit.query, "after", &next.to_string()));
    let users = Table { first: visit.first_href(&own), next: next.unwrap_or_default(), ..statement.users() };
    visit.show(page.with(Heading::new(t("partners-usage-by-user"))).with(users)).await
}

/// The same as one page for paper: with whose it is, and without what leads elsewhere.
pub(super) async fn print(visit: Visit, path: Path<(String, String)>) -> Answer {
    let (id, name) = path.into_inner();
    let statement = read(&visit, (&id, name), USAGE_ROWS_MAX).await?;
    let partner = &statement.partner;
    let mut page: Page = below(partner, statement.title())
        .under(t("partners-months"), list_href(partner))
        .under(statement.name.clone(), statement.href());
    page.subtitle = vec![state(statement.end_us, statement.users.counted_until_us)];
    let whose = Facts::new()
        .fact(t("partners-user-of"), Cell::text(&partner.name))
        .fact(t("partners-month-id"), Cell::Mono(partner.id.to_string()))
        .fact(t("partners-month"), Cell::text(&statement.name))
        .fact(t("partners-month-made"), Cell::Time(visit.now_us));
    page = page.with(whose);
    page.blocks.extend(statement.total());
    page.blocks.extend(statement.tools());
    page = page.with(Heading::new(t("partners-usage-by-user"))).with(statement.users());
    page.blocks.extend(statement.users.next.map(|_more| cut()));
    visit.show(page).await
}

#[cfg(test)]
mod tests;
