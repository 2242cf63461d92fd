//! Arguments against a tool's JSON Schema. The only place that knows the `jsonschema` crate.
//!
//! Schemas come from publishers, so compiling and asking them is bounded: their size, no reference is ever fetched, and
//! patterns run on the linear-time engine (`regex`), so that no argument can make one backtrack. Patterns that need
//! backtracking (look-around, back-references) are refused when the schema is declared. How many subschemas apply to one
//! value is bounded when it is declared as well, and a call whose arguments would take too many steps is refused before they
//! are checked (`cost`).

use std::{fmt, sync::Arc};

use jsonschema::{PatternOptions, ValidationError, error::ValidationErrorKind, paths::LocationSegment};
use serde_json::Value;

use super::cost::Cost;
use crate::{
    json::{self, Json, JsonError, Segment, pointer},
    limits,
};

/// A tool's input schema, compiled. Cheap to clone.
#[derive(Clone)]
pub struct ArgumentSchema {
    validator: Arc<jsonschema::Validator>,
    takes_action: bool,
    /// Nothing is known of a schema that was declared before it was asked for.
    cost: Option<Arc<Cost>>,
}

/// Something in the arguments does not fit the schema.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ArgumentFault {
    /// Where in the arguments; empty for the arguments as a whole. Long keys are shortened.
    pub path: Vec<Segment<'static>>,
    /// What is wrong, at most [`limits::FAULT_MESSAGE_CHARS_MAX`] characters. It does not repeat the value.
    pub message: String,
}

/// An input schema was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// Longer than [`limits::INPUT_SCHEMA_BYTES_MAX`].
    #[error("the input schema must have at most {} bytes", limits::INPUT_SCHEMA_BYTES_MAX)]
    TooLarge,
    /// Not JSON.
    #[error("the input schema is not JSON that is accepted here: {0}")]
    Json(#[from] JsonError),
    /// JSON, but not an object.
    #[error("the input schema must be a JSON object")]
    NotAnObject,
    /// It refers to something that is not part of it.
    #[error("the input schema refers to something outside of itself, which is never fetched: {message}")]
    Reference {
        /// Which reference.
        message: String,
    },
    /// It is not a valid JSON Schema.
    #[error("the input schema is wrong at `{at}`: {message}")]
    Invalid {
        /// A JSON pointer into the schema.
        at: String,
        /// What is wrong there.
        message: String,
    },
    /// More than [`limits::SCHEMA_SUBSCHEMAS_MAX`] subschemas.
    #[error("the input schema must have at most {} subschemas", limits::SCHEMA_SUBSCHEMAS_MAX)]
    TooManySubschemas,
    /// More than [`limits::SCHEMA_PATTERNS_MAX`] patterns, or together larger than [`limits::SCHEMA_PATTERNS_SIZE_MAX`].
    #[error("the input schema has too many patterns, or too large ones, at `{at}`")]
    TooManyPatterns {
        /// A JSON pointer into the schema.
        at: String,
    },
    /// A subschema applies to a value because it applies to it.
    #[error("the input schema applies itself to the same value without end at `{at}`")]
    Endless {
        /// A JSON pointer into the schema.
        at: String,
    },
    /// Too many subschemas apply to one value.
    #[error("the input schema applies more than {} subschemas to one value at `{at}`", limits::SCHEMA_APPLICATIONS_MAX)]
    TooCostly {
        /// A JSON pointer into the schema.
        at: String,
    },
}

impl ArgumentSchema {
    /// Compiles an input schema that is new, whoever declares it: what checking costs is bounded, and references are to
    /// parts of the schema by their places (`#/…`).
    ///
    /// Draft 2020-12, unless `$schema` names another published draft.
    pub fn declare(text: &str) -> Result<Self, SchemaError> {
        let schema = read(text)?;
        let cost = Cost::of(&schema)?;
        Self::build(&schema, Some(cost))
    }

    /// Compiles an input schema that is in use: one that was accepted once still is.
    pub fn compile(text: &str) -> Result<Self, SchemaError> {
        let schema = read(text)?;
        Self::build(&schema, Cost::of(&schema).ok())
    }

