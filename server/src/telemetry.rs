//! Logs: to the standard error stream, quiet unless asked for more.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// Starts logging with `filter` (in the form of `RUST_LOG`), else warnings and our own news. The library for MCP would
/// warn in the words of the upstreams; what matters of them is told by us.
pub fn start(filter: Option<&str>) {
    let filter = filter
        .and_then(|text| EnvFilter::try_new(text).ok())
        .unwrap_or_else(|| EnvFilter::new("warn,server=info,rmcp=off"));
    // Fails only if a test of this process has started logging before: then that stays.
    drop(
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(std::io::stderr)
            .with_ansi(std::io::stderr().is_terminal())
            .try_init(),
    );
}
