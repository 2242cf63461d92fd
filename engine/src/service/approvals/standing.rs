//! What stands before a deed is done, for whoever decides.

use crate::{
    service::Services,
    store::{StoreError, entity},
};

impl Services {
    /// The price of `tool` (its namespace and name, or its plain name) that is in force at `at_us` (microseconds since the
    /// Unix epoch) as far as is known, as JSON of [`crate::service::catalog::spec_to_json`]; `None` if there is no such tool,
    /// or it has no price then.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_standing_price(&self, tool: &str, at_us: i64) -> Result<Option<String>, StoreError> {
        let snapshot = self.snapshot();
        let offer = match tool.split_once('/') {
            Some((namespace, name)) => snapshot.find_offer(namespace, name),
            None => snapshot.find_core_tool(tool),
        };
        let Some(offer) = offer else { return Ok(None) };
        let found: Option<entity::price_version::Model> = self.find_price_in_force(offer.tool.id.uuid(), at_us).await?;
        Ok(found.map(|row| row.spec))
    }
}
