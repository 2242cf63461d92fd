//! Tokens of accounts and partners: 256 random bits, shown once, stored as their SHA-256.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, sea_query::Expr,
};
use secrecy::SecretString;
use serde_json::json;
use uuid::Uuid;

use super::{
    Services,
    access::{ACCOUNT_TOKEN_PREFIX, PARTNER_TOKEN_PREFIX},
    outbox::unexpected,
    paging::{Listed, PAGE_READ},
};
use crate::{
    audit::{Action, AuditEntry, OpContext},
    id::{AccountId, PartnerId, RequestId, TokenId},
    ledger::leaf::sha256,
    store::{NotSaved, StoreError, UnitOfWork, entity},
};

/// Longest name of a token, in characters.
pub const TOKEN_NAME_CHARS_MAX: usize = 100;
/// How many tokens an account or a partner may have that are not revoked.
pub const TOKENS_ACTIVE_MAX: u64 = 100;
/// How many tokens a list shows, the newest first.
const TOKENS_LISTED_MAX: u64 = 1_000;
const SECRET_BYTES: usize = 32;
/// How many characters of the end of a token are kept to recognise it by.
const HINT_CHARS: usize = 4;

/// Whose a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenOwner {
    /// A customer.
    Account(AccountId),
    /// A platform.
    Partner(PartnerId),
}

impl TokenOwner {
    /// What the secrets of its tokens begin with.
    const fn prefix(self) -> &'static str {
        match self {
            Self::Account(_) => ACCOUNT_TOKEN_PREFIX,
            Self::Partner(_) => PARTNER_TOKEN_PREFIX,
        }
    }

    /// What the audit trail calls it: a kind, and which one.
    fn named(self) -> (&'static str, String) {
        match self {
            Self::Account(id) => ("account", id.to_string()),
            Self::Partner(id) => ("partner", id.to_string()),
        }
    }

    /// Only its tokens.
    fn is_owner(self) -> Expr {
        match self {
            Self::Account(id) => entity::token::Column::AccountId.eq(id.uuid()),
            Self::Partner(id) => entity::token::Column::PartnerId.eq(id.uuid()),
        }
    }
}

impl From<AccountId> for TokenOwner {
    fn from(id: AccountId) -> Self {
        Self::Account(id)
    }
}

impl From<PartnerId> for TokenOwner {
    fn from(id: PartnerId) -> Self {
        Self::Partner(id)
    }
}

/// What an operator says about a token that is made.
#[derive(Debug, Clone, Copy, Default)]
pub struct TokenNote<'a> {
    /// Why.
    pub reason: Option<&'a str>,
    /// The form's own identifier: with the same one again no other token is made.
    pub key: Option<RequestId>,
}

/// A token that was just made: the only time that its secret is known.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// What is sent as bearer.
    pub secret: SecretString,
    /// Whose it is.
    pub owner: TokenOwner,
    /// What is stored about it.
    pub view: TokenView,
}

impl NewToken {
    /// What the audit trail tells of it.
    pub(super) fn told(&self, by: &OpContext) -> AuditEntry {
        let (kind, owner) = self.owner.named();
        let after = json!({kind: owner, "name": self.view.name, "hint": self.view.hint});
        by.entry(Action::TokenCreate, "token", self.view.id).after(after)
    }
}

/// A token as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenView {
    /// Which.
    pub id: TokenId,
    /// Its name, chosen by its owner.
    pub name: String,
    /// The last characters of its secret.
    pub hint: String,
    /// When it was made, in microseconds since the Unix epoch.
    pub created_us: i64,
    /// When it was revoked.
    pub revoked_us: Option<i64>,
}

/// The name cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a token's name is one line of 1 to {TOKEN_NAME_CHARS_MAX} characters")]
pub struct TokenNameError;

