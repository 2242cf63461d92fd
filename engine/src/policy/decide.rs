//! From a request to a decision.

use std::{collections::HashMap, sync::Arc};

use cedar_policy::{AuthorizationError, Authorizer, Decision as CedarDecision, PolicyId as CedarPolicyId, PolicySet};

use super::{
    PolicyId, PolicyVersion,
    entities::{BuildError, Vocabulary},
    facts::DecisionRequest,
};
use crate::code::Code;

/// A validated set of policies, ready to decide. Immutable: a new set replaces it whole.
#[derive(Debug)]
pub struct Policies {
    pub(super) version: PolicyVersion,
    pub(super) set: PolicySet,
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

    /// Decides. A call passes if a policy permits it, none forbids it, and everything could be evaluated.
    pub fn decide(&self, request: &DecisionRequest<'_>) -> Decision {
        match self.vocabulary.question(request, None) {
            Ok((question, entities)) => self.explain(&self.authorizer.is_authorized(&question, &self.set, &entities)),
            Err(cause) => Decision::unevaluated(&cause),
        }
    }

    fn explain(&self, response: &cedar_policy::Response) -> Decision {
        let diagnostics = response.diagnostics();
        let faults: Vec<EvaluationFault> = diagnostics.errors().map(EvaluationFault::from).collect();
        let permits = response.decision() == CedarDecision::Allow;
        if permits && !faults.is_empty() {
            // Cedar leaves a failing policy out. It might have been a forbid that holds.
            return Decision { allowed: false, determining: Vec::new(), reason: None, code: None, faults };
        }
        let mut notes: Vec<&PolicyNote> = diagnostics.reason().filter_map(|id| self.notes.get(id)).collect();
        notes.sort_unstable_by_key(|note| note.place);
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
