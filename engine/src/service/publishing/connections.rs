//! A publisher's servers.

use sea_orm::{
    ActiveModelTrait as _, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder,
};

use super::{CONNECTIONS_MAX, Change, CredentialView, PublishingError, check_url, credentials, trail};
use crate::{
    audit::{Action, OpContext},
    catalog::{check_line, named_values},
    id::{ConnectionId, PublisherId},
    service::{Services, catalog::without_secrets},
    store::{StoreError, entity},
};

named_values! {
    /// What a server speaks.
    ConnectionKind {
        /// The Model Context Protocol, over streamable HTTP.
        Mcp = "mcp",
        /// Plain HTTP: each tool says how its request is made.
        Rest = "rest",
    }
}

/// A new server.
#[derive(Debug, Clone, Copy)]
pub struct NewConnection<'a> {
    /// For its publisher.
    pub label: &'a str,
    /// What it speaks.
    pub kind: ConnectionKind,
    /// Where it is; the base of every path where it speaks plain HTTP.
    pub url: &'a str,
}

/// A server as its publisher sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnConnection {
    /// Which.
    pub id: ConnectionId,
    /// For its publisher.
    pub label: String,
    /// What it speaks.
    pub kind: ConnectionKind,
    /// Where it is.
    pub url: String,
    /// What it asks of its callers.
    pub credential: CredentialView,
    /// When it was made, in microseconds since the Unix epoch.
    pub created_us: i64,
    /// When it was last changed, in microseconds since the Unix epoch.
    pub changed_us: i64,
}

impl OwnConnection {
    /// The address without what may be a secret: its query.
    pub fn shown_url(&self) -> String {
        without_secrets(&self.url)
    }
}

impl Services {
    /// Adds a server. Whether it answers is found out when it is asked for its tools.
    ///
    /// # Errors
    /// See [`PublishingError`].
    pub async fn create_connection(
        &self,
        by: &OpContext,
        publisher: PublisherId,
        new: &NewConnection<'_>,
    ) -> Result<OwnConnection, PublishingError> {
        let mut change = self.begin_change(by).await?;
        let row = change.add_connection(publisher, new).await?;
        change.save().await?;
        Ok(connection(row)?)
    }

    /// A publisher's servers, the oldest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn list_connections(&self, publisher: PublisherId) -> Result<Vec<OwnConnection>, StoreError> {
        let rows = of_publisher(publisher).order_by_asc(entity::connection::Column::Id);
        rows.all(self.db.readers()).await?.into_iter().map(connection).collect()
    }

    /// One of a publisher's servers.
    ///
    /// # Errors
    /// It has none of this identifier, or the database failed.
    pub async fn load_connection(
        &self,
        publisher: PublisherId,
        id: ConnectionId,
    ) -> Result<OwnConnection, PublishingError> {
        Ok(connection(self.load_connection_row(publisher, id).await?)?)
    }

    /// Removes a server that no namespace refers to.
    ///
    /// # Errors
    /// See [`PublishingError`].
    pub async fn remove_connection(
        &self,
        by: &OpContext,
        publisher: PublisherId,
        id: ConnectionId,
    ) -> Result<(), PublishingError> {
        use entity::namespace::Column;
        let mut change = self.begin_change(by).await?;
        let row = self.load_connection_row(publisher, id).await?;
        let used = entity::namespace::Entity::find().filter(Column::ConnectionId.eq(row.id)).order_by_asc(Column::Name);
        let used: Vec<String> =
            used.all(self.db.readers()).await?.into_iter().map(|namespace| format!("`{}`", namespace.name)).collect();
        if !used.is_empty() {
            return Err(PublishingError::conflict(format!("the connection is used by {}", used.join(", "))));
        }
        change.tell(by.entry(Action::ConnectionRemove, "connection", id).before(trail::connection(&row)));
        change.one(&entity::connection::Entity::delete_by_id(row.id));
        change.save().await
    }
}

impl Change<'_> {
    /// Adds a server.
    pub(super) async fn add_connection(
        &mut self,
        publisher: PublisherId,
        new: &NewConnection<'_>,
    ) -> Result<entity::connection::Model, PublishingError> {
        check_line(new.label).map_err(|error| PublishingError::field("label", error))?;
        let field = match new.kind {
            ConnectionKind::Mcp => "mcp_url",
            ConnectionKind::Rest => "base_url",
        };
        let url = check_url(field, new.url)?;
        let count = of_publisher(publisher).count(self.services.db.readers()).await?;
        if count >= u64::try_from(CONNECTIONS_MAX).unwrap_or(u64::MAX) {
            let message = format!("a publisher has at most {CONNECTIONS_MAX} connections: remove one first");
            return Err(PublishingError::conflict(message));
        }
        let id = ConnectionId::new(&*self.services.ids, self.now_us);
        let row = entity::connection::Model {
            id: id.uuid(),
            publisher_id: publisher.uuid(),
            label: new.label.to_owned(),
            kind: new.kind.as_str().to_owned(),
            url,
            credential: None,
            key_identifier: None,
            param_location: None,
            param_description: None,
            created_us: self.now_us,
            changed_us: self.now_us,
        };
        self.tell(self.by.entry(Action::ConnectionCreate, "connection", id).after(trail::connection(&row)));
        self.one(&entity::connection::Entity::insert(row.clone().into_active_model()));
        Ok(row)
    }

    /// Changes a server to `new`.
    pub(super) fn change_connection(&mut self, old: &entity::connection::Model, new: &entity::connection::Model) {
        let entry = self.by.entry(Action::ConnectionChange, "connection", ConnectionId::from(new.id));
        self.tell(entry.before(trail::connection(old)).after(trail::connection(new)));
        let update = entity::connection::Entity::update_many()
            .set(new.clone().into_active_model().reset_all())
            .filter(entity::connection::Column::Id.eq(new.id));
        self.one(&update);
    }
}

fn of_publisher(publisher: PublisherId) -> sea_orm::Select<entity::connection::Entity> {
    entity::connection::Entity::find().filter(entity::connection::Column::PublisherId.eq(publisher.uuid()))
}

/// What a stored server speaks.
pub(super) fn kind_of(row: &entity::connection::Model) -> Result<ConnectionKind, StoreError> {
    let broken = || StoreError::Inconsistent { table: "connection", what: row.kind.clone() };
    ConnectionKind::from_wire(&row.kind).ok_or_else(broken)
}

pub(super) fn connection(row: entity::connection::Model) -> Result<OwnConnection, StoreError> {
    Ok(OwnConnection {
        id: row.id.into(),
        kind: kind_of(&row)?,
        credential: credentials::view_of(&row),
        label: row.label,
        url: row.url,
        created_us: row.created_us,
        changed_us: row.changed_us,
    })
}
