//! The price versions of a tool as operators look at them.

use std::collections::HashMap;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::{PriceVersion, view};
use crate::{
    id::{PriceVersionId, ToolId},
    service::{
        Services,
        paging::{Listed, PAGE_READ},
    },
    store::{StoreError, entity},
};

impl Services {
    /// The price versions of a tool, the last to take effect first, from before `before_us` (microseconds since the Unix
    /// epoch). Those that were taken back are among them. A tool has at most one version for a moment: the index of that
    /// finds them.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn list_prices(&self, tool: ToolId, before_us: Option<i64>) -> Result<Listed<PriceVersion>, StoreError> {
        use entity::price_version::Column;
        let mut query = entity::price_version::Entity::find()
            .filter(Column::ToolId.eq(tool.uuid()))
            .order_by_desc(Column::EffectiveFromUs)
            .limit(PAGE_READ);
        if let Some(before_us) = before_us {
            query = query.filter(Column::EffectiveFromUs.lt(before_us));
        }
        let rows = query.all(self.db.readers()).await?;
        let listed = Listed::of(rows, |row| row.effective_from_us.to_string());
        let cancelled = self.cancellations(listed.rows.iter().map(|row| row.id).collect()).await?;
        let path = self.path_of(tool.uuid());
        Ok(listed.map(|row| {
            let cancelled_us = cancelled.get(&row.id).copied();
            view(row, &path, cancelled_us, false)
        }))
    }

    /// A price version.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_price(&self, id: PriceVersionId) -> Result<Option<PriceVersion>, StoreError> {
        let row = entity::price_version::Entity::find_by_id(id.uuid()).one(self.db.readers()).await?;
        let Some(row) = row else { return Ok(None) };
        let cancelled = self.cancellations(vec![row.id]).await?;
        let (path, cancelled_us) = (self.path_of(row.tool_id), cancelled.get(&row.id).copied());
        Ok(Some(view(row, &path, cancelled_us, false)))
    }

    /// The version of a tool's price that is in force at `at_us` (microseconds since the Unix epoch), as far as is known.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_price_at(&self, tool: ToolId, at_us: i64) -> Result<Option<PriceVersion>, StoreError> {
        let row = self.find_price_in_force(tool.uuid(), at_us).await?;
        Ok(row.map(|row| {
            let path = self.path_of(row.tool_id);
            view(row, &path, None, false)
        }))
    }

    /// Which of these versions were taken back, and when.
    async fn cancellations(&self, ids: Vec<Uuid>) -> Result<HashMap<Uuid, i64>, StoreError> {
        let of_these = entity::price_cancellation::Column::PriceVersionId.is_in(ids);
        let rows = entity::price_cancellation::Entity::find().filter(of_these).all(self.db.readers()).await?;
        Ok(rows.into_iter().map(|row| (row.price_version_id, row.cancelled_us)).collect())
    }
}
