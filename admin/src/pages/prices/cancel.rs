//! A price that is to come is taken back. What is in force instead is shown first.

use actix_web::web::{Path, Payload};
use engine::{
    id::PriceVersionId,
    policy::console::ConsoleAction,
    service::{
        approvals::{Deed, RequestApprovalError},
        prices::{CancelPriceError, PlannedCancel, PriceCancel, PriceVersion},
    },
};

use super::{NO_PRICE, price_facts, price_text, read_spec};
use crate::{
    console::{Answer, Fault, Fields, Problems, Visit},
    kit::{Block, Cell, Control, Facts, Field, Form, Notice, Page, Text, Tone},
    pages::catalog::{TOOLS, tool_href},
    text::{said::Said as _, t},
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

/// What would be so without the price; none of one that was taken back.
async fn plan(visit: &Visit, price: &PriceVersion) -> Result<Option<PlannedCancel>, Fault> {
    match visit.services().plan_price_cancel(price.id).await {
        Ok(planned) => Ok(Some(planned)),
        Err(CancelPriceError::Store(error)) => Err(error.into()),
        Err(_taken_back) => Ok(None),
    }
}

fn effect(price: &PriceVersion, planned: &PlannedCancel) -> Result<Vec<Block>, Fault> {
    let instead = planned.instead.as_ref().map(read_spec).transpose()?;
    let mut facts = Facts::new()
        .fact(t("prices-from"), Cell::Time(price.effective_from_us))
        .fact(t("prices-without"), Cell::text(instead.as_ref().map_or_else(|| t("prices-none"), price_text)));
    if let Some(follows) = &planned.follows {
        facts = facts
            .fact(t("prices-follows-from"), Cell::Time(follows.effective_from_us))
            .fact(t("prices-follows"), Cell::text(price_text(&read_spec(follows)?)));
    }
    let raise = planned.is_raise.then(|| Notice::new(Tone::Warn, t("prices-cancel-raise")).into());
    Ok(std::iter::once(facts.into()).chain(raise).collect())
}

/// Which version a form has shown.
fn named(planned: Option<&PlannedCancel>) -> String {
    let instead = planned.and_then(|planned| planned.instead.as_ref());
    instead.map_or_else(|| NO_PRICE.to_owned(), |price| price.id.to_string())
}

fn page(
    visit: &Visit,
    (price, planned): (&PriceVersion, Option<&PlannedCancel>),
    typed: &Fields,
    problems: &Problems,
) -> Result<Page, Fault> {
    let own = tool_href(price.tool);
    let effect = match planned {
        Some(planned) => effect(price, planned)?,
        None => Vec::new(),
    };
    let mut form = Form::new(href(price), t("prices-cancel"))
        .field(Field::line("reason", t("console-reason")).hint(t("catalog-reason-hint")).required())
        .once(visit)
        .step_up(visit, ConsoleAction::PriceCancel)
        .cancel(own.clone())
        .previewed()
        .filled(typed, problems)
        // What the effect was shown for: if that changes, it is shown again.
        .field(Field::new(INSTEAD, "", Control::Hidden).value(named(planned)))
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
    let planned = plan(&visit, &price).await?;
    visit.show(page(&visit, (&price, planned.as_ref()), &typed, &Problems::default())?).await
}

pub(super) async fn cancel(mut visit: Visit, id: Path<String>, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let price = load(&visit, &id).await?;
    let own = tool_href(price.tool);
    let mut problems = Problems::default();
    let reason = problems.required(&fields, "reason").to_owned();
    let key = problems.key(&fields);
    visit.permit(ConsoleAction::PriceCancel, None, &fields, &mut problems).await?;
    // Somebody else has done it, or the same form was sent before.
    if price.cancelled_us.is_some() {
        return visit.go(&own, &t("prices-cancelled-already")).await;
    }
    let planned = plan(&visit, &price).await?;
    let about = (&price, planned.as_ref());
    if problems.is_empty() && fields.text("step") != "confirm" {
        return visit.show(page(&visit, about, &fields, &problems)?).await;
    }
    if fields.text(INSTEAD) != named(planned.as_ref()) {
        problems.add("", t("prices-cancel-stale"));
    }
    if problems.is_empty() {
        let instead = planned.as_ref().and_then(|planned| planned.instead.as_ref()).map(|instead| instead.id);
        let order = PriceCancel { id: price.id, reason: Some(&reason), may_raise: false, instead };
        match visit.services().take_price_back(&visit.context()?, &order).await {
            Ok(_cancelled) => return visit.go(&own, &t("prices-cancelled-done")).await,
            Err(CancelPriceError::AlreadyCancelled) => {
                return visit.go(&own, &t("prices-cancelled-already")).await;
            }
            Err(CancelPriceError::Raises) => {
                if request(&visit, &order, (&reason, &key), &mut problems).await? {
                    return visit.go(&own, &t("prices-asked-done")).await;
                }
            }
            Err(CancelPriceError::NotFound) => return Err(Fault::NotFound),
            Err(CancelPriceError::Store(error)) => return Err(error.into()),
            Err(error) => problems.add("", error.said()),
        }
    }
    visit.show_refused(page(&visit, about, &fields, &problems)?).await
}

/// Asks somebody else to take it back; whether that was asked.
async fn request(
    visit: &Visit,
    order: &PriceCancel<'_>,
    (reason, key): (&str, &str),
    problems: &mut Problems,
) -> Result<bool, Fault> {
    let deed = Deed::PriceCancel { price: order.id, instead: order.instead, reason: reason.to_owned() };
    let author = visit.signed_in()?.operator.id;
    match visit.services().request_deed(&visit.context()?, author, &deed, reason, Some(key)).await {
        Ok(_request) => Ok(true),
        Err(RequestApprovalError::Store(error)) => Err(error.into()),
        Err(error) => {
            let field = if matches!(error, RequestApprovalError::Reason) { "reason" } else { "" };
            problems.add(field, error.said());
            Ok(false)
        }
    }
}
