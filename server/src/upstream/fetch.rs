//! Documents that a publisher names by their address: read over the same guarded connections as calls, bounded, and not
//! interpreted.

use std::{sync::Arc, time::Duration};

use engine::upstream::Credential;
use reqwest::{Method, Request};
use tokio::time::timeout_at;
use url::Url;

use super::{
    HttpUpstreams,
    answer::StatusClass,
    http::{BodyError, chain, deadline_after, head_of, read_body},
    mcp::{FoundTool, ScanError},
    worker::load_route,
};

/// What is said of every connection that fails.
pub(super) const NO_CONNECTION: &str = "there is no connection, none is allowed, or it broke";

/// A document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Where it is from.
    pub url: Url,
    /// What it says.
    pub text: String,
}

/// Why a document was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// It is no address, or the rules in force do not allow it.
    #[error("cannot be fetched: {0}")]
    NoWay(String),
    /// Nobody is there, nobody may be there, or the connection broke. Why is for the log: it may name addresses within.
    #[error("cannot be fetched: {NO_CONNECTION}")]
    NoAnswer(String),
    /// Another answer than a 2xx. A redirect is one: nothing is followed.
    #[error("was answered with status {0}")]
    Status(u16),
    /// It is longer.
    #[error("is longer than {0} bytes")]
    TooLong(usize),
    /// It is no text.
    #[error("is no UTF-8 text")]
    NotText,
    /// It does not come in time.
    #[error("did not come within {} seconds", .0.as_secs())]
    Late(Duration),
}

impl FetchError {
    /// What is for the log and for nobody else.
    pub fn details(&self) -> Option<&str> {
        match self {
            Self::NoAnswer(details) => Some(details),
            Self::NoWay(_) | Self::Status(_) | Self::TooLong(_) | Self::NotText | Self::Late(_) => None,
        }
    }
}

impl HttpUpstreams {
    /// Reads a text of at most `bytes_max` bytes within `wait`.
    ///
    /// # Errors
    ///
    /// See [`FetchError`].
    pub async fn fetch_text(&self, url: &str, bytes_max: usize, wait: Duration) -> Result<Fetched, FetchError> {
        let deadline = deadline_after(wait);
        let route = load_route(&self.shared, url).map_err(|error| FetchError::NoWay(chain(&error)))?;
        let request = Request::new(Method::GET, route.url.clone());
        let answered = timeout_at(deadline, route.client.execute(request)).await;
        let mut response = answered
            .map_err(|_elapsed| FetchError::Late(wait))?
            .map_err(|error| FetchError::NoAnswer(chain(&error.without_url())))?;
        let head = head_of(&response);
        if head.class != StatusClass::Completed {
            return Err(FetchError::Status(head.status));
        }
        if head.coding.is_some() {
            return Err(FetchError::NotText);
        }
        let body = read_body(deadline, &mut response, bytes_max).await.map_err(|error| match error {
            BodyError::TooLong => FetchError::TooLong(bytes_max),
            BodyError::Late(_) => FetchError::Late(wait),
            BodyError::Cut(error) => FetchError::NoAnswer(chain(&error)),
        })?;
        let text = String::from_utf8(body).map_err(|_binary| FetchError::NotText)?;
        Ok(Fetched { url: route.url, text })
    }

    /// Which tools the MCP server at `url` has, asked in a session of its own.
    ///
    /// # Errors
    ///
    /// See [`ScanError`].
    pub async fn list_mcp_tools(
        &self,
        url: &str,
        credential: Option<Arc<Credential>>,
        wait: Duration,
    ) -> Result<Vec<FoundTool>, ScanError> {
        self.mcp().list_tools(url, credential, wait).await
    }
}
