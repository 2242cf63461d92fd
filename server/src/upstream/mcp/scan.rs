//! Which tools an MCP server has. Its word is bounded in every direction: how many pages and tools, how long each text, how
//! much in all, and how long it takes.

use std::{collections::HashSet, sync::Arc, time::Duration};

use engine::{limits, upstream::Credential};
use rmcp::{model::Tool, service::ServiceError};
use serde_json::Value;
use tokio::time::timeout;

use super::{
    super::{answer::shorten, fetch::NO_CONNECTION, http::Shared, worker::load_route},
    session::{NotOpened, Session},
};
use crate::upstream::http::chain;

/// How many tools a server may have.
pub(super) const TOOLS_MAX: usize = 1_000;
/// How many pages it may tell them on.
pub(super) const PAGES_MAX: usize = 100;
/// How much it may say of all of them, in bytes of their names, descriptions and schemas.
pub(super) const BYTES_MAX: usize = 8 * 1024 * 1024;

/// A tool as its server describes it. Nothing of it has been checked but its size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundTool {
    /// Its name there.
    pub name: String,
    /// Its title for people.
    pub title: Option<String>,
    /// What it does.
    pub description: String,
    /// What its arguments look like, as JSON text.
    pub input_schema: String,
    /// What its server says about its effects.
    pub annotations: Value,
}

/// Why the tools of a server are not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScanError {
    /// The rules do not allow it, or it opens no session.
    #[error("the MCP server cannot be reached: {0}")]
    NoSession(String),
    /// Nobody is there, nobody may be there, or the connection broke. Why is for the log: it may name addresses within.
    #[error("the MCP server cannot be reached: {NO_CONNECTION}")]
    NoConnection(String),
    /// It says something else than its tools.
    #[error("the MCP server did not list its tools: {0}")]
    Refused(String),
    /// It goes on and on.
    #[error("the MCP server {0}")]
    TooMuch(String),
    /// It takes too long.
    #[error("the MCP server did not list its tools within {} seconds", .0.as_secs())]
    Late(Duration),
    /// There is no thread to ask on.
    #[error("the MCP server cannot be asked now")]
    NoThread,
}

impl ScanError {
    /// What is for the log and for nobody else.
    pub fn details(&self) -> Option<&str> {
        match self {
            Self::NoConnection(details) => Some(details),
            Self::NoSession(_) | Self::Refused(_) | Self::TooMuch(_) | Self::Late(_) | Self::NoThread => None,
        }
    }
}

/// Opens a session, asks for every page, and leaves. Whatever the server says, its secret is not in it.
pub(super) async fn list(
    shared: &Arc<Shared>,
    url: &str,
    credential: Option<Arc<Credential>>,
    wait: Duration,
) -> Result<Vec<FoundTool>, ScanError> {
    let hidden = |text: String| match &credential {
        Some(credential) => credential.hidden_in(text),
        None => text,
    };
    let asking = async {
        // said as the rules say it, before the library wraps it
        load_route(shared, url).map_err(|error| ScanError::NoSession(chain(&error)))?;
        let session = Session::open(shared, url, credential.clone()).await.map_err(|error| match error {
            NotOpened::NoConnection(why) => ScanError::NoConnection(why),
            error => ScanError::NoSession(chain(&error)),
        })?;
        pages(&session, &hidden).await
    };
    timeout(wait, Box::pin(asking)).await.map_err(|_elapsed| ScanError::Late(wait))?
}

async fn pages(session: &Session, hidden: &(impl Fn(String) -> String + Sync)) -> Result<Vec<FoundTool>, ScanError> {
    let (mut found, mut names, mut bytes) = (Vec::new(), HashSet::new(), 0_usize);
    let mut cursor: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let page = session.list_tools(cursor.clone()).await.map_err(|error| match session.lost_connection() {
            Some(why) => ScanError::NoConnection(hidden(why.to_owned())),
            None => ScanError::Refused(why(&error, hidden)),
        })?;
        for tool in page.tools {
            let (tool, its_bytes) = taken(tool, hidden)?;
            bytes = bytes.saturating_add(its_bytes);
            if found.len() >= TOOLS_MAX || bytes > BYTES_MAX {
                return Err(ScanError::TooMuch(format!("has more than {TOOLS_MAX} tools, or says too much of them")));
            }
            if !names.insert(tool.name.clone()) {
                let what = format!("has two tools with the name `{}`", shorten(&tool.name));
                return Err(ScanError::TooMuch(what));
            }
            found.push(tool);
        }
        match page.next_cursor {
            None => return Ok(found),
            next if next == cursor => {
                return Err(ScanError::TooMuch("names the page it is at as the next one".to_owned()));
            }
            next => cursor = next,
        }
    }
    Err(ScanError::TooMuch(format!("has more than {PAGES_MAX} pages of tools")))
}

fn why(error: &ServiceError, hidden: impl Fn(String) -> String) -> String {
    match error {
        ServiceError::UnexpectedResponse => "its answer is no list of tools".to_owned(),
        error => shorten(&hidden(error.to_string())),
    }
}

/// A tool, and how many bytes of it are kept. Every text is looked through before anything is cut from it: no half of a secret is
/// left.
fn taken(tool: Tool, hidden: impl Fn(String) -> String) -> Result<(FoundTool, usize), ScanError> {
    let name = tool.name.into_owned();
    if name.is_empty() || name.len() > 4 * limits::TOOL_NAME_CHARS_MAX {
        return Err(ScanError::Refused("a tool has a name that is empty or too long".to_owned()));
    }
    let name = hidden(name);
    let input_schema = serde_json::to_string(&*tool.input_schema)
        .map_err(|error| ScanError::Refused(format!("the schema of `{}`: {error}", shorten(&name))))?;
    let annotations = tool.annotations.and_then(|annotations| serde_json::to_string(&annotations).ok());
    let description = hidden(tool.description.unwrap_or_default().into_owned());
    let title = tool.title.map(|title| shorten(&hidden(title)));
    let annotations = annotations.map(&hidden).unwrap_or_default();
    let found = FoundTool {
        title: title.filter(|title| !title.is_empty()),
        description: description.chars().take(limits::DESCRIPTION_CHARS_MAX).collect(),
        input_schema: hidden(input_schema),
        annotations: serde_json::from_str(&annotations).unwrap_or_default(),
        name,
    };
    let texts = [&found.name, &found.description, &found.input_schema, &annotations];
    let bytes = texts.into_iter().map(String::len).fold(0, usize::saturating_add);
    Ok((found, bytes))
}
