//! Many forbids asked as one.
//!
//! Nearly every call passes every `forbid`, and Cedar takes longer to begin a policy than to evaluate a short condition.
//! A *gate* is one policy that forbids what any of several would. If it neither holds nor fails, none of them does; if it
//! does, they are asked themselves, so that a decision names the same policies as ever. Gates are built from Cedar's own
//! form of the policies, and evaluated by Cedar.

use cedar_policy::{Effect, Policy, PolicyId as CedarPolicyId, PolicySet};
use serde_json::{Value, json};

use super::entities::BuildError;

/// No policy of a text has this name.
const GATE: &str = "";

/// A policy that forbids what meets any of `conditions`, which are expressions in Cedar's JSON.
pub(super) fn policy(conditions: &[Value]) -> Result<Policy, BuildError> {
    let all = json!({"op": "All"});
    let gate = json!({
        "effect": "forbid",
        "principal": all,
        "action": all,
        "resource": all,
        "conditions": [{"kind": "when", "body": any_of(conditions)}],
    });
    Policy::from_json(Some(CedarPolicyId::new(GATE)), gate).map_err(BuildError::new)
}

/// `set` for the calls whose actions are those of which `is_meant`: policies about other actions are left out, and the
/// forbids about any principal and any resource are one.
pub(super) fn gated(
    set: &PolicySet,
    is_meant: impl Fn(&Value) -> Result<bool, BuildError>,
) -> Result<PolicySet, BuildError> {
    let all = json!({"op": "All"});
    let mut gated = PolicySet::new();
    let mut conditions = Vec::new();
    let mut policies: Vec<&Policy> = set.policies().collect();
    policies.sort_unstable_by_key(|policy| policy.id());
    for policy in policies {
        let mut form = policy.to_json().map_err(BuildError::new)?;
        let Some(action) = form.get_mut("action") else { continue };
        if !is_meant(action)? {
            continue;
        }
        *action = all.clone();
        let is_about_all = form.get("principal") == Some(&all) && form.get("resource") == Some(&all);
        if policy.effect() == Effect::Forbid && is_about_all {
            conditions.push(condition(&form)?);
        } else {
            let alone = Policy::from_json(Some(policy.id().clone()), form).map_err(BuildError::new)?;
            gated.add(alone).map_err(BuildError::new)?;
        }
    }
    if !conditions.is_empty() {
        gated.add(policy(&conditions)?).map_err(BuildError::new)?;
    }
    Ok(gated)
}

/// What a policy asks beyond its head, as one expression.
fn condition(form: &Value) -> Result<Value, BuildError> {
    let clauses = form.get("conditions").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let clause = |clause: &Value| match (clause.get("kind").and_then(Value::as_str), clause.get("body")) {
        (Some("when"), Some(body)) => Ok(body.clone()),
        (Some("unless"), Some(body)) => Ok(not(body.clone())),
        _ => Err(BuildError::new("a condition that is neither `when` nor `unless`")),
    };
    let mut clauses = clauses.iter().map(clause);
    let Some(first) = clauses.next() else { return Ok(json!({"Value": true})) };
    clauses.try_fold(first?, |left, right| Ok(json!({"&&": {"left": left, "right": right?}})))
}

/// The opposite of an expression.
pub(super) fn not(expression: Value) -> Value {
    json!({"!": {"arg": expression}})
}

/// In their order, and nested no deeper than need be: Cedar follows expressions by recursion.
fn any_of(conditions: &[Value]) -> Value {
    match conditions {
        [] => json!({"Value": false}),
        [only] => only.clone(),
        several => {
            let (left, right) = several.split_at(several.len().div_euclid(2));
            json!({"||": {"left": any_of(left), "right": any_of(right)}})
        }
    }
}

#[cfg(test)]
mod tests;
