//! Credits for an account.

use actix_web::web::{Path, Payload};
use engine::{
    credits::Credits,
    ledger::grants::PRIORITY_DEFAULT,
    policy::console::ConsoleAction,
    service::{
        accounts::{AccountProfile, GrantError, GrantTerms},
        approvals::Deed,
        movements::Note,
    },
};

use super::{LIST, href, load};
use crate::{
    console::{Answer, Fault, Fields, Problems, Visit},
    kit::{Control, Field, Form, Page},
    pages::access::{self, GrantEffect},
    text::{said::Said as _, t, t_with},
};

async fn page(
    visit: &Visit,
    account: &AccountProfile,
    typed: (&Fields, &Problems),
    effect: Option<GrantEffect>,
) -> Result<Page, Fault> {
    let form = Form::new(format!("{}/grant", href(account.id)), t("accounts-grant-submit"))
        .field(Field::amount("credits", t("accounts-grant-credits")).required())
        .field(Field::line("reason", t("console-reason")).hint(t("accounts-grant-reason-hint")).required())
        .field(
            Field::new("expires", t("accounts-grant-expires"), Control::Line("datetime-local"))
                .hint(t("accounts-grant-expires-hint")),
        )
        .field(Field::line("priority", t("accounts-grant-priority")).hint(t("accounts-grant-priority-hint")))
        .once(visit)
        .cancel(href(account.id));
    let form = access::grant_form(visit, form, ConsoleAction::GrantCreate, typed, effect);
    Ok(Page::new(t("accounts-grant"))
        .under(t("accounts-title"), LIST)
        .under(account.email.clone(), href(account.id))
        .with(access::given_so_far(visit).await?)
        .with(form))
}

pub(super) async fn ask(visit: Visit, id: Path<String>) -> Answer {
    let account = load(&visit, &id).await?;
    let typed = Fields::parse(&visit.query)?;
    let page = page(&visit, &account, (&typed, &Problems::default()), None).await?;
    visit.show(page).await
}

/// What a form asks for.
struct Wanted {
    credits: Credits,
    terms: Option<GrantTerms>,
    reason: String,
}

impl Wanted {
    fn deed(&self, account: &AccountProfile) -> Deed {
        let Self { credits, terms, reason } = self;
        Deed::GrantCreate { account: account.id, credits: *credits, terms: *terms, reason: reason.clone() }
    }

    /// What of it decides what it does.
    fn shown(&self) -> String {
        let terms = self.terms.map(|terms| format!(" {} {}", terms.expires_us, terms.priority));
        format!("{}{}", self.credits.micros(), terms.unwrap_or_default())
    }
}

/// Reads the form. What cannot be used is said at its field.
fn read(fields: &Fields, problems: &mut Problems) -> Option<Wanted> {
    let credits = problems.amount(fields, "credits");
    let reason = problems.required(fields, "reason").to_owned();
    let expires_us = problems.day(fields, "expires");
    let priority = match fields.text("priority") {
        "" => Some(PRIORITY_DEFAULT),
        text => text.parse().ok(),
    };
    if priority.is_none() {
        problems.add("priority", t("console-number-unreadable"));
    }
    let terms = expires_us.zip(priority).map(|(expires_us, priority)| GrantTerms { expires_us, priority });
    Some(Wanted { credits: credits?, terms, reason })
}

/// Shows what it would do, then gives credits, or asks for so many that somebody else has to approve them.
pub(super) async fn give(mut visit: Visit, id: Path<String>, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let account = load(&visit, &id).await?;
    let mut problems = Problems::default();
    let wanted = read(&fields, &mut problems);
    let amount = wanted.as_ref().map(|wanted| wanted.credits.micros());
    visit.check(ConsoleAction::GrantCreate, amount)?;
    let mut effect = None;
    if let (true, Some(wanted)) = (problems.is_empty(), &wanted) {
        let seen = GrantEffect::of(&visit, &wanted.deed(&account), wanted.shown()).await?;
        if fields.text("step") == "confirm" {
            if !seen.was_shown(&fields) {
                problems.add("", t("movements-stale"));
            }
            let key = problems.key(&fields);
            visit.permit(ConsoleAction::GrantCreate, amount, &fields, &mut problems).await?;
            if problems.is_empty()
                && let Some(said) = grant(&visit, &account, wanted, &key, &mut problems).await?
            {
                return visit.go(&href(account.id), &said).await;
            }
        }
        effect = Some(seen);
    }
    let page = page(&visit, &account, (&fields, &problems), effect).await?;
    if problems.is_empty() { visit.show(page).await } else { visit.show_refused(page).await }
}

/// What to say of it; nothing if the form has problems.
async fn grant(
    visit: &Visit,
    account: &AccountProfile,
    wanted: &Wanted,
    key: &str,
    problems: &mut Problems,
) -> Result<Option<String>, Fault> {
    let note = Note { reason: &wanted.reason, key: Some(key) };
    let credits = wanted.credits;
    match visit.services().grant_credits(&visit.context()?, account.id, credits, wanted.terms, note).await {
        Ok(_given) => return Ok(Some(t_with("accounts-granted", &[("credits", credits.to_string().into())]))),
        Err(GrantError::FourEyes(weight)) => {
            let asked = wanted.deed(account);
            return access::ask_for_grant(visit, (&asked, weight), &wanted.reason, key, problems).await;
        }
        Err(GrantError::Store(error)) => return Err(error.into()),
        Err(error @ GrantError::Expired { .. }) => problems.add("expires", error.said()),
        Err(error @ GrantError::Priority(_)) => problems.add("priority", error.said()),
        Err(error @ GrantError::Reason) => problems.add("reason", error.said()),
        Err(error) => problems.add("", error.said()),
    }
    Ok(None)
}
