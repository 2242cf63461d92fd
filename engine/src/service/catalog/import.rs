//! Turns declared items into the statements of one unit.

use std::collections::HashMap;

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use uuid::Uuid;

use super::{
    Change, DeclaredAccount, DeclaredCap, DeclaredNamespace, DeclaredPartner, DeclaredPublisher, DeclaredToken,
    DeclaredTool, ImportError, PlannedChange, spec_to_json,
};
use crate::{
    credits::Credits,
    id::{AccountId, CapId, EntryId, NamespaceId, PartnerId, PriceVersionId, PublisherId, TokenId, ToolId},
    ledger::{AccountKind, LedgerAccountId, Leg, Post, TransactionKind, leaf::sha256},
    pricing::{Price, PricingSpec},
    service::{Services, access::CapOwner, accounts::with_password},
    store::{StoreError, UnitOfWork, entity},
};

/// Gathers the statements of an import.
pub(super) struct Import<'s> {
    services: &'s Services,
    now_us: i64,
    pub(super) unit: UnitOfWork,
    pub(super) plan: Vec<PlannedChange>,
    imported: HashMap<String, Vec<u8>>,
}

impl<'s> Import<'s> {
    /// With what was imported before.
    pub(super) async fn start(services: &'s Services) -> Result<Self, StoreError> {
        let rows = entity::import::Entity::find().all(services.db.readers()).await?;
        Ok(Self {
            services,
            now_us: services.clock.now_us(),
            unit: UnitOfWork::new(),
            plan: Vec::new(),
            imported: rows.into_iter().map(|row| (row.item, row.hash)).collect(),
        })
    }

    /// Notes an item in the plan and its fingerprint in the unit; `None` if it is as it was imported last.
    fn note(&mut self, item: &str, fingerprint: &str) -> Option<Change> {
        let hash = sha256(fingerprint.as_bytes()).to_vec();
        let change = match self.imported.get(item) {
            Some(known) if *known == hash => return None,
            Some(_) => Change::Update,
            None => Change::Create,
        };
        let row = entity::import::Model { item: item.to_owned(), hash: hash.clone(), imported_us: self.now_us };
        let backend = self.services.db.backend();
        if change == Change::Create {
            self.unit.one(backend, &entity::import::Entity::insert(row.into_active_model()));
        } else {
            let update = entity::import::Entity::update_many()
                .set(entity::import::ActiveModel {
                    hash: Set(hash.clone()),
                    imported_us: Set(self.now_us),
                    ..Default::default()
                })
                .filter(entity::import::Column::Item.eq(item));
            self.unit.one(backend, &update);
        }
        self.imported.insert(item.to_owned(), hash);
        self.plan.push(PlannedChange { item: item.to_owned(), change });
        Some(change)
    }

    pub(super) async fn publisher(&mut self, declared: &DeclaredPublisher) -> Result<(), ImportError> {
        let readers = self.services.db.readers();
        let found = entity::publisher::Entity::find()
            .filter(entity::publisher::Column::Slug.eq(&declared.slug))
            .one(readers)
            .await
            .map_err(StoreError::from)?;
        let id = found.as_ref().map_or_else(|| PublisherId::new(&*self.services.ids, self.now_us).uuid(), |row| row.id);
        if self.note(&format!("publisher:{}", declared.slug), &declared.fingerprint).is_some() {
            let backend = self.services.db.backend();
            if let Some(row) = found {
                let update = entity::publisher::Entity::update_many()
                    .set(entity::publisher::ActiveModel {
                        display_name: Set(declared.display_name.clone()),
                        share_bps: Set(declared.share_bps.into()),
                        ..Default::default()
                    })
                    .filter(entity::publisher::Column::Id.eq(id));
                self.unit.one(backend, &update);
                let row = entity::publisher::Model { share_bps: declared.share_bps.into(), ..row };
                self.services.state(&mut self.unit, &row, self.now_us);
            } else {
                let payable = self.open_account(AccountKind::Payable, &PublisherId::from(id).to_string());
                let row = entity::publisher::Model {
                    id,
                    slug: declared.slug.clone(),
                    display_name: declared.display_name.clone(),
                    is_suspended: false,
                    share_bps: declared.share_bps.into(),
                    payable: payable.raw(),
                    created_us: self.now_us,
                };
                self.services.state(&mut self.unit, &row, self.now_us);
                self.unit.one(backend, &entity::publisher::Entity::insert(row.into_active_model()));
            }
        }
        for namespace in &declared.namespaces {
            self.namespace(id, namespace).await?;
        }
        Ok(())
    }

