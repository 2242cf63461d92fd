//! Four eyes: what one operator asks for and another one decides. The author never decides; the database says so too.
//!
//! An approval is not the deed. Whoever approves marks it approved first, and then the deed is carried out with
//! `approval:apr_…` as its key, so that a crash in between is mended by carrying it out again: what was approved and has no
//! outcome is in [`Services::list_unfinished_approvals`].

use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use serde_json::{Value, json};

use super::{
    Services,
    accounts::{is_key, is_reason},
    outbox::unexpected,
};
use crate::{
    audit::{AUDIT_REASON_CHARS_MAX, Action, AuditEntry, OpContext},
    credits::{Credits, MICROS_PER_CREDIT},
    id::{ApprovalId, OperatorId},
    store::{NotSaved, StoreError, UnitOfWork, entity},
};

mod alone;
mod author;
mod decide;
mod deed;
mod execute;
mod failure;
mod list;
mod mails;
mod rounds;
mod rows;
mod standing;
mod vouched;

pub use alone::{ALONE_HOURS, CountedWith, Weight};
pub(super) use alone::{Alone, Moving, NotAlone};
pub use author::APPROVER_APART_HOURS;
pub use decide::{DecideApprovalError, Decision, WithdrawApprovalError};
pub use deed::{Deed, DeedUnreadable, Senseless};
pub use execute::{DeedDone, RESUMED_AFTER_S};
pub use failure::DeedFailure;
use list::is_in_state;
pub use list::{APPROVALS_PAGE_MAX, ApprovalFilter};
use rows::read;
pub use rows::{Approval, ApprovalState};

/// What moves more than this many micro-credits needs another operator's approval: 100 credits, with what is counted together
/// with it ([`Services::weigh`]).
pub const APPROVAL_FROM: Credits = Credits::from_micros(100 * MICROS_PER_CREDIT);
/// For how many days something can be decided.
pub const APPROVAL_DAYS: i64 = 7;
/// Longest description of what is to be done, as JSON, in bytes.
pub const APPROVAL_PAYLOAD_BYTES_MAX: usize = 65_536;
/// Longest note of whoever decides, and longest outcome, in characters; an outcome that is longer is cut off.
pub const APPROVAL_NOTE_CHARS_MAX: usize = AUDIT_REASON_CHARS_MAX;

const US_PER_DAY: i64 = 86_400_000_000;

/// What somebody asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct NewApproval<'a> {
    /// What is to be done: the word of a deed in the console, [`crate::policy::console::ConsoleAction::as_str`]. Whoever
    /// decides has to be allowed to do it.
    pub kind: &'static str,
    /// Everything that is needed to do it. No secrets.
    pub payload: Value,
    /// How much money it moves, in micro-credits.
    pub amount: Option<i64>,
    /// What it is done to: a kind, and which one.
    pub object: (&'static str, String),
    /// Why, for whoever decides.
    pub reason: &'a str,
    /// The same key again asks for nothing more: the form's own identifier. It cannot ask for something else.
    pub key: Option<&'a str>,
}

