//! `tollgate account create|grant`.

use clap::{Args, Subcommand};

use super::{Exit, Failure, Outcome, dates, operate};
use crate::{config::Loaded, operator::Command};

#[derive(Debug, Subcommand)]
pub(super) enum AccountCommand {
    /// Make an account and print its token, once.
    Create(CreateArgs),
    /// Give credits to an account.
    Grant(GrantArgs),
}

#[derive(Debug, Args)]
pub(super) struct CreateArgs {
    /// The email address.
    #[arg(long)]
    email: String,
    /// Credits to begin with, such as `12.5`.
    #[arg(long, allow_negative_numbers = true)]
    credits: Option<String>,
    /// The name of the token.
    #[arg(long, value_name = "NAME", default_value = "operator")]
    token_name: String,
    /// The address is not confirmed: the account cannot pay until it is.
    #[arg(long)]
    unverified: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct GrantArgs {
    /// The account's identifier or email address.
    account: String,
    /// How many credits, such as `12.5`.
    #[arg(allow_negative_numbers = true)]
    credits: String,
    /// Why; kept with the grant, its digest in the books.
    #[arg(long)]
    reason: String,
    /// When what is left of them goes back: a day such as `2026-12-31`, with whose beginning in UTC they have expired, or a
    /// time such as `2026-12-31T18:00:00Z`. Without it they never do.
    #[arg(long, value_name = "WHEN")]
    expires: Option<String>,
    /// Which credits that expire are spent first, from 0 (first) to 1000; of equal ones those that expire first. Without it
    /// 100. All of them are spent before those that do not expire.
    #[arg(long, value_name = "NUMBER", requires = "expires", allow_negative_numbers = true)]
    priority: Option<i64>,
    /// A name for this grant: repeated with the same key, the command gives nothing more.
    #[arg(long)]
    key: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn expires(text: Option<&str>) -> Result<Option<i64>, Failure> {
    let parsed = text.map(|text| dates::parse("expires", text)).transpose();
    parsed.map_err(|error| Failure::new(Exit::Refused, error))
}

pub(super) fn run(command: &AccountCommand, loaded: &Loaded) -> Outcome {
    let (command, json) = match command {
        AccountCommand::Create(args) => (
            Command::AccountCreate {
                email: args.email.clone(),
                is_verified: !args.unverified,
                credits: args.credits.clone(),
                token_name: args.token_name.clone(),
            },
            args.json,
        ),
        AccountCommand::Grant(args) => (
            Command::AccountGrant {
                account: args.account.clone(),
                credits: args.credits.clone(),
                expires_us: expires(args.expires.as_deref())?,
                priority: args.priority,
                reason: args.reason.clone(),
                key: args.key.clone(),
            },
            args.json,
        ),
    };
    operate::run(&command, &loaded.config, json)
}
