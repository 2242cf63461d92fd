//! The command line. Each command is a function that returns its exit code (`product.md` 4.3).

use std::{io::Write, path::PathBuf};

use clap::{Parser, Subcommand};

use crate::{
    config::{ConfigSource, Environment, Loaded},
    operator::NotDone,
};

mod account;
mod apply;
mod audit;
mod chargeback;
pub mod dates;
mod doctor;
mod export;
mod keep;
mod ledger;
mod listing;
mod master_key;
mod operate;
mod operator;
mod payout;
mod policy;
mod price;
mod purchase;
mod reference;
mod refund;
mod serve;

/// Tollgate stands between agents and the tools they pay for.
#[derive(Debug, Parser)]
#[command(name = "tollgate", version, about)]
pub struct Cli {
    /// The configuration file; else `./tollgate.json5` if it is there, else built-in defaults.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server.
    Serve(serve::ServeArgs),
    /// Import the catalog and the policy of a configuration file.
    Apply(apply::ApplyArgs),
    /// Check configuration, master key, database, server, TLS, mail and catalog.
    Doctor(doctor::DoctorArgs),
    /// Make accounts, give them credits, and correct their wallets.
    #[command(subcommand)]
    Account(account::AccountCommand),
    /// Deal with bought credits.
    #[command(subcommand)]
    Purchase(purchase::PurchaseCommand),
    /// Give back what a call was charged, or a part of it.
    Refund(refund::RefundArgs),
    /// Deal with payments that their provider takes back.
    #[command(subcommand)]
    Chargeback(chargeback::ChargebackCommand),
    /// Pay a publisher, or a partner their margin, and print the statement.
    Payout(payout::PayoutArgs),
    /// Let prices change at some time to come.
    #[command(subcommand)]
    Price(price::PriceCommand),
    /// Look at what publishers have handed in, and approve or reject it.
    #[command(subcommand)]
    Listing(listing::ListingCommand),
    /// Replace the master key.
    #[command(subcommand)]
    MasterKey(master_key::MasterKeyCommand),
    /// Say who may use the console, and who may look at the books.
    #[command(subcommand)]
    Operator(operator::OperatorCommand),
    /// See who changed what.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Look at the books.
    #[command(subcommand)]
    Ledger(ledger::LedgerCommand),
    /// Check, show, compare, try, keep, publish and take back policies.
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Copy the database to a file, also beside a running server.
    Backup(keep::BackupArgs),
    /// Make the database from a backup, and check its books.
    Restore(keep::RestoreArgs),
    /// Print the OpenAPI document.
    Openapi,
    /// Print this command line as Markdown.
    #[command(hide = true)]
    Reference,
}

/// Exit codes, the same for every command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Fine.
    Ok,
    /// Refused, or a check failed.
    Refused,
    /// The command line makes no sense.
    Usage,
    /// The configuration cannot be used.
    Config,
    /// The database cannot be used.
    Database,
    /// The books are damaged.
    Damaged,
}

impl Exit {
    const ALL: [(Self, u8); 6] = [
        (Self::Ok, 0),
        (Self::Refused, 1),
        (Self::Usage, 2),
        (Self::Config, 3),
        (Self::Database, 4),
        (Self::Damaged, 5),
    ];

    /// What the process ends with.
    pub fn number(self) -> u8 {
        Self::ALL.iter().find(|(exit, _)| *exit == self).map_or(1, |(_, number)| *number)
    }

    /// For people.
    const fn meaning(self) -> &'static str {
        match self {
            Self::Ok => "done, or all is well",
            Self::Refused => "refused, or a check failed; the message says why",
            Self::Usage => "the command line makes no sense",
            Self::Config => "the configuration cannot be used",
            Self::Database => "the database cannot be used",
            Self::Damaged => "the books are damaged",
        }
    }

    /// Reads what [`Self::number`] gives.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == number).map(|(exit, _)| *exit)
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.number())
    }
}

