//! Single-use links of operators: shown on the command line to whoever has the machine, in the console to whoever approved
//! that there be one, and handed on by them. A link sets the password, and there is no other way to a first one.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::{
    CreatedOperator, OperatorProfile, SECRET_CHARS,
    change::{ChangeOperatorError, because},
    profile,
};
use crate::{
    audit::{Action, Method, OpContext},
    id::{OperatorId, RequestId},
    ledger::leaf::sha256,
    service::{
        Services,
        accounts::PasswordError,
        outbox::{MailTemplate, NewMail, unexpected},
    },
    store::{NotSaved, StoreError, UnitOfWork, entity},
};

/// How long a link is good for (OWASP ASVS 5.0, 6.4.1 wants a short time).
pub const OPERATOR_LINK_MINUTES: i64 = 30;
const US_PER_MINUTE: i64 = 60_000_000;

/// A new link's secret; its digest is stored.
#[derive(Debug, Clone)]
pub struct OperatorLinkSecret {
    /// What stands in the URL.
    pub secret: SecretString,
    /// When it ends, in microseconds since the Unix epoch.
    pub expires_us: i64,
}

/// A link that can still be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorLink {
    /// Whose.
    pub operator: OperatorProfile,
    /// When it ends, in microseconds since the Unix epoch.
    pub expires_us: i64,
}

/// Why no password was set. The link can be used again, unless it is gone.
#[derive(Debug, thiserror::Error)]
pub enum OperatorLinkError {
    /// Unknown, used, expired, or of somebody who is shut out: nobody is told which.
    #[error("this link cannot be used any more")]
    LinkGone,
    /// The password cannot be used.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Services {
    /// Makes a new link for an operator who has lost the old one, the password or the second factor: neither of these is
    /// worth anything from now on, and it is signed out everywhere.
    ///
    /// # Errors
    /// There is none, it is disabled, or the database failed.
    pub async fn renew_operator_link(
        &self,
        by: &OpContext,
        id: OperatorId,
        reason: Option<&str>,
    ) -> Result<CreatedOperator, ChangeOperatorError> {
        let before = self.load_operator(id).await?;
        if before.is_disabled {
            return Err(ChangeOperatorError::Disabled);
        }
        let now_us = self.clock.now_us();
        let mut unit = UnitOfWork::new();
        let change =
            entity::operator::ActiveModel { password_hash: Set(None), factor: Set(None), ..Default::default() };
        let update = entity::operator::Entity::update_many()
            .set(change)
            .filter(entity::operator::Column::Id.eq(id.uuid()))
            .filter(entity::operator::Column::IsDisabled.eq(false));
        unit.one(self.db.backend(), &update);
        self.end_sessions_and_links(&mut unit, id, None);
        let link = self.add_operator_link(&mut unit, id, now_us);
        // The demo's owner reads the link where the demo was started.
        if !before.is_demo {
            self.add_operator_mail(&mut unit, &before, MailTemplate::OperatorReset, &link, now_us);
        }
        let facts =
            |has_password: bool, has_factor: bool| json!({"has_password": has_password, "has_factor": has_factor});
        let told = by
            .entry(Action::OperatorRenewLink, "operator", id)
            .before(facts(before.has_password, before.has_factor))
            .after(facts(false, false));
        match self.ledger.save(unit.audited(because(told, reason))).await {
            Ok(_) => {}
            Err(NotSaved::Conflict { .. }) => return Err(ChangeOperatorError::Changed),
            Err(not_saved) => return Err(unexpected("operator", not_saved).into()),
        }
        let operator = OperatorProfile { has_password: false, has_factor: false, ..before };
        Ok(CreatedOperator { operator, link })
    }

    /// Adds to `unit` a link that sets the operator's password.
    pub(super) fn add_operator_link(
        &self,
        unit: &mut UnitOfWork,
        operator: OperatorId,
        now_us: i64,
    ) -> OperatorLinkSecret {
        let (secret, digest) = self.new_secret();
        let expires_us = now_us.saturating_add(OPERATOR_LINK_MINUTES.saturating_mul(US_PER_MINUTE));
        let row = entity::operator_link::Model { digest, operator_id: operator.uuid(), expires_us, used_us: None };
        unit.one(self.db.backend(), &entity::operator_link::Entity::insert(row.into_active_model()));
        OperatorLinkSecret { secret, expires_us }
    }

