//! Approving what was handed in, or giving it back: what that does is shown first, and only what was seen is decided on.

use engine::{
    catalog::{NamespaceState, Visibility},
    policy::console::ConsoleAction,
    service::publishing::{OwnNamespace, PublishingError, Review},
};

use super::{
    LISTINGS,
    compare::{changed_since, differences, rises, seen_text, visibility_of},
    fault_of, href, load,
    show::price_table,
};
use crate::{
    console::{Answer, Fault, Fields, Problems, Visit},
    kit::{Block, Cell, Control, Diff, DiffLine, Facts, Field, Form, Notice, Page, Text, Tone},
    text::{said::Said as _, t, t_with},
};

/// What is said of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    Approve,
    Reject,
}

impl Decision {
    /// The key of what the form is called, and the last part of its address.
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Approve => ("listings-approve", "approve"),
            Self::Reject => ("listings-reject", "reject"),
        }
    }

    fn text(self) -> Text {
        Text::new(t(match self {
            Self::Approve => "listings-approve-text",
            Self::Reject => "listings-reject-text",
        }))
    }
}

/// What the decision does.
fn effect(shown: &OwnNamespace, decision: Decision) -> Vec<Block> {
    let is_live = shown.status == NamespaceState::Active;
    if decision == Decision::Reject {
        let stays = if is_live { "listings-reject-changes" } else { "listings-reject-new" };
        return vec![Text::new(t(stays)).into()];
    }
    let count = |number: usize| Cell::Number(i64::try_from(number).unwrap_or(i64::MAX));
    let public = shown.tools.iter().filter(|tool| visibility_of(tool) == Visibility::Public).count();
    let rising = shown.tools.iter().filter(|tool| rises(shown, tool)).count();
    let mut facts = Facts::new()
        .fact(t("listings-tools-public"), count(public))
        .fact(t("listings-tools-private"), count(shown.tools.len().saturating_sub(public)));
    if is_live {
        facts = facts
            .fact(t("listings-prices-changing"), count(shown.staged_tools().count()))
            .fact(t("listings-prices-rising"), count(rising));
    }
    let mut blocks: Vec<Block> = vec![facts.into()];
    if rising > 0 {
        blocks.push(Notice::new(Tone::Warn, rise_text(rising)).into());
    }
    let lines = differences(shown);
    if !lines.is_empty() {
        blocks.push(Diff { caption: t("listings-difference"), lines }.into());
    }
    blocks.push(price_table(shown).into());
    blocks
}

/// That so many prices rise.
pub(super) fn rise_text(rising: usize) -> String {
    t_with("listings-raise", &[("count", i64::try_from(rising).unwrap_or(i64::MAX).into())])
}

fn page(
    visit: &Visit,
    (review, decision): (&Review, Decision),
    (typed, problems): (&Fields, &Problems),
    since: Vec<DiffLine>,
) -> Page {
    let shown = &review.facts.shown;
    let (own, (title, word)) = (href(shown.id), decision.words());
    let mut form = Form::new(format!("{own}/{word}"), t(title))
        .field(Field::line("reason", t("console-reason")).hint(t("listings-reason-hint")).required())
        .step_up(visit, ConsoleAction::ListingDecide)
        .cancel(own.clone())
        .previewed()
        .filled(typed, problems)
        // What is decided on: if it changes meanwhile, that is shown, and the form is about what it is then.
        .field(Field::new("seen", "", Control::Hidden).value(shown.fingerprint()))
        .field(Field::new("was", "", Control::Hidden).value(seen_text(review)))
        .preview(effect(shown, decision));
    form.is_danger = decision == Decision::Reject;
    let mut page =
        Page::new(t(title)).under(t("listings-title"), LISTINGS).under(shown.name.clone(), own).with(decision.text());
    if !since.is_empty() {
        page = page.with(Diff { caption: t("listings-since-seen"), lines: since });
    }
    page.with(form)
}

pub(super) async fn ask(visit: Visit, id: &str, decision: Decision) -> Answer {
    let review = load(&visit, id).await?;
    if !review.facts.shown.is_handed_in() {
        return Err(Fault::NotFound);
    }
    let typed = Fields::parse(&visit.query)?;
    visit.show(page(&visit, (&review, decision), (&typed, &Problems::default()), Vec::new())).await
}

pub(super) async fn decide(mut visit: Visit, id: &str, fields: &Fields, decision: Decision) -> Answer {
    let mut review = load(&visit, id).await?;
    let (id, own) = (review.facts.shown.id, href(review.facts.shown.id));
    let mut problems = Problems::default();
    let reason = problems.required(fields, "reason").to_owned();
    visit.permit(ConsoleAction::ListingDecide, None, fields, &mut problems).await?;
    // Somebody else has done it, its publisher has taken it back, or the same form was sent before.
    if !review.facts.shown.is_handed_in() {
        return visit.go(&own, &t("listings-decided-before")).await;
    }
    let seen = fields.raw("seen");
    let is_wanted = problems.is_empty() && fields.text("step") == "confirm";
    if is_wanted && seen == review.facts.shown.fingerprint() {
        let (services, by) = (visit.services(), visit.context()?);
        let (done, said) = match decision {
            Decision::Approve => (services.approve_listing(&by, id, seen, Some(&reason)).await, "listings-approved"),
            Decision::Reject => (services.reject_listing(&by, id, seen, &reason).await, "listings-rejected"),
        };
        match done {
            Ok(_) => return visit.go(&own, &t(said)).await,
            Err(error) => add_problem(&mut problems, error)?,
        }
        // It may have changed at this moment.
        review = load(&visit, &id.to_string()).await?;
        if !review.facts.shown.is_handed_in() {
            return visit.go(&own, &t("listings-decided-before")).await;
        }
    }
    let mut since = Vec::new();
    if seen != review.facts.shown.fingerprint() {
        since = changed_since(fields.raw("was"), &review);
        problems.add("", t("listings-stale"));
    }
    let is_shown = problems.is_empty();
    let page = page(&visit, (&review, decision), (fields, &problems), since);
    if is_shown { visit.show(page).await } else { visit.show_refused(page).await }
}

/// Says what is wrong, beside the reason where it is wrong with that.
fn add_problem(problems: &mut Problems, error: PublishingError) -> Result<(), Fault> {
    match error {
        PublishingError::Field(fault) if fault.field == "reason" => problems.add("reason", fault.message),
        PublishingError::Incomplete(faults) => {
            for fault in faults {
                problems.add("", fault.said());
            }
        }
        PublishingError::Conflict(_) | PublishingError::Overtaken | PublishingError::Price(_) => {
            problems.add("", error.said());
        }
        error => return Err(fault_of(error)),
    }
    Ok(())
}
