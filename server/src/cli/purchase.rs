//! `tollgate purchase confirm`.

use clap::{Args, Subcommand};

use super::{Outcome, operate};
use crate::{config::Loaded, operator::Command};

#[derive(Debug, Subcommand)]
pub(super) enum PurchaseCommand {
    /// Say that a purchase was paid: its credits go to the wallet, once, and a receipt is mailed.
    Confirm(ConfirmArgs),
}

#[derive(Debug, Args)]
pub(super) struct ConfirmArgs {
    /// The purchase's identifier.
    purchase: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: &PurchaseCommand, loaded: &Loaded) -> Outcome {
    let PurchaseCommand::Confirm(args) = command;
    operate::run(&Command::PurchaseConfirm { purchase: args.purchase.clone() }, &loaded.config, args.json)
}
