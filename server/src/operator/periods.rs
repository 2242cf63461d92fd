//! `tollgate ledger close` and `tollgate ledger trial-balance --period`.

use engine::{
    audit::OpContext,
    service::{
        Services,
        periods::{ClosePeriodError, PeriodBalance},
    },
};
use serde_json::json;

use super::{Done, NotDone, done};
use crate::cli::dates::render;

/// Closes the next period, which ends before `until_us` (microseconds since the Unix epoch) or with its month.
///
/// # Errors
/// The period is not over, or would end before it starts, or is closed already; or the database failed. Nothing was changed.
pub async fn close(services: &Services, by: &OpContext, until_us: Option<i64>) -> Result<Done, NotDone> {
    let closed = services.close_period(by, until_us).await.map_err(refused)?;
    let mut said = view(&closed)?;
    said.lines.insert(0, format!("closed {}", name(&closed)));
    Ok(said)
}

/// The trial balance of the period that `text` names: its number, its month, or `open`.
///
/// # Errors
/// There is no such period, or the database failed.
pub async fn show(services: &Services, text: &str) -> Result<Done, NotDone> {
    if text == "open" {
        return view(&services.open_trial_balance().await.map_err(refused)?);
    }
    let calendar = services.load_calendar().await?;
    let is_meant = |period: i64, month: Option<String>| {
        text.parse::<i64>().is_ok_and(|number| number == period) || month.as_deref() == Some(text)
    };
    let found = calendar.closes().iter().find(|close| is_meant(close.period, close.month()));
    let balance = match found {
        Some(close) => services.load_trial_balance(close.period).await?,
        None => None,
    };
    let missing = || {
        let open = calendar.open();
        NotDone::refused(format!(
            "no period `{text}` is closed: name one by its number below {open} or by its month such as `2026-11`, or `open`"
        ))
    };
    view(&balance.ok_or_else(missing)?)
}

fn refused(error: ClosePeriodError) -> NotDone {
    let told = match &error {
        ClosePeriodError::Store(_) => None,
        ClosePeriodError::NotOver { end_us, now_us, .. } => {
            Some(format!("{error}: it ends at {}, now it is {}", render(*end_us), render(*now_us)))
        }
        ClosePeriodError::EndsBeforeStart { start_us, until_us, .. } => {
            Some(format!("{error}: it starts at {}, `until` is {}", render(*start_us), render(*until_us)))
        }
        ClosePeriodError::Closed { end_us, .. } => Some(format!("{error}: it ended at {}", render(*end_us))),
        ClosePeriodError::Empty
        | ClosePeriodError::Changed { .. }
        | ClosePeriodError::TooMany { .. }
        | ClosePeriodError::TooLarge(_)
        | ClosePeriodError::Refused(_) => Some(error.to_string()),
    };
    match (error, told) {
        (ClosePeriodError::Store(error), _) => error.into(),
        (_, told) => NotDone::refused(told.unwrap_or_default()),
    }
}

fn name(balance: &PeriodBalance) -> String {
    let month = balance.close.as_ref().and_then(engine::ledger::periods::PeriodClose::month);
    let month = month.map_or_else(String::new, |month| format!(" ({month})"));
    let (start, end) = (render(balance.start_us), render(balance.end_us));
    format!("period {}{month}, from {start} until {end}", balance.period)
}

fn view(balance: &PeriodBalance) -> Result<Done, NotDone> {
    let close = balance.close.as_ref();
    let accounts: Vec<_> = balance
        .lines
        .iter()
        .map(|line| {
            let (kind, account) = line.row.key;
            json!({
                "code": line.code,
                "kind": kind,
                "account": (account != 0).then_some(account),
                "opening_micros": line.row.opening.to_string(),
                "debits_micros": line.row.debits.to_string(),
                "credits_micros": line.row.credits.to_string(),
                "closing_micros": line.row.closing.to_string(),
            })
        })
        .collect();
    let hex = |digest: &[u8; 32]| digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let cut: Option<Vec<_>> =
        close.map(|close| close.cut.iter().map(|last| json!({"slot": last.slot, "seq": last.seq})).collect());
    let json = json!({
        "period": balance.period,
        "month": close.and_then(engine::ledger::periods::PeriodClose::month),
        "start": render(balance.start_us),
        "end": render(balance.end_us),
        "state": if close.is_some() { "closed" } else { "open" },
        "cut": cut,
        "digest": close.map(|close| hex(&close.digest)),
        "accounts": accounts,
    });
    let line = |opening: &str, debits: &str, credits: &str, closing: &str, code: &str| {
        format!("{opening:>20} {debits:>20} {credits:>20} {closing:>20}  {code}")
    };
    let mut lines = vec![line("opening", "debits", "credits", "closing", "micro-credits")];
    lines.extend(balance.lines.iter().map(|named| {
        let row = &named.row;
        let [opening, debits, credits, closing] =
            [row.opening, row.debits, row.credits, row.closing].map(|amount| amount.to_string());
        line(&opening, &debits, &credits, &closing, &named.code)
    }));
    done(&json, lines)
}
