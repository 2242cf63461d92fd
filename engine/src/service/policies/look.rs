//! The versions as a list for people.

use sea_orm::{
    ColumnTrait, EntityTrait, IdenStatic as _, Iterable as _, QueryFilter, QuerySelect,
    sea_query::{Expr, ExprTrait as _},
};

use super::{POLICIES_LISTED_MAX, PolicyState, PolicyVersionInfo, info, newest_first};
use crate::{
    service::{
        Services,
        paging::{Listed, PAGE_READ, begins_in_any_case},
    },
    store::{StoreError, entity},
};

/// Which versions are wanted. What is `None` or empty does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicyFilter {
    /// In this state.
    pub state: Option<PolicyState>,
    /// By an author whose name begins like this.
    pub author: String,
}

impl Services {
    /// The newest versions, newest first; those before `before`, if that is given.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn list_policies(
        &self,
        before: Option<i64>,
        count_max: u64,
    ) -> Result<Vec<PolicyVersionInfo>, StoreError> {
        let mut query = newest_first().limit(Ord::min(count_max, POLICIES_LISTED_MAX));
        if let Some(before) = before {
            query = query.filter(entity::policy_version::Column::Number.lt(before));
        }
        query.all(self.db.readers()).await?.iter().map(info).collect()
    }

    /// A page of the versions that `filter` wants, newest first: those before the number `before`, if that is given.
    ///
    /// The primary key serves it. A narrow filter reads on until the page is full, over versions that people have made.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn list_policy_versions(
        &self,
        filter: &PolicyFilter,
        before: Option<i64>,
    ) -> Result<Listed<PolicyVersionInfo>, StoreError> {
        use entity::policy_version::Column;
        // Texts may be long, and nobody reads fifty of them.
        let columns = Column::iter().filter(|column| !matches!(column, Column::Text));
        let mut query = newest_first()
            .select_only()
            .columns(columns)
            .column_as(Expr::value(""), Column::Text.as_str())
            .limit(PAGE_READ);
        if let Some(before) = before {
            query = query.filter(Column::Number.lt(before));
        }
        if let Some(state) = filter.state {
            query = query.filter(Column::State.eq(state.as_str()));
        }
        if !filter.author.is_empty() {
            query = query.filter(begins_in_any_case(Column::Author, &filter.author));
        }
        let rows = query.all(self.db.readers()).await?;
        let versions = rows.iter().map(info).collect::<Result<Vec<_>, _>>()?;
        Ok(Listed::of(versions, |version| version.number.to_string()))
    }

    pub(super) async fn find_policy_row(
        &self,
        number: i64,
    ) -> Result<Option<entity::policy_version::Model>, StoreError> {
        Ok(entity::policy_version::Entity::find_by_id(number).one(self.db.readers()).await?)
    }

    /// The row of what was in force at a time.
    pub(super) async fn find_policy_row_at(
        &self,
        at_us: i64,
    ) -> Result<Option<entity::policy_version::Model>, StoreError> {
        use entity::policy_version::Column;
        let query = newest_first()
            .filter(Column::PublishedUs.lte(at_us))
            .filter(Column::RetiredUs.gt(at_us).or(Column::RetiredUs.is_null()))
            .limit(1);
        Ok(query.one(self.db.readers()).await?)
    }
}
