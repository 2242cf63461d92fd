//! Who is calling: from a bearer token to a principal.

mod cap_owner;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use quick_cache::sync::Cache;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

pub use cap_owner::CapOwner;

use super::{Services, partners::Funding};
use crate::{
    credits::Credits,
    id::{AccountId, CapId, PartnerId, TokenId},
    ledger::{
        LedgerAccountId,
        caps::{Cap, CapWindow},
        leaf::{Digest, sha256},
    },
    store::{StoreError, entity},
};

mod end_users;

pub use end_users::EndUser;
pub(super) use end_users::each_user_cap;

/// What a personal token begins with.
pub const ACCOUNT_TOKEN_PREFIX: &str = "faro_";
/// What a partner's token begins with. It also begins with [`ACCOUNT_TOKEN_PREFIX`]: look for this one first.
pub const PARTNER_TOKEN_PREFIX: &str = "faro_partner_";

/// How many tokens and end users are remembered.
const REMEMBERED_MAX: usize = 100_000;

/// A cap with whom it limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnedCap {
    /// Whom.
    pub per: CapOwner,
    /// How much.
    pub cap: Cap,
}

/// An account as it calls.
#[derive(Debug, Clone)]
pub struct AccountPrincipal {
    /// Which.
    pub id: AccountId,
    /// Its public form, for policies.
    pub name: String,
    /// Who pays.
    pub wallet: LedgerAccountId,
    /// Its address has been confirmed.
    pub is_verified: bool,
    /// An operator has suspended it.
    pub is_suspended: bool,
}

/// A partner as it calls.
#[derive(Debug, Clone)]
pub struct PartnerPrincipal {
    /// Which.
    pub id: PartnerId,
    /// Its public form, for policies.
    pub name: String,
    /// Who pays, or from where its end users' wallets are filled.
    pub wallet: LedgerAccountId,
    /// Who pays for the calls of its end users.
    pub funding: Funding,
    /// Where its margin goes.
    pub margin: LedgerAccountId,
    /// Its share of every charge, in basis points.
    pub margin_bps: u16,
    /// An operator has suspended it.
    pub is_suspended: bool,
}

/// Whose token it is.
#[derive(Debug, Clone)]
pub enum Owner {
    /// A customer.
    Account(AccountPrincipal),
    /// A platform.
    Partner(PartnerPrincipal),
}

/// An authenticated caller.
#[derive(Debug, Clone)]
pub struct Principal {
    /// The token; none for signed-in sessions.
    pub token: Option<TokenId>,
    /// Names what was shown, for policies and rate limits: the token's or the account's public form.
    pub shown: String,
    /// Whose it is.
    pub owner: Owner,
    /// The limits on it.
    pub caps: Vec<OwnedCap>,
}

impl Principal {
    /// The account whose it is; `None` for a partner's.
    pub fn account(&self) -> Option<AccountId> {
        match &self.owner {
            Owner::Account(account) => Some(account.id),
            Owner::Partner(_) => None,
        }
    }
}

/// What was read, and when: a value from before the last change is not used.
#[derive(Debug, Clone)]
struct Remembered<T> {
    generation: u64,
    value: Arc<T>,
}

/// Remembers principals and end users until something about them changes.
#[derive(Debug)]
pub(super) struct AccessCache {
    generation: AtomicU64,
    tokens: Cache<Digest, Remembered<Principal>>,
    end_users: Cache<(Uuid, String), Remembered<EndUser>>,
}

impl Default for AccessCache {
    fn default() -> Self {
        Self {
            generation: AtomicU64::new(0),
            tokens: Cache::new(REMEMBERED_MAX),
            end_users: Cache::new(REMEMBERED_MAX),
        }
    }
}

impl AccessCache {
    pub(super) fn forget(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// To be read before the database: what is stored under an older generation is never used.
    fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }
}

