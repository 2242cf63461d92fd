//! What an operator gives: an account with its first credits, and credits later on. Both come from the platform's
//! promotion account.

use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use serde_json::json;

use super::{AccountProfile, CreateAccountError, email, profile, told_of};
use crate::{
    audit::{Action, AuditEntry, OpContext},
    credits::Credits,
    id::{AccountId, EntryId},
    ledger::{
        AccountKind, LedgerAccountId, Leg, Post, Refusal, TransactionKind,
        accounts::GRANT_MARK,
        grants::{GiveGrant, OPEN_GRANTS_MAX, PRIORITY_MAX},
        leaf::sha256,
    },
    limits::IDEMPOTENCY_KEY_BYTES_MAX,
    service::{
        Services,
        movements::Note,
        outbox::unexpected,
        tokens::{NewToken, TokenNameError, check_token_name},
    },
    store::{NotSaved, StoreError, UnitOfWork, entity},
};

/// Longest reason of a grant, in characters.
pub const REASON_CHARS_MAX: usize = 200;

/// What an operator makes an account with.
#[derive(Debug, Clone, Copy)]
pub struct NewFundedAccount<'a> {
    /// Its address.
    pub email: &'a str,
    /// The address counts as confirmed.
    pub is_verified: bool,
    /// What its first token is called.
    pub token_name: &'a str,
    /// What it is given, in micro-credits; may be nothing.
    pub credits: Credits,
    /// Why.
    pub reason: Option<&'a str>,
}

/// An account that an operator made.
#[derive(Debug)]
pub struct FundedAccount {
    /// The account.
    pub profile: AccountProfile,
    /// Its first token.
    pub token: NewToken,
    /// What it was given, in micro-credits.
    pub credits: Credits,
}

/// Why an operator's account was not made. Nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum FundedAccountError {
    /// The token's name cannot be used.
    #[error(transparent)]
    TokenName(#[from] TokenNameError),
    /// The account cannot be made.
    #[error(transparent)]
    Account(#[from] CreateAccountError),
    /// The ledger said no to the credits.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// When credits expire, and in which order they are spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GrantTerms {
    /// From this moment on nothing of them can be spent, in microseconds since the Unix epoch.
    pub expires_us: i64,
    /// Lower ones are spent first; of equal ones whichever expires first.
    pub priority: i64,
}

/// Credits that were given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditGrant {
    /// The ledger's transaction.
    pub id: EntryId,
    /// The key was used before for the same: nothing was given now.
    pub is_replay: bool,
}

