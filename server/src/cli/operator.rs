//! `tollgate operator create|list|revoke`.

use clap::{Args, Subcommand, ValueEnum};
use engine::service::auditors::AUDITOR_DAYS_DEFAULT;

use super::{Exit, Failure, Outcome, operate};
use crate::{
    app,
    config::Loaded,
    operator::{Command, auditor},
};

#[derive(Debug, Subcommand)]
pub(super) enum OperatorCommand {
    /// Make a token for somebody with a role and print it, once.
    Create(CreateArgs),
    /// Print who has a role.
    List(ListArgs),
    /// Take a role back: the token is worth nothing at once.
    Revoke(RevokeArgs),
}

/// What somebody may do.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Role {
    /// Read and export the books.
    Auditor,
}

#[derive(Debug, Args)]
pub(super) struct CreateArgs {
    /// What it is for.
    #[arg(long)]
    role: Role,
    /// Who it is for.
    #[arg(long)]
    name: String,
    /// For how many days it is good.
    #[arg(long, default_value_t = AUDITOR_DAYS_DEFAULT)]
    days: u32,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct RevokeArgs {
    /// The identifier that `operator create` and `operator list` print.
    operator: String,
    /// Why; kept in the audit trail.
    #[arg(long)]
    reason: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: &OperatorCommand, loaded: &Loaded) -> Outcome {
    match command {
        OperatorCommand::Create(args) => {
            let Role::Auditor = args.role;
            let command = Command::AuditorCreate { name: args.name.clone(), days: args.days };
            operate::run(&command, &loaded.config, args.json)
        }
        OperatorCommand::Revoke(args) => {
            let command = Command::AuditorRevoke { operator: args.operator.clone(), reason: args.reason.clone() };
            operate::run(&command, &loaded.config, args.json)
        }
        OperatorCommand::List(args) => {
            let done = operate::runtime()?.block_on(async {
                let services = app::open_readers(&loaded.config).await;
                let services = services.map_err(|error| Failure::new(Exit::Database, error))?;
                let auditors = services.list_auditors().await;
                let auditors = auditors.map_err(|error| Failure::new(Exit::Database, error))?;
                Ok::<_, Failure>(auditor::listed(&auditors, services.clock.now_us())?)
            })?;
            operate::print(&done, args.json)
        }
    }
}
