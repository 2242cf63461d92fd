//! From texts to a set of policies that can be trusted: parsed, annotated as the house wants it, and strictly validated.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

use aws_lc_rs::digest::{Context as DigestContext, SHA256};
use cedar_policy::{Authorizer, Policy, PolicyId as CedarPolicyId, PolicySet, Schema, ValidationMode, Validator};
use serde_json::Value;

use super::{
    PolicyId, PolicySources, PolicyVersion,
    chain::{Chain, Parents},
    decide::{Gates, Policies, PolicyNote, Reads},
    entities::Vocabulary,
    facts::{
        AccountFacts, Caller, DecisionRequest, EndUserFacts, NamespaceFacts, PartnerFacts, PublisherFacts, Surface,
        ToolFacts,
    },
    gate,
};
use crate::{
    catalog::Tier,
    code::{Code, Kind},
};

mod text;

pub(super) use text::{Annotated, annotated_with, misfit, parse, parse_schema, rule_broken, validated};

/// Types of entities that only the chain knows.
const CHAIN_TYPES: [&str; 3] = ["Agent", "Scope", "ToolSet"];

/// Types of entities that a call names.
const NAMED_TYPES: [&str; 7] = ["Account", "EndUser", "Namespace", "Partner", "Publisher", "Token", "Tool"];

/// The attribute that holds a name, of a tool and of a namespace.
const NAME: &str = "name";

/// Why texts did not become a set of policies. All problems of one stage are named, not only the first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyLoadError {
    /// The schema is not a Cedar schema.
    #[error("the policy schema is not valid: {0}")]
    Schema(PolicyProblems),
    /// The schema does not have the entities and actions that requests are made of.
    #[error("the policy schema does not fit the requests: {0}")]
    SchemaMisfit(PolicyProblems),
    /// The policies are not Cedar policies.
    #[error("the policies cannot be read: {0}")]
    Syntax(PolicyProblems),
    /// An annotation is missing, unknown, empty or repeated, or a policy is a template.
    #[error("the policies break a rule of the house: {0}")]
    Rule(PolicyProblems),
    /// The policies do not fit the schema.
    #[error("the policies do not fit the schema: {0}")]
    Validation(PolicyProblems),
}

/// At least one problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyProblems(Vec<PolicyProblem>);

impl PolicyProblems {
    /// In the order of the text, as far as places are known.
    pub fn as_slice(&self) -> &[PolicyProblem] {
        &self.0
    }
}

impl FromIterator<PolicyProblem> for PolicyProblems {
    fn from_iter<I: IntoIterator<Item = PolicyProblem>>(problems: I) -> Self {
        Self(problems.into_iter().collect())
    }
}

impl fmt::Display for PolicyProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PolicyProblem {
    /// In which line of the schema or the policies, from 1.
    pub line: Option<usize>,
    /// In which policy, if it has an identifier.
    pub policy: Option<PolicyId>,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for PolicyProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.policy, self.line) {
            (Some(policy), Some(line)) => write!(f, "policy `{policy}`, line {line}: {}", self.message),
            (Some(policy), None) => write!(f, "policy `{policy}`: {}", self.message),
            (None, Some(line)) => write!(f, "line {line}: {}", self.message),
            (None, None) => f.write_str(&self.message),
        }
    }
}

impl Policies {
    /// Makes a set of policies, or says everything that is wrong with the first stage that fails: schema, its fit to the
    /// requests, syntax, annotations, strict validation.
    pub fn load(sources: PolicySources<'_>) -> Result<Self, PolicyLoadError> {
        Self::load_with(sources, "", None)
    }