/// Why nothing was given.
#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    /// There is no such account.
    #[error("there is no such account")]
    NotFound,
    /// Nothing, or less.
    #[error("`credits` must be more than 0")]
    NotPositive,
    /// The reason cannot be used.
    #[error("`reason` is one line of 1 to {REASON_CHARS_MAX} characters")]
    Reason,
    /// The grant would have expired already.
    #[error("`expires` must be later than now")]
    Expired {
        /// When it would expire, in microseconds since the Unix epoch.
        expires_us: i64,
        /// What time it is.
        now_us: i64,
    },
    /// The priority cannot be used.
    #[error("`priority` is a number from 0 to {PRIORITY_MAX}, not {0}")]
    Priority(i64),
    /// The wallet has as many grants that expire as it may have.
    #[error("the account has {OPEN_GRANTS_MAX} grants that have not expired, which is as many as it may have")]
    TooMany,
    /// The key cannot be used.
    #[error("`key` has 1 to {IDEMPOTENCY_KEY_BYTES_MAX} bytes")]
    Key,
    /// The key named another grant.
    #[error("this key was used for another grant: {credits} credits to {account}, `{reason}`")]
    KeyReused {
        /// To whom.
        account: AccountId,
        /// How much, in micro-credits.
        credits: Credits,
        /// Why.
        reason: String,
    },
    /// The ledger said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Services {
    /// Makes an account with a token and, where `credits` are above zero, a grant of as many: all or nothing. The
    /// address names the account, so a repeated command gives nothing twice.
    ///
    /// # Errors
    /// The address or the token's name cannot be used, the address is taken, the ledger refuses the credits, or the
    /// database failed.
    pub async fn create_funded_account(
        &self,
        by: &OpContext,
        email: &str,
        is_verified: bool,
        token_name: &str,
        credits: Credits,
    ) -> Result<FundedAccount, FundedAccountError> {
        let new = NewFundedAccount { email, is_verified, token_name, credits, reason: None };
        self.open_account(by, new).await
    }

    /// The same with a reason, which the audit trail keeps.
    ///
    /// # Errors
    /// As for [`Self::create_funded_account`].
    pub async fn open_account(
        &self,
        by: &OpContext,
        new: NewFundedAccount<'_>,
    ) -> Result<FundedAccount, FundedAccountError> {
        let NewFundedAccount { is_verified, token_name, credits, reason, .. } = new;
        check_token_name(token_name)?;
        let email = email::normalised(new.email).ok_or(CreateAccountError::EmailInvalid)?;
        if self.find_account_row(&email).await.map_err(CreateAccountError::from)?.is_some() {
            return Err(CreateAccountError::EmailTaken.into());
        }
        let now_us = self.clock.now_us();
        let mut unit = UnitOfWork::new();
        let row = self.add_account(&mut unit, &email, is_verified, None, now_us);
        let token = self.add_token(&mut unit, AccountId::from(row.id), token_name, now_us);
        if !credits.is_zero() {
            // The account's own identifier, as for a grant of the catalog.
            let wallet = LedgerAccountId::from_raw(row.wallet);
            unit.post(grant_of(EntryId::from(row.id), wallet, credits, None));
        }
        let because = |told: AuditEntry| match reason {
            Some(reason) => told.because(reason),
            None => told,
        };
        let mut told = vec![because(token.told(by))];
        if !credits.is_zero() {
            let grant = by.entry(Action::GrantCreate, "transaction", EntryId::from(row.id));
            told.push(because(grant.after(grant_facts(AccountId::from(row.id), credits, None))));
        }
        let unit = unit.audited(because(told_of(by, Action::AccountCreate, &row))).and(told);
        match self.ledger.save(unit).await {
            Ok(_) => Ok(FundedAccount { profile: profile(&row), token, credits }),
            Err(NotSaved::Refused(refusal)) => Err(refusal.into()),
            Err(not_saved) => {
                // Somebody else was first with the address.
                let is_taken = self.find_account_row(&email).await.map_err(CreateAccountError::from)?.is_some();
                let failed = || CreateAccountError::from(unexpected("account", not_saved));
                Err(if is_taken { CreateAccountError::EmailTaken } else { failed() }.into())
            }
        }
    }

    /// Gives credits to an account: for ever, or until they expire as `terms` say. `reason` is kept with the grant, and its
    /// digest in the books. The same `key` again gives nothing more; without one every call is a grant of its own.
    ///
    /// # Errors
    /// There is no such account, the amount, the terms, the reason or the key cannot be used, the key named another grant,
    /// the account has too many grants, the ledger refuses, or the database failed.
    pub async fn grant_credits(
        &self,
        by: &OpContext,
        account: AccountId,
        credits: Credits,
        terms: Option<GrantTerms>,
        Note { reason, key }: Note<'_>,
    ) -> Result<CreditGrant, GrantError> {
        if credits <= Credits::ZERO {
            return Err(GrantError::NotPositive);
        }
        if !is_reason(reason) {
            return Err(GrantError::Reason);
        }
        if let Some(terms) = terms.filter(|terms| !(0..=PRIORITY_MAX).contains(&terms.priority)) {
            return Err(GrantError::Priority(terms.priority));
        }
        if key.is_some_and(|key| !is_key(key)) {
            return Err(GrantError::Key);
        }
        let profile = self.find_profile(account).await?.ok_or(GrantError::NotFound)?;
        if let Some(first) = self.find_keyed_grant(key).await? {
            return replay(&first, account, credits, terms, reason);
        }
        let now_us = self.clock.now_us();
        if let Some(GrantTerms { expires_us, .. }) = terms {
            if expires_us <= now_us {
                return Err(GrantError::Expired { expires_us, now_us });
            }
            if self.list_expiring_grants(profile.wallet, now_us).await?.len() >= OPEN_GRANTS_MAX {
                return Err(GrantError::TooMany);
            }
        }
        let id = EntryId::new(&*self.ids, now_us);
        let row = entity::credit_grant::Model {
            id: id.uuid(),
            account_id: account.uuid(),
            credits: credits.micros(),
            reason: reason.to_owned(),
            key: key.map(str::to_owned),
            created_us: now_us,
            expires_us: terms.map(|terms| terms.expires_us),
            priority: terms.map(|terms| terms.priority),
        };
        let mut unit = UnitOfWork::new();
        unit.one(self.db.backend(), &entity::credit_grant::Entity::insert(row.into_active_model()));
        match terms {
            None => {
                unit.post(grant_of(id, profile.wallet, credits, Some(reason)));
            }
            Some(GrantTerms { expires_us, priority }) => {
                let owner = format!("{account}{GRANT_MARK}{id}");
                let purse = self.open_ledger_account(&mut unit, AccountKind::Grant, &owner, now_us);
                let post = grant_of(id, purse, credits, Some(reason));
                unit.give(GiveGrant { post, wallet: profile.wallet, account: purse, priority, expires_us });
            }
        }
        let told = by.entry(Action::GrantCreate, "transaction", id);
        let told = told.after(grant_facts(account, credits, terms)).because(reason);
        match self.ledger.save(unit.audited(told)).await {
            Ok(_) => Ok(CreditGrant { id, is_replay: false }),
            Err(NotSaved::Refused(refusal)) => Err(refusal.into()),
            Err(not_saved) => match self.find_keyed_grant(key).await? {
                // A command with the same key was first.
                Some(first) => replay(&first, account, credits, terms, reason),
                None => Err(unexpected("credit_grant", not_saved).into()),
            },
        }
    }

    async fn find_keyed_grant(&self, key: Option<&str>) -> Result<Option<entity::credit_grant::Model>, StoreError> {
        let Some(key) = key else { return Ok(None) };
        let found = entity::credit_grant::Entity::find()
            .filter(entity::credit_grant::Column::Key.eq(key))
            .one(self.db.readers())
            .await?;
        Ok(found)
    }
}

