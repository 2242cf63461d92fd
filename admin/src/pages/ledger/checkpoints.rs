//! Checkpoints: signed statements of what the books had come to.

use actix_web::web::{Path, Payload};
use engine::{
    ledger::hex::hex,
    policy::console::ConsoleAction,
    service::checkpoints::{CHECKPOINTS_LISTED_MAX, CheckpointError, KnownCheckpoint},
};

use super::{BOOKS, hash};
use crate::{
    console::{Answer, Fault, Fields, ListedPage, Problems, Visit, csv_by},
    kit::{
        Cell, Code, Column, Control, Empty, Facts, Field, Form, Heading, Page, Row, Table, Text, Tone, instant_text,
        page_href,
    },
    text::{said::Said as _, t, t_with},
};

/// The list, below [`BOOKS`].
const PATH: &str = "/checkpoints";

fn href(number: i64) -> String {
    format!("{BOOKS}{PATH}/{number}")
}

/// Whether the key that is stored has signed it.
fn signature(known: &KnownCheckpoint) -> Cell {
    if known.signed.is_signed_by(&known.public) {
        Cell::state(t("ledger-signature-right"), Tone::Good)
    } else {
        Cell::state(t("ledger-signature-wrong"), Tone::Bad)
    }
}

/// How many entries of all slots it vouches for.
fn entries(known: &KnownCheckpoint) -> i64 {
    known.signed.checkpoint.heads.iter().fold(0, |sum: i64, head| sum.saturating_add(head.seq))
}

fn row(known: &KnownCheckpoint) -> Row {
    let checkpoint = &known.signed.checkpoint;
    let href = href(checkpoint.number);
    let cells = vec![
        Cell::link(checkpoint.number.to_string(), href.clone()),
        Cell::Time(checkpoint.made_us),
        signature(known),
        Cell::Number(checkpoint.key),
        Cell::Number(entries(known)),
        Cell::Number(i64::try_from(checkpoint.heads.len()).unwrap_or(i64::MAX)),
        hash(checkpoint.hash().get(..8).unwrap_or_default()),
    ];
    Row::new(href, cells)
}

/// What the page behind this one begins below, if there is one.
fn next_of(found: &[KnownCheckpoint]) -> Option<i64> {
    let is_full = u64::try_from(found.len()).is_ok_and(|count| count == CHECKPOINTS_LISTED_MAX);
    found.last().map(|known| known.signed.checkpoint.number).filter(|number| is_full && *number > 1)
}

/// The checkpoints as a file.
pub(super) async fn export(visit: Visit) -> Answer {
    let columns = ["checkpoint", "made", "signature_is_right", "key", "entries", "slots", "hash", "before"];
    let reader = visit.clone();
    csv_by(&visit, "ledger-checkpoints", &columns, move |before: Option<i64>| -> ListedPage<i64> {
        let visit = reader.clone();
        Box::pin(async move {
            let found = visit.services().list_checkpoints(before).await?;
            let row = |known: &KnownCheckpoint| {
                let checkpoint = &known.signed.checkpoint;
                vec![
                    checkpoint.number.to_string(),
                    instant_text(checkpoint.made_us),
                    known.signed.is_signed_by(&known.public).to_string(),
                    checkpoint.key.to_string(),
                    entries(known).to_string(),
                    checkpoint.heads.len().to_string(),
                    hex(&checkpoint.hash()),
                    hex(&checkpoint.prev_hash),
                ]
            };
            Ok((found.iter().map(row).collect(), next_of(&found)))
        })
    })
    .await
}

/// The checkpoints.
pub(super) async fn list(visit: Visit) -> Answer {
    let path = format!("{BOOKS}{PATH}");
    let fields = Fields::parse(&visit.query)?;
    let before = match fields.text("after") {
        "" => None,
        text => Some(text.parse().map_err(|_unreadable| Fault::Address)?),
    };
    let found = visit.services().list_checkpoints(before).await?;
    let last = next_of(&found);
    let table = Table {
        caption: t("ledger-checkpoints"),
        columns: vec![
            Column::new(t("ledger-checkpoint")),
            Column::new(t("ledger-made")),
            Column::new(t("ledger-signature")),
            Column::right(t("ledger-key")),
            Column::right(t("ledger-verify-entries")),
            Column::right(t("ledger-slots")),
            Column::new(t("ledger-hash")),
        ],
        rows: found.iter().map(row).collect(),
        first: visit.first_href(&path),
        next: last.map_or_else(String::new, |last| page_href(&path, &visit.query, "after", &last.to_string())),
        exports: visit.file_links(ConsoleAction::LedgerExport, &format!("{path}/export")),
        empty: Some(Empty {
            text: t("ledger-checkpoints-none"),
            command: "tollgate ledger checkpoint".to_owned(),
            link: None,
        }),
        ..Table::default()
    };
    let page = super::view(&visit, PATH)
        .tool(visit.may(ConsoleAction::LedgerCheckpoint), t("ledger-sign"), format!("{path}/sign"))
        .with(Text::new(t("ledger-checkpoints-text")))
        .with(table);
    visit.show(page).await
}

