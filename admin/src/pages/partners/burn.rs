//! How the limit on a partner's month is used up, and when it will be at this pace.

use engine::{
    credits::Credits,
    ledger::caps::CapWindow,
    limits::USAGE_ROWS_MAX,
    service::{
        caps::CapStanding,
        partners::{PartnerProfile, UsageBy, UsageLine, UsagePeriod, UsageQuery},
    },
};

use super::usage::period_text;
use crate::{
    console::{Fault, Visit},
    kit::{Bars, Block, Measure, Notice, Series, Text, Tone, Trend, grouped, instant_text},
    pages::access::Holder,
    text::{t, t_with},
};

/// A limit over a window of days. Amounts are micro-credits, moments microseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Window {
    from_us: i64,
    to_us: i64,
    now_us: i64,
    limit: i64,
    /// What counts against it now.
    used: i64,
}

/// How a limit is used up, day by day.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Burn {
    /// What was used up to the end of each day, and now on the day that it is; nothing on days that are to come.
    used: Vec<i64>,
    /// What more there will be at this pace at the end of each day that is not over: upon what is used now.
    expected: Vec<i64>,
    /// When it will be used up at this pace, if that is before the window ends.
    crosses_us: Option<i64>,
}

/// The pace is what was used since the window began, by the time that has passed since.
fn burn(window: &Window, starts_us: &[i64], charged: &[(i64, i64)]) -> Burn {
    let passed = i128::from(window.now_us.saturating_sub(window.from_us).max(1));
    let at_pace = |at_us: i64| {
        let time = i128::from(at_us.saturating_sub(window.from_us).max(0));
        let used = i128::from(window.used.max(0)).saturating_mul(time).checked_div(passed).unwrap_or(0);
        i64::try_from(used).unwrap_or(i64::MAX)
    };
    let (mut used, mut expected, mut sum) = (Vec::new(), Vec::new(), 0_i64);
    for (day, start_us) in starts_us.iter().enumerate() {
        let end_us = starts_us.get(day.saturating_add(1)).copied().unwrap_or(window.to_us);
        let of_day = charged.iter().find(|(of, _)| of == start_us).map_or(0, |(_, charged)| *charged);
        sum = sum.saturating_add(of_day);
        let is_over = end_us <= window.now_us;
        let is_to_come = *start_us > window.now_us;
        // Calls are added up some minutes behind them, and what is held counts as well: now is what the limit itself says.
        used.push(if is_over {
            sum.min(window.used)
        } else if is_to_come {
            0
        } else {
            window.used
        });
        expected.push(match (is_over, is_to_come) {
            (true, _) => 0,
            (false, true) => at_pace(end_us),
            (false, false) => at_pace(end_us).saturating_sub(window.used).max(0),
        });
    }
    let time = (window.used > 0).then(|| i128::from(window.limit).saturating_mul(passed)).and_then(|time| {
        let until = time.checked_div(window.used.into())?;
        i64::try_from(until).ok()
    });
    let crosses_us = time.map(|time| window.from_us.saturating_add(time)).filter(|at_us| *at_us < window.to_us);
    Burn { used, expected, crosses_us }
}

/// The picture of the limit on the partner's month; nothing if there is no such limit.
pub(super) async fn of(visit: &Visit, partner: &PartnerProfile, holder: &Holder) -> Result<Vec<Block>, Fault> {
    let caps = visit.services().list_caps_of(&[holder.whole()], visit.now_us).await?;
    let Some(window) = caps.iter().find_map(|cap| month(cap, visit.now_us)) else { return Ok(Vec::new()) };
    let query =
        UsageQuery { by: UsageBy::Total, period: UsagePeriod::Day, from_us: window.from_us, to_us: window.to_us };
    // One row for every day of the month at most.
    let usage = visit.services().list_partner_usage(partner.id, query, None, USAGE_ROWS_MAX).await?;
    let charged: Vec<(i64, i64)> = usage.rows.iter().map(day).collect();
    let starts_us = UsagePeriod::Day.starts_us(window.from_us, window.to_us);
    let burn = burn(&window, &starts_us, &charged);
    Ok(vec![bars(&window, &starts_us, &burn).into(), outlook(&window, &burn)])
}

fn day(line: &UsageLine) -> (i64, i64) {
    (line.start_us, line.charged.micros())
}

/// The window of a limit on months.
fn month(cap: &CapStanding, now_us: i64) -> Option<Window> {
    let used = cap.used.filter(|_| cap.window == CapWindow::Month)?;
    let (from_us, to_us) = cap.window.bounds(now_us);
    let used = used.spent.micros().saturating_add(used.held.micros());
    Some(Window { from_us, to_us: to_us?, now_us, limit: cap.limit.micros(), used })
}

fn bars(window: &Window, starts_us: &[i64], burn: &Burn) -> Bars {
    Bars {
        title: t("partners-burn"),
        measure: Measure::Money,
        labels: starts_us.iter().map(|start_us| period_text(*start_us, UsagePeriod::Day)).collect(),
        series: vec![
            Series { label: t("partners-burn-used"), class: "s1", values: burn.used.clone() },
            Series { label: t("partners-burn-expected"), class: "s6", values: burn.expected.clone() },
        ],
        line: Some(Trend { label: t("partners-cap-limit"), own: None, values: vec![window.limit; starts_us.len()] }),
        ..Bars::default()
    }
}

/// When the limit is reached at this pace, or what is left of it.
fn outlook(window: &Window, burn: &Burn) -> Block {
    match burn.crosses_us {
        Some(_) if window.used >= window.limit => Notice::new(Tone::Bad, t("partners-burn-reached")).into(),
        Some(at_us) => {
            let when = [("when", instant_text(at_us).into())];
            Notice::new(Tone::Warn, t_with("partners-burn-crosses", &when)).into()
        }
        None => {
            let left = Credits::from_micros(window.limit.saturating_sub(window.used).max(0));
            Text::new(t_with("partners-burn-holds", &[("left", grouped(&left.to_string()).into())])).into()
        }
    }
}

#[cfg(test)]
mod tests;
