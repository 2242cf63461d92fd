//! `tollgate operator create|list|link|revoke|enable`.

use clap::{Args, Subcommand, ValueEnum};
use engine::{operator, service::auditors::AUDITOR_DAYS_DEFAULT};

use super::{Exit, Failure, Outcome, operate};
use crate::{
    app,
    config::{Config, Loaded},
    operator::{Command, console},
};

#[derive(Debug, Subcommand)]
pub(super) enum OperatorCommand {
    /// Let somebody into the console and print the link that sets their password, once. An auditor without an address gets
    /// a token for the books instead.
    Create(CreateArgs),
    /// Print who has a role.
    List(ListArgs),
    /// Give an operator a new link. Password and second factor are worth nothing any more, and all sessions end.
    Link(LinkArgs),
    /// Take all roles back: sessions end at once, and a token is worth nothing.
    Revoke(RevokeArgs),
    /// Let an operator in again whose roles were taken back. Password and second factor are as they were.
    Enable(LinkArgs),
}

/// What somebody may do; `docs/console-roles.md` has it all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Role {
    /// Do everything, and say who may do what.
    Owner,
    /// Run the catalog, the partners and the accounts.
    Operator,
    /// Move money and close the books.
    Finance,
    /// Write and publish policies.
    PolicyEditor,
    /// Read and export everything.
    Auditor,
    /// Read, and give small amounts back.
    Support,
}

impl Role {
    fn word(self) -> &'static str {
        let role = match self {
            Self::Owner => operator::Role::Owner,
            Self::Operator => operator::Role::Operator,
            Self::Finance => operator::Role::Finance,
            Self::PolicyEditor => operator::Role::PolicyEditor,
            Self::Auditor => operator::Role::Auditor,
            Self::Support => operator::Role::Support,
        };
        role.as_str()
    }
}

#[derive(Debug, Args)]
pub(super) struct CreateArgs {
    /// What they are: `owner`, `operator`, `finance`, `policy_editor`, `auditor` or `support`. May be given more than once.
    #[arg(long = "role", value_name = "ROLE", required = true)]
    roles: Vec<Role>,
    /// Who it is for.
    #[arg(long)]
    name: String,
    /// The address that they sign in to the console with.
    #[arg(long)]
    email: Option<String>,
    /// For how many days an auditor's token is good.
    #[arg(long, default_value_t = AUDITOR_DAYS_DEFAULT, conflicts_with = "email")]
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
pub(super) struct LinkArgs {
    /// The identifier that `operator create` and `operator list` print, or the email address.
    operator: String,
    /// Why; kept in the audit trail.
    #[arg(long)]
    reason: Option<String>,
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
    let config = &loaded.config;
    match command {
        OperatorCommand::Create(args) => operate::run(&creation(args, config)?, config, args.json),
        OperatorCommand::Link(args) => {
            let (operator, reason) = (args.operator.clone(), args.reason.clone());
            let command = Command::OperatorLink { operator, reason, base_url: base_url(config) };
            operate::run(&command, config, args.json)
        }
        OperatorCommand::Revoke(args) => {
            let (operator, reason) = (args.operator.clone(), args.reason.clone());
            let is_operator = operator.starts_with(engine::id::OperatorId::PREFIX);
            let command = if is_operator {
                Command::OperatorDisable { operator, reason }
            } else {
                Command::AuditorRevoke { operator, reason }
            };
            operate::run(&command, config, args.json)
        }
        OperatorCommand::Enable(args) => {
            let (operator, reason) = (args.operator.clone(), args.reason.clone());
            operate::run(&Command::OperatorEnable { operator, reason }, config, args.json)
        }
        OperatorCommand::List(args) => {
            let done = operate::runtime()?.block_on(async {
                let database = |error: &dyn std::fmt::Display| Failure::new(Exit::Database, error);
                let services = app::open_readers(config).await.map_err(|error| database(&error))?;
                let operators = services.list_operators().await.map_err(|error| database(&error))?;
                let auditors = services.list_auditors().await.map_err(|error| database(&error))?;
                Ok::<_, Failure>(console::listed(&operators, &auditors, services.clock.now_us())?)
            })?;
            operate::print(&done, args.json)
        }
    }
}

/// Somebody with an address for the console, or an auditor with a token.
fn creation(args: &CreateArgs, config: &Config) -> Result<Command, Failure> {
    let name = args.name.clone();
    match (&args.email, &*args.roles) {
        (Some(email), roles) => Ok(Command::OperatorCreate {
            email: email.clone(),
            name,
            roles: roles.iter().map(|role| role.word().to_owned()).collect(),
            base_url: base_url(config),
        }),
        (None, [Role::Auditor]) => Ok(Command::AuditorCreate { name, days: args.days }),
        (None, _) => {
            let text = "`--email` is missing: only an auditor, and nothing else, can do with a token instead";
            Err(Failure::new(Exit::Usage, text))
        }
    }
}

/// Where people find the server: as configured, whichever port a running one has really bound.
fn base_url(config: &Config) -> String {
    config.server.console_url()
}
