//! Credits for a partner.

use actix_web::web::{Path, Payload};
use engine::{
    credits::Credits,
    policy::console::ConsoleAction,
    service::{
        approvals::Deed,
        movements::{MovementError, Note},
        partners::PartnerProfile,
    },
};

use super::{below, href, load};
use crate::{
    console::{Answer, Fault, Fields, Problems, Visit},
    kit::{Cell, Facts, Field, Form, Page, Text},
    pages::access::{self, GrantEffect},
    text::{said::Said as _, t, t_with},
};

async fn page(
    visit: &Visit,
    partner: &PartnerProfile,
    typed: (&Fields, &Problems),
    effect: Option<GrantEffect>,
) -> Result<Page, Fault> {
    let balance = visit.services().load_balance(partner.wallet, visit.now_us).await?;
    let form = Form::new(format!("{}/grant", href(partner.id)), t("partners-grant"))
        .field(Field::amount("credits", t("partners-grant-credits")).required())
        .field(Field::line("reason", t("console-reason")).hint(t("partners-grant-reason-hint")).required())
        .once(visit)
        .cancel(href(partner.id));
    let form = access::grant_form(visit, form, ConsoleAction::PartnerGrant, typed, effect);
    Ok(below(partner, t("partners-grant"))
        .with(Text::new(t("partners-grant-text")))
        .with(access::given_so_far(visit).await?)
        .with(Facts::new().fact(t("partners-available"), Cell::Money(balance.available())))
        .with(form))
}

pub(super) async fn ask(visit: Visit, id: Path<String>) -> Answer {
    let partner = load(&visit, &id).await?;
    let typed = Fields::parse(&visit.query)?;
    let page = page(&visit, &partner, (&typed, &Problems::default()), None).await?;
    visit.show(page).await
}

/// Shows what it would do, then gives credits, or asks for so many that somebody else has to approve them.
pub(super) async fn give(mut visit: Visit, id: Path<String>, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let partner = load(&visit, &id).await?;
    let mut problems = Problems::default();
    let credits = problems.amount(&fields, "credits");
    let reason = problems.required(&fields, "reason").to_owned();
    let amount = credits.map(Credits::micros);
    visit.check(ConsoleAction::PartnerGrant, amount)?;
    let mut effect = None;
    if let (true, Some(credits)) = (problems.is_empty(), credits) {
        let deed = Deed::PartnerGrant { partner: partner.id, credits, reason: reason.clone() };
        let seen = GrantEffect::of(&visit, &deed, credits.micros().to_string()).await?;
        if fields.text("step") == "confirm" {
            if !seen.was_shown(&fields) {
                problems.add("", t("movements-stale"));
            }
            let key = problems.key(&fields);
            visit.permit(ConsoleAction::PartnerGrant, amount, &fields, &mut problems).await?;
            if problems.is_empty()
                && let Some(said) = grant(&visit, &partner, (&deed, credits), (&reason, &key), &mut problems).await?
            {
                return visit.go(&href(partner.id), &said).await;
            }
        }
        effect = Some(seen);
    }
    let page = page(&visit, &partner, (&fields, &problems), effect).await?;
    if problems.is_empty() { visit.show(page).await } else { visit.show_refused(page).await }
}

/// What to say of it; nothing if the form has problems.
async fn grant(
    visit: &Visit,
    partner: &PartnerProfile,
    (deed, credits): (&Deed, Credits),
    (reason, key): (&str, &str),
    problems: &mut Problems,
) -> Result<Option<String>, Fault> {
    let note = Note { reason, key: Some(key) };
    match visit.services().grant_to_partner(&visit.context()?, partner.id, credits, note).await {
        Ok(_given) => return Ok(Some(t_with("partners-granted", &[("credits", credits.to_string().into())]))),
        Err(MovementError::FourEyes(weight)) => {
            return access::ask_for_grant(visit, (deed, weight), reason, key, problems).await;
        }
        Err(MovementError::Store(error)) => return Err(error.into()),
        Err(error @ MovementError::Reason) => problems.add("reason", error.said()),
        Err(error) => problems.add("", error.said()),
    }
    Ok(None)
}
