//! Pages for people, mounted by the server. They reach data only through the engine's services.
//!
//! `link` is what owners of accounts see behind a mailed link. Everything else is the operators' console: `console` is
//! the door and the frame, `kit` the parts that pages are made of, `pages` the pages, `text` their words.
#![deny(missing_docs)]

pub mod console;
pub mod kit;
pub mod link;
mod pages;
pub mod text;

pub use pages::routes;
