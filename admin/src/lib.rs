//! Pages for people, mounted by the server. They reach data only through the engine's services.
#![deny(missing_docs)]

pub mod link;
