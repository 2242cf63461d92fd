//! Accounts: made by an operator or by an agent that signs up, verified and given a password through single-use links.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use secrecy::SecretString;
use serde_json::json;

use super::{Services, outbox::unexpected};
use crate::{
    audit::{Action, Actor, AuditEntry, Method, OpContext},
    id::{AccountId, RequestId},
    ledger::{AccountKind, LedgerAccountId},
    store::{AuditedUnit, NotSaved, StoreError, UnitOfWork, entity},
};

mod email;
mod failed;
mod funding;
mod link;
mod list;
mod password;
mod reset;

pub(super) use email::normalised;
pub use email::{EMAIL_BYTES_MAX, is_email};
pub(super) use failed::{Door, FailedSignIns, Whose};
pub use funding::{
    CreditGrant, FundedAccount, FundedAccountError, GrantError, GrantTerms, NewFundedAccount, REASON_CHARS_MAX,
};
pub(super) use funding::{is_key, is_reason};
pub use link::{LINK_MINUTES, LinkView, LoginLink, MailLinkError, ResendError, SetPasswordError, Signup, SignupError};
pub use list::{ACCOUNTS_LOOKED_AT, AccountFilter, AccountPage, SuspendAccountError};
pub(super) use password::PasswordWork;
pub use password::{PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN, PasswordError};

/// An account as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountProfile {
    /// Which.
    pub id: AccountId,
    /// Its address.
    pub email: String,
    /// The address has been confirmed.
    pub is_verified: bool,
    /// An operator has suspended it.
    pub is_suspended: bool,
    /// It can be signed in to.
    pub has_password: bool,
    /// Who pays.
    pub wallet: LedgerAccountId,
    /// When it was made, in microseconds since the Unix epoch.
    pub created_us: i64,
}

/// A new account.
#[derive(Debug)]
pub struct NewAccount<'a> {
    /// Its address.
    pub email: &'a str,
    /// The address counts as confirmed.
    pub is_verified: bool,
    /// Without one it cannot be signed in to until a link has set one.
    pub password: Option<&'a SecretString>,
}

/// Why an account was not made.
#[derive(Debug, thiserror::Error)]
pub enum CreateAccountError {
    /// Not an address that a mail can be sent to.
    #[error("`email` is not an email address")]
    EmailInvalid,
    /// Another account has it.
    #[error("an account with this email address exists")]
    EmailTaken,
    /// The password cannot be used.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// No such account, no password, or another one: nobody is told which.
    #[error("email and password do not belong together")]
    BadCredentials,
    /// Too many passwords are being checked.
    #[error("too many sign-ins at once")]
    Busy,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Services {
    /// Makes an account with an empty wallet.
    ///
    /// # Errors
    /// The address cannot be used or is taken, the password is too short, too long or easy to guess, or the database failed.
    pub async fn create_account(&self, by: &OpContext, new: NewAccount<'_>) -> Result<AccountId, CreateAccountError> {
        let email = normalised(new.email).ok_or(CreateAccountError::EmailInvalid)?;
        let password_hash = match new.password {
            Some(password) => Some(self.hash_password(password, &email).await?),
            None => None,
        };
        let mut unit = UnitOfWork::new();
        let now_us = self.clock.now_us();
        let row =
            self.add_account(&mut unit, (self.new_account(now_us), &email), new.is_verified, password_hash, now_us);
        let told = told_of(by, Action::AccountCreate, &row);
        self.save_account(unit.audited(told), &email).await?;
        Ok(AccountId::from(row.id))
    }

    /// Adds to `unit` an account with its wallet.
    fn add_account(
        &self,
        unit: &mut UnitOfWork,
        (id, email): (AccountId, &str),
        is_verified: bool,
        password_hash: Option<String>,
        now_us: i64,
    ) -> entity::account::Model {
        let wallet = self.open_ledger_account(unit, AccountKind::Wallet, &id.to_string(), now_us);
        let row = entity::account::Model {
            id: id.uuid(),
            email: email.to_owned(),
            is_verified,
            is_suspended: false,
            password_hash,
            wallet: wallet.raw(),
            sessions_from_us: now_us,
            created_us: now_us,
        };
        self.state(unit, &row, now_us);
        unit.one(self.db.backend(), &entity::account::Entity::insert(row.clone().into_active_model()));
        row
    }

    fn new_account(&self, now_us: i64) -> AccountId {
        AccountId::new(&*self.ids, now_us)
    }

    /// Writes a unit that makes an account for `email`. The database's unique column decides a race for an address.
    async fn save_account(&self, unit: AuditedUnit, email: &str) -> Result<(), CreateAccountError> {
        if self.find_account_row(email).await?.is_some() {
            return Err(CreateAccountError::EmailTaken);
        }
        match self.ledger.save(unit).await {
            Ok(_) => Ok(()),
            Err(NotSaved::Conflict { .. }) if self.find_account_row(email).await?.is_some() => {
                Err(CreateAccountError::EmailTaken)
            }
            Err(not_saved) => Err(unexpected("account", not_saved).into()),
        }
    }

    /// The account with this address, whatever the case of its letters.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_account_by_email(&self, email: &str) -> Result<Option<AccountProfile>, StoreError> {
        Ok(self.find_account_row(email).await?.as_ref().map(profile))
    }

