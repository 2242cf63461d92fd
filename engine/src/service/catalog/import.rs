//! Turns declared items into the statements of one unit.

use std::collections::HashMap;

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Change, DeclaredNamespace, DeclaredPublisher, DeclaredTool, ImportError, PlannedChange,
    rows::{PublisherTerms, blank_namespace, blank_tool, tags_to_json},
    spec_to_json,
    trail::{namespace_facts, price_facts, publisher_facts, tool_facts},
};
use crate::{
    audit::{Action, AuditEntry, OpContext},
    credits::Credits,
    id::{EntryId, NamespaceId, PriceVersionId, PublisherId, ToolId},
    ledger::{AccountKind, LedgerAccountId, Leg, Post, TransactionKind, leaf::sha256},
    pricing::{Price, PricingSpec},
    service::Services,
    store::{StoreError, UnitOfWork, entity},
};

mod customers;

/// Gathers the statements of an import.
pub(super) struct Import<'s> {
    services: &'s Services,
    by: &'s OpContext,
    now_us: i64,
    pub(super) unit: UnitOfWork,
    pub(super) plan: Vec<PlannedChange>,
    /// What the audit trail tells of it.
    pub(super) trail: Vec<AuditEntry>,
    imported: HashMap<String, Vec<u8>>,
}

impl<'s> Import<'s> {
    /// With what was imported before.
    pub(super) async fn start(services: &'s Services, by: &'s OpContext) -> Result<Self, StoreError> {
        let rows = entity::import::Entity::find().all(services.db.readers()).await?;
        Ok(Self {
            services,
            by,
            now_us: services.clock.now_us(),
            unit: UnitOfWork::new(),
            plan: Vec::new(),
            trail: Vec::new(),
            imported: rows.into_iter().map(|row| (row.item, row.hash)).collect(),
        })
    }

