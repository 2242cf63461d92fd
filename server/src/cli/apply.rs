//! `tollgate apply FILE [--plan]`: imports the catalog of a configuration file.

use std::path::PathBuf;

use clap::Args;
use engine::store::DatabasePlace;
use secrecy::ExposeSecret as _;

use super::{Exit, Failure, Outcome, operate};
use crate::{
    app,
    config::{ConfigSource, Environment, Loaded},
    importer,
    operator::{self, Command, Done},
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
    if args.plan {
        let done = operate::runtime()?.block_on(plan(&loaded))?;
        return operate::print(&done, args.json);
    }
    let command = Command::Apply { catalog: loaded.catalog_text.expose_secret().to_owned() };
    operate::run(&command, &loaded.config, args.json)
}

/// What would change. Reads beside a running server; without a database, an empty one is made to compare with.
async fn plan(loaded: &Loaded) -> Result<Done, Failure> {
    let declared = importer::declared(&loaded.config.catalog).map_err(|error| Failure::new(Exit::Config, error))?;
    let database = |error: app::StartError| Failure::new(Exit::Database, error);
    let url = loaded.config.database.url.expose();
    let place = DatabasePlace::of(url).map_err(|error| Failure::new(Exit::Config, error))?;
    if place.file().is_some_and(|path| !path.exists()) {
        app::open_engine(&loaded.config).await.map_err(database)?;
    }
    let services = app::open_readers(&loaded.config).await.map_err(database)?;
    let changes = services.plan_import(&declared).await.map_err(operator::import_refused)?;
    Ok(operator::changes_done(&changes, false)?)
}
