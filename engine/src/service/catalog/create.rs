//! Publishers, namespaces and tools as operators add them.
//!
//! The key of the form that asks is the new thing's identifier: the same form sent twice makes one.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

use super::{
    CatalogError, TermFault,
    rows::{PublisherTerms, blank_namespace, blank_tool},
    spec_to_json,
    terms::{NamespaceTerms, ToolTerms, facts_of, with_namespace_terms, with_terms},
    trail::{namespace_facts, price_facts, publisher_facts},
};
use crate::{
    audit::{Action, OpContext},
    catalog::{check_line, check_slug, check_tool_name},
    id::{NamespaceId, PriceVersionId, PublisherId, RequestId, ToolId},
    pricing::{BASIS_POINTS, Price, PricingSpec, ShareTerms},
    service::{Services, accounts::is_reason},
    store::{UnitOfWork, entity},
};

/// A new publisher.
#[derive(Debug, Clone, Copy)]
pub struct NewPublisher<'a> {
    /// By which files and people know it; it never changes.
    pub slug: &'a str,
    /// Shown.
    pub display_name: &'a str,
    /// Its share of every charge, in basis points.
    pub share_bps: u16,
}

/// A new namespace.
#[derive(Debug, Clone, Copy)]
pub struct NewNamespace<'a> {
    /// Whose.
    pub publisher: PublisherId,
    /// The slug; it never changes.
    pub name: &'a str,
    /// What of it can be changed later.
    pub terms: &'a NamespaceTerms,
}

/// A new tool, with the price that is in force from its beginning.
#[derive(Debug, Clone, Copy)]
pub struct NewTool<'a> {
    /// Where it belongs.
    pub namespace: NamespaceId,
    /// Unique in its namespace; it never changes.
    pub name: &'a str,
    /// What of it can be changed later.
    pub terms: &'a ToolTerms,
    /// Its first price.
    pub pricing: &'a PricingSpec,
}

/// Why something is made, and the form that made it.
#[derive(Debug, Clone, Copy)]
pub struct Making<'a> {
    /// One line for people.
    pub reason: &'a str,
    /// The same key again makes nothing more.
    pub key: Option<RequestId>,
}

impl Making<'_> {
    fn checked(&self) -> Result<(), CatalogError> {
        if is_reason(self.reason) { Ok(()) } else { Err(CatalogError::Reason) }
    }
}

impl Services {
    /// Adds a publisher, with the account of what it earns.
    ///
    /// # Errors
    /// See [`CatalogError`].
    pub async fn create_publisher(
        &self,
        by: &OpContext,
        new: &NewPublisher<'_>,
        making: Making<'_>,
    ) -> Result<PublisherId, CatalogError> {
        making.checked()?;
        check_slug(new.slug).map_err(|error| CatalogError::field("slug", error))?;
        check_line(new.display_name).map_err(|error| CatalogError::field("display_name", error))?;
        let version = self.catalog_version().await?;
        self.check_share(new.share_bps).await?;
        let now_us = self.clock.now_us();
        let id = making.key.map_or_else(|| PublisherId::new(&*self.ids, now_us), |key| PublisherId::from(key.uuid()));
        if let Some(made) = self.find_made_publisher(id, new).await? {
            return Ok(made);
        }
        let mut unit = UnitOfWork::new();
        let terms = PublisherTerms { slug: new.slug, display_name: new.display_name, share_bps: new.share_bps };
        self.add_publisher(&mut unit, id, &terms, now_us);
        self.bump_catalog_from(&mut unit, version);
        let mut facts = publisher_facts(new.display_name, new.share_bps.into());
        if let Some(facts) = facts.as_object_mut() {
            facts.insert("slug".to_owned(), new.slug.into());
        }
        let told = by.entry(Action::PublisherCreate, "publisher", id).after(facts).because(making.reason);
        if self.save_change(unit, told).await? {
            return Ok(id);
        }
        // Somebody else was quicker.
        self.find_made_publisher(id, new).await?.ok_or(CatalogError::Overtaken)
    }

