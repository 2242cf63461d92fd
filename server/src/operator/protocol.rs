//! What goes over the socket: one line of JSON there, one line back.

use std::io::{Error, ErrorKind};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _};

use super::{Command, Done, NotDone};
use crate::{cli::Exit, config::FILE_BYTES_MAX};

/// Rises when an older program would misunderstand a request or an answer.
pub const VERSION: u32 = 2;
/// The longest line, in bytes: a whole configuration file, with every byte of it escaped.
pub const LINE_BYTES_MAX: u64 = 8 * FILE_BYTES_MAX;

/// The part of a line that every version understands.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Request<C> {
    version: u32,
    request: C,
}

#[derive(Serialize, Deserialize)]
struct Answer {
    version: u32,
    exit: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    json: Option<Box<RawValue>>,
    #[serde(default)]
    lines: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// A command as a line.
///
/// # Errors
/// It cannot be written.
pub fn write_request(command: &Command) -> serde_json::Result<String> {
    Ok(format!("{}\n", serde_json::to_string(&Request { version: VERSION, request: command })?))
}

/// The command on a line.
///
/// # Errors
/// It is of another version of the protocol, or no command.
pub fn read_request(line: &str) -> Result<Command, NotDone> {
    check_version(line, "the running server", "the command")?;
    let read = serde_json::from_str::<Request<Command>>(line);
    let read = read.map_err(|error| NotDone::new(Exit::Usage, format!("this is no command: {error}")))?;
    Ok(read.request)
}

/// What came of a command, as a line.
///
/// # Errors
/// It cannot be written.
pub fn write_answer(outcome: Result<Done, NotDone>) -> serde_json::Result<String> {
    let answer = match outcome {
        Ok(done) => {
            Answer { version: VERSION, exit: Exit::Ok.number(), json: Some(done.json), lines: done.lines, error: None }
        }
        Err(NotDone { exit, message }) => {
            Answer { version: VERSION, exit: exit.number(), json: None, lines: Vec::new(), error: Some(message) }
        }
    };
    Ok(format!("{}\n", serde_json::to_string(&answer)?))
}

/// What came of a command.
///
/// # Errors
/// It was not carried out, or the line makes no sense.
pub fn read_answer(line: &str) -> Result<Done, NotDone> {
    check_version(line, "the command", "the running server")?;
    let nonsense =
        |why: String| NotDone::new(Exit::Refused, format!("the running server's answer makes no sense: {why}"));
    let answer: Answer = serde_json::from_str(line).map_err(|error| nonsense(error.to_string()))?;
    match (Exit::from_number(answer.exit), answer.json, answer.error) {
        (Some(Exit::Ok), Some(json), None) => Ok(Done { json, lines: answer.lines }),
        (Some(exit), None, Some(message)) if exit != Exit::Ok => Err(NotDone { exit, message }),
        _ => Err(nonsense(format!("exit code {}", answer.exit))),
    }
}

fn check_version(line: &str, ours: &str, theirs: &str) -> Result<(), NotDone> {
    let found = serde_json::from_str::<Versioned>(line)
        .map_err(|error| NotDone::new(Exit::Usage, format!("{theirs} sent no versioned line: {error}")))?;
    if found.version == VERSION {
        return Ok(());
    }
    let message = format!(
        "{ours} speaks version {VERSION} of the commands' protocol and {theirs} version {}: use the `tollgate` that is \
         running, or restart it",
        found.version
    );
    Err(NotDone::new(Exit::Refused, message))
}

/// Reads one line.
///
/// # Errors
/// There is none, it is longer than [`LINE_BYTES_MAX`], or it is not UTF-8.
pub async fn read_line(reader: &mut (impl AsyncBufRead + Unpin)) -> std::io::Result<String> {
    let mut line = String::new();
    let length = reader.take(LINE_BYTES_MAX).read_line(&mut line).await?;
    if line.ends_with('\n') {
        Ok(line)
    } else if length == 0 {
        Err(Error::new(ErrorKind::UnexpectedEof, "the connection was closed without a line"))
    } else {
        Err(Error::new(ErrorKind::InvalidData, "the line is cut off or too long"))
    }
}

#[cfg(test)]
mod tests;
