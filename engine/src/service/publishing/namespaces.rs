//! A publisher's namespaces.

use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use super::{
    Change, OWN_NAMESPACES_MAX, OwnNamespace, PublishingError,
    assets::check_picture,
    check_url,
    listing::{ListingEdit, edited},
    trail, unless_empty,
};
use crate::{
    audit::{Action, OpContext},
    catalog::{NamespaceState, check_slug},
    id::{ConnectionId, NamespaceId, PublisherId},
    service::{Services, catalog::blank_namespace},
    store::entity,
};

/// Names that stand in addresses for something else.
const RESERVED: [&str; 4] = ["public", "quick-setup", "search", "assets"];

/// A new namespace.
#[derive(Debug, Clone, Copy)]
pub struct NewOwnNamespace<'a> {
    /// The slug.
    pub name: &'a str,
    /// Where its tools are.
    pub connection: ConnectionId,
    /// Where more about it is said.
    pub readme_source_url: Option<&'a str>,
}

/// What is to be different about a namespace: `None` stays, an empty text takes away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NamespaceChange {
    /// The slug: nobody finds it under the old one any more.
    pub name: Option<String>,
    /// Where more about it is said.
    pub readme_source_url: Option<String>,
    /// Where its picture is.
    pub icon_url: Option<String>,
}

impl Services {
    /// Adds a namespace, which is a draft: nobody else knows of it until it is approved.
    ///
    /// # Errors
    /// See [`PublishingError`].
    pub async fn create_own_namespace(
        &self,
        by: &OpContext,
        publisher: PublisherId,
        new: &NewOwnNamespace<'_>,
    ) -> Result<OwnNamespace, PublishingError> {
        let mut change = self.begin_change(by).await?;
        let connection = self.load_connection_row(publisher, new.connection).await.map_err(|error| match error {
            PublishingError::NotFound(_) => PublishingError::field("connection_id", "is no connection of yours"),
            other => other,
        })?;
        let (row, _) = change.add_own_namespace(publisher, connection.id, new.name, new.readme_source_url).await?;
        change.save().await?;
        self.load_own_namespace(publisher, row.id.into()).await
    }

    /// A publisher's namespaces by name, without their tools and groups.
    ///
    /// # Errors
    /// The database cannot be read, or holds a namespace that makes no sense.
    pub async fn list_own_namespaces(&self, publisher: PublisherId) -> Result<Vec<OwnNamespace>, PublishingError> {
        use entity::namespace::Column;
        let rows = entity::namespace::Entity::find()
            .filter(Column::PublisherId.eq(publisher.uuid()))
            .order_by_asc(Column::Name)
            .all(self.db.readers())
            .await?;
        rows.iter().map(|row| Ok(OwnNamespace::head(row)?)).collect()
    }

    /// The identifier of one of a publisher's namespaces that is called so: by its slug, or by a text of its identifier.
    ///
    /// # Errors
    /// The publisher has none, or the database failed.
    pub async fn find_own_namespace(&self, publisher: PublisherId, text: &str) -> Result<NamespaceId, PublishingError> {
        use entity::namespace::Column;
        let named = match (Uuid::try_parse(text), text.parse::<NamespaceId>()) {
            (Ok(id), _) => Column::Id.eq(id),
            (Err(_), Ok(id)) => Column::Id.eq(id.uuid()),
            (Err(_), Err(_)) => Column::Name.eq(text),
        };
        let row = entity::namespace::Entity::find().filter(named).one(self.db.readers()).await?;
        let row = row.filter(|row| row.publisher_id == publisher.uuid());
        row.map(|row| NamespaceId::from(row.id)).ok_or(PublishingError::NotFound("namespace"))
    }

    /// One of a publisher's namespaces with everything in it.
    ///
    /// # Errors
    /// The publisher has none of this identifier, or the database failed.
    pub async fn load_own_namespace(
        &self,
        publisher: PublisherId,
        id: NamespaceId,
    ) -> Result<OwnNamespace, PublishingError> {
        let row = self.load_namespace_row(publisher, id).await?;
        self.view_namespace(&row).await
    }

