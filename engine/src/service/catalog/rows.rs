//! The rows of the catalog as they are made, by an import or by an operator, and the one way in which operators save them.

use sea_orm::{EntityTrait, IntoActiveModel};
use uuid::Uuid;

use crate::{
    audit::AuditEntry,
    catalog::{NamespaceState, Visibility},
    id::PublisherId,
    ledger::AccountKind,
    service::{Services, outbox::unexpected},
    store::{
        NotSaved, StoreError, UnitOfWork,
        entity::{self, namespace, tool},
    },
};

/// How the tags of a listing are kept.
pub(in crate::service) fn tags_to_json(tags: &[String]) -> String {
    serde_json::Value::from(tags).to_string()
}

/// A tool of this name with nothing in it yet: public, and its arguments are the body of the request.
pub(in crate::service) fn blank_tool(id: Uuid, namespace_id: Option<Uuid>, name: &str, now_us: i64) -> tool::Model {
    tool::Model {
        id,
        namespace_id,
        name: name.to_owned(),
        short_description: String::new(),
        long_description: String::new(),
        input_schema: String::new(),
        is_unverified_ok: false,
        is_suspended: false,
        upstream_method: String::new(),
        upstream_url: String::new(),
        timeout_ms: 0,
        created_us: now_us,
        category: None,
        tags: tags_to_json(&[]),
        upstream_tool: None,
        group_id: None,
        visibility: Visibility::Public.as_str().to_owned(),
        example_prompts: tags_to_json(&[]),
        display_order: 0,
        rest: None,
        static_args: None,
        default_args: None,
        unit_fields: None,
        credits_per_unit: None,
    }
}

/// A namespace of this name with nothing in it yet, which is public: nobody reviews what an operator makes.
pub(in crate::service) fn blank_namespace(id: Uuid, publisher_id: Uuid, name: &str, now_us: i64) -> namespace::Model {
    namespace::Model {
        id,
        name: name.to_owned(),
        publisher_id,
        description: String::new(),
        is_suspended: false,
        created_us: now_us,
        listing_name: None,
        category: None,
        tags: tags_to_json(&[]),
        connection_id: None,
        status: NamespaceState::Active.as_str().to_owned(),
        is_own_suspension: false,
        icon: None,
        readme_source_url: None,
        readme_content: None,
        draft_listing: None,
        credential: None,
        key_identifier: None,
        param_location: None,
        param_description: None,
    }
}

/// What a new publisher is.
pub(in crate::service) struct PublisherTerms<'a> {
    /// By which files and people know it.
    pub(in crate::service) slug: &'a str,
    /// Shown.
    pub(in crate::service) display_name: &'a str,
    /// Its share of every charge, in basis points.
    pub(in crate::service) share_bps: u16,
}

impl Services {
    /// Adds to `unit` a publisher with the account of what it earns, and gives its row.
    pub(in crate::service) fn add_publisher(
        &self,
        unit: &mut UnitOfWork,
        id: PublisherId,
        terms: &PublisherTerms<'_>,
        now_us: i64,
    ) -> entity::publisher::Model {
        let payable = self.open_ledger_account(unit, AccountKind::Payable, &id.to_string(), now_us);
        let row = entity::publisher::Model {
            id: id.uuid(),
            slug: terms.slug.to_owned(),
            display_name: terms.display_name.to_owned(),
            is_suspended: false,
            share_bps: terms.share_bps.into(),
            payable: payable.raw(),
            created_us: now_us,
            account_id: None,
            website_url: None,
            support_email: None,
            bio: None,
            legal_name: None,
            country: None,
            logo: None,
        };
        self.state(unit, &row, now_us);
        unit.one(self.db.backend(), &entity::publisher::Entity::insert(row.clone().into_active_model()));
        row
    }

    /// Adds to `unit` a namespace.
    pub(in crate::service) fn add_namespace(&self, unit: &mut UnitOfWork, row: namespace::Model, now_us: i64) {
        self.state(unit, &row, now_us);
        unit.one(self.db.backend(), &namespace::Entity::insert(row.into_active_model()));
    }

    /// Adds to `unit` a tool.
    pub(in crate::service) fn add_tool(&self, unit: &mut UnitOfWork, row: tool::Model, now_us: i64) {
        self.state(unit, &row, now_us);
        unit.one(self.db.backend(), &tool::Entity::insert(row.into_active_model()));
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
