//! From a request to a decision.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use cedar_policy::{
    AuthorizationError, Authorizer, Decision as CedarDecision, Entities, PolicyId as CedarPolicyId, PolicySet, Request,
    Response,
};

use super::{
    PolicyId, PolicyVersion,
    chain::{Chain, ChainExplanation, Parents},
    entities::{BuildError, Vocabulary},
    facts::{DecisionRequest, Surface},
    kinds::Kinds,
};
use crate::code::Code;

/// A validated set of policies, ready to decide. Immutable: a new set replaces it whole.
#[derive(Debug)]
pub struct Policies {
    pub(super) version: PolicyVersion,
    pub(super) set: PolicySet,
    /// `set` in few policies, which are asked first.
    pub(super) gates: Gates,
    /// What calls are put to Cedar with, where no policy tells them apart by name.
    pub(super) kinds: Option<Kinds>,
    pub(super) chain: Option<Chain>,
    pub(super) reads: Reads,
    pub(super) notes: HashMap<CedarPolicyId, PolicyNote>,
    pub(super) vocabulary: Vocabulary,
    pub(super) warnings: Vec<String>,
    pub(super) authorizer: Authorizer,
}

/// Policies for the calls of each surface.
#[derive(Debug)]
pub(super) struct Gates {
    pub(super) marketplace: PolicySet,
    pub(super) http: PolicySet,
}

/// What the policies beside the chain look at, of what they are not always told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Reads {
    /// The circumstances of a call, which hold the time.
    pub(super) clock: bool,
    /// Who calls or what is called, by name.
    pub(super) names: bool,
    /// What only the chain knows: agents, scopes, sets of tools.
    pub(super) chain: bool,
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

impl PolicyNote {
    /// Texts in their order, then the steps of the chain in theirs.
    fn by_place(&self, other: &Self) -> std::cmp::Ordering {
        (self.place, &self.id).cmp(&(other.place, &other.id))
    }
}

/// Whether a call may go on, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Whether the call may go on.
    pub allowed: bool,
    /// The policies that decided, in the order of their text: the forbids that hold, else the permits that hold. Empty
    /// if no policy permits, and if the decision is a denial because something could not be evaluated.
    pub determining: Vec<PolicyId>,
    /// For the caller: the `@reason` of the first determining forbid, unless one of them hides the tool.
    pub reason: Option<Arc<str>>,
    /// The `@code` of that forbid, where it is not [`Code::PolicyDenied`].
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
        self.reads.clock
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
            Ok(()) => self.ask(request, &whole, &chain.whole_parents(place)),
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
        let base = self.decide_without_chain(request);
        self.complete(&base, request)
    }

    /// What the policies beside the chain say. Unless they name what only the chain knows, this is the same for every
    /// place in it.
    pub(super) fn decide_without_chain(&self, request: &DecisionRequest<'_>) -> Decision {
        let (question, entities) = match self.question(request) {
            Ok(question) => question,
            Err(cause) => return Decision::unevaluated(&cause),
        };
        let gate = match request.surface {
            Surface::Marketplace => &self.gates.marketplace,
            Surface::Http => &self.gates.http,
        };
        let mut response = self.authorizer.is_authorized(&question, gate, &entities);
        if response.decision() != CedarDecision::Allow || response.diagnostics().errors().next().is_some() {
            // who forbids it, the policies themselves say
            response = self.authorizer.is_authorized(&question, &self.set, &entities);
        }
        self.explain(&response)
    }

    /// A call as the policies beside the chain see it.
    fn question(&self, request: &DecisionRequest<'_>) -> Result<(Request, Cow<'_, Entities>), BuildError> {
        if let Some(kinds) = &self.kinds {
            let question = self.vocabulary.question_of_kind(request, kinds, self.reads.clock)?;
            return Ok((question, Cow::Borrowed(&kinds.entities)));
        }
        let place = request.place.as_ref().filter(|_| self.reads.chain && request.surface == Surface::Http);
        let parents = self.chain.as_ref().zip(place).map(|(chain, place)| chain.whole_parents(place));
        let (question, entities) = self.vocabulary.question(request, &parents.unwrap_or_default(), None)?;
        Ok((question, Cow::Owned(entities)))
    }

    /// What the chain makes of a decision on the same request: it can only take away.
    pub(super) fn complete(&self, base: &Decision, request: &DecisionRequest<'_>) -> Decision {
        let chain = match (request.surface, &self.chain, &request.place) {
            (Surface::Marketplace, _, _) | (Surface::Http, None, _) => return base.clone(),
            (Surface::Http, Some(_), None) => {
                return Decision::unevaluated(&BuildError::new("the call has no place in the chain"));
            }
            (Surface::Http, Some(chain), Some(place)) => chain.slice(place),
        };
        let Some(chain) = chain else {
            return Decision::unevaluated(&BuildError::new("the tool is not one of the chain's catalog"));
        };
        let mut notes: Vec<&PolicyNote> = Vec::new();
        let mut faults = base.faults.clone();
        for part in chain.parts {
            let ask = |set| self.authorizer.is_authorized(chain.question, set, chain.entities);
            if part.gate.as_ref().is_some_and(|gate| is_silent(&ask(gate))) {
                continue;
            }
            let response = ask(&part.set);
            // a slice permits nothing, so what is in its reasons forbids
            notes.extend(response.diagnostics().reason().filter_map(|id| self.notes.get(id)));
            faults.extend(response.diagnostics().errors().map(EvaluationFault::from));
        }
        if notes.is_empty() && faults.is_empty() {
            return base.clone();
        }
        notes.sort_unstable_by(|a, b| a.by_place(b));
        let earlier = base.determining.iter().filter(|_| !base.allowed).cloned();
        Decision {
            allowed: false,
            determining: earlier.chain(notes.into_iter().map(|note| note.id.clone())).collect(),
            reason: base.reason.clone(),
            code: base.code,
            faults,
        }
    }

    fn ask(&self, request: &DecisionRequest<'_>, set: &PolicySet, parents: &Parents) -> Decision {
        match self.vocabulary.question(request, parents, None) {
            Ok((question, entities)) => self.explain(&self.authorizer.is_authorized(&question, set, &entities)),
            Err(cause) => Decision::unevaluated(&cause),
        }
    }

    fn explain(&self, response: &Response) -> Decision {
        let diagnostics = response.diagnostics();
        let faults: Vec<EvaluationFault> = diagnostics.errors().map(EvaluationFault::from).collect();
        let permits = response.decision() == CedarDecision::Allow;
        if permits && !faults.is_empty() {
            // Cedar leaves a failing policy out. It might have been a forbid that holds.
            return Decision { allowed: false, determining: Vec::new(), reason: None, code: None, faults };
        }
        let mut notes: Vec<&PolicyNote> = diagnostics.reason().filter_map(|id| self.notes.get(id)).collect();
        notes.sort_unstable_by(|a, b| a.by_place(b));
        // What is hidden from a caller is hidden whatever else forbids it.
        let hiding = || notes.iter().find(|note| note.code == Some(Code::NotFound));
        let speaker = if permits { None } else { hiding().or_else(|| notes.first()) };
        Decision {
            allowed: permits,
            reason: speaker.and_then(|note| note.reason.clone()),
            code: speaker.and_then(|note| note.code),
            determining: notes.into_iter().map(|note| note.id.clone()).collect(),
            faults,
        }
    }
}

/// No policy holds, and none fails.
fn is_silent(response: &Response) -> bool {
    response.diagnostics().reason().next().is_none() && response.diagnostics().errors().next().is_none()
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
