//! Limits that owners set themselves: of an account on its tokens, and partners on all that they call for. Whoever of two
//! asks last is who is followed: nobody else has shown the owner what it would replace. What an operator or the configuration
//! set stays theirs: it protects from the owner's tokens, too.

use super::{CapError, CapHolder, CapStanding, change::Setter};
use crate::{
    audit::OpContext,
    credits::Credits,
    id::{AccountId, PartnerId, TokenId},
    ledger::caps::CapWindow,
    service::{Services, partners::EndUserProfile},
    store::StoreError,
};

/// What the audit trail tells as the reason.
const REASON: &str = "the account's owner asked for it";
/// The same of a partner.
const PARTNERS_REASON: &str = "the partner asked for it";
/// How often a limit is changed again that somebody else has changed in the meantime.
const TRIES_MAX: u32 = 3;

/// Whose spending a partner limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartnerHolder<'a> {
    /// Its own, of all its tokens and end users together.
    Itself,
    /// That of each end user, apart from each other.
    EachEndUser,
    /// That of the end user with this name.
    EndUser(&'a str),
    /// That of one of its tokens.
    Token(TokenId),
}

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
    /// The account has no such token, or it is revoked; the limit is an operator's; others change the limit at the same time; or the database failed.
    pub async fn set_own_token_cap(
        &self,
        by: &OpContext,
        account: AccountId,
        (token, window): (TokenId, CapWindow),
        limit: Credits,
    ) -> Result<CapStanding, CapError> {
        self.find_owned_token(account.into(), token).await?.ok_or(CapError::NoHolder)?;
        self.set_any_cap(by, (CapHolder::Token(token), window), limit, REASON).await
    }

    /// Lifts a limit on a token of this account, whatever it was.
    ///
    /// # Errors
    /// The account has no such token, or the token no such limit, or it is an operator's; others change it at the same time; or the database failed.
    pub async fn remove_own_token_cap(
        &self,
        by: &OpContext,
        account: AccountId,
        (token, window): (TokenId, CapWindow),
    ) -> Result<(), CapError> {
        self.find_owned_token(account.into(), token).await?.ok_or(CapError::NoHolder)?;
        self.remove_any_cap(by, (CapHolder::Token(token), window), REASON).await
    }

    /// The limits of a partner on `whom`, with what counts now; `None` if there is no such end user or token of this partner.
    /// Of an end user also what limits each of them, as it counts for this one. At most eight.
    ///
    /// # Errors
    /// As for [`Self::list_caps_of`].
    pub async fn list_partner_caps(
        &self,
        partner: PartnerId,
        whom: PartnerHolder<'_>,
    ) -> Result<Option<Vec<CapStanding>>, StoreError> {
        let now_us = self.clock.now_us();
        if let PartnerHolder::EndUser(name) = whom {
            let Some(EndUserProfile { id, .. }) = self.find_own_end_user(partner, name).await? else { return Ok(None) };
            return self.list_caps_on_end_user(partner, id, now_us).await.map(Some);
        }
        let Some(holder) = self.find_partner_holder(partner, whom).await? else { return Ok(None) };
        self.list_caps_of(&[holder], now_us).await.map(Some)
    }

    /// Limits what `whom` spends in a window, whatever the limit was. `limit` is micro-credits.
    ///
    /// # Errors
    /// The partner has no such end user or token, or the token is revoked; the limit is an operator's; others change it at the
    /// same time; or the database failed.
    pub async fn set_partner_cap(
        &self,
        by: &OpContext,
        partner: PartnerId,
        (whom, window): (PartnerHolder<'_>, CapWindow),
        limit: Credits,
    ) -> Result<CapStanding, CapError> {
        let holder = self.find_partner_holder(partner, whom).await?.ok_or(CapError::NoHolder)?;
        self.set_any_cap(by, (holder, window), limit, PARTNERS_REASON).await
    }

    /// Lifts a limit on `whom`, whatever it was.
    ///
    /// # Errors
    /// The partner has no such end user or token, or there is no such limit on it, or it is an operator's; others change it at the
    /// same time; or the database failed.
    pub async fn remove_partner_cap(
        &self,
        by: &OpContext,
        partner: PartnerId,
        (whom, window): (PartnerHolder<'_>, CapWindow),
    ) -> Result<(), CapError> {
        let holder = self.find_partner_holder(partner, whom).await?.ok_or(CapError::NoHolder)?;
        self.remove_any_cap(by, (holder, window), PARTNERS_REASON).await
    }

    /// Whom a partner means; `None` for whatever is not its own.
    pub(in crate::service) async fn find_partner_holder(
        &self,
        partner: PartnerId,
        whom: PartnerHolder<'_>,
    ) -> Result<Option<CapHolder>, StoreError> {
        Ok(match whom {
            PartnerHolder::Itself => Some(CapHolder::Partner(partner)),
            PartnerHolder::EachEndUser => Some(CapHolder::EachEndUser(partner)),
            PartnerHolder::EndUser(name) => {
                self.find_own_end_user(partner, name).await?.map(|user| CapHolder::EndUser(user.id))
            }
            PartnerHolder::Token(token) => {
                self.find_owned_token(partner.into(), token).await?.map(|token| CapHolder::Token(token.id))
            }
        })
    }

    async fn set_any_cap(
        &self,
        by: &OpContext,
        (holder, window): (CapHolder, CapWindow),
        limit: Credits,
        reason: &str,
    ) -> Result<CapStanding, CapError> {
        let mut was = self.find_any_cap(holder, window).await?.map(|cap| cap.limit);
        for _ in 0..TRIES_MAX {
            match self.set_cap_as(Setter::Owner, by, (holder, window), (was, limit), reason).await {
                Ok(_) => {
                    let cap = self.find_any_cap(holder, window).await?;
                    return cap.ok_or(CapError::Changed { now: None });
                }
                Err(CapError::Changed { now }) => was = now,
                Err(error) => return Err(error),
            }
        }
        Err(CapError::Changed { now: was })
    }

    async fn remove_any_cap(
        &self,
        by: &OpContext,
        (holder, window): (CapHolder, CapWindow),
        reason: &str,
    ) -> Result<(), CapError> {
        let cap = self.find_any_cap(holder, window).await?.ok_or(CapError::NotFound)?;
        let mut was = cap.limit;
        for _ in 0..TRIES_MAX {
            match self.remove_cap_as(Setter::Owner, by, (holder, window), was, reason).await {
                Err(CapError::Changed { now: Some(now) }) => was = now,
                Err(CapError::Changed { now: None }) => return Err(CapError::NotFound),
                done => return done,
            }
        }
        Err(CapError::Changed { now: Some(was) })
    }

    async fn find_any_cap(&self, holder: CapHolder, window: CapWindow) -> Result<Option<CapStanding>, StoreError> {
        let caps = self.list_caps_of(&[holder], self.clock.now_us()).await?;
        Ok(caps.into_iter().find(|cap| cap.window == window))
    }
}
