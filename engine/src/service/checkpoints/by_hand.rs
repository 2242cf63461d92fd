//! What operators do with checkpoints: look at the newest one, and sign one now.

use sea_orm::{EntityTrait, QueryOrder};

use super::{CheckpointError, KnownCheckpoint};
use crate::{
    audit::OpContext,
    service::Services,
    store::{StoreError, entity},
};

impl Services {
    /// The newest checkpoint; `None` if there is none yet.
    ///
    /// # Errors
    /// The database cannot be read, or a row makes no sense.
    pub async fn find_newest_checkpoint(&self) -> Result<Option<KnownCheckpoint>, StoreError> {
        let query = entity::checkpoint::Entity::find().order_by_desc(entity::checkpoint::Column::Number);
        let Some(row) = query.one(self.db.readers()).await? else { return Ok(None) };
        Ok(self.with_keys(vec![row]).await?.into_iter().next())
    }

    /// Signs what the books have come to. `seen` is the number of the newest checkpoint that whoever asks knows of, 0 for none;
    /// `None`: it does not matter. Returns `None` where nothing has happened since the newest checkpoint, or where somebody else
    /// has signed since or at the same moment.
    ///
    /// # Errors
    /// The database failed, or the key cannot be used.
    pub async fn sign_checkpoint(
        &self,
        by: &OpContext,
        seen: Option<i64>,
        reason: &str,
    ) -> Result<Option<KnownCheckpoint>, CheckpointError> {
        self.make_checkpoint_after(by, 0, Some((seen, reason))).await
    }
}
