//! Slugs that namespaces had before they were renamed. The old name is nobody's at once, and for a while no other namespace gets
//! it: who still calls it gets no answer, rather than a stranger's bill. One of a draft, which nobody has called, its publisher
//! gives to another draft.

use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel as _, PaginatorTrait, QueryFilter};
use serde_json::json;

use super::{Change, PublishingError, listing::is_public};
use crate::{
    audit::{Action, OpContext},
    id::{NamespaceId, PublisherId},
    limits::{FORMER_NAME_DAYS, FORMER_NAMES_MAX},
    service::{Services, outbox::unexpected},
    store::{NotSaved, UnitOfWork, entity},
};

const DAY_US: i64 = 86_400_000_000;

/// Until when a name is kept that is given up at `now_us`.
pub(super) const fn kept_until(now_us: i64) -> i64 {
    now_us.saturating_add(FORMER_NAME_DAYS.saturating_mul(DAY_US))
}

impl Services {
    /// Whether this publisher may give the name to a namespace (`taker`; `None`: a new one) at `now_us`, if nobody has it.
    pub(super) async fn check_former_name(
        &self,
        (publisher, taker): (PublisherId, Option<&entity::namespace::Model>),
        name: &str,
        now_us: i64,
    ) -> Result<(), PublishingError> {
        let row = entity::former_name::Entity::find_by_id(name).one(self.db.readers()).await?;
        let may_take = |row: &entity::former_name::Model| {
            let is_its_own = taker.is_some_and(|taker| taker.id == row.namespace_id);
            // Before a draft is in public, an operator looks at it: also at what it is called.
            let is_of_drafts = !row.was_public && !taker.is_some_and(is_public);
            row.publisher_id == publisher.uuid() && (is_its_own || is_of_drafts)
        };
        match row.filter(|row| now_us < row.free_us && !may_take(row)) {
            Some(row) => Err(PublishingError::NameKept { field: "namespace", until_us: row.free_us }),
            None => Ok(()),
        }
    }

    /// Lets anybody have a name that a namespace had before.
    ///
    /// # Errors
    /// Nobody had it within the last months, or the database failed.
    pub async fn free_former_name(
        &self,
        by: &OpContext,
        name: &str,
        reason: Option<&str>,
    ) -> Result<(), PublishingError> {
        use entity::former_name::{Column, Entity};
        let row = Entity::find_by_id(name).one(self.db.readers()).await?;
        let row = row.ok_or(PublishingError::NotFound("former name"))?;
        let mut unit = UnitOfWork::new();
        unit.one(
            self.db.backend(),
            &Entity::delete_many().filter(Column::Name.eq(name)).filter(Column::FreeUs.eq(row.free_us)),
        );
        let told = by
            .entry(Action::NamespaceFreeName, "namespace", NamespaceId::from(row.namespace_id))
            .before(json!({"former_name": row.name, "kept_until_us": row.free_us}))
            .after(json!({"former_name": null, "kept_until_us": null}));
        let told = match reason {
            Some(reason) => told.because(reason),
            None => told,
        };
        match self.ledger.save(unit.audited(told)).await {
            Ok(_) => Ok(()),
            Err(NotSaved::Conflict { .. }) => Err(PublishingError::Overtaken),
            Err(not_saved) => Err(unexpected("former_name", not_saved).into()),
        }
    }
}

impl Change<'_> {
    /// Somebody has the name now: it is kept for nobody any more.
    pub(super) async fn take_name(&mut self, name: &str) -> Result<(), PublishingError> {
        use entity::former_name::{Column, Entity};
        if Entity::find_by_id(name).one(self.services.db.readers()).await?.is_some() {
            let taken = Entity::delete_many().filter(Column::Name.eq(name));
            self.unit.any(self.services.db.backend(), &taken);
        }
        Ok(())
    }

    /// The namespace is called otherwise from now on: its name is kept for it.
    pub(super) async fn give_name_up(&mut self, old: &entity::namespace::Model) -> Result<(), PublishingError> {
        use entity::former_name::{Column, Entity, Model};
        let kept =
            Entity::find().filter(Column::PublisherId.eq(old.publisher_id)).filter(Column::FreeUs.gt(self.now_us));
        if kept.count(self.services.db.readers()).await? >= FORMER_NAMES_MAX {
            let message = format!(
                "{FORMER_NAMES_MAX} names were given up within {FORMER_NAME_DAYS} days: no other one is for now"
            );
            return Err(PublishingError::conflict(message));
        }
        self.take_name(&old.name).await?;
        let row = Model {
            name: old.name.clone(),
            namespace_id: old.id,
            publisher_id: old.publisher_id,
            given_up_us: self.now_us,
            free_us: kept_until(self.now_us),
            was_public: is_public(old),
        };
        self.one(&Entity::insert(row.into_active_model()));
        Ok(())
    }
}
