//! `POST /tools/invoke`: the agent gateway's wire protocol, in the dialect that is configured.

pub mod answers;
pub mod door;
pub mod errors;
pub mod invoke;
pub mod setup;
pub mod token;

pub use self::door::Gateway;

/// Where it is.
pub const PATH: &str = "/tools/invoke";
