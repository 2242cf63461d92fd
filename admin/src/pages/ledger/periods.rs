//! Periods: the closed ones, and the one that is open.

use engine::{
    ledger::{hex::hex, periods::PeriodClose},
    policy::console::ConsoleAction,
};

use super::{
    BOOKS, hash,
    trial_balance::{period_href, period_text},
};
use crate::{
    console::{Answer, Fault, Fields, ListedPage, Visit, csv_by},
    kit::{Cell, Column, Empty, Facts, Heading, Row, Table, Text, Tone, instant_text, page_href},
    text::t,
};

/// The list, below [`BOOKS`].
pub(super) const PATH: &str = "/periods";

fn row(close: &PeriodClose) -> Row {
    let href = period_href(close.period);
    let cells = vec![
        Cell::link(period_text(close), href.clone()),
        Cell::Time(close.start_us),
        Cell::Time(close.end_us),
        Cell::state(t("ledger-period-locked"), Tone::Good),
        hash(close.digest.get(..8).unwrap_or_default()),
        Cell::id(close.id, ""),
    ];
    Row::new(href, cells)
}

/// The closed periods as a file.
pub(super) async fn export(visit: Visit) -> Answer {
    let columns = ["period", "begins", "ends", "digest", "cut", "close"];
    let reader = visit.clone();
    csv_by(&visit, "ledger-periods", &columns, move |after: Option<i64>| -> ListedPage<i64> {
        let visit = reader.clone();
        Box::pin(async move {
            let listed = visit.services().list_periods(after).await?;
            let row = |close: &PeriodClose| {
                let cut: Vec<String> = close.cut.iter().map(|last| format!("{}/{}", last.slot, last.seq)).collect();
                vec![
                    close.period.to_string(),
                    instant_text(close.start_us),
                    instant_text(close.end_us),
                    hex(&close.digest),
                    cut.join(" "),
                    close.id.to_string(),
                ]
            };
            Ok((listed.rows.iter().map(row).collect(), listed.next.and_then(|next| next.parse().ok())))
        })
    })
    .await
}

/// The periods.
pub(super) async fn list(visit: Visit) -> Answer {
    let path = format!("{BOOKS}{PATH}");
    let fields = Fields::parse(&visit.query)?;
    let after = match fields.text("after") {
        "" => None,
        text => Some(text.parse().map_err(|_unreadable| Fault::Address)?),
    };
    let open = visit.services().find_open_period().await?;
    let listed = visit.services().list_periods(after).await?;
    let may_close = visit.may(ConsoleAction::PeriodClose) && open.is_some();
    let mut page = super::view(&visit, PATH)
        .tool(may_close, t("ledger-close"), format!("{path}/close"))
        .with(Text::new(t("ledger-periods-text")));
    if let Some(open) = open {
        page = page.with(Heading::new(t("ledger-open-period"))).with(
            Facts::new()
                .fact(t("ledger-period"), Cell::Number(open.period))
                .fact(t("ledger-begins"), Cell::Time(open.start_us))
                .fact(t("ledger-ends-itself"), Cell::Time(open.end_us))
                .fact(t("ledger-entries-to-read"), Cell::Number(open.entries)),
        );
    }
    let table = Table {
        caption: t("ledger-closed-periods"),
        columns: vec![
            Column::new(t("ledger-period")),
            Column::new(t("ledger-begins")),
            Column::new(t("ledger-ends")),
            Column::new(t("ledger-state")),
            Column::new(t("ledger-digest")),
            Column::new(t("ledger-close-entry")),
        ],
        rows: listed.rows.iter().map(row).collect(),
        first: visit.first_href(&path),
        next: listed.next.map_or_else(String::new, |next| page_href(&path, &visit.query, "after", &next)),
        exports: visit.file_links(ConsoleAction::LedgerExport, &format!("{path}/export")),
        empty: Some(Empty { text: t("ledger-periods-none"), command: "tollgate ledger close".to_owned(), link: None }),
        ..Table::default()
    };
    visit.show(page.with(Heading::new(t("ledger-closed-periods"))).with(table)).await
}
