//! May this caller use this tool? Policies are Cedar text over a Cedar schema; this module loads and validates them,
//! turns the facts of a call into a Cedar request, and turns Cedar's answer into a [`Decision`] that explains itself.
//!
//! Pure: a decision sees only its arguments. Whatever comes from a document or a request becomes an entity identifier or
//! an attribute's value, never policy text.
//!
//! A set of policies is loaded whole or not at all ([`Policies::load`]), so that a broken one never replaces a good one.
//! Whatever cannot be evaluated is denied.

#[cfg(feature = "store")]
mod cache;
pub mod chain;
pub mod console;
mod decide;
mod entities;
mod facts;
mod gate;
#[cfg(feature = "store")]
mod key;
mod kinds;
pub mod lanes;
mod load;
mod review;
mod text;
mod told;
mod written;

use std::{fmt, sync::Arc};

#[cfg(feature = "store")]
pub use self::cache::{CachedPolicies, DECISION_CACHE_ENTRIES_MAX};
pub use self::{
    decide::{Decision, EvaluationFault, Explanation, Policies},
    facts::{
        AccountFacts, Caller, DecisionRequest, EndUserFacts, NamespaceFacts, PartnerFacts, PublisherFacts, Surface,
        ToolFacts,
    },
    load::{PolicyLoadError, PolicyProblem, PolicyProblems, policies_by_id},
    review::{PolicyChange, PolicyComparison, PolicyOddity},
    text::{PolicyText, TextPlaces},
    written::{OPERATOR_POLICIES, SECTIONS, WrittenPolicy, WrittenPolicyError},
};

/// The texts that a set of policies is made from.
#[derive(Debug, Clone, Copy)]
pub struct PolicySources<'a> {
    /// In Cedar's schema language.
    pub schema: &'a str,
    /// Cedar policies, each with an `@id`, each `forbid` with a `@reason`.
    pub policies: &'a str,
}

/// A policy's `@id`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyId(Arc<str>);

impl PolicyId {
    /// The identifier as it stands in the policy.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for PolicyId {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for PolicyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names the texts of a set of policies: the first 16 hexadecimal digits of a SHA-256 over the schema, the program's and
/// the operators' policies, the chain's document and its dialect. The same texts have the same version everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PolicyVersion(Arc<str>);

impl PolicyVersion {
    /// The sixteen digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PolicyVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