/// Why no token was made.
#[derive(Debug, thiserror::Error)]
pub enum CreateTokenError {
    /// The name cannot be used.
    #[error(transparent)]
    Name(#[from] TokenNameError),
    /// The account or the partner has too many.
    #[error("an account has at most {TOKENS_ACTIVE_MAX} tokens; revoke one first")]
    TooMany,
    /// The key made a token before, whose secret was shown then.
    #[error("this was sent before: the token was made then, and its secret was shown then")]
    MadeBefore(TokenId),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why no token was revoked.
#[derive(Debug, thiserror::Error)]
pub enum RevokeTokenError {
    /// There is no such token of this owner.
    #[error("there is no such token")]
    NotFound,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Checks a token's name.
pub(super) fn check_token_name(name: &str) -> Result<(), TokenNameError> {
    let is_fine =
        !name.trim().is_empty() && name.chars().count() <= TOKEN_NAME_CHARS_MAX && !name.chars().any(char::is_control);
    if is_fine { Ok(()) } else { Err(TokenNameError) }
}

impl Services {
    /// Makes a token of an account.
    ///
    /// # Errors
    /// The name cannot be used, the account has too many tokens, or the database failed.
    pub async fn create_token(
        &self,
        by: &OpContext,
        account: AccountId,
        name: &str,
    ) -> Result<NewToken, CreateTokenError> {
        self.create_owned_token(by, account.into(), name, TokenNote::default()).await
    }

    /// Makes a token of an account or a partner. The same key again makes nothing more.
    ///
    /// # Errors
    /// As for [`Self::create_token`]; or the key made a token before.
    pub async fn create_owned_token(
        &self,
        by: &OpContext,
        owner: TokenOwner,
        name: &str,
        note: TokenNote<'_>,
    ) -> Result<NewToken, CreateTokenError> {
        check_token_name(name)?;
        // The key names the row: whoever comes second finds it.
        let known = note.key.map(|key| TokenId::from(key.uuid()));
        if let Some(id) = known
            && self.is_token(id).await?
        {
            return Err(CreateTokenError::MadeBefore(id));
        }
        let active = entity::token::Entity::find()
            .filter(owner.is_owner())
            .filter(entity::token::Column::RevokedUs.is_null())
            .count(self.db.readers())
            .await
            .map_err(StoreError::from)?;
        if active >= TOKENS_ACTIVE_MAX {
            return Err(CreateTokenError::TooMany);
        }
        let (mut unit, now_us) = (UnitOfWork::new(), self.clock.now_us());
        let id = known.unwrap_or_else(|| TokenId::new(&*self.ids, now_us));
        let token = self.add_owned_token(&mut unit, owner, (id, name), now_us);
        let told = match note.reason {
            Some(reason) => token.told(by).because(reason),
            None => token.told(by),
        };
        match self.ledger.save(unit.audited(told)).await {
            Ok(_) => Ok(token),
            // The same form at the same moment.
            Err(NotSaved::Conflict { .. }) if known.is_some() && self.is_token(id).await? => {
                Err(CreateTokenError::MadeBefore(id))
            }
            Err(not_saved) => Err(unexpected("token", not_saved).into()),
        }
    }

    async fn is_token(&self, id: TokenId) -> Result<bool, StoreError> {
        Ok(entity::token::Entity::find_by_id(id.uuid()).one(self.db.readers()).await?.is_some())
    }

    /// Adds to `unit` a token of an account. Nobody can have asked for it before, so nothing has to be forgotten.
    pub(super) fn add_token(&self, unit: &mut UnitOfWork, account: AccountId, name: &str, now_us: i64) -> NewToken {
        let id = TokenId::new(&*self.ids, now_us);
        self.add_owned_token(unit, account.into(), (id, name), now_us)
    }

    fn add_owned_token(
        &self,
        unit: &mut UnitOfWork,
        owner: TokenOwner,
        (id, name): (TokenId, &str),
        now_us: i64,
    ) -> NewToken {
        let mut random = [0; SECRET_BYTES];
        (self.random)(&mut random);
        let text = BASE64_URL_SAFE_NO_PAD.encode(random);
        let hint = text.chars().skip(text.chars().count().saturating_sub(HINT_CHARS)).collect();
        let secret = format!("{}{text}", owner.prefix());
        let (account_id, partner_id) = match owner {
            TokenOwner::Account(account) => (Some(account.uuid()), None),
            TokenOwner::Partner(partner) => (None, Some(partner.uuid())),
        };
        let row = entity::token::Model {
            id: id.uuid(),
            account_id,
            partner_id,
            name: name.to_owned(),
            hint,
            digest: sha256(secret.as_bytes()).to_vec(),
            created_us: now_us,
            revoked_us: None,
        };
        self.state(unit, &row, now_us);
        unit.one(self.db.backend(), &entity::token::Entity::insert(row.clone().into_active_model()));
        NewToken { secret: SecretString::from(secret), owner, view: view(row) }
    }

    /// The tokens of an account, revoked ones too, the newest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn list_tokens(&self, account: AccountId) -> Result<Vec<TokenView>, StoreError> {
        self.list_owned_tokens(account.into()).await
    }

    /// The tokens of an account or a partner, revoked ones too, the newest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn list_owned_tokens(&self, owner: TokenOwner) -> Result<Vec<TokenView>, StoreError> {
        let rows = entity::token::Entity::find()
            .filter(owner.is_owner())
            // An identifier that a caller's key has named is no time.
            .order_by_desc(entity::token::Column::CreatedUs)
            .order_by_desc(entity::token::Column::Id)
            .limit(TOKENS_LISTED_MAX)
            .all(self.db.readers())
            .await?;
        Ok(rows.into_iter().map(view).collect())
    }

    /// A page of the tokens of an account or a partner, revoked ones too, the newest first, from behind the one named by
    /// `after`; nothing behind a token of somebody else.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn list_owned_tokens_page(
        &self,
        owner: TokenOwner,
        after: Option<Uuid>,
    ) -> Result<Listed<TokenView>, StoreError> {
        use entity::token::Column;
        let mut query = entity::token::Entity::find()
            .filter(owner.is_owner())
            .order_by_desc(Column::CreatedUs)
            .order_by_desc(Column::Id)
            .limit(PAGE_READ);
        if let Some(after) = after {
            let place = entity::token::Entity::find_by_id(after).filter(owner.is_owner());
            let Some(place) = place.one(self.db.readers()).await? else {
                return Ok(Listed { rows: Vec::new(), next: None });
            };
            let beside = Condition::all().add(Column::CreatedUs.eq(place.created_us)).add(Column::Id.lt(place.id));
            query = query.filter(Condition::any().add(Column::CreatedUs.lt(place.created_us)).add(beside));
        }
        let rows = query.all(self.db.readers()).await?;
        Ok(Listed::of(rows, |row| row.id.as_simple().to_string()).map(view))
    }

