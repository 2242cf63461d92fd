//! A price is scheduled: first what it would do, then it is done, or somebody else is asked for it.

use actix_web::web::{Path, Payload};
use engine::{
    credits::Credits,
    id::{PriceVersionId, ToolId},
    policy::console::ConsoleAction,
    pricing::PricingSpec,
    service::{
        approvals::{Deed, RequestApprovalError},
        catalog::{ToolDetail, spec_to_json},
        prices::{PlannedPrice, PriceOrder, PriceStart, PriceTrial, SchedulePriceError},
    },
};

use super::{NO_PRICE, price_fields, price_text, read_spec, spec_of};
use crate::{
    console::{Answer, Fault, Fields, Problems, Visit},
    kit::{Block, Cell, Control, Facts, Field, Form, Heading, Notice, Page, Span, Spans, Text, Tone, instant_text},
    pages::catalog::{TOOLS, tool_href},
    text::{said::Said as _, t, t_with},
};

async fn load(visit: &Visit, id: &str) -> Result<ToolDetail, Fault> {
    let id: ToolId = id.parse().map_err(|_unreadable| Fault::NotFound)?;
    visit.services().find_tool(id).await?.ok_or(Fault::NotFound)
}

/// What a form for a price shows beside its fields.
#[derive(Default)]
struct Shown {
    /// The price of now, with which an empty form is filled in.
    now: Option<PricingSpec>,
    /// What it would do.
    preview: Vec<Block>,
    /// What was typed, as [`wanted`] says it; empty without a preview.
    wanted: String,
    /// The version that it would take the place of, as the preview said, or [`NO_PRICE`]; empty without a preview.
    over: String,
}

fn page(visit: &Visit, tool: &ToolDetail, typed: &Fields, problems: &Problems, shown: Shown) -> Page {
    let own = tool_href(tool.profile.id);
    let mut form = price_fields(Form::new(format!("{own}/price"), t("prices-schedule")), shown.now.as_ref())
        .field(
            Field::new("valid_from", t("prices-valid-from"), Control::Line("datetime-local"))
                .hint(t("prices-valid-from-hint")),
        )
        .field(Field::line("reason", t("console-reason")).hint(t("catalog-reason-hint")).required())
        .once(visit)
        .step_up(visit, ConsoleAction::PriceSchedule)
        .cancel(own.clone())
        .previewed()
        .filled(typed, problems)
        .preview(shown.preview);
    if !shown.over.is_empty() {
        // What the preview was about: if that changes, it is shown again.
        form = form
            .field(Field::new("over", "", Control::Hidden).value(shown.over))
            .field(Field::new("shown", "", Control::Hidden).value(shown.wanted));
    }
    Page::new(t("prices-schedule"))
        .under(t("catalog-tools"), TOOLS)
        .under(tool.profile.path(), own)
        .with(Text::new(t("prices-schedule-text")))
        .with(form)
}

pub(super) async fn ask(visit: Visit, id: Path<String>) -> Answer {
    let tool = load(&visit, &id).await?;
    let typed = Fields::parse(&visit.query)?;
    let now = visit.services().find_price_at(tool.profile.id, visit.now_us).await?;
    let now = now.as_ref().map(read_spec).transpose()?;
    let shown = Shown { now, ..Shown::default() };
    visit.show(page(&visit, &tool, &typed, &Problems::default(), shown)).await
}

/// What of a form decides what it does: the price, and from when on.
fn wanted(spec: &PricingSpec, from_us: Option<i64>) -> String {
    let from = from_us.map_or_else(|| "soon".to_owned(), |from_us| from_us.to_string());
    format!("{from} {}", spec_to_json(spec))
}

/// What it would do, as far as is known.
fn preview(planned: &PlannedPrice, spec: &PricingSpec, trial: &PriceTrial) -> Result<Vec<Block>, Fault> {
    let before = planned.standing.as_ref().map(read_spec).transpose()?;
    let before = before.as_ref().map_or_else(|| t("prices-first"), price_text);
    let mut facts = Facts::new()
        .fact(t("prices-from"), Cell::Time(planned.effective_from_us))
        .fact(t("prices-before"), Cell::text(before))
        .fact(t("prices-after"), Cell::text(price_text(spec)));
    if let Some(follows) = &planned.follows {
        facts = facts
            .fact(t("prices-follows-from"), Cell::Time(follows.effective_from_us))
            .fact(t("prices-follows"), Cell::text(price_text(&read_spec(follows)?)));
    }
    let mut blocks: Vec<Block> = vec![facts.into()];
    if planned.is_raise {
        blocks.push(Notice::new(Tone::Warn, t("prices-raise")).into());
    }
    blocks.push(Heading::new(t("prices-trial")).into());
    blocks.extend(trial_blocks(trial));
    Ok(blocks)
}

fn trial_blocks(trial: &PriceTrial) -> Vec<Block> {
    let looked_at =
        [("count", trial.looked_at.into()), ("since", trial.since_us.map_or_else(String::new, instant_text).into())];
    if trial.calls == 0 {
        return vec![Text::new(t_with("prices-trial-none", &looked_at)).into()];
    }
    let mut facts = Facts::new()
        .fact(t("prices-trial-calls"), Cell::Number(i64::try_from(trial.calls).unwrap_or(i64::MAX)))
        .fact(t("prices-trial-charged"), Cell::Money(trial.charged));
    facts = match trial.most {
        Some(most) if most == trial.least => facts.fact(t("prices-trial-would"), Cell::Money(most)),
        Some(most) => facts
            .fact(t("prices-trial-least"), Cell::Money(trial.least))
            .fact(t("prices-trial-most"), Cell::Money(most)),
        None => facts
            .fact(t("prices-trial-least"), Cell::Money(trial.least))
            .fact(t("prices-trial-most"), Cell::text(t("prices-trial-unknown"))),
    };
    vec![facts.into(), trial_picture(trial).into(), Text::new(t_with("prices-trial-text", &looked_at)).into()]
}

