//! Pictures: what a file is was found out before, by its content. One that is there already is not kept twice.

use sea_orm::{EntityTrait, IntoActiveModel, sea_query::OnConflict};

use super::Change;
use crate::{
    ledger::{hex::hex, leaf::sha256},
    publishing::images::{self, ImageError},
    service::Services,
    store::{StoreError, entity},
};

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// What it is, such as `image/png`.
    pub media_type: String,
    /// The file.
    pub bytes: Vec<u8>,
}

impl Services {
    /// The picture of this name.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_asset(&self, id: &str) -> Result<Option<Asset>, StoreError> {
        if !is_asset(id) {
            return Ok(None);
        }
        let row = entity::asset::Entity::find_by_id(id).one(self.db.readers()).await?;
        Ok(row.map(|row| Asset { media_type: row.media_type, bytes: row.bytes }))
    }
}

impl Change<'_> {
    /// Adds a picture; its name.
    pub(super) fn add_asset(&mut self, bytes: &[u8]) -> Result<String, ImageError> {
        let kind = images::check(bytes)?;
        let id = hex(&sha256(bytes));
        let row = entity::asset::Model {
            id: id.clone(),
            media_type: kind.media_type().to_owned(),
            bytes: bytes.to_vec(),
            created_us: self.now_us,
        };
        let mut is_there = OnConflict::column(entity::asset::Column::Id);
        is_there.do_nothing();
        let insert = entity::asset::Entity::insert(row.into_active_model()).on_conflict(is_there);
        self.unit.any(self.services.db.backend(), &insert);
        Ok(id)
    }
}

/// Whether this is the name of a picture: 64 hexadecimal digits in small letters.
pub(super) fn is_asset(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
