//! What an operator gives: an account with its first credits, and credits later on. Both come from the platform's
//! promotion account.

use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use serde_json::json;

use super::{AccountProfile, CreateAccountError, email, profile, told_of};
use crate::{
    audit::{Action, AuditEntry, OpContext},
    credits::Credits,
    id::{AccountId, EntryId, RequestId},
    ledger::{
        AccountKind, LedgerAccountId, Leg, Post, Refusal, TransactionKind,
        accounts::GRANT_MARK,
        grants::{GiveGrant, OPEN_GRANTS_MAX, PRIORITY_MAX},
        leaf::sha256,
    },
    limits::IDEMPOTENCY_KEY_BYTES_MAX,
    service::{
        Services,
        approvals::{Moving, NotAlone, Weight},
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
    /// The form's own identifier: with the same one again no other account is made.
    pub key: Option<RequestId>,
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
    /// The key made this account before, whose token was shown then.
    #[error("this was sent before: the account was made then, and its token was shown then")]
    MadeBefore(Box<AccountProfile>),
    /// The key made an account for another address before.
    #[error("this was sent before, and made the account of another address: begin anew for this one")]
    KeyReused,
    /// An operator does not give so much alone.
    #[error("{0}")]
    FourEyes(Weight),
    /// Somebody else moved money at the same moment.
    #[error("somebody else moved money at the same moment: nothing was done, try again")]
    Changed,
    /// The ledger said no to the credits.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl From<NotAlone> for FundedAccountError {
    fn from(not_alone: NotAlone) -> Self {
        match not_alone {
            NotAlone::FourEyes(weight) => Self::FourEyes(weight),
            NotAlone::Store(error) => CreateAccountError::from(error).into(),
        }
    }
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
    /// An operator does not give so much alone.
    #[error("{0}")]
    FourEyes(Weight),
    /// Somebody else moved money at the same moment.
    #[error("somebody else moved money at the same moment: nothing was done, try again")]
    Changed,
    /// The ledger said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<NotAlone> for GrantError {
    fn from(not_alone: NotAlone) -> Self {
        match not_alone {
            NotAlone::FourEyes(weight) => Self::FourEyes(weight),
            NotAlone::Store(error) => error.into(),
        }
    }
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
        let new = NewFundedAccount { email, is_verified, token_name, credits, reason: None, key: None };
        self.open_account(by, new).await
    }

    /// The same with a reason, which the audit trail keeps. The same key again makes nothing more.
    ///
    /// # Errors
    /// As for [`Self::create_funded_account`]; or the key made an account before, or another operator has to approve the
    /// credits.
    pub async fn open_account(
        &self,
        by: &OpContext,
        new: NewFundedAccount<'_>,
    ) -> Result<FundedAccount, FundedAccountError> {
        let NewFundedAccount { is_verified, token_name, credits, reason, key, .. } = new;
        check_token_name(token_name)?;
        let email = email::normalised(new.email).ok_or(CreateAccountError::EmailInvalid)?;
        self.check_new(&email, key).await?;
        let alone =
            if credits.is_zero() { None } else { Some(self.check_alone(by, Moving::Gift(credits), None).await?) };
        let now_us = self.clock.now_us();
        let mut unit = UnitOfWork::new();
        // The key names the row: whoever comes second finds it.
        let id = key.map_or_else(|| self.new_account(now_us), |key| AccountId::from(key.uuid()));
        let row = self.add_account(&mut unit, (id, &email), is_verified, None, now_us);
        let token = self.add_token(&mut unit, AccountId::from(row.id), token_name, now_us);
        if let Some(alone) = alone {
            alone.hold(self, &mut unit);
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
                // The same form, or somebody else with the same address, was first.
                self.check_new(&email, key).await?;
                match not_saved {
                    NotSaved::Conflict { .. } if alone.is_some() => Err(FundedAccountError::Changed),
                    not_saved => Err(CreateAccountError::from(unexpected("account", not_saved)).into()),
                }
            }
        }
    }

    /// Whether neither the key nor the address has an account.
    async fn check_new(&self, email: &str, key: Option<RequestId>) -> Result<(), FundedAccountError> {
        if let Some(key) = key
            && let Some(made) =
                self.find_profile(AccountId::from(key.uuid())).await.map_err(CreateAccountError::from)?
        {
            let is_same = made.email == email;
            return Err(if is_same {
                FundedAccountError::MadeBefore(Box::new(made))
            } else {
                FundedAccountError::KeyReused
            });
        }
        match self.find_account_row(email).await.map_err(CreateAccountError::from)? {
            // The same form was written between the two looks.
            Some(row) if key.is_some_and(|key| row.id == key.uuid()) => {
                Err(FundedAccountError::MadeBefore(Box::new(profile(&row))))
            }
            Some(_other) => Err(CreateAccountError::EmailTaken.into()),
            None => Ok(()),
        }
    }

    /// Gives credits to an account: for ever, or until they expire as `terms` say. `reason` is kept with the grant, and its
    /// digest in the books. The same `key` again gives nothing more; without one every call is a grant of its own.
    ///
    /// # Errors
    /// There is no such account, the amount, the terms, the reason or the key cannot be used, the key named another grant,
    /// the account has too many grants, another operator has to approve it, the ledger refuses, or the database failed.
    pub async fn grant_credits(
        &self,
        by: &OpContext,
        account: AccountId,
        credits: Credits,
        terms: Option<GrantTerms>,
        Note { reason, key }: Note<'_>,
    ) -> Result<CreditGrant, GrantError> {
        check_grant(credits, terms, Note { reason, key })?;
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
        let alone = self.check_alone(by, Moving::Gift(credits), key).await?;
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
        alone.hold(self, &mut unit);
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
                None if matches!(not_saved, NotSaved::Conflict { .. }) => Err(GrantError::Changed),
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

/// What of a grant makes no sense whoever gets it.
fn check_grant(credits: Credits, terms: Option<GrantTerms>, note: Note<'_>) -> Result<(), GrantError> {
    if credits <= Credits::ZERO {
        return Err(GrantError::NotPositive);
    }
    if !is_reason(note.reason) {
        return Err(GrantError::Reason);
    }
    if let Some(terms) = terms.filter(|terms| !(0..=PRIORITY_MAX).contains(&terms.priority)) {
        return Err(GrantError::Priority(terms.priority));
    }
    if note.key.is_some_and(|key| !is_key(key)) { Err(GrantError::Key) } else { Ok(()) }
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
