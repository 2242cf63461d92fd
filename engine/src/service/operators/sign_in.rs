//! Signing in to the console, showing the password again, and changing it. What is wrong is never said: an address that
//! nobody has, a wrong password, a wrong or used code and somebody who is shut out get one answer, after the same work.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};
use secrecy::SecretString;
use serde_json::json;

use super::{NewSession, OperatorProfile, OperatorSession, inconsistent, profile};
use crate::{
    audit::{Action, Method},
    id::{OperatorId, RequestId},
    operator::{open_factor, totp::step_at},
    service::{
        Services,
        accounts::{Door, PasswordError, Whose},
        outbox::unexpected,
    },
    store::{NotSaved, StoreError, UnitOfWork, entity},
};

/// How many wrong codes of one operator a server looks at within half a minute: whoever knows the password may not try all
/// of a million codes.
pub const FACTOR_TRIES_MAX: u32 = 3;

/// What somebody signs in with.
#[derive(Debug, Clone, Copy)]
pub struct OperatorSignIn<'a> {
    /// Who they say they are.
    pub email: &'a str,
    /// Their password.
    pub password: &'a SecretString,
    /// The code of their second factor, if they have one.
    pub code: Option<&'a str>,
    /// Where they are, for the list of their sessions.
    pub address: &'a str,
    /// What their browser calls itself, for the same list.
    pub user_agent: &'a str,
}

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum OperatorSignInError {
    /// No such operator, no password or another one, no code, a wrong one or one that was used, or shut out: nobody is told
    /// which.
    #[error("email, password and code do not belong together")]
    BadCredentials,
    /// The session was renewed with another form or ended, while the password was looked at.
    #[error("the session goes on elsewhere, or has ended")]
    Elsewhere,
    /// Too many passwords are being checked.
    #[error("too many sign-ins at once")]
    Busy,
    /// The database failed, or the second factor cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a password was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeOperatorPasswordError {
    /// The old one is another one.
    #[error("the old password is another one")]
    WrongPassword,
    /// The new one cannot be used, or too many are being checked.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Wrong codes of the present half minute, by operator.
#[derive(Debug, Default)]
pub(in crate::service) struct FactorTries(Mutex<(i64, BTreeMap<OperatorId, u32>)>);

impl FactorTries {
    fn of<T>(&self, step: i64, then: impl FnOnce(&mut BTreeMap<OperatorId, u32>) -> T) -> T {
        let mut tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tries.0 != step {
            *tries = (step, BTreeMap::new());
        }
        then(&mut tries.1)
    }

    /// Whether another code may be looked at.
    fn are_left(&self, operator: OperatorId, step: i64) -> bool {
        self.of(step, |tries| tries.get(&operator).is_none_or(|count| *count < FACTOR_TRIES_MAX))
    }

    fn add(&self, operator: OperatorId, step: i64) {
        self.of(step, |tries| {
            let count = tries.entry(operator).or_default();
            *count = count.saturating_add(1);
        });
    }
}

impl Services {
    /// Signs somebody in, in the request `request`. An unknown address takes as long as a wrong password. A code is good
    /// once. Both ends are told in the audit trail: what failed is only counted here, and written behind the answer.
    ///
    /// # Errors
    /// What was shown does not belong together, too many passwords are being checked, or the database failed.
    pub async fn operator_sign_in(
        &self,
        request: RequestId,
        sign_in: OperatorSignIn<'_>,
    ) -> Result<NewSession, OperatorSignInError> {
        let row = self.find_operator_row(sign_in.email).await?;
        let now_us = self.clock.now_us();
        let Some((row, step)) = self.check_credentials(row, sign_in.password, sign_in.code).await? else {
            return Err(OperatorSignInError::BadCredentials);
        };
        let operator = OperatorProfile { signed_in_us: Some(now_us), ..profile(&row)? };
        let mut unit = UnitOfWork::new();
        let change = entity::operator::ActiveModel { signed_in_us: Set(Some(now_us)), ..Default::default() };
        self.use_credentials(&mut unit, &row, step, change);
        let secret = self.add_session(&mut unit, operator.id, (sign_in.address, sign_in.user_agent), now_us);
        let told = operator.context(Method::Password, request).entry(Action::OperatorSignIn, "operator", operator.id);
        let told = told.after(json!({"factor": step.is_some()}));
        match self.ledger.save(unit.audited(told)).await {
            Ok(_) => Ok(NewSession { secret, operator }),
            Err(not_saved) => Err(self.refuse(operator.id, not_saved)),
        }
    }

    /// Takes the password again (and the code, if there is a second factor) of whoever is signed in, in the request
    /// `request`. The session gets a new secret and is fresh; the old secret is worth nothing, but that it lets in `form`
    /// once more: what a form says of itself that nobody else knows. Of a form that has shown all that before, the second
    /// copy goes on beside the first.
    ///
    /// # Errors
    /// As for [`Self::operator_sign_in`]; the session is over.
    pub async fn refresh_operator_session(
        &self,
        request: RequestId,
        session: &OperatorSession,
        password: Option<&SecretString>,
        code: Option<&str>,
        form: Option<&str>,
    ) -> Result<NewSession, OperatorSignInError> {
        let id = session.operator.id;
        if let Some(beside) = self.enter_beside(session, form).await? {
            return Ok(beside);
        }
        let row = entity::operator::Entity::find_by_id(id.uuid()).one(self.db.readers()).await;
        let row = row.map_err(StoreError::from)?;
        let nothing = SecretString::default();
        let checked = self.check_credentials(row, password.unwrap_or(&nothing), code).await?;
        let Some((row, step)) = checked else { return Err(OperatorSignInError::BadCredentials) };
        let operator = profile(&row)?;
        let mut unit = UnitOfWork::new();
        // Nothing of the row changes but the code's step; the rest of the conditions is wanted all the same.
        let same = entity::operator::ActiveModel { factor_step: Set(row.factor_step), ..Default::default() };
        self.use_credentials(&mut unit, &row, step, same);
        let now_us = self.clock.now_us();
        let secret = self.rotate_session(&mut unit, session.key, now_us);
        if let Some(form) = form {
            self.leave_echo(&mut unit, session, form, now_us).await?;
        }
        let told = session.context(request).entry(Action::OperatorStepUp, "operator", id);
        match self.ledger.save(unit.audited(told.after(json!({"factor": step.is_some()})))).await {
            Ok(_) => Ok(NewSession { secret, operator }),
            Err(not_saved) => {
                // The first copy of the form was written a moment ago.
                if let Some(beside) = self.enter_beside(session, form).await? {
                    return Ok(beside);
                }
                // Or another form. That nobody has guessed wrong is no reason to count it.
                let is_there = self.find_session_row(session.key).await?.is_some();
                Err(if is_there { self.refuse(id, not_saved) } else { OperatorSignInError::Elsewhere })
            }
        }
    }

    /// The session of a form that has shown everything before, in the session that had this name then.
    async fn enter_beside(
        &self,
        session: &OperatorSession,
        form: Option<&str>,
    ) -> Result<Option<NewSession>, StoreError> {
        let Some(form) = form else { return Ok(None) };
        match self.find_echo(session.key).await? {
            Some(echo) => self.enter_by_echo(&echo, form).await,
            None => Ok(None),
        }
    }

    /// Sets another password of whoever is signed in, in the request `request`; the other sessions end, and open links.
    ///
    /// # Errors
    /// The old password is another one, the new one cannot be used, or the database failed.
    pub async fn change_operator_password(
        &self,
        request: RequestId,
        session: &OperatorSession,
        old: &SecretString,
        new: &SecretString,
    ) -> Result<(), ChangeOperatorPasswordError> {
        let operator = &session.operator;
        let row = entity::operator::Entity::find_by_id(operator.id.uuid()).one(self.db.readers()).await;
        let stored = row.map_err(StoreError::from)?.and_then(|row| row.password_hash);
        if !self.password_work.verify(old, stored.clone()).await? {
            self.failed_sign_ins.count(Whose::Operator(operator.id), self.clock.now_us());
            return Err(ChangeOperatorPasswordError::WrongPassword);
        }
        let hash = self.hash_password(new, &operator.email).await?;
        let mut unit = UnitOfWork::new();
        let update = entity::operator::Entity::update_many()
            .set(entity::operator::ActiveModel { password_hash: Set(Some(hash)), ..Default::default() })
            .filter(entity::operator::Column::Id.eq(operator.id.uuid()))
            .filter(entity::operator::Column::IsDisabled.eq(false))
            .filter(entity::operator::Column::PasswordHash.eq(stored));
        unit.one(self.db.backend(), &update);
        self.end_sessions_and_links(&mut unit, operator.id, Some(session.key));
        let told = session.context(request).entry(Action::OperatorSetPassword, "operator", operator.id);
        match self.ledger.save(unit.audited(told)).await {
            Ok(_) => Ok(()),
            // Changed by another request, or shut out.
            Err(NotSaved::Conflict { .. }) => Err(ChangeOperatorPasswordError::WrongPassword),
            Err(not_saved) => Err(unexpected("operator", not_saved).into()),
        }
    }

    /// Whoever these belong to, with the half minute of the code that is used up with them. A failure is counted.
    async fn check_credentials(
        &self,
        row: Option<entity::operator::Model>,
        password: &SecretString,
        code: Option<&str>,
    ) -> Result<Option<(entity::operator::Model, Option<i64>)>, OperatorSignInError> {
        let stored = row.as_ref().and_then(|row| row.password_hash.clone());
        let is_right = self.password_work.verify(password, stored).await.map_err(|error| match error {
            PasswordError::Busy => OperatorSignInError::Busy,
            PasswordError::Length | PasswordError::Guessable | PasswordError::Failed => {
                OperatorSignInError::BadCredentials
            }
        })?;
        let now_us = self.clock.now_us();
        let Some(row) = row else {
            self.failed_sign_ins.count(Whose::Unknown(Door::Operator), now_us);
            return Ok(None);
        };
        if is_right && !row.is_disabled {
            match self.check_code(&row, code, step_at(self.clock.wall_us()))? {
                Checked::NoFactor => return Ok(Some((row, None))),
                Checked::Right(step) => return Ok(Some((row, Some(step)))),
                Checked::Wrong => {}
            }
        }
        self.failed_sign_ins.count(Whose::Operator(OperatorId::from(row.id)), now_us);
        Ok(None)
    }

    /// Looks at the code of the half minute `step`, and at no other one's.
    fn check_code(
        &self,
        row: &entity::operator::Model,
        code: Option<&str>,
        step: i64,
    ) -> Result<Checked, OperatorSignInError> {
        let Some(sealed) = &row.factor else { return Ok(Checked::NoFactor) };
        let Some(setup) = self.console.load_full() else {
            return Err(inconsistent(&"this process has no key for second factors").into());
        };
        let id = OperatorId::from(row.id);
        let secret = open_factor(&setup.sealing, sealed, id).map_err(|error| inconsistent(&error))?;
        let Some(code) = code.filter(|_code| self.factor_tries.are_left(id, step)) else { return Ok(Checked::Wrong) };
        if step > row.factor_step && secret.is_code(step, code) {
            return Ok(Checked::Right(step));
        }
        self.factor_tries.add(id, step);
        Ok(Checked::Wrong)
    }

    /// Adds to `unit` that what was shown is still right when it is written, that the code is used up, and `change`.
    fn use_credentials(
        &self,
        unit: &mut UnitOfWork,
        row: &entity::operator::Model,
        step: Option<i64>,
        mut change: entity::operator::ActiveModel,
    ) {
        if let Some(step) = step {
            change.factor_step = Set(step);
        }
        let mut update = entity::operator::Entity::update_many()
            .set(change)
            .filter(entity::operator::Column::Id.eq(row.id))
            .filter(entity::operator::Column::IsDisabled.eq(false))
            .filter(entity::operator::Column::PasswordHash.eq(row.password_hash.clone()));
        update = match step {
            Some(step) => update.filter(entity::operator::Column::FactorStep.lt(step)),
            // A factor that was enrolled meanwhile is wanted.
            None => update.filter(entity::operator::Column::Factor.is_null()),
        };
        unit.one(self.db.backend(), &update);
    }

    /// What was shown was right a moment ago: the code was used by another request, or somebody was shut out.
    fn refuse(&self, id: OperatorId, not_saved: NotSaved) -> OperatorSignInError {
        match not_saved {
            NotSaved::Conflict { .. } => {
                self.failed_sign_ins.count(Whose::Operator(id), self.clock.now_us());
                OperatorSignInError::BadCredentials
            }
            other => unexpected("operator_session", other).into(),
        }
    }
}

/// What became of a code.
enum Checked {
    NoFactor,
    /// Of this half minute.
    Right(i64),
    Wrong,
}

#[cfg(test)]
mod tests;