    /// Changes a namespace. A new name takes effect at once, on every server within a second: the old one is nobody's, and for
    /// [`crate::limits::FORMER_NAME_DAYS`] days no other namespace's.
    ///
    /// # Errors
    /// See [`PublishingError`].
    pub async fn change_own_namespace(
        &self,
        by: &OpContext,
        publisher: PublisherId,
        id: NamespaceId,
        wanted: &NamespaceChange,
    ) -> Result<OwnNamespace, PublishingError> {
        let mut change = self.begin_change(by).await?;
        let old = self.load_namespace_row(publisher, id).await?;
        let mut new = old.clone();
        if let Some(url) = &wanted.readme_source_url {
            new.readme_source_url = unless_empty(url).map(|url| check_url("readme_source_url", &url)).transpose()?;
        }
        if let Some(name) = wanted.name.as_ref().filter(|name| **name != old.name) {
            self.check_own_slug((publisher, Some(&old)), name, change.now_us).await?;
            change.give_name_up(&old).await?;
            change.take_name(name).await?;
            new.name.clone_from(name);
        }
        if let Some(icon) = &wanted.icon_url {
            let edit =
                ListingEdit { icon_url: Some(check_picture("namespace_icon_url", icon)?), ..ListingEdit::default() };
            (new, _) = edited(&new, &edit)?;
        }
        change.change_namespace(Action::NamespaceChange, &old, &new);
        change.check_pictures(old.publisher_id, "namespace_icon_url").await?;
        change.save().await?;
        self.view_namespace(&new).await
    }

    /// Whether a publisher may call a namespace so; `None`: a new one.
    async fn check_own_slug(
        &self,
        of: (PublisherId, Option<&entity::namespace::Model>),
        name: &str,
        now_us: i64,
    ) -> Result<(), PublishingError> {
        check_slug(name).map_err(|error| PublishingError::field("namespace", error))?;
        // What looks like an identifier would be taken for one.
        if RESERVED.contains(&name) || Uuid::try_parse(name).is_ok() {
            return Err(PublishingError::field("namespace", "is a name that has another meaning here"));
        }
        let namesake = entity::namespace::Entity::find().filter(entity::namespace::Column::Name.eq(name));
        match namesake.one(self.db.readers()).await? {
            Some(_) => Err(PublishingError::field("namespace", "is the name of another namespace")),
            None => self.check_former_name(of, name, now_us).await,
        }
    }
}

impl Change<'_> {
    /// Adds a namespace with its default group.
    pub(super) async fn add_own_namespace(
        &mut self,
        publisher: PublisherId,
        connection: Uuid,
        name: &str,
        readme_source_url: Option<&str>,
    ) -> Result<(entity::namespace::Model, entity::tool_group::Model), PublishingError> {
        self.services.check_own_slug((publisher, None), name, self.now_us).await?;
        self.take_name(name).await?;
        let readme_source_url = readme_source_url.map(|url| check_url("readme_source_url", url)).transpose()?;
        let own = entity::namespace::Entity::find()
            .filter(entity::namespace::Column::PublisherId.eq(publisher.uuid()))
            .count(self.services.db.readers())
            .await?;
        if own >= u64::try_from(OWN_NAMESPACES_MAX).unwrap_or(u64::MAX) {
            let message = format!("a publisher has at most {OWN_NAMESPACES_MAX} namespaces");
            return Err(PublishingError::conflict(message));
        }
        let id = NamespaceId::new(&*self.services.ids, self.now_us);
        let row = entity::namespace::Model {
            connection_id: Some(connection),
            status: NamespaceState::Draft.as_str().to_owned(),
            readme_source_url,
            ..blank_namespace(id.uuid(), publisher.uuid(), name, self.now_us)
        };
        self.tell(self.by.entry(Action::NamespaceCreate, "namespace", id).after(trail::namespace(&row)));
        self.services.add_namespace(&mut self.unit, row.clone(), self.now_us);
        let group = self.add_default_group(id);
        Ok((row, group))
    }
}
