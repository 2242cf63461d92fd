//! `tollgate policy draft|publish|rollback|list`: the policy's versions.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Exit, Failure, Outcome, operate};
use crate::{
    app,
    config::{ConfigSource, Environment, Loaded},
    gateway::setup,
    operator::{Command, policy},
};

#[derive(Debug, Subcommand)]
pub(super) enum PolicyCommand {
    /// Check a policy and keep it as a draft.
    Draft(DraftArgs),
    /// Put a draft in force, on every running server.
    Publish(PublishArgs),
    /// Put an earlier version in force again, as a new version.
    Rollback(RollbackArgs),
    /// List the versions, newest first.
    List(ListArgs),
}

#[derive(Debug, Args)]
pub(super) struct DraftArgs {
    /// A file with the sections `session`, `tools`, `agents`, `channels`, `gateway.tools` and `operator_policies`, as in a
    /// configuration file; other sections of one are passed over.
    file: PathBuf,
    /// What it is for.
    #[arg(long, default_value = "")]
    note: String,
    /// Who wrote it.
    #[arg(long, default_value = "operator")]
    author: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct PublishArgs {
    /// The draft's number.
    number: i64,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct RollbackArgs {
    /// The version's number; without one, the version that was in force before.
    number: Option<i64>,
    /// Who wants that.
    #[arg(long, default_value = "operator")]
    author: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// At most so many.
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    limit: u64,
    /// Only those before this number.
    #[arg(long, value_name = "NUMBER")]
    before: Option<i64>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: &PolicyCommand, loaded: &Loaded, environment: &Environment) -> Outcome {
    let (command, json) = match command {
        PolicyCommand::Draft(args) => {
            let read = crate::config::load(&ConfigSource::File(args.file.clone()), environment);
            let read = read.map_err(|error| Failure::new(Exit::Config, error))?;
            let policy = policy::text_of(&setup::written_policy(&read.config));
            (Command::PolicyDraft { policy, author: args.author.clone(), note: args.note.clone() }, args.json)
        }
        PolicyCommand::Publish(args) => (Command::PolicyPublish { number: args.number }, args.json),
        PolicyCommand::Rollback(args) => {
            (Command::PolicyRollback { number: args.number, author: args.author.clone() }, args.json)
        }
        PolicyCommand::List(args) => return list(args, loaded),
    };
    operate::run(&command, &loaded.config, json)
}

/// Reads, also beside a running server.
fn list(args: &ListArgs, loaded: &Loaded) -> Outcome {
    let listed = operate::runtime()?.block_on(async {
        let services = app::open_readers(&loaded.config).await.map_err(|error| Failure::new(Exit::Database, error))?;
        services.list_policies(args.before, args.limit).await.map_err(|error| Failure::new(Exit::Database, error))
    })?;
    operate::print(&policy::listed(&listed)?, args.json)
}
