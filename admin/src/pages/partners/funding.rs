//! Who pays for the calls of a partner's end users: the partner for all, or each for itself.

use actix_web::web::{Path, Payload};
use engine::{
    policy::console::ConsoleAction,
    service::partners::{Funding, FundingError, HeldByUsers, PartnerProfile},
};

use super::{below, href, load};
use crate::{
    console::{Answer, Fault, Fields, Problems, Visit},
    kit::{Cell, Control, Facts, Field, Form, Page, Text},
    text::{said::Said as _, t},
};

/// What is known of it when the form is made.
struct Seen {
    partner: PartnerProfile,
    funding: Funding,
    held: HeldByUsers,
}

impl Seen {
    async fn load(visit: &Visit, id: &str) -> Result<Self, Fault> {
        let partner = load(visit, id).await?;
        let funding = visit.services().load_partner_funding(partner.id).await?;
        let held = visit.services().load_held_by_users(partner.id).await?;
        Ok(Self { partner, funding, held })
    }

    /// What it would be instead.
    const fn other(&self) -> Funding {
        match self.funding {
            Funding::Partner => Funding::PerUser,
            Funding::PerUser => Funding::Partner,
        }
    }
}

/// Who pays, for people.
pub(super) fn funding_text(funding: Funding) -> String {
    t(match funding {
        Funding::Partner => "partners-funding-partner",
        Funding::PerUser => "partners-funding-per-user",
    })
}

/// What end users have in wallets of their own.
pub(super) fn held_facts(facts: Facts, held: &HeldByUsers) -> Facts {
    facts
        .fact(t("partners-held-users"), Cell::Number(i64::try_from(held.users).unwrap_or(i64::MAX)))
        .fact(t("partners-held-credits"), Cell::Money(held.credits))
}

fn page(visit: &Visit, seen: &Seen, typed: &Fields, problems: &Problems) -> Page {
    let text = match seen.other() {
        Funding::PerUser => "partners-funding-text-per-user",
        Funding::Partner => "partners-funding-text-partner",
    };
    let form = Form::new(format!("{}/funding", href(seen.partner.id)), t("partners-funding-change"))
        .field(Field::line("reason", t("console-reason")).required())
        .step_up(visit, ConsoleAction::PartnerChange)
        .danger()
        .cancel(href(seen.partner.id))
        .filled(typed, problems)
        // What the form was made for: somebody else may have done it in the meantime.
        .field(Field::new("to", "", Control::Hidden).value(seen.other().as_str()));
    let now = Facts::new().fact(t("partners-funding"), Cell::text(funding_text(seen.funding)));
    below(&seen.partner, t("partners-funding-change"))
        .with(Text::new(t(text)))
        .with(held_facts(now, &seen.held))
        .with(form)
}

pub(super) async fn ask(visit: Visit, id: Path<String>) -> Answer {
    let seen = Seen::load(&visit, &id).await?;
    let typed = Fields::parse(&visit.query)?;
    visit.show(page(&visit, &seen, &typed, &Problems::default())).await
}

pub(super) async fn change(mut visit: Visit, id: Path<String>, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let seen = Seen::load(&visit, &id).await?;
    let own = href(seen.partner.id);
    let mut problems = Problems::default();
    let reason = problems.required(&fields, "reason").to_owned();
    let to = Funding::from_word(fields.text("to")).unwrap_or_else(|| seen.other());
    // Somebody else has done it, or the same form was sent before.
    if seen.funding == to {
        return visit.go(&own, &t("console-already")).await;
    }
    visit.permit(ConsoleAction::PartnerChange, None, &fields, &mut problems).await?;
    if problems.is_empty() {
        match visit.services().set_partner_funding(&visit.context()?, seen.partner.id, to, &reason).await {
            Ok(()) => return visit.go(&own, &t("partners-funding-done")).await,
            Err(FundingError::AlreadySo(_)) => return visit.go(&own, &t("console-already")).await,
            Err(FundingError::NotFound) => return Err(Fault::NotFound),
            Err(FundingError::Store(error)) => return Err(error.into()),
            Err(error @ FundingError::Reason) => problems.add("reason", error.said()),
            Err(error @ FundingError::Held(_)) => problems.add("", error.said()),
        }
    }
    visit.show_refused(page(&visit, &seen, &fields, &problems)).await
}
