//! `tollgate refund`.

use clap::Args;

use super::{Outcome, operate};
use crate::{
    config::Loaded,
    operator::{Command, movements::Order},
};

#[derive(Debug, Args)]
pub(super) struct RefundArgs {
    /// The call's identifier (`inv_…`), or that of another charge (`ent_…`).
    of: String,
    /// How many credits, such as `12.5`; without it, all that is left of the charge.
    #[arg(long, allow_negative_numbers = true)]
    credits: Option<String>,
    /// Why; kept with the refund, its digest in the books.
    #[arg(long)]
    reason: String,
    /// A name for this refund: repeated with the same key, the command gives nothing more back.
    #[arg(long)]
    key: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &RefundArgs, loaded: &Loaded) -> Outcome {
    let order = Order::Refund { of: args.of.clone(), credits: args.credits.clone() };
    let command = Command::Move { order, reason: args.reason.clone(), key: args.key.clone() };
    operate::run(&command, &loaded.config, args.json)
}
