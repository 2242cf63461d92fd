//! Decisions that were made before.

use std::{fmt, sync::Arc};

use quick_cache::sync::Cache;

use super::{
    Decision, DecisionRequest, Explanation, Policies, Surface,
    chain::{ChainExplanation, ChainPlace},
    key::DecisionKey,
};

/// How many decisions are kept by default. One takes about a quarter of a kibibyte.
pub const DECISION_CACHE_ENTRIES_MAX: usize = 16_384;

/// How many explanations of the chain are kept: denials come in swarms, and a long document takes its time to explain.
const EXPLANATIONS_MAX: usize = 1_024;

/// A set of policies that remembers its decisions.
///
/// The key holds every fact that a decision depends on, so a suspended account or a new price is simply another key and
/// nothing is ever stale. The time and names are part of it only if a policy looks at them. A new set of policies starts with an empty memory.
pub struct CachedPolicies {
    policies: Policies,
    decisions: Cache<DecisionKey, Arc<Decision>>,
    /// What the policies beside the chain say: alike for many sessions, and the dearer part of a new decision.
    without_chain: Cache<DecisionKey, Arc<Decision>>,
    explanations: Cache<ChainPlace, Arc<ChainExplanation>>,
}

impl CachedPolicies {
    /// Keeps up to about `entries_max` decisions of `policies`, the most used ones.
    pub fn new(policies: Policies, entries_max: usize) -> Self {
        Self {
            policies,
            decisions: Cache::new(entries_max),
            without_chain: Cache::new(entries_max),
            explanations: Cache::new(EXPLANATIONS_MAX),
        }
    }

    /// The set itself.
    pub fn policies(&self) -> &Policies {
        &self.policies
    }

    /// How many decisions are remembered now.
    pub fn len(&self) -> usize {
        self.decisions.len()
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.decisions.is_empty()
    }

    /// The same decision that [`Policies::decide`] makes.
    pub fn decide(&self, request: &DecisionRequest<'_>) -> Arc<Decision> {
        let key = request.key(self.policies.reads);
        if let Some(decision) = self.decisions.get(&key) {
            return decision;
        }
        let decision = if request.place.is_some() && !self.policies.reads.chain {
            let base = self.decide_without_chain(&DecisionRequest { place: None, ..*request });
            Arc::new(self.policies.complete(&base, request))
        } else {
            Arc::new(self.policies.decide(request))
        };
        self.decisions.insert(key, Arc::clone(&decision));
        decision
    }

    /// The same explanation that [`Policies::explain_call`] gives.
    pub fn explain_call(&self, request: &DecisionRequest<'_>) -> Explanation {
        let place = request.place.filter(|_| request.surface == Surface::Http);
        Explanation {
            decision: (*self.decide(request)).clone(),
            version: self.policies.version().clone(),
            chain: place.and_then(|place| self.explain_chain(place)).map(|chain| (*chain).clone()),
        }
    }

    fn explain_chain(&self, place: ChainPlace) -> Option<Arc<ChainExplanation>> {
        if let Some(known) = self.explanations.get(&place) {
            return Some(known);
        }
        let explained = Arc::new(self.policies.chain()?.explain(&place));
        self.explanations.insert(place, Arc::clone(&explained));
        Some(explained)
    }

    fn decide_without_chain(&self, request: &DecisionRequest<'_>) -> Arc<Decision> {
        let key = request.key(self.policies.reads);
        if let Some(decision) = self.without_chain.get(&key) {
            return decision;
        }
        let decision = Arc::new(self.policies.decide_without_chain(request));
        self.without_chain.insert(key, Arc::clone(&decision));
        decision
    }
}

impl fmt::Debug for CachedPolicies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedPolicies")
            .field("version", self.policies.version())
            .field("decisions", &self.len())
            .finish_non_exhaustive()
    }
}