    /// The publisher that this form made before; a fault if it made another one, or if the slug is another one's.
    async fn find_made_publisher(
        &self,
        id: PublisherId,
        new: &NewPublisher<'_>,
    ) -> Result<Option<PublisherId>, CatalogError> {
        if let Some(row) = entity::publisher::Entity::find_by_id(id.uuid()).one(self.db.readers()).await? {
            return if row.slug == new.slug { Ok(Some(id)) } else { Err(CatalogError::KeyReused) };
        }
        let namesake = entity::publisher::Entity::find().filter(entity::publisher::Column::Slug.eq(new.slug));
        match namesake.one(self.db.readers()).await? {
            Some(_) => Err(CatalogError::Taken { field: "slug", what: "publisher" }),
            None => Ok(None),
        }
    }

    /// Publishers' shares and partners' margins come out of one charge. Whoever asks has read the catalog's version before and
    /// writes only if it still is that one: margins raise it as well.
    pub(super) async fn check_share(&self, share_bps: u16) -> Result<(), CatalogError> {
        if share_bps > BASIS_POINTS {
            return Err(CatalogError::field("share_bps", TermFault::Share));
        }
        let highest: Option<i32> = entity::partner::Entity::find()
            .select_only()
            .column_as(entity::partner::Column::MarginBps.max(), "highest")
            .into_tuple()
            .one(self.db.readers())
            .await?
            .flatten();
        let margin_bps = u16::try_from(highest.unwrap_or(0)).unwrap_or(BASIS_POINTS);
        let above = |_| CatalogError::field("share_bps", TermFault::ShareAndMargin(margin_bps));
        ShareTerms::new(share_bps, margin_bps).map(drop).map_err(above)
    }

    /// Adds a namespace to a publisher.
    ///
    /// # Errors
    /// See [`CatalogError`].
    pub async fn create_namespace(
        &self,
        by: &OpContext,
        new: &NewNamespace<'_>,
        making: Making<'_>,
    ) -> Result<NamespaceId, CatalogError> {
        making.checked()?;
        check_slug(new.name).map_err(|error| CatalogError::field("name", error))?;
        new.terms.check()?;
        let owner = entity::publisher::Entity::find_by_id(new.publisher.uuid()).one(self.db.readers()).await?;
        let owner = owner.ok_or(CatalogError::NotFound("publisher"))?;
        let now_us = self.clock.now_us();
        let id = making.key.map_or_else(|| NamespaceId::new(&*self.ids, now_us), |key| NamespaceId::from(key.uuid()));
        if let Some(made) = self.find_made_namespace(id, new).await? {
            return Ok(made);
        }
        let blank = blank_namespace(id.uuid(), owner.id, new.name, now_us);
        let row = with_namespace_terms(blank, new.terms);
        let mut facts = namespace_facts(&row);
        if let Some(facts) = facts.as_object_mut() {
            facts.insert("name".to_owned(), new.name.into());
            facts.insert("publisher".to_owned(), owner.slug.into());
        }
        let mut unit = UnitOfWork::new();
        self.add_namespace(&mut unit, row, now_us);
        self.bump_version(&mut unit, "catalog");
        let told = by.entry(Action::NamespaceCreate, "namespace", id).after(facts).because(making.reason);
        if self.save_change(unit, told).await? {
            return Ok(id);
        }
        // Somebody else was quicker.
        self.find_made_namespace(id, new).await?.ok_or(CatalogError::Overtaken)
    }

    /// The namespace that this form made before; a fault if it made another one, or if the name is another one's.
    async fn find_made_namespace(
        &self,
        id: NamespaceId,
        new: &NewNamespace<'_>,
    ) -> Result<Option<NamespaceId>, CatalogError> {
        if let Some(row) = entity::namespace::Entity::find_by_id(id.uuid()).one(self.db.readers()).await? {
            let is_same = row.name == new.name && row.publisher_id == new.publisher.uuid();
            return if is_same { Ok(Some(id)) } else { Err(CatalogError::KeyReused) };
        }
        let namesake = entity::namespace::Entity::find().filter(entity::namespace::Column::Name.eq(new.name));
        match namesake.one(self.db.readers()).await? {
            Some(_) => Err(CatalogError::Taken { field: "name", what: "namespace" }),
            None => Ok(None),
        }
    }

