//! A policy as operators write and keep it: the document of the tool-policy chain, and their own Cedar policies beside it.
//!
//! Both are one thing: they are checked, kept, published and taken back together.

use serde_json::Value;

use super::{
    Policies, PolicyLoadError, PolicySources,
    chain::{CatalogTool, Chain, ChainError, PolicyDocument},
};
use crate::{
    dialect::ChainRules,
    document::{DocumentPath, DocumentProblem, written::Written},
};

/// Under which name the Cedar text stands beside the sections of the document.
pub const OPERATOR_POLICIES: &str = "operator_policies";

/// The sections of the document.
pub const SECTIONS: [&str; 5] = ["agents", "channels", "gateway", "session", "tools"];

/// A policy as it is written. Not checked yet; [`WrittenPolicy::compile`] does that.
#[derive(Debug, Clone, PartialEq)]
pub struct WrittenPolicy {
    /// The chain's document: an object with the [`SECTIONS`], in the dialects' own shape.
    pub chain: Value,
    /// Cedar policies of the operators, under the same rules as the base policies; empty if there are none.
    pub operator: String,
}

/// Why a written policy is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WrittenPolicyError {
    /// The chain's document.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Document(Vec<DocumentProblem>),
    /// What Cedar does not take of the chain.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The operators' policies.
    #[error("{OPERATOR_POLICIES}: {0}")]
    Cedar(#[from] PolicyLoadError),
}

impl WrittenPolicy {
    /// Reads the one object that [`WrittenPolicy::to_value`] makes: the sections, with the Cedar text among them.
    ///
    /// # Errors
    /// It is no object, or its Cedar policies are no text. The sections are not looked at.
    pub fn from_value(mut value: Value) -> Result<Self, DocumentProblem> {
        let refuse = |path: DocumentPath, message: &str| DocumentProblem { path, message: message.to_owned() };
        let Some(members) = value.as_object_mut() else {
            return Err(refuse(DocumentPath::default(), "must be an object"));
        };
        match members.remove(OPERATOR_POLICIES) {
            None => Ok(Self { chain: value, operator: String::new() }),
            Some(Value::String(operator)) => Ok(Self { chain: value, operator }),
            Some(_) => Err(refuse(DocumentPath::default().key(OPERATOR_POLICIES), "must be a text of Cedar policies")),
        }
    }

    /// Reads the text of a version: JSON, or JSON5 where its author has left comments in it.
    ///
    /// # Errors
    /// It is neither, or as for [`WrittenPolicy::from_value`].
    pub fn from_stored(text: &str) -> Result<Self, String> {
        let value = match serde_json::from_str(text) {
            Ok(value) => value,
            Err(not_json) => match Written::parse(text) {
                Ok(written) if written.has_comments() => written.value().clone(),
                _ => return Err(not_json.to_string()),
            },
        };
        Self::from_value(value).map_err(|problem| problem.to_string())
    }

    /// As one object whose text tells policies apart: sections without content are left out, and their members stand in
    /// the order of their names, however the file has them. What lies deeper stays as it is written.
    pub fn to_value(&self) -> Value {
        let mut value = self.chain.clone();
        if let Some(members) = value.as_object_mut() {
            members.retain(|_, section| !is_void(section));
            if !self.operator.is_empty() {
                members.insert(OPERATOR_POLICIES.to_owned(), self.operator.as_str().into());
            }
            members.sort_keys();
            members.values_mut().filter_map(Value::as_object_mut).for_each(serde_json::Map::sort_keys);
        }
        value
    }

    /// Checks everything and makes it ready to decide, for a dialect and a catalog, over the program's own policies.
    ///
    /// # Errors
    /// Everything that is wrong with the first part that is.
    pub fn compile(
        &self,
        rules: &ChainRules,
        sources: PolicySources<'_>,
        catalog: &[CatalogTool<'_>],
    ) -> Result<Policies, WrittenPolicyError> {
        let document = PolicyDocument::from_value(&self.chain, rules).map_err(WrittenPolicyError::Document)?;
        let chain = Chain::compile(document, rules, catalog)?;
        Ok(Policies::load_with(sources, &self.operator, Some(chain))?)
    }
}

/// An object in which there is nothing but objects in which there is nothing.
fn is_void(value: &Value) -> bool {
    value.as_object().is_some_and(|members| members.values().all(is_void))
}

#[cfg(test)]
mod tests;
