//! A draft is put in force by two people: one asks, having seen what it changes, another one decides. Going back to a version
//! that was in force is the way out of a mistake, and waits for nobody.

use actix_web::web::{Path, Payload};
use engine::{
    id::ApprovalId,
    policy::console::ConsoleAction,
    service::{
        approvals::{Deed, RequestApprovalError},
        policies::PolicyState,
    },
};

use super::{
    LIST, Version, author, compare, file_leads, href, in_force, load, load_from, name, number_field, refuse, replay,
    review, version,
};
use crate::{
    console::{Answer, Fault, Fields, Problems, Visit},
    kit::{Block, Control, Field, Form, Notice, Page, Text, Tone},
    text::{said::Said as _, t, t_with},
};

/// The field that says which version was in force when the effect was shown.
const SEEN: &str = "seen";

fn page_of(version: &Version, key: &str) -> Page {
    let number = version.info.number;
    Page::new(t(key)).under(t("policies-title"), LIST).under(name(number), href(number))
}

/// What taking the place of the version in force would change, for whom and for which recorded calls. Problems are said of
/// the form where that cannot be worked out.
async fn effect(visit: &Visit, version: &Version, old: &Version, problems: &mut Problems) -> Result<Vec<Block>, Fault> {
    let review = review::of(visit, &version.text, &version.written).await?;
    let Some(policies) = review.policies else {
        problems.add("", t("policies-broken-by-now"));
        return Ok(review.blocks);
    };
    let mut out = compare::changes(visit, old, version).await?;
    out.extend(replay::preview(visit, version.info.number, policies.into()).await?);
    Ok(out)
}

/// Why the draft cannot be published here, if it cannot.
fn closed(visit: &Visit, version: &Version) -> Option<Notice> {
    let number = || [("number", version.info.number.to_string().into())];
    file_leads(visit).or_else(|| match version.info.state {
        PolicyState::Draft => None,
        PolicyState::Published => Some(Notice::new(Tone::Warn, t_with("policies-is-in-force", &number()))),
        PolicyState::Retired => Some(Notice::new(Tone::Warn, t_with("policies-was-in-force", &number()))),
    })
}

async fn publish_page(
    visit: &Visit,
    version: &Version,
    (effect, seen): (Vec<Block>, Option<i64>),
    typed: &Fields,
    problems: &Problems,
) -> Result<Page, Fault> {
    let number = version.info.number;
    let mut page = page_of(version, "policies-publish").with(Text::new(t("policies-publish-text")));
    if let Some(notice) = closed(visit, version) {
        return Ok(page.with(notice));
    }
    page.blocks.extend(version::stale(visit, &version.info).await?.map(Into::into));
    page.blocks.extend(version::asked_for(visit, number).await?.map(Into::into));
    let form = Form::new(format!("{}/publish", href(number)), t("policies-publish-ask"))
        .field(Field::line("reason", t("console-reason")).hint(t("policies-publish-reason-hint")).required())
        .once(visit)
        .step_up(visit, ConsoleAction::PolicyPublish)
        .cancel(href(number))
        .filled(typed, problems)
        .field(Field::new(SEEN, "", Control::Hidden).value(seen.map(|seen| seen.to_string()).unwrap_or_default()))
        .preview(effect)
        .previewed();
    Ok(page.with(form))
}

pub(super) async fn ask(visit: Visit, path: Path<String>) -> Answer {
    let version = load_from(&visit, &path).await?;
    let typed = Fields::parse(&visit.query)?;
    let mut problems = Problems::default();
    let shown = match in_force(&visit).await? {
        Some(now) if closed(&visit, &version).is_none() => {
            let old = load(&visit, now).await?;
            (effect(&visit, &version, &old, &mut problems).await?, Some(now))
        }
        _ => (Vec::new(), None),
    };
    visit.show(publish_page(&visit, &version, shown, &typed, &problems).await?).await
}