    async fn namespace(&mut self, publisher: Uuid, declared: &DeclaredNamespace) -> Result<(), ImportError> {
        let item = format!("namespace:{}", declared.name);
        crate::catalog::check_slug(&declared.name)
            .map_err(|error| ImportError::Item { item: item.clone(), message: error.to_string() })?;
        let found = entity::namespace::Entity::find()
            .filter(entity::namespace::Column::Name.eq(&declared.name))
            .one(self.services.db.readers())
            .await
            .map_err(StoreError::from)?;
        if found.as_ref().is_some_and(|row| row.publisher_id != publisher) {
            return Err(ImportError::Item { item, message: "belongs to another publisher".to_owned() });
        }
        let id = found.as_ref().map_or_else(|| NamespaceId::new(&*self.services.ids, self.now_us).uuid(), |row| row.id);
        if self.note(&item, &declared.fingerprint).is_some() {
            let backend = self.services.db.backend();
            if found.is_some() {
                let update = entity::namespace::Entity::update_many()
                    .set(entity::namespace::ActiveModel {
                        description: Set(declared.description.clone()),
                        ..Default::default()
                    })
                    .filter(entity::namespace::Column::Id.eq(id));
                self.unit.one(backend, &update);
            } else {
                let row = entity::namespace::Model {
                    id,
                    name: declared.name.clone(),
                    publisher_id: publisher,
                    description: declared.description.clone(),
                    is_suspended: false,
                    created_us: self.now_us,
                };
                self.unit.one(backend, &entity::namespace::Entity::insert(row.into_active_model()));
            }
        }
        for tool in &declared.tools {
            self.tool(Some(id), format!("tool:{}/{}", declared.name, tool.name), tool).await?;
        }
        Ok(())
    }

    /// A tool without a namespace.
    pub(super) async fn core_tool(&mut self, declared: &DeclaredTool) -> Result<(), ImportError> {
        self.tool(None, format!("core_tool:{}", declared.name), declared).await
    }

    async fn tool(
        &mut self,
        namespace: Option<Uuid>,
        item: String,
        declared: &DeclaredTool,
    ) -> Result<(), ImportError> {
        let refuse = |message: String| ImportError::Item { item: item.clone(), message };
        crate::catalog::check_tool_name(&declared.name).map_err(|error| refuse(error.to_string()))?;
        crate::catalog::ArgumentSchema::compile(&declared.input_schema).map_err(|error| refuse(error.to_string()))?;
        let price = PriceVersionId::new(&*self.services.ids, self.now_us);
        Price::from_spec(price, self.now_us, &declared.pricing)
            .map_err(|source| ImportError::Price { item: item.clone(), source })?;
        if self.note(&item, &declared.fingerprint).is_none() {
            return Ok(());
        }
        let is_there = match namespace {
            Some(namespace) => entity::tool::Column::NamespaceId.eq(namespace),
            None => entity::tool::Column::NamespaceId.is_null(),
        };
        let found = entity::tool::Entity::find()
            .filter(is_there)
            .filter(entity::tool::Column::Name.eq(&declared.name))
            .one(self.services.db.readers())
            .await
            .map_err(StoreError::from)?;
        let id = found.as_ref().map_or_else(|| ToolId::new(&*self.services.ids, self.now_us).uuid(), |row| row.id);
        let row = entity::tool::Model {
            id,
            namespace_id: namespace,
            name: declared.name.clone(),
            short_description: declared.short_description.clone(),
            long_description: declared.long_description.clone(),
            input_schema: declared.input_schema.clone(),
            is_unverified_ok: declared.is_unverified_ok,
            is_suspended: found.as_ref().is_some_and(|row| row.is_suspended),
            upstream_method: declared.method.clone(),
            upstream_url: declared.url.clone(),
            timeout_ms: i64::try_from(declared.timeout_ms).unwrap_or(i64::MAX),
            created_us: found.as_ref().map_or(self.now_us, |row| row.created_us),
        };
        let backend = self.services.db.backend();
        if found.is_some() {
            let update = entity::tool::Entity::update_many()
                .set(sea_orm::ActiveModelTrait::reset_all(row.into_active_model()))
                .filter(entity::tool::Column::Id.eq(id));
            self.unit.one(backend, &update);
        } else {
            self.unit.one(backend, &entity::tool::Entity::insert(row.into_active_model()));
        }
        self.price(id, price, &declared.pricing).await
    }

    /// A price that differs from the last one becomes a new version, in force from now on.
    async fn price(&mut self, tool: Uuid, id: PriceVersionId, pricing: &PricingSpec) -> Result<(), ImportError> {
        use sea_orm::QueryOrder as _;
        let spec = spec_to_json(pricing);
        let last = entity::price_version::Entity::find()
            .filter(entity::price_version::Column::ToolId.eq(tool))
            .order_by_desc(entity::price_version::Column::EffectiveFromUs)
            .one(self.services.db.readers())
            .await
            .map_err(StoreError::from)?;
        if last.is_some_and(|row| row.spec == spec) {
            return Ok(());
        }
        let row = entity::price_version::Model {
            id: id.uuid(),
            tool_id: tool,
            effective_from_us: self.now_us,
            spec,
            created_us: self.now_us,
        };
        self.services.state(&mut self.unit, &row, self.now_us);
        self.unit.one(self.services.db.backend(), &entity::price_version::Entity::insert(row.into_active_model()));
        Ok(())
    }

