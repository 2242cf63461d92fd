//! What of a tool can be changed, and what of it is checked. An import checks names, schemas and prices by the same rules.

use serde_json::Value;

use super::{
    CatalogError, TermFault,
    rows::tags_to_json,
    trail::{tool_facts, without_secrets},
};
use crate::{
    catalog::{ArgumentSchema, HTTP_METHODS, Topics, check_line, http_url},
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
    /// What it is about, where that is not what its namespace is about.
    pub topics: Topics,
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
        check_topics(&self.topics)?;
        ArgumentSchema::declare(&self.input_schema).map_err(|error| CatalogError::field("input_schema", error))?;
        if !HTTP_METHODS.contains(&self.method.as_str()) {
            return Err(CatalogError::field("method", TermFault::Method));
        }
        let url = http_url(&self.url).map_err(|error| CatalogError::field("url", error))?;
        if !(1..=UPSTREAM_TIMEOUT_MS_MAX).contains(&self.timeout_ms) {
            return Err(CatalogError::field("timeout_ms", TermFault::Timeout));
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
            self.topics.category,
            self.topics.tags,
            self.input_schema,
            self.is_unverified_ok,
            self.method,
            self.url,
            self.timeout_ms,
        ]);
        fingerprint_of(&whole)
    }
}

/// What can be changed of a namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NamespaceTerms {
    /// Its title, where that is not the slug.
    pub listing_name: Option<String>,
    /// Shown; may be empty.
    pub description: String,
    /// What it is about.
    pub topics: Topics,
}

impl NamespaceTerms {
    /// # Errors
    /// [`CatalogError::Field`] of the first one that cannot be used.
    pub(super) fn check(&self) -> Result<(), CatalogError> {
        if let Some(name) = &self.listing_name {
            check_line(name).map_err(|error| CatalogError::field("listing_name", error))?;
        }
        check_description("description", &self.description)?;
        check_topics(&self.topics)
    }

    /// As for [`ToolTerms::fingerprint`].
    pub fn fingerprint(&self) -> String {
        let whole = serde_json::json!([self.listing_name, self.description, self.topics.category, self.topics.tags]);
        fingerprint_of(&whole)
    }
}

/// The terms of a stored namespace.
pub(super) fn namespace_terms_of(row: &entity::namespace::Model) -> NamespaceTerms {
    NamespaceTerms {
        listing_name: row.listing_name.clone(),
        description: row.description.clone(),
        topics: topics_of(row.category.as_ref(), &row.tags),
    }
}

/// A stored namespace with these terms.
pub(super) fn with_namespace_terms(row: entity::namespace::Model, terms: &NamespaceTerms) -> entity::namespace::Model {
    entity::namespace::Model {
        listing_name: terms.listing_name.clone(),
        description: terms.description.clone(),
        category: terms.topics.category.clone(),
        tags: tags_to_json(&terms.topics.tags),
        ..row
    }
}

fn fingerprint_of(whole: &Value) -> String {
    sha256(whole.to_string().as_bytes()).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

fn topics_of(category: Option<&String>, tags: &str) -> Topics {
    // The snapshot refuses a catalog in which they cannot be read.
    Topics { category: category.cloned(), tags: serde_json::from_str(tags).unwrap_or_default() }
}

fn check_topics(topics: &Topics) -> Result<(), CatalogError> {
    topics.check().map_err(|error| CatalogError::field(error.field(), error))
}

/// The terms of a stored tool.
pub(super) fn terms_of(row: &entity::tool::Model) -> ToolTerms {
    ToolTerms {
        short_description: row.short_description.clone(),
        long_description: row.long_description.clone(),
        topics: topics_of(row.category.as_ref(), &row.tags),
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
        category: terms.topics.category,
        tags: tags_to_json(&terms.topics.tags),
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
    Err(CatalogError::field(field, TermFault::TooLong))
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
