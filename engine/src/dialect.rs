//! The dialects of the agent gateway, as data: what the policy chain's names mean, and what `/tools/invoke` looks like.
//!
//! One file per dialect (`policies/dialects`), read when the program starts. Nothing in the engine asks which dialect it
//! is: whatever differs between two of them is a member of their files.

mod chain;
mod http;

use serde_json::Value;

pub use self::{
    chain::{ChainRules, ChannelLookup, HttpDenyMatch, ImpliedTool, SubagentRules},
    http::{
        AuthMode, AuthRules, ContextHeaders, ErrorRule, ErrorRules, FailureKind, HttpRules, LimiterRules, ScopeRules,
        SessionRules,
    },
};
use crate::document::{DocumentProblem, Reader};

/// One dialect.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Dialect {
    /// What the configuration calls it.
    pub name: String,
    /// The rules of the tool-policy chain.
    pub chain: ChainRules,
    /// The rules of the endpoint.
    pub http: HttpRules,
}

/// Why a text is not a dialect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DialectError {
    /// The text is not JSON5. The message has line and column.
    #[error("the dialect is not valid JSON5: {0}")]
    Syntax(String),
    /// Members are missing, unknown or of the wrong type.
    #[error("the dialect is wrong: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Problems(Vec<DocumentProblem>),
}

impl Dialect {
    /// Reads a dialect's JSON5 text.
    pub fn from_text(text: &str) -> Result<Self, DialectError> {
        let value: Value = json5::from_str(text).map_err(|error| DialectError::Syntax(error.to_string()))?;
        let reader = Reader::default();
        let dialect = reader.root(&value).object(|fields| {
            let name = fields.require("name").and_then(|node| node.text());
            let chain = fields.require("chain").and_then(|node| node.object(ChainRules::read));
            let chain = chain.map(|rules| ChainRules { source: text.to_owned(), ..rules });
            let http = fields.require("http").and_then(|node| node.object(HttpRules::read));
            Some(Self { name: name?.to_owned(), chain: chain?, http: http? })
        });
        reader.finish().map_err(DialectError::Problems)?;
        // nothing was wrong, so everything is there
        dialect.flatten().ok_or_else(|| DialectError::Problems(Vec::new()))
    }
}

#[cfg(test)]
mod tests;
