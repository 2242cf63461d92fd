//! What the invoke service asks of an upstream, and what it needs to know about the answer.
//!
//! The server implements [`Upstream`]; the distinctions made here decide who pays, and whether a retry may dispatch.

mod hiding;

use std::{fmt, future::Future, sync::Arc, time::Duration};

use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::{
    catalog::CredentialPlace,
    gateway::builtin::Builtin,
    id::{AccountId, InvocationId},
    publishing::rest::ShapedRequest,
};

/// Where a tool's calls go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpstreamTarget {
    /// A tool that is answered from our own data; see [`crate::gateway::builtin`].
    Builtin(Builtin),
    /// An HTTP endpoint: the arguments object is the request body, unless its publisher describes the request.
    Http {
        /// The HTTP method, upper case.
        method: String,
        /// An absolute `http` or `https` URL, checked against the egress rules at every call. Of a described request, what
        /// it is below.
        url: String,
        /// From the first byte sent to the last byte received.
        timeout: Duration,
    },
    /// A tool of an MCP server: the arguments object is that of a `tools/call`, over streamable HTTP.
    Mcp {
        /// Where the server is: as the URL of an HTTP endpoint.
        url: String,
        /// The tool's name on that server.
        tool: String,
        /// For everything: a session is opened within it where there is none, and the answer has come.
        timeout: Duration,
    },
}

impl UpstreamTarget {
    /// How long a call there may take; nothing for what needs no upstream.
    pub const fn timeout(&self) -> Duration {
        match self {
            Self::Builtin(_) => Duration::ZERO,
            Self::Http { timeout, .. } | Self::Mcp { timeout, .. } => *timeout,
        }
    }
}

/// A secret that an upstream asks of whoever calls it, opened. `Debug` does not print it.
pub struct Credential {
    secret: SecretString,
    name: String,
    place: CredentialPlace,
    origin: String,
}

/// A secret shorter than this is too common a text to be looked for, in bytes.
const LOOKED_FOR_BYTES_MIN: usize = 8;

impl Credential {
    /// The credential for the server at `url`: it is for no other host and port. `None` if that is no URL.
    pub fn new(secret: SecretString, name: String, place: CredentialPlace, url: &str) -> Option<Self> {
        let origin = Url::parse(url).ok()?.origin().ascii_serialization();
        Some(Self { secret, name, place, origin })
    }

    /// The secret itself.
    pub fn secret(&self) -> &str {
        self.secret.expose_secret()
    }

    /// The name of the header or of the parameter.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it stands in a request.
    pub const fn place(&self) -> CredentialPlace {
        self.place
    }

    /// Whether it may be sent there.
    pub fn is_for(&self, url: &Url) -> bool {
        url.origin().ascii_serialization() == self.origin
    }

    /// The text without the secret, for whatever an upstream says: some repeat what they were sent, as it is or with the
    /// escapes of JSON, of a URL or of a form. Of a secret in words (`Bearer …`) the last one is looked for as well.
    pub fn hidden_in(&self, text: String) -> String {
        let whole = self.secret();
        let last = whole.rsplit(' ').next().unwrap_or_default();
        let secrets = [Some(whole), (last != whole).then_some(last)].into_iter().flatten();
        secrets.filter(|secret| secret.len() >= LOOKED_FOR_BYTES_MIN).fold(text, hiding::hidden)
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({} {} for {})", self.place, self.name, self.origin)
    }
}

/// One call, ready to be sent.
#[derive(Debug, Clone)]
pub struct UpstreamRequest {
    /// Where to.
    pub target: Arc<UpstreamTarget>,
    /// The arguments object, as JSON text: what the caller wrote is exactly as it was written.
    pub arguments: Arc<str>,
    /// The request that its publisher describes, instead of the arguments object as the body.
    pub shaped: Option<ShapedRequest>,
    /// What the upstream asks of whoever calls it.
    pub credential: Option<Arc<Credential>>,
    /// The account that publishes the tool, and holds a bounded part of what all upstreams share; `None` where an operator has
    /// declared it.
    pub owner: Option<AccountId>,
    /// Sent as `x-tollgate-invocation-id`; to an MCP server also as `tollgate/invocation-id` in `_meta`.
    pub invocation: InvocationId,
    /// Sent as `idempotency-key`: the same for every retry of the same keyed call of the same caller. To an MCP server
    /// also as `tollgate/idempotency-key` in `_meta`.
    pub idempotency_key: String,
    /// Further context headers (lower-case names).
    pub headers: Vec<(&'static str, String)>,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpstreamAnswer {
    /// A 2xx answer. The body is JSON text; text that is not JSON has been wrapped as `{"text": …}`.
    Completed {
        /// The result as JSON text; `None` after 204.
        result: Option<String>,
        /// What an MCP server says beside the result (`_meta`), as JSON text. Only a price reads it.
        meta: Option<String>,
    },
    /// 400 or 422: the upstream did not accept the arguments. So does a tool of an MCP server that says `isError`.
    Rejected {
        /// 400 or 422.
        status: u16,
        /// The upstream's own `error.message`, `message` or `detail`, bounded in length.
        message: Option<String>,
    },
    /// 401 or 403: the upstream did not accept us or the caller.
    Forbidden {
        /// 401 or 403.
        status: u16,
        /// As in [`UpstreamAnswer::Rejected`].
        message: Option<String>,
    },
    /// Any other complete answer, a broken or oversized body, a redirect.
    Failed {
        /// For the log.
        detail: String,
        /// As in [`UpstreamAnswer::Rejected`]: only for the callers of a dialect that shows it.
        message: Option<String>,
    },
    /// The request provably never left: refused by the egress rules, name not resolved, connection not established,
    /// breaker open. Nothing can have happened at the upstream. An MCP server that no longer knows the session has
    /// refused the request before any tool saw it, which comes to the same.
    NotDispatched {
        /// For the log, never for the caller.
        detail: String,
    },
    /// Deadline passed or connection lost after the request may have been received: nobody knows what happened.
    Unknown {
        /// For the log, never for the caller.
        detail: String,
    },
}

impl UpstreamAnswer {
    /// The same answer without a secret that the upstream repeats.
    #[must_use]
    pub fn without(self, credential: &Credential) -> Self {
        let hide = |text: String| credential.hidden_in(text);
        match self {
            Self::Completed { result, meta } => Self::Completed { result: result.map(hide), meta: meta.map(hide) },
            Self::Rejected { status, message } => Self::Rejected { status, message: message.map(hide) },
            Self::Forbidden { status, message } => Self::Forbidden { status, message: message.map(hide) },
            Self::Failed { detail, message } => Self::Failed { detail: hide(detail), message: message.map(hide) },
            Self::NotDispatched { detail } => Self::NotDispatched { detail: hide(detail) },
            Self::Unknown { detail } => Self::Unknown { detail: hide(detail) },
        }
    }
}

/// Calls upstreams. Implemented by the server.
pub trait Upstream: Send + Sync + 'static {
    /// Makes one call, never a second attempt after bytes were sent. Never panics, always ends by the target's timeout.
    fn call(&self, request: UpstreamRequest) -> impl Future<Output = UpstreamAnswer> + Send;
}

#[cfg(test)]
mod tests;