/// Whether `text` can be kept as the reason of what an operator does: one line, not too long.
pub(in crate::service) fn is_reason(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= REASON_CHARS_MAX && !text.chars().any(char::is_control)
}

/// Whether `text` can name what an operator does.
pub(in crate::service) const fn is_key(text: &str) -> bool {
    !text.is_empty() && text.len() <= IDEMPOTENCY_KEY_BYTES_MAX
}

/// What the audit trail tells of a grant.
fn grant_facts(account: AccountId, credits: Credits, terms: Option<GrantTerms>) -> serde_json::Value {
    let (account, credits) = (account.to_string(), credits.to_string());
    match terms {
        None => json!({"account": account, "credits": credits}),
        Some(GrantTerms { expires_us, priority }) => {
            json!({"account": account, "credits": credits, "expires_us": expires_us, "priority": priority})
        }
    }
}

fn grant_of(id: EntryId, wallet: LedgerAccountId, amount: Credits, reason: Option<&str>) -> Post {
    Post {
        id,
        kind: TransactionKind::Grant,
        legs: vec![Leg { debit: LedgerAccountId::PROMO, credit: wallet, amount }],
        reverses: None,
        effective_us: None,
        meta: reason.map(|reason| sha256(reason.as_bytes())),
    }
}

fn replay(
    first: &entity::credit_grant::Model,
    account: AccountId,
    credits: Credits,
    terms: Option<GrantTerms>,
    reason: &str,
) -> Result<CreditGrant, GrantError> {
    let has_same_terms =
        first.expires_us == terms.map(|terms| terms.expires_us) && first.priority == terms.map(|terms| terms.priority);
    let is_same = first.account_id == account.uuid() && first.credits == credits.micros() && first.reason == reason;
    if is_same && has_same_terms {
        return Ok(CreditGrant { id: EntryId::from(first.id), is_replay: true });
    }
    Err(GrantError::KeyReused {
        account: AccountId::from(first.account_id),
        credits: Credits::from_micros(first.credits),
        reason: first.reason.clone(),
    })
}
