//! What publishers do themselves: they become one, name their servers, make namespaces with tools, group and price them, and
//! hand in what others are to find. Everything of one request is one unit.
//!
//! Whatever is decided here is decided on one version of the catalog, and written only if it still is that one: of two
//! changes at once the second one is decided again, and nobody writes over what they have not seen.

use std::sync::Arc;

use sea_orm::{ActiveModelTrait as _, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QueryTrait};
use serde_json::Value;
use uuid::Uuid;

use self::assets::Pictures;
use super::{Services, outbox::unexpected};
use crate::{
    audit::{Action, AuditEntry, OpContext},
    catalog::SchemaError,
    id::{AccountId, ConnectionId, NamespaceId, PublisherId, ToolGroupId, ToolId},
    pricing::PriceError,
    publishing::FieldFault,
    sealing::{SealError, Sealing},
    store::{NotSaved, StoreError, UnitOfWork, entity},
};

mod assets;
mod connections;
mod credentials;
mod decision;
mod former;
mod groups;
mod inspection;
mod listing;
mod namespaces;
mod pricing;
mod profile;
mod queue;
mod review;
mod sales;
mod setup;
mod tools;
mod trail;
mod view;

pub use assets::Asset;
pub use connections::{ConnectionKind, NewConnection, OwnConnection};
pub(crate) use credentials::sealed_credential;
pub use credentials::{CredentialInput, CredentialView};
pub(in crate::service) use credentials::{bound_to_connection, bound_to_namespace};
pub use groups::{GroupChange, NewGroup, OwnGroup};
pub use inspection::{ListingFacts, Review, ToolOffer};
pub use listing::{ListingDraft, ListingEdit, ListingTarget, ToolListing};
pub use namespaces::{NamespaceChange, NewOwnNamespace};
pub use pricing::ToolUnits;
pub use profile::{OwnProfile, ProfileChange};
pub use queue::{ListedListing, ListingFilter, ReviewQueue};
pub use review::{HandedIn, OwnStatus, PublishAction};
pub use sales::{OwnCall, OwnCalls, SalesDay, SalesOfNamespace, SalesSummary};
pub use setup::{Imported, SetUp};
pub use tools::{ArgumentsChange, NewOwnTool, OwnUpstream, RestToolChange};
pub use view::{OwnNamespace, OwnTool};

/// How many servers a publisher may have.
pub const CONNECTIONS_MAX: usize = 100;
/// How many namespaces a publisher may have.
pub const OWN_NAMESPACES_MAX: usize = 100;
/// How many groups a namespace may have.
pub const GROUPS_MAX: usize = 100;
/// How many tools a publisher's namespace may have.
pub const OWN_TOOLS_MAX: usize = 1_000;
/// How many different pictures a publisher may have: its logo, and the icons of its namespaces and of their drafts.
pub const PICTURES_MAX: usize = 50;

/// What publishers' secrets are sealed under. `Debug` does not print it.
#[derive(Debug)]
pub struct CredentialSetup {
    /// A key for this alone.
    pub sealing: Sealing,
}

/// Why a publisher's request was not carried out. Nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum PublishingError {
    /// The account is no publisher.
    #[error("this account is no publisher yet")]
    NotAPublisher,
    /// The account's address is not confirmed: it becomes no publisher.
    #[error("the account's email address is not confirmed")]
    Unverified,
    /// There is no such thing, or it is somebody else's.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// A field cannot be used as it is.
    #[error(transparent)]
    Field(#[from] FieldFault),
    /// What is to be handed in is not complete.
    #[error("the listing is not complete")]
    Incomplete(Vec<FieldFault>),
    /// The price makes no sense.
    #[error(transparent)]
    Price(#[from] PriceError),
    /// It contradicts what is there.
    #[error("{0}")]
    Conflict(String),
    /// The name was another namespace's or tool's a while ago, and is kept for that one.
    #[error("the name is kept for what had it before")]
    NameKept {
        /// The field that has it: `namespace` or `name`.
        field: &'static str,
        /// When anybody may have it, in microseconds since the Unix epoch.
        until_us: i64,
    },
    /// Somebody else changed the catalog at the same moment.
    #[error("the catalog was changed at the same moment: try again")]
    Overtaken,
    /// Secrets cannot be sealed or opened.
    #[error(transparent)]
    Sealed(#[from] SealError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl PublishingError {
    pub(super) fn field(field: impl Into<String>, message: impl ToString) -> Self {
        Self::Field(FieldFault::new(field, message.to_string()))
    }

    fn conflict(message: impl Into<String>) -> Self {
        Self::Conflict(message.into())
    }
}

impl From<sea_orm::DbErr> for PublishingError {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Store(error.into())
    }
}

impl From<SchemaError> for PublishingError {
    fn from(error: SchemaError) -> Self {
        Self::field("input_schema", error)
    }
}

/// A change of the catalog that is being put together: its statements, and what the audit trail tells of it.
struct Change<'s> {
    services: &'s Services,
    by: &'s OpContext,
    now_us: i64,
    /// The version of the catalog that is decided on.
    version: i64,
    unit: UnitOfWork,
    told: Vec<AuditEntry>,
    pictures: Pictures,
}

