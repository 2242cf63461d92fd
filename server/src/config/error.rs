//! What can be wrong with a configuration, and where.

use std::{
    fmt::{Display, Formatter},
    sync::Arc,
};

pub use engine::document::written::Position;

/// Where a value of the configuration was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Nowhere: the value is a built-in default, or the file as a whole is meant.
    Whole,
    /// At this position of the configuration file.
    File(Position),
    /// In this environment variable.
    Variable(Arc<str>),
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// What, as one line without a full stop. It never contains a secret or a value from the environment.
    pub text: String,
}

impl Problem {
    pub(super) fn new(place: Place, text: impl Into<String>) -> Self {
        Self { place, text: text.into() }
    }
}

/// A configuration that was refused, with everything that was found wrong.
///
/// Displayed as one line per problem, for example
/// `tollgate.json5:12:7: unknown key `prot` in `server` (did you mean `port`?)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    source_name: String,
    problems: Vec<Problem>,
}

impl ConfigError {
    pub(super) fn new(source_name: impl Into<String>, problems: Vec<Problem>) -> Self {
        Self { source_name: source_name.into(), problems }
    }

    /// Everything that is wrong, in the order of the file.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl Display for ConfigError {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        for (index, Problem { place, text }) in self.problems.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            match place {
                Place::Whole => write!(f, "{}: {text}", self.source_name)?,
                Place::File(position) => write!(f, "{}:{position}: {text}", self.source_name)?,
                Place::Variable(name) => write!(f, "environment variable `{name}`: {text}")?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}
