//! What the invoke service asks of an upstream, and what it needs to know about the answer.
//!
//! The server implements [`Upstream`]; the distinctions made here decide who pays, and whether a retry may dispatch.

use std::{future::Future, sync::Arc, time::Duration};

use crate::{gateway::builtin::Builtin, id::InvocationId};

/// Where a tool's calls go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpstreamTarget {
    /// A tool that is answered from our own data; see [`crate::gateway::builtin`].
    Builtin(Builtin),
    /// An HTTP endpoint: the arguments object is the request body.
    Http {
        /// The HTTP method, upper case.
        method: String,
        /// An absolute `http` or `https` URL, checked against the egress rules at every call.
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

/// One call, ready to be sent.
#[derive(Debug, Clone)]
pub struct UpstreamRequest {
    /// Where to.
    pub target: Arc<UpstreamTarget>,
    /// The arguments object, as JSON text, exactly as the caller wrote it.
    pub arguments: Arc<str>,
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

/// Calls upstreams. Implemented by the server.
pub trait Upstream: Send + Sync + 'static {
    /// Makes one call, never a second attempt after bytes were sent. Never panics, always ends by the target's timeout.
    fn call(&self, request: UpstreamRequest) -> impl Future<Output = UpstreamAnswer> + Send;
}