impl Change<'_> {
    fn tell(&mut self, entry: AuditEntry) {
        self.told.push(entry);
    }

    /// Adds a statement that touches exactly one row.
    fn one<Q: QueryTrait>(&mut self, query: &Q) {
        self.unit.one(self.services.db.backend(), query);
    }

    /// Writes it and takes it into use here. What changes nothing is not written.
    async fn save(mut self) -> Result<(), PublishingError> {
        self.forget_pictures().await?;
        let Self { services, version, mut unit, told, .. } = self;
        let mut told = told.into_iter();
        let Some(first) = told.next() else { return Ok(()) };
        services.bump_catalog_from(&mut unit, version);
        services.save_published(unit, first, told.collect()).await
    }

    /// Changes a namespace to `new`, and tells of it as `action` if anything is different.
    fn change_namespace(&mut self, action: Action, old: &entity::namespace::Model, new: &entity::namespace::Model) {
        if old == new {
            return;
        }
        self.pictures.change_namespace(old, new);
        let facts = |row: &entity::namespace::Model| trail::namespace(row);
        let entry = self.by.entry(action, "namespace", NamespaceId::from(new.id));
        self.tell(entry.before(facts(old)).after(facts(new)));
        if old.name != new.name {
            // Callers name it: see `crate::ledger::fact::NAMESPACE`.
            self.services.state(&mut self.unit, new, self.now_us);
        }
        let update = entity::namespace::Entity::update_many()
            .set(new.clone().into_active_model().reset_all())
            .filter(entity::namespace::Column::Id.eq(new.id));
        self.one(&update);
    }

    /// Changes a tool of `namespace` to `new`, and tells of it if anything is different.
    fn change_tool(&mut self, namespace: &str, old: &entity::tool::Model, new: &entity::tool::Model) {
        if old == new {
            return;
        }
        let facts = |row: &entity::tool::Model| trail::tool(&format!("{namespace}/{}", row.name), row);
        let entry = self.by.entry(Action::ToolChange, "tool", ToolId::from(new.id));
        self.tell(entry.before(facts(old)).after(facts(new)));
        if old.name != new.name {
            self.services.state(&mut self.unit, new, self.now_us);
        }
        let update = entity::tool::Entity::update_many()
            .set(new.clone().into_active_model().reset_all())
            .filter(entity::tool::Column::Id.eq(new.id));
        self.one(&update);
    }
}

impl Services {
    /// Says what publishers' secrets are sealed under: before that none are taken, and none opened.
    pub fn set_up_credentials(&self, setup: Arc<CredentialSetup>) {
        self.credentials.store(Some(setup));
    }

