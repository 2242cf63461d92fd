//! What stands before a deed is done, for whoever decides.

use crate::{
    id::ToolId,
    service::{Services, prices::PriceVersion},
    store::StoreError,
};

impl Services {
    /// The price of `tool` (its namespace and name, or its plain name) that is in force at `at_us` (microseconds since the
    /// Unix epoch) as far as is known; `None` if there is no such tool, or it has no price then.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_standing_price(&self, tool: &str, at_us: i64) -> Result<Option<PriceVersion>, StoreError> {
        let Some(tool) = self.find_tool_by_path(tool) else { return Ok(None) };
        self.find_price_at(tool, at_us).await
    }

    /// The tool of this namespace and name, or of this plain name.
    pub(super) fn find_tool_by_path(&self, path: &str) -> Option<ToolId> {
        let snapshot = self.snapshot();
        let offer = match path.split_once('/') {
            Some((namespace, name)) => snapshot.find_offer(namespace, name),
            None => snapshot.find_core_tool(path),
        };
        offer.map(|offer| offer.tool.id)
    }
}
