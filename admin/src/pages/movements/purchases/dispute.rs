//! A payment that its provider disputes: as much of it as the wallet has is held.

use actix_web::web::{Path, Payload};
use engine::{
    credits::Credits,
    policy::console::ConsoleAction,
    service::{
        movements::{ChargebackState, DisputeFilter, MovementError, Note},
        purchases::Purchase,
    },
};

use super::{
    super::{chargebacks, done_before, say},
    href, load, nothing_to_do,
};
use crate::{
    console::{Answer, Fault, Fields, Problems, Visit},
    kit::{Block, Cell, Control, Facts, Field, Form, Page, Text},
    text::{t, t_with},
};

/// How much of a purchase can be disputed now; nothing while it is disputed, or after it was lost.
pub(super) async fn disputable(visit: &Visit, purchase: &Purchase) -> Result<Option<Credits>, Fault> {
    let filter = DisputeFilter { purchase: Some(purchase.id), state: None };
    let disputes = visit.services().list_chargebacks(&filter, None).await?;
    if disputes.rows.iter().any(|dispute| dispute.state != ChargebackState::Won) {
        return Ok(None);
    }
    match visit.services().find_disputable(purchase.id).await {
        Ok(left) => Ok(left.filter(|left| !left.is_zero())),
        Err(MovementError::Store(error)) => Err(error.into()),
        Err(error) => Err(Fault::Broken(error.to_string())),
    }
}

/// What a dispute over so much of a purchase would hold.
async fn effect(visit: &Visit, purchase: &Purchase, credits: Credits) -> Result<Vec<Block>, Fault> {
    let profile = visit.services().find_profile(purchase.account).await?.ok_or(Fault::NotFound)?;
    let available = visit.services().load_balance(profile.wallet, visit.now_us).await?.available();
    let held = available.min(credits).max(Credits::ZERO);
    let facts = Facts::new()
        .fact(t("movements-disputed"), Cell::Money(credits))
        .fact(t("movements-available"), Cell::Money(available))
        .fact(t("movements-would-be-held"), Cell::Money(held))
        .fact(t("movements-not-there"), Cell::Money(credits.checked_sub(held).unwrap_or(Credits::ZERO)));
    Ok(vec![facts.into()])
}

/// `of`: how much is disputed, once that is known; then it is shown what this would hold.
async fn form_page(
    visit: &Visit,
    purchase: &Purchase,
    (typed, problems): (&Fields, &Problems),
    of: Option<Credits>,
) -> Result<Page, Fault> {
    let Some(left) = disputable(visit, purchase).await? else {
        return Ok(nothing_to_do("movements-dispute", purchase, "movements-dispute-nothing"));
    };
    let mut form = Form::new(format!("{}/dispute", href(purchase.id)), t("movements-dispute"))
        .danger()
        .field(Field::amount("credits", t("movements-disputed")).value(left.to_string()).required())
        .field(Field::line("reason", t("console-reason")).hint(t("movements-dispute-hint")).required())
        .once(visit);
    if let Some(of) = of {
        let held = effect(visit, purchase, of).await?;
        form = form.step_up(visit, ConsoleAction::ChargebackDecide).preview(held);
    }
    let mut form = form.cancel(href(purchase.id)).previewed().filled(typed, problems);
    if let Some(of) = of {
        form = form.field(Field::new("shown", "", Control::Hidden).value(of.micros().to_string()));
    }
    Ok(super::page("movements-dispute", purchase).with(Text::new(t("movements-dispute-text"))).with(form))
}

pub(super) async fn ask(visit: Visit, id: Path<String>) -> Answer {
    let purchase = load(&visit, &id).await?;
    let typed = Fields::parse(&visit.query)?;
    let page = form_page(&visit, &purchase, (&typed, &Problems::default()), None).await?;
    visit.show(page).await
}

pub(super) async fn open(mut visit: Visit, id: Path<String>, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let purchase = load(&visit, &id).await?;
    let mut problems = Problems::default();
    if let Some(done) = done_before(&visit, &fields).await? {
        return Ok(visit.go_quietly(&chargebacks::href(done)));
    }
    let credits = problems.amount(&fields, "credits");
    let reason = problems.required(&fields, "reason").to_owned();
    let amount = credits.map(Credits::micros);
    visit.check(ConsoleAction::ChargebackDecide, amount)?;
    match (disputable(&visit, &purchase).await?, credits) {
        (None, _) => problems.add("", t("movements-dispute-nothing")),
        (Some(left), Some(credits)) if credits > left => {
            problems.add("credits", t_with("movements-dispute-most", &[("left", left.to_string().into())]));
        }
        _ => {}
    }
    let of = credits.filter(|_| problems.is_empty());
    if let (Some(credits), "confirm") = (of, fields.text("step")) {
        if fields.text("shown") != credits.micros().to_string() {
            problems.add("", t("movements-stale"));
        }
        let key = problems.key(&fields);
        visit.permit(ConsoleAction::ChargebackDecide, amount, &fields, &mut problems).await?;
        if problems.is_empty() {
            let note = Note { reason: &reason, key: Some(&key) };
            match visit.services().open_chargeback(&visit.context()?, purchase.id, of, note).await {
                Ok(opened) => {
                    let said = t_with("movements-dispute-opened", &[("held", opened.held.to_string().into())]);
                    return visit.go(&chargebacks::href(opened.id), &said).await;
                }
                Err(error) => say(&mut problems, "credits", error)?,
            }
        }
    }
    let page = form_page(&visit, &purchase, (&fields, &problems), of).await?;
    if problems.is_empty() { visit.show(page).await } else { visit.show_refused(page).await }
}
