//! Correcting a wallet.

use actix_web::web::{Path, Payload};
use engine::{
    credits::Credits,
    id::AccountId,
    policy::console::ConsoleAction,
    service::{
        accounts::AccountProfile,
        approvals::{Deed, Weight},
        balance::Balance,
        movements::Posting,
    },
};

use super::{Said, check_limit, choices, do_or_ask, done_before, four_eyes, href, postings_table, say, weigh};
use crate::{
    console::{Access, Answer, Fault, Fields, Problems, Route, Visit, get, post},
    kit::{Block, Cell, Control, Facts, Field, Form, Page},
    text::t,
};

pub(super) fn routes() -> Vec<Route> {
    vec![
        get("/accounts/{id}/adjust", Access::Needs(ConsoleAction::AccountAdjust), ask),
        post("/accounts/{id}/adjust", Access::Needs(ConsoleAction::AccountAdjust), adjust),
    ]
}

/// The account, what it has, and what the correction would post.
struct Seen {
    account: AccountProfile,
    balance: Balance,
    rehearsal: Option<(Credits, Vec<Posting>)>,
    weight: Option<Weight>,
}

async fn load(visit: &Visit, id: &str) -> Result<Seen, Fault> {
    let id: AccountId = id.parse().map_err(|_unreadable| Fault::NotFound)?;
    let account = visit.services().find_profile(id).await?.ok_or(Fault::NotFound)?;
    let balance = visit.services().load_balance(account.wallet, visit.now_us).await?;
    Ok(Seen { account, balance, rehearsal: None, weight: None })
}

/// The balance before and after, and the postings between.
pub(in crate::pages) fn adjustment_effect(balance: &Balance, credits: Credits, postings: &[Posting]) -> Vec<Block> {
    let after = balance.balance.checked_add(credits).unwrap_or(balance.balance);
    let facts = Facts::new()
        .fact(t("movements-balance-before"), Cell::Money(balance.balance))
        .fact(t("movements-correction"), Cell::Money(credits))
        .fact(t("movements-balance-after"), Cell::Money(after));
    vec![facts.into(), postings_table(postings).into()]
}

fn page(visit: &Visit, seen: &Seen, typed: &Fields, problems: &Problems) -> Page {
    let own = format!("/admin/accounts/{}", seen.account.id);
    let directions = [("in", "movements-put-in"), ("out", "movements-take-out")];
    let mut form = Form::new(format!("{own}/adjust"), t("movements-adjust"))
        .danger()
        .field(Field::select("direction", t("movements-direction"), choices(&directions, "in")))
        .field(Field::amount("credits", t("movements-credits")).required())
        .field(Field::line("reason", t("console-reason")).hint(t("movements-reason-hint")).required())
        .once(visit);
    if let Some((credits, postings)) = &seen.rehearsal {
        form = form.step_up(visit, ConsoleAction::AccountAdjust);
        let mut effect = adjustment_effect(&seen.balance, *credits, postings);
        effect.extend(seen.weight.and_then(four_eyes));
        form = form.preview(effect);
    }
    let mut form = form.cancel(own.clone()).previewed().filled(typed, problems);
    if let Some((credits, _)) = &seen.rehearsal {
        form = form.field(Field::new("shown", "", Control::Hidden).value(credits.micros().to_string()));
    }
    let facts = Facts::new()
        .fact(t("movements-available"), Cell::Money(seen.balance.available()))
        .fact(t("movements-held"), Cell::Money(seen.balance.reserved));
    Page::new(t("movements-adjust"))
        .under(t("accounts-title"), "/admin/accounts")
        .under(seen.account.email.clone(), own)
        .with(facts)
        .with(form)
}

async fn ask(visit: Visit, id: Path<String>) -> Answer {
    let seen = load(&visit, &id).await?;
    let typed = Fields::parse(&visit.query)?;
    visit.show(page(&visit, &seen, &typed, &Problems::default())).await
}

async fn adjust(mut visit: Visit, id: Path<String>, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let mut seen = load(&visit, &id).await?;
    let mut problems = Problems::default();
    if let Some(done) = done_before(&visit, &fields).await? {
        return Ok(visit.go_quietly(&href(done)));
    }
    let amount = problems.amount(&fields, "credits");
    problems.required(&fields, "reason");
    let signed = match fields.text("direction") {
        "out" => amount.and_then(Credits::checked_neg),
        "in" => amount,
        _ => {
            problems.add("direction", t("console-required"));
            None
        }
    };
    let (account, reason) = (seen.account.id, fields.text("reason").to_owned());
    let deed = signed.map(|credits| Deed::AccountAdjust { account, credits, reason });
    if let Some(deed) = &deed {
        let weight = weigh(&visit, deed).await?;
        check_limit(&visit, ConsoleAction::AccountAdjust, weight.total(), "credits", &mut problems);
        seen.weight = Some(weight);
    }
    if let (true, Some(credits)) = (problems.is_empty(), signed) {
        match visit.services().rehearse_adjustment(seen.account.id, credits).await {
            Ok(postings) => seen.rehearsal = Some((credits, postings)),
            Err(error) => say(&mut problems, "credits", error)?,
        }
    }
    let is_confirmed = fields.text("step") == "confirm";
    if let (true, Some((credits, _)), Some(deed)) = (is_confirmed, &seen.rehearsal, &deed) {
        if fields.text("shown") != credits.micros().to_string() {
            problems.add("", t("movements-stale"));
        }
        let total = seen.weight.map(|weight| weight.total().micros());
        let key = problems.key(&fields);
        visit.permit(ConsoleAction::AccountAdjust, total, &fields, &mut problems).await?;
        if problems.is_empty() {
            let said = Said { reason: fields.text("reason"), key: &key };
            if let Some(answer) = do_or_ask(&visit, deed, said, &mut problems).await? {
                return Ok(answer);
            }
        }
    }
    let page = page(&visit, &seen, &fields, &problems);
    if problems.is_empty() { visit.show(page).await } else { visit.show_refused(page).await }
}