    fn build(schema: &Value, cost: Option<Cost>) -> Result<Self, SchemaError> {
        let patterns = PatternOptions::regex()
            .size_limit(limits::SCHEMA_PATTERN_BYTES_MAX)
            .dfa_size_limit(limits::SCHEMA_PATTERN_CACHE_BYTES_MAX);
        let validator = jsonschema::options()
            .offline()
            .with_pattern_options(patterns)
            .build(schema)
            .map_err(|error| schema_error(&error))?;
        let takes_action = schema.get("properties").is_some_and(|properties| properties.get("action").is_some());
        Ok(Self { validator: Arc::new(validator), takes_action, cost: cost.map(Arc::new) })
    }

    /// Whether the schema declares a property `action` (`POST /tools/invoke` then fills it in).
    pub const fn takes_action(&self) -> bool {
        self.takes_action
    }

    /// Checks arguments. Of a small arguments object at most [`limits::ARGUMENT_FAULTS_MAX`] faults are reported, of
    /// one with more than [`limits::ARGUMENT_FAULT_SEARCH_NODES_MAX`] values the first.
    pub fn validate(&self, arguments: &Json<'_>) -> Result<(), Vec<ArgumentFault>> {
        let work = self.cost.as_ref().map(|cost| cost.work(arguments));
        if work.is_some_and(|work| !work.is_bounded()) {
            let message = "are too large or too deep to be checked against the tool's input schema".to_owned();
            return Err(vec![ArgumentFault { path: Vec::new(), message }]);
        }
        let value = arguments.to_value();
        if self.validator.is_valid(&value) {
            return Ok(());
        }
        // the validator has said no; should it name no reason, the answer still has to be no
        let unnamed = || ArgumentFault { path: Vec::new(), message: "does not fit the tool's input schema".to_owned() };
        if work.is_some_and(|work| !work.names_faults()) {
            return Err(vec![unnamed()]);
        }
        let mut faults: Vec<_> = if arguments.node_count() <= limits::ARGUMENT_FAULT_SEARCH_NODES_MAX {
            self.validator.iter_errors(&value).take(limits::ARGUMENT_FAULTS_MAX).map(|error| fault(&error)).collect()
        } else {
            self.validator.validate(&value).err().iter().map(fault).collect()
        };
        // the validator's own order depends on how serde_json keeps members
        faults.sort_unstable();
        Err(if faults.is_empty() { vec![unnamed()] } else { faults })
    }
}

impl fmt::Debug for ArgumentSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArgumentSchema").field("draft", &self.validator.draft()).finish_non_exhaustive()
    }
}

impl ArgumentFault {
    /// The place as a JSON pointer (RFC 6901); empty for the arguments as a whole.
    pub fn pointer(&self) -> String {
        pointer(&self.path)
    }
}

fn read(text: &str) -> Result<Value, SchemaError> {
    if text.len() > limits::INPUT_SCHEMA_BYTES_MAX {
        return Err(SchemaError::TooLarge);
    }
    let schema = json::parse(text)?;
    if schema.as_object().is_none() {
        return Err(SchemaError::NotAnObject);
    }
    Ok(schema.to_value())
}

fn fault(error: &ValidationError<'_>) -> ArgumentFault {
    let path = error
        .instance_path()
        .iter()
        .map(|segment| match segment {
            LocationSegment::Property(name) => Segment::Key(name).to_bounded(),
            LocationSegment::Index(index) => Segment::Index(index),
        })
        .collect();
    ArgumentFault { path, message: bounded(&error.masked().to_string()) }
}

fn schema_error(error: &ValidationError<'_>) -> SchemaError {
    let message = bounded(&error.to_string());
    if matches!(error.kind(), ValidationErrorKind::Referencing(_)) {
        SchemaError::Reference { message }
    } else {
        SchemaError::Invalid { at: error.instance_path().to_string(), message }
    }
}

fn bounded(message: &str) -> String {
    if message.chars().count() <= limits::FAULT_MESSAGE_CHARS_MAX {
        return message.to_owned();
    }
    let mut shortened: String = message.chars().take(limits::FAULT_MESSAGE_CHARS_MAX.saturating_sub(1)).collect();
    shortened.push('…');
    shortened
}
