//! Single-use links. Two kinds, told apart by the first letter of the secret, which its stored digest covers:
//!
//! - `v…` is **mailed**: whoever opens it has read the mailbox, so it verifies the address and sets a password;
//! - `s…` is **shown** in the answer to a sign-up: it sets a password and verifies nothing, because whoever signed up
//!   has shown no mailbox. Without the difference anybody could verify any address.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::{
    AccountProfile, CreateAccountError, PasswordError, REASON_CHARS_MAX, is_reason, normalised, profile, told_of,
    with_password,
};
use crate::{
    audit::{Action, Actor, Method, OpContext},
    id::{AccountId, RequestId},
    ledger::leaf::sha256,
    service::{
        Services,
        outbox::{MailTemplate, NewMail, unexpected},
        tokens::{NewToken, TokenNameError, check_token_name},
    },
    store::{NotSaved, StoreError, UnitOfWork, entity},
};

/// How long a link is good for.
pub const LINK_MINUTES: i64 = 30;
const US_PER_MINUTE: i64 = 60_000_000;
const SECRET_BYTES: usize = 32;
/// A letter and 32 bytes in base64 without padding.
const SECRET_CHARS: usize = 44;
const MAILED: char = 'v';
const SHOWN: char = 's';

/// A new link's secret; its digest is stored.
#[derive(Debug, Clone)]
pub struct LoginLink {
    /// What stands in the URL.
    pub secret: SecretString,
    /// When it ends, in microseconds since the Unix epoch.
    pub expires_us: i64,
}

/// A link that can still be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkView {
    /// Whose.
    pub account: AccountProfile,
    /// Using it confirms the address.
    pub is_verifying: bool,
    /// When it ends, in microseconds since the Unix epoch.
    pub expires_us: i64,
}

/// What an agent gets that has signed up.
#[derive(Debug)]
pub struct Signup {
    /// The new account, not verified yet.
    pub account: AccountId,
    /// Its first token.
    pub token: NewToken,
    /// A link that sets a password and does not verify the address.
    pub link: LoginLink,
}

