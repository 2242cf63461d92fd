//! `tollgate ledger …`: reads the books, also beside a running server, and lets the writer vouch for them.

use clap::{Args, Subcommand};
use engine::store::{DatabasePlace, books};
use serde_json::json;

use super::{Exit, Failure, Outcome, operate, say};
use crate::{
    app,
    config::{Config, Environment, Loaded, master_key::MasterKey},
    operator::Command,
};

mod export;
mod receipt;
mod verify;

#[derive(Debug, Subcommand)]
pub(super) enum LedgerCommand {
    /// Recompute every hash, balance and counter, and name what does not fit.
    Verify(verify::VerifyArgs),
    /// The sum of debits and credits of every account.
    TrialBalance(Output),
    /// Write the books to a file.
    Export(export::ExportArgs),
    /// Prove a call: what the books say of it, and the way to a signed checkpoint. `docs/verify_receipt.py` checks it.
    Receipt(receipt::ReceiptArgs),
    /// Sign what the books have come to, if anything happened since the last time.
    Checkpoint(Output),
    /// Sign with a new key from now on. The old one vouches for it.
    RotateKey(Output),
}

#[derive(Debug, Args)]
pub(super) struct Output {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: &LedgerCommand, loaded: &Loaded, environment: &Environment) -> Outcome {
    let place = || place_of(&loaded.config);
    match command {
        LedgerCommand::Verify(args) => verify::run(&place()?, args),
        LedgerCommand::TrialBalance(output) => trial_balance(&place()?, output),
        LedgerCommand::Export(args) => export::run(&place()?, args),
        LedgerCommand::Receipt(args) => receipt::run(&place()?, args),
        LedgerCommand::Checkpoint(output) => sign(&Command::LedgerCheckpoint, loaded, environment, output),
        LedgerCommand::RotateKey(output) => sign(&Command::LedgerRotateKey, loaded, environment, output),
    }
}

/// Where the books are, for a command that only reads them.
fn place_of(config: &Config) -> Result<DatabasePlace, Failure> {
    let place = DatabasePlace::of(config.database.url.expose()).map_err(|error| Failure::new(Exit::Config, error))?;
    if let DatabasePlace::Server(_) = place {
        let checked = operate::runtime()?.block_on(app::check_database(config));
        checked.map_err(|error| Failure::new(Exit::Database, error))?;
    }
    Ok(place)
}

/// Signs: in the running server, else here with the same key.
fn sign(command: &Command, loaded: &Loaded, environment: &Environment, output: &Output) -> Outcome {
    let config = &loaded.config;
    let key = MasterKey::load_or_create(environment, &config.database, &aws_lc_rs::rand::SystemRandom::new());
    let key = key.map_err(|error| Failure::new(Exit::Config, error))?;
    let setup = crate::checkpoints::setup(&config.ledger, &key).map_err(|error| Failure::new(Exit::Config, error))?;
    operate::run_prepared(command, config, output.json, |services| services.set_up_checkpoints(setup))
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
