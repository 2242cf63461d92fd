//! The rows that a snapshot is made of.

use std::collections::HashSet;

use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    sea_query::{IntoCondition, SelectStatement},
};
use uuid::Uuid;

use crate::store::{
    Database, StoreError,
    entity::{self, catalog_change, connection, namespace, price_cancellation, price_version, publisher, tool},
};

/// So many namespaces are read by their identifiers, at most.
const CHANGED_MAX: u64 = 500;

/// Rows of the catalog.
pub(super) struct CatalogRows {
    pub(super) publishers: Vec<publisher::Model>,
    pub(super) namespaces: Vec<namespace::Model>,
    pub(super) connections: Vec<connection::Model>,
    pub(super) cancellations: Vec<price_cancellation::Model>,
    pub(super) prices: Vec<price_version::Model>,
    pub(super) tools: Vec<tool::Model>,
}

impl CatalogRows {
    /// What is in these namespaces, where the nil identifier stands for the core tools; everything if none are named.
    pub(super) async fn read(db: &Database, of: Option<&[Uuid]>) -> Result<Self, StoreError> {
        let readers = db.readers();
        let condition = |condition: Option<Condition>| condition.unwrap_or_else(Condition::all);
        let namespaces = namespace::Entity::find()
            .filter(condition(of.map(|of| namespace::Column::Id.is_in(of.iter().copied()).into_condition())))
            .all(readers)
            .await?;
        let publishers: Option<HashSet<_>> = of.map(|_| namespaces.iter().map(|row| row.publisher_id).collect());
        let connections: Option<HashSet<_>> =
            of.map(|_| namespaces.iter().filter_map(|row| row.connection_id).collect());
        let changed_tools = of.map(|of| {
            let is_core = of.iter().any(Uuid::is_nil).then(|| tool::Column::NamespaceId.is_null());
            Condition::any().add(tool::Column::NamespaceId.is_in(of.iter().copied())).add_option(is_core)
        });
        let changed_ids = changed_tools.clone().map(|of| ids(tool::Entity::find().filter(of), tool::Column::Id));
        let changed_prices = changed_ids.map(|of| price_version::Column::ToolId.in_subquery(of).into_condition());
        let changed_price_ids = changed_prices
            .clone()
            .map(|of| ids(price_version::Entity::find().filter(of), price_version::Column::Id))
            .map(|of| price_cancellation::Column::PriceVersionId.in_subquery(of).into_condition());
        Ok(Self {
            publishers: publisher::Entity::find()
                .filter(condition(publishers.map(|of| publisher::Column::Id.is_in(of).into_condition())))
                .all(readers)
                .await?,
            connections: connection::Entity::find()
                .filter(condition(connections.map(|of| connection::Column::Id.is_in(of).into_condition())))
                .all(readers)
                .await?,
            namespaces,
            cancellations: price_cancellation::Entity::find().filter(condition(changed_price_ids)).all(readers).await?,
            prices: price_version::Entity::find()
                .filter(condition(changed_prices))
                .order_by_asc(price_version::Column::EffectiveFromUs)
                .all(readers)
                .await?,
            tools: tool::Entity::find().filter(condition(changed_tools)).all(readers).await?,
        })
    }
}

/// Which namespaces have changed since a version of the catalog; `None` if they are so many that all are read.
pub(super) async fn changed_since(db: &Database, version: i64) -> Result<Option<Vec<Uuid>>, StoreError> {
    let rows = catalog_change::Entity::find()
        .filter(catalog_change::Column::Version.gt(version))
        .limit(CHANGED_MAX.saturating_add(1))
        .all(db.readers())
        .await?;
    let ids: Vec<_> = rows.into_iter().map(|row| row.namespace_id).collect();
    Ok((u64::try_from(ids.len()).unwrap_or(u64::MAX) <= CHANGED_MAX).then_some(ids))
}

/// The identifiers of what is asked for.
fn ids<E: EntityTrait>(rows: Select<E>, column: E::Column) -> SelectStatement {
    rows.select_only().column(column).into_query()
}

/// In the order of their names.
pub(super) async fn read_versions(db: &Database) -> Result<Vec<entity::version::Model>, StoreError> {
    let sorted = entity::version::Entity::find().order_by_asc(entity::version::Column::Name);
    Ok(sorted.all(db.readers()).await?)
}
