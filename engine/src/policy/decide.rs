//! From a request to a decision.

use std::{collections::HashMap, sync::Arc};

use cedar_policy::{AuthorizationError, Authorizer, Decision as CedarDecision, PolicyId as CedarPolicyId, PolicySet};

use super::{
    PolicyId, PolicyVersion,
    chain::{Chain, ChainExplanation, Slice},
    entities::{BuildError, Vocabulary},
    facts::{DecisionRequest, Surface},
};
use crate::code::Code;

/// A validated set of policies, ready to decide. Immutable: a new set replaces it whole.
#[derive(Debug)]
pub struct Policies {
    pub(super) version: PolicyVersion,
    pub(super) set: PolicySet,
    /// With the policies of the chain that apply to every session: what `/tools/invoke` is asked first.
    pub(super) http_set: PolicySet,
    pub(super) chain: Option<Chain>,
    pub(super) notes: HashMap<CedarPolicyId, PolicyNote>,
    pub(super) vocabulary: Vocabulary,
    pub(super) warnings: Vec<String>,
    pub(super) reads_clock: bool,
    pub(super) authorizer: Authorizer,
}

/// What the decision says about one policy.
#[derive(Debug, Clone)]
pub(super) struct PolicyNote {
    /// Its place in the text, from 0: of several forbids the first one speaks.
    pub(super) place: usize,
    pub(super) id: PolicyId,
    pub(super) reason: Option<Arc<str>>,
    pub(super) code: Option<Code>,
}

/// Whether a call may go on, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Whether the call may go on.
    pub allowed: bool,
    /// The policies that decided, in the order of their text: the forbids that hold, else the permits that hold. Empty
    /// if no policy permits, and if the decision is a denial because something could not be evaluated.
    pub determining: Vec<PolicyId>,
    /// For the caller: the `@reason` of the first determining forbid.
    pub reason: Option<Arc<str>>,
    /// The `@code` of the first determining forbid, where it is not [`Code::PolicyDenied`].
    pub code: Option<Code>,
    /// What could not be evaluated. Never empty without a denial. For the log, not for the caller.
    pub faults: Vec<EvaluationFault>,
}

/// A decision with what led to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The decision, with the policies that determined it.
    pub decision: Decision,
    /// The version of the policies.
    pub version: PolicyVersion,
    /// On `/tools/invoke`: every step of the chain that applies.
    pub chain: Option<ChainExplanation>,
}

/// Something that could not be evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvaluationFault {
    /// A policy failed while it ran, for example by an overflow.
    #[error("policy `{policy}` could not be evaluated: {message}")]
    Policy {
        /// Which one.
        policy: PolicyId,
        /// What went wrong.
        message: String,
    },
    /// The facts could not be put to Cedar at all.
    #[error("the request could not be evaluated: {message}")]
    Request {
        /// What went wrong.
        message: String,
    },
}

impl Policies {
    /// Names the texts that the set was made from.
    pub fn version(&self) -> &PolicyVersion {
        &self.version
    }

    /// What the validator found odd, but not wrong: for example a policy that can never hold.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Whether a policy looks at the circumstances of a call (`context`), which hold the time: if not, the decision is the
    /// same at any time.
    pub fn reads_clock(&self) -> bool {
        self.reads_clock
    }

    /// How many policies the set has.
    pub fn policy_count(&self) -> usize {
        self.notes.len()
    }

    /// The policies' identifiers, in the order of their text.
    pub fn policy_ids(&self) -> Vec<PolicyId> {
        let mut notes: Vec<&PolicyNote> = self.notes.values().collect();
        notes.sort_unstable_by_key(|note| note.place);
        notes.into_iter().map(|note| note.id.clone()).collect()
    }

    /// The tool-policy chain of `/tools/invoke`, if one was loaded.
    pub fn chain(&self) -> Option<&Chain> {
        self.chain.as_ref()
    }

    /// Decides by every policy that there is, in one set and in full, where [`Policies::decide`] asks only those that can
    /// apply. The answer is the same and takes as long as there are policies: for tests, and for whoever doubts it.
    pub fn decide_by_whole_set(&self, request: &DecisionRequest<'_>) -> Decision {
        let (Surface::Http, Some(chain), Some(place)) = (request.surface, &self.chain, &request.place) else {
            return self.decide(request);
        };
        let mut whole = self.set.clone();
        let added = chain.whole().map_err(BuildError::new).and_then(|policies| {
            policies.into_iter().try_for_each(|policy| whole.add(policy).map_err(BuildError::new))
        });
        match added {
            Ok(()) => self.ask(request, std::iter::once(&whole), &chain.whole_slice(place)),
            Err(cause) => Decision::unevaluated(&cause),
        }
    }

