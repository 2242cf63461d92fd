//! What is sent to partners' webhooks: under the same rules as calls to upstreams, judged anew at every sending.

use std::time::Duration;

use reqwest::{
    Method, Request,
    header::{CONTENT_TYPE, HeaderName, HeaderValue},
};
use tokio::time::timeout;
use url::{Host, Url};

use super::{
    HttpUpstreams,
    egress::EgressRefusal,
    lookup::keep_open,
    worker::{CONNECT_TIMEOUT, load_route},
};

/// Why nothing may be sent to a URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HookRefusal {
    /// It is none.
    #[error("is not a url: {0}")]
    Url(#[from] url::ParseError),
    /// The egress rules do not allow what the URL itself says.
    #[error("may not be called: {0}")]
    Egress(#[from] EgressRefusal),
    /// Its host has no address now, or none that the rules open. Which is for the log: it may name addresses within.
    #[error("may not be called: its host has no address, or none that is allowed")]
    NoAddress(String),
}

impl HookRefusal {
    /// What is for the log and for nobody else.
    pub fn details(&self) -> Option<&str> {
        match self {
            Self::NoAddress(details) => Some(details),
            Self::Url(_) | Self::Egress(_) => None,
        }
    }
}

/// Why something was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HookFault {
    /// It was never sent.
    #[error("not sent: {0}")]
    NotSent(String),
    /// Another answer than a 2xx.
    #[error("answered with {0}")]
    Refused(u16),
    /// No answer.
    #[error("no answer")]
    NoAnswer,
    /// No answer in time.
    #[error("no answer in time")]
    Late,
}

impl HttpUpstreams {
    /// Whether something may be sent to `url`: judged with the addresses that its host has now.
    ///
    /// # Errors
    /// It is no URL, or the rules in force do not allow it.
    pub async fn check_hook(&self, url: &str) -> Result<(), HookRefusal> {
        let url = Url::parse(url)?;
        let reach = self.rules().check_url(&url)?;
        let Some(Host::Domain(name)) = url.host() else { return Ok(()) };
        let closed = |why: String| HookRefusal::NoAddress(format!("`{name}`: {why}"));
        let looking = timeout(CONNECT_TIMEOUT, self.shared.names.look_up(name));
        let addresses = looking.await.map_err(|_late| closed("no address in time".to_owned()))?;
        let addresses = addresses.map_err(|error| closed(error.to_string()))?;
        keep_open(reach, addresses)
            .map(drop)
            .map_err(|refusal| closed(refusal.map_or_else(|| "no address".to_owned(), |refusal| refusal.to_string())))
    }

    /// Sends `body`, which is JSON, to `url` and waits `wait` for a 2xx. What the answer says is not read.
    ///
    /// # Errors
    /// The rules in force do not allow it, nobody was there, or the answer was another one.
    pub async fn post_hook(
        &self,
        url: &str,
        headers: &[(&'static str, String)],
        body: String,
        wait: Duration,
    ) -> Result<(), HookFault> {
        let not_sent = |error: &dyn std::error::Error| HookFault::NotSent(error.to_string());
        let route = load_route(&self.shared, url).map_err(|error| not_sent(&error))?;
        let mut request = Request::new(Method::POST, route.url.clone());
        *request.body_mut() = Some(body.into());
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in headers {
            let value = HeaderValue::from_str(value).map_err(|error| not_sent(&error))?;
            request.headers_mut().insert(HeaderName::from_static(name), value);
        }
        let answered = timeout(wait, route.client.execute(request)).await.map_err(|_elapsed| HookFault::Late)?;
        match answered {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) => Err(HookFault::Refused(answer.status().as_u16())),
            Err(error) if error.is_connect() => Err(HookFault::NotSent("no connection, or none is allowed".to_owned())),
            Err(_lost) => Err(HookFault::NoAnswer),
        }
    }
}
