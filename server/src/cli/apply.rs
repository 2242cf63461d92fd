//! `tollgate apply FILE [--plan] [--publish]`: imports the catalog and the policy of a configuration file.

use std::path::PathBuf;

use clap::Args;
use engine::{policy::WrittenPolicy, store::DatabasePlace};
use secrecy::ExposeSecret as _;

use super::{Exit, Failure, Outcome, operate};
use crate::{
    app,
    config::{ConfigSource, Environment, Loaded, PolicySource},
    gateway::setup,
    importer,
    operator::{self, Command, Done, policy},
};

#[derive(Debug, Args)]
pub(super) struct ApplyArgs {
    /// The configuration file.
    file: PathBuf,
    /// Only say what would change.
    #[arg(long)]
    plan: bool,
    /// Put a changed policy in force; without this it becomes a draft, unless the file leads (`gateway.policy_source`).
    #[arg(long)]
    publish: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &ApplyArgs, environment: &Environment) -> Outcome {
    let loaded = crate::config::load(&ConfigSource::File(args.file.clone()), environment)
        .map_err(|error| Failure::new(Exit::Config, error))?;
    if args.plan {
        let done = operate::runtime()?.block_on(plan(&loaded, publishes(args, &loaded)))?;
        return operate::print(&done, args.json);
    }
    let command = Command::Apply {
        catalog: loaded.catalog_text.expose_secret().to_owned(),
        policy: policy_of(&loaded).as_ref().map(policy::text_of),
        publishes: publishes(args, &loaded),
    };
    operate::run(&command, &loaded.config, args.json)
}

/// What would change. Reads beside a running server; without a database, an empty one is made to compare with.
async fn plan(loaded: &Loaded, publishes: bool) -> Result<Done, Failure> {
    let declared = importer::declared(&loaded.config.catalog).map_err(|error| Failure::new(Exit::Config, error))?;
    let database = |error: app::StartError| Failure::new(Exit::Database, error);
    let url = loaded.config.database.url.expose();
    let place = DatabasePlace::of(url).map_err(|error| Failure::new(Exit::Config, error))?;
    if place.file().is_some_and(|path| !path.exists()) {
        app::open_engine(&loaded.config).await.map_err(database)?;
    }
    let services = app::open_readers(&loaded.config).await.map_err(database)?;
    let changes = services.plan_import(&declared).await.map_err(operator::catalog::import_refused)?;
    let policy = match policy_of(loaded) {
        Some(written) => policy::plan(&services, &written, publishes).await?,
        None => None,
    };
    Ok(operator::catalog::changes_done(&changes, policy, false)?)
}

/// The policy of the file, if it has one: a file with a catalog alone leaves the policy as it is.
fn policy_of(loaded: &Loaded) -> Option<WrittenPolicy> {
    (!setup::has_no_policy(&loaded.config)).then(|| setup::written_policy(&loaded.config))
}

fn publishes(args: &ApplyArgs, loaded: &Loaded) -> bool {
    args.publish || loaded.config.gateway.policy_source == PolicySource::File
}
