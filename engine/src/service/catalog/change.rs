//! Publishers, namespaces and tools as operators change them. Who changes something says what they saw: what was changed since is not
//! changed over.

use sea_orm::{ActiveModelTrait as _, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};

use super::{
    CatalogError, TermFault,
    create::check_tier,
    terms::{NamespaceTerms, ToolTerms, facts_of, namespace_terms_of, terms_of, with_namespace_terms, with_terms},
    trail::{namespace_facts, publisher_facts},
};
use crate::{
    audit::{Action, OpContext},
    catalog::{ArgumentSchema, check_line},
    id::{NamespaceId, PublisherId, ToolId},
    publishing::{FieldFault, arguments::SetArguments},
    service::{Services, accounts::is_reason},
    snapshot::price_from,
    store::{UnitOfWork, entity},
};

/// What of a publisher can be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublisherChange {
    /// Shown.
    pub display_name: String,
    /// Its share of every charge, in basis points: of calls that begin after the change. A call keeps the share that it
    /// began with.
    pub share_bps: u16,
}

impl Services {
    /// Changes a publisher that is as it was `seen`. A share is stated in the books, as an import states it.
    ///
    /// # Errors
    /// See [`CatalogError`].
    pub async fn change_publisher(
        &self,
        by: &OpContext,
        id: PublisherId,
        seen: &PublisherChange,
        new: &PublisherChange,
        reason: &str,
    ) -> Result<(), CatalogError> {
        if !is_reason(reason) {
            return Err(CatalogError::Reason);
        }
        check_line(&new.display_name).map_err(|error| CatalogError::field("display_name", error))?;
        let version = self.catalog_version().await?;
        let row = entity::publisher::Entity::find_by_id(id.uuid()).one(self.db.readers()).await?;
        let row = row.ok_or(CatalogError::NotFound("publisher"))?;
        let is_as = |terms: &PublisherChange| {
            row.display_name == terms.display_name && row.share_bps == i32::from(terms.share_bps)
        };
        if is_as(new) {
            return Err(CatalogError::Unchanged);
        }
        if !is_as(seen) {
            return Err(CatalogError::Stale);
        }
        if row.share_bps != i32::from(new.share_bps) {
            self.check_share(new.share_bps).await?;
        }
        let now_us = self.clock.now_us();
        let update = entity::publisher::Entity::update_many()
            .set(entity::publisher::ActiveModel {
                display_name: Set(new.display_name.clone()),
                share_bps: Set(new.share_bps.into()),
                ..Default::default()
            })
            .filter(entity::publisher::Column::Id.eq(row.id));
        let told = by
            .entry(Action::PublisherChange, "publisher", id)
            .before(publisher_facts(&row.display_name, row.share_bps))
            .after(publisher_facts(&new.display_name, new.share_bps.into()))
            .because(reason);
        let mut unit = UnitOfWork::new();
        unit.one(self.db.backend(), &update);
        self.state(&mut unit, &entity::publisher::Model { share_bps: new.share_bps.into(), ..row }, now_us);
        self.bump_catalog_from(&mut unit, version);
        if self.save_change(unit, told).await? { Ok(()) } else { Err(CatalogError::Overtaken) }
    }

