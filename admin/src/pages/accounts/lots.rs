//! What a wallet is made of, and which part of it expires when.

use engine::{
    credits::Credits,
    service::balance::{Balance, ExpiringGrant},
};

use crate::{
    kit::{Bars, Measure, Series, instant_text},
    text::{t, t_with},
};

/// The colours of grants, the next one to expire first; those for which none is left are drawn as one.
const COLOURS: [&str; 5] = ["s4", "s3", "s5", "s2", "s7"];
/// How many moments are drawn at most, now among them.
const MOMENTS_SHOWN: usize = 25;

/// What the wallet has now and after each of the next expiries, if nobody spends or adds anything: lot upon lot.
pub(super) fn picture(balance: &Balance, grants: &[ExpiringGrant], now_us: i64) -> Bars {
    let mut grants: Vec<&ExpiringGrant> = grants.iter().collect();
    grants.sort_by_key(|grant| grant.expires_us);
    let of_grants = Credits::checked_sum(grants.iter().map(|grant| grant.left)).unwrap_or(Credits::MAX);
    let lasting = balance.balance.checked_sub(of_grants).unwrap_or(Credits::ZERO).micros().max(0);
    let mut moments_us: Vec<i64> = grants.iter().map(|grant| grant.expires_us).collect();
    moments_us.dedup();
    moments_us.insert(0, now_us);
    moments_us.truncate(MOMENTS_SHOWN);
    // Whatever expires at a moment is gone then.
    let left = |grant: &ExpiringGrant, at_us: i64| if grant.expires_us > at_us { grant.left.micros() } else { 0 };
    let values = |of: &[&ExpiringGrant]| {
        let sum = |at_us: &i64| of.iter().map(|grant| left(grant, *at_us)).fold(0, i64::saturating_add);
        moments_us.iter().map(sum).collect::<Vec<i64>>()
    };
    let lasting_values = vec![lasting; moments_us.len()];
    let mut series = vec![Series { label: t("accounts-lots-lasting"), class: "s1", values: lasting_values }];
    let (shown, rest) = grants.split_at(grants.len().min(COLOURS.len()));
    // What lasts longest lies at the bottom.
    if !rest.is_empty() {
        series.push(Series { label: t("accounts-lots-others"), class: "s6", values: values(rest) });
    }
    let own = |(grant, class): (&&ExpiringGrant, &'static str)| {
        let until = [("until", instant_text(grant.expires_us).into())];
        Series { label: t_with("accounts-lots-until", &until), class, values: values(&[*grant]) }
    };
    let mut lots: Vec<Series> = shown.iter().zip(COLOURS).map(own).collect();
    lots.reverse();
    series.extend(lots);
    let labels = moments_us.iter().map(|at_us| instant_text(*at_us)).collect();
    Bars { title: t("accounts-running-out"), measure: Measure::Money, labels, series, ..Bars::default() }
}

#[cfg(test)]
mod tests;
