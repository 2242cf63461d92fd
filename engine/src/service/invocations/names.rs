//! What those are called who take part in calls.

use std::collections::{HashMap, HashSet};

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use crate::{
    id::{AccountId, EndUserId, PartnerId, ToolId},
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
    /// The tool that is called `text`: its identifier, `namespace/tool`, or the plain name of a core tool.
    pub fn find_tool_called(&self, text: &str) -> Option<ToolId> {
        if let Ok(id) = text.parse() {
            return Some(id);
        }
        let snapshot = self.snapshot();
        let offer = match text.split_once('/') {
            Some((namespace, tool)) => snapshot.find_offer(namespace, tool),
            None => snapshot.find_core_tool(text),
        };
        offer.map(|offer| offer.tool.id)
    }

    /// The account that is called `text`: its identifier or its address.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_account_called(&self, text: &str) -> Result<Option<AccountId>, StoreError> {
        match text.parse() {
            Ok(id) => Ok(Some(id)),
            Err(_no_identifier) => Ok(self.find_account_by_email(text).await?.map(|account| account.id)),
        }
    }

    /// The partner that is called `text`: its identifier or its name.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_partner_called(&self, text: &str) -> Result<Option<PartnerId>, StoreError> {
        if let Ok(id) = text.parse() {
            return Ok(Some(id));
        }
        let named = entity::partner::Entity::find().filter(entity::partner::Column::Name.eq(text));
        Ok(named.one(self.db.readers()).await?.map(|row| row.id.into()))
    }

    /// The end user that is called `text`: its identifier, or, of this partner, the partner's own name for it.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_end_user_called(
        &self,
        partner: Option<PartnerId>,
        text: &str,
    ) -> Result<Option<EndUserId>, StoreError> {
        if let Ok(id) = text.parse() {
            return Ok(Some(id));
        }
        let Some(partner) = partner else { return Ok(None) };
        let named = entity::end_user::Entity::find()
            .filter(entity::end_user::Column::PartnerId.eq(partner.uuid()))
            .filter(entity::end_user::Column::ExternalId.eq(text));
        Ok(named.one(self.db.readers()).await?.map(|row| row.id.into()))
    }

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
