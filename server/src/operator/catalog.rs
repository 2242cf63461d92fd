//! The catalog of a configuration file, as operators import it.

use engine::{
    audit::OpContext,
    service::{
        Services,
        catalog::{Change, ImportError, PlannedChange},
    },
};
use serde::Serialize;

use super::{Done, NotDone, done, policy};
use crate::{
    cli::Exit,
    config::{self, ConfigSource, Environment},
    importer,
};

#[derive(Serialize)]
struct ChangeView<'a> {
    item: &'a str,
    change: &'static str,
}

#[derive(Serialize)]
struct ApplyView<'a> {
    applied: bool,
    changes: Vec<ChangeView<'a>>,
    policy: Option<policy::AppliedPolicy>,
}

pub(super) async fn apply(
    services: &Services,
    by: &OpContext,
    catalog: &str,
    policy: Option<&str>,
    publishes: bool,
) -> Result<Done, NotDone> {
    let source = ConfigSource::Text { name: "catalog".to_owned(), text: catalog.to_owned() };
    let loaded = config::load(&source, &Environment::default()).map_err(|error| NotDone::new(Exit::Config, error))?;
    let declared = importer::declared(&loaded.config.catalog).map_err(|error| NotDone::new(Exit::Config, error))?;
    let changes = services.import(by, &declared).await.map_err(import_refused)?;
    // After the catalog: the policy may be about its new tools.
    let policy = match policy {
        Some(text) => policy::apply(services, by, text, publishes).await.map_err(|error| {
            NotDone::new(error.exit, format!("the catalog was imported, the policy was not: {}", error.message))
        })?,
        None => None,
    };
    changes_done(&changes, policy, true)
}

/// What an import changed, or would change.
///
/// # Errors
/// The answer cannot be written.
pub fn changes_done(
    changes: &[PlannedChange],
    policy: Option<policy::AppliedPolicy>,
    applied: bool,
) -> Result<Done, NotDone> {
    let mut lines: Vec<_> = changes.iter().map(|change| format!("{} {}", word(change), change.item)).collect();
    lines.extend(policy.as_ref().map(policy::AppliedPolicy::line));
    if lines.is_empty() {
        lines.push("nothing to change".to_owned());
    }
    let changes = changes.iter().map(|change| ChangeView { item: &change.item, change: word(change) }).collect();
    done(&ApplyView { applied, changes, policy }, lines)
}

/// The word for what an import does with an item.
pub const fn word(change: &PlannedChange) -> &'static str {
    match change.change {
        Change::Create => "create",
        Change::Update => "update",
    }
}

/// How an import that was not carried out ends.
pub fn import_refused(error: ImportError) -> NotDone {
    match error {
        ImportError::Store(error) => error.into(),
        ImportError::Price { .. } | ImportError::Item { .. } | ImportError::NotSaved(_) => NotDone::refused(error),
    }
}
