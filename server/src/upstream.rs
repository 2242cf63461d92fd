//! Calls to the publishers' upstreams: where they may go, how they are made, what their answers mean.
//!
//! `egress` (where to), `lookup` and `tls` (the connection), `worker`, `outgoing` and `http` (the call), `mcp` (the call of
//! a tool of an MCP server), `answer` (its meaning), `breaker` and `endpoint` (when to leave an upstream alone),
//! `fetch` (documents that a publisher names).

pub mod answer;
pub mod breaker;
pub mod egress;
mod endpoint;
mod fetch;
mod hook;
mod http;
mod lookup;
mod mcp;
mod outgoing;
mod tls;
mod worker;

pub use egress::EgressRules;
pub use endpoint::CALLS_PER_ORIGIN_MAX;
pub use fetch::{FetchError, Fetched};
pub use hook::{HookFault, HookRefusal};
pub use http::{HEADER_BYTES_MAX, HttpUpstreams, UpstreamSetupError};
pub use mcp::{FoundTool, ScanError};
pub use outgoing::METHODS;
pub use worker::{CONNECT_TIMEOUT, IDLE_TIMEOUT};

#[cfg(test)]
mod tests;