    /// An account, for its owner.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_profile(&self, id: AccountId) -> Result<Option<AccountProfile>, StoreError> {
        let row = entity::account::Entity::find_by_id(id.uuid()).one(self.db.readers()).await?;
        Ok(row.as_ref().map(profile))
    }

    /// Who signs in with these, in the request `request`. An unknown address takes as long as a wrong password. Both are
    /// told in the audit trail: what failed is only counted here, and written behind the answer.
    ///
    /// # Errors
    /// They do not belong together, too many passwords are being checked, or the database failed.
    pub async fn login(
        &self,
        request: RequestId,
        email: &str,
        password: &SecretString,
    ) -> Result<AccountId, LoginError> {
        let row = self.find_account_row(email).await?;
        let stored = row.as_ref().and_then(|row| row.password_hash.clone());
        let is_right = self.password_work.verify(password, stored).await.map_err(|error| match error {
            PasswordError::Busy => LoginError::Busy,
            PasswordError::Length | PasswordError::Guessable | PasswordError::Failed => LoginError::BadCredentials,
        })?;
        let account = row.map(|row| AccountId::from(row.id));
        let Some(account) = account.filter(|_account| is_right) else {
            let whose = account.map_or(Whose::Unknown(Door::Account), Whose::Account);
            self.failed_sign_ins.count(whose, self.clock.now_us());
            return Err(LoginError::BadCredentials);
        };
        let by = OpContext { actor: Actor::Account(account), method: Method::Password, request: Some(request) };
        let told = by.entry(Action::AccountSignIn, "account", account);
        let saved = self.ledger.save(UnitOfWork::new().audited(told)).await;
        saved.map_err(|not_saved| unexpected("audit", not_saved))?;
        Ok(account)
    }

    /// Hashes a new password of whoever has this address for the database.
    pub(super) async fn hash_password(&self, password: &SecretString, email: &str) -> Result<String, PasswordError> {
        let mut salt = [0; password::SALT_BYTES];
        (self.random)(&mut salt);
        self.password_work.hash(password, email, salt).await
    }

    /// The hash of a password of the configuration; `None` if `stored` is one of it already.
    pub(super) async fn hash_unless_stored(
        &self,
        password: &SecretString,
        email: &str,
        stored: Option<&str>,
    ) -> Result<Option<String>, PasswordError> {
        if let Some(stored) = stored
            && self.password_work.verify(password, Some(stored.to_owned())).await?
        {
            return Ok(None);
        }
        self.hash_password(password, email).await.map(Some)
    }

    async fn find_account_row(&self, email: &str) -> Result<Option<entity::account::Model>, StoreError> {
        // An address from the configuration keeps its letters as written there, so both forms are looked for.
        let spellings = [email.to_owned(), email.to_ascii_lowercase()];
        let rows = entity::account::Entity::find()
            .filter(entity::account::Column::Email.is_in(spellings))
            .all(self.db.readers())
            .await?;
        Ok(rows.into_iter().max_by_key(|row| row.email == email))
    }

    /// Changes an account that is not suspended, and makes every server read it again.
    fn change_account(&self, unit: &mut UnitOfWork, id: AccountId, change: entity::account::ActiveModel) {
        let update = entity::account::Entity::update_many()
            .set(change)
            .filter(entity::account::Column::Id.eq(id.uuid()))
            .filter(entity::account::Column::IsSuspended.eq(false));
        unit.one(self.db.backend(), &update);
        self.bump_version(unit, "access");
    }
}

/// What the audit trail tells of a new account. Not its address: somebody may ask for that to be erased.
fn told_of(by: &OpContext, action: Action, row: &entity::account::Model) -> AuditEntry {
    let after = json!({"verified": row.is_verified, "has_password": row.password_hash.is_some()});
    by.entry(action, "account", AccountId::from(row.id)).after(after)
}

/// What a set password changes: sessions that began before are void.
pub(super) fn with_password(hash: String, is_verified: bool, now_us: i64) -> entity::account::ActiveModel {
    let mut change = entity::account::ActiveModel {
        password_hash: Set(Some(hash)),
        sessions_from_us: Set(now_us),
        ..Default::default()
    };
    if is_verified {
        change.is_verified = Set(true);
    }
    change
}

fn profile(row: &entity::account::Model) -> AccountProfile {
    AccountProfile {
        id: AccountId::from(row.id),
        email: row.email.clone(),
        is_verified: row.is_verified,
        is_suspended: row.is_suspended,
        has_password: row.password_hash.is_some(),
        wallet: LedgerAccountId::from_raw(row.wallet),
        created_us: row.created_us,
    }
}
