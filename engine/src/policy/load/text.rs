//! What all sets of policies have in common, whatever schema they are about: reading texts, annotations and findings.

use std::{fmt, sync::Arc};

use cedar_policy::{
    Effect, Policy, PolicyId as CedarPolicyId, PolicySet, Schema, ValidationResult, ffi::DetailedError,
};

use super::{PolicyLoadError, PolicyProblem, PolicyProblems};
use crate::policy::PolicyId;

const ID: &str = "id";
const REASON: &str = "reason";
const CODE: &str = "code";

/// A policy with what it says about itself.
pub(in crate::policy) struct Annotated {
    pub(in crate::policy) cedar_id: CedarPolicyId,
    pub(in crate::policy) id: PolicyId,
    pub(in crate::policy) reason: Option<Arc<str>>,
    pub(in crate::policy) code: Option<Arc<str>>,
}

/// A schema, with what is odd about it.
pub(in crate::policy) fn parse_schema(text: &str) -> Result<(Schema, Vec<String>), PolicyLoadError> {
    let (schema, warnings) = Schema::from_cedarschema_str(text)
        .map_err(|error| PolicyLoadError::Schema(problems(&DetailedError::from(&error), text)))?;
    Ok((schema, warnings.map(|warning| warning.to_string()).collect()))
}

/// Policies without names.
pub(in crate::policy) fn parse(text: &str) -> Result<PolicySet, PolicyLoadError> {
    text.parse().map_err(|error: cedar_policy::ParseErrors| {
        PolicyLoadError::Syntax(problems(&DetailedError::from(&error), text))
    })
}

/// Says everything that the validator found wrong. `text_of` is where a policy stands.
pub(in crate::policy) fn validated<'t>(
    validation: &ValidationResult,
    text_of: impl Fn(&CedarPolicyId) -> &'t str,
) -> Result<(), PolicyLoadError> {
    if validation.validation_passed() {
        return Ok(());
    }
    let mut found: Vec<PolicyProblem> = validation
        .validation_errors()
        .map(|error| {
            let id = error.policy_id().clone();
            let detail = DetailedError::from(error);
            PolicyProblem {
                line: first_line(&detail, text_of(&id)),
                policy: Some(AsRef::<str>::as_ref(&id).into()),
                message: detail.message,
            }
        })
        .collect();
    found.sort_unstable();
    Err(PolicyLoadError::Validation(PolicyProblems(found)))
}

/// Names every policy by its `@id`, in the order of the text. `is_code` says what an `@code` may be.
pub(in crate::policy) fn annotated_with(
    parsed: &PolicySet,
    text: &str,
    is_code: &dyn Fn(&str) -> bool,
) -> Result<(PolicySet, Vec<Annotated>), PolicyLoadError> {
    let mut found: Vec<PolicyProblem> = parsed
        .templates()
        .map(|template| PolicyProblem {
            line: line_of_statement(&template.to_cedar(), text),
            policy: template.annotation(ID).map(PolicyId::from),
            message: "templates are not used here: write the entity instead of the slot".to_owned(),
        })
        .collect();
    let mut policies: Vec<&Policy> = parsed.policies().collect();
    policies.sort_by_key(|policy| place_of(policy));
    let mut set = PolicySet::new();
    let mut notes = Vec::with_capacity(policies.len());
    for policy in policies {
        let mut messages = annotation_problems(policy, is_code);
        if let Some(id) = policy.annotation(ID).filter(|id| !id.is_empty()) {
            let cedar_id = CedarPolicyId::new(id);
            if set.add(policy.new_id(cedar_id.clone())).is_err() {
                messages.push("another policy has the same `@id`".to_owned());
            }
            let (reason, code) = (policy.annotation(REASON).map(Arc::from), policy.annotation(CODE).map(Arc::from));
            notes.push(Annotated { cedar_id, id: id.into(), reason, code });
        }
        let line = policy.to_cedar().and_then(|statement| line_of_statement(&statement, text));
        let id = policy.annotation(ID).map(PolicyId::from);
        found.extend(messages.into_iter().map(|message| PolicyProblem { line, policy: id.clone(), message }));
    }
    if found.is_empty() {
        return Ok((set, notes));
    }
    found.sort_unstable();
    Err(PolicyLoadError::Rule(PolicyProblems(found)))
}

pub(in crate::policy) fn rule_broken(policy: Option<PolicyId>, message: String) -> PolicyLoadError {
    PolicyLoadError::Rule(PolicyProblems(vec![PolicyProblem { line: None, policy, message }]))
}

/// Annotations are part of the contract, so a misspelt one must not pass in silence.
fn annotation_problems(policy: &Policy, is_code: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut messages = Vec::new();
    if policy.annotation(ID).is_none_or(str::is_empty) {
        messages.push("the policy has no `@id`".to_owned());
    }
    if policy.effect() == Effect::Forbid && policy.annotation(REASON).is_none_or(|text| text.trim().is_empty()) {
        messages.push("a `forbid` needs a `@reason` that the caller may read".to_owned());
    }
    if let Some(text) = policy.annotation(CODE)
        && !is_code(text)
    {
        messages.push(format!("`{text}` is not the code of a refusal"));
    }
    let unknown = policy.annotations().map(|(name, _)| name).filter(|name| ![ID, REASON, CODE].contains(name));
    messages.extend(unknown.map(|name| format!("unknown annotation `@{name}`")));
    messages
}

/// The parser names policies `policy0`, `policy1`, … in the order of the text.
fn place_of(policy: &Policy) -> usize {
    let name: &str = policy.id().as_ref();
    name.strip_prefix("policy").and_then(|number| number.parse().ok()).unwrap_or(usize::MAX)
}

pub(in crate::policy) fn misfit(cause: impl fmt::Display) -> PolicyLoadError {
    let problem = PolicyProblem { line: None, policy: None, message: cause.to_string() };
    PolicyLoadError::SchemaMisfit(PolicyProblems(vec![problem]))
}

/// An error of Cedar's and the errors beside it.
fn problems(detail: &DetailedError, text: &str) -> PolicyProblems {
    let all = std::iter::once(detail).chain(&detail.related);
    PolicyProblems(
        all.map(|one| PolicyProblem { line: first_line(one, text), policy: None, message: one.message.clone() })
            .collect(),
    )
}

fn first_line(detail: &DetailedError, text: &str) -> Option<usize> {
    detail.source_locations.first().map(|label| line_at(label.loc.start, text))
}

fn line_of_statement(statement: &str, text: &str) -> Option<usize> {
    text.find(statement).map(|offset| line_at(offset, text))
}

/// The line, from 1, of the byte at `offset`.
fn line_at(offset: usize, text: &str) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count().saturating_add(1)
}
