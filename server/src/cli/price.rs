//! `tollgate price schedule|cancel`.

use clap::{Args, Subcommand};
use engine::service::catalog::spec_to_json;

use super::{Exit, Failure, Outcome, operate};
use crate::{
    config::{self, Loaded},
    importer,
    operator::Command,
};

#[derive(Debug, Subcommand)]
pub(super) enum PriceCommand {
    /// Set the price that a tool has from some time on. Calls that began before pay the old one.
    Schedule(ScheduleArgs),
    /// Take a price back that has not taken effect.
    Cancel(CancelArgs),
}

#[derive(Debug, Args)]
pub(super) struct ScheduleArgs {
    /// The tool, as `namespace/tool`, or the plain name of a core tool.
    tool: String,
    /// The price: credits per call, such as `12.5`, or an object with the keys of `pricing` in the configuration.
    spec: String,
    /// From when on, such as `2026-12-01T00:00:00Z`: in the future.
    #[arg(long, value_name = "TIME")]
    from: jiff::Timestamp,
    /// A name for this change: repeated with the same key, the command changes nothing more.
    #[arg(long)]
    key: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct CancelArgs {
    /// The price's identifier, which `price schedule` printed.
    price: String,
    /// Why; kept in the audit trail.
    #[arg(long)]
    reason: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: &PriceCommand, loaded: &Loaded) -> Outcome {
    let (command, json) = match command {
        PriceCommand::Schedule(args) => {
            let item = config::read_price(&args.spec).map_err(|error| Failure::new(Exit::Refused, error))?;
            let command = Command::PriceSchedule {
                tool: args.tool.clone(),
                spec: spec_to_json(&importer::pricing(&item)),
                from_us: args.from.as_microsecond(),
                key: args.key.clone(),
            };
            (command, args.json)
        }
        PriceCommand::Cancel(args) => {
            (Command::PriceCancel { price: args.price.clone(), reason: args.reason.clone() }, args.json)
        }
    };
    operate::run(&command, &loaded.config, json)
}