    /// The publisher that this account is; `None` if it is none.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_own_publisher(&self, account: AccountId) -> Result<Option<PublisherId>, StoreError> {
        Ok(self.find_publisher_row(account).await?.map(|row| PublisherId::from(row.id)))
    }

    async fn find_publisher_row(&self, account: AccountId) -> Result<Option<entity::publisher::Model>, StoreError> {
        let found = entity::publisher::Entity::find().filter(entity::publisher::Column::AccountId.eq(account.uuid()));
        Ok(found.one(self.db.readers()).await?)
    }

    /// A change that is decided on the catalog as it is from now on.
    async fn begin_change<'s>(&'s self, by: &'s OpContext) -> Result<Change<'s>, StoreError> {
        let version = self.catalog_version().await?;
        let now_us = self.clock.now_us();
        Ok(Change {
            services: self,
            by,
            now_us,
            version,
            unit: UnitOfWork::new(),
            told: Vec::new(),
            pictures: Pictures::default(),
        })
    }

    async fn save_published(
        &self,
        unit: UnitOfWork,
        first: AuditEntry,
        others: Vec<AuditEntry>,
    ) -> Result<(), PublishingError> {
        match self.ledger.save(unit.audited(first).and(others)).await {
            Ok(_) => {}
            Err(NotSaved::Conflict { .. }) => return Err(PublishingError::Overtaken),
            Err(not_saved) => return Err(unexpected("catalog", not_saved).into()),
        }
        self.reload_snapshot().await?;
        Ok(())
    }

    async fn load_publisher_row(&self, publisher: PublisherId) -> Result<entity::publisher::Model, PublishingError> {
        let row = entity::publisher::Entity::find_by_id(publisher.uuid()).one(self.db.readers()).await?;
        row.ok_or(PublishingError::NotAPublisher)
    }

    async fn load_connection_row(
        &self,
        publisher: PublisherId,
        id: ConnectionId,
    ) -> Result<entity::connection::Model, PublishingError> {
        let row = entity::connection::Entity::find_by_id(id.uuid()).one(self.db.readers()).await?;
        row.filter(|row| row.publisher_id == publisher.uuid()).ok_or(PublishingError::NotFound("connection"))
    }

    async fn load_namespace_row(
        &self,
        publisher: PublisherId,
        id: NamespaceId,
    ) -> Result<entity::namespace::Model, PublishingError> {
        let row = entity::namespace::Entity::find_by_id(id.uuid()).one(self.db.readers()).await?;
        row.filter(|row| row.publisher_id == publisher.uuid()).ok_or(PublishingError::NotFound("namespace"))
    }

    async fn load_group_row(
        &self,
        namespace: &entity::namespace::Model,
        id: ToolGroupId,
    ) -> Result<entity::tool_group::Model, PublishingError> {
        let row = entity::tool_group::Entity::find_by_id(id.uuid()).one(self.db.readers()).await?;
        row.filter(|row| row.namespace_id == namespace.id).ok_or(PublishingError::NotFound("group"))
    }

    async fn load_tool_row(
        &self,
        namespace: &entity::namespace::Model,
        id: ToolId,
    ) -> Result<entity::tool::Model, PublishingError> {
        let row = entity::tool::Entity::find_by_id(id.uuid()).one(self.db.readers()).await?;
        row.filter(|row| row.namespace_id == Some(namespace.id)).ok_or(PublishingError::NotFound("tool"))
    }

    /// In the order of their publisher, and by name.
    async fn load_tool_rows(&self, namespace: Uuid) -> Result<Vec<entity::tool::Model>, StoreError> {
        use entity::tool::Column;
        let rows = entity::tool::Entity::find()
            .filter(Column::NamespaceId.eq(namespace))
            .order_by_asc(Column::DisplayOrder)
            .order_by_asc(Column::Name);
        Ok(rows.all(self.db.readers()).await?)
    }

    /// In the order of their publisher, and by name.
    async fn load_group_rows(&self, namespace: Uuid) -> Result<Vec<entity::tool_group::Model>, StoreError> {
        use entity::tool_group::Column;
        let rows = entity::tool_group::Entity::find()
            .filter(Column::NamespaceId.eq(namespace))
            .order_by_asc(Column::SortOrder)
            .order_by_asc(Column::Name);
        Ok(rows.all(self.db.readers()).await?)
    }
}

/// A list of texts as the database keeps it.
fn texts_of(table: &'static str, json: &str) -> Result<Vec<String>, StoreError> {
    serde_json::from_str(json).map_err(|error| StoreError::Inconsistent { table, what: error.to_string() })
}

/// One line of text for people, which may be empty.
fn check_optional_line(field: &str, text: &str) -> Result<(), PublishingError> {
    if text.is_empty() {
        return Ok(());
    }
    crate::catalog::check_line(text).map_err(|error| PublishingError::field(field, error))
}

/// A longer text for people, which may be empty. Line breaks and tabs are text, other control characters are not.
fn check_text(field: &str, text: &str, chars_max: usize) -> Result<(), PublishingError> {
    let is_text = !text.chars().any(|letter| letter.is_control() && !matches!(letter, '\n' | '\r' | '\t'));
    if is_text && text.chars().count() <= chars_max {
        return Ok(());
    }
    Err(PublishingError::field(field, format!("must be text of at most {chars_max} characters")))
}

/// An address as it is stored; see [`crate::catalog::http_url`].
fn check_url(field: &str, text: &str) -> Result<String, PublishingError> {
    const URL_BYTES_MAX: usize = 2_048;
    if text.len() > URL_BYTES_MAX {
        return Err(PublishingError::field(field, format!("must have at most {URL_BYTES_MAX} bytes")));
    }
    let url = crate::catalog::http_url(text).map_err(|error| PublishingError::field(field, error))?;
    Ok(url.into())
}

/// `None` for an empty text.
fn unless_empty(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// JSON that this program has written.
fn own_json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}
