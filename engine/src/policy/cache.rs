//! Decisions that were made before.

use std::{fmt, sync::Arc};

use quick_cache::sync::Cache;

use super::{Decision, DecisionRequest, Policies};

/// How many decisions are kept by default. One takes about half a kibibyte.
pub const DECISION_CACHE_ENTRIES_MAX: usize = 16_384;

/// A set of policies that remembers its decisions.
///
/// The key holds every fact of the request, so a suspended account or a new price is simply another key and nothing is
/// ever stale. The time is part of it only if a policy looks at it. A new set of policies starts with an empty memory.
pub struct CachedPolicies {
    policies: Policies,
    decisions: Cache<Box<[u8]>, Arc<Decision>>,
}

impl CachedPolicies {
    /// Keeps up to about `entries_max` decisions of `policies`, the most used ones.
    pub fn new(policies: Policies, entries_max: usize) -> Self {
        Self { policies, decisions: Cache::new(entries_max) }
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
        let key = request.key(self.policies.reads_clock());
        if let Some(decision) = self.decisions.get(key.as_slice()) {
            return decision;
        }
        let decision = Arc::new(self.policies.decide(request));
        self.decisions.insert(key.into_boxed_slice(), Arc::clone(&decision));
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
