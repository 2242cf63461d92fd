//! Having the books checked: one run at a time, and what the last one found.

use actix_web::web::Payload;
use engine::{
    policy::console::ConsoleAction,
    service::verification::{EndedVerification, RunningVerification, StartVerificationError, VerifyFrom},
    store::books::VerifyReport,
};

use super::BOOKS;
use crate::{
    console::{Answer, Fault, Fields, Problems, Visit},
    kit::{
        Block, Cell, Choice, Column, Facts, Field, Form, Heading, Notice, Page, Row, Span, Spans, Table, Text, Tone,
        grouped,
    },
    text::{said::Said as _, t, t_with},
};

/// The page, below [`BOOKS`].
const PATH: &str = "/verify";
/// What a form says that wants everything checked.
const GENESIS: &str = "genesis";

fn from_cell(from: VerifyFrom) -> Cell {
    match from {
        VerifyFrom::Genesis => Cell::text(t("ledger-verify-genesis")),
        VerifyFrom::Checkpoint(number) => {
            let text = t_with("ledger-verify-after", &[("number", number.to_string().into())]);
            Cell::link(text, format!("{BOOKS}/checkpoints/{number}"))
        }
    }
}

/// How much of a run is done, in whole percent.
fn percent(done: u64, total: u64) -> u64 {
    done.saturating_mul(100).checked_div(total).unwrap_or(0).min(100)
}

fn count(number: u64) -> Cell {
    Cell::Number(i64::try_from(number).unwrap_or(i64::MAX))
}

fn running_facts(run: &RunningVerification) -> Facts {
    let progress = t_with("ledger-verify-progress", &[("percent", percent(run.done, run.total).into())]);
    Facts::new()
        .fact(t("ledger-state"), Cell::state(t("ledger-verify-running"), Tone::Plain))
        .fact(t("ledger-verify-done"), Cell::text(progress))
        .fact(t("ledger-verify-entries"), count(run.total))
        .fact(t("ledger-verify-from"), from_cell(run.from))
        .fact(t("ledger-begun"), Cell::Time(run.begun_us))
        .fact(t("ledger-by"), Cell::text(&run.by))
}

fn report_facts(report: &VerifyReport) -> Facts {
    let (key, tone) =
        if report.ok { ("ledger-verify-whole", Tone::Good) } else { ("ledger-verify-damaged", Tone::Bad) };
    let ends = report.heads.iter().filter(|head| head.seq > 0).map(|head| format!("{}/{}", head.slot, head.seq));
    Facts::new()
        .fact(t("ledger-state"), Cell::state(t(key), tone))
        .fact(t("ledger-verify-entries"), count(report.counts.entries))
        .fact(t("ledger-verify-transactions"), count(report.counts.transactions))
        .fact(t("ledger-postings"), count(report.counts.postings))
        .fact(t("ledger-verify-batches"), count(report.counts.batches))
        .fact(t("ledger-verify-audit-rows"), count(report.counts.audit_rows))
        .fact(t("ledger-verify-heads"), Cell::Mono(ends.collect::<Vec<_>>().join(" ")))
        .fact(t("ledger-newest-checkpoint"), report.checkpoint.map_or(Cell::None, Cell::Number))
        .fact(t("ledger-verify-milliseconds"), Cell::Number(report.elapsed_us.checked_div(1_000).unwrap_or(0)))
}

/// Which entries of each slot the last run has hashed, and up to which one it believed a checkpoint.
async fn ribbon(visit: &Visit, last: &EndedVerification) -> Result<Option<Spans>, Fault> {
    let Ok(report) = &last.found else { return Ok(None) };
    let believed = match last.from {
        VerifyFrom::Genesis => None,
        VerifyFrom::Checkpoint(number) => visit.services().find_checkpoint(number).await?,
    };
    let heads = believed.as_ref().map_or(&[][..], |known| known.signed.checkpoint.heads.as_slice());
    let believed: Vec<(i64, i64)> = heads.iter().map(|head| (head.slot, head.seq)).collect();
    let heads: Vec<(i64, i64)> = report.heads.iter().map(|head| (head.slot, head.seq)).collect();
    let spans = ranges(&heads, &believed, report.ok);
    let picture = || Spans { title: t("ledger-verify-ranges"), values: t("ledger-verify-entries"), spans };
    Ok((!heads.is_empty()).then(picture))
}

/// For every slot its last entry, in `heads`, and up to which entry it was believed, in `believed`.
fn ranges(heads: &[(i64, i64)], believed: &[(i64, i64)], is_whole: bool) -> Vec<Span> {
    let span = |key: &str, slot: i64, (from, to): (i64, i64), class: &'static str| {
        let count = to.saturating_sub(from);
        Span {
            name: t_with(key, &[("slot", slot.to_string().into())]),
            from,
            to,
            value: Cell::Number(count),
            says: grouped(&count.to_string()),
            class,
            note: String::new(),
        }
    };
    let mut spans = Vec::new();
    for (slot, seq) in heads.iter().filter(|(_, seq)| *seq > 0) {
        let from = believed.iter().find(|(of, _)| of == slot).map_or(0, |(_, seq)| *seq).min(*seq);
        if from > 0 {
            spans.push(span("ledger-verify-believed", *slot, (0, from), "s6"));
        }
        let (key, class) = if is_whole { ("ledger-verify-sound", "s2") } else { ("ledger-verify-with-problems", "s4") };
        spans.push(span(key, *slot, (from, *seq), class));
    }
    spans
}

