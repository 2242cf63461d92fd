//! Accounts and partners with what is theirs: wallets, first credits, tokens and caps.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use serde_json::json;
use uuid::Uuid;

use super::Import;
use crate::{
    audit::Action,
    credits::Credits,
    id::{AccountId, CapId, PartnerId, TokenId},
    ledger::{AccountKind, leaf::sha256},
    service::{
        access::CapOwner,
        accounts::with_password,
        catalog::{DeclaredAccount, DeclaredCap, DeclaredPartner, DeclaredToken, ImportError},
        partners::Funding,
    },
    store::{StoreError, entity},
};

impl Import<'_> {
    pub(in crate::service::catalog) async fn account(&mut self, declared: &DeclaredAccount) -> Result<(), ImportError> {
        let found = entity::account::Entity::find()
            .filter(entity::account::Column::Email.eq(&declared.email))
            .one(self.services.db.readers())
            .await
            .map_err(StoreError::from)?;
        let item = format!("account:{}", declared.email);
        let id = found.as_ref().map_or_else(|| AccountId::new(&*self.services.ids, self.now_us), |row| row.id.into());
        if self.note(&item, &declared.fingerprint, ("account", &id.to_string())).is_none() {
            return Ok(());
        }
        let backend = self.services.db.backend();
        let stored = found.as_ref().and_then(|row| row.password_hash.as_deref());
        let password_hash = match &declared.password {
            Some(password) => self.services.hash_unless_stored(password, &declared.email, stored).await,
            None => Ok(None),
        };
        let password_hash = password_hash.map_err(|error| ImportError::Item { item, message: error.to_string() })?;
        self.tell(None, &json!({"verified": declared.is_verified, "password_set": password_hash.is_some()}));
        if let Some(row) = found {
            if let Some(hash) = password_hash {
                let update = entity::account::Entity::update_many()
                    .set(with_password(hash, false, self.now_us))
                    .filter(entity::account::Column::Id.eq(row.id));
                self.unit.one(backend, &update);
            }
        } else {
            let wallet = self.open_account(AccountKind::Wallet, &id.to_string());
            let row = entity::account::Model {
                id: id.uuid(),
                email: declared.email.clone(),
                is_verified: declared.is_verified,
                is_suspended: false,
                password_hash,
                wallet: wallet.raw(),
                sessions_from_us: 0,
                created_us: self.now_us,
            };
            self.services.state(&mut self.unit, &row, self.now_us);
            self.unit.one(backend, &entity::account::Entity::insert(row.into_active_model()));
            self.grant(id.uuid(), ("account", &id.to_string()), wallet, declared.grant);
        }
        let id = id.uuid();
        self.tokens(Some(id), None, &declared.tokens).await?;
        self.caps(id, CapOwner::Account, &declared.caps).await
    }

    pub(in crate::service::catalog) async fn partner(&mut self, declared: &DeclaredPartner) -> Result<(), ImportError> {
        let found = entity::partner::Entity::find()
            .filter(entity::partner::Column::Name.eq(&declared.name))
            .one(self.services.db.readers())
            .await
            .map_err(StoreError::from)?;
        let id = found.as_ref().map_or_else(|| PartnerId::new(&*self.services.ids, self.now_us), |row| row.id.into());
        let told = ("partner", &*id.to_string());
        if self.note(&format!("partner:{}", declared.name), &declared.fingerprint, told).is_none() {
            return Ok(());
        }
        let was = self.services.load_partner_funding(id).await?;
        let facts =
            |bps: i32, funding: Funding| json!({"name": declared.name, "margin_bps": bps, "funding": funding.as_str()});
        let before = found.as_ref().map(|row| facts(row.margin_bps, was));
        self.tell(before, &facts(declared.margin_bps.into(), declared.funding.unwrap_or(was)));
        let backend = self.services.db.backend();
        if let Some(row) = found {
            let update = entity::partner::Entity::update_many()
                .set(entity::partner::ActiveModel { margin_bps: Set(declared.margin_bps.into()), ..Default::default() })
                .filter(entity::partner::Column::Id.eq(row.id));
            self.unit.one(backend, &update);
            let row = entity::partner::Model { margin_bps: declared.margin_bps.into(), ..row };
            self.services.state(&mut self.unit, &row, self.now_us);
        } else {
            let wallet = self.open_account(AccountKind::Wallet, &id.to_string());
            let margin = self.open_account(AccountKind::PartnerMargin, &id.to_string());
            let row = entity::partner::Model {
                id: id.uuid(),
                name: declared.name.clone(),
                is_suspended: false,
                margin_bps: declared.margin_bps.into(),
                wallet: wallet.raw(),
                margin: margin.raw(),
                created_us: self.now_us,
            };
            self.services.state(&mut self.unit, &row, self.now_us);
            self.unit.one(backend, &entity::partner::Entity::insert(row.into_active_model()));
            self.grant(id.uuid(), ("partner", &id.to_string()), wallet, declared.grant);
        }
        if let Some(funding) = declared.funding {
            self.services.add_funding(&mut self.unit, id, funding).await.map_err(|error| ImportError::Item {
                item: format!("partner `{}`", declared.name),
                message: error.to_string(),
            })?;
        }
        let id = id.uuid();
        self.tokens(None, Some(id), &declared.tokens).await?;
        for per in [CapOwner::Partner, CapOwner::EndUser] {
            let caps: Vec<_> = declared.caps.iter().filter(|cap| cap.per == per).cloned().collect();
            self.caps(id, per, &caps).await?;
        }
        Ok(())
    }

    async fn tokens(
        &mut self,
        account: Option<Uuid>,
        partner: Option<Uuid>,
        tokens: &[DeclaredToken],
    ) -> Result<(), ImportError> {
        for token in tokens {
            let digest = sha256(token.secret.as_bytes()).to_vec();
            let known = entity::token::Entity::find()
                .filter(entity::token::Column::Digest.eq(digest.clone()))
                .one(self.services.db.readers())
                .await
                .map_err(StoreError::from)?;
            let id = if let Some(row) = known {
                row.id
            } else {
                let id = TokenId::new(&*self.services.ids, self.now_us).uuid();
                let hint: String = token.secret.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect();
                let row = entity::token::Model {
                    id,
                    account_id: account,
                    partner_id: partner,
                    name: token.name.clone(),
                    hint,
                    digest,
                    created_us: self.now_us,
                    revoked_us: None,
                };
                let told = self.by.entry(Action::TokenCreate, "token", TokenId::from(id));
                let owner = (account.map(AccountId::from), partner.map(PartnerId::from));
                let owner = match owner {
                    (Some(account), _) => account.to_string(),
                    (None, partner) => partner.map(|partner| partner.to_string()).unwrap_or_default(),
                };
                self.trail.push(told.after(json!({"owner": owner, "name": row.name, "hint": row.hint})));
                self.services.state(&mut self.unit, &row, self.now_us);
                self.unit.one(self.services.db.backend(), &entity::token::Entity::insert(row.into_active_model()));
                id
            };
            self.caps(id, CapOwner::Token, &token.caps).await?;
        }
        Ok(())
    }

    async fn caps(&mut self, owner: Uuid, per: CapOwner, caps: &[DeclaredCap]) -> Result<(), ImportError> {
        let backend = self.services.db.backend();
        for cap in caps.iter().filter(|cap| cap.per == per) {
            let known = entity::cap::Entity::find()
                .filter(entity::cap::Column::OwnerId.eq(owner))
                .filter(entity::cap::Column::OwnerKind.eq(per.raw()))
                .filter(entity::cap::Column::Window.eq(cap.window.raw()))
                .one(self.services.db.readers())
                .await
                .map_err(StoreError::from)?;
            let limit = |micros: i64| Credits::from_micros(micros).to_string();
            let id = known.as_ref().map_or_else(|| CapId::new(&*self.services.ids, self.now_us), |row| row.id.into());
            let before = known.as_ref().map(|row| json!({"credits": limit(row.limit_credits)}));
            self.trail.push(self.by.entry(Action::CapSet, "cap", id));
            let named = owner.simple().to_string();
            self.tell(before, &json!({"per": per.as_str(), "owner": named, "credits": cap.limit.to_string()}));
            if let Some(row) = known {
                let update = entity::cap::Entity::update_many()
                    .set(entity::cap::ActiveModel {
                        limit_credits: Set(cap.limit.micros()),
                        is_imposed: Set(true),
                        ..Default::default()
                    })
                    .filter(entity::cap::Column::Id.eq(row.id));
                self.unit.one(backend, &update);
                let row = entity::cap::Model { limit_credits: cap.limit.micros(), ..row };
                self.services.state(&mut self.unit, &row, self.now_us);
            } else {
                let row = entity::cap::Model {
                    id: id.uuid(),
                    owner_id: owner,
                    owner_kind: per.raw(),
                    window: cap.window.raw(),
                    limit_credits: cap.limit.micros(),
                    created_us: self.now_us,
                    is_imposed: true,
                };
                self.services.state(&mut self.unit, &row, self.now_us);
                self.unit.one(backend, &entity::cap::Entity::insert(row.into_active_model()));
            }
        }
        Ok(())
    }
}
