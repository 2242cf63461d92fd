//! The catalog as operators list it and look at it.
//!
//! Every server holds the whole catalog in memory, so its tables are small: a list walks them by their primary keys, the
//! newest first, and looks at each row. Schemas and long descriptions are only read of the one tool that is looked at.

use std::collections::HashMap;

use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Query, SelectStatement},
};
use uuid::Uuid;

use super::terms::{NamespaceTerms, ToolTerms, namespace_terms_of, terms_of};
use crate::{
    catalog::{NamespaceState, Visibility},
    credits::Credits,
    id::{NamespaceId, PublisherId, ToolId},
    ledger::LedgerAccountId,
    service::{
        Services,
        paging::{Listed, PAGE_READ, begins_in_any_case},
    },
    store::{StoreError, entity, journal},
};

/// A publisher as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublisherProfile {
    /// Which.
    pub id: PublisherId,
    /// By which files and people know it.
    pub slug: String,
    /// Shown.
    pub display_name: String,
    /// None of its tools can be called.
    pub is_suspended: bool,
    /// Its share of every charge, in basis points.
    pub share_bps: i32,
    /// Where its earnings stand.
    pub payable: LedgerAccountId,
    /// When it was made, in microseconds since the Unix epoch.
    pub created_us: i64,
}

/// What a publisher has earned, in micro-credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Earnings {
    /// To be paid out.
    pub payable: Credits,
    /// What it owes: more went back than was there.
    pub owed: Credits,
    /// Everything that ever came in.
    pub received: Credits,
}

/// Which publishers are wanted. What is empty or `None` does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PublisherFilter {
    /// How its slug or its name begins.
    pub name: String,
    /// Suspended ones, or those that are not.
    pub is_suspended: Option<bool>,
}

/// A namespace as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamespaceProfile {
    /// Which.
    pub id: NamespaceId,
    /// The slug.
    pub name: String,
    /// Whose.
    pub publisher: PublisherId,
    /// What can be changed.
    pub terms: NamespaceTerms,
    /// None of its tools can be called.
    pub is_suspended: bool,
    /// How far it has come: before it is active, nobody but its publisher knows of it.
    pub status: NamespaceState,
    /// When it was made, in microseconds since the Unix epoch.
    pub created_us: i64,
}

impl NamespaceProfile {
    /// How far it has come, or that it is stopped.
    pub const fn state(&self) -> NamespaceState {
        if self.is_suspended { NamespaceState::Suspended } else { self.status }
    }
}

/// Why a tool can be called, or not, and by whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToolStanding {
    /// It can, by anybody.
    Active,
    /// By its publisher alone: its namespace was not approved.
    Unapproved,
    /// By its publisher alone, who wants it so.
    Private,
    /// It is switched off.
    Disabled,
    /// Its namespace is suspended.
    NamespaceSuspended,
    /// Its publisher is suspended.
    PublisherSuspended,
}

/// A tool as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolProfile {
    /// Which.
    pub id: ToolId,
    /// Its name in its namespace.
    pub name: String,
    /// One line about it.
    pub short_description: String,
    /// Where it belongs, and whose that is; nowhere for a core tool.
    pub seller: Option<(NamespaceProfile, PublisherProfile)>,
    /// It is switched off.
    pub is_disabled: bool,
    /// Who sees it.
    pub visibility: Visibility,
    /// When it was made, in microseconds since the Unix epoch.
    pub created_us: i64,
}

impl ToolProfile {
    /// `namespace/tool`, or the plain name of a core tool.
    pub fn path(&self) -> String {
        match &self.seller {
            Some((namespace, _)) => format!("{}/{}", namespace.name, self.name),
            None => self.name.clone(),
        }
    }

    /// Why it can be called, or not, and by whom.
    pub fn standing(&self) -> ToolStanding {
        match &self.seller {
            _ if self.is_disabled => ToolStanding::Disabled,
            Some((namespace, _)) if namespace.is_suspended => ToolStanding::NamespaceSuspended,
            Some((_, publisher)) if publisher.is_suspended => ToolStanding::PublisherSuspended,
            Some((namespace, _)) if namespace.status != NamespaceState::Active => ToolStanding::Unapproved,
            _ if self.visibility == Visibility::Private => ToolStanding::Private,
            _ => ToolStanding::Active,
        }
    }
}

/// One tool with everything about it but its prices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolDetail {
    /// As in a list.
    pub profile: ToolProfile,
    /// What can be changed.
    pub terms: ToolTerms,
    /// The tool's name on the MCP server that it calls; `None` for a plain HTTP endpoint.
    pub mcp_tool: Option<String>,
}

/// Which tools are wanted. What is empty or `None` does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ToolFilter {
    /// Of this publisher.
    pub publisher: Option<PublisherId>,
    /// In the namespace of this name.
    pub namespace: String,
    /// How its name begins.
    pub name: String,
    /// Switched off, or not.
    pub is_disabled: Option<bool>,
}

