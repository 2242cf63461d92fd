//! The harness of the integration tests in `it/`.
//!
//! A helper goes into the module that names its subject; a test goes into `it/`. The unit tests in here check the
//! helpers themselves.
#![expect(clippy::panic, clippy::expect_used, reason = "test harness: a broken premise ends the test with a sentence")]

pub mod askfaro;
pub mod authenticator;
pub mod binary;
pub mod browser;
pub mod cases;
pub mod connection;
pub mod environment;
pub mod generated;
pub mod graph;
pub mod home;
pub mod html;
pub mod licence;
pub mod mailbox;
pub mod mcp;
pub mod mutants;
pub mod operator_console;
pub mod patience;
pub mod postgres;
pub mod program;
pub mod publisher;
pub mod server;
pub mod smtp;
pub mod source;
pub mod tools;
pub mod upstream;
pub mod wire;
pub mod workspace;

pub use binary::tollgate_binary;
pub use generated::assert_file_is_current;
pub use workspace::workspace_root;
