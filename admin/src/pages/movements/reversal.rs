//! Taking a whole transaction back.

use actix_web::web::Payload;
use engine::{
    credits::Credits,
    id::EntryId,
    policy::console::ConsoleAction,
    service::{
        approvals::{Deed, Weight},
        movements::{Posting, Transaction},
    },
};

use super::{LIST, Said, do_or_ask, done_before, four_eyes, href, postings_table, refund::charge_of, say, weigh};
use crate::{
    console::{Access, Answer, Fault, Fields, Problems, Route, Visit, get, post},
    kit::{Block, Cell, Control, Facts, Field, Form, Heading, Page},
    text::t,
};

const NEW: &str = "/admin/refunds/reverse";

pub(super) fn routes() -> Vec<Route> {
    vec![
        get("/refunds/reverse", Access::Needs(ConsoleAction::ReversalCreate), ask),
        post("/refunds/reverse", Access::Needs(ConsoleAction::ReversalCreate), reverse),
    ]
}

/// What is known of the form that is shown.
#[derive(Default)]
struct Seen {
    of: Option<(Transaction, Vec<Posting>)>,
    rehearsal: Option<Vec<Posting>>,
    weight: Option<Weight>,
}

/// What a reversal would move.
fn moved(postings: &[Posting]) -> Credits {
    Credits::checked_sum(postings.iter().map(|posting| posting.amount)).unwrap_or(Credits::MAX)
}

/// What a form has shown: what is done has to be that.
fn shown(of: EntryId, postings: &[Posting]) -> String {
    let parts = postings
        .iter()
        .map(|posting| format!("{}>{}:{}", posting.debit.account, posting.credit.account, posting.amount.micros()));
    format!("{of} {}", parts.collect::<Vec<_>>().join(","))
}

fn page(visit: &Visit, seen: &Seen, typed: &Fields, problems: &Problems) -> Page {
    let mut page = Page::new(t("movements-reverse")).under(t("movements-refunds"), LIST);
    if let Some((transaction, postings)) = &seen.of {
        let facts = Facts::new()
            .fact(t("movements-kind"), Cell::Mono(transaction.kind.as_str().to_owned()))
            .fact(t("movements-id"), Cell::id(transaction.id, ""))
            .fact(t("movements-amount"), Cell::Money(moved(postings)))
            .fact(t("movements-posted"), Cell::Time(transaction.recorded_us));
        page = page.with(facts).with(postings_table(postings)).with(Heading::new(t("movements-reverse")));
    }
    let of = [typed.text("transaction"), typed.text("invocation")].into_iter().find(|text| !text.is_empty());
    let mut form = Form::new(NEW, t("movements-reverse"))
        .danger()
        .field(Field::line("transaction", t("movements-transaction")).value(of.unwrap_or_default()).required())
        .field(Field::line("reason", t("console-reason")).hint(t("movements-reason-hint")).required())
        .once(visit);
    if let Some(postings) = &seen.rehearsal {
        form = form.step_up(visit, ConsoleAction::ReversalCreate);
        let mut effect: Vec<Block> = vec![postings_table(postings).into()];
        effect.extend(seen.weight.and_then(four_eyes));
        form = form.preview(effect);
    }
    let mut form = form.cancel(LIST).previewed().filled(typed, problems);
    if let (Some((transaction, _)), Some(postings)) = (&seen.of, &seen.rehearsal) {
        form = form.field(Field::new("shown", "", Control::Hidden).value(shown(transaction.id, postings)));
    }
    page.with(form)
}

async fn ask(visit: Visit) -> Answer {
    let typed = Fields::parse(&visit.query)?;
    let named = [typed.text("transaction"), typed.text("invocation")].into_iter().find_map(charge_of);
    let of = match named {
        Some(of) => visit.services().find_transaction(of).await?,
        None => None,
    };
    // The address may name what there is not: that is said beside the field.
    let mut problems = Problems::default();
    if of.is_none() && ["transaction", "invocation"].iter().any(|name| !typed.text(name).is_empty()) {
        problems.add("transaction", t("movements-no-transaction"));
    }
    let seen = Seen { of, ..Seen::default() };
    let page = page(&visit, &seen, &typed, &problems);
    if problems.is_empty() { visit.show(page).await } else { visit.show_refused(page).await }
}

async fn rehearse(visit: &Visit, fields: &Fields, problems: &mut Problems) -> Result<Seen, Fault> {
    let mut seen = Seen::default();
    let text = problems.required(fields, "transaction");
    if let Some(of) = charge_of(text) {
        seen.of = visit.services().find_transaction(of).await?;
    }
    if seen.of.is_none() && !text.is_empty() {
        problems.add("transaction", t("movements-no-transaction"));
    }
    problems.required(fields, "reason");
    if let (true, Some((transaction, _))) = (problems.is_empty(), &seen.of) {
        match visit.services().rehearse_reversal(transaction.id).await {
            Ok(postings) => {
                let deed = Deed::ReversalCreate { of: transaction.id, reason: String::new() };
                seen.weight = Some(weigh(visit, &deed).await?);
                seen.rehearsal = Some(postings);
            }
            Err(error) => say(problems, "transaction", error)?,
        }
    }
    Ok(seen)
}

async fn reverse(mut visit: Visit, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let mut problems = Problems::default();
    if let Some(done) = done_before(&visit, &fields).await? {
        return Ok(visit.go_quietly(&href(done)));
    }
    let seen = rehearse(&visit, &fields, &mut problems).await?;
    let is_confirmed = fields.text("step") == "confirm";
    if let (true, Some((transaction, _)), Some(postings)) = (is_confirmed, &seen.of, &seen.rehearsal) {
        if fields.text("shown") != shown(transaction.id, postings) {
            problems.add("", t("movements-stale"));
        }
        let key = problems.key(&fields);
        let total = seen.weight.map(|weight| weight.total().micros());
        visit.permit(ConsoleAction::ReversalCreate, total, &fields, &mut problems).await?;
        if problems.is_empty() {
            let said = Said { reason: fields.text("reason"), key: &key };
            let deed = Deed::ReversalCreate { of: transaction.id, reason: said.reason.to_owned() };
            if let Some(answer) = do_or_ask(&visit, &deed, said, &mut problems).await? {
                return Ok(answer);
            }
        }
    }
    let page = page(&visit, &seen, &fields, &problems);
    if problems.is_empty() { visit.show(page).await } else { visit.show_refused(page).await }
}
