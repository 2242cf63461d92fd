//! Why a session may or may not use a tool, step by step.

use super::{
    Chain, ChainError, ChainPlace, StepKind, ToolIndex,
    names::{Purpose, Resolver},
    steps::{List, Step},
};
use crate::policy::PolicyId;

/// The chain's part of an explanation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainExplanation {
    /// The configured agent whose session it is.
    pub agent: Option<String>,
    /// `namespace/name`, or a core tool's name.
    pub tool: String,
    /// Every step that applies, in order.
    pub steps: Vec<StepExplanation>,
}

/// What one step does to a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepExplanation {
    /// Which sort of step.
    pub kind: StepKind,
    /// The step's name, which its policies' identifiers begin with.
    pub id: String,
    /// What it does to this tool.
    pub verdict: Verdict,
    /// An allow list that the dialect drops: its key.
    pub dropped: Option<String>,
    /// The Cedar policies of the step.
    pub policies: Vec<PolicyId>,
    /// How many tools of the catalog are left after it.
    pub tools_left: usize,
}

/// What a step does to a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It has no allow list, and does not deny it.
    Unrestricted,
    /// Its allow list names it.
    Allowed(Cause),
    /// Its deny list names it.
    Denied(Cause),
    /// None of these lists names it.
    NotAllowed {
        /// The keys of the lists.
        keys: Vec<String>,
    },
}

/// One Cedar policy of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainPolicy {
    /// Its `@id`.
    pub id: PolicyId,
    /// The keys of the document, or the dialect's lists, that it came from.
    pub keys: Vec<String>,
    /// In Cedar's language.
    pub text: String,
}

/// An entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// The key of the list in the document, or what of the dialect it is.
    pub key: String,
    /// The entry as it is written. Empty where a rule of the dialect adds the tool to the list.
    pub entry: String,
}

impl Verdict {
    /// Whether the tool survives.
    pub fn passes(&self) -> bool {
        matches!(self, Self::Unrestricted | Self::Allowed(_))
    }
}

impl Chain {
    /// What every step that applies does to a tool.
    pub fn explain(&self, place: &ChainPlace) -> ChainExplanation {
        let resolver = Resolver::new(&self.names, &self.rules);
        let mut left: Vec<ToolIndex> = self.names.all().collect();
        let mut steps = Vec::new();
        for step in self.steps(&place.scope) {
            left.retain(|tool| step.passes(*tool));
            steps.push(StepExplanation {
                kind: step.kind,
                id: step.id.clone(),
                verdict: verdict(step, place.tool, &resolver),
                dropped: step.dropped.as_ref().and_then(|list| list.sources.first()).map(|source| source.key.clone()),
                policies: step.lists().map(|list| list.id.as_str().into()).collect(),
                tools_left: left.len(),
            });
        }
        ChainExplanation {
            agent: self.agent_of(&place.scope).map(str::to_owned),
            tool: self.tool_name(place.tool).to_owned(),
            steps,
        }
    }

    /// For every Cedar policy of the chain, in the order of the steps: its identifier and the keys of the document (or
    /// the dialect's lists) that it came from.
    pub fn source_map(&self) -> Vec<(PolicyId, Vec<String>)> {
        let lists = self.plan.steps.iter().flat_map(Step::lists);
        lists.map(|list| (list.id.as_str().into(), keys(list))).collect()
    }
}

impl Chain {
    /// The whole chain as Cedar text; above each policy stands what it came from.
    pub fn cedar_text(&self) -> Result<String, ChainError> {
        let commented = self.cedar_policies()?.into_iter().map(|policy| {
            // a key is quoted where it is odd, so it stays in its line
            format!("// {}\n{}\n", policy.keys.join(", "), policy.text)
        });
        Ok(commented.collect::<Vec<_>>().join("\n"))
    }

    /// The same policy by policy.
    ///
    /// # Errors
    /// As for [`Self::cedar_text`].
    pub fn cedar_policies(&self) -> Result<Vec<ChainPolicy>, ChainError> {
        let whole = self.whole()?;
        let policies = whole.iter().zip(self.source_map()).map(|(policy, (id, keys))| ChainPolicy {
            id,
            keys,
            text: policy.to_cedar().unwrap_or_default(),
        });
        Ok(policies.collect())
    }
}

fn keys(list: &List) -> Vec<String> {
    list.sources.iter().map(|source| source.key.clone()).collect()
}

fn verdict(step: &Step, tool: ToolIndex, resolver: &Resolver<'_>) -> Verdict {
    let named = |list: &List, purpose| {
        let entries = list.sources.iter().flat_map(|source| source.entries.iter().map(|entry| (&source.key, entry)));
        let mut naming = entries.filter(|(_, entry)| resolver.members(entry, purpose).contains(tool));
        let found = naming.next().map(|(key, entry)| Cause { key: key.clone(), entry: entry.clone() });
        let key = || list.sources.first().map(|source| source.key.clone()).unwrap_or_default();
        found.unwrap_or_else(|| Cause { key: key(), entry: String::new() })
    };
    match (&step.deny, &step.allow) {
        (Some(deny), _) if deny.members.contains(tool) => Verdict::Denied(named(deny, Purpose::Deny)),
        (_, Some(allow)) if allow.members.contains(tool) => Verdict::Allowed(named(allow, Purpose::Allow)),
        (_, Some(allow)) => Verdict::NotAllowed { keys: keys(allow) },
        _ => Verdict::Unrestricted,
    }
}
