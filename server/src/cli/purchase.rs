//! `tollgate purchase confirm|fail`.

use clap::{Args, Subcommand};

use super::{Outcome, operate};
use crate::{config::Loaded, operator::Command};

#[derive(Debug, Subcommand)]
pub(super) enum PurchaseCommand {
    /// Say that a purchase was paid: its credits go to the wallet, once, and a receipt is mailed.
    Confirm(ConfirmArgs),
    /// Say that a purchase was never paid: it cannot be confirmed any more.
    Fail(FailArgs),
}

#[derive(Debug, Args)]
pub(super) struct ConfirmArgs {
    /// The purchase's identifier.
    purchase: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct FailArgs {
    /// The purchase's identifier.
    purchase: String,
    /// Why; kept with the purchase.
    #[arg(long)]
    reason: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: &PurchaseCommand, loaded: &Loaded) -> Outcome {
    let (command, json) = match command {
        PurchaseCommand::Confirm(args) => (Command::PurchaseConfirm { purchase: args.purchase.clone() }, args.json),
        PurchaseCommand::Fail(args) => {
            (Command::PurchaseFail { purchase: args.purchase.clone(), reason: args.reason.clone() }, args.json)
        }
    };
    operate::run(&command, &loaded.config, json)
}
