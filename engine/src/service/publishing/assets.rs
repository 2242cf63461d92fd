//! Pictures: what a file is was found out before, by its content. One that is there already is not kept twice, and one that nothing
//! shows any more goes with the change that took it away.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{
    ColumnTrait, Condition, EntityTrait, IntoActiveModel, PaginatorTrait as _, QueryFilter, QuerySelect as _,
    sea_query::OnConflict,
};
use serde_json::Value;
use uuid::Uuid;

use super::{Change, PICTURES_MAX, PublishingError, check_url, own_json};
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

/// Which pictures the rows that a change is about had, and which they have with it.
#[derive(Debug, Default)]
pub(super) struct Pictures {
    had: BTreeSet<String>,
    have: BTreeMap<Uuid, BTreeSet<String>>,
    uploaded: BTreeSet<String>,
}

impl Pictures {
    /// A publisher has another picture.
    pub(super) fn change_publisher(&mut self, old: &entity::publisher::Model, new: &entity::publisher::Model) {
        if old.logo != new.logo {
            let of = |row: &entity::publisher::Model| named(row.logo.as_deref(), None);
            self.change(new.id, of(old), of(new));
        }
    }

    /// A namespace has other pictures, in itself or in its draft.
    pub(super) fn change_namespace(&mut self, old: &entity::namespace::Model, new: &entity::namespace::Model) {
        if old.icon != new.icon || old.draft_listing != new.draft_listing {
            let of = |row: &entity::namespace::Model| named(row.icon.as_deref(), row.draft_listing.as_deref());
            self.change(new.id, of(old), of(new));
        }
    }

    fn change(&mut self, row: Uuid, old: BTreeSet<String>, new: BTreeSet<String>) {
        self.had.extend(old);
        self.have.insert(row, new);
    }

    fn have(&self) -> BTreeSet<String> {
        self.have.values().flatten().cloned().collect()
    }
}

/// The pictures that were uploaded here among an icon or a logo, and the icon of a draft.
fn named(own: Option<&str>, draft: Option<&str>) -> BTreeSet<String> {
    let draft = draft.map(own_json);
    let waiting = draft.as_ref().and_then(|draft| draft.get("namespace_icon_url")).and_then(Value::as_str);
    [own, waiting].into_iter().flatten().filter(|name| is_asset(name)).map(str::to_owned).collect()
}

/// A picture that a publisher names: one that was uploaded here, or its address elsewhere. An empty text takes it away.
pub(super) fn check_picture(field: &str, url: &str) -> Result<String, PublishingError> {
    if url.is_empty() {
        return Ok(String::new());
    }
    if let Some(id) = url.strip_prefix("/assets/").filter(|id| is_asset(id)) {
        return Ok(id.to_owned());
    }
    check_url(field, url)
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

    /// Whether there is a picture with this name.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn has_asset(&self, id: &str) -> Result<bool, StoreError> {
        Ok(is_asset(id) && entity::asset::Entity::find_by_id(id).count(self.db.readers()).await? > 0)
    }

    /// Whether a row that is none of `besides` shows a picture, or is to show it.
    async fn is_shown(&self, picture: &str, besides: impl Iterator<Item = Uuid> + Clone) -> Result<bool, StoreError> {
        use entity::{namespace, publisher};
        let publishers = publisher::Entity::find()
            .filter(publisher::Column::Logo.eq(picture))
            .filter(publisher::Column::Id.is_not_in(besides.clone()));
        if publishers.count(self.db.readers()).await? > 0 {
            return Ok(true);
        }
        // As drafts are written: within a text of theirs the quotes would have a backslash.
        let waits = namespace::Column::DraftListing.like(format!("%\"namespace_icon_url\":\"{picture}\"%"));
        let namespaces = namespace::Entity::find()
            .filter(Condition::any().add(namespace::Column::Icon.eq(picture)).add(waits))
            .filter(namespace::Column::Id.is_not_in(besides));
        Ok(namespaces.count(self.db.readers()).await? > 0)
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
        self.pictures.uploaded.insert(id.clone());
        Ok(id)
    }

    /// Whether a publisher may have the pictures that it has with this change. What is wrong with them is wrong with `field`.
    pub(super) async fn check_pictures(&self, publisher: Uuid, field: &str) -> Result<(), PublishingError> {
        use entity::namespace::Column;
        let mut kept = self.pictures.have();
        let added: Vec<&String> = kept.difference(&self.pictures.had).collect();
        if added.is_empty() {
            return Ok(());
        }
        for picture in added.into_iter().filter(|picture| !self.pictures.uploaded.contains(*picture)) {
            let found = entity::asset::Entity::find_by_id(picture.as_str()).count(self.services.db.readers()).await?;
            if found == 0 {
                return Err(PublishingError::field(field, "is no picture that is here"));
            }
        }
        let rows: Vec<(Uuid, Option<String>, Option<String>)> = entity::namespace::Entity::find()
            .select_only()
            .columns([Column::Id, Column::Icon, Column::DraftListing])
            .filter(Column::PublisherId.eq(publisher))
            .into_tuple()
            .all(self.services.db.readers())
            .await?;
        let others = rows.iter().filter(|(id, ..)| !self.pictures.have.contains_key(id));
        let mut others: Vec<String> =
            others.flat_map(|(_, icon, draft)| named(icon.as_deref(), draft.as_deref())).collect();
        if !self.pictures.have.contains_key(&publisher) {
            let row = self.services.load_publisher_row(publisher.into()).await?;
            others.extend(named(row.logo.as_deref(), None));
        }
        let mut before = self.pictures.had.clone();
        before.extend(others.iter().cloned());
        kept.extend(others);
        // Whoever has too many from before may still replace one.
        if kept.len() > PICTURES_MAX.max(before.len()) {
            let message = format!("is one picture too many: a publisher has at most {PICTURES_MAX} of them");
            return Err(PublishingError::field(field, message));
        }
        Ok(())
    }

    /// Lets the pictures go that nothing shows any more. Whoever shows one from this moment on changes the catalog as well: then
    /// this change is not written.
    pub(super) async fn forget_pictures(&mut self) -> Result<(), StoreError> {
        let have = self.pictures.have();
        for picture in self.pictures.had.difference(&have) {
            if !self.services.is_shown(picture, self.pictures.have.keys().copied()).await? {
                let gone = entity::asset::Entity::delete_many().filter(entity::asset::Column::Id.eq(picture));
                self.unit.any(self.services.db.backend(), &gone);
            }
        }
        Ok(())
    }
}

/// Whether this is the name of a picture: 64 hexadecimal digits in small letters.
fn is_asset(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
