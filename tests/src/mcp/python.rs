//! The server written with Python's `mcp`: a process of its own.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use super::{Called, McpServer};
use crate::{environment, tools::tool_found_first_in, workspace_root};

/// A running server. Killed when dropped.
#[derive(Debug)]
pub struct PythonServer {
    child: Child,
    port: u16,
    log: PathBuf,
}

impl PythonServer {
    /// Starts one with its log in `folder`.
    ///
    /// # Panics
    /// It does not start.
    pub fn start(folder: &Path) -> Self {
        Self::launch(folder.join("mcp.jsonl"), 0)
    }

    fn launch(log: PathBuf, port: u16) -> Self {
        let own = [environment::tools_folder().join("mcp").join("bin")];
        // Where that program is, is the Python that knows the library.
        let python = tool_found_first_in(&own, "uvicorn").with_file_name("python");
        let mut command = Command::new(python);
        command.arg(workspace_root().join("tests/mcp/server.py")).arg(port.to_string()).arg(&log);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("python starts");
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().expect("its output"));
        output.read_line(&mut line).expect("a line of text");
        let port = line.trim().parse().unwrap_or_else(|_| panic!("the MCP server did not start: {line}"));
        Self { child, port, log }
    }

    fn log(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        // The last line may be half there.
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }
}

impl McpServer for PythonServer {
    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/mcp", self.port)
    }

    fn opened(&self) -> usize {
        self.log().iter().filter(|entry| entry.get("opened").is_some()).count()
    }

    fn calls(&self, tool: &str) -> Vec<Called> {
        let text = |entry: &Value, name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let calls = self.log().into_iter().map(|entry| Called {
            tool: text(&entry, "tool"),
            arguments: entry.get("arguments").cloned().unwrap_or_default(),
            meta: entry.get("meta").cloned().unwrap_or_default(),
            invocation: text(&entry, "invocation"),
            idempotency_key: text(&entry, "idempotency_key"),
            key: text(&entry, "key"),
            query: text(&entry, "query"),
            session: text(&entry, "session"),
        });
        calls.filter(|call| call.tool == tool).collect()
    }

    fn restart(self) -> Self {
        let (log, port) = (self.log.clone(), self.port);
        drop(self);
        Self::launch(log, port)
    }
}

impl Drop for PythonServer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
