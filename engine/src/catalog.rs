//! What can be called: publishers, their namespaces, and tools.
//!
//! These are the catalog's types as the engine decides by them, without any form for the wire or the database. The
//! snapshot holds them; services load and change them.

mod arguments;
mod cost;
mod credential;
mod listing;
mod namespace;
mod publisher;
mod query;
mod tool;
mod upstream;

pub use arguments::{ArgumentFault, ArgumentSchema, SchemaError};
pub(crate) use cost::fragment;
pub use credential::{CredentialPlace, SealedCredential};
pub use listing::{Listing, Topics, TopicsError};
pub use namespace::{Namespace, NamespaceState};
pub use publisher::{Publisher, PublisherState};
pub use query::search_words;
pub use tool::{Manner, Tier, Tool, ToolState, Visibility};
pub use upstream::{HTTP_METHODS, HttpUrlError, http_url};

use crate::limits;

/// A name was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Not a namespace slug; see [`check_slug`].
    #[error(
        "`{text}` is not a namespace name: {} to {} lower-case letters, digits and hyphens, beginning and ending with a \
         letter or digit",
        limits::SLUG_CHARS_MIN,
        limits::SLUG_CHARS_MAX
    )]
    Slug {
        /// The beginning of what was given.
        text: String,
    },
    /// Not a tool name; see [`check_tool_name`].
    #[error(
        "`{text}` is not a tool name: 1 to {} letters, digits, `_`, `-` and `.`, beginning with a letter, digit or `_`",
        limits::TOOL_NAME_CHARS_MAX
    )]
    ToolName {
        /// The beginning of what was given.
        text: String,
    },
}

/// Checks a namespace slug: `^[a-z0-9][a-z0-9-]*[a-z0-9]$`, as the published clients do, and bounded in length.
pub fn check_slug(text: &str) -> Result<(), NameError> {
    let is_slug = (limits::SLUG_CHARS_MIN..=limits::SLUG_CHARS_MAX).contains(&text.len())
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        && !text.starts_with('-')
        && !text.ends_with('-');
    if is_slug { Ok(()) } else { Err(NameError::Slug { text: beginning(text) }) }
}

/// Checks a tool name: the letters that the Model Context Protocol allows (`[A-Za-z0-9_.-]{1,128}`).
///
/// It does not begin with `.` or `-`: a name is a segment of a path, where `.` and `..` mean something else, and a word
/// on a command line, where `-` does.
pub fn check_tool_name(text: &str) -> Result<(), NameError> {
    let is_name = (1..=limits::TOOL_NAME_CHARS_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
        && !text.starts_with(['.', '-']);
    if is_name { Ok(()) } else { Err(NameError::ToolName { text: beginning(text) }) }
}

/// The text is not one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be one line of 1 to {} characters", limits::LINE_CHARS_MAX)]
pub struct LineError;

/// Checks one line of text for people: not blank, no control characters, bounded in length.
pub fn check_line(text: &str) -> Result<(), LineError> {
    let is_line = !text.trim().is_empty()
        && !text.chars().any(char::is_control)
        && text.chars().count() <= limits::LINE_CHARS_MAX;
    if is_line { Ok(()) } else { Err(LineError) }
}

fn beginning(text: &str) -> String {
    text.chars().take(limits::ECHO_CHARS_MAX).collect()
}

/// An enum whose values have fixed names, on the wire and in the database.
macro_rules! named_values {
    ($(#[$doc:meta])* $name:ident { $($(#[$value_doc:meta])* $value:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$value_doc])* $value,)+
        }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$value,)+];

            /// The name on the wire and in the database.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$value => $text,)+
                }
            }

            /// Reads what [`Self::as_str`] writes.
            pub fn from_wire(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$value),)+
                    _ => None,
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use named_values;

#[cfg(test)]
mod tests;