    /// Adds to `unit` a mail with an operator's link.
    pub(super) fn add_operator_mail(
        &self,
        unit: &mut UnitOfWork,
        operator: &OperatorProfile,
        template: MailTemplate,
        link: &OperatorLinkSecret,
        now_us: i64,
    ) {
        let secret = link.secret.expose_secret();
        let data = json!({"secret": secret, "minutes": OPERATOR_LINK_MINUTES, "name": operator.name});
        let about = ("operator", operator.id.to_string());
        self.enqueue_mail(unit, NewMail { to: &operator.email, template, data, about, key: None }, now_us);
    }

    /// The link with this secret, if it can still be used. Looking does not use it.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_operator_link(&self, secret: &str) -> Result<Option<OperatorLink>, StoreError> {
        if secret.len() != SECRET_CHARS {
            return Ok(None);
        }
        let link = entity::operator_link::Entity::find_by_id(sha256(secret.as_bytes()).to_vec())
            .filter(entity::operator_link::Column::UsedUs.is_null())
            .filter(entity::operator_link::Column::ExpiresUs.gt(self.clock.now_us()))
            .one(self.db.readers())
            .await?;
        let Some(link) = link else { return Ok(None) };
        let operator = entity::operator::Entity::find_by_id(link.operator_id).one(self.db.readers()).await?;
        let operator = operator.as_ref().filter(|operator| !operator.is_disabled).map(profile).transpose()?;
        Ok(operator.map(|operator| OperatorLink { operator, expires_us: link.expires_us }))
    }

    /// Uses a link in the request `request`: sets the password and ends every session and every other link of the operator.
    ///
    /// # Errors
    /// The link is gone, the password cannot be used (the link stays good), or the database failed.
    pub async fn use_operator_link(
        &self,
        request: RequestId,
        secret: &str,
        password: &SecretString,
    ) -> Result<OperatorProfile, OperatorLinkError> {
        let link = self.find_operator_link(secret).await?.ok_or(OperatorLinkError::LinkGone)?;
        let operator = link.operator;
        let hash = self.hash_password(password, &operator.email).await?;
        let now_us = self.clock.now_us();
        let mut unit = UnitOfWork::new();
        let use_it = entity::operator_link::Entity::update_many()
            .set(entity::operator_link::ActiveModel { used_us: Set(Some(now_us)), ..Default::default() })
            .filter(entity::operator_link::Column::Digest.eq(sha256(secret.as_bytes()).to_vec()))
            .filter(entity::operator_link::Column::UsedUs.is_null())
            .filter(entity::operator_link::Column::ExpiresUs.gt(now_us));
        unit.one(self.db.backend(), &use_it);
        let update = entity::operator::Entity::update_many()
            .set(entity::operator::ActiveModel { password_hash: Set(Some(hash)), ..Default::default() })
            .filter(entity::operator::Column::Id.eq(operator.id.uuid()))
            .filter(entity::operator::Column::IsDisabled.eq(false));
        unit.one(self.db.backend(), &update);
        self.end_sessions_and_links(&mut unit, operator.id, None);
        let facts = |has_password: bool| json!({"has_password": has_password});
        let told = operator
            .context(Method::LoginLink, request)
            .entry(Action::OperatorSetPassword, "operator", operator.id)
            .before(facts(operator.has_password))
            .after(facts(true));
        match self.ledger.save(unit.audited(told)).await {
            Ok(_) => Ok(OperatorProfile { has_password: true, ..operator }),
            // Used by another request, its time was over, or its operator was shut out.
            Err(NotSaved::Conflict { .. }) => Err(OperatorLinkError::LinkGone),
            Err(not_saved) => Err(unexpected("operator_link", not_saved).into()),
        }
    }
}
