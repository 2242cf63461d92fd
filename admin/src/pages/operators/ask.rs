//! What somebody else has to approve: asking for it, and what whoever is alone does instead.

use actix_web::HttpResponse;
use engine::{
    id::OperatorId,
    policy::console::ConsoleAction,
    service::approvals::{Deed, RequestApprovalError},
};

use crate::{
    console::{Fault, Fields, Problems, Visit},
    kit::{Block, Code, Notice, Tone},
    pages::approvals,
    text::{said::Said as _, t},
};

/// Asks for a deed, and leads to where it waits. `None`: the form has problems.
pub(super) async fn request(
    visit: &Visit,
    deed: &Deed,
    reason: &str,
    fields: &Fields,
    problems: &mut Problems,
) -> Result<Option<HttpResponse>, Fault> {
    let author = visit.signed_in()?.operator.id;
    let key = problems.key(fields);
    if key.is_empty() {
        return Ok(None);
    }
    match visit.services().request_deed(&visit.context()?, author, deed, reason, Some(&key)).await {
        Ok(asked) => return visit.go(&approvals::href(asked), &t("approvals-requested")).await.map(Some),
        Err(RequestApprovalError::Store(error)) => return Err(error.into()),
        Err(error @ RequestApprovalError::Reason) => problems.add("reason", error.said()),
        Err(error) => problems.add("", error.said()),
    }
    Ok(None)
}

/// Says that somebody else has to approve this, and where nobody could, with which command whoever has the machine does it.
pub(super) async fn four_eyes(
    visit: &Visit,
    (action, about): (ConsoleAction, Option<OperatorId>),
    notice: Notice,
    command: String,
) -> Result<Vec<Block>, Fault> {
    let mut blocks: Vec<Block> = vec![notice.into()];
    if approvals::is_alone(visit, action, about).await? {
        blocks.push(Notice::new(Tone::Warn, t("operators-alone")).into());
        blocks.push(Code { caption: t("operators-alone-command"), text: command, is_copied: true }.into());
    }
    Ok(blocks)
}
