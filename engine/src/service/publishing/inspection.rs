//! What publishers have, as operators look at it: with the server behind it, and with what is missing. No secret is ever among
//! it, and of arguments that a publisher sets only their names.

use sea_orm::EntityTrait;

use super::{
    CredentialView, ListingDraft, OwnConnection, OwnNamespace, PublishingError, ToolUnits, connections, credentials,
    groups, texts_of,
};
use crate::{
    id::{NamespaceId, ToolGroupId, ToolId},
    publishing::{FieldFault, arguments::SetArguments, rest::RestShape},
    service::Services,
    store::{StoreError, entity},
};

/// A namespace with what is around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListingFacts {
    /// It, as its publisher sees it.
    pub shown: OwnNamespace,
    /// Its server; `None` where an operator or a file says where each tool is.
    pub connection: Option<OwnConnection>,
    /// What is told of the secret that its calls carry.
    pub credential: CredentialView,
}

/// A namespace as it is looked at before somebody says whether it may be public.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// It, with its tools.
    pub facts: ListingFacts,
    /// What is missing before it can be approved, with its draft in its place.
    pub missing: Vec<FieldFault>,
}

/// What a publisher has said of a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolOffer {
    /// Its group, with its name; its price is the group's.
    pub group: Option<(ToolGroupId, String)>,
    /// The names of the arguments that its publisher sets whatever the caller says.
    pub static_args: Vec<String>,
    /// The names of the arguments that stand in for what the caller leaves out.
    pub default_args: Vec<String>,
    /// By which arguments it alone is priced.
    pub units: ToolUnits,
    /// What somebody could ask an agent to use it.
    pub example_prompts: Vec<String>,
    /// How its request is made, where its server speaks plain HTTP: a method and a path.
    pub request: Option<(String, String)>,
}

impl Services {
    /// A namespace with its groups and its server, without its tools.
    ///
    /// # Errors
    /// There is none, or the database failed.
    pub async fn load_listing_facts(&self, id: NamespaceId) -> Result<ListingFacts, PublishingError> {
        let row = entity::namespace::Entity::find_by_id(id.uuid()).one(self.db.readers()).await?;
        let row = row.ok_or(PublishingError::NotFound("namespace"))?;
        let mut shown = OwnNamespace::head(&row)?;
        let rows = self.load_group_rows(row.id).await?;
        shown.groups = rows.into_iter().map(|group| groups::group(group, &shown.draft)).collect();
        self.with_server(&row, shown).await
    }

    /// A namespace as it is looked at before it is approved or rejected; by its slug or its identifier.
    ///
    /// # Errors
    /// There is none, or the database failed.
    pub async fn load_review(&self, text: &str) -> Result<Review, PublishingError> {
        let found = self.find_namespace(text).await?.ok_or(PublishingError::NotFound("namespace"))?;
        let row = self.load_namespace_row(found.publisher, found.id).await?;
        let shown = self.view_namespace(&row).await?;
        let missing = self.effective(&row, &ListingDraft::of(&row)?).await?.faults()?;
        Ok(Review { facts: self.with_server(&row, shown).await?, missing })
    }

    async fn with_server(
        &self,
        row: &entity::namespace::Model,
        shown: OwnNamespace,
    ) -> Result<ListingFacts, PublishingError> {
        let server = match row.connection_id {
            Some(id) => entity::connection::Entity::find_by_id(id).one(self.db.readers()).await?,
            None => None,
        };
        let credential = credentials::view_of_namespace(row, server.as_ref());
        Ok(ListingFacts { shown, connection: server.map(connections::connection).transpose()?, credential })
    }

    /// What a publisher has said of a tool.
    ///
    /// # Errors
    /// There is no such tool, or the database failed.
    pub async fn load_tool_offer(&self, id: ToolId) -> Result<ToolOffer, PublishingError> {
        let row = entity::tool::Entity::find_by_id(id.uuid()).one(self.db.readers()).await?;
        let row = row.ok_or(PublishingError::NotFound("tool"))?;
        let broken = |what: String| StoreError::Inconsistent { table: "tool", what };
        let group = match row.group_id {
            Some(id) => entity::tool_group::Entity::find_by_id(id).one(self.db.readers()).await?,
            None => None,
        };
        let set = SetArguments::read(
            row.static_args.as_deref().unwrap_or_default(),
            row.default_args.as_deref().unwrap_or_default(),
        );
        let set = set.map_err(|fault| broken(fault.to_string()))?;
        let shape = row.rest.as_deref().map(RestShape::from_text).transpose();
        let shape = shape.map_err(|fault| broken(fault.to_string()))?;
        Ok(ToolOffer {
            group: group.map(|group| (group.id.into(), group.name)),
            static_args: set.static_names().map(str::to_owned).collect(),
            default_args: set.default_names().map(str::to_owned).collect(),
            units: ToolUnits::of(&row),
            example_prompts: texts_of("tool", &row.example_prompts)?,
            request: shape.map(|shape| (shape.method().to_owned(), shape.path().to_owned())),
        })
    }
}
