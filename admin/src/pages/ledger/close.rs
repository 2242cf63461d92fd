//! Closing a period: first what it would come to, then the close.

use actix_web::web::Payload;
use engine::{
    ledger::hex::{from_hex, hex},
    policy::console::ConsoleAction,
    service::periods::{ClosePeriodError, CloseTerms, OpenPeriod, PeriodRehearsal, sums_of},
};

use super::{
    BOOKS, balanced, hash, periods,
    trial_balance::{line_table, moved, period_href, sum_table},
};
use crate::{
    console::{Answer, Fault, Fields, Problems, Visit},
    kit::{Block, Cell, Control, Facts, Field, Form, Heading, Page, Text, instant_text},
    text::{said::Said as _, t, t_with},
};

/// How many entries a close adds up while somebody waits for the page: some seconds.
const ENTRIES_MAX: i64 = 3_000_000;
/// How many lines of the trial balance are shown beforehand.
const LINES_SHOWN: usize = 200;

/// What the close would do.
fn preview(rehearsal: &PeriodRehearsal) -> Vec<Block> {
    let balance = &rehearsal.balance;
    let sums = sums_of(&balance.lines);
    let facts = Facts::new()
        .fact(t("ledger-period"), Cell::Number(balance.period))
        .fact(t("ledger-begins"), Cell::Time(balance.start_us))
        .fact(t("ledger-ends"), Cell::Time(balance.end_us))
        .fact(t("ledger-close-transactions"), Cell::Number(rehearsal.transactions))
        .fact(t("ledger-entries-to-read"), Cell::Number(rehearsal.entries))
        .fact(t("ledger-difference"), balanced(moved(&sums)))
        .fact(t("ledger-digest"), hash(&rehearsal.digest));
    let shown = balance.lines.get(..LINES_SHOWN).unwrap_or(&balance.lines);
    let mut blocks = vec![facts.into(), sum_table(&sums).into(), line_table(shown).into()];
    let left = balance.lines.len().saturating_sub(shown.len());
    if left > 0 {
        let left = i64::try_from(left).unwrap_or(i64::MAX);
        blocks.push(Text::new(t_with("ledger-lines-left", &[("count", left.into())])).into());
    }
    blocks.push(Text::new(t("ledger-close-locks")).into());
    blocks
}

fn page(
    visit: &Visit,
    open: OpenPeriod,
    typed: &Fields,
    problems: &Problems,
    rehearsal: Option<&PeriodRehearsal>,
) -> Page {
    let list = format!("{BOOKS}{}", periods::PATH);
    let hidden = |name: &str, value: String| Field::new(name, "", Control::Hidden).value(value);
    let mut form = Form::new(format!("{list}/close"), t("ledger-close-submit"))
        .field(
            Field::new("until", t("ledger-close-until"), Control::Line("datetime-local"))
                .hint(t_with("ledger-close-until-hint", &[("when", instant_text(open.end_us).into())])),
        )
        .field(Field::line("reason", t("console-reason")).required())
        .step_up(visit, ConsoleAction::PeriodClose)
        .cancel(list.clone())
        .danger()
        .previewed()
        .filled(typed, problems)
        // What the form is made for now, whatever an older one said.
        .field(hidden("period", open.period.to_string()));
    if let Some(rehearsal) = rehearsal {
        form = form.field(hidden("seen", hex(&rehearsal.digest))).preview(preview(rehearsal));
    }
    let facts = Facts::new()
        .fact(t("ledger-period"), Cell::Number(open.period))
        .fact(t("ledger-begins"), Cell::Time(open.start_us))
        .fact(t("ledger-ends-itself"), Cell::Time(open.end_us))
        .fact(t("ledger-entries-to-read"), Cell::Number(open.entries));
    Page::new(t("ledger-close"))
        .under(t("ledger-title"), BOOKS)
        .under(t("ledger-periods"), list)
        .with(Text::new(t("ledger-close-text")))
        .with(facts)
        .with(Heading::new(t("ledger-close")))
        .with(form)
}