    /// Changes how a namespace presents itself, whose terms are those that `seen` names ([`NamespaceTerms::fingerprint`]): on
    /// every server within a second. Its name stays.
    ///
    /// # Errors
    /// See [`CatalogError`].
    pub async fn change_namespace(
        &self,
        by: &OpContext,
        id: NamespaceId,
        seen: &str,
        new: &NamespaceTerms,
        reason: &str,
    ) -> Result<(), CatalogError> {
        if !is_reason(reason) {
            return Err(CatalogError::Reason);
        }
        new.check()?;
        let version = self.catalog_version().await?;
        let row = entity::namespace::Entity::find_by_id(id.uuid()).one(self.db.readers()).await?;
        let row = row.ok_or(CatalogError::NotFound("namespace"))?;
        let before = namespace_terms_of(&row);
        if before == *new {
            return Err(CatalogError::Unchanged);
        }
        if before.fingerprint() != seen {
            return Err(CatalogError::Stale);
        }
        let told = by.entry(Action::NamespaceChange, "namespace", id).before(namespace_facts(&row)).because(reason);
        let row = with_namespace_terms(row, new);
        let told = told.after(namespace_facts(&row));
        // Nothing changes that is stated of it.
        let update = entity::namespace::Entity::update_many()
            .set(entity::namespace::ActiveModel {
                description: Set(row.description),
                listing_name: Set(row.listing_name),
                category: Set(row.category),
                tags: Set(row.tags),
                ..Default::default()
            })
            .filter(entity::namespace::Column::Id.eq(row.id));
        let mut unit = UnitOfWork::new();
        unit.one(self.db.backend(), &update);
        self.bump_catalog_from(&mut unit, version);
        if self.save_change(unit, told).await? { Ok(()) } else { Err(CatalogError::Overtaken) }
    }

    /// Changes a tool whose terms are those that `seen` names ([`ToolTerms::fingerprint`]): for calls that begin after it,
    /// on every server within a second.
    ///
    /// # Errors
    /// See [`CatalogError`].
    pub async fn change_tool(
        &self,
        by: &OpContext,
        id: ToolId,
        seen: &str,
        new: &ToolTerms,
        reason: &str,
    ) -> Result<(), CatalogError> {
        if !is_reason(reason) {
            return Err(CatalogError::Reason);
        }
        let new = new.checked()?;
        let version = self.catalog_version().await?;
        let row = entity::tool::Entity::find_by_id(id.uuid()).one(self.db.readers()).await?;
        let row = row.ok_or(CatalogError::NotFound("tool"))?;
        let before = terms_of(&row);
        if before == new {
            return Err(CatalogError::Unchanged);
        }
        if before.fingerprint() != seen {
            return Err(CatalogError::Stale);
        }
        if new.is_unverified_ok && !before.is_unverified_ok {
            let price = self.find_price_in_force(row.id, self.clock.now_us()).await?;
            check_tier(&new, price.as_ref().map(price_from).transpose()?.as_ref())?;
        }
        let path = self.path_of(row.id);
        let told = by.entry(Action::ToolChange, "tool", id).before(facts_of(&path, &row)).because(reason);
        let is_other_schema = before.input_schema != new.input_schema;
        let row = with_terms(row, new);
        if is_other_schema {
            check_arguments(&row)?;
        }
        let told = told.after(facts_of(&path, &row));
        let row_id = row.id;
        // Its name and its place stay, so nothing changes that is stated of it.
        let update = entity::tool::Entity::update_many()
            .set(row.into_active_model().reset_all())
            .filter(entity::tool::Column::Id.eq(row_id));
        let mut unit = UnitOfWork::new();
        unit.one(self.db.backend(), &update);
        self.bump_catalog_from(&mut unit, version);
        if self.save_change(unit, told).await? { Ok(()) } else { Err(CatalogError::Overtaken) }
    }
}

/// A schema has to fit the arguments that the tool's publisher sets: what is hidden stays so, and what is left is a schema.
fn check_arguments(row: &entity::tool::Model) -> Result<(), CatalogError> {
    let (fixed, defaults) = (row.static_args.as_deref(), row.default_args.as_deref());
    if fixed.is_none() && defaults.is_none() {
        return Ok(());
    }
    let refused = |fault: FieldFault| CatalogError::field("input_schema", TermFault::Arguments(fault.message));
    let set = SetArguments::read(fixed.unwrap_or_default(), defaults.unwrap_or_default()).map_err(refused)?;
    set.check_hidden(&row.input_schema).map_err(refused)?;
    let public = set.public_schema(&row.input_schema).map_err(refused)?;
    ArgumentSchema::declare(&public).map_err(|error| CatalogError::field("input_schema", error))?;
    Ok(())
}
