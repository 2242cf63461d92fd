//! The command line. Each command is a function that returns its exit code (`product.md` 4.3).

use std::{io::Write, path::PathBuf};

use clap::{Parser, Subcommand};

use crate::config::{ConfigSource, Environment, Loaded};

mod apply;
mod ledger;
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
    /// Import the catalog of a configuration file.
    Apply(apply::ApplyArgs),
    /// Look at the books.
    #[command(subcommand)]
    Ledger(ledger::LedgerCommand),
    /// Print the OpenAPI document.
    Openapi,
}

/// Exit codes, the same for every command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Fine.
    Ok = 0,
    /// Refused, or a check failed.
    Refused = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// The configuration cannot be used.
    Config = 3,
    /// The database cannot be used.
    Database = 4,
    /// The books are damaged.
    Damaged = 5,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Ok => 0,
            Exit::Refused => 1,
            Exit::Usage => 2,
            Exit::Config => 3,
            Exit::Database => 4,
            Exit::Damaged => 5,
        })
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
        Command::Openapi => openapi(),
        Command::Serve(args) => load(&cli, &environment).and_then(|loaded| serve::run(args, loaded, &environment)),
        Command::Apply(args) => apply::run(args, &environment),
        Command::Ledger(command) => load(&cli, &environment).and_then(|loaded| ledger::run(command, &loaded.config)),
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