/// What was charged, and what would have been: where only bounds are known, both.
fn trial_picture(trial: &PriceTrial) -> Spans {
    let bar = |key: &str, to: Credits, class| Span::amount(t(key), Credits::ZERO, to, class);
    let mut spans = vec![bar("prices-trial-charged", trial.charged, "s1")];
    match trial.most {
        Some(most) if most == trial.least => spans.push(bar("prices-trial-would", most, "s2")),
        most => {
            spans.push(bar("prices-trial-least", trial.least, "s2"));
            spans.extend(most.map(|most| bar("prices-trial-most", most, "s3")));
        }
    }
    Spans { title: t("prices-trial"), values: t("prices-price"), spans }
}

/// Says what is wrong beside the field that it is wrong with.
fn add_problem(problems: &mut Problems, error: SchedulePriceError) -> Result<(), Fault> {
    match error {
        SchedulePriceError::Store(error) => return Err(error.into()),
        SchedulePriceError::NoTool(_) => problems.add("", t("prices-tool-unknown")),
        SchedulePriceError::Price(error) => problems.add(error.field(), error.fault().said()),
        error @ (SchedulePriceError::TooSoon | SchedulePriceError::Overlaps(_)) => {
            problems.add("valid_from", error.said());
        }
        error @ SchedulePriceError::Reason => problems.add("reason", error.said()),
        error => problems.add("", error.said()),
    }
    Ok(())
}

/// What became of an order.
enum Outcome {
    /// It is done, or asked for: what to say of it.
    Done(String),
    /// It is not.
    Refused(SchedulePriceError),
    /// It is not even asked for: why.
    NotAsked(String),
}

/// Schedules the price, or asks somebody else for it where some call may become dearer.
async fn carry_out(visit: &Visit, order: &PriceOrder<'_>) -> Result<Outcome, Fault> {
    let by = visit.context()?;
    match visit.services().order_price(&by, order).await {
        Ok(made) => {
            let from = instant_text(made.effective_from_us);
            return Ok(Outcome::Done(t_with("prices-scheduled-done", &[("from", from.into())])));
        }
        Err(SchedulePriceError::Raises) => {}
        Err(error) => return Ok(Outcome::Refused(error)),
    }
    let author = visit.signed_in()?.operator.id;
    let (PriceStart::At(from_us) | PriceStart::NotBefore(from_us)) = order.start;
    let reason = order.reason.unwrap_or_default();
    let deed = Deed::PriceSchedule {
        tool: order.path.to_owned(),
        spec: spec_to_json(order.spec),
        from_us,
        over: order.over,
        reason: reason.to_owned(),
    };
    match visit.services().request_deed(&by, author, &deed, reason, order.key).await {
        Ok(_request) => Ok(Outcome::Done(t("prices-asked-done"))),
        Err(RequestApprovalError::Store(error)) => Err(error.into()),
        Err(RequestApprovalError::Reason) => Ok(Outcome::Refused(SchedulePriceError::Reason)),
        Err(error) => Ok(Outcome::NotAsked(error.said())),
    }
}

pub(super) async fn schedule(mut visit: Visit, id: Path<String>, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let tool = load(&visit, &id).await?;
    let mut problems = Problems::default();
    let from_us = problems.day(&fields, "valid_from");
    let reason = problems.required(&fields, "reason").to_owned();
    let key = problems.key(&fields);
    visit.permit(ConsoleAction::PriceSchedule, None, &fields, &mut problems).await?;
    let (path, spec) = (tool.profile.path(), spec_of(&fields));
    let over: Option<PriceVersionId> = fields.text("over").parse().ok();
    let mut order = PriceOrder {
        path: &path,
        spec: &spec,
        start: from_us.map_or(PriceStart::NotBefore(0), PriceStart::At),
        key: Some(&key),
        reason: Some(&reason),
        may_raise: false,
        over,
    };
    // Only what has been shown is done.
    let is_confirmed = problems.is_empty() && !fields.text("over").is_empty() && fields.text("step") == "confirm";
    if is_confirmed && fields.raw("shown") != wanted(&spec, from_us) {
        problems.add("", t("movements-stale"));
    } else if is_confirmed {
        match carry_out(&visit, &order).await? {
            Outcome::Done(said) => return visit.go(&tool_href(tool.profile.id), &said).await,
            Outcome::Refused(error) => add_problem(&mut problems, error)?,
            Outcome::NotAsked(why) => problems.add("", why),
        }
    }
    order.over = None;
    let mut shown = Shown::default();
    let is_shown = problems.is_empty() || problems.of("").is_some();
    match visit.services().plan_price(&order).await {
        Ok(planned) if is_shown => {
            let trial = visit.services().try_price(tool.profile.id, &spec).await;
            let trial = trial.map_err(|error| match error {
                SchedulePriceError::Store(error) => Fault::from(error),
                error => Fault::Broken(error.to_string()),
            })?;
            let standing = planned.standing.as_ref();
            shown.over = standing.map_or_else(|| NO_PRICE.to_owned(), |standing| standing.id.to_string());
            shown.preview = preview(&planned, &spec, &trial)?;
            shown.wanted = wanted(&spec, from_us);
        }
        Ok(_planned) => {}
        Err(error) if problems.is_empty() => add_problem(&mut problems, error)?,
        Err(SchedulePriceError::Store(error)) => return Err(error.into()),
        Err(_said_before) => {}
    }
    let page = page(&visit, &tool, &fields, &problems, shown);
    if problems.is_empty() { visit.show(page).await } else { visit.show_refused(page).await }
}