    /// The same with what operators wrote (`operator`: Cedar policies under the same rules as the base) and the
    /// tool-policy chain of `/tools/invoke`.
    pub fn load_with(
        sources: PolicySources<'_>,
        operator: &str,
        chain: Option<Chain>,
    ) -> Result<Self, PolicyLoadError> {
        let (schema, mut warnings) = parse_schema(sources.schema)?;
        let vocabulary = Vocabulary::new(&schema).map_err(misfit)?;
        check_fit(&vocabulary, &schema)?;
        let (mut set, mut notes) = annotated(&parse(sources.policies)?, sources.policies)?;
        let own = notes.len();
        add_operators(&mut set, &mut notes, operator)?;
        let whole = with_chain(&set, &mut notes, chain.as_ref())?;
        let validation = Validator::new(schema.clone()).validate(&whole, ValidationMode::Strict);
        validated(&validation, |id| {
            let is_operators = notes.get(id).is_some_and(|note| note.place >= own);
            if is_operators { operator } else { sources.policies }
        })?;
        warnings.extend(validation.validation_warnings().map(ToString::to_string));
        let reads = reads_of(&set, chain.is_some());
        let kinds = if reads.names || reads.chain { None } else { Some(vocabulary.kinds().map_err(misfit)?) };
        let gated = |surface| gate::gated(&set, |action| vocabulary.is_meant(surface, action)).map_err(misfit);
        let gates = Gates { marketplace: gated(Surface::Marketplace)?, http: gated(Surface::Http)? };
        Ok(Self {
            version: version_of(&[
                sources.schema,
                sources.policies,
                operator,
                chain.as_ref().map_or("", |chain| &chain.document().text),
                chain.as_ref().map_or("", |chain| &chain.rules().source),
            ]),
            set,
            gates,
            kinds,
            chain,
            reads,
            notes,
            vocabulary,
            warnings,
            authorizer: Authorizer::new(),
        })
    }
}

/// The policies of a text by their `@id`, each without the comments and blanks between its words: to tell two texts apart.
///
/// # Errors
/// The text cannot be read, or breaks a rule of annotations.
pub fn policies_by_id(text: &str) -> Result<BTreeMap<String, String>, PolicyLoadError> {
    let (set, _) = annotated(&parse(text)?, text)?;
    let json = |policy: &Policy| policy.to_json().map(|json| json.to_string()).unwrap_or_default();
    Ok(set.policies().map(|policy| (policy.id().to_string(), json(policy))).collect())
}

/// Puts requests of every shape to the schema, so that real ones need no check.
fn check_fit(vocabulary: &Vocabulary, schema: &Schema) -> Result<(), PolicyLoadError> {
    let account = Caller::Account(AccountFacts { id: "", is_suspended: false, is_verified: false });
    let partner = Caller::Partner {
        partner: PartnerFacts { id: "", is_suspended: false },
        end_user: EndUserFacts { id: "", is_blocked: false },
    };
    let publisher = PublisherFacts { id: "", is_suspended: false };
    let namespace = NamespaceFacts { id: "", name: "", is_suspended: false, publisher };
    for surface in [Surface::Marketplace, Surface::Http] {
        for caller in [account, partner] {
            for namespace in [None, Some(namespace)] {
                for tier in Tier::ALL.iter().copied() {
                    let tool = ToolFacts { id: "", name: "", is_disabled: false, is_free: false, tier, namespace };
                    let request = DecisionRequest { surface, token: "", caller, tool, now_s: 0, place: None };
                    vocabulary.question(&request, &Parents::default(), Some(schema)).map_err(misfit)?;
                }
            }
        }
    }
    Ok(())
}

/// Names every policy by its `@id` and takes down what a decision says about it.
fn annotated(
    parsed: &PolicySet,
    text: &str,
) -> Result<(PolicySet, HashMap<CedarPolicyId, PolicyNote>), PolicyLoadError> {
    let (set, found) = annotated_with(parsed, text, &|word| code_of(word).is_some())?;
    let note = |(place, found): (usize, Annotated)| {
        let code = found.code.as_deref().and_then(code_of);
        (found.cedar_id, PolicyNote { place, id: found.id, reason: found.reason, code })
    };
    Ok((set, found.into_iter().enumerate().map(note).collect()))
}

