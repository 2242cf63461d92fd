//! What came in for a publisher day by day, and what went back, as a picture.

use engine::{
    credits::Credits,
    service::{
        catalog::PublisherProfile,
        journal::{ENTRIES_LOOKED_AT, EarnedDay},
        publishing::SalesDay,
    },
};

use crate::{
    console::{Fault, Visit},
    kit::{Bars, Block, Measure, Page, Series, Text, Trend, instant_text},
    text::{t, t_with},
};

const DAY_US: i64 = 86_400_000_000;

/// Adds what came in on each of the last days and what went back, as far as the books are looked through for that, and what
/// was charged in all.
pub(super) async fn with(visit: &Visit, publisher: &PublisherProfile, mut page: Page) -> Result<Page, Fault> {
    let found = visit.services().load_earned_days(publisher).await?;
    if let (Some(first), Some(last)) = (found.days.first(), found.days.last()) {
        let until_us = last.from_us.saturating_add(DAY_US);
        // Sums of days, read along their primary key.
        let sold = visit.services().load_sales(publisher.id, first.from_us, until_us).await?;
        let counted = [("until", instant_text(sold.counted_until_us).into())];
        page = page.with(bars(&found.days, &sold.days)).with(Text::new(t_with("catalog-days-counted", &counted)));
    }
    page.blocks
        .extend(Text::looked_back("catalog-days-some", ENTRIES_LOOKED_AT, found.looked_back_to_us).map(Block::from));
    Ok(page)
}

/// The shares of what was charged on each other, what went back below them, and what was charged in all as a line. Calls are
/// added up behind the books: where the share is more than what was charged, there is no rest yet.
fn bars(days: &[EarnedDay], sold: &[SalesDay]) -> Bars {
    let charged = |day: &EarnedDay| {
        let sold = sold.iter().find(|sold| sold.start_us == day.from_us);
        sold.map_or(Credits::ZERO, |sold| sold.charged).micros()
    };
    let series = |key: &str, class, amount: &dyn Fn(&EarnedDay) -> i64| Series {
        label: t(key),
        class,
        values: days.iter().map(amount).collect(),
    };
    Bars {
        title: t("catalog-days"),
        measure: Measure::Money,
        labels: days.iter().map(|day| instant_text(day.from_us).chars().take(10).collect()).collect(),
        series: vec![
            series("catalog-days-share", "s2", &|day| day.share.micros()),
            series("catalog-days-rest", "s1", &|day| charged(day).saturating_sub(day.share.micros()).max(0)),
            series("catalog-days-back", "s4", &|day| day.back.micros().saturating_neg()),
        ],
        line: Some(Trend { label: t("catalog-days-gross"), own: None, values: days.iter().map(charged).collect() }),
        ..Bars::default()
    }
}

#[cfg(test)]
mod tests;
