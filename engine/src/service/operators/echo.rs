//! A form that is sent twice while it shows the password: its first copy gives the session another secret, and the second
//! one, sent at the same moment, still comes with the old one. For a minute the old secret lets in that form and nothing
//! else, so that the second copy finds what the first one did, and the browser a session, whichever answer it reads.
//!
//! Whoever has stolen the old secret gains nothing by that: they do not know what the form says of itself.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};

use super::{
    NewSession, OperatorProfile, OperatorSession, SessionKey, profile,
    session::{IDLE_US, is_good_at},
};
use crate::{
    ledger::leaf::sha256,
    service::Services,
    store::{StoreError, UnitOfWork, entity},
};

/// For how many seconds the old secret of a session lets in the form that has shown the password.
pub const ECHO_S: i64 = 60;
const ECHO_US: i64 = ECHO_S * 1_000_000;

/// The old secret of a session, as far as it is still good for something.
#[derive(Debug, Clone)]
pub struct Echo {
    row: entity::operator_session::Model,
    form: Vec<u8>,
    operator: OperatorProfile,
}

impl Services {
    /// Adds to `unit` that the secret which `session` had until now lets in `form` once more. It goes the way of all
    /// sessions that are over.
    pub(super) async fn leave_echo(
        &self,
        unit: &mut UnitOfWork,
        session: &OperatorSession,
        form: &str,
        now_us: i64,
    ) -> Result<(), StoreError> {
        let row = entity::operator_session::Entity::find_by_id(session.key.row()).one(self.db.readers()).await?;
        let Some(row) = row else { return Ok(()) };
        let echo = entity::operator_session::Model {
            seen_us: now_us.saturating_sub(IDLE_US).saturating_add(ECHO_US),
            fresh_us: now_us,
            flash: None,
            echo: Some(sha256(form.as_bytes()).to_vec()),
            ..row
        };
        unit.one(self.db.backend(), &entity::operator_session::Entity::insert(echo.into_active_model()));
        Ok(())
    }

    /// What the secret with this name was the old secret of, within [`ECHO_S`] seconds; `None` if of nothing, or if that
    /// operator is shut out.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_echo(&self, key: SessionKey) -> Result<Option<Echo>, StoreError> {
        let row = entity::operator_session::Entity::find_by_id(key.row())
            .filter(is_good_at(self.clock.now_us()))
            .filter(entity::operator_session::Column::Echo.is_not_null())
            .one(self.db.readers())
            .await?;
        let Some(mut row) = row else { return Ok(None) };
        let Some(form) = row.echo.take() else { return Ok(None) };
        let operator = entity::operator::Entity::find_by_id(row.operator_id).one(self.db.readers()).await?;
        let operator = operator.as_ref().filter(|operator| !operator.is_disabled).map(profile).transpose()?;
        Ok(operator.map(|operator| Echo { row, form, operator }))
    }

    /// A session beside the one that the first copy of `form` goes on in, as old and as fresh as that one; `None` if this is
    /// another form.
    ///
    /// # Errors
    /// The database failed, or the operator was signed out at the same moment.
    pub async fn enter_by_echo(&self, echo: &Echo, form: &str) -> Result<Option<NewSession>, StoreError> {
        if sha256(form.as_bytes()).as_slice() != echo.form {
            return Ok(None);
        }
        let (secret, digest) = self.new_secret();
        let mut unit = UnitOfWork::new();
        // Whoever was signed out everywhere is out: then it is not there any more.
        let is_there = entity::operator_session::Entity::update_many()
            .set(entity::operator_session::ActiveModel { seen_us: Set(echo.row.seen_us), ..Default::default() })
            .filter(entity::operator_session::Column::Digest.eq(echo.row.digest.clone()))
            .filter(entity::operator_session::Column::Echo.is_not_null());
        unit.one(self.db.backend(), &is_there);
        let row =
            entity::operator_session::Model { digest, seen_us: self.clock.now_us(), echo: None, ..echo.row.clone() };
        unit.one(self.db.backend(), &entity::operator_session::Entity::insert(row.into_active_model()));
        self.save_session_note(unit, "the same form once more: what it shows was told with its first copy").await?;
        Ok(Some(NewSession { secret, operator: echo.operator.clone() }))
    }
}