    /// The tokens of an account or a partner that are not revoked, the newest first: all there are, since there may be
    /// [`TOKENS_ACTIVE_MAX`] at most.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn list_active_tokens(&self, owner: TokenOwner) -> Result<Vec<TokenView>, StoreError> {
        let rows = entity::token::Entity::find()
            .filter(owner.is_owner())
            .filter(entity::token::Column::RevokedUs.is_null())
            .order_by_desc(entity::token::Column::CreatedUs)
            .order_by_desc(entity::token::Column::Id)
            .limit(TOKENS_LISTED_MAX)
            .all(self.db.readers())
            .await?;
        Ok(rows.into_iter().map(view).collect())
    }

    /// A token of this account or partner; `None` for any other.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_owned_token(&self, owner: TokenOwner, id: TokenId) -> Result<Option<TokenView>, StoreError> {
        let found = entity::token::Entity::find_by_id(id.uuid()).filter(owner.is_owner());
        Ok(found.one(self.db.readers()).await?.map(view))
    }

    /// Revokes a token of an account for ever, at once on this server. Revoking it again changes nothing.
    ///
    /// # Errors
    /// There is no such token of this account, or the database failed.
    pub async fn revoke_token(&self, by: &OpContext, account: AccountId, id: TokenId) -> Result<(), RevokeTokenError> {
        self.revoke_owned_token(by, account.into(), id, None).await
    }

    /// The same for an account or a partner, with a reason.
    ///
    /// # Errors
    /// As for [`Self::revoke_token`].
    pub async fn revoke_owned_token(
        &self,
        by: &OpContext,
        owner: TokenOwner,
        id: TokenId,
        reason: Option<&str>,
    ) -> Result<(), RevokeTokenError> {
        let row = entity::token::Entity::find_by_id(id.uuid())
            .filter(owner.is_owner())
            .one(self.db.readers())
            .await
            .map_err(StoreError::from)?
            .ok_or(RevokeTokenError::NotFound)?;
        if row.revoked_us.is_some() {
            return Ok(());
        }
        let (mut unit, now_us) = (UnitOfWork::new(), self.clock.now_us());
        let row = entity::token::Model { revoked_us: Some(now_us), ..row };
        self.state(&mut unit, &row, now_us);
        let revoke = entity::token::Entity::update_many()
            .set(entity::token::ActiveModel { revoked_us: Set(row.revoked_us), ..Default::default() })
            .filter(entity::token::Column::Id.eq(id.uuid()))
            .filter(owner.is_owner())
            .filter(entity::token::Column::RevokedUs.is_null());
        unit.one(self.db.backend(), &revoke);
        self.bump_version(&mut unit, "access");
        let (kind, named) = owner.named();
        let facts = |is_active: bool| json!({kind: named, "active": is_active});
        let mut told = by.entry(Action::TokenRevoke, "token", id).before(facts(true)).after(facts(false));
        if let Some(reason) = reason {
            told = told.because(reason);
        }
        match self.ledger.save(unit.audited(told)).await {
            // A conflict is another request that revoked it first.
            Ok(_) | Err(NotSaved::Conflict { .. }) => {
                self.forget_access();
                Ok(())
            }
            Err(not_saved) => Err(unexpected("token", not_saved).into()),
        }
    }
}

fn view(row: entity::token::Model) -> TokenView {
    TokenView {
        id: TokenId::from(row.id),
        name: row.name,
        hint: row.hint,
        created_us: row.created_us,
        revoked_us: row.revoked_us,
    }
}
