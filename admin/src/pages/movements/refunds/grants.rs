//! Grants that expire, as pictures: how one of them was used until its expiry, and what is left of those that expire next.

use engine::{
    id::EntryId,
    service::grants::{
        EXPIRIES_LOOKED_AT, EXPIRY_DAYS, ExpiryDays, GRANT_ENTRIES_LOOKED_AT, GrantRun, GrantUse, LeftAt,
    },
};

use crate::{
    console::{Fault, Visit},
    kit::{Bars, Block, Cell, Curve, Facts, Heading, Measure, Run, Series, Text, instant_text},
    text::{t, t_with},
};

/// What became of one grant; nothing if it does not expire.
pub(super) async fn of(visit: &Visit, id: EntryId) -> Result<Vec<Block>, Fault> {
    let Some(found) = visit.services().load_grant_use(id, GRANT_ENTRIES_LOOKED_AT).await? else {
        return Ok(Vec::new());
    };
    let mut blocks: Vec<Block> =
        vec![Heading::new(t("movements-grant")).into(), facts(&found).into(), curve(&found, visit.now_us).into()];
    if found.runs.iter().any(|run| run.until_us.is_some()) {
        let said = t_with("movements-grant-some", &[("count", GRANT_ENTRIES_LOOKED_AT.into())]);
        blocks.push(Text::new(said).into());
    }
    Ok(blocks)
}

fn facts(found: &GrantUse) -> Facts {
    let mut facts = Facts::new()
        .fact(t("movements-grant-left"), Cell::Money(found.left))
        .fact(t("movements-grant-expires"), Cell::Time(found.expires_us))
        .fact(t("movements-grant-spent"), Cell::Money(found.spent));
    for (key, amount) in [
        ("movements-grant-back", found.back),
        ("movements-grant-taken-back", found.taken_back),
        ("movements-grant-lapsed", found.lapsed),
    ] {
        if !amount.is_zero() {
            facts = facts.fact(t(key), Cell::Money(amount));
        }
    }
    facts.fact(t("movements-grant-account"), Cell::link(found.account.to_string(), account_href(found)))
}

fn account_href(found: &GrantUse) -> String {
    format!("/admin/ledger/accounts/{}", found.account)
}

fn curve(found: &GrantUse, now_us: i64) -> Curve {
    Curve {
        title: t("movements-grant-curve"),
        value: t("movements-grant-left"),
        end_us: found.expires_us,
        end: t("movements-grant-expires"),
        runs: found.runs.iter().map(|run| drawn(run, found.expires_us, now_us)).collect(),
    }
}

/// A run, up to when it is known: no further than what moved last, or the expiry, whichever is later. Behind them there is
/// nothing to be seen.
fn drawn(run: &GrantRun, expires_us: i64, now_us: i64) -> Run {
    let last_us = run.points.last().map_or(expires_us, |point| point.at_us);
    let until_us = run.until_us.unwrap_or_else(|| now_us.min(expires_us)).max(last_us);
    let point = |point: &LeftAt| (point.at_us, point.left);
    Run { points: run.points.iter().map(point).collect(), until_us }
}

/// What is left of the grants that expire next, day by day; nothing if nothing expires soon.
pub(super) async fn expiring(visit: &Visit) -> Result<Vec<Block>, Fault> {
    let found = visit.services().load_expiry_days().await?;
    if found.days.is_empty() {
        return Ok(Vec::new());
    }
    let text = match found.looked_up_to_us {
        None => t_with("movements-expiring-text", &[("days", EXPIRY_DAYS.into())]),
        Some(until_us) => {
            let said = [("count", EXPIRIES_LOOKED_AT.into()), ("until", instant_text(until_us).into())];
            t_with("movements-expiring-some", &said)
        }
    };
    Ok(vec![bars(&found).into(), Text::new(text).into()])
}

fn bars(found: &ExpiryDays) -> Bars {
    // Without the time of day.
    let label = |at_us: i64| instant_text(at_us).chars().take(10).collect();
    let left = found.days.iter().map(|day| day.left.micros()).collect();
    Bars {
        title: t("movements-expiring"),
        measure: Measure::Money,
        labels: found.days.iter().map(|day| label(day.from_us)).collect(),
        series: vec![Series { label: t("movements-grant-left"), class: "s4", values: left }],
        ..Bars::default()
    }
}

#[cfg(test)]
mod tests;