/// The open period; before anything was recorded there is none.
async fn load(visit: &Visit) -> Result<OpenPeriod, Fault> {
    visit.services().find_open_period().await?.ok_or(Fault::NotFound)
}

/// The form.
pub(super) async fn ask(visit: Visit) -> Answer {
    let typed = Fields::parse(&visit.query)?;
    let open = load(&visit).await?;
    visit.show(page(&visit, open, &typed, &Problems::default(), None)).await
}

/// Says which field a refusal is about, and what it is.
fn refuse(error: &ClosePeriodError, problems: &mut Problems) {
    let when = |us: i64| instant_text(us).into();
    match error {
        ClosePeriodError::NotOver { end_us, now_us, .. } => {
            problems.add("until", t_with("ledger-close-not-over", &[("end", when(*end_us)), ("now", when(*now_us))]));
        }
        ClosePeriodError::EndsBeforeStart { start_us, .. } => {
            problems.add("until", t_with("ledger-close-too-early", &[("start", when(*start_us))]));
        }
        ClosePeriodError::Closed { period, end_us } => {
            problems.add(
                "",
                t_with("ledger-close-closed", &[("number", period.to_string().into()), ("end", when(*end_us))]),
            );
        }
        ClosePeriodError::Changed { .. } => problems.add("", t("ledger-close-changed")),
        ClosePeriodError::TooMany { entries, entries_max, .. } => problems.add(
            "",
            t_with("ledger-close-too-many", &[("entries", (*entries).into()), ("max", (*entries_max).into())]),
        ),
        ClosePeriodError::Empty
        | ClosePeriodError::TooLarge(_)
        | ClosePeriodError::Refused(_)
        | ClosePeriodError::Store(_) => problems.add("", error.said()),
    }
}

/// Works out the close, or closes.
pub(super) async fn close(mut visit: Visit, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let mut problems = Problems::default();
    let reason = problems.required(&fields, "reason").to_owned();
    let until_us = problems.day(&fields, "until");
    visit.permit(ConsoleAction::PeriodClose, None, &fields, &mut problems).await?;
    let open = load(&visit).await?;
    if fields.text("period") != open.period.to_string() {
        let period = fields.text("period").to_owned();
        let values = [
            ("old", period.into()),
            ("number", open.period.to_string().into()),
            ("start", instant_text(open.start_us).into()),
        ];
        problems.add("", t_with("ledger-close-stale", &values));
    }
    let seen = from_hex(fields.text("seen"));
    let terms =
        CloseTerms { until_us, period: Some(open.period), seen, entries_max: Some(ENTRIES_MAX), reason: Some(&reason) };
    // Without a look at it nothing is closed.
    if problems.is_empty() && fields.text("step") == "confirm" && seen.is_some() {
        match visit.services().close_period_as(&visit.context()?, &terms).await {
            Ok(closed) => {
                let said = t_with("ledger-closed-period", &[("number", closed.period.to_string().into())]);
                return visit.go(&period_href(closed.period), &said).await;
            }
            Err(ClosePeriodError::Store(error)) => return Err(error.into()),
            Err(error @ ClosePeriodError::Changed { .. }) => {
                refuse(&error, &mut problems);
                let again = visit.services().rehearse_close(&terms).await.ok();
                return visit.show_refused(page(&visit, open, &fields, &problems, again.as_ref())).await;
            }
            Err(error) => refuse(&error, &mut problems),
        }
    }
    if !problems.is_empty() {
        return visit.show_refused(page(&visit, open, &fields, &problems, None)).await;
    }
    match visit.services().rehearse_close(&terms).await {
        Ok(rehearsal) => visit.show(page(&visit, open, &fields, &problems, Some(&rehearsal))).await,
        Err(ClosePeriodError::Store(error)) => Err(error.into()),
        Err(error) => {
            refuse(&error, &mut problems);
            visit.show_refused(page(&visit, open, &fields, &problems, None)).await
        }
    }
}