/// The columns of a tool that a list shows.
type ToolRow = (Uuid, Option<Uuid>, String, String, bool, String, i64);

impl Services {
    /// The publishers that `filter` wants, the newest first, from behind the one named by `after`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn list_publishers(
        &self,
        filter: &PublisherFilter,
        after: Option<Uuid>,
    ) -> Result<Listed<PublisherProfile>, StoreError> {
        use entity::publisher::Column;
        let mut query = entity::publisher::Entity::find().order_by_desc(Column::Id).limit(PAGE_READ);
        if !filter.name.is_empty() {
            query = query.filter(
                Condition::any()
                    .add(begins_in_any_case(Column::Slug, &filter.name))
                    .add(begins_in_any_case(Column::DisplayName, &filter.name)),
            );
        }
        if let Some(is_suspended) = filter.is_suspended {
            query = query.filter(Column::IsSuspended.eq(is_suspended));
        }
        if let Some(after) = after {
            query = query.filter(Column::Id.lt(after));
        }
        let rows = query.all(self.db.readers()).await?;
        Ok(Listed::of(rows, |row| row.id.as_simple().to_string()).map(publisher))
    }

    /// A publisher by slug or identifier.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_publisher(&self, text: &str) -> Result<Option<PublisherProfile>, StoreError> {
        let found = match text.parse::<PublisherId>() {
            Ok(id) => entity::publisher::Entity::find_by_id(id.uuid()),
            Err(_) => entity::publisher::Entity::find().filter(entity::publisher::Column::Slug.eq(text)),
        };
        Ok(found.one(self.db.readers()).await?.map(publisher))
    }

    /// What a publisher has earned, over all slots, as payouts count it.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn load_earnings(&self, publisher: &PublisherProfile) -> Result<Earnings, StoreError> {
        let earned = journal::load_turnover(&self.db, publisher.payable).await?;
        let debt = journal::load_turnover(&self.db, publisher.payable.receivable()).await?;
        Ok(Earnings {
            payable: Credits::from_micros(earned.credits.saturating_sub(earned.debits)),
            owed: Credits::from_micros(debt.debits.saturating_sub(debt.credits)).max(Credits::ZERO),
            received: Credits::from_micros(earned.credits),
        })
    }

    /// The namespaces of a publisher, the newest first, from behind the one named by `after`. The index
    /// `namespace_publisher` finds them.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn list_namespaces(
        &self,
        of: PublisherId,
        after: Option<Uuid>,
    ) -> Result<Listed<NamespaceProfile>, StoreError> {
        use entity::namespace::Column;
        let mut query = entity::namespace::Entity::find()
            .filter(Column::PublisherId.eq(of.uuid()))
            .order_by_desc(Column::Id)
            .limit(PAGE_READ);
        if let Some(after) = after {
            query = query.filter(Column::Id.lt(after));
        }
        let rows = query.all(self.db.readers()).await?;
        Ok(Listed::of(rows, |row| row.id.as_simple().to_string()).map(namespace))
    }

    /// A namespace by name or identifier.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_namespace(&self, text: &str) -> Result<Option<NamespaceProfile>, StoreError> {
        let found = match text.parse::<NamespaceId>() {
            Ok(id) => entity::namespace::Entity::find_by_id(id.uuid()),
            Err(_) => entity::namespace::Entity::find().filter(entity::namespace::Column::Name.eq(text)),
        };
        Ok(found.one(self.db.readers()).await?.map(namespace))
    }

    /// The tools that `filter` wants, the newest first, from behind the one named by `after`. Of one namespace the index
    /// `tool_name` finds them.
    ///
    /// # Errors
    /// The database cannot be read, or holds a tool without its namespace or publisher.
    pub async fn list_tools(
        &self,
        filter: &ToolFilter,
        after: Option<Uuid>,
    ) -> Result<Listed<ToolProfile>, StoreError> {
        use entity::tool::Column;
        let mut query = entity::tool::Entity::find()
            .select_only()
            .columns([
                Column::Id,
                Column::NamespaceId,
                Column::Name,
                Column::ShortDescription,
                Column::IsSuspended,
                Column::Visibility,
                Column::CreatedUs,
            ])
            .order_by_desc(Column::Id)
            .limit(PAGE_READ);
        if filter.publisher.is_some() || !filter.namespace.is_empty() {
            query = query.filter(Column::NamespaceId.in_subquery(namespaces_of(filter)));
        }
        if !filter.name.is_empty() {
            query = query.filter(begins_in_any_case(Column::Name, &filter.name));
        }
        if let Some(is_disabled) = filter.is_disabled {
            query = query.filter(Column::IsSuspended.eq(is_disabled));
        }
        if let Some(after) = after {
            query = query.filter(Column::Id.lt(after));
        }
        let rows: Vec<ToolRow> = query.into_tuple().all(self.db.readers()).await?;
        let listed = Listed::of(rows, |(id, ..)| id.as_simple().to_string());
        let sellers = self.sellers(listed.rows.iter().filter_map(|(_, namespace, ..)| *namespace)).await?;
        let rows = listed.rows.into_iter().map(|row| tool(row, &sellers)).collect::<Result<_, _>>()?;
        Ok(Listed { rows, next: listed.next })
    }

    /// A tool.
    ///
    /// # Errors
    /// As for [`Self::list_tools`].
    pub async fn find_tool(&self, id: ToolId) -> Result<Option<ToolDetail>, StoreError> {
        let row = entity::tool::Entity::find_by_id(id.uuid()).one(self.db.readers()).await?;
        let Some(row) = row else { return Ok(None) };
        let sellers = self.sellers(row.namespace_id.into_iter()).await?;
        let (terms, mcp_tool) = (terms_of(&row), row.upstream_tool);
        let shown = (
            row.id,
            row.namespace_id,
            row.name,
            row.short_description,
            row.is_suspended,
            row.visibility,
            row.created_us,
        );
        Ok(Some(ToolDetail { profile: tool(shown, &sellers)?, terms, mcp_tool }))
    }

    /// These namespaces with their publishers.
    async fn sellers(
        &self,
        namespaces: impl Iterator<Item = Uuid>,
    ) -> Result<HashMap<Uuid, (NamespaceProfile, PublisherProfile)>, StoreError> {
        let mut wanted: Vec<Uuid> = namespaces.collect();
        wanted.sort_unstable();
        wanted.dedup();
        if wanted.is_empty() {
            return Ok(HashMap::new());
        }
        let of_id = entity::namespace::Column::Id.is_in(wanted);
        let namespaces = entity::namespace::Entity::find().filter(of_id).all(self.db.readers()).await?;
        let mut owners: Vec<Uuid> = namespaces.iter().map(|row| row.publisher_id).collect();
        owners.sort_unstable();
        owners.dedup();
        let of_id = entity::publisher::Column::Id.is_in(owners);
        let publishers = entity::publisher::Entity::find().filter(of_id).all(self.db.readers()).await?;
        let publishers: HashMap<Uuid, PublisherProfile> =
            publishers.into_iter().map(|row| (row.id, publisher(row))).collect();
        let with_owner = |row: entity::namespace::Model| {
            let owner = publishers.get(&row.publisher_id).cloned();
            let owner = owner.ok_or_else(|| StoreError::Inconsistent {
                table: "namespace",
                what: format!("`{}` has no publisher", row.name),
            })?;
            Ok((row.id, (namespace(row), owner)))
        };
        namespaces.into_iter().map(with_owner).collect()
    }
}

