//! `tollgate master-key rotate`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Exit, Failure, Outcome, operate};
use crate::{
    config::{
        Environment, Loaded,
        master_key::{MasterKey, MasterKeyError},
    },
    master_key::{self, HandedKeys},
    operator::Command,
};

#[derive(Debug, Subcommand)]
pub(super) enum MasterKeyCommand {
    /// Seal everything that is sealed under an earlier master key under the one that is in use now: publishers' secrets, second
    /// factors, signing keys, payloads, and what webhooks are signed with. Done again, it goes on where it stopped.
    Rotate(RotateArgs),
}

#[derive(Debug, Args)]
pub(super) struct RotateArgs {
    /// A file with the master key that was in use before; others than its owner must not be able to read it.
    #[arg(long, value_name = "FILE", required_unless_present = "old_key_lost")]
    old_key_file: Option<PathBuf>,
    /// Nobody has the old master key any more: say what is lost, and make webhooks new secrets.
    #[arg(long, conflicts_with = "old_key_file")]
    old_key_lost: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: &MasterKeyCommand, loaded: &Loaded, environment: &Environment) -> Outcome {
    let MasterKeyCommand::Rotate(args) = command;
    let config = &loaded.config;
    let unusable = |error: MasterKeyError| Failure::new(Exit::Config, error);
    let new = MasterKey::load(environment, &config.database).map_err(unusable)?;
    let old = args.old_key_file.as_deref().map(MasterKey::from_file).transpose().map_err(unusable)?;
    let old = old.as_ref().map(HandedKeys::of).transpose().map_err(unusable)?;
    let identity = master_key::identity(&new).map_err(unusable)?;
    let keys = std::sync::Arc::new(master_key::sealing_keys(&new).map_err(unusable)?);
    let command = Command::MasterKeyRotate { old: old.map(Box::new), new: identity };
    let done = operate::hand_over_prepared(&command, config, |services| services.set_up_master_key(keys))?;
    operate::print(&done, args.json)
}