/// One checkpoint, whole.
pub(super) async fn show(visit: Visit, number: Path<String>) -> Answer {
    let number: i64 = number.parse().map_err(|_unreadable| Fault::NotFound)?;
    let known = visit.services().find_checkpoint(number).await?.ok_or(Fault::NotFound)?;
    let checkpoint = &known.signed.checkpoint;
    let rows = checkpoint.heads.iter().map(|head| {
        let cells = vec![
            Cell::Number(head.slot),
            Cell::Number(head.batch_no),
            Cell::Number(head.seq),
            hash(&head.hash),
            Cell::Number(head.after),
        ];
        Row::new("", cells)
    });
    let heads = Table {
        caption: t("ledger-slots"),
        columns: vec![
            Column::right(t("ledger-slot")),
            Column::right(t("ledger-batch")),
            Column::right(t("ledger-entry")),
            Column::new(t("ledger-hash")),
            Column::right(t("ledger-after-batch")),
        ],
        rows: rows.collect(),
        ..Table::default()
    };
    let facts = Facts::new()
        .fact(t("ledger-made"), Cell::Time(checkpoint.made_us))
        .fact(t("ledger-key"), Cell::Number(checkpoint.key))
        .fact(t("ledger-public-key"), hash(&known.public))
        .fact(t("ledger-successor"), checkpoint.successor.as_ref().map_or(Cell::None, |key| hash(key)))
        .fact(t("ledger-verify-entries"), Cell::Number(entries(&known)))
        .fact(t("ledger-hash"), hash(&checkpoint.hash()))
        .fact(t("ledger-checkpoint-before"), hash(&checkpoint.prev_hash));
    let timeline = super::super::timeline_in(&visit, &number.to_string(), "checkpoint").await?;
    let mut page = Page::new(t_with("ledger-checkpoint-number", &[("number", number.to_string().into())]))
        .under(t("ledger-title"), BOOKS)
        .under(t("ledger-checkpoints"), format!("{BOOKS}{PATH}"))
        .with(facts)
        .with(heads)
        .with(Code { caption: t("ledger-checkpoint-line"), text: known.view().to_string(), is_copied: true })
        .with(Heading::new(t("console-timeline")))
        .with(timeline);
    page.subtitle = vec![signature(&known)];
    visit.show(page).await
}

/// The number of the newest checkpoint, as a form carries it; 0 if there is none.
async fn newest(visit: &Visit) -> Result<String, Fault> {
    let known = visit.services().find_newest_checkpoint().await?;
    Ok(known.map_or(0, |known| known.signed.checkpoint.number).to_string())
}

fn sign_page(visit: &Visit, newest: String, typed: &Fields, problems: &Problems) -> Page {
    let list = format!("{BOOKS}{PATH}");
    let form = Form::new(format!("{list}/sign"), t("ledger-sign-submit"))
        .field(Field::line("reason", t("console-reason")).required())
        .step_up(visit, ConsoleAction::LedgerCheckpoint)
        .cancel(list.clone())
        .filled(typed, problems)
        .field(Field::new("newest", "", Control::Hidden).value(newest));
    Page::new(t("ledger-sign"))
        .under(t("ledger-title"), BOOKS)
        .under(t("ledger-checkpoints"), list)
        .with(Text::new(t("ledger-sign-text")))
        .with(form)
}

/// The form.
pub(super) async fn ask(visit: Visit) -> Answer {
    let typed = Fields::parse(&visit.query)?;
    let newest = newest(&visit).await?;
    visit.show(sign_page(&visit, newest, &typed, &Problems::default())).await
}

/// Signs a checkpoint.
pub(super) async fn sign(mut visit: Visit, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let mut problems = Problems::default();
    let reason = problems.required(&fields, "reason").to_owned();
    visit.permit(ConsoleAction::LedgerCheckpoint, None, &fields, &mut problems).await?;
    let newest = newest(&visit).await?;
    if problems.is_empty() && fields.text("newest") != newest {
        // The button was pressed twice, or the server was first: what was wanted is there.
        return visit.go(&format!("{BOOKS}{PATH}"), &t("ledger-signed-meanwhile")).await;
    }
    if problems.is_empty() {
        match visit.services().sign_checkpoint(&visit.context()?, newest.parse().ok(), &reason).await {
            Ok(Some(known)) => {
                let number = known.signed.checkpoint.number;
                return visit
                    .go(&href(number), &t_with("ledger-signed", &[("number", number.to_string().into())]))
                    .await;
            }
            Ok(None) => return visit.go(&format!("{BOOKS}{PATH}"), &t("ledger-nothing-to-sign")).await,
            Err(CheckpointError::Store(error)) => return Err(error.into()),
            Err(error) => problems.add("", error.said()),
        }
    }
    visit.show_refused(sign_page(&visit, newest, &fields, &problems)).await
}
