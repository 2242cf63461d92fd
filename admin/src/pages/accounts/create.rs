//! Making an account, with its first token and perhaps its first credits.

use actix_web::web::Payload;
use engine::{
    credits::Credits,
    id::{AccountId, EntryId},
    policy::console::ConsoleAction,
    service::{
        accounts::{AccountProfile, CreateAccountError, FundedAccount, FundedAccountError, NewFundedAccount},
        approvals::{Deed, Weight},
    },
};

use super::{LIST, href};
use crate::{
    console::{Answer, Fault, Fields, Problems, Visit},
    kit::{Cell, Control, Facts, Field, Form, Link, Notice, Page, Text, Tone},
    pages::access,
    text::{said::Said as _, t},
};

/// What the first token is called unless somebody says otherwise.
const FIRST_TOKEN: &str = "first";

async fn page(visit: &Visit, typed: &Fields, problems: &Problems) -> Result<Page, Fault> {
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
        page = page.with(access::given_so_far(visit).await?);
    }
    Ok(page.with(form))
}

/// What the form may need the password for: who may give credits may do so with it.
fn action(visit: &Visit) -> ConsoleAction {
    if visit.may(ConsoleAction::GrantCreate) { ConsoleAction::GrantCreate } else { ConsoleAction::AccountCreate }
}

pub(super) async fn ask(visit: Visit) -> Answer {
    let typed = Fields::parse(&visit.query)?;
    let page = page(&visit, &typed, &Problems::default()).await?;
    visit.show(page).await
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
        let new = NewFundedAccount {
            email: &email,
            is_verified: fields.is_on("verified"),
            token_name: &token_name,
            credits: credits.unwrap_or(Credits::ZERO),
            reason: Some(&reason),
            key: fields.key(),
        };
        let by = visit.context()?;
        let mut opened = visit.services().open_account(&by, new).await;
        let mut asked_for = None;
        if let Err(FundedAccountError::FourEyes(weight)) = opened {
            asked_for = credits.map(|credits| (credits, weight));
            opened = visit.services().open_account(&by, NewFundedAccount { credits: Credits::ZERO, ..new }).await;
        }
        match opened {
            Ok(made) => {
                let page = made_page(&made);
                return finish(&visit, page, made.profile.id, asked_for, (&key, &reason)).await;
            }
            Err(FundedAccountError::MadeBefore(made)) => {
                return again(&visit, &made, credits, (&key, &reason)).await;
            }
            Err(error) => refuse(error, &mut problems)?,
        }
    }
    let page = page(&visit, &fields, &problems).await?;
    visit.show_refused(page).await
}

fn refuse(error: FundedAccountError, problems: &mut Problems) -> Result<(), Fault> {
    match error {
        FundedAccountError::Account(CreateAccountError::Store(error)) => return Err(error.into()),
        FundedAccountError::TokenName(error) => problems.add("token", error.said()),
        FundedAccountError::Refused(refusal) => problems.add("credits", refusal.said()),
        FundedAccountError::Account(error) => problems.add("email", error.said()),
        error => problems.add("", error.said()),
    }
    Ok(())
}

/// The only page that ever shows the token's secret, with what came of the credits.
fn made_page(made: &FundedAccount) -> Page {
    let facts = Facts::new()
        .fact(t("accounts-email"), Cell::text(&made.profile.email))
        .fact(t("partners-token-name"), Cell::text(&made.token.view.name))
        .fact(t("accounts-available"), Cell::Money(made.credits));
    let mut page = below_list(&made.profile).with(access::tokens::secret(&made.token)).with(facts);
    page.tools.push(Link::new(t("partners-token-kept"), href(made.profile.id)));
    page
}

fn below_list(account: &AccountProfile) -> Page {
    Page::new(t("accounts-new-done")).under(t("accounts-title"), LIST).under(account.email.clone(), href(account.id))
}

/// The same form once more: the account is there, and its secret was shown then. Credits that were neither given with it nor
/// asked for then are asked for now.
async fn again(visit: &Visit, made: &AccountProfile, credits: Option<Credits>, said: (&str, &str)) -> Answer {
    let page = below_list(made).with(Notice::new(Tone::Warn, t("accounts-new-made-before")));
    // What an account is given with its making has its name.
    let given = visit.services().find_transaction(EntryId::from(made.id.uuid())).await?;
    let weight = match credits.filter(|_| given.is_none()) {
        Some(credits) => Some((credits, weight_of(visit, made.id, credits).await?)),
        None => None,
    };
    finish(visit, page, made.id, weight, said).await
}

async fn weight_of(visit: &Visit, account: AccountId, credits: Credits) -> Result<Weight, Fault> {
    let deed = Deed::GrantCreate { account, credits, terms: None, reason: String::new() };
    let weight = visit.services().weigh(visit.signed_in()?.operator.id, &deed).await?;
    weight.ok_or_else(|| Fault::Broken("a gift without an amount".to_owned()))
}

/// Asks for credits that somebody else has to approve, and shows the page with what came of that.
async fn finish(
    visit: &Visit,
    mut page: Page,
    account: AccountId,
    asked_for: Option<(Credits, Weight)>,
    (key, reason): (&str, &str),
) -> Answer {
    if let Some((credits, weight)) = asked_for {
        // The account is there, and its secret has to be shown whatever becomes of the credits.
        let mut problems = Problems::default();
        let asked = Deed::GrantCreate { account, credits, terms: None, reason: reason.to_owned() };
        let asked = access::ask_for_grant(visit, (&asked, weight), reason, key, &mut problems).await;
        let notice = match asked {
            Ok(Some(said)) => Notice::new(Tone::Plain, said),
            Ok(None) | Err(_) => Notice::new(Tone::Bad, t("accounts-new-not-asked")),
        };
        page = page.with(notice);
    }
    visit.show(page).await
}
