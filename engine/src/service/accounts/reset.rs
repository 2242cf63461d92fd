//! A forgotten password. Whoever names an address is answered alike, whether it has an account or not: only who reads its
//! mailbox learns of one.

use super::{AccountProfile, is_email, profile};
use crate::{
    audit::{Action, OpContext},
    service::{
        Services,
        outbox::{MailTemplate, unexpected},
    },
    store::{StoreError, UnitOfWork},
};

impl Services {
    /// Whose password a mail to `email` would reset. `None`: nobody has the address, or the account is suspended, which
    /// nobody takes over while it is.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_reset_account(&self, email: &str) -> Result<Option<AccountProfile>, StoreError> {
        if !is_email(email) {
            return Ok(None);
        }
        let row = self.find_account_row(email).await?;
        Ok(row.filter(|row| !row.is_suspended).as_ref().map(profile))
    }

    /// Mails a link with which a new password is chosen. Nothing changes before it is used; the first mailed link that is
    /// used ends all others.
    ///
    /// # Errors
    /// The database failed.
    pub async fn mail_password_reset(&self, by: &OpContext, account: &AccountProfile) -> Result<(), StoreError> {
        let now_us = self.clock.now_us();
        let mut unit = UnitOfWork::new();
        self.add_link_mail(&mut unit, account.id, &account.email, MailTemplate::PasswordReset, now_us);
        let told = by.entry(Action::AccountRequestReset, "account", account.id);
        self.ledger.save(unit.audited(told)).await.map_err(|not_saved| unexpected("mail", not_saved))?;
        Ok(())
    }
}