    /// Notes an item in the plan, its fingerprint in the unit, and in the trail what it is called there; `None` if it is as
    /// it was imported last.
    fn note(&mut self, item: &str, fingerprint: &str, (kind, id): (&'static str, &str)) -> Option<Change> {
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
        self.trail.push(self.by.entry(Action::CatalogImport, kind, id));
        Some(change)
    }

    /// Tells of the item that was noted last what of it was and is.
    fn tell(&mut self, before: Option<Value>, after: &Value) {
        if let Some(entry) = self.trail.pop() {
            let entry = entry.after(after);
            self.trail.push(match before {
                Some(before) => entry.before(before),
                None => entry,
            });
        }
    }

    pub(super) async fn publisher(&mut self, declared: &DeclaredPublisher) -> Result<(), ImportError> {
        let readers = self.services.db.readers();
        let found = entity::publisher::Entity::find()
            .filter(entity::publisher::Column::Slug.eq(&declared.slug))
            .one(readers)
            .await
            .map_err(StoreError::from)?;
        let id = found.as_ref().map_or_else(|| PublisherId::new(&*self.services.ids, self.now_us).uuid(), |row| row.id);
        let told = ("publisher", &*declared.slug);
        if self.note(&format!("publisher:{}", declared.slug), &declared.fingerprint, told).is_some() {
            let backend = self.services.db.backend();
            let before = found.as_ref().map(|row| publisher_facts(&row.display_name, row.share_bps));
            self.tell(before, &publisher_facts(&declared.display_name, declared.share_bps.into()));
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
                let terms = PublisherTerms {
                    slug: &declared.slug,
                    display_name: &declared.display_name,
                    share_bps: declared.share_bps,
                };
                self.services.add_publisher(&mut self.unit, id.into(), &terms, self.now_us);
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
        if self.note(&item, &declared.fingerprint, ("namespace", &declared.name)).is_some() {
            let backend = self.services.db.backend();
            let made = found.clone().unwrap_or_else(|| blank_namespace(id, publisher, &declared.name, self.now_us));
            let row = entity::namespace::Model {
                description: declared.description.clone(),
                listing_name: declared.listing_name.clone(),
                category: declared.topics.category.clone(),
                tags: tags_to_json(&declared.topics.tags),
                ..made
            };
            self.tell(found.as_ref().map(namespace_facts), &namespace_facts(&row));
            if found.is_some() {
                let update = entity::namespace::Entity::update_many()
                    .set(entity::namespace::ActiveModel {
                        description: Set(row.description),
                        listing_name: Set(row.listing_name),
                        category: Set(row.category),
                        tags: Set(row.tags),
                        ..Default::default()
                    })
                    .filter(entity::namespace::Column::Id.eq(id));
                self.unit.one(backend, &update);
            } else {
                self.services.add_namespace(&mut self.unit, row, self.now_us);
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
        crate::catalog::ArgumentSchema::declare(&declared.input_schema).map_err(|error| refuse(error.to_string()))?;
        let price = PriceVersionId::new(&*self.services.ids, self.now_us);
        Price::from_spec(price, self.now_us, &declared.pricing)
            .map_err(|source| ImportError::Price { item: item.clone(), source })?;
        let (kind, path) = item.split_once(':').unwrap_or(("tool", &item));
        let kind = if kind == "core_tool" { "core_tool" } else { "tool" };
        if self.note(&item, &declared.fingerprint, (kind, path)).is_none() {
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
        let made = found.clone().unwrap_or_else(|| blank_tool(id, namespace, &declared.name, self.now_us));
        let row = entity::tool::Model {
            short_description: declared.short_description.clone(),
            long_description: declared.long_description.clone(),
            input_schema: declared.input_schema.clone(),
            is_unverified_ok: declared.is_unverified_ok,
            upstream_method: declared.method.clone(),
            upstream_url: declared.url.clone(),
            timeout_ms: i64::try_from(declared.timeout_ms).unwrap_or(i64::MAX),
            category: declared.topics.category.clone(),
            tags: tags_to_json(&declared.topics.tags),
            upstream_tool: declared.mcp_tool.clone(),
            ..made
        };
        self.tell(found.as_ref().map(tool_facts), &tool_facts(&row));
        let backend = self.services.db.backend();
        // Found by its namespace and name: an update changes nothing that is stated of it.
        if found.is_some() {
            let update = entity::tool::Entity::update_many()
                .set(sea_orm::ActiveModelTrait::reset_all(row.into_active_model()))
                .filter(entity::tool::Column::Id.eq(id));
            self.unit.one(backend, &update);
        } else {
            self.services.add_tool(&mut self.unit, row, self.now_us);
        }
        self.price((id, path), price, &declared.pricing).await
    }

    /// A price that differs from the last one becomes a new version, in force from now on.
    async fn price(
        &mut self,
        (tool, path): (Uuid, &str),
        id: PriceVersionId,
        pricing: &PricingSpec,
    ) -> Result<(), ImportError> {
        let spec = spec_to_json(pricing);
        // What is scheduled for later stays scheduled.
        let last = self.services.find_price_in_force(tool, self.now_us).await?;
        if last.as_ref().is_some_and(|row| row.spec == spec) {
            return Ok(());
        }
        let told = self.by.entry(Action::PriceSet, "price", id).after(price_facts(path, &spec, self.now_us));
        self.trail.push(match &last {
            Some(row) => told.before(price_facts(path, &row.spec, row.effective_from_us)),
            None => told,
        });
        let row = entity::price_version::Model {
            id: id.uuid(),
            tool_id: tool,
            effective_from_us: self.now_us,
            spec,
            created_us: self.now_us,
            key: None,
        };
        self.services.add_price(&mut self.unit, row, self.now_us);
        Ok(())
    }

    /// Opens a ledger account, with a balance row if it is limited.
    fn open_account(&mut self, kind: AccountKind, owner: &str) -> LedgerAccountId {
        let id = self.services.open_ledger_account(&mut self.unit, kind, owner, self.now_us);
        id
    }

    /// The first credits, from the platform's promotion account. Posted with the account, so only once.
    fn grant(&mut self, owner: Uuid, (kind, name): (&str, &str), wallet: LedgerAccountId, amount: Credits) {
        if amount > Credits::ZERO {
            let told = self.by.entry(Action::GrantCreate, "transaction", EntryId::from(owner));
            self.trail.push(told.after(json!({kind: name, "credits": amount.to_string()})));
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
}
