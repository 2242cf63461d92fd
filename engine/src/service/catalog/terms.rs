//! What of a tool can be changed, and what of it is checked. An import checks names, schemas and prices by the same rules.

use serde_json::Value;

use super::{
    CatalogError,
    trail::{tool_facts, without_secrets},
};
use crate::{
    catalog::{ArgumentSchema, HTTP_METHODS, check_line, http_url},
    ledger::leaf::sha256,
    limits::{DESCRIPTION_CHARS_MAX, UPSTREAM_TIMEOUT_MS_MAX},
    store::entity,
};

/// What of a tool can be changed. Its price is a thing of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolTerms {
    /// One line for lists; may be empty.
    pub short_description: String,
    /// For its page; may be empty.
    pub long_description: String,
    /// JSON Schema of the arguments, as text.
    pub input_schema: String,
    /// Open to unverified accounts while its price is zero.
    pub is_unverified_ok: bool,
    /// The HTTP method of the upstream.
    pub method: String,
    /// The URL of the upstream.
    pub url: String,
    /// The upstream's deadline, in milliseconds.
    pub timeout_ms: u64,
}

impl ToolTerms {
    /// The same, checked, with the address as it is stored.
    ///
    /// # Errors
    /// [`CatalogError::Field`] of the first one that cannot be used.
    pub(super) fn checked(&self) -> Result<Self, CatalogError> {
        if !self.short_description.is_empty() {
            check_line(&self.short_description).map_err(|error| CatalogError::field("short_description", error))?;
        }
        check_description("long_description", &self.long_description)?;
        ArgumentSchema::declare(&self.input_schema).map_err(|error| CatalogError::field("input_schema", error))?;
        if !HTTP_METHODS.contains(&self.method.as_str()) {
            return Err(CatalogError::field("method", format!("must be one of {}", HTTP_METHODS.join(", "))));
        }
        let url = http_url(&self.url).map_err(|error| CatalogError::field("url", error))?;
        if !(1..=UPSTREAM_TIMEOUT_MS_MAX).contains(&self.timeout_ms) {
            let message = format!("must be a whole number from 1 to {UPSTREAM_TIMEOUT_MS_MAX}");
            return Err(CatalogError::field("timeout_ms", message));
        }
        Ok(Self { url: url.into(), ..self.clone() })
    }

    /// The address without what may be a secret: its query.
    pub fn shown_url(&self) -> String {
        without_secrets(&self.url)
    }

    /// What names these terms: it differs exactly when they do. A form carries it, so that nobody changes what they have
    /// not seen.
    pub fn fingerprint(&self) -> String {
        let whole = serde_json::json!([
            self.short_description,
            self.long_description,
            self.input_schema,
            self.is_unverified_ok,
            self.method,
            self.url,
            self.timeout_ms,
        ]);
        sha256(whole.to_string().as_bytes()).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The terms of a stored tool.
pub(super) fn terms_of(row: &entity::tool::Model) -> ToolTerms {
    ToolTerms {
        short_description: row.short_description.clone(),
        long_description: row.long_description.clone(),
        input_schema: row.input_schema.clone(),
        is_unverified_ok: row.is_unverified_ok,
        method: row.upstream_method.clone(),
        url: row.upstream_url.clone(),
        timeout_ms: u64::try_from(row.timeout_ms).unwrap_or(0),
    }
}

/// A stored tool with these terms.
pub(super) fn with_terms(row: entity::tool::Model, terms: ToolTerms) -> entity::tool::Model {
    entity::tool::Model {
        short_description: terms.short_description,
        long_description: terms.long_description,
        input_schema: terms.input_schema,
        is_unverified_ok: terms.is_unverified_ok,
        upstream_method: terms.method,
        upstream_url: terms.url,
        timeout_ms: i64::try_from(terms.timeout_ms).unwrap_or(i64::MAX),
        ..row
    }
}

/// Checks a longer text for people.
pub(super) fn check_description(field: &'static str, text: &str) -> Result<(), CatalogError> {
    if text.chars().count() <= DESCRIPTION_CHARS_MAX {
        return Ok(());
    }
    Err(CatalogError::field(field, format!("must have at most {DESCRIPTION_CHARS_MAX} characters")))
}

/// What the audit trail tells of a tool that is made or changed.
pub(in crate::service) fn facts_of(path: &str, row: &entity::tool::Model) -> Value {
    let mut facts = tool_facts(row);
    if let Some(facts) = facts.as_object_mut() {
        facts.insert("tool".to_owned(), path.into());
        let long: String = sha256(row.long_description.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        facts.insert("long_description_sha256".to_owned(), long.into());
    }
    facts
}