/// Adds the policies of operators. Where they stand in a text is said of their own.
fn add_operators(
    set: &mut PolicySet,
    notes: &mut HashMap<CedarPolicyId, PolicyNote>,
    text: &str,
) -> Result<(), PolicyLoadError> {
    let (own, own_notes) = annotated(&parse(text)?, text)?;
    for policy in own.policies() {
        set.add(policy.clone()).map_err(|_same| same_id(policy.id()))?;
    }
    let base = notes.len();
    notes.extend(own_notes.into_iter().map(|(id, note)| {
        let place = note.place.saturating_add(base);
        (id, PolicyNote { place, ..note })
    }));
    Ok(())
}

/// All policies that there are, those of the chain in full.
fn with_chain(
    set: &PolicySet,
    notes: &mut HashMap<CedarPolicyId, PolicyNote>,
    chain: Option<&Chain>,
) -> Result<PolicySet, PolicyLoadError> {
    let mut whole = set.clone();
    let Some(chain) = chain else { return Ok(whole) };
    for policy in chain.whole().map_err(|error| rule_broken(None, error.to_string()))? {
        let id = policy.id().clone();
        whole.add(policy).map_err(|_same| same_id(&id))?;
    }
    // the chain speaks after all texts, each step in its turn
    let first = notes.len();
    notes.extend(chain.compiled.notes.iter().map(|(cedar_id, note)| {
        let place = first.saturating_add(note.kind.place());
        (cedar_id.clone(), PolicyNote { place, id: note.id.clone(), reason: None, code: None })
    }));
    Ok(whole)
}

fn same_id(id: &CedarPolicyId) -> PolicyLoadError {
    let id: &str = id.as_ref();
    rule_broken(Some(id.into()), "another policy has the same `@id`".to_owned())
}

/// A policy may say that something is forbidden, or hide it: not that it is broken.
fn code_of(text: &str) -> Option<Code> {
    let is_meant = |code: Code| code.kind() == Kind::Forbidden || code == Code::NotFound;
    Code::ALL.iter().copied().find(|code| is_meant(*code) && code.as_str() == text)
}

/// What policies look at.
fn reads_of(set: &PolicySet, has_chain: bool) -> Reads {
    let is_of = |types: &[&str], key: &str, value: &Value| key == "type" && types.iter().any(|name| value == name);
    // `x.name` and `x has y.name`; a record to compare with has the name as a member
    let is_name = |key: &str, value: &Value| {
        key == NAME
            || key == "attr" && (value == NAME || value.as_array().is_some_and(|path| path.contains(&NAME.into())))
    };
    Reads {
        clock: mentions(set, |key, value| key == "Var" && value == "context"),
        names: mentions(set, |key, value| is_name(key, value) || is_of(&NAMED_TYPES, key, value)),
        chain: has_chain && mentions(set, |key, value| is_of(&CHAIN_TYPES, key, value)),
    }
}

/// Whether any policy has a member for which `is_meant`. If that cannot be told, the answer is yes.
fn mentions(set: &PolicySet, is_meant: impl Fn(&str, &Value) -> bool + Copy) -> bool {
    fn within(value: &Value, is_meant: impl Fn(&str, &Value) -> bool + Copy) -> bool {
        match value {
            Value::Object(members) => {
                members.iter().any(|(key, value)| is_meant(key, value) || within(value, is_meant))
            }
            Value::Array(items) => items.iter().any(|item| within(item, is_meant)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        }
    }
    set.clone().to_json().map_or(true, |json| within(&json, is_meant))
}

/// Lengths stand before the texts, so that no two pairs of texts look alike.
fn version_of(texts: &[&str]) -> PolicyVersion {
    let mut digest = DigestContext::new(&SHA256);
    for text in texts {
        digest.update(text.len().to_string().as_bytes());
        digest.update(b"\n");
        digest.update(text.as_bytes());
    }
    let digest = digest.finish();
    let mut first = [0; 8];
    for (to, from) in first.iter_mut().zip(digest.as_ref()) {
        *to = *from;
    }
    PolicyVersion(format!("{:016x}", u64::from_be_bytes(first)).into())
}

#[cfg(test)]
mod tests;
