//! `tollgate chargeback open|won|lost`.

use clap::{Args, Subcommand};

use super::{Outcome, operate};
use crate::{
    config::Loaded,
    operator::{Command, movements::Order},
};

#[derive(Debug, Subcommand)]
pub(super) enum ChargebackCommand {
    /// A payment is disputed: the customer's share is held, as far as it is there.
    Open(OpenArgs),
    /// The payment stays: the customer's share is theirs again.
    Won(CloseArgs),
    /// The payment is gone: it is taken from the wallet, and what that no longer has is a loss.
    Lost(CloseArgs),
}

#[derive(Debug, Args)]
pub(super) struct OpenArgs {
    #[command(flatten)]
    close: CloseArgs,
    /// How many credits are disputed, such as `12.5`; without it, all that were bought.
    #[arg(long, allow_negative_numbers = true)]
    credits: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct CloseArgs {
    /// The purchase's identifier (`pur_…`).
    purchase: String,
    /// Why, for example the provider's reference; kept with the chargeback, its digest in the books.
    #[arg(long)]
    reason: String,
    /// A name for this step: repeated with the same key, the command changes nothing more.
    #[arg(long)]
    key: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: &ChargebackCommand, loaded: &Loaded) -> Outcome {
    let (order, args) = match command {
        ChargebackCommand::Open(OpenArgs { close, credits }) => {
            (Order::ChargebackOpen { purchase: close.purchase.clone(), credits: credits.clone() }, close)
        }
        ChargebackCommand::Won(args) => (Order::ChargebackWon { purchase: args.purchase.clone() }, args),
        ChargebackCommand::Lost(args) => (Order::ChargebackLost { purchase: args.purchase.clone() }, args),
    };
    let command = Command::Move { order, reason: args.reason.clone(), key: args.key.clone() };
    operate::run(&command, &loaded.config, args.json)
}
