//! What operators do about mails: have one sent (again), give one up, send one to themselves to see whether it arrives.

use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, EntityTrait, QueryFilter};
use serde_json::json;

use super::{MailState, MailTemplate, NewMail, list::MailRow, unexpected, wiped};
use crate::{
    audit::{Action, AuditEntry, OpContext},
    id::{MailId, OperatorId},
    service::{
        Services,
        accounts::{REASON_CHARS_MAX, is_reason},
    },
    store::{NotSaved, StoreError, UnitOfWork, entity},
};

/// Why nothing was done about a mail.
#[derive(Debug, thiserror::Error)]
pub enum ChangeMailError {
    /// There is no such mail, or nobody to send one to.
    #[error("there is no such mail")]
    NotFound,
    /// There is no reason, or it is none.
    #[error("`reason` is one line of 1 to {REASON_CHARS_MAX} characters")]
    Reason,
    /// It was handed over.
    #[error("the mail was sent already")]
    Sent,
    /// It was given up by an operator.
    #[error("the mail was cancelled already")]
    Cancelled,
    /// A server is sending it at this moment.
    #[error("the mail is being sent at this moment: look again in a minute")]
    OnItsWay,
    /// Its link is a secret, which was forgotten when the mail was given up.
    #[error("the link in this mail is gone: have a new one mailed")]
    Wiped,
    /// Somebody else was at it at the same moment.
    #[error("the mail has changed at the same moment: nothing was done, look again")]
    Changed,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Services {
    /// Has a mail tried at once: one that waits for its next attempt, or one that was given up, which then has all of its
    /// attempts before it again.
    ///
    /// `due_us` is when whoever asks has seen it due, in microseconds since the Unix epoch; `None`: it does not matter.
    ///
    /// # Errors
    /// See [`ChangeMailError`].
    pub async fn retry_mail(
        &self,
        by: &OpContext,
        id: MailId,
        due_us: Option<i64>,
        reason: &str,
    ) -> Result<(), ChangeMailError> {
        let (before, now_us) = self.load_changeable_mail(id, reason).await?;
        if due_us.is_some_and(|due_us| due_us != before.next_us) {
            return Err(ChangeMailError::Changed);
        }
        if !before.can_be_retried(now_us) {
            return Err(why_not(&before, now_us));
        }
        let change = entity::mail::ActiveModel {
            state: Set(MailState::Queued.as_str().to_owned()),
            attempts: Set(0),
            next_us: Set(now_us),
            claimed_us: Set(None),
            ..Default::default()
        };
        let told = told(by, Action::MailRetry, &before, (MailState::Queued, 0, now_us)).because(reason);
        self.save_changed_mail(&before, change, told, now_us).await
    }

    /// Gives a mail up that waits, or says of one that was given up that this is right. If it holds a secret, its data is
    /// wiped.
    ///
    /// # Errors
    /// See [`ChangeMailError`].
    pub async fn cancel_mail(&self, by: &OpContext, id: MailId, reason: &str) -> Result<(), ChangeMailError> {
        let (before, now_us) = self.load_changeable_mail(id, reason).await?;
        if before.state == MailState::Cancelled {
            return Err(ChangeMailError::Cancelled);
        }
        if !before.can_be_cancelled(now_us) {
            return Err(why_not(&before, now_us));
        }
        let state = Set(MailState::Cancelled.as_str().to_owned());
        let data = before.template.map(wiped).unwrap_or_default().data;
        let change = entity::mail::ActiveModel { state, data, claimed_us: Set(None), ..Default::default() };
        let after = (MailState::Cancelled, before.attempts, before.next_us);
        let told = told(by, Action::MailCancel, &before, after).because(reason);
        self.save_changed_mail(&before, change, told, now_us).await
    }

    async fn load_changeable_mail(&self, id: MailId, reason: &str) -> Result<(MailRow, i64), ChangeMailError> {
        if !is_reason(reason) {
            return Err(ChangeMailError::Reason);
        }
        let before = self.find_mail(id).await?.ok_or(ChangeMailError::NotFound)?;
        Ok((before, self.clock.now_us()))
    }

    /// Changes a mail that is still as it was read, and that nobody is sending.
    async fn save_changed_mail(
        &self,
        before: &MailRow,
        change: entity::mail::ActiveModel,
        told: AuditEntry,
        now_us: i64,
    ) -> Result<(), ChangeMailError> {
        use entity::mail::Column;
        let unclaimed = Condition::any().add(Column::ClaimedUs.is_null()).add(Column::ClaimedUs.lte(now_us));
        let update = entity::mail::Entity::update_many()
            .set(change)
            .filter(Column::Id.eq(before.id.uuid()))
            .filter(Column::State.eq(before.state.as_str()))
            .filter(Column::Attempts.eq(before.attempts))
            // Of two who try it again at the same moment the second finds it due at another time.
            .filter(Column::NextUs.eq(before.next_us))
            .filter(unclaimed);
        let mut unit = UnitOfWork::new();
        unit.one(self.db.backend(), &update);
        match self.ledger.save(unit.audited(told)).await {
            Ok(_) => Ok(()),
            Err(NotSaved::Conflict { .. }) => Err(ChangeMailError::Changed),
            Err(not_saved) => Err(unexpected("mail", not_saved).into()),
        }
    }

    /// Mails the operator `to` a few words, to see whether they arrive. The same `key` again sends nothing more. Gives the
    /// mail, if this is the first time.
    ///
    /// # Errors
    /// There is no such operator, or the database failed.
    pub async fn send_test_mail(
        &self,
        by: &OpContext,
        to: OperatorId,
        key: &str,
    ) -> Result<Option<MailId>, ChangeMailError> {
        let operator = self.find_operator(to).await?.ok_or(ChangeMailError::NotFound)?;
        let mut unit = UnitOfWork::new();
        let new = NewMail {
            to: &operator.email,
            template: MailTemplate::Test,
            data: json!({}),
            about: ("operator", to.to_string()),
            key: Some(format!("test {to} {key}")),
        };
        let id = self.enqueue_mail(&mut unit, new, self.clock.now_us());
        let told = by.entry(Action::MailTest, "mail", id).after(json!({"operator": to.to_string()}));
        match self.ledger.save(unit.audited(told)).await {
            Ok(_) => Ok(Some(id)),
            // The same form at the same moment, or a second time.
            Err(NotSaved::Conflict { .. }) => Ok(None),
            Err(not_saved) => Err(unexpected("mail", not_saved).into()),
        }
    }
}

/// What kept a mail from being changed.
fn why_not(mail: &MailRow, now_us: i64) -> ChangeMailError {
    match mail.state {
        MailState::Sent => ChangeMailError::Sent,
        MailState::Queued if mail.is_on_its_way(now_us) => ChangeMailError::OnItsWay,
        MailState::Queued => ChangeMailError::Changed,
        MailState::Failed | MailState::Cancelled => ChangeMailError::Wiped,
    }
}

/// What the trail tells: where the mail stood and stands, after how many attempts, and when it is due.
fn told(by: &OpContext, action: Action, before: &MailRow, after: (MailState, i32, i64)) -> AuditEntry {
    let facts = |(state, attempts, due_us): (MailState, i32, i64)| json!({"state": state.as_str(), "attempts": attempts, "due_us": due_us});
    by.entry(action, "mail", before.id)
        .before(facts((before.state, before.attempts, before.next_us)))
        .after(facts(after))
}