fn problem_table(report: &VerifyReport) -> Table {
    let rows = report.problems.iter().map(|problem| {
        let cells = vec![
            Cell::Mono(problem.kind.as_str().to_owned()),
            Cell::Mono(problem.table.to_owned()),
            Cell::Mono(problem.key.clone()),
            Cell::text(&problem.text),
        ];
        Row { tone: Tone::Bad, ..Row::new("", cells) }
    });
    Table {
        caption: t("ledger-problems"),
        columns: ["ledger-problem", "ledger-problem-table", "ledger-problem-key", "ledger-problem-text"]
            .map(|key| Column::new(t(key)))
            .into(),
        rows: rows.collect(),
        count: report.problem_count.to_string(),
        ..Table::default()
    }
}

fn with_last(page: Page, last: &EndedVerification) -> Page {
    let page = page.with(Heading::new(t("ledger-verify-last"))).with(
        Facts::new()
            .fact(t("ledger-begun"), Cell::Time(last.begun_us))
            .fact(t("ledger-ended"), Cell::Time(last.ended_us))
            .fact(t("ledger-verify-from"), from_cell(last.from))
            .fact(t("ledger-by"), Cell::text(&last.by)),
    );
    match &last.found {
        Err(why) => {
            let text = t_with("ledger-verify-failed-text", &[("why", why.clone().into())]);
            page.with(Notice::new(Tone::Warn, text))
        }
        Ok(report) if report.ok => page.with(report_facts(report)),
        Ok(report) => page
            .with(Notice::new(Tone::Bad, t("ledger-verify-damaged-text")))
            .with(report_facts(report))
            .with(problem_table(report)),
    }
}

fn form(visit: &Visit, typed: &Fields, problems: &Problems) -> Form {
    let choices = [("", "ledger-verify-newest"), (GENESIS, "ledger-verify-genesis")];
    let choices = choices.map(|(value, key)| Choice {
        value: value.to_owned(),
        label: t(key),
        is_chosen: value == typed.text("from"),
    });
    Form::new(format!("{BOOKS}{PATH}"), t("ledger-verify-start"))
        .field(Field::select("from", t("ledger-verify-from"), choices.into()).hint(t("ledger-verify-from-hint")))
        .step_up(visit, ConsoleAction::LedgerVerify)
        .filled(typed, problems)
}

async fn page(visit: &Visit, typed: &Fields, problems: &Problems) -> Result<Page, Fault> {
    let state = visit.services().verification();
    let mut page = super::view(visit, PATH).with(Text::new(t("ledger-verify-text")));
    if let Some(run) = &state.running {
        let again = Notice::new(Tone::Plain, t("ledger-verify-running-text"));
        page = page.with(again.link(t("ledger-verify-look-again"), format!("{BOOKS}{PATH}"))).with(running_facts(run));
    } else if visit.may(ConsoleAction::LedgerVerify) {
        page = page.with(form(visit, typed, problems));
    }
    let Some(last) = &state.last else { return Ok(page.with(Text::new(t("ledger-verify-none")))) };
    let mut page = with_last(page, last);
    page.blocks.extend(ribbon(visit, last).await?.map(Block::from));
    Ok(page)
}

/// How it stands.
pub(super) async fn show(visit: Visit) -> Answer {
    let typed = Fields::parse(&visit.query)?;
    visit.show(page(&visit, &typed, &Problems::default()).await?).await
}

/// Begins a run.
pub(super) async fn start(mut visit: Visit, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let mut problems = Problems::default();
    problems.one_of(&fields, "from", &["", GENESIS]);
    visit.permit(ConsoleAction::LedgerVerify, None, &fields, &mut problems).await?;
    if problems.is_empty() {
        let by = visit.signed_in()?.operator.name.clone();
        match visit.services().start_verification(&visit.context()?, by, fields.text("from") != GENESIS).await {
            Ok(()) => return visit.go(&format!("{BOOKS}{PATH}"), &t("ledger-verify-begun")).await,
            Err(StartVerificationError::Store(error)) => return Err(error.into()),
            // The same button pressed twice: the page shows the run that is under way.
            Err(StartVerificationError::Running) => {
                return visit.go(&format!("{BOOKS}{PATH}"), &t("ledger-verify-already")).await;
            }
            Err(StartVerificationError::NoCheckpoint) => problems.add("from", t("ledger-verify-no-checkpoint")),
            Err(error @ StartVerificationError::NoRoom) => problems.add("", error.said()),
        }
    }
    visit.show_refused(page(&visit, &fields, &problems).await?).await
}

#[cfg(test)]
mod tests;
