//! What publishers may say about their tools, checked before it is stored, and applied when a tool is called.
//!
//! Everything here comes from outside: schemas, `OpenAPI` documents, images, shapes of requests. Nothing here fetches
//! anything, and whatever is accepted costs a bounded time to use.
//!
//! `arguments` (what a publisher sets beside what a caller says), `rest` (a call as a request of a REST interface),
//! `schema` (what an input schema may be), `openapi` (a document as tools), `images` (icons and logos), `names` (of tools that others have named).

pub mod arguments;
pub mod images;
pub mod names;
pub mod openapi;
pub mod rest;
pub mod schema;
mod yaml;

/// Something that a publisher gave was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` {message}")]
pub struct FieldFault {
    /// The field, as the publisher knows it: `rest_path`, `rest_static_headers.Host`.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

impl FieldFault {
    /// A fault of `field`.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

/// The beginning of what was given, for a message.
pub(crate) fn beginning(text: &str) -> String {
    text.chars().take(crate::limits::ECHO_CHARS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
