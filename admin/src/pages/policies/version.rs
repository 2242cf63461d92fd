//! One version: what it says, what it becomes, what is odd about it, what has happened to it.

use actix_web::web::Path;
use engine::{
    policy::{PolicyComparison, console::ConsoleAction},
    service::{
        approvals::{ApprovalFilter, ApprovalState},
        audit::AuditFilter,
        policies::{PolicyState, PolicyVersionInfo},
    },
};

use super::{super::timeline_by, LIST, compiled, file_leads, href, load_from, name, refuse, review, version_page};
use crate::{
    console::{Answer, Fault, Problems, Visit},
    kit::{Cell, Facts, Heading, Notice, Page, Timeline, Tone},
    text::{t, t_with},
};

pub(super) async fn show(visit: Visit, path: Path<String>) -> Answer {
    let version = load_from(&visit, &path).await?;
    let review = review::of(&visit, &version.text, &version.written).await?;
    let mut page = tools(&visit, &version.info).with(facts(&version.info));
    let mut policies = review.policies;
    if version.info.state == PolicyState::Draft {
        let mut compared = None;
        if let Some(new) = policies.take() {
            match visit.services().compare_with_published(new, &version.text.operator).await {
                Ok((new, changes)) => (policies, compared) = (Some(new), changes),
                // The other version cannot be compared with; this one is right.
                Err(error) => refuse(error, &mut Problems::default())?,
            }
        }
        page.blocks.extend(draft_notices(&visit, &version.info, compared).await?.into_iter().map(Into::into));
    }
    page.blocks.extend(file_leads(&visit).map(Into::into));
    page.blocks.extend(review.blocks);
    let chain = policies.as_ref().and_then(|policies| policies.chain());
    page.blocks.extend(match chain {
        Some(chain) => compiled::both(&version.text, chain),
        None => compiled::text_alone(&version.text),
    });
    let timeline = timeline(&visit, version.info.number).await?;
    visit.show(page.with(Heading::new(t("console-timeline"))).with(timeline)).await
}

/// The page with what can be done to the version.
fn tools(visit: &Visit, version: &PolicyVersionInfo) -> Page {
    let own = href(version.number);
    let may = |action| visit.may(action) && file_leads(visit).is_none();
    let is_draft = version.state == PolicyState::Draft;
    let mut page = version_page(version, "")
        .tool(may(ConsoleAction::PolicyDraft), t("policies-edit"), format!("{LIST}/edit?from={}", version.number))
        .tool(may(ConsoleAction::PolicyPublish) && is_draft, t("policies-publish"), format!("{own}/publish"))
        .tool(true, t("policies-explain"), format!("{LIST}/explain?version={}", version.number));
    let back = match version.state {
        PolicyState::Draft => None,
        PolicyState::Retired => Some(version.number),
        PolicyState::Published => version.replaces,
    };
    if let Some(number) = back {
        let text = t_with("policies-rollback-to", &[("number", number.to_string().into())]);
        page = page.tool(may(ConsoleAction::PolicyRollback), text, format!("{}/rollback", href(number)));
    }
    page
}

fn facts(version: &PolicyVersionInfo) -> Facts {
    let sha256: String = version.sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    let replaces = version.replaces.map_or(Cell::None, |number| Cell::link(name(number), href(number)));
    Facts::new()
        .fact(t("policies-author"), Cell::text(&version.author))
        .fact(t("policies-note"), Cell::text(&version.note))
        .fact(t("policies-created"), Cell::Time(version.created_us))
        .fact(t("policies-published"), Cell::time(version.published_us))
        .fact(t("policies-retired-at"), Cell::time(version.retired_us))
        .fact(t("policies-replaces"), replaces)
        .fact(t("policies-sha256"), Cell::Mono(sha256))
}

/// What somebody has to know before a draft is published.
async fn draft_notices(
    visit: &Visit,
    draft: &PolicyVersionInfo,
    compared: Option<PolicyComparison>,
) -> Result<Vec<Notice>, Fault> {
    let mut out: Vec<Notice> = stale(visit, draft).await?.into_iter().collect();
    out.extend(asked_for(visit, draft.number).await?);
    if let Some(compared) = compared {
        let (allowed, denied) = compared.counts();
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX).into();
        let values = [("allowed", count(allowed)), ("denied", count(denied))];
        out.push(
            Notice::new(Tone::Plain, t_with("policies-draft-changes", &values))
                .link(t("policies-view-diff"), format!("{}/diff", href(draft.number)))
                .link(t("policies-view-replay"), format!("{}/replay", href(draft.number))),
        );
    }
    Ok(out)
}

/// That another version was published since a draft was kept.
pub(super) async fn stale(visit: &Visit, draft: &PolicyVersionInfo) -> Result<Option<Notice>, Fault> {
    let newer = visit.services().find_newer_policy(draft).await?;
    Ok(newer.map(|(now, then)| {
        let notice = Notice::new(Tone::Warn, t_with("policies-stale", &[("number", now.to_string().into())]));
        match then {
            Some(then) => notice.link(t("policies-stale-see"), format!("{}/diff?against={then}", href(now))),
            None => notice.link(name(now), href(now)),
        }
    }))
}

/// That somebody has asked for the publication already.
pub(super) async fn asked_for(visit: &Visit, number: i64) -> Result<Option<Notice>, Fault> {
    let filter = ApprovalFilter {
        state: Some(ApprovalState::Waiting),
        kind: Some(ConsoleAction::PolicyPublish.as_str().to_owned()),
        object: Some(number.to_string()),
        ..ApprovalFilter::default()
    };
    let (waiting, _) = visit.services().list_approvals(&filter, None, 1).await?;
    Ok(waiting.first().map(|approval| {
        Notice::new(Tone::Plain, t("policies-asked"))
            .link(t("policies-asked-see"), format!("/admin/approvals/{}", approval.id))
    }))
}

/// What the audit trail tells of the version. Its number alone names other things, too.
async fn timeline(visit: &Visit, number: i64) -> Result<Timeline, Fault> {
    let filter =
        AuditFilter { action: Some("policy".to_owned()), object: Some(number.to_string()), ..AuditFilter::default() };
    timeline_by(visit, &filter, format!("/admin/audit?action=policy&object={number}")).await
}