impl Services {
    /// The principal that a personal or partner token stands for; `None` if it is unknown or revoked.
    ///
    /// The token is looked up by its digest, so its comparison takes no secret-dependent time.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_principal(&self, token: &str) -> Result<Option<Arc<Principal>>, StoreError> {
        let digest = sha256(token.as_bytes());
        let generation = self.access.generation();
        if let Some(known) = self.access.tokens.get(&digest)
            && known.generation == generation
        {
            return Ok(Some(known.value));
        }
        let row = entity::token::Entity::find()
            .filter(entity::token::Column::Digest.eq(digest.to_vec()))
            .filter(entity::token::Column::RevokedUs.is_null())
            .one(self.db.readers())
            .await?;
        let Some(row) = row else { return Ok(None) };
        let Some(principal) = self.principal_of(&row).await? else { return Ok(None) };
        let principal = Arc::new(principal);
        self.access.tokens.insert(digest, Remembered { generation, value: Arc::clone(&principal) });
        Ok(Some(principal))
    }

    /// The same by the token's identifier: for whoever asks about it, not for its holder.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_principal_by_token_id(&self, token: TokenId) -> Result<Option<Arc<Principal>>, StoreError> {
        let found = entity::token::Entity::find_by_id(token.uuid()).filter(entity::token::Column::RevokedUs.is_null());
        let Some(row) = found.one(self.db.readers()).await? else { return Ok(None) };
        Ok(self.principal_of(&row).await?.map(Arc::new))
    }

    async fn principal_of(&self, row: &entity::token::Model) -> Result<Option<Principal>, StoreError> {
        let Some(owner) = self.find_owner(row.account_id, row.partner_id).await? else { return Ok(None) };
        let token = TokenId::from(row.id);
        let mut caps = self.list_caps(row.id, CapOwner::Token).await?;
        caps.extend(self.owner_caps(&owner).await?);
        Ok(Some(Principal { token: Some(token), shown: token.to_string(), owner, caps }))
    }

    /// The principal of the account with this e-mail address; `None` if there is none.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_principal_by_email(&self, email: &str) -> Result<Option<Arc<Principal>>, StoreError> {
        // No token's digest: tokens begin with their prefix.
        let digest = sha256(format!("account {email}").as_bytes());
        let generation = self.access.generation();
        if let Some(known) = self.access.tokens.get(&digest)
            && known.generation == generation
        {
            return Ok(Some(known.value));
        }
        let found = entity::account::Entity::find().filter(entity::account::Column::Email.eq(email));
        let Some(row) = found.one(self.db.readers()).await? else { return Ok(None) };
        let account = account_principal(&row);
        let shown = account.name.clone();
        let owner = Owner::Account(account);
        let caps = self.owner_caps(&owner).await?;
        let principal = Arc::new(Principal { token: None, shown, owner, caps });
        self.access.tokens.insert(digest, Remembered { generation, value: Arc::clone(&principal) });
        Ok(Some(principal))
    }

    /// The principal of a signed-in session that began at `issued_us` (microseconds since the Unix epoch); `None` if the
    /// account is gone or its sessions from that time are void.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_session_principal(
        &self,
        account: AccountId,
        issued_us: i64,
    ) -> Result<Option<Arc<Principal>>, StoreError> {
        let row = entity::account::Entity::find_by_id(account.uuid()).one(self.db.readers()).await?;
        let Some(row) = row.filter(|row| row.sessions_from_us <= issued_us) else { return Ok(None) };
        let owner = Owner::Account(account_principal(&row));
        let caps = self.owner_caps(&owner).await?;
        Ok(Some(Arc::new(Principal { token: None, shown: account.to_string(), owner, caps })))
    }

    /// Whose a token or a recorded call is, as they are now.
    pub(super) async fn find_owner(
        &self,
        account: Option<Uuid>,
        partner: Option<Uuid>,
    ) -> Result<Option<Owner>, StoreError> {
        match (account, partner) {
            (Some(account), _) => Ok(self.find_account_principal(AccountId::from(account)).await?.map(Owner::Account)),
            (None, Some(partner)) => Ok(self.find_partner_principal(partner).await?.map(Owner::Partner)),
            (None, None) => Ok(None),
        }
    }

    async fn find_account_principal(&self, id: AccountId) -> Result<Option<AccountPrincipal>, StoreError> {
        let row = entity::account::Entity::find_by_id(id.uuid()).one(self.db.readers()).await?;
        Ok(row.as_ref().map(account_principal))
    }

    async fn find_partner_principal(&self, id: Uuid) -> Result<Option<PartnerPrincipal>, StoreError> {
        let Some(row) = entity::partner::Entity::find_by_id(id).one(self.db.readers()).await? else { return Ok(None) };
        let margin_bps = u16::try_from(row.margin_bps)
            .map_err(|_above| StoreError::Inconsistent { table: "partner", what: row.name.clone() })?;
        Ok(Some(PartnerPrincipal {
            id: PartnerId::from(row.id),
            name: PartnerId::from(row.id).to_string(),
            wallet: LedgerAccountId::from_raw(row.wallet),
            funding: self.load_partner_funding(PartnerId::from(row.id)).await?,
            margin: LedgerAccountId::from_raw(row.margin),
            margin_bps,
            is_suspended: row.is_suspended,
        }))
    }

    async fn owner_caps(&self, owner: &Owner) -> Result<Vec<OwnedCap>, StoreError> {
        match owner {
            Owner::Account(account) => self.list_caps(account.id.uuid(), CapOwner::Account).await,
            Owner::Partner(partner) => self.list_caps(partner.id.uuid(), CapOwner::Partner).await,
        }
    }

    async fn list_caps(&self, owner: Uuid, per: CapOwner) -> Result<Vec<OwnedCap>, StoreError> {
        let rows = entity::cap::Entity::find()
            .filter(entity::cap::Column::OwnerId.eq(owner))
            .filter(entity::cap::Column::OwnerKind.eq(per.raw()))
            .all(self.db.readers())
            .await?;
        rows.into_iter()
            .map(|row| {
                let broken = || StoreError::Inconsistent { table: "cap", what: row.id.to_string() };
                Ok(OwnedCap {
                    per: CapOwner::from_raw(row.owner_kind).ok_or_else(broken)?,
                    cap: Cap {
                        id: CapId::from(row.id),
                        window: CapWindow::from_raw(row.window).ok_or_else(broken)?,
                        limit: Credits::from_micros(row.limit_credits),
                    },
                })
            })
            .collect()
    }
}

fn account_principal(row: &entity::account::Model) -> AccountPrincipal {
    AccountPrincipal {
        id: AccountId::from(row.id),
        name: AccountId::from(row.id).to_string(),
        wallet: LedgerAccountId::from_raw(row.wallet),
        is_verified: row.is_verified,
        is_suspended: row.is_suspended,
    }
}

impl Services {
    /// The addresses of the first accounts, at most `count_max`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn list_emails(&self, count_max: u64) -> Result<Vec<String>, StoreError> {
        use sea_orm::QuerySelect as _;
        let rows = entity::account::Entity::find().limit(count_max).all(self.db.readers()).await?;
        Ok(rows.into_iter().map(|row| row.email).collect())
    }
}
