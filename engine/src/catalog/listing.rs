//! What people and agents find a tool by, beside its name and its descriptions.

use super::{LineError, check_line};
use crate::limits::TAGS_MAX;

/// What something is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Topics {
    /// Its category, for narrowing a search down.
    pub category: Option<String>,
    /// Words to find it by.
    pub tags: Vec<String>,
}

/// Why topics cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TopicsError {
    /// The category is not one line.
    #[error("{0}")]
    Category(LineError),
    /// A tag is not one line.
    #[error("each {0}")]
    Tag(LineError),
    /// There are too many tags.
    #[error("must be at most {TAGS_MAX}")]
    TooMany,
}

impl TopicsError {
    /// The field that it is about.
    pub const fn field(self) -> &'static str {
        match self {
            Self::Category(_) => "category",
            Self::Tag(_) | Self::TooMany => "tags",
        }
    }
}

impl Topics {
    /// Checks the category and the tags that somebody has typed: lines, and not too many.
    ///
    /// # Errors
    /// See [`TopicsError`].
    pub fn check(&self) -> Result<(), TopicsError> {
        if let Some(category) = &self.category {
            check_line(category).map_err(TopicsError::Category)?;
        }
        if self.tags.len() > TAGS_MAX {
            return Err(TopicsError::TooMany);
        }
        self.tags.iter().try_for_each(|tag| check_line(tag).map_err(TopicsError::Tag))
    }
}

/// How a namespace presents itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Its title, where that is not the slug.
    pub name: Option<String>,
    /// What it is for.
    pub description: String,
    /// What it is about.
    pub topics: Topics,
    /// Its picture: the name of an asset, or a URL.
    pub icon: Option<String>,
}
