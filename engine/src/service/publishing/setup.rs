//! Many things at once: a server, a namespace and its tools in one unit, or none of it.

use super::{Change, NewConnection, NewOwnTool, OwnNamespace, OwnUpstream, ProfileChange, PublishingError};
use crate::{
    audit::OpContext,
    id::{AccountId, ConnectionId, NamespaceId, PublisherId},
    service::Services,
    store::entity,
};

/// What is set up at once.
#[derive(Debug, Clone)]
pub struct SetUp<'a> {
    /// What an account is called that becomes a publisher with this; `None`: only a publisher may.
    pub register_as: Option<&'a str>,
    /// The server.
    pub connection: NewConnection<'a>,
    /// The slug of the namespace.
    pub namespace: &'a str,
    /// Where more about it is said.
    pub readme_source_url: Option<&'a str>,
    /// Its tools.
    pub tools: Vec<NewOwnTool>,
}

/// What an import has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The names of the tools that were added.
    pub added: Vec<String>,
    /// Those that were there already, and were left as they are.
    pub known: Vec<String>,
}

impl Services {
    /// Adds a server and a namespace with its tools: all of it or nothing.
    ///
    /// # Errors
    /// See [`PublishingError`].
    pub async fn set_up_namespace(
        &self,
        by: &OpContext,
        account: AccountId,
        wanted: SetUp<'_>,
    ) -> Result<OwnNamespace, PublishingError> {
        let mut change = self.begin_change(by).await?;
        let publisher = change.own_publisher_or_new(account, wanted.register_as).await?;
        let connection = change.add_connection(publisher, &wanted.connection).await?;
        let added = change.add_own_namespace(publisher, connection.id, wanted.namespace, wanted.readme_source_url);
        let (namespace, group) = added.await?;
        change.add_own_tools((&namespace, &[group]), Some(&connection), wanted.tools).await?;
        change.save().await?;
        self.load_own_namespace(publisher, namespace.id.into()).await
    }

    /// Adds tools of an MCP server to a namespace, which has this server from now on if it had none: all of them or none. A
    /// tool that the namespace has already, by its name there, is left as it is.
    ///
    /// # Errors
    /// See [`PublishingError`].
    pub async fn import_own_tools(
        &self,
        by: &OpContext,
        publisher: PublisherId,
        (namespace, connection): (NamespaceId, ConnectionId),
        tools: Vec<NewOwnTool>,
    ) -> Result<Imported, PublishingError> {
        let mut change = self.begin_change(by).await?;
        let row = self.load_namespace_row(publisher, namespace).await?;
        let connection = self.load_connection_row(publisher, connection).await.map_err(|error| match error {
            PublishingError::NotFound(_) => PublishingError::field("connection_id", "is no connection of yours"),
            other => other,
        })?;
        if row.connection_id != Some(connection.id) {
            return Err(PublishingError::field("connection_id", "is not the connection of this namespace"));
        }
        let there: Vec<Option<String>> =
            self.load_tool_rows(row.id).await?.into_iter().map(|tool| tool.upstream_tool).collect();
        let is_known = |tool: &NewOwnTool| match &tool.upstream {
            OwnUpstream::Mcp(name) => there.iter().flatten().any(|known| known == name),
            OwnUpstream::Rest(_) => false,
        };
        let (known, new): (Vec<_>, Vec<_>) = tools.into_iter().partition(is_known);
        let groups = self.load_group_rows(row.id).await?;
        let added = change.add_own_tools((&row, &groups), Some(&connection), new).await?;
        change.save().await?;
        Ok(Imported {
            added: added.into_iter().map(|tool| tool.name).collect(),
            known: known.into_iter().map(|tool| tool.name).collect(),
        })
    }
}

impl Change<'_> {
    async fn own_publisher_or_new(
        &mut self,
        account: AccountId,
        register_as: Option<&str>,
    ) -> Result<PublisherId, PublishingError> {
        let known: Option<entity::publisher::Model> = self.services.find_publisher_row(account).await?;
        if let Some(row) = known {
            return Ok(row.id.into());
        }
        let name = register_as.ok_or(PublishingError::NotAPublisher)?;
        let profile = ProfileChange { display_name: Some(name.to_owned()), ..ProfileChange::default() };
        Ok(self.add_own_publisher(account, &profile).await?.id.into())
    }
}
