//! What a partner has and has been paid, and where its statements come from.

use actix_web::web::Path;
use engine::{
    credits::Credits,
    policy::console::ConsoleAction,
    service::partners::{PartnerPayout, PartnerProfile},
};

use super::{load, view};
use crate::{
    console::{Answer, Visit},
    kit::{Cell, Code, Column, Empty, Facts, Heading, Notice, Row, Span, Spans, Table, Text, Tone},
    text::t,
};

/// Where exports of the books are made.
const EXPORTS: &str = "/admin/ledger/exports";

pub(super) async fn show(visit: Visit, id: Path<String>) -> Answer {
    let partner = load(&visit, &id).await?;
    let balance = visit.services().load_balance(partner.wallet, visit.now_us).await?;
    let margin = visit.services().load_partner_margin(&partner).await?;
    let facts = Facts::new()
        .fact(t("partners-available"), Cell::Money(balance.available()))
        .fact(t("partners-balance"), Cell::Money(balance.balance))
        .fact(t("partners-reserved"), Cell::Money(balance.reserved))
        .fact(t("partners-margin-earned"), Cell::Money(Credits::from_micros(margin.credits)))
        .fact(t("partners-margin-gone"), Cell::Money(Credits::from_micros(margin.debits)))
        .fact(
            t("partners-margin-left"),
            Cell::Money(Credits::from_micros(margin.credits.saturating_sub(margin.debits))),
        );
    let paid = visit.services().list_partner_payouts(&partner).await?;
    let mut page = view(&visit, &partner, "/statement").with(facts).with(Heading::new(t("partners-payouts")));
    if let Some(newest) = paid.first() {
        page = page.with(picture(newest));
    }
    let mut page = page
        .with(payouts(&partner, paid))
        .with(Heading::new(t("partners-statement-period")))
        .with(Text::new(t("partners-statement-text")));
    if visit.may(ConsoleAction::LedgerExport) {
        let href = format!("{EXPORTS}?report=partner-statement&format=csv&partner={}", partner.id);
        page = page.with(
            Notice::new(Tone::Plain, t("partners-statement-export-text")).link(t("partners-statement-export"), href),
        );
    }
    let command = format!(
        "tollgate ledger export --report partner-statement --partner {} --format csv --out statement.csv",
        partner.id
    );
    visit.show(page.with(Code { caption: t("partners-statement-command"), text: command, is_copied: true })).await
}

/// How the newest payout came about, from what was left before it to what was left after it.
fn picture(payout: &PartnerPayout) -> Spans {
    let after = |from: Credits, change: i64| Credits::from_micros(from.micros().saturating_add(change));
    let earned = after(payout.opening, payout.earned.micros());
    let kept = after(earned, payout.taken_back.micros().saturating_neg());
    let spans = vec![
        Span::amount(t("partners-payout-opening"), Credits::ZERO, payout.opening, "s1"),
        Span::amount(t("partners-payout-earned"), payout.opening, earned, "s2"),
        Span::amount(t("partners-payout-back"), earned, kept, "s4"),
        Span::amount(t("partners-payout-paid"), kept, payout.closing, "s3"),
        Span::amount(t("partners-payout-closing"), Credits::ZERO, payout.closing, "s1"),
    ];
    Spans { title: t("partners-payout-picture"), values: t("partners-payout-credits"), spans }
}

/// Statements from one payout to the next.
fn payouts(partner: &PartnerProfile, rows: Vec<PartnerPayout>) -> Table {
    let rows = rows.into_iter().map(|payout| {
        let cells = vec![
            Cell::Time(payout.paid_us),
            Cell::Money(payout.opening),
            Cell::Money(payout.earned),
            Cell::Money(payout.taken_back),
            Cell::Money(payout.paid),
            Cell::Money(payout.closing),
            Cell::text(payout.reason),
            Cell::id(payout.id, format!("/admin/payouts/{}", payout.id)),
        ];
        Row::new("", cells)
    });
    Table {
        caption: t("partners-payouts"),
        columns: vec![
            Column::new(t("partners-payout-when")),
            Column::right(t("partners-payout-opening")),
            Column::right(t("partners-payout-earned")),
            Column::right(t("partners-payout-back")),
            Column::right(t("partners-payout-paid")),
            Column::right(t("partners-payout-closing")),
            Column::new(t("console-reason")),
            Column::new(t("partners-payout-id")),
        ],
        rows: rows.collect(),
        empty: Some(Empty {
            text: t("partners-payouts-empty"),
            command: format!("tollgate payout {} --reason 'November'", partner.id),
            link: None,
        }),
        ..Table::default()
    }
}