pub(super) async fn publish(mut visit: Visit, path: Path<String>, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let version = load_from(&visit, &path).await?;
    let mut problems = Problems::default();
    if closed(&visit, &version).is_some() {
        return visit.show_refused(publish_page(&visit, &version, (Vec::new(), None), &fields, &problems).await?).await;
    }
    let now = in_force(&visit).await?.ok_or(Fault::NotFound)?;
    let is_confirmed = fields.text("step") == "confirm";
    if is_confirmed {
        let reason = problems.required(&fields, "reason").to_owned();
        if number_field(&fields, SEEN) != Some(now) {
            problems.add("", t_with("policies-publish-unseen", &[("number", now.to_string().into())]));
        }
        let key = problems.key(&fields);
        visit.permit(ConsoleAction::PolicyPublish, None, &fields, &mut problems).await?;
        if problems.is_empty() {
            match request_publish(&visit, (version.info.number, now), &reason, &key).await {
                Ok(approval) => {
                    return visit.go(&format!("/admin/approvals/{approval}"), &t("policies-asked-now")).await;
                }
                Err(RequestApprovalError::Store(error)) => return Err(error.into()),
                Err(error @ RequestApprovalError::Reason) => problems.add("reason", error.said()),
                Err(error) => problems.add("", error.said()),
            }
        }
    }
    let old = load(&visit, now).await?;
    let effect = effect(&visit, &version, &old, &mut problems).await?;
    let page = publish_page(&visit, &version, (effect, Some(now)), &fields, &problems).await?;
    if problems.is_empty() { visit.show(page).await } else { visit.show_refused(page).await }
}

/// Asks for the publication in the place of the version that was shown, which somebody else decides.
async fn request_publish(
    visit: &Visit,
    (number, over): (i64, i64),
    reason: &str,
    key: &str,
) -> Result<ApprovalId, RequestApprovalError> {
    let session = visit.signed_in().map_err(|_nobody| RequestApprovalError::Key)?;
    let deed = Deed::PolicyPublish { number, over: Some(over) };
    let by = session.context(visit.request);
    visit.services().request_deed(&by, session.operator.id, &deed, reason, Some(key)).await
}

async fn back_page(
    visit: &Visit,
    version: &Version,
    now: i64,
    typed: &Fields,
    mut problems: Problems,
) -> Result<Page, Fault> {
    let number = version.info.number;
    let page = page_of(version, "policies-rollback").with(Text::new(t("policies-rollback-text")));
    let why_not = file_leads(visit).or_else(|| match version.info.state {
        PolicyState::Retired => None,
        PolicyState::Published => {
            let said = t_with("policies-is-in-force", &[("number", number.to_string().into())]);
            Some(Notice::new(Tone::Warn, said))
        }
        PolicyState::Draft => Some(Notice::new(Tone::Warn, t("policies-rollback-draft"))),
    });
    if let Some(notice) = why_not {
        return Ok(page.with(notice));
    }
    let old = load(visit, now).await?;
    let effect = effect(visit, version, &old, &mut problems).await?;
    let submit = t_with("policies-rollback-submit", &[("number", number.to_string().into())]);
    let form = Form::new(format!("{}/rollback", href(number)), submit)
        .danger()
        .field(Field::line("reason", t("console-reason")).hint(t("policies-rollback-reason-hint")).required())
        .step_up(visit, ConsoleAction::PolicyRollback)
        .cancel(href(number))
        .filled(typed, &problems)
        .field(Field::new(SEEN, "", Control::Hidden).value(now.to_string()))
        .preview(effect);
    Ok(page.with(form))
}

pub(super) async fn ask_back(visit: Visit, path: Path<String>) -> Answer {
    let version = load_from(&visit, &path).await?;
    let now = in_force(&visit).await?.ok_or(Fault::NotFound)?;
    let typed = Fields::parse(&visit.query)?;
    visit.show(back_page(&visit, &version, now, &typed, Problems::default()).await?).await
}

pub(super) async fn roll_back(mut visit: Visit, path: Path<String>, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let version = load_from(&visit, &path).await?;
    let now = in_force(&visit).await?.ok_or(Fault::NotFound)?;
    let mut problems = Problems::default();
    let reason = problems.required(&fields, "reason").to_owned();
    // A form that is sent twice goes back once: by then another version is in force.
    let seen = number_field(&fields, SEEN);
    if seen != Some(now) {
        problems.add("", t_with("policies-rollback-unseen", &[("number", now.to_string().into())]));
    }
    visit.permit(ConsoleAction::PolicyRollback, None, &fields, &mut problems).await?;
    if problems.is_empty() && file_leads(&visit).is_none() {
        let author = author(&visit)?;
        let number = version.info.number;
        match visit.services().rollback_policy(&visit.context()?, Some(number), seen, &author, &reason).await {
            Ok(new) => {
                let said = [("number", new.number.to_string().into()), ("old", name(number).into())];
                return visit.go(&href(new.number), &t_with("policies-rolled-back", &said)).await;
            }
            Err(error) => refuse(error, &mut problems)?,
        }
    }
    visit.show_refused(back_page(&visit, &version, now, &fields, problems).await?).await
}
