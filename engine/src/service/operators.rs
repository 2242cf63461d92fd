//! Operators: who may use the console, and as what. They are made by two other operators or from the command line, set
//! their password through a single-use link, and sign in with it and with a second factor.

use std::sync::Arc;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};
use secrecy::SecretString;
use serde_json::json;
use uuid::Uuid;

use super::{
    Services,
    accounts::{PasswordError, normalised},
    outbox::{MailTemplate, unexpected},
    paging::{Listed, PAGE_READ},
};
use crate::{
    audit::{Action, Actor, Method, OpContext},
    id::{OperatorId, RequestId},
    ledger::leaf::sha256,
    operator::Role,
    policy::console::ConsolePolicies,
    sealing::Sealing,
    store::{NotSaved, StoreError, UnitOfWork, entity},
};

mod change;
mod echo;
mod factor;
mod link;
mod session;
mod sign_in;

pub use change::ChangeOperatorError;
use change::because;
pub use echo::{ECHO_S, Echo};
pub use factor::{FactorError, FactorOffer};
pub use link::{OPERATOR_LINK_MINUTES, OperatorLink, OperatorLinkError, OperatorLinkSecret};
pub use session::{
    ABSOLUTE_HOURS, FLASH_BYTES_MAX, FRESH_MINUTES, IDLE_MINUTES, InvalidSessionKey, NewSession, OperatorSession,
    OperatorSessionView, SessionKey,
};
pub(super) use sign_in::FactorTries;
pub use sign_in::{ChangeOperatorPasswordError, FACTOR_TRIES_MAX, OperatorSignIn, OperatorSignInError};

/// Longest name of an operator, in characters.
pub const OPERATOR_NAME_CHARS_MAX: usize = 100;
/// How many operators a list shows, the newest first.
const OPERATORS_LISTED_MAX: u64 = 1_000;
/// What secrets of sessions and links are made of, in bytes.
const SECRET_BYTES: usize = 32;
/// The same in base64 without padding.
const SECRET_CHARS: usize = 43;

/// What the console works with.
#[derive(Debug)]
pub struct ConsoleSetup {
    /// What the secrets of second factors are sealed under.
    pub sealing: Sealing,
}

/// An operator as the console shows it.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, and none follows from the others")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorProfile {
    /// Which.
    pub id: OperatorId,
    /// The address that it signs in with, in small letters.
    pub email: String,
    /// Who that is.
    pub name: String,
    /// What it is, in the order of [`Role::ALL`]. At least one.
    pub roles: Vec<Role>,
    /// It can be signed in to.
    pub has_password: bool,
    /// A second factor is enrolled.
    pub has_factor: bool,
    /// It is shut out.
    pub is_disabled: bool,
    /// It is the demo's owner, who may postpone the second factor.
    pub is_demo: bool,
    /// When it was made, in microseconds since the Unix epoch.
    pub created_us: i64,
    /// When it last signed in, in microseconds since the Unix epoch.
    pub signed_in_us: Option<i64>,
}

impl OperatorProfile {
    /// What the audit trail says of this operator, known by `method`, in the request `request`.
    pub fn context(&self, method: Method, request: RequestId) -> OpContext {
        OpContext { actor: Actor::Operator(self.id.to_string()), method, request: Some(request) }
    }
}

/// A new operator.
#[derive(Debug, Clone, Copy)]
pub struct NewOperator<'a> {
    /// The address that it signs in with.
    pub email: &'a str,
    /// Who that is, for the other operators and the audit trail.
    pub name: &'a str,
    /// What it is.
    pub roles: &'a [Role],
}

impl NewOperator<'_> {
    /// The address as it is kept, if somebody like this can be made at all: whether the address is free is asked elsewhere.
    pub(super) fn checked_email(&self) -> Result<String, CreateOperatorError> {
        let email = normalised(self.email).ok_or(CreateOperatorError::EmailInvalid)?;
        if !is_name(self.name) {
            return Err(CreateOperatorError::Name);
        }
        if self.roles.is_empty() {
            return Err(CreateOperatorError::NoRole);
        }
        Ok(email)
    }
}

/// An operator with a link that sets its password: the only time that the link's secret is known.
#[derive(Debug, Clone)]
pub struct CreatedOperator {
    /// The operator.
    pub operator: OperatorProfile,
    /// The link.
    pub link: OperatorLinkSecret,
}