    pub(super) async fn account(&mut self, declared: &DeclaredAccount) -> Result<(), ImportError> {
        let found = entity::account::Entity::find()
            .filter(entity::account::Column::Email.eq(&declared.email))
            .one(self.services.db.readers())
            .await
            .map_err(StoreError::from)?;
        let item = format!("account:{}", declared.email);
        if self.note(&item, &declared.fingerprint).is_none() {
            return Ok(());
        }
        let backend = self.services.db.backend();
        let stored = found.as_ref().and_then(|row| row.password_hash.as_deref());
        let password_hash = match &declared.password {
            Some(password) => self.services.hash_unless_stored(password, &declared.email, stored).await,
            None => Ok(None),
        };
        let password_hash = password_hash.map_err(|error| ImportError::Item { item, message: error.to_string() })?;
        let id = if let Some(row) = found {
            if let Some(hash) = password_hash {
                let update = entity::account::Entity::update_many()
                    .set(with_password(hash, false, self.now_us))
                    .filter(entity::account::Column::Id.eq(row.id));
                self.unit.one(backend, &update);
            }
            row.id
        } else {
            let id = AccountId::new(&*self.services.ids, self.now_us);
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
            self.grant(id.uuid(), wallet, declared.grant);
            id.uuid()
        };
        self.tokens(Some(id), None, &declared.tokens).await?;
        self.caps(id, CapOwner::Account, &declared.caps).await
    }

    pub(super) async fn partner(&mut self, declared: &DeclaredPartner) -> Result<(), ImportError> {
        let found = entity::partner::Entity::find()
            .filter(entity::partner::Column::Name.eq(&declared.name))
            .one(self.services.db.readers())
            .await
            .map_err(StoreError::from)?;
        if self.note(&format!("partner:{}", declared.name), &declared.fingerprint).is_none() {
            return Ok(());
        }
        let backend = self.services.db.backend();
        let id = if let Some(row) = found {
            let update = entity::partner::Entity::update_many()
                .set(entity::partner::ActiveModel { margin_bps: Set(declared.margin_bps.into()), ..Default::default() })
                .filter(entity::partner::Column::Id.eq(row.id));
            self.unit.one(backend, &update);
            let id = row.id;
            let row = entity::partner::Model { margin_bps: declared.margin_bps.into(), ..row };
            self.services.state(&mut self.unit, &row, self.now_us);
            id
        } else {
            let id = PartnerId::new(&*self.services.ids, self.now_us);
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
            self.grant(id.uuid(), wallet, declared.grant);
            id.uuid()
        };
        self.tokens(None, Some(id), &declared.tokens).await?;
        for per in [CapOwner::Partner, CapOwner::EndUser] {
            let caps: Vec<_> = declared.caps.iter().filter(|cap| cap.per == per).cloned().collect();
            self.caps(id, per, &caps).await?;
        }
        Ok(())
    }

    /// Opens a ledger account, with a balance row if it is limited.
    fn open_account(&mut self, kind: AccountKind, owner: &str) -> LedgerAccountId {
        let id = self.services.open_ledger_account(&mut self.unit, kind, owner, self.now_us);
        id
    }

    /// The first credits, from the platform's promotion account. Posted with the account, so only once.
    fn grant(&mut self, owner: Uuid, wallet: LedgerAccountId, amount: Credits) {
        if amount > Credits::ZERO {
            self.unit.post(Post {
                id: EntryId::from(owner),
                kind: TransactionKind::Grant,
                legs: vec![Leg { debit: LedgerAccountId::PROMO, credit: wallet, amount }],
                reverses: None,
                effective_us: None,
                meta: None,
            });
        }
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
            if let Some(row) = known {
                let update = entity::cap::Entity::update_many()
                    .set(entity::cap::ActiveModel { limit_credits: Set(cap.limit.micros()), ..Default::default() })
                    .filter(entity::cap::Column::Id.eq(row.id));
                self.unit.one(backend, &update);
                let row = entity::cap::Model { limit_credits: cap.limit.micros(), ..row };
                self.services.state(&mut self.unit, &row, self.now_us);
            } else {
                let row = entity::cap::Model {
                    id: CapId::new(&*self.services.ids, self.now_us).uuid(),
                    owner_id: owner,
                    owner_kind: per.raw(),
                    window: cap.window.raw(),
                    limit_credits: cap.limit.micros(),
                    created_us: self.now_us,
                };
                self.services.state(&mut self.unit, &row, self.now_us);
                self.unit.one(backend, &entity::cap::Entity::insert(row.into_active_model()));
            }
        }
        Ok(())
    }
}
