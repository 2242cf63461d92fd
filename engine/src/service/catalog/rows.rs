//! The rows of the catalog as they are made, by an import or by an operator, and the one way in which operators save them.

use sea_orm::{EntityTrait, IntoActiveModel};

use crate::{
    audit::AuditEntry,
    id::PublisherId,
    ledger::AccountKind,
    service::{Services, outbox::unexpected},
    store::{NotSaved, StoreError, UnitOfWork, entity},
};

/// How the tags of a listing are kept.
pub(super) fn tags_to_json(tags: &[String]) -> String {
    serde_json::Value::from(tags).to_string()
}

/// What a new publisher is.
pub(super) struct PublisherTerms<'a> {
    /// By which files and people know it.
    pub(super) slug: &'a str,
    /// Shown.
    pub(super) display_name: &'a str,
    /// Its share of every charge, in basis points.
    pub(super) share_bps: u16,
}

impl Services {
    /// Adds to `unit` a publisher with the account of what it earns.
    pub(super) fn add_publisher(
        &self,
        unit: &mut UnitOfWork,
        id: PublisherId,
        terms: &PublisherTerms<'_>,
        now_us: i64,
    ) {
        let payable = self.open_ledger_account(unit, AccountKind::Payable, &id.to_string(), now_us);
        let row = entity::publisher::Model {
            id: id.uuid(),
            slug: terms.slug.to_owned(),
            display_name: terms.display_name.to_owned(),
            is_suspended: false,
            share_bps: terms.share_bps.into(),
            payable: payable.raw(),
            created_us: now_us,
        };
        self.state(unit, &row, now_us);
        unit.one(self.db.backend(), &entity::publisher::Entity::insert(row.into_active_model()));
    }

    /// Adds to `unit` a namespace.
    pub(super) fn add_namespace(&self, unit: &mut UnitOfWork, row: entity::namespace::Model, now_us: i64) {
        self.state(unit, &row, now_us);
        unit.one(self.db.backend(), &entity::namespace::Entity::insert(row.into_active_model()));
    }

    /// Adds to `unit` a tool.
    pub(super) fn add_tool(&self, unit: &mut UnitOfWork, row: entity::tool::Model, now_us: i64) {
        self.state(unit, &row, now_us);
        unit.one(self.db.backend(), &entity::tool::Entity::insert(row.into_active_model()));
    }

    /// Adds to `unit` a version of a price.
    pub(in crate::service) fn add_price(&self, unit: &mut UnitOfWork, row: entity::price_version::Model, now_us: i64) {
        self.state(unit, &row, now_us);
        unit.one(self.db.backend(), &entity::price_version::Entity::insert(row.into_active_model()));
    }

    /// Writes what an operator changed in the catalog and takes it into use here; `false` if the rows are not as they were
    /// when it was decided.
    pub(super) async fn save_change(&self, unit: UnitOfWork, told: AuditEntry) -> Result<bool, StoreError> {
        match self.ledger.save(unit.audited(told)).await {
            Ok(_) => {}
            Err(NotSaved::Conflict { .. }) => return Ok(false),
            Err(not_saved) => return Err(unexpected("catalog", not_saved)),
        }
        self.reload_snapshot().await?;
        Ok(true)
    }
}