/// Why no operator was made.
#[derive(Debug, thiserror::Error)]
pub enum CreateOperatorError {
    /// Not an address.
    #[error("`email` is not an email address")]
    EmailInvalid,
    /// Another operator has it.
    #[error("an operator with this email address exists")]
    EmailTaken,
    /// The name cannot be used.
    #[error("an operator's name is one line of 1 to {OPERATOR_NAME_CHARS_MAX} characters")]
    Name,
    /// No role was given.
    #[error("an operator has at least one role")]
    NoRole,
    /// The password cannot be used.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Services {
    /// Says what the console works with: before that no second factor can be enrolled or checked.
    pub fn set_up_console(&self, setup: Arc<ConsoleSetup>) {
        self.console.store(Some(setup));
    }

    /// Says who may do what in the console: before that nothing that somebody has asked for can be
    /// approved, and nobody is written to about what waits.
    pub fn set_up_console_policies(&self, policies: Arc<ConsolePolicies>) {
        self.console_policies.store(Some(policies));
    }

    /// Whether anybody was ever let into the console.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn has_operators(&self) -> Result<bool, StoreError> {
        Ok(entity::operator::Entity::find().one(self.db.readers()).await?.is_some())
    }

    /// Makes an operator without a password, and a link that sets one.
    ///
    /// # Errors
    /// Address, name or roles cannot be used, the address is taken, or the database failed.
    pub async fn create_operator(
        &self,
        by: &OpContext,
        new: NewOperator<'_>,
    ) -> Result<CreatedOperator, CreateOperatorError> {
        self.create_operator_because(by, new, None).await
    }

    /// The same with a reason for the audit trail.
    ///
    /// # Errors
    /// As for [`Self::create_operator`].
    pub async fn create_operator_because(
        &self,
        by: &OpContext,
        new: NewOperator<'_>,
        reason: Option<&str>,
    ) -> Result<CreatedOperator, CreateOperatorError> {
        let now_us = self.clock.now_us();
        let mut unit = UnitOfWork::new();
        let row = self.add_operator(&mut unit, &new, now_us)?;
        let link = self.add_operator_link(&mut unit, OperatorId::from(row.id), now_us);
        self.add_operator_mail(&mut unit, &profile(&row)?, MailTemplate::OperatorLink, &link, now_us);
        self.save_new_operator(by, unit, &row, reason).await?;
        Ok(CreatedOperator { operator: profile(&row)?, link })
    }

    /// Whether somebody like this could be made now. Nothing is written.
    ///
    /// # Errors
    /// As for [`Self::create_operator`].
    pub async fn check_new_operator(&self, new: &NewOperator<'_>) -> Result<(), CreateOperatorError> {
        let email = new.checked_email()?;
        match self.find_operator_row(&email).await? {
            Some(_) => Err(CreateOperatorError::EmailTaken),
            None => Ok(()),
        }
    }

    /// Makes the demo's owner, who may postpone the second factor, with a link to its first password. As long as nobody has
    /// used that, every call makes a new one; then there is none.
    ///
    /// # Errors
    /// Address or name cannot be used, or the database failed.
    pub async fn offer_demo_owner(
        &self,
        by: &OpContext,
        email: &str,
        name: &str,
    ) -> Result<Option<OperatorLinkSecret>, CreateOperatorError> {
        match self.find_operator_by_email(email).await? {
            Some(known) if known.has_password || known.is_disabled => Ok(None),
            Some(known) => match self.renew_operator_link(by, known.id, None).await {
                Ok(renewed) => Ok(Some(renewed.link)),
                Err(ChangeOperatorError::Store(error)) => Err(error.into()),
                // Changed by somebody else in the meantime: then they have a link.
                Err(_changed) => Ok(None),
            },
            None => {
                let mut unit = UnitOfWork::new();
                let new = NewOperator { email, name, roles: &[Role::Owner] };
                let now_us = self.clock.now_us();
                let row = entity::operator::Model { is_demo: true, ..self.operator_row(&new, now_us)? };
                unit.one(self.db.backend(), &entity::operator::Entity::insert(row.clone().into_active_model()));
                let link = self.add_operator_link(&mut unit, OperatorId::from(row.id), now_us);
                self.save_new_operator(by, unit, &row, None).await?;
                Ok(Some(link))
            }
        }
    }

    /// Adds to `unit` an operator without a password.
    fn add_operator(
        &self,
        unit: &mut UnitOfWork,
        new: &NewOperator<'_>,
        now_us: i64,
    ) -> Result<entity::operator::Model, CreateOperatorError> {
        let row = self.operator_row(new, now_us)?;
        unit.one(self.db.backend(), &entity::operator::Entity::insert(row.clone().into_active_model()));
        Ok(row)
    }

    fn operator_row(&self, new: &NewOperator<'_>, now_us: i64) -> Result<entity::operator::Model, CreateOperatorError> {
        Ok(entity::operator::Model {
            id: OperatorId::new(&*self.ids, now_us).uuid(),
            email: new.checked_email()?,
            name: new.name.trim().to_owned(),
            roles: Role::join(new.roles),
            password_hash: None,
            factor: None,
            factor_step: -1,
            is_disabled: false,
            is_demo: false,
            created_us: now_us,
            signed_in_us: None,
        })
    }

    /// Writes a unit that makes an operator. The database's unique column decides a race for an address.
    async fn save_new_operator(
        &self,
        by: &OpContext,
        unit: UnitOfWork,
        row: &entity::operator::Model,
        reason: Option<&str>,
    ) -> Result<(), CreateOperatorError> {
        if self.find_operator_row(&row.email).await?.is_some() {
            return Err(CreateOperatorError::EmailTaken);
        }
        let after = json!({"name": row.name, "roles": row.roles});
        let told = by.entry(Action::OperatorCreate, "operator", OperatorId::from(row.id)).after(after);
        match self.ledger.save(unit.audited(because(told, reason))).await {
            Ok(_) => Ok(()),
            Err(NotSaved::Conflict { .. }) if self.find_operator_row(&row.email).await?.is_some() => {
                Err(CreateOperatorError::EmailTaken)
            }
            Err(not_saved) => Err(unexpected("operator", not_saved).into()),
        }
    }

    /// The operators, disabled ones too, the newest first.
    ///
    /// # Errors
    /// The database cannot be read, or holds a role that there is not.
    pub async fn list_operators(&self) -> Result<Vec<OperatorProfile>, StoreError> {
        let rows = entity::operator::Entity::find()
            .order_by_desc(entity::operator::Column::Id)
            .limit(OPERATORS_LISTED_MAX)
            .all(self.db.readers())
            .await?;
        rows.iter().map(profile).collect()
    }

    /// A page of the operators, disabled ones too, the newest first, from behind the one named by `after`.
    ///
    /// # Errors
    /// As for [`Self::list_operators`].
    pub async fn list_operators_page(&self, after: Option<Uuid>) -> Result<Listed<OperatorProfile>, StoreError> {
        let column = entity::operator::Column::Id;
        let rows = entity::operator::Entity::find()
            .filter(column.lt(after.unwrap_or(Uuid::max())))
            .order_by_desc(column)
            .limit(PAGE_READ)
            .all(self.db.readers())
            .await?;
        let listed = Listed::of(rows, |row| row.id.as_simple().to_string());
        Ok(Listed { rows: listed.rows.iter().map(profile).collect::<Result<_, _>>()?, next: listed.next })
    }

    /// An operator.
    ///
    /// # Errors
    /// As for [`Self::list_operators`].
    pub async fn find_operator(&self, id: OperatorId) -> Result<Option<OperatorProfile>, StoreError> {
        let row = entity::operator::Entity::find_by_id(id.uuid()).one(self.db.readers()).await?;
        row.as_ref().map(profile).transpose()
    }

    /// The operator with this address, whatever the case of its letters.
    ///
    /// # Errors
    /// As for [`Self::list_operators`].
    pub async fn find_operator_by_email(&self, email: &str) -> Result<Option<OperatorProfile>, StoreError> {
        self.find_operator_row(email).await?.as_ref().map(profile).transpose()
    }

    async fn find_operator_row(&self, email: &str) -> Result<Option<entity::operator::Model>, StoreError> {
        let Some(email) = normalised(email) else { return Ok(None) };
        let wanted = entity::operator::Column::Email.eq(email);
        Ok(entity::operator::Entity::find().filter(wanted).one(self.db.readers()).await?)
    }

    /// 256 random bits as text, with what is stored of them.
    fn new_secret(&self) -> (SecretString, Vec<u8>) {
        let mut random = [0; SECRET_BYTES];
        (self.random)(&mut random);
        let text = BASE64_URL_SAFE_NO_PAD.encode(random);
        let digest = sha256(text.as_bytes()).to_vec();
        (SecretString::from(text), digest)
    }
}

fn is_name(text: &str) -> bool {
    let text = text.trim();
    (1..=OPERATOR_NAME_CHARS_MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

fn inconsistent(what: &impl ToString) -> StoreError {
    StoreError::Inconsistent { table: "operator", what: what.to_string() }
}

fn profile(row: &entity::operator::Model) -> Result<OperatorProfile, StoreError> {
    Ok(OperatorProfile {
        id: OperatorId::from(row.id),
        email: row.email.clone(),
        name: row.name.clone(),
        roles: Role::split(&row.roles).map_err(|error| inconsistent(&error))?,
        has_password: row.password_hash.is_some(),
        has_factor: row.factor.is_some(),
        is_disabled: row.is_disabled,
        is_demo: row.is_demo,
        created_us: row.created_us,
        signed_in_us: row.signed_in_us,
    })
}
