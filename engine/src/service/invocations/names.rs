//! What those are called who take part in calls.

use std::collections::{HashMap, HashSet};

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use crate::{
    service::Services,
    store::{StoreError, entity},
};

/// Whose names are wanted, by their bare identifiers.
#[derive(Debug, Default)]
pub(in crate::service) struct Wanted {
    pub(in crate::service) accounts: HashSet<Uuid>,
    pub(in crate::service) partners: HashSet<Uuid>,
    pub(in crate::service) end_users: HashSet<Uuid>,
    pub(in crate::service) tools: HashSet<Uuid>,
    pub(in crate::service) tokens: HashSet<Uuid>,
}

/// Names by bare identifiers: addresses of accounts, partners' own names of end users, `namespace/tool` of tools.
#[derive(Debug, Default)]
pub(in crate::service) struct Names {
    pub(in crate::service) accounts: HashMap<Uuid, String>,
    pub(in crate::service) partners: HashMap<Uuid, String>,
    pub(in crate::service) end_users: HashMap<Uuid, String>,
    pub(in crate::service) tools: HashMap<Uuid, String>,
    pub(in crate::service) tokens: HashMap<Uuid, String>,
}

impl Services {
    /// The names of those in `wanted` that there are. Each is found by its primary key.
    pub(in crate::service) async fn load_names(&self, wanted: Wanted) -> Result<Names, StoreError> {
        let readers = self.db.readers();
        let mut names = Names::default();
        if !wanted.accounts.is_empty() {
            let rows = entity::account::Entity::find().filter(entity::account::Column::Id.is_in(wanted.accounts));
            names.accounts = rows.all(readers).await?.into_iter().map(|row| (row.id, row.email)).collect();
        }
        if !wanted.partners.is_empty() {
            let rows = entity::partner::Entity::find().filter(entity::partner::Column::Id.is_in(wanted.partners));
            names.partners = rows.all(readers).await?.into_iter().map(|row| (row.id, row.name)).collect();
        }
        if !wanted.end_users.is_empty() {
            let rows = entity::end_user::Entity::find().filter(entity::end_user::Column::Id.is_in(wanted.end_users));
            names.end_users = rows.all(readers).await?.into_iter().map(|row| (row.id, row.external_id)).collect();
        }
        if !wanted.tokens.is_empty() {
            let rows = entity::token::Entity::find().filter(entity::token::Column::Id.is_in(wanted.tokens));
            names.tokens = rows.all(readers).await?.into_iter().map(|row| (row.id, row.name)).collect();
        }
        if !wanted.tools.is_empty() {
            names.tools = self.load_tool_names(wanted.tools).await?;
        }
        Ok(names)
    }

    async fn load_tool_names(&self, wanted: HashSet<Uuid>) -> Result<HashMap<Uuid, String>, StoreError> {
        let readers = self.db.readers();
        let rows = entity::tool::Entity::find().filter(entity::tool::Column::Id.is_in(wanted)).all(readers).await?;
        let within: HashSet<Uuid> = rows.iter().filter_map(|row| row.namespace_id).collect();
        let namespaces =
            entity::namespace::Entity::find().filter(entity::namespace::Column::Id.is_in(within)).all(readers).await?;
        let namespaces: HashMap<Uuid, String> = namespaces.into_iter().map(|row| (row.id, row.name)).collect();
        let path = |row: entity::tool::Model| match row.namespace_id.and_then(|id| namespaces.get(&id)) {
            Some(namespace) => (row.id, format!("{namespace}/{}", row.name)),
            None => (row.id, row.name),
        };
        Ok(rows.into_iter().map(path).collect())
    }
}
