//! `tollgate payout`.

use clap::Args;

use super::{Outcome, operate};
use crate::{
    config::Loaded,
    operator::{Command, movements::Order},
};

#[derive(Debug, Args)]
pub(super) struct PayoutArgs {
    /// The publisher's slug or identifier (`pub_…`), or a partner's identifier (`par_…`).
    payee: String,
    /// How many credits, such as `12.5`; without it, all that is payable after what is owed.
    #[arg(long, allow_negative_numbers = true)]
    credits: Option<String>,
    /// Why, for example the bank's reference; kept with the payout, its digest in the books.
    #[arg(long)]
    reason: String,
    /// A name for this payout: repeated with the same key, the command pays nothing more.
    #[arg(long)]
    key: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &PayoutArgs, loaded: &Loaded) -> Outcome {
    let order = Order::Payout { payee: args.payee.clone(), credits: args.credits.clone() };
    let command = Command::Move { order, reason: args.reason.clone(), key: args.key.clone() };
    operate::run(&command, &loaded.config, args.json)
}
