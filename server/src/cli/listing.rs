//! `tollgate listing list|show|approve|reject|free`.

use clap::{Args, Subcommand};

use super::{Exit, Failure, Outcome, operate};
use crate::{
    app,
    config::{Config, Loaded},
    operator::{Command, Done, NotDone, listings},
};

#[derive(Debug, Subcommand)]
pub(super) enum ListingCommand {
    /// What publishers have handed in.
    List(Output),
    /// One namespace: what it is, what it is to become, and what its tools cost.
    Show(ShowArgs),
    /// Make public what was handed in, with its prices.
    Approve(ApproveArgs),
    /// Give back what was handed in.
    Reject(RejectArgs),
    /// Let anybody have a name that a namespace had before it was renamed.
    Free(FreeArgs),
}

#[derive(Debug, Args)]
pub(super) struct Output {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// The namespace: its slug or its identifier.
    namespace: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct ApproveArgs {
    /// The namespace: its slug or its identifier.
    namespace: String,
    /// What you have looked at, as `listing show` printed it: what was changed since is not approved.
    #[arg(long, value_name = "DIGITS")]
    seen: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct RejectArgs {
    /// The namespace: its slug or its identifier.
    namespace: String,
    /// What you have looked at, as `listing show` printed it.
    #[arg(long, value_name = "DIGITS")]
    seen: String,
    /// Why; its publisher reads it.
    #[arg(long)]
    reason: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct FreeArgs {
    /// The former slug.
    name: String,
    /// Why, for the audit trail.
    #[arg(long)]
    reason: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: &ListingCommand, loaded: &Loaded) -> Outcome {
    let config = &loaded.config;
    match command {
        ListingCommand::List(output) => print(operate::runtime()?.block_on(look(config, None)), output.json),
        ListingCommand::Show(args) => {
            print(operate::runtime()?.block_on(look(config, Some(&args.namespace))), args.json)
        }
        ListingCommand::Approve(args) => {
            let command = Command::ListingApprove { namespace: args.namespace.clone(), seen: args.seen.clone() };
            operate::run(&command, config, args.json)
        }
        ListingCommand::Reject(args) => {
            let command = Command::ListingReject {
                namespace: args.namespace.clone(),
                seen: args.seen.clone(),
                reason: args.reason.clone(),
            };
            operate::run(&command, config, args.json)
        }
        ListingCommand::Free(args) => {
            let command = Command::ListingFree { name: args.name.clone(), reason: args.reason.clone() };
            operate::run(&command, config, args.json)
        }
    }
}

fn print(found: Result<Done, NotDone>, json: bool) -> Outcome {
    operate::print(&found.map_err(Failure::from)?, json)
}

async fn look(config: &Config, namespace: Option<&str>) -> Result<Done, NotDone> {
    let services = app::open_readers(config).await.map_err(|error| NotDone::new(Exit::Database, error))?;
    match namespace {
        Some(namespace) => listings::show(&services, namespace).await,
        None => listings::list(&services).await,
    }
}
