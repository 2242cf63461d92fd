//! `tollgate audit list`: reads the audit trail, also beside a running server.

use clap::{Args, Subcommand};
use engine::service::audit::{AUDIT_PAGE_MAX, AuditCursor, AuditFilter};

use super::{Exit, Failure, Outcome, operate};
use crate::{app, config::Loaded, operator::trail};

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Print who changed what, the newest first.
    List(ListArgs),
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Not before this time, such as `2026-12-01T00:00:00Z`.
    #[arg(long, value_name = "TIME")]
    from: Option<jiff::Timestamp>,
    /// Before this time.
    #[arg(long, value_name = "TIME")]
    to: Option<jiff::Timestamp>,
    /// By this actor: `operator`, `account`, `system` …, or which one: `acc_…`.
    #[arg(long)]
    actor: Option<String>,
    /// This action, such as `price.schedule`, or all of a category: `price`.
    #[arg(long)]
    action: Option<String>,
    /// To this object: `account`, `token` …, or which one.
    #[arg(long)]
    object: Option<String>,
    /// How many rows.
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=AUDIT_PAGE_MAX))]
    limit: u64,
    /// Those behind this place, which the page before has told.
    #[arg(long, value_name = "PLACE")]
    after: Option<AuditCursor>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: &AuditCommand, loaded: &Loaded) -> Outcome {
    let AuditCommand::List(args) = command;
    if let (Some(from), Some(to)) = (args.from, args.to)
        && to <= from
    {
        return Err(Failure::new(Exit::Usage, format!("the time ends before it begins: {from} to {to}")));
    }
    let filter = AuditFilter {
        from_us: args.from.map(jiff::Timestamp::as_microsecond),
        to_us: args.to.map(jiff::Timestamp::as_microsecond),
        actor: args.actor.clone(),
        action: args.action.clone(),
        object: args.object.clone(),
    };
    let done = operate::runtime()?.block_on(async {
        let services = app::open_readers(&loaded.config).await;
        let services = services.map_err(|error| Failure::new(Exit::Database, error))?;
        let page = services.list_audit(&filter, args.after, args.limit).await;
        let (rows, next) = page.map_err(|error| Failure::new(Exit::Database, error))?;
        Ok::<_, Failure>(trail::listed(&rows, next)?)
    })?;
    operate::print(&done, args.json)
}
