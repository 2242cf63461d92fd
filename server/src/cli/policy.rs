//! `tollgate policy …`: what policies say, and their versions. Whatever only looks works beside a running server.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use engine::policy::Policies;
use serde_json::json;

use super::{Exit, Failure, Outcome, operate, say};
use crate::config::{Environment, Loaded};

mod cases;
mod compare;
mod explain;
mod ground;
mod show;
mod versions;

use self::ground::{Ground, Subject};

#[derive(Debug, Subcommand)]
pub(super) enum PolicyCommand {
    /// Say what is wrong with a policy, and what is odd about it.
    Check(OneFile),
    /// Print the Cedar policies that a policy becomes, with the keys that each came from.
    Compile(OneFile),
    /// Say how a call would be decided, step by step, and why.
    Explain(explain::ExplainArgs),
    /// Say for whom another policy would change what.
    Diff(compare::DiffArgs),
    /// Try stored cases.
    Test(cases::TestArgs),
    #[command(flatten)]
    Versions(versions::VersionCommand),
}

#[derive(Debug, Args)]
pub(super) struct OneFile {
    /// A file with the sections of a policy, such as a whole configuration; else the policy in force.
    file: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: &PolicyCommand, loaded: &Loaded, environment: &Environment) -> Outcome {
    if let PolicyCommand::Versions(command) = command {
        return versions::run(command, loaded, environment);
    }
    operate::runtime()?.block_on(async {
        let ground = Ground::open(loaded).await?;
        match command {
            PolicyCommand::Check(args) => check(&ground, args, environment),
            PolicyCommand::Compile(args) => show::compile(&ground, args, environment),
            PolicyCommand::Explain(args) => explain::run(&ground, args, environment).await,
            PolicyCommand::Diff(args) => compare::run(&ground, args, environment).await,
            PolicyCommand::Test(args) => cases::run(&ground, args, environment).await,
            PolicyCommand::Versions(_) => Ok(Exit::Ok),
        }
    })
}

fn check(ground: &Ground, args: &OneFile, environment: &Environment) -> Outcome {
    let subject = ground.subject(args.file.as_deref(), environment)?;
    let compiled = ground.try_compile(&subject);
    let problems = compiled.as_ref().err().map(|error| Ground::problems(&subject, error)).unwrap_or_default();
    let oddities = compiled.as_ref().map(Policies::oddities).unwrap_or_default();
    let warnings: Vec<String> = oddities
        .iter()
        .map(|odd| match &odd.key {
            Some(key) => format!("{}: {}", subject.place_of(key), odd.message),
            None => odd.message.clone(),
        })
        .collect();
    let exit = if problems.is_empty() { Exit::Ok } else { Exit::Refused };
    if args.json {
        let tools = ground.offers.len();
        say(
            &json!({"ok": problems.is_empty(), "problems": problems, "warnings": warnings, "tools": tools}).to_string()
        )?;
        return Ok(exit);
    }
    for warning in &warnings {
        say(&format!("warning: {warning}"))?;
    }
    for problem in &problems {
        say(problem)?;
    }
    match exit {
        Exit::Ok => say(&format!("the policy is right, for {} tools of {}", ground.offers.len(), ground.origin)),
        exit => Err(Failure::new(exit, "the policy cannot be used: see above")),
    }
}
