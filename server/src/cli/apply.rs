//! `tollgate apply FILE [--plan]`: imports the catalog of a configuration file.

use std::path::PathBuf;

use clap::Args;
use engine::service::catalog::{Change, PlannedChange};
use serde_json::json;

use super::{Exit, Failure, Outcome, say};
use crate::{
    app,
    config::{ConfigSource, Environment},
    importer,
};

#[derive(Debug, Args)]
pub(super) struct ApplyArgs {
    /// The configuration file.
    file: PathBuf,
    /// Only say what would change.
    #[arg(long)]
    plan: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &ApplyArgs, environment: &Environment) -> Outcome {
    let loaded = crate::config::load(&ConfigSource::File(args.file.clone()), environment)
        .map_err(|error| Failure::new(Exit::Config, error))?;
    let declared = importer::declared(&loaded.config.catalog).map_err(|error| Failure::new(Exit::Config, error))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Refused, error))?;
    let changes = runtime.block_on(async {
        let engine = app::open_engine(&loaded.config).await.map_err(|error| Failure::new(Exit::Database, error))?;
        let changes = if args.plan {
            engine.services.plan_import(&declared).await
        } else {
            engine.services.import(&declared).await
        };
        changes.map_err(|error| Failure::new(Exit::Refused, error))
    })?;
    if args.json {
        let changes: Vec<_> =
            changes.iter().map(|change| json!({"item": change.item, "change": word(change)})).collect();
        return say(&json!({"applied": !args.plan, "changes": changes}).to_string());
    }
    if changes.is_empty() {
        return say("nothing to change");
    }
    for change in &changes {
        say(&format!("{} {}", word(change), change.item))?;
    }
    Ok(Exit::Ok)
}

const fn word(change: &PlannedChange) -> &'static str {
    match change.change {
        Change::Create => "create",
        Change::Update => "update",
    }
}
