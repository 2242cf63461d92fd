//! What waits for an operator, and everything else that publishers have, a page at a time.

use uuid::Uuid;

use crate::{
    catalog::NamespaceState,
    id::{NamespaceId, PublisherId},
    service::{
        Services,
        dashboard::AtLeast,
        paging::{Listed, PAGE_READ},
    },
    store::{
        StoreError,
        listings::{self, ListingRow},
    },
};

pub use crate::store::listings::ListingFilter;

/// A namespace in a list of operators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedListing {
    /// Which.
    pub namespace: NamespaceId,
    /// The slug.
    pub name: String,
    /// Its title.
    pub listing_name: Option<String>,
    /// Whose.
    pub publisher: PublisherId,
    /// What that is called for people.
    pub publisher_name: String,
    /// How far it has come.
    pub status: NamespaceState,
    /// Something of it waits for an operator; where it is in public, that is its draft.
    pub is_waiting: bool,
    /// When what waits was handed in, in microseconds since the Unix epoch.
    pub submitted_us: Option<i64>,
    /// When it was made, in microseconds since the Unix epoch.
    pub created_us: i64,
}

/// How much waits for an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReviewQueue {
    /// How many namespaces.
    pub waiting: AtLeast,
    /// When the first of them was handed in, in microseconds since the Unix epoch.
    pub oldest_us: Option<i64>,
}

impl Services {
    /// The namespaces that are `wanted`, the newest first, from behind the one named by `after`.
    ///
    /// # Errors
    /// The database cannot be read, or holds a namespace that makes no sense.
    pub async fn list_listings(
        &self,
        wanted: ListingFilter,
        after: Option<Uuid>,
    ) -> Result<Listed<ListedListing>, StoreError> {
        let count_max = i64::try_from(PAGE_READ).unwrap_or(i64::MAX);
        let rows = listings::list(self.db.readers(), wanted, after.unwrap_or(Uuid::max()), count_max).await?;
        let listed = Listed::of(rows, |row| row.id.as_simple().to_string());
        Ok(Listed { rows: listed.rows.into_iter().map(read).collect::<Result<_, _>>()?, next: listed.next })
    }

    /// How much waits for an operator.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn load_review_queue(&self) -> Result<ReviewQueue, StoreError> {
        let counted = listings::waiting(self.db.readers()).await?;
        Ok(ReviewQueue { waiting: AtLeast::of(counted), oldest_us: counted.value })
    }
}

fn read(row: ListingRow) -> Result<ListedListing, StoreError> {
    let status = NamespaceState::from_wire(&row.status)
        .ok_or_else(|| StoreError::Inconsistent { table: "namespace", what: row.name.clone() })?;
    Ok(ListedListing {
        namespace: row.id.into(),
        name: row.name,
        listing_name: row.listing_name,
        publisher: row.publisher.into(),
        publisher_name: row.publisher_name,
        status: if row.is_suspended { NamespaceState::Suspended } else { status },
        is_waiting: row.is_waiting,
        submitted_us: row.submitted_us.filter(|_| row.is_waiting),
        created_us: row.created_us,
    })
}
