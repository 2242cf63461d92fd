//! A price that is to come is taken back. What is in force instead is shown first.

use actix_web::web::{Path, Payload};
use engine::{
    id::PriceVersionId,
    policy::console::ConsoleAction,
    service::prices::{CancelPriceError, PriceVersion},
};

use super::{NO_PRICE, price_facts, price_text, read_spec};
use crate::{
    console::{Answer, Fault, Fields, Problems, Visit},
    kit::{Block, Cell, Control, Facts, Field, Form, Page, Text},
    pages::catalog::{TOOLS, tool_href},
    text::t,
};

/// The field with the version that is in force instead, as it was shown.
const INSTEAD: &str = "instead";

/// The form that takes a price back.
pub(super) fn href(price: &PriceVersion) -> String {
    format!("/admin/prices/{}/cancel", price.id)
}

async fn load(visit: &Visit, id: &str) -> Result<PriceVersion, Fault> {
    let id: PriceVersionId = id.parse().map_err(|_unreadable| Fault::NotFound)?;
    visit.services().find_price(id).await?.ok_or(Fault::NotFound)
}

/// What is in force where this price is not.
async fn instead_of(visit: &Visit, price: &PriceVersion) -> Result<Option<PriceVersion>, Fault> {
    let before_us = price.effective_from_us.saturating_sub(1);
    Ok(visit.services().find_price_at(price.tool, before_us).await?)
}

/// Which version a form has shown.
fn named(instead: Option<&PriceVersion>) -> String {
    instead.map_or_else(|| NO_PRICE.to_owned(), |price| price.id.to_string())
}

fn page(
    visit: &Visit,
    (price, instead): (&PriceVersion, Option<&PriceVersion>),
    typed: &Fields,
    problems: &Problems,
) -> Result<Page, Fault> {
    let own = tool_href(price.tool);
    let spec = instead.map(read_spec).transpose()?;
    let effect: Vec<Block> = vec![
        Facts::new()
            .fact(t("prices-from"), Cell::Time(price.effective_from_us))
            .fact(t("prices-without"), Cell::text(spec.as_ref().map_or_else(|| t("prices-none"), price_text)))
            .into(),
    ];
    let mut form = Form::new(href(price), t("prices-cancel"))
        .field(Field::line("reason", t("console-reason")).hint(t("catalog-reason-hint")).required())
        .step_up(visit, ConsoleAction::PriceCancel)
        .cancel(own.clone())
        .previewed()
        .filled(typed, problems)
        // What the effect was shown for: if that changes, it is shown again.
        .field(Field::new(INSTEAD, "", Control::Hidden).value(named(instead)))
        .preview(effect);
    form.is_danger = true;
    let page = Page::new(t("prices-cancel"))
        .under(t("catalog-tools"), TOOLS)
        .under(price.path.clone(), own)
        .with(Text::new(t("prices-cancel-text")))
        .with(price_facts(&read_spec(price)?))
        .with(form);
    Ok(page)
}

pub(super) async fn ask(visit: Visit, id: Path<String>) -> Answer {
    let price = load(&visit, &id).await?;
    let typed = Fields::parse(&visit.query)?;
    let instead = instead_of(&visit, &price).await?;
    visit.show(page(&visit, (&price, instead.as_ref()), &typed, &Problems::default())?).await
}

pub(super) async fn cancel(mut visit: Visit, id: Path<String>, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let price = load(&visit, &id).await?;
    let own = tool_href(price.tool);
    let mut problems = Problems::default();
    let reason = problems.required(&fields, "reason").to_owned();
    visit.permit(ConsoleAction::PriceCancel, None, &fields, &mut problems).await?;
    // Somebody else has done it, or the same form was sent before.
    if price.cancelled_us.is_some() {
        return visit.go(&own, &t("prices-cancelled-already")).await;
    }
    let instead = instead_of(&visit, &price).await?;
    let about = (&price, instead.as_ref());
    if problems.is_empty() && fields.text("step") != "confirm" {
        return visit.show(page(&visit, about, &fields, &problems)?).await;
    }
    if fields.text(INSTEAD) != named(instead.as_ref()) {
        problems.add("", t("prices-cancel-stale"));
    }
    if problems.is_empty() {
        match visit.services().cancel_price(&visit.context()?, price.id, Some(&reason)).await {
            Ok(_cancelled) => return visit.go(&own, &t("prices-cancelled-done")).await,
            Err(CancelPriceError::AlreadyCancelled) => {
                return visit.go(&own, &t("prices-cancelled-already")).await;
            }
            Err(CancelPriceError::NotFound) => return Err(Fault::NotFound),
            Err(CancelPriceError::Store(error)) => return Err(error.into()),
            Err(error @ CancelPriceError::TooLate) => problems.add("", error.to_string()),
        }
    }
    visit.show_refused(page(&visit, about, &fields, &problems)?).await
}