    /// Adds a tool with its first price: it can be called at once, on every server within a second.
    ///
    /// # Errors
    /// See [`CatalogError`].
    pub async fn create_tool(
        &self,
        by: &OpContext,
        new: &NewTool<'_>,
        making: Making<'_>,
    ) -> Result<ToolId, CatalogError> {
        making.checked()?;
        check_tool_name(new.name).map_err(|error| CatalogError::field("name", error))?;
        let terms = new.terms.checked()?;
        let now_us = self.clock.now_us();
        let price_id = PriceVersionId::new(&*self.ids, now_us);
        let price = Price::from_spec(price_id, now_us, new.pricing)?;
        check_tier(&terms, Some(&price))?;
        let namespace = entity::namespace::Entity::find_by_id(new.namespace.uuid()).one(self.db.readers()).await?;
        let namespace = namespace.ok_or(CatalogError::NotFound("namespace"))?;
        let id = making.key.map_or_else(|| ToolId::new(&*self.ids, now_us), |key| ToolId::from(key.uuid()));
        if let Some(made) = self.find_made_tool(id, new).await? {
            return Ok(made);
        }
        let blank = blank_tool(id.uuid(), Some(namespace.id), new.name, now_us);
        let row = with_terms(blank, terms);
        let version = entity::price_version::Model {
            id: price_id.uuid(),
            tool_id: row.id,
            effective_from_us: now_us,
            spec: spec_to_json(new.pricing),
            created_us: now_us,
            key: None,
        };
        let path = format!("{}/{}", namespace.name, new.name);
        let mut facts = facts_of(&path, &row);
        if let Some(facts) = facts.as_object_mut() {
            facts.insert("price_version".to_owned(), price_id.to_string().into());
            facts.insert("price".to_owned(), price_facts(&path, &version.spec, now_us));
        }
        let told = by.entry(Action::ToolCreate, "tool", id).after(facts).because(making.reason);
        let mut unit = UnitOfWork::new();
        self.add_tool(&mut unit, row, now_us);
        self.add_price(&mut unit, version, now_us);
        self.bump_version(&mut unit, "catalog");
        if self.save_change(unit, told).await? {
            return Ok(id);
        }
        // Somebody else was quicker.
        self.find_made_tool(id, new).await?.ok_or(CatalogError::Overtaken)
    }

    /// The tool that this form made before; a fault if it made another one, or if the name is another tool's.
    async fn find_made_tool(&self, id: ToolId, new: &NewTool<'_>) -> Result<Option<ToolId>, CatalogError> {
        use entity::tool::Column;
        let namespace = Some(new.namespace.uuid());
        if let Some(row) = entity::tool::Entity::find_by_id(id.uuid()).one(self.db.readers()).await? {
            let is_same = row.name == new.name && row.namespace_id == namespace;
            return if is_same { Ok(Some(id)) } else { Err(CatalogError::KeyReused) };
        }
        let namesake =
            entity::tool::Entity::find().filter(Column::NamespaceId.eq(namespace)).filter(Column::Name.eq(new.name));
        match namesake.one(self.db.readers()).await? {
            Some(_) => Err(CatalogError::Taken { field: "name", what: "tool of this namespace" }),
            None => Ok(None),
        }
    }
}

/// Unverified accounts have no credits: what they may call costs nothing.
pub(super) fn check_tier(terms: &ToolTerms, price: Option<&Price>) -> Result<(), CatalogError> {
    if terms.is_unverified_ok && price.is_some_and(|price| !price.is_free()) {
        return Err(CatalogError::field("tier", TermFault::Tier));
    }
    Ok(())
}
