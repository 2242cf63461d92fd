//! Explanations as JSON: for the command line, the records of denied calls and the console.

use serde_json::{Value, json};

use super::{
    Explanation, PolicyId,
    chain::{Cause, ChainExplanation, StepExplanation, Verdict},
};
use crate::code::Code;

impl Explanation {
    /// `{decision, determining, reason, code, faults, policy_version, chain}`; `chain` is null beside `/tools/invoke`.
    pub fn to_value(&self) -> Value {
        let decision = &self.decision;
        json!({
            "decision": if decision.allowed { "allow" } else { "deny" },
            "determining": ids(&decision.determining),
            "reason": decision.reason.as_deref(),
            "code": decision.code.map(Code::as_str),
            "faults": decision.faults.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "policy_version": self.version.as_str(),
            "chain": self.chain.as_ref().map(chain_value),
        })
    }
}

fn ids(policies: &[PolicyId]) -> Vec<&str> {
    policies.iter().map(PolicyId::as_str).collect()
}

fn chain_value(chain: &ChainExplanation) -> Value {
    json!({
        "agent": chain.agent,
        "tool": chain.tool,
        "steps": chain.steps.iter().map(step_value).collect::<Vec<_>>(),
    })
}

fn step_value(step: &StepExplanation) -> Value {
    let (verdict, cause, keys): (_, Option<&Cause>, &[String]) = match &step.verdict {
        Verdict::Unrestricted => ("unrestricted", None, &[]),
        Verdict::Allowed(cause) => ("allowed", Some(cause), &[]),
        Verdict::Denied(cause) => ("denied", Some(cause), &[]),
        Verdict::NotAllowed { keys } => ("not_allowed", None, keys),
    };
    json!({
        "step": step.id,
        "kind": step.kind.as_str(),
        "verdict": verdict,
        "key": cause.map(|cause| &cause.key),
        "entry": cause.map(|cause| &cause.entry).filter(|entry| !entry.is_empty()),
        "allow_lists": keys,
        "dropped": step.dropped,
        "policies": ids(&step.policies),
        "tools_left": step.tools_left,
    })
}
