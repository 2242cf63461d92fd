//! What the input schema of a publisher's tool may be.
//!
//! Everything that [`ArgumentSchema::declare`] asks of any schema (bounded in size, depth, number of subschemas and in what
//! checking costs; references to its own parts only; patterns of the linear-time engine), and that it describes an object,
//! because arguments are one.

use super::FieldFault;
use crate::{catalog::ArgumentSchema, json};

/// The text of an input schema that was checked. Checking takes longer the more a schema says: it is done once, where nobody else
/// waits for the thread, whatever is tried with it afterwards, and however often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedSchema(String);

impl CheckedSchema {
    /// Checks a text.
    ///
    /// # Errors
    ///
    /// As for [`check`].
    pub fn new(text: String) -> Result<Self, FieldFault> {
        check(&text)?;
        Ok(Self(text))
    }

    /// It, as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// It, as it was written.
    pub fn into_text(self) -> String {
        self.0
    }
}

/// Checks the text of an input schema.
///
/// # Errors
///
/// [`FieldFault`] of `input_schema`, with the place within it.
pub fn check(text: &str) -> Result<ArgumentSchema, FieldFault> {
    let fault = |message: String| FieldFault::new("input_schema", message);
    let compiled = ArgumentSchema::declare(text).map_err(|error| fault(format!("is refused: {error}")))?;
    let schema = json::parse(text).map_err(|error| fault(error.to_string()))?;
    match schema.get("type") {
        None => Ok(compiled),
        Some(kind) if kind.as_str() == Some("object") => Ok(compiled),
        Some(kind) if kind.as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind.as_str() == Some("object"))) => {
            Ok(compiled)
        }
        Some(_) => Err(fault("is refused at `/type`: arguments are an object".to_owned())),
    }
}

#[cfg(test)]
mod tests;