/// The namespaces whose tools `filter` wants.
fn namespaces_of(filter: &ToolFilter) -> SelectStatement {
    use entity::namespace::Column;
    let mut query = Query::select().column(Column::Id).from(entity::namespace::Entity).to_owned();
    if let Some(publisher) = filter.publisher {
        query.and_where(Column::PublisherId.eq(publisher.uuid()));
    }
    if !filter.namespace.is_empty() {
        query.and_where(Column::Name.eq(&filter.namespace));
    }
    query
}

fn publisher(row: entity::publisher::Model) -> PublisherProfile {
    PublisherProfile {
        id: row.id.into(),
        slug: row.slug,
        display_name: row.display_name,
        is_suspended: row.is_suspended,
        share_bps: row.share_bps,
        payable: LedgerAccountId::from_raw(row.payable),
        created_us: row.created_us,
    }
}

fn namespace(row: entity::namespace::Model) -> NamespaceProfile {
    NamespaceProfile {
        terms: namespace_terms_of(&row),
        id: row.id.into(),
        name: row.name,
        publisher: row.publisher_id.into(),
        is_suspended: row.is_suspended,
        // The snapshot refuses a catalog in which it cannot be read.
        status: NamespaceState::from_wire(&row.status).unwrap_or(NamespaceState::Draft),
        created_us: row.created_us,
    }
}

fn tool(
    (id, namespace, name, short_description, is_disabled, visibility, created_us): ToolRow,
    sellers: &HashMap<Uuid, (NamespaceProfile, PublisherProfile)>,
) -> Result<ToolProfile, StoreError> {
    let seller =
        match namespace {
            None => None,
            Some(namespace) => Some(sellers.get(&namespace).cloned().ok_or_else(|| StoreError::Inconsistent {
                table: "tool",
                what: format!("`{name}` has no namespace"),
            })?),
        };
    let visibility = Visibility::from_wire(&visibility)
        .ok_or_else(|| StoreError::Inconsistent { table: "tool", what: format!("the visibility of `{name}`") })?;
    Ok(ToolProfile { id: id.into(), name, short_description, seller, is_disabled, visibility, created_us })
}
