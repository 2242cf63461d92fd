//! The policies that a snapshot decides by, and the text that they come from.

use std::sync::Arc;

use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};

use super::inconsistent;
use crate::{
    policy::{CachedPolicies, DECISION_CACHE_ENTRIES_MAX, Policies, WrittenPolicy},
    store::{Database, StoreError, entity},
};

/// The state of the version that is in force, as the database stores it.
pub(crate) const PUBLISHED: &str = "published";

/// Policies in force, with the number under which they were published.
#[derive(Debug)]
pub struct PoliciesInForce {
    number: i64,
    label: Arc<str>,
    cached: CachedPolicies,
}

impl PoliciesInForce {
    /// `number` is that of a published version; 0 stands for the program's own policies alone.
    pub fn new(number: i64, policies: Policies) -> Self {
        let label = format!("{number}-{}", policies.version()).into();
        Self { number, label, cached: CachedPolicies::new(policies, DECISION_CACHE_ENTRIES_MAX) }
    }

    /// The number of the published version; 0 for the program's own policies alone.
    pub const fn number(&self) -> i64 {
        self.number
    }

    /// What calls are recorded with: the number, a hyphen, and sixteen digits for everything that decides.
    pub const fn label(&self) -> &Arc<str> {
        &self.label
    }

    /// What decides.
    pub const fn cached(&self) -> &CachedPolicies {
        &self.cached
    }

    /// The set itself.
    pub fn policies(&self) -> &Policies {
        self.cached.policies()
    }
}

/// A published text that is not compiled yet.
#[derive(Debug)]
pub(super) struct Published {
    pub(super) number: i64,
    pub(super) written: WrittenPolicy,
}

impl Published {
    /// Reads the version that is in force.
    pub(super) async fn load(db: &Database) -> Result<Self, StoreError> {
        let found = entity::policy_version::Entity::find()
            .filter(entity::policy_version::Column::State.eq(PUBLISHED))
            .one(db.readers())
            .await?;
        let row = found.ok_or_else(|| inconsistent("policy_version", "none is published".to_owned()))?;
        Ok(Self { number: row.number, written: read_policy(row.number, &row.text)? })
    }
}

/// Reads the text of a stored version.
pub(crate) fn read_policy(number: i64, text: &str) -> Result<WrittenPolicy, StoreError> {
    WrittenPolicy::from_stored(text).map_err(|what| inconsistent("policy_version", format!("{number}: {what}")))
}
