//! Giving back what was charged: worked out first, then done, or asked for.

use actix_web::web::Payload;
use engine::{
    id::{EntryId, InvocationId},
    policy::console::ConsoleAction,
    service::{
        approvals::{Deed, Weight},
        movements::{RefundRehearsal, Refundable},
    },
};

use super::{LIST, Said, check_limit, do_or_ask, done_before, four_eyes, href, refund_effect, say};
use crate::{
    console::{Access, Answer, Fault, Fields, Problems, Route, Visit, get, post},
    kit::{Cell, Control, Facts, Field, Form, Notice, Page, Tone},
    text::{t, t_with},
};

/// Where refunds are made.
const NEW: &str = "/admin/refunds/new";

pub(super) fn routes() -> Vec<Route> {
    vec![
        get("/refunds/new", Access::Needs(ConsoleAction::RefundCreate), ask),
        post("/refunds/new", Access::Needs(ConsoleAction::RefundCreate), refund),
    ]
}

/// The charge that somebody names by it or by its call.
pub(super) fn charge_of(text: &str) -> Option<EntryId> {
    let call = text.parse::<InvocationId>().map(EntryId::from);
    call.ok().or_else(|| text.parse().ok())
}

/// What is known of the form that is shown.
#[derive(Default)]
struct Seen {
    charge: Option<Refundable>,
    rehearsal: Option<RefundRehearsal>,
}

/// What a form has shown: what is done has to be that.
fn shown(rehearsal: &RefundRehearsal) -> String {
    let RefundRehearsal { charge, credits, left, .. } = rehearsal;
    format!("{} {} {}", charge.id, credits.micros(), left.micros())
}

fn page(visit: &Visit, seen: &Seen, typed: &Fields, problems: &Problems) -> Page {
    let mut page = Page::new(t("movements-refund")).under(t("movements-refunds"), LIST);
    let left = seen.charge.map(|charge| charge.left());
    if let Some(charge) = &seen.charge {
        page = page.with(facts(charge));
        if charge.left().is_zero() {
            return page.with(Notice::new(Tone::Warn, t("movements-nothing-left")));
        }
    }
    let of = [typed.text("transaction"), typed.text("invocation")].into_iter().find(|text| !text.is_empty());
    let credits = left.map(|left| left.to_string()).unwrap_or_default();
    let hint =
        left.map_or_else(String::new, |left| t_with("movements-refund-hint", &[("left", left.to_string().into())]));
    let mut form = Form::new(NEW, t("movements-refund"))
        .field(Field::line("transaction", t("movements-charge")).value(of.unwrap_or_default()).required())
        .field(Field { hint, ..Field::amount("credits", t("movements-credits")) }.value(credits).required())
        .field(Field::line("reason", t("console-reason")).hint(t("movements-reason-hint")).required())
        .once(visit);
    if let Some(rehearsal) = &seen.rehearsal {
        form = form.step_up(visit, ConsoleAction::RefundCreate);
        let mut effect = refund_effect(rehearsal);
        effect.extend(four_eyes(Weight::of_refund(&rehearsal.charge, Some(rehearsal.credits))));
        form = form.preview(effect);
    }
    let mut form = form.cancel(LIST).previewed().filled(typed, problems);
    // Behind what was typed: a form that is shown again shows what is so now.
    if let Some(rehearsal) = &seen.rehearsal {
        form = form.field(Field::new("shown", "", Control::Hidden).value(shown(rehearsal)));
    }
    page.with(form)
}

fn facts(charge: &Refundable) -> Facts {
    let mut facts = Facts::new();
    if let Some(call) = charge.call {
        facts = facts.fact(t("movements-call"), Cell::id(call, format!("/admin/invocations/{call}")));
    }
    facts
        .fact(t("movements-charged"), Cell::Money(charge.charged))
        .fact(t("movements-refunded"), Cell::Money(charge.refunded))
        .fact(t("movements-left"), Cell::Money(charge.left()))
        .fact(t("movements-when"), Cell::Time(charge.recorded_us))
}

async fn ask(visit: Visit) -> Answer {
    let typed = Fields::parse(&visit.query)?;
    let named = [typed.text("transaction"), typed.text("invocation")].into_iter().find_map(charge_of);
    let charge = match named {
        Some(of) => visit.services().find_refundable(of).await?,
        None => None,
    };
    // The address may name what there is not: that is said beside the field.
    let mut problems = Problems::default();
    if charge.is_none() && ["transaction", "invocation"].iter().any(|name| !typed.text(name).is_empty()) {
        problems.add("transaction", t("movements-no-charge"));
    }
    let seen = Seen { charge, rehearsal: None };
    let page = page(&visit, &seen, &typed, &problems);
    if problems.is_empty() { visit.show(page).await } else { visit.show_refused(page).await }
}

/// Looks at what was typed and has it worked out.
async fn rehearse(visit: &Visit, fields: &Fields, problems: &mut Problems) -> Result<Seen, Fault> {
    let mut seen = Seen::default();
    let text = problems.required(fields, "transaction");
    if let Some(of) = charge_of(text) {
        seen.charge = visit.services().find_refundable(of).await?;
    }
    if seen.charge.is_none() && !text.is_empty() {
        problems.add("transaction", t("movements-no-charge"));
    }
    let credits = problems.amount(fields, "credits");
    problems.required(fields, "reason");
    if let (Some(credits), Some(charge)) = (credits, &seen.charge) {
        // Parts of a charge count together, whoever gave them back.
        let total = Weight::of_refund(charge, Some(credits)).total();
        check_limit(visit, ConsoleAction::RefundCreate, total, "credits", problems);
    }
    if let (true, Some(charge)) = (problems.is_empty(), seen.charge) {
        match visit.services().rehearse_refund(charge.id, credits).await {
            Ok(rehearsal) => seen.rehearsal = Some(rehearsal),
            Err(error) => say(problems, "credits", error)?,
        }
    }
    Ok(seen)
}

async fn refund(mut visit: Visit, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let mut problems = Problems::default();
    if let Some(done) = done_before(&visit, &fields).await? {
        return Ok(visit.go_quietly(&href(done)));
    }
    let seen = rehearse(&visit, &fields, &mut problems).await?;
    if let Some(rehearsal) = seen.rehearsal.as_ref().filter(|_| fields.text("step") == "confirm") {
        if fields.text("shown") != shown(rehearsal) {
            let values = [("left", rehearsal.charge.left().to_string().into())];
            problems.add("", t_with("movements-refund-stale", &values));
        }
        let (of, credits) = (rehearsal.charge.id, Some(rehearsal.credits));
        let total = Weight::of_refund(&rehearsal.charge, credits).total();
        let key = problems.key(&fields);
        visit.permit(ConsoleAction::RefundCreate, Some(total.micros()), &fields, &mut problems).await?;
        if problems.is_empty() {
            let said = Said { reason: fields.text("reason"), key: &key };
            let deed = Deed::RefundCreate { of, credits, reason: said.reason.to_owned() };
            if let Some(answer) = do_or_ask(&visit, &deed, said, &mut problems).await? {
                return Ok(answer);
            }
        }
    }
    let page = page(&visit, &seen, &fields, &problems);
    if problems.is_empty() { visit.show(page).await } else { visit.show_refused(page).await }
}
