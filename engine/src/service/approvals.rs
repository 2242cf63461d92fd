//! Four eyes: what one operator asks for and another one decides. The author never decides; the database says so too.
//!
//! An approval is not the deed. Whoever approves marks it approved first, and then the deed is carried out with
//! `approval:apr_…` as its key, so that a crash in between is mended by carrying it out again: what was approved and has no
//! outcome is in [`Services::list_unfinished_approvals`].

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
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

mod decide;
mod deed;
mod execute;
mod gifts;
mod list;
mod rounds;
mod rows;
mod standing;

pub use decide::{DecideApprovalError, Decision, WithdrawApprovalError};
pub use deed::{Deed, DeedUnreadable};
pub use execute::{DeedDone, DeedFailure, RESUMED_AFTER_S};
pub use gifts::{AskedGrant, CarryOutGrantError};
use list::is_in_state;
pub use list::{APPROVALS_PAGE_MAX, ApprovalFilter};
use rows::read;
pub use rows::{Approval, ApprovalState};

/// Refunds and grants above this many micro-credits need another operator's approval: 100 credits.
pub const APPROVAL_FROM: Credits = Credits::from_micros(100 * MICROS_PER_CREDIT);
/// For how many days something can be decided.
pub const APPROVAL_DAYS: i64 = 7;
/// Longest description of what is to be done, as JSON, in bytes.
pub const APPROVAL_PAYLOAD_BYTES_MAX: usize = 65_536;
/// Longest note of whoever decides, and longest outcome, in characters; what is longer is cut off.
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
    /// The same key again asks for nothing more: the form's own identifier.
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
    /// There is too much to say.
    #[error("what is asked for has {0} bytes, at most {APPROVAL_PAYLOAD_BYTES_MAX} are kept")]
    TooLong(usize),
    /// What is asked for could never be done.
    #[error("{0}")]
    Senseless(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Which approvals are wanted. What is `None` does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApprovalFilter {
    /// In this state.
    pub state: Option<ApprovalState>,
    /// Asked for by this operator.
    pub author: Option<OperatorId>,
    /// Asked for by anybody but this operator: what it may decide.
    pub not_author: Option<OperatorId>,
    /// Of this kind.
    pub kind: Option<String>,
    /// Of one of these kinds; `None`: of any.
    pub kinds: Option<Vec<&'static str>>,
    /// To this object.
    pub object: Option<String>,
/// What is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It is to be done.
    Approve,
    /// It is not.
    Reject,
}

/// Why nothing was decided.
#[derive(Debug, thiserror::Error)]
pub enum DecideApprovalError {
    /// There is none.
    #[error("there is no such request")]
    NotFound,
    /// It is the author's own.
    #[error("somebody else has to decide what you have asked for")]
    OwnRequest,
    /// It was decided before.
    #[error("this request is {} already", .state.as_str())]
    NotWaiting {
        /// How.
        state: ApprovalState,
    },
    /// Its time is over.
    #[error("this request was not decided in time: ask again")]
    Expired,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why nothing was withdrawn.
#[derive(Debug, thiserror::Error)]
pub enum WithdrawApprovalError {
    /// There is none.
    #[error("there is no such request")]
    NotFound,
    /// Somebody else asked for it.
    #[error("only whoever asked for something can withdraw it")]
    NotOwn,
    /// It was decided before, or its time is over.
    #[error("this request is {} already", .state.as_str())]
    NotWaiting {
        /// How.
        state: ApprovalState,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Services {
    /// Asks for something that another operator has to decide within [`APPROVAL_DAYS`] days. With a key that was used before
    /// it is the request of that time.
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
            return Ok(known);
        }
        let now_us = self.clock.now_us();
        let id = ApprovalId::new(&*self.ids, now_us);
        let (object_kind, object_id) = new.object;
        let row = entity::approval::Model {
            id: id.uuid(),
            kind: new.kind.to_owned(),
            payload,
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
        let after = json!({"kind": row.kind, "amount_microcredits": row.amount, "object": row.object_id});
        let told = by.entry(Action::ApprovalRequest, "approval", id).after(after).because(new.reason);
        let mut unit = UnitOfWork::new();
        unit.one(self.db.backend(), &entity::approval::Entity::insert(row.into_active_model()));
        match self.ledger.save(unit.audited(told)).await {
            Ok(_) => Ok(id),
            // The same form at the same moment.
            Err(not_saved @ NotSaved::Conflict { .. }) => {
                let known = self.find_approval_by_key(key.as_deref()).await?;
                known.ok_or_else(|| unexpected("approval", not_saved).into())
            }
            Err(not_saved) => Err(unexpected("approval", not_saved).into()),
        }
    }

    async fn find_approval_by_key(&self, key: Option<&str>) -> Result<Option<ApprovalId>, StoreError> {
        let Some(key) = key else { return Ok(None) };
        let wanted = entity::approval::Column::Key.eq(key);
        let row = entity::approval::Entity::find().filter(wanted).one(self.db.readers()).await?;
        Ok(row.map(|row| ApprovalId::from(row.id)))
    }

    /// The newest requests that `filter` wants, newest first, at most `count_max`; those behind `after`, if it is given.
    /// With the place to go on from, if there are more.
    ///
    /// # Errors
    /// The database cannot be read, or holds a request that makes no sense.
    pub async fn list_approvals(
        &self,
        filter: &ApprovalFilter,
        after: Option<ApprovalId>,
        count_max: u64,
    ) -> Result<(Vec<Approval>, Option<ApprovalId>), StoreError> {
        use entity::approval::Column;
        let count = count_max.clamp(1, APPROVALS_PAGE_MAX);
        let now_us = self.clock.now_us();
        let mut wanted = Condition::all();
        // Along the primary key: few things need four eyes. What waits is by `approval_waiting` where that is less.
        if let Some(state) = filter.state {
            wanted = wanted.add(is_in_state(state, now_us));
        }
        if let Some(author) = filter.author {
            wanted = wanted.add(Column::Author.eq(author.uuid()));
        }
        if let Some(author) = filter.not_author {
            wanted = wanted.add(Column::Author.ne(author.uuid()));
        }
        if let Some(kind) = &filter.kind {
            wanted = wanted.add(Column::Kind.eq(kind));
        }
        if let Some(kinds) = &filter.kinds {
            wanted = wanted.add(Column::Kind.is_in(kinds.iter().copied()));
        }
        if let Some(object) = &filter.object {
            wanted = wanted.add(Column::ObjectId.eq(object));
        }
        if let Some(place) = after {
            wanted = wanted.add(Column::Id.lt(place.uuid()));
        }
        let rows = entity::approval::Entity::find()
            .filter(wanted)
            .order_by_desc(Column::Id)
            .limit(count.saturating_add(1))
            .all(self.db.readers())
            .await?;
        let has_more = u64::try_from(rows.len()).unwrap_or(u64::MAX) > count;
        let shown = rows.into_iter().take(usize::try_from(count).unwrap_or(usize::MAX));
        let shown = shown.map(|row| read(row, now_us)).collect::<Result<Vec<_>, _>>()?;
        let next = shown.last().filter(|_approval| has_more).map(|approval| approval.id);
        Ok((shown, next))
    }

    /// A request.
    ///
    /// # Errors
    /// As for [`Self::list_approvals`].
    pub async fn find_approval(&self, id: ApprovalId) -> Result<Option<Approval>, StoreError> {
        let row = entity::approval::Entity::find_by_id(id.uuid()).one(self.db.readers()).await?;
        row.map(|row| read(row, self.clock.now_us())).transpose()
    }
}

/// As [`Approval::state`] says it: what nobody has marked as expired yet counts as that.
fn is_in_state(state: ApprovalState, now_us: i64) -> Condition {
    use entity::approval::Column;
    let stored = |state: ApprovalState| Condition::all().add(Column::State.eq(state.as_str()));
    match state {
        ApprovalState::Waiting => stored(state).add(Column::ExpiresUs.gt(now_us)),
        ApprovalState::Expired => {
            Condition::any().add(stored(state)).add(stored(ApprovalState::Waiting).add(Column::ExpiresUs.lte(now_us)))
        }
        _ => stored(state),
    /// Decides what somebody else has asked for. What is approved is still to be carried out.
    /// See [`DecideApprovalError`].
    pub async fn decide_approval(
        by: &OpContext,
        id: ApprovalId,
        operator: OperatorId,
        decision: Decision,
        note: Option<&str>,
    ) -> Result<Approval, DecideApprovalError> {
        let (state, action) = match decision {
            Decision::Approve => (ApprovalState::Approved, Action::ApprovalApprove),
            Decision::Reject => (ApprovalState::Rejected, Action::ApprovalReject),
        };
        let before = self.find_approval(id).await?.ok_or(DecideApprovalError::NotFound)?;
        if before.author == operator {
            return Err(DecideApprovalError::OwnRequest);
        expect_undecided(&before)?;
        let told = told_of(by, action, &before);
        match self.close_approval(before, operator, state, note, told).await? {
            Some(decided) => Ok(decided),
            // Decided, withdrawn or expired by somebody else meanwhile.
            None => {
                let now = self.find_approval(id).await?.ok_or(DecideApprovalError::NotFound)?;
                expect_undecided(&now)?;
                Err(StoreError::Inconsistent { table: "approval", what: format!("`{id}` cannot be decided") }.into())
            }

    /// Takes a request back that nobody has decided.
    /// See [`WithdrawApprovalError`].
    pub async fn withdraw_approval(
        by: &OpContext,
        id: ApprovalId,
        operator: OperatorId,
        note: Option<&str>,
    ) -> Result<Approval, WithdrawApprovalError> {
        let before = self.find_approval(id).await?.ok_or(WithdrawApprovalError::NotFound)?;
        if before.author != operator {
            return Err(WithdrawApprovalError::NotOwn);
        if before.state != ApprovalState::Waiting {
            return Err(WithdrawApprovalError::NotWaiting { state: before.state });
        let told = told_of(by, Action::ApprovalWithdraw, &before);
        match self.close_approval(before, operator, ApprovalState::Withdrawn, note, told).await? {
            Some(withdrawn) => Ok(withdrawn),
            None => {
                let now = self.find_approval(id).await?.ok_or(WithdrawApprovalError::NotFound)?;
                Err(WithdrawApprovalError::NotWaiting { state: now.state })
            }

    /// Ends the waiting of a request; `None` if it was ended by somebody else meanwhile.
    async fn close_approval(
        before: Approval,
        operator: OperatorId,
        state: ApprovalState,
        note: Option<&str>,
        told: AuditEntry,
    ) -> Result<Option<Approval>, StoreError> {
        let note = note.map(str::trim).filter(|note| !note.is_empty()).map(cut);
        let change = entity::approval::ActiveModel {
            state: Set(state.as_str().to_owned()),
            decided_by: Set(Some(operator.uuid())),
            decided_us: Set(Some(now_us)),
            note: Set(note.clone()),
            ..Default::default()
        };
        let update = entity::approval::Entity::update_many()
            .set(change)
            .filter(entity::approval::Column::Id.eq(before.id.uuid()))
            .filter(is_in_state(ApprovalState::Waiting, now_us));
        let mut unit = UnitOfWork::new();
        unit.one(self.db.backend(), &update);
        let told = match &note {
            Some(note) => told.because(note),
            None => told,
        };
        match self.ledger.save(unit.audited(told)).await {
            Ok(_) => Ok(Some(Approval { state, decided_by: Some(operator), decided_us: Some(now_us), note, ..before })),
            Err(NotSaved::Conflict { .. }) => Ok(None),
            Err(not_saved) => Err(unexpected("approval", not_saved)),

const fn expect_undecided(approval: &Approval) -> Result<(), DecideApprovalError> {
    match approval.state {
        ApprovalState::Waiting => Ok(()),
        ApprovalState::Expired => Err(DecideApprovalError::Expired),
        state => Err(DecideApprovalError::NotWaiting { state }),
    }
}

fn told_of(by: &OpContext, action: Action, approval: &Approval) -> AuditEntry {
    let after = json!({
        "kind": approval.kind,
        "amount_microcredits": approval.amount,
        "object": approval.object_id,
        "author": approval.author.to_string(),
    });
    by.entry(action, "approval", approval.id).after(after)
}

fn cut(text: &str) -> String {
    text.chars().take(APPROVAL_NOTE_CHARS_MAX).collect()
}