/// Why nothing was asked for.
#[derive(Debug, thiserror::Error)]
pub enum RequestApprovalError {
    /// There is no reason, or it is none.
    #[error("`reason` is one line of 1 to {} characters", super::accounts::REASON_CHARS_MAX)]
    Reason,
    /// The key is empty or too long.
    #[error("`key` has 1 to {} bytes", crate::limits::IDEMPOTENCY_KEY_BYTES_MAX)]
    Key,
    /// The key named another request.
    #[error("this form has asked for something else already, as {0}: open it again to ask for this, too")]
    KeyReused(ApprovalId),
    /// There is too much to say.
    #[error("what is asked for has {0} bytes, at most {APPROVAL_PAYLOAD_BYTES_MAX} are kept")]
    TooLong(usize),
    /// What is asked for could never be done.
    #[error(transparent)]
    Senseless(#[from] Senseless),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Services {
    /// Asks for something that another operator has to decide within [`APPROVAL_DAYS`] days. With a key that was used before
    /// for the same it is the request of that time.
    ///
    /// # Errors
    /// See [`RequestApprovalError`].
    pub async fn request_approval(
        &self,
        by: &OpContext,
        author: OperatorId,
        new: NewApproval<'_>,
    ) -> Result<ApprovalId, RequestApprovalError> {
        if !is_reason(new.reason) {
            return Err(RequestApprovalError::Reason);
        }
        if new.key.is_some_and(|key| !is_key(key)) {
            return Err(RequestApprovalError::Key);
        }
        let payload = new.payload.to_string();
        if payload.len() > APPROVAL_PAYLOAD_BYTES_MAX {
            return Err(RequestApprovalError::TooLong(payload.len()));
        }
        // Keys are of forms, and forms of operators: somebody else's is another one.
        let key = new.key.map(|key| format!("{author} {key}"));
        if let Some(known) = self.find_approval_by_key(key.as_deref()).await? {
            return same_request(&known, new.kind, &payload);
        }
        let now_us = self.clock.now_us();
        let id = ApprovalId::new(&*self.ids, now_us);
        let (object_kind, object_id) = new.object;
        let row = entity::approval::Model {
            id: id.uuid(),
            kind: new.kind.to_owned(),
            payload: payload.clone(),
            amount: new.amount,
            object_kind: object_kind.to_owned(),
            object_id,
            reason: new.reason.to_owned(),
            key: key.clone(),
            author: author.uuid(),
            created_us: now_us,
            expires_us: now_us.saturating_add(APPROVAL_DAYS.saturating_mul(US_PER_DAY)),
            state: ApprovalState::Waiting.as_str().to_owned(),
            decided_by: None,
            decided_us: None,
            note: None,
            outcome: None,
        };
        let after = json!({
            "kind": row.kind,
            "amount_microcredits": row.amount,
            "object": row.object_id,
            "terms": read(row.clone(), now_us)?.terms(None),
        });
        let told = by.entry(Action::ApprovalRequest, "approval", id).after(after).because(new.reason);
        let mut unit = UnitOfWork::new();
        unit.one(self.db.backend(), &entity::approval::Entity::insert(row.clone().into_active_model()));
        self.add_request_mails(&mut unit, &row, now_us).await?;
        match self.ledger.save(unit.audited(told)).await {
            Ok(_) => Ok(id),
            // The same form at the same moment.
            Err(not_saved @ NotSaved::Conflict { .. }) => {
                let known = self.find_approval_by_key(key.as_deref()).await?;
                let known = known.ok_or_else(|| unexpected("approval", not_saved))?;
                same_request(&known, new.kind, &payload)
            }
            Err(not_saved) => Err(unexpected("approval", not_saved).into()),
        }
    }

    async fn find_approval_by_key(&self, key: Option<&str>) -> Result<Option<entity::approval::Model>, StoreError> {
        let Some(key) = key else { return Ok(None) };
        let wanted = entity::approval::Column::Key.eq(key);
        Ok(entity::approval::Entity::find().filter(wanted).one(self.db.readers()).await?)
    }
}

/// The request that a key is known from, if the same is asked for again.
fn same_request(
    known: &entity::approval::Model,
    kind: &str,
    payload: &str,
) -> Result<ApprovalId, RequestApprovalError> {
    let id = ApprovalId::from(known.id);
    if known.kind == kind && known.payload == payload { Ok(id) } else { Err(RequestApprovalError::KeyReused(id)) }
}

/// What the trail tells of the end of a request's waiting, by `decided_by` if somebody has ended it.
fn told_of(
    by: &OpContext,
    action: Action,
    approval: &Approval,
    (state, decided_by): (ApprovalState, Option<OperatorId>),
) -> AuditEntry {
    let facts = |state: ApprovalState| {
        json!({
            "kind": approval.kind,
            "amount_microcredits": approval.amount,
            "object": approval.object_id,
            "author": approval.author.to_string(),
            "state": state.as_str(),
        })
    };
    let mut after = facts(state);
    if let (Some(after), Some(_)) = (after.as_object_mut(), decided_by) {
        after.insert("terms".to_owned(), approval.terms(decided_by).into());
    }
    by.entry(action, "approval", approval.id).before(facts(ApprovalState::Waiting)).after(after)
}

fn cut(text: &str) -> String {
    text.chars().take(APPROVAL_NOTE_CHARS_MAX).collect()
}
