//! MCP servers of the tests: one written with `rmcp`, and one with Python's `mcp` (`tests/mcp/server.py`). Both have the same
//! tools, and both say what became of the calls.

mod python;
mod rust;

use serde_json::Value;

pub use python::PythonServer;
pub use rust::RustServer;

/// What both can be asked.
pub trait McpServer: Sized {
    /// Where it is.
    fn url(&self) -> String;

    /// How many sessions were opened with it, and with those in its place before.
    fn opened(&self) -> usize;

    /// The calls of a tool that arrived at it, and at those in its place before.
    fn calls(&self, tool: &str) -> Vec<Called>;

    /// Ends it and starts one that knows none of its sessions in the same place.
    ///
    /// # Panics
    /// It does not start.
    #[must_use]
    fn restart(self) -> Self;
}

/// A call that arrived, as its tool saw it.
#[derive(Debug, Clone, PartialEq)]
pub struct Called {
    /// The name of the tool.
    pub tool: String,
    /// The arguments.
    pub arguments: Value,
    /// What stood beside them (`_meta`).
    pub meta: Value,
    /// The header `x-tollgate-invocation-id`.
    pub invocation: String,
    /// The header `idempotency-key`.
    pub idempotency_key: String,
    /// The header `x-key`, which a publisher's secret may stand in; empty without one.
    pub key: String,
    /// The query of the URL that the call was sent to; empty without one.
    pub query: String,
    /// The session that it was made in.
    pub session: String,
}
