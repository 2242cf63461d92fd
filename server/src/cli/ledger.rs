//! `tollgate ledger …`: reads the books, also beside a running server, closes periods, and lets the writer vouch for them.

use clap::{Args, Subcommand};
use engine::store::{Database, DatabasePlace, StoreError, books};
use serde_json::json;

use super::{Exit, Failure, Outcome, dates, export, operate, say};
use crate::{
    app,
    config::{Config, Environment, Loaded, master_key::MasterKey},
    operator::{self, Command, Done, NotDone},
};

mod books_file;
mod receipt;
mod verify;

#[derive(Debug, Subcommand)]
pub(super) enum LedgerCommand {
    /// Recompute every hash, balance and counter, and name what does not fit.
    Verify(verify::VerifyArgs),
    /// The sum of debits and credits of every account, or the trial balance of a period.
    TrialBalance(TrialBalanceArgs),
    /// Close the next period: nothing gets into it after that.
    Close(CloseArgs),
    /// Write a report for auditors: CSV, JSON Lines, or a journal for hledger or beancount.
    Export(export::ExportArgs),
    /// Write the books themselves, with everything that was hashed, as lines of JSON; `docs/verify_export.py` checks them.
    Books(books_file::BooksArgs),
    /// Prove a call: what the books say of it, and the way to a signed checkpoint. `docs/verify_receipt.py` checks it.
    Receipt(receipt::ReceiptArgs),
    /// Sign what the books have come to, if anything happened since the last time.
    Checkpoint(Output),
    /// Sign with a new key from now on. The old one vouches for it.
    RotateKey(Output),
}

#[derive(Debug, Args)]
pub(super) struct TrialBalanceArgs {
    /// Of a period: its number, its month such as `2026-11`, or `open` for the one that is not closed yet. Customers' wallets
    /// stand in one line.
    #[arg(long)]
    period: Option<String>,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
pub(super) struct CloseArgs {
    /// Where the period ends: with the beginning of a day in UTC such as `2026-12-01`, or at a time such as
    /// `2026-12-01T00:00:00Z`. Without it the period ends with the month in UTC in which it began.
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Output {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: &LedgerCommand, loaded: &Loaded, environment: &Environment) -> Outcome {
    let config = &loaded.config;
    match command {
        LedgerCommand::Verify(args) => verify::run(&readable(config)?, args, config),
        LedgerCommand::TrialBalance(TrialBalanceArgs { period: None, output }) => {
            trial_balance(&readable(config)?, output)
        }
        LedgerCommand::TrialBalance(TrialBalanceArgs { period: Some(period), output }) => {
            let done = operate::runtime()?.block_on(period_balance(config, period))?;
            operate::print(&done, output.json)
        }
        LedgerCommand::Close(args) => close(args, config),
        LedgerCommand::Export(args) => export::run(args, &readable(config)?, config),
        LedgerCommand::Books(args) => books_file::run(&readable(config)?, args, config),
        LedgerCommand::Receipt(args) => receipt::run(&readable(config)?, args, config),
        LedgerCommand::Checkpoint(output) => sign(&Command::LedgerCheckpoint, loaded, environment, output),
        LedgerCommand::RotateKey(output) => sign(&Command::LedgerRotateKey, loaded, environment, output),
    }
}

/// Where the books are, once it is known that they can be read.
fn readable(config: &Config) -> Result<DatabasePlace, Failure> {
    let place = DatabasePlace::of(config.database.url.expose()).map_err(|error| Failure::new(Exit::Config, error))?;
    if let DatabasePlace::Server(_) = place {
        let checked = operate::runtime()?.block_on(app::check_database(config));
        checked.map_err(|error| Failure::new(Exit::Database, error))?;
    }
    Ok(place)
}

fn close(args: &CloseArgs, config: &Config) -> Outcome {
    let until = args.until.as_deref().map(|text| dates::parse("until", text)).transpose();
    let until_us = until.map_err(|error| Failure::new(Exit::Refused, error))?;
    operate::run(&Command::LedgerClose { until_us }, config, args.json)
}

async fn period_balance(config: &Config, period: &str) -> Result<Done, NotDone> {
    let services = app::open_readers(config).await.map_err(|error| NotDone::new(Exit::Database, error))?;
    operator::periods::show(&services, period).await
}

/// Why books cannot be read: an older version of the program made other tables.
fn unreadable(error: &StoreError, config: &Config) -> Failure {
    let pending = operate::runtime().ok().and_then(|runtime| {
        runtime.block_on(async {
            let database = Database::open(config.database.url.expose()).await.ok()?;
            let pending = app::pending_migrations(&database).await.ok();
            drop(database.close().await);
            pending
        })
    });
    if pending.is_some_and(|pending| !pending.is_empty()) {
        let text = "the database is of an older version: the next start of the server brings it up to date";
        return Failure::new(Exit::Database, text);
    }
    Failure::new(Exit::Database, error)
}

/// Signs: in the running server, else here with the same key.
fn sign(command: &Command, loaded: &Loaded, environment: &Environment, output: &Output) -> Outcome {
    let config = &loaded.config;
    let key = MasterKey::load_or_create(environment, &config.database, &aws_lc_rs::rand::SystemRandom::new());
    let key = key.map_err(|error| Failure::new(Exit::Config, error))?;
    let setup = crate::checkpoints::setup(&config.ledger, &key).map_err(|error| Failure::new(Exit::Config, error))?;
    let done = operate::hand_over_prepared(command, config, |services| services.set_up_checkpoints(setup))?;
    operate::print(&done, output.json)
}

fn trial_balance(place: &DatabasePlace, output: &Output) -> Outcome {
    let rows = match place {
        DatabasePlace::File(path) => books::trial_balance(path),
        DatabasePlace::Server(url) => books::trial_balance_postgres(url),
    };
    let rows = rows.map_err(|error| Failure::new(Exit::Damaged, error))?;
    if output.json {
        let rows: Vec<_> = rows
            .iter()
            .map(|row| {
                json!({
                    "account": row.account.raw(),
                    "code": row.code,
                    "debits_micros": row.debits.to_string(),
                    "credits_micros": row.credits.to_string(),
                    "balance_micros": row.balance.to_string(),
                })
            })
            .collect();
        return say(&json!({"accounts": rows}).to_string());
    }
    for row in &rows {
        say(&format!("{:>24} {:>24} {:>24}  {}", row.debits, row.credits, row.balance, row.code))?;
    }
    say("micro-credits; debits, credits, credits less debits")
}
