//! The tool-policy chain of `POST /tools/invoke`: a policy document of the dialects, compiled to Cedar.
//!
//! A chain is a sequence of steps, each of which may allow and deny. A tool must survive every step that applies to the
//! session; no step brings back what another one took away, and inside a step a denial stands over an allowance.
//!
//! [`PolicyDocument`] is the document, checked. [`Chain::compile`] resolves names, patterns, groups and plugins against
//! the catalog and turns each step into at most two `forbid` policies over sets of tools; names only ever become
//! identifiers of entities. At a call, [`Chain::scope`] finds from the request's texts which steps apply, and
//! [`super::Policies::decide`] asks Cedar only those: the slices of the whole set that can matter.

mod cedar;
mod check;
mod diff;
mod document;
mod explain;
mod names;
mod replay;
mod scopes;
mod session_key;
mod sets;
mod steps;

use cedar_policy::Policy;

pub(super) use self::cedar::{Parents, Slice};
use self::{
    cedar::Compiled,
    names::{Names, Resolver},
    scopes::Plan,
    steps::{Maker, Step},
};
pub use self::{
    check::{ChainWarning, ChainWarningKind},
    diff::{ChainDiff, SessionKind},
    document::{PolicyDocument, SESSION_UNUSED, TOOLS_UNUSED},
    explain::{Cause, ChainExplanation, ChainPolicy, StepExplanation, Verdict},
    replay::{Flip, RecordedDecision, decide_again, replay},
    scopes::{Scope, SenderFacts, SessionFacts},
    steps::StepKind,
};
use crate::dialect::ChainRules;

/// A tool that the gateway offers, as far as the chain looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CatalogTool<'a> {
    /// Its name inside its namespace.
    pub name: &'a str,
    /// Its namespace, which the chain calls a plugin; core tools have none.
    pub namespace: Option<&'a str>,
}

/// A tool's place in the catalog that a chain was compiled with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ToolIndex(u32);

impl ToolIndex {
    /// The place in the list that [`Chain::compile`] was given.
    pub fn usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// Where a call stands in a chain. It is part of a decision's request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChainPlace {
    /// The session.
    pub scope: Scope,
    /// What is called.
    pub tool: ToolIndex,
}

/// A policy document, compiled for a dialect and a catalog. Immutable.
#[derive(Debug)]
pub struct Chain {
    rules: ChainRules,
    document: PolicyDocument,
    names: Names,
    /// As a caller writes them.
    tool_names: Vec<String>,
    plan: Plan,
    pub(super) compiled: Compiled,
}

/// Why a document did not become a chain: an entity or a policy that Cedar does not take. No document is known to do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the chain could not be compiled: {0}")]
pub struct ChainError(pub(super) String);

impl ChainError {
    /// Why not.
    pub fn why(&self) -> &str {
        &self.0
    }
}

impl Chain {
    /// Compiles a document that was read with the same rules.
    pub fn compile(
        document: PolicyDocument,
        rules: &ChainRules,
        catalog: &[CatalogTool<'_>],
    ) -> Result<Self, ChainError> {
        let names = Names::new(catalog, rules);
        let tool_names: Vec<String> = catalog
            .iter()
            .map(|tool| tool.namespace.map_or_else(|| tool.name.to_owned(), |space| format!("{space}/{}", tool.name)))
            .collect();
        let is_exact = |entry: &str, tool: ToolIndex| {
            catalog.get(tool.usize()).is_some_and(|tool| tool.name == entry)
                || tool_names.get(tool.usize()).is_some_and(|path| path == entry)
        };
        let plan = Plan::new(&document, &Maker { resolver: Resolver::new(&names, rules) }, &is_exact);
        let compiled = Compiled::new(&plan, names.all())?;
        Ok(Self { rules: rules.clone(), document, names, tool_names, plan, compiled })
    }

    /// Finds a tool by what a caller writes: a core tool's name, the name of a tool that one namespace offers, or
    /// `namespace/name`. Names are compared exactly.
    pub fn find_tool(&self, requested: &str) -> Option<ToolIndex> {
        self.names.find(requested)
    }

    /// Finds what of the chain applies to a session.
    pub fn scope(&self, session: &SessionFacts<'_>) -> Scope {
        self.plan.scope(session, &self.rules)
    }

    /// The tools that the chain leaves to a session, in the order of the catalog. Other policies may forbid more.
    pub fn available(&self, scope: &Scope) -> Vec<ToolIndex> {
        let steps: Vec<&Step> = self.steps(scope).collect();
        self.names.all().filter(|tool| steps.iter().all(|step| step.passes(*tool))).collect()
    }

    /// `namespace/name`, or a core tool's name.
    pub fn tool_name(&self, tool: ToolIndex) -> &str {
        self.tool_names.get(tool.usize()).map_or("", String::as_str)
    }

    /// What was compiled.
    pub fn document(&self) -> &PolicyDocument {
        &self.document
    }

    /// What its names and lists mean.
    pub(super) fn rules(&self) -> &ChainRules {
        &self.rules
    }

    /// The configured agent of a scope; `None` where the document has no policies for it.
    pub fn agent_of(&self, scope: &Scope) -> Option<&str> {
        self.plan.agents.get(usize::try_from(scope.agent).ok()?)?.id.as_deref()
    }

    fn steps(&self, scope: &Scope) -> impl Iterator<Item = &Step> {
        self.plan.steps_of(scope).filter_map(|index| self.plan.step(index))
    }

    pub(super) fn slice(&self, place: &ChainPlace) -> Option<Slice<'_>> {
        self.compiled.slice(&self.plan, place)
    }

    pub(super) fn whole_parents(&self, place: &ChainPlace) -> Parents {
        self.compiled.whole_parents(&self.plan, place)
    }

    /// Every policy of the chain in full, in the order of the steps.
    pub(super) fn whole(&self) -> Result<Vec<Policy>, ChainError> {
        cedar::whole(&self.plan)
    }
}

/// An agent's identifier as it is compared, everywhere: what is configured, what a session key names, what a call asks for.
pub fn normalised_agent(id: &str) -> String {
    session_key::normalised_id(id, session_key::MAIN).into_owned()
}

#[cfg(test)]
mod tests;
