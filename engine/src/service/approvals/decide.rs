//! Deciding what somebody else has asked for, and taking back what one has asked for.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};

use super::{APPROVAL_NOTE_CHARS_MAX, Approval, ApprovalState, is_in_state, told_of};
use crate::{
    audit::{Action, AuditEntry, OpContext},
    id::{ApprovalId, OperatorId},
    service::{Services, outbox::unexpected},
    store::{NotSaved, StoreError, UnitOfWork, entity},
};

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
    /// What is said to it cannot be kept.
    #[error("a note is one line of at most {APPROVAL_NOTE_CHARS_MAX} characters")]
    Note,
    /// It is the author's own.
    #[error("somebody else has to decide what you have asked for")]
    OwnRequest,
    /// Its author was shut out since, or has lost the role that it takes.
    #[error("whoever asked for this may not do it any more: it can only be rejected")]
    AuthorMayNot,
    /// Its author has let in whoever decides, or could have seen a link of theirs.
    #[error("whoever asked for this has lately let you in or given you a link: somebody else has to approve it")]
    LetInByAuthor,
    /// It is not what the audit trail tells that was asked for.
    #[error("the audit trail tells of no such request: reject it, and find out who writes into the database")]
    NotVouchedFor,
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
    /// What is said to it cannot be kept.
    #[error("a note is one line of at most {APPROVAL_NOTE_CHARS_MAX} characters")]
    Note,
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
    /// Decides what somebody else has asked for. What is approved is still to be carried out. Only what its author still may
    /// do is approved, and only by somebody who is not of the author's own making.
    ///
    /// # Errors
    /// See [`DecideApprovalError`].
    pub async fn decide_approval(
        &self,
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
        let note = said(note);
        if note.is_some_and(|note| !is_note(note)) {
            return Err(DecideApprovalError::Note);
        }
        let before = self.find_approval(id).await?.ok_or(DecideApprovalError::NotFound)?;
        if before.author == operator {
            return Err(DecideApprovalError::OwnRequest);
        }
        expect_undecided(&before)?;
        if decision == Decision::Approve {
            if !self.is_asked_for(&before).await? {
                return Err(DecideApprovalError::NotVouchedFor);
            }
            self.expect_able_author(&before).await?;
            self.expect_apart(&before, operator).await?;
        }
        let told = told_of(by, action, &before, (state, Some(operator)));
        if let Some(decided) = self.close_approval(before, operator, state, note, told).await? {
            return Ok(decided);
        }
        // Decided, withdrawn or expired by somebody else meanwhile.
        let now = self.find_approval(id).await?.ok_or(DecideApprovalError::NotFound)?;
        expect_undecided(&now)?;
        Err(StoreError::Inconsistent { table: "approval", what: format!("`{id}` cannot be decided") }.into())
    }

    /// Takes a request back that nobody has decided.
    ///
    /// # Errors
    /// See [`WithdrawApprovalError`].
    pub async fn withdraw_approval(
        &self,
        by: &OpContext,
        id: ApprovalId,
        operator: OperatorId,
        note: Option<&str>,
    ) -> Result<Approval, WithdrawApprovalError> {
        let note = said(note);
        if note.is_some_and(|note| !is_note(note)) {
            return Err(WithdrawApprovalError::Note);
        }
        let before = self.find_approval(id).await?.ok_or(WithdrawApprovalError::NotFound)?;
        if before.author != operator {
            return Err(WithdrawApprovalError::NotOwn);
        }
        if before.state != ApprovalState::Waiting {
            return Err(WithdrawApprovalError::NotWaiting { state: before.state });
        }
        let told = told_of(by, Action::ApprovalWithdraw, &before, (ApprovalState::Withdrawn, Some(operator)));
        if let Some(withdrawn) = self.close_approval(before, operator, ApprovalState::Withdrawn, note, told).await? {
            return Ok(withdrawn);
        }
        let now = self.find_approval(id).await?.ok_or(WithdrawApprovalError::NotFound)?;
        Err(WithdrawApprovalError::NotWaiting { state: now.state })
    }

    /// Ends the waiting of a request; `None` if it was ended by somebody else meanwhile.
    async fn close_approval(
        &self,
        before: Approval,
        operator: OperatorId,
        state: ApprovalState,
        note: Option<&str>,
        told: AuditEntry,
    ) -> Result<Option<Approval>, StoreError> {
        let now_us = self.clock.now_us();
        let change = entity::approval::ActiveModel {
            state: Set(state.as_str().to_owned()),
            decided_by: Set(Some(operator.uuid())),
            decided_us: Set(Some(now_us)),
            note: Set(note.map(str::to_owned)),
            ..Default::default()
        };
        let update = entity::approval::Entity::update_many()
            .set(change)
            .filter(entity::approval::Column::Id.eq(before.id.uuid()))
            .filter(is_in_state(ApprovalState::Waiting, now_us));
        let mut unit = UnitOfWork::new();
        unit.one(self.db.backend(), &update);
        // Who has taken something back knows it.
        if state != ApprovalState::Withdrawn {
            self.add_decision_mail(&mut unit, &before, state, (operator, note), now_us).await?;
        }
        let told = match note {
            Some(note) => told.because(note),
            None => told,
        };
        match self.ledger.save(unit.audited(told)).await {
            Ok(_) => {
                let (decided_by, note) = (Some(operator), note.map(str::to_owned));
                Ok(Some(Approval { state, decided_by, decided_us: Some(now_us), note, ..before }))
            }
            Err(NotSaved::Conflict { .. }) => Ok(None),
            Err(not_saved) => Err(unexpected("approval", not_saved)),
        }
    }
}

const fn expect_undecided(approval: &Approval) -> Result<(), DecideApprovalError> {
    match approval.state {
        ApprovalState::Waiting => Ok(()),
        ApprovalState::Expired => Err(DecideApprovalError::Expired),
        state => Err(DecideApprovalError::NotWaiting { state }),
    }
}

/// What is said to a decision, without the space around it; nothing if there is none.
fn said(note: Option<&str>) -> Option<&str> {
    note.map(str::trim).filter(|note| !note.is_empty())
}

fn is_note(text: &str) -> bool {
    text.chars().count() <= APPROVAL_NOTE_CHARS_MAX && !text.chars().any(char::is_control)
}
