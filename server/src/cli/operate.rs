//! Commands that write: handed to the running server of an SQLite file, else carried out here. The same function does
//! both.

use std::{path::Path, time::Duration};

use engine::{
    audit::Method,
    service::Services,
    store::{DatabasePlace, StoreError},
};

use super::{Exit, Failure, Outcome, say};
use crate::{
    app::{self, StartError},
    config::Config,
    operator::{self, Command, Done, NotDone, socket},
};

/// How long to wait for the writer's place: a server that is starting or stopping, or another command.
const WAIT: Duration = Duration::from_secs(15);
/// How often to look.
const LOOK: Duration = Duration::from_millis(50);

/// Carries out a command and prints what came of it.
pub(super) fn run(command: &Command, config: &Config, json: bool) -> Outcome {
    print(&hand_over(command, config)?, json)
}

/// Carries out a command and prints nothing.
pub(super) fn hand_over(command: &Command, config: &Config) -> Result<Done, Failure> {
    hand_over_prepared(command, config, |_services| {})
}

/// The same for a command that needs more than a running server has been told already: where it is carried out here,
/// `prepare` tells it first.
pub(super) fn hand_over_prepared(
    command: &Command,
    config: &Config,
    prepare: impl FnOnce(&Services),
) -> Result<Done, Failure> {
    let place = DatabasePlace::of(config.database.url.expose()).map_err(|error| Failure::new(Exit::Config, error))?;
    Ok(runtime()?.block_on(carry_out(command, config, place.file(), prepare))?)
}

/// For what waits: commands have no server of their own.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let built = tokio::runtime::Builder::new_current_thread().enable_all().build();
    built.map_err(|error| Failure::new(Exit::Refused, error))
}

pub(super) fn print(done: &Done, json: bool) -> Outcome {
    if json {
        return say(done.json.get());
    }
    for line in &done.lines {
        say(line)?;
    }
    Ok(Exit::Ok)
}

async fn carry_out(
    command: &Command,
    config: &Config,
    file: Option<&Path>,
    prepare: impl FnOnce(&Services),
) -> Result<Done, NotDone> {
    let deadline = tokio::time::Instant::now() + WAIT;
    loop {
        if let Some(path) = file
            && let Some(answer) = socket::ask(path, command).await
        {
            return answer;
        }
        match app::open_engine(config).await {
            Ok(engine) => {
                prepare(&engine.services);
                return here(command, engine).await;
            }
            // Somebody writes and nobody answers yet: that changes, or it does not.
            Err(StartError::Store(StoreError::Locked { .. })) if tokio::time::Instant::now() < deadline => {
                tokio::time::sleep(LOOK).await;
            }
            Err(error) => return Err(NotDone::new(Exit::Database, error)),
        }
    }
}

async fn here(command: &Command, engine: app::Engine) -> Result<Done, NotDone> {
    let by = operator::context(&engine.services, Method::CommandLine);
    let done = operator::execute(&engine.services, &by, command).await;
    // The writer ends with the last clone of its ledger.
    drop(engine.services);
    match tokio::task::spawn_blocking(move || engine.writer.join()).await {
        Ok(Ok(())) => done,
        _ => Err(NotDone::new(Exit::Database, "the ledger's writer ended in a panic")),
    }
}