/// Why nobody was signed up.
#[derive(Debug, thiserror::Error)]
pub enum SignupError {
    /// The token's name cannot be used.
    #[error(transparent)]
    TokenName(#[from] TokenNameError),
    /// The account cannot be made.
    #[error(transparent)]
    Account(#[from] CreateAccountError),
}

/// Why no mail was written.
#[derive(Debug, thiserror::Error)]
pub enum ResendError {
    /// There is no such account.
    #[error("there is no such account")]
    NotFound,
    /// There is nothing to verify.
    #[error("the address is verified already")]
    AlreadyVerified,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why no link was mailed.
#[derive(Debug, thiserror::Error)]
pub enum MailLinkError {
    /// There is no such account.
    #[error("there is no such account")]
    NotFound,
    /// The reason cannot be used.
    #[error("`reason` is one line of 1 to {REASON_CHARS_MAX} characters")]
    Reason,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why no password was set. The link can be used again, unless it is gone.
#[derive(Debug, thiserror::Error)]
pub enum SetPasswordError {
    /// Unknown, used, expired, or of a suspended account: nobody is told which.
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
    /// Makes an unverified account with a token, a link to set a password, and a mail to verify the address.
    ///
    /// # Errors
    /// The address or the token's name cannot be used, the address is taken, or the database failed.
    pub async fn agent_signup(&self, by: &OpContext, email: &str, token_name: &str) -> Result<Signup, SignupError> {
        check_token_name(token_name)?;
        let email = normalised(email).ok_or(CreateAccountError::EmailInvalid)?;
        let now_us = self.clock.now_us();
        let mut unit = UnitOfWork::new();
        let row = self.add_account(&mut unit, (self.new_account(now_us), &email), false, None, now_us);
        let account = AccountId::from(row.id);
        let token = self.add_token(&mut unit, account, token_name, now_us);
        let link = self.add_link(&mut unit, account, SHOWN, now_us);
        self.add_link_mail(&mut unit, account, &email, MailTemplate::Verification, now_us);
        let unit = unit.audited(told_of(by, Action::AccountSignUp, &row)).and([token.told(by)]);
        self.save_account(unit, &email).await?;
        Ok(Signup { account, token, link })
    }

    /// Writes another mail to verify the account's address. Links that were mailed before stay good for their time.
    ///
    /// # Errors
    /// There is no such account, it is verified, or the database failed.
    pub async fn resend_verification(&self, by: &OpContext, account: AccountId) -> Result<(), ResendError> {
        let profile = self.find_profile(account).await?.ok_or(ResendError::NotFound)?;
        if profile.is_verified {
            return Err(ResendError::AlreadyVerified);
        }
        let now_us = self.clock.now_us();
        let mut unit = UnitOfWork::new();
        self.add_link_mail(&mut unit, account, &profile.email, MailTemplate::Verification, now_us);
        let unit = unit.audited(by.entry(Action::AccountResendVerification, "account", account));
        self.ledger.save(unit).await.map_err(|not_saved| unexpected("mail", not_saved))?;
        Ok(())
    }

    /// Has a link mailed to the account's owner, with which a (new) password is chosen: what an operator does for whoever has
    /// lost it, or has none yet. Nothing changes before the link is used; links that were mailed before stay good for their
    /// time. The same `key` again mails nothing more.
    ///
    /// # Errors
    /// There is no such account, the reason cannot be used, or the database failed.
    pub async fn mail_login_link(
        &self,
        by: &OpContext,
        account: AccountId,
        reason: &str,
        key: &str,
    ) -> Result<(), MailLinkError> {
        if !is_reason(reason) {
            return Err(MailLinkError::Reason);
        }
        let profile = self.find_profile(account).await?.ok_or(MailLinkError::NotFound)?;
        let template = if profile.is_verified { MailTemplate::PasswordReset } else { MailTemplate::Verification };
        let now_us = self.clock.now_us();
        let mut unit = UnitOfWork::new();
        let new = self.new_link_mail(&mut unit, account, &profile.email, template, now_us);
        let new = NewMail { key: Some(format!("link {account} {key}")), ..new };
        self.enqueue_mail(&mut unit, new, now_us);
        let told = by.entry(Action::AccountResendVerification, "account", account).because(reason);
        match self.ledger.save(unit.audited(told)).await {
            // The same form a second time.
            Ok(_) | Err(NotSaved::Conflict { .. }) => Ok(()),
            Err(not_saved) => Err(unexpected("mail", not_saved).into()),
        }
    }

    /// The link with this secret, if it can still be used. Looking does not use it. One of a suspended account cannot be
    /// used while that is suspended.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_login_link(&self, secret: &str) -> Result<Option<LinkView>, StoreError> {
        if secret.len() != SECRET_CHARS {
            return Ok(None);
        }
        let now_us = self.clock.now_us();
        let link = entity::login_link::Entity::find_by_id(sha256(secret.as_bytes()).to_vec())
            .filter(entity::login_link::Column::UsedUs.is_null())
            .filter(entity::login_link::Column::ExpiresUs.gt(now_us))
            .one(self.db.readers())
            .await?;
        let Some(link) = link else { return Ok(None) };
        let row = entity::account::Entity::find_by_id(link.account_id).one(self.db.readers()).await?;
        Ok(row.filter(|row| !row.is_suspended).map(|row| LinkView {
            account: profile(&row),
            is_verifying: secret.starts_with(MAILED),
            expires_us: link.expires_us,
        }))
    }

    /// Uses a link in the request `request`: sets the password, ends every session, and, for a mailed link, verifies the address and ends every
    /// other open link of the account.
    ///
    /// # Errors
    /// The link is gone, the password cannot be used (the link stays good), or the database failed.
    pub async fn set_password(
        &self,
        request: RequestId,
        secret: &str,
        password: &SecretString,
    ) -> Result<AccountProfile, SetPasswordError> {
        let link = self.find_login_link(secret).await?.ok_or(SetPasswordError::LinkGone)?;
        let hash = self.hash_password(password, &link.account.email).await?;
        let now_us = self.clock.now_us();
        let mut unit = UnitOfWork::new();
        let used = || entity::login_link::ActiveModel { used_us: Set(Some(now_us)), ..Default::default() };
        let use_it = entity::login_link::Entity::update_many()
            .set(used())
            .filter(entity::login_link::Column::Digest.eq(sha256(secret.as_bytes()).to_vec()))
            .filter(entity::login_link::Column::UsedUs.is_null())
            .filter(entity::login_link::Column::ExpiresUs.gt(now_us));
        unit.one(self.db.backend(), &use_it);
        if link.is_verifying {
            let end_others = entity::login_link::Entity::update_many()
                .set(used())
                .filter(entity::login_link::Column::AccountId.eq(link.account.id.uuid()))
                .filter(entity::login_link::Column::UsedUs.is_null());
            unit.any(self.db.backend(), &end_others);
        }
        self.change_account(&mut unit, link.account.id, with_password(hash, link.is_verifying, now_us));
        let account = link.account.id;
        let by = OpContext { actor: Actor::Account(account), method: Method::LoginLink, request: Some(request) };
        let facts =
            |is_verified: bool, has_password: bool| json!({"verified": is_verified, "has_password": has_password});
        let told = by
            .entry(Action::AccountSetPassword, "account", account)
            .before(facts(link.account.is_verified, link.account.has_password))
            .after(facts(link.account.is_verified || link.is_verifying, true));
        match self.ledger.save(unit.audited(told)).await {
            Ok(_) => {}
            // Used by another request, its time was over, or the account has been suspended.
            Err(NotSaved::Conflict { .. }) => return Err(SetPasswordError::LinkGone),
            Err(not_saved) => return Err(unexpected("login_link", not_saved).into()),
        }
        self.forget_access();
        Ok(AccountProfile {
            is_verified: link.account.is_verified || link.is_verifying,
            has_password: true,
            ..link.account
        })
    }

    pub(super) fn add_link_mail(
        &self,
        unit: &mut UnitOfWork,
        account: AccountId,
        email: &str,
        template: MailTemplate,
        now_us: i64,
    ) {
        let new = self.new_link_mail(unit, account, email, template, now_us);
        self.enqueue_mail(unit, new, now_us);
    }

    /// A mail with a link, which is added to `unit`; the mail is not yet.
    fn new_link_mail<'e>(
        &self,
        unit: &mut UnitOfWork,
        account: AccountId,
        email: &'e str,
        template: MailTemplate,
        now_us: i64,
    ) -> NewMail<'e> {
        let link = self.add_link(unit, account, MAILED, now_us);
        let data = json!({"secret": link.secret.expose_secret(), "minutes": LINK_MINUTES});
        NewMail { to: email, template, data, about: ("account", account.to_string()), key: None }
    }

    fn add_link(&self, unit: &mut UnitOfWork, account: AccountId, kind: char, now_us: i64) -> LoginLink {
        let mut random = [0; SECRET_BYTES];
        (self.random)(&mut random);
        let secret = format!("{kind}{}", BASE64_URL_SAFE_NO_PAD.encode(random));
        let expires_us = now_us.saturating_add(LINK_MINUTES.saturating_mul(US_PER_MINUTE));
        let row = entity::login_link::Model {
            digest: sha256(secret.as_bytes()).to_vec(),
            account_id: account.uuid(),
            expires_us,
            used_us: None,
        };
        unit.one(self.db.backend(), &entity::login_link::Entity::insert(row.into_active_model()));
        LoginLink { secret: SecretString::from(secret), expires_us }
    }
}
