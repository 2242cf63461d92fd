//! Limits that the owner of an account sets on its tokens. Whoever of two asks last is who is followed: nobody else has
//! shown the owner what it would replace.

use super::{CapError, CapHolder, CapStanding};
use crate::{
    audit::OpContext,
    credits::Credits,
    id::{AccountId, TokenId},
    ledger::caps::CapWindow,
    service::Services,
    store::StoreError,
};

/// What the audit trail tells as the reason.
const REASON: &str = "the account's owner asked for it";
/// How often a limit is changed again that somebody else has changed in the meantime.
const TRIES_MAX: u32 = 3;

impl Services {
    /// The limits on a token of this account, with what counts now; `None` if it has no such token. At most four.
    ///
    /// # Errors
    /// As for [`Self::list_caps_of`].
    pub async fn list_own_token_caps(
        &self,
        account: AccountId,
        token: TokenId,
    ) -> Result<Option<Vec<CapStanding>>, StoreError> {
        if self.find_owned_token(account.into(), token).await?.is_none() {
            return Ok(None);
        }
        self.list_caps_of(&[CapHolder::Token(token)], self.clock.now_us()).await.map(Some)
    }

    /// Limits what a token of this account spends in a window, whatever the limit was. `limit` is micro-credits.
    ///
    /// # Errors
    /// The account has no such token, or it is revoked; others change the limit at the same time; or the database failed.
    pub async fn set_own_token_cap(
        &self,
        by: &OpContext,
        account: AccountId,
        (token, window): (TokenId, CapWindow),
        limit: Credits,
    ) -> Result<CapStanding, CapError> {
        let mut was = self.find_own_token_cap(account, token, window).await?.map(|cap| cap.limit);
        for _ in 0..TRIES_MAX {
            match self.set_cap(by, (CapHolder::Token(token), window), (was, limit), REASON).await {
                Ok(_) => {
                    let cap = self.find_own_token_cap(account, token, window).await?;
                    return cap.ok_or(CapError::Changed { now: None });
                }
                Err(CapError::Changed { now }) => was = now,
                Err(error) => return Err(error),
            }
        }
        Err(CapError::Changed { now: was })
    }

    /// Lifts a limit on a token of this account, whatever it was.
    ///
    /// # Errors
    /// The account has no such token, or the token no such limit; others change it at the same time; or the database failed.
    pub async fn remove_own_token_cap(
        &self,
        by: &OpContext,
        account: AccountId,
        (token, window): (TokenId, CapWindow),
    ) -> Result<(), CapError> {
        let cap = self.find_own_token_cap(account, token, window).await?.ok_or(CapError::NotFound)?;
        let mut was = cap.limit;
        for _ in 0..TRIES_MAX {
            match self.remove_cap(by, (CapHolder::Token(token), window), was, REASON).await {
                Err(CapError::Changed { now: Some(now) }) => was = now,
                Err(CapError::Changed { now: None }) => return Err(CapError::NotFound),
                done => return done,
            }
        }
        Err(CapError::Changed { now: Some(was) })
    }

    async fn find_own_token_cap(
        &self,
        account: AccountId,
        token: TokenId,
        window: CapWindow,
    ) -> Result<Option<CapStanding>, CapError> {
        let caps = self.list_own_token_caps(account, token).await?.ok_or(CapError::NoHolder)?;
        Ok(caps.into_iter().find(|cap| cap.window == window))
    }
}