/// A command that did not do what it was asked.
#[derive(Debug)]
struct Failure {
    exit: Exit,
    message: String,
}

impl Failure {
    fn new(exit: Exit, message: impl std::fmt::Display) -> Self {
        Self { exit, message: message.to_string() }
    }
}

impl From<NotDone> for Failure {
    fn from(NotDone { exit, message }: NotDone) -> Self {
        Self { exit, message }
    }
}

type Outcome = Result<Exit, Failure>;

/// Runs the command of this process.
pub fn run() -> Exit {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Ok };
            return error.print().map_or(Exit::Usage, |()| exit);
        }
    };
    let environment = Environment::of_process();
    crate::telemetry::start(environment.get("RUST_LOG"));
    let outcome = match &cli.command {
        Command::Backup(args) => load(&cli, &environment).and_then(|loaded| keep::backup(args, &loaded.config)),
        Command::Restore(args) => load(&cli, &environment).and_then(|loaded| keep::restore(args, &loaded.config)),
        Command::Openapi => openapi(),
        Command::Reference => reference::run(),
        Command::Serve(args) => load(&cli, &environment).and_then(|loaded| serve::run(args, loaded, &environment)),
        Command::Apply(args) => apply::run(args, &environment),
        Command::Doctor(args) => doctor::run(args, &ConfigSource::from_option(cli.config.clone()), &environment),
        Command::Account(command) => load(&cli, &environment).and_then(|loaded| account::run(command, &loaded)),
        Command::Purchase(command) => load(&cli, &environment).and_then(|loaded| purchase::run(command, &loaded)),
        Command::Refund(args) => load(&cli, &environment).and_then(|loaded| refund::run(args, &loaded)),
        Command::Chargeback(command) => load(&cli, &environment).and_then(|loaded| chargeback::run(command, &loaded)),
        Command::Payout(args) => load(&cli, &environment).and_then(|loaded| payout::run(args, &loaded)),
        Command::Price(command) => load(&cli, &environment).and_then(|loaded| price::run(command, &loaded)),
        Command::Listing(command) => load(&cli, &environment).and_then(|loaded| listing::run(command, &loaded)),
        Command::MasterKey(command) => {
            load(&cli, &environment).and_then(|loaded| master_key::run(command, &loaded, &environment))
        }
        Command::Operator(command) => load(&cli, &environment).and_then(|loaded| operator::run(command, &loaded)),
        Command::Audit(command) => load(&cli, &environment).and_then(|loaded| audit::run(command, &loaded)),
        Command::Policy(command) => {
            load(&cli, &environment).and_then(|loaded| policy::run(command, &loaded, &environment))
        }
        Command::Ledger(command) => {
            load(&cli, &environment).and_then(|loaded| ledger::run(command, &loaded, &environment))
        }
    };
    outcome.unwrap_or_else(|failure| {
        say_error(&failure.message);
        failure.exit
    })
}

fn openapi() -> Outcome {
    let document = crate::openapi::document().map_err(|error| Failure::new(Exit::Refused, error))?;
    say(document.trim_end())
}

fn load(cli: &Cli, environment: &Environment) -> Result<Loaded, Failure> {
    let loaded = crate::config::load(&ConfigSource::from_option(cli.config.clone()), environment)
        .map_err(|error| Failure::new(Exit::Config, error))?;
    for warning in &loaded.warnings {
        say_error(&format!("warning: {warning}"));
    }
    Ok(loaded)
}

/// An error and what caused it, on one line.
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// Prints a line on the standard output. A reader that went away is no failure of ours, but nothing more is printed.
fn say(line: &str) -> Outcome {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(|error| Failure::new(Exit::Refused, error))?;
    Ok(Exit::Ok)
}

fn say_error(line: &str) {
    // Nobody is left to be told if this fails.
    drop(writeln!(std::io::stderr().lock(), "{line}"));
}
