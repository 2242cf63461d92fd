//! Making an account, with its first token and perhaps its first credits.

use actix_web::web::Payload;
use engine::{
    credits::Credits,
    policy::console::ConsoleAction,
    service::{
        accounts::{CreateAccountError, FundedAccount, FundedAccountError, NewFundedAccount},
        approvals::{APPROVAL_FROM, Deed},
    },
};

use super::{LIST, href};
use crate::{
    console::{Answer, Fault, Fields, Problems, Visit},
    kit::{Cell, Control, Facts, Field, Form, Link, Notice, Page, Text, Tone},
    pages::access,
    text::{t, t_with},
};

/// What the first token is called unless somebody says otherwise.
const FIRST_TOKEN: &str = "first";

fn page(visit: &Visit, typed: &Fields, problems: &Problems) -> Page {
    let mut form = Form::new(format!("{LIST}/new"), t("accounts-new"))
        .field(Field::new("email", t("accounts-email"), Control::Line("email")).required())
        .field(Field::new("verified", t("accounts-new-verified"), Control::Tick(false)))
        .field(access::tokens::name_field().value(FIRST_TOKEN).required());
    if visit.may(ConsoleAction::GrantCreate) {
        form = form.field(Field::amount("credits", t("accounts-new-credits")));
    }
    let form = form
        .field(Field::line("reason", t("console-reason")).required())
        .once(visit)
        .step_up(visit, action(visit))
        .cancel(LIST)
        .filled(typed, problems);
    let mut page =
        Page::new(t("accounts-new")).under(t("accounts-title"), LIST).with(Text::new(t("accounts-new-text")));
    if visit.may(ConsoleAction::GrantCreate) {
        let above = t_with("partners-grant-above", &[("credits", APPROVAL_FROM.to_string().into())]);
        page = page.with(Text::new(above));
    }
    page.with(form)
}

/// What the form may need the password for: who may give credits may do so with it.
fn action(visit: &Visit) -> ConsoleAction {
    if visit.may(ConsoleAction::GrantCreate) { ConsoleAction::GrantCreate } else { ConsoleAction::AccountCreate }
}

pub(super) async fn ask(visit: Visit) -> Answer {
    let typed = Fields::parse(&visit.query)?;
    visit.show(page(&visit, &typed, &Problems::default())).await
}

/// Makes an account. Credits that need an approval are asked for once it is there.
pub(super) async fn make(mut visit: Visit, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let mut problems = Problems::default();
    let email = problems.required(&fields, "email").to_owned();
    let token_name = problems.required(&fields, "token").to_owned();
    let reason = problems.required(&fields, "reason").to_owned();
    let credits = if fields.text("credits").is_empty() { None } else { problems.amount(&fields, "credits") };
    let key = problems.key(&fields);
    visit.permit(ConsoleAction::AccountCreate, None, &fields, &mut problems).await?;
    if let Some(credits) = credits {
        visit.permit(ConsoleAction::GrantCreate, Some(credits.micros()), &fields, &mut problems).await?;
    }
    if problems.is_empty() {
        let at_once = credits.filter(|credits| *credits <= APPROVAL_FROM).unwrap_or(Credits::ZERO);
        let new = NewFundedAccount {
            email: &email,
            is_verified: fields.is_on("verified"),
            token_name: &token_name,
            credits: at_once,
            reason: Some(&reason),
        };
        match visit.services().open_account(&visit.context()?, new).await {
            Ok(made) => return finish(&visit, &made, credits, (&key, reason)).await,
            Err(error) => refuse(error, &mut problems)?,
        }
    }
    visit.show_refused(page(&visit, &fields, &problems)).await
}

fn refuse(error: FundedAccountError, problems: &mut Problems) -> Result<(), Fault> {
    match error {
        FundedAccountError::Account(CreateAccountError::Store(error)) => return Err(error.into()),
        FundedAccountError::TokenName(error) => problems.add("token", error.to_string()),
        FundedAccountError::Refused(refusal) => problems.add("credits", refusal.to_string()),
        FundedAccountError::Account(error) => problems.add("email", error.to_string()),
    }
    Ok(())
}

/// The only page that ever shows the token's secret, with what came of the credits.
async fn finish(
    visit: &Visit,
    made: &FundedAccount,
    credits: Option<Credits>,
    (key, reason): (&str, String),
) -> Answer {
    let account = made.profile.id;
    let mut page = Page::new(t("accounts-new-done"))
        .under(t("accounts-title"), LIST)
        .under(made.profile.email.clone(), href(account))
        .with(access::tokens::secret(&made.token))
        .with(
            Facts::new()
                .fact(t("accounts-email"), Cell::text(&made.profile.email))
                .fact(t("partners-token-name"), Cell::text(&made.token.view.name))
                .fact(t("accounts-available"), Cell::Money(made.credits)),
        );
    page.tools.push(Link::new(t("partners-token-kept"), href(account)));
    if let Some(credits) = credits.filter(|credits| *credits > APPROVAL_FROM) {
        // The account is there, and its secret has to be shown whatever becomes of the credits.
        let mut problems = Problems::default();
        let asked = Deed::GrantCreate { account, credits, terms: None, reason: reason.clone() };
        let notice = match access::ask_for_grant(visit, &asked, &reason, key, &mut problems).await {
            Ok(Some(said)) => Notice::new(Tone::Plain, said),
            Ok(None) | Err(_) => Notice::new(Tone::Bad, t("accounts-new-not-asked")),
        };
        page = page.with(notice);
    }
    visit.show(page).await
}