    /// Decides, and says how it came to that.
    pub fn explain_call(&self, request: &DecisionRequest<'_>) -> Explanation {
        let place = request.place.as_ref().filter(|_| request.surface == Surface::Http);
        Explanation {
            decision: self.decide(request),
            version: self.version.clone(),
            chain: self.chain.as_ref().zip(place).map(|(chain, place)| chain.explain(place)),
        }
    }

    /// Decides. A call passes if a policy permits it, none forbids it, and everything could be evaluated.
    pub fn decide(&self, request: &DecisionRequest<'_>) -> Decision {
        match self.slice(request) {
            Ok((first, slice)) => self.ask(request, std::iter::once(first).chain(slice.sets.iter().copied()), &slice),
            Err(cause) => Decision::unevaluated(&cause),
        }
    }

    /// The policies that may apply to a request: those that are asked first, and the chain's.
    pub(super) fn slice(&self, request: &DecisionRequest<'_>) -> Result<(&PolicySet, Slice<'_>), BuildError> {
        match (request.surface, &self.chain, &request.place) {
            (Surface::Marketplace, _, _) => Ok((&self.set, Slice::default())),
            (Surface::Http, None, _) => Ok((&self.http_set, Slice::default())),
            (Surface::Http, Some(chain), Some(place)) => Ok((&self.http_set, chain.slice(place))),
            (Surface::Http, Some(_), None) => Err(BuildError::new("the call has no place in the chain")),
        }
    }

    /// Asks every set the same. A call passes if the first set permits it and none forbids it.
    pub(super) fn ask<'s>(
        &self,
        request: &DecisionRequest<'_>,
        sets: impl Iterator<Item = &'s PolicySet>,
        slice: &Slice<'_>,
    ) -> Decision {
        let (question, entities) = match self.vocabulary.question(request, slice, None) {
            Ok(question) => question,
            Err(cause) => return Decision::unevaluated(&cause),
        };
        let responses: Vec<_> = sets.map(|set| self.authorizer.is_authorized(&question, set, &entities)).collect();
        self.explain(&responses)
    }

    fn explain(&self, responses: &[cedar_policy::Response]) -> Decision {
        let faults: Vec<EvaluationFault> =
            responses.iter().flat_map(|response| response.diagnostics().errors()).map(EvaluationFault::from).collect();
        let reasons = |response: &cedar_policy::Response| response.diagnostics().reason().count();
        // only the first set has a permit: of the others, one that says why forbids
        let permits = responses.first().is_some_and(|first| first.decision() == CedarDecision::Allow)
            && responses.iter().skip(1).all(|response| reasons(response) == 0);
        if permits && !faults.is_empty() {
            // Cedar leaves a failing policy out. It might have been a forbid that holds.
            return Decision { allowed: false, determining: Vec::new(), reason: None, code: None, faults };
        }
        let forbidding = responses.iter().filter(|response| permits || response.decision() == CedarDecision::Deny);
        let ids = forbidding.flat_map(|response| response.diagnostics().reason());
        let mut notes: Vec<&PolicyNote> = ids.filter_map(|id| self.notes.get(id)).collect();
        notes.sort_unstable_by(|a, b| (a.place, &a.id).cmp(&(b.place, &b.id)));
        let speaker = if permits { None } else { notes.first() };
        Decision {
            allowed: permits,
            reason: speaker.and_then(|note| note.reason.clone()),
            code: speaker.and_then(|note| note.code),
            determining: notes.into_iter().map(|note| note.id.clone()).collect(),
            faults,
        }
    }
}

impl Decision {
    fn unevaluated(cause: &BuildError) -> Self {
        let fault = EvaluationFault::Request { message: cause.to_string() };
        Self { allowed: false, determining: Vec::new(), reason: None, code: None, faults: vec![fault] }
    }
}

impl From<&AuthorizationError> for EvaluationFault {
    fn from(error: &AuthorizationError) -> Self {
        match error {
            AuthorizationError::PolicyEvaluationError(inner) => {
                let id: &str = inner.policy_id().as_ref();
                Self::Policy { policy: id.into(), message: inner.inner().to_string() }
            }
        }
    }
}
