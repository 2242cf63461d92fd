//! `tollgate credentials rewrap`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use engine::ledger::hex::hex;

use super::{Exit, Failure, Outcome, operate};
use crate::{
    config::{Environment, Loaded, master_key::MasterKey},
    operator::Command,
    publishing,
};

#[derive(Debug, Subcommand)]
pub(super) enum CredentialsCommand {
    /// Seal the secrets of publishers under the master key that is in use now, after it was replaced.
    Rewrap(RewrapArgs),
}

#[derive(Debug, Args)]
pub(super) struct RewrapArgs {
    /// A file with the master key that was in use before; others than its owner must not be able to read it.
    #[arg(long, value_name = "FILE")]
    old_key_file: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: &CredentialsCommand, loaded: &Loaded, environment: &Environment) -> Outcome {
    let CredentialsCommand::Rewrap(args) = command;
    let config = &loaded.config;
    let unusable = |error: crate::config::master_key::MasterKeyError| Failure::new(Exit::Config, error);
    let old = MasterKey::from_file(&args.old_key_file).map_err(unusable)?;
    let new = MasterKey::load(environment, &config.database).map_err(unusable)?;
    // Only what these secrets were sealed under is handed over, never the master key.
    let old_key = hex(&old.derive(publishing::SEALING_LABEL).map_err(unusable)?);
    let setup = publishing::setup(&new).map_err(unusable)?;
    let command = Command::CredentialsRewrap { old_key };
    let done = operate::hand_over_prepared(&command, config, |services| services.set_up_credentials(setup))?;
    operate::print(&done, args.json)
}
