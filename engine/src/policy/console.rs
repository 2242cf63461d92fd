//! May this operator do this in the console? The roles' policies, decided by Cedar as those of calls are, over a schema of
//! their own.
//!
//! A set is loaded whole or not at all. Whatever cannot be evaluated is denied.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use cedar_policy::{
    Authorizer, Context, Decision as CedarDecision, Effect, Entities, Entity, EntityId, EntityTypeName, EntityUid,
    PolicySet, Request, Response, RestrictedExpression, Schema, ValidationMode, Validator,
};

use super::{
    PolicyId, PolicyLoadError, PolicyProblem, PolicySources,
    load::{Annotated, annotated_with, misfit, parse, parse_schema, rule_broken, validated},
};
use crate::{id::OperatorId, operator::Role};

mod action;

pub use action::{ConsoleAction, ConsoleGroup};

/// What [`ConsoleDenial::policy`] says where no policy permits.
pub const NO_PERMIT: &str = "console.no_permit";
const NO_PERMIT_REASON: &str = "None of your roles may do this.";

/// Who is about to do something.
#[derive(Debug, Clone, Copy)]
pub struct ConsoleCaller<'a> {
    /// Which operator.
    pub id: OperatorId,
    /// What they are; they add up.
    pub roles: &'a [Role],
    /// A password was shown a few minutes ago.
    pub is_fresh: bool,
    /// They have enrolled a second factor.
    pub has_factor: bool,
    /// They may do without one: the demo's owner.
    pub may_postpone: bool,
}

/// Whether somebody may do something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConsoleDecision {
    /// They may.
    Allowed,
    /// They may not, or not yet.
    Denied(ConsoleDenial),
}

impl ConsoleDecision {
    /// Whether they may.
    pub const fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed)
    }
}

/// Why somebody may not do something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsoleDenial {
    /// The `@id` of the policy that says so; [`NO_PERMIT`] where none permits it.
    pub policy: String,
    /// What can be done about it.
    pub code: ConsoleDenialCode,
    /// A sentence for the operator.
    pub reason: String,
}

/// What can be done about a denial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConsoleDenialCode {
    /// Nothing: no role of theirs is for this.
    Role,
    /// Enrol a second factor.
    Factor,
    /// Show the password again.
    StepUp,
    /// Ask somebody who may move so much.
    Amount,
}

impl ConsoleDenialCode {
    /// Every code with its word.
    pub const ALL: [(Self, &'static str); 4] =
        [(Self::Role, "role"), (Self::Factor, "factor"), (Self::StepUp, "step_up"), (Self::Amount, "amount")];

    /// The word of the policies' `@code`.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(code, _)| *code == self).map_or("", |(_, word)| *word)
    }

    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == word).map(|(code, _)| *code)
    }
}

/// A validated set of the console's policies. Immutable.
#[derive(Debug)]
pub struct ConsolePolicies {
    /// Only the permits: asked first, because a role that is not for something needs no second factor either.
    permits: PolicySet,
    forbids: Vec<Forbid>,
    all: PolicySet,
    actions: BTreeMap<ConsoleAction, EntityUid>,
    roles: BTreeMap<Role, EntityUid>,
    operator: EntityTypeName,
    console: EntityUid,
    /// The actions with their groups, the roles, and the console.
    entities: Entities,
    policy_ids: Vec<PolicyId>,
    authorizer: Authorizer,
}

/// What a denial says of one forbid.
#[derive(Debug)]
struct Forbid {
    policy: cedar_policy::PolicyId,
    denial: ConsoleDenial,
}

impl ConsolePolicies {
    /// Makes a set of policies, or says everything that is wrong with the first stage that fails.
    ///
    /// # Errors
    /// The schema or the policies cannot be read, the schema lacks a deed or a role, an annotation is missing or unknown, a
    /// policy does not fit the schema, or the validator finds one odd.
    pub fn load(sources: PolicySources<'_>) -> Result<Self, PolicyLoadError> {
        let (schema, _warnings) = parse_schema(sources.schema)?;
        let names = Names::of(&schema)?;
        let parsed = parse(sources.policies)?;
        let (all, notes) = annotated_with(&parsed, sources.policies, &|word| {
            ConsoleDenialCode::from_word(word).is_some_and(|code| code != ConsoleDenialCode::Role)
        })?;
        let validation = Validator::new(schema.clone()).validate(&all, ValidationMode::Strict);
        validated(&validation, |_id| sources.policies)?;
        // A policy that can never hold is a slip of the pen here: nobody writes these while the program runs.
        if let Some(warning) = validation.validation_warnings().next() {
            return Err(rule_broken(None, warning.to_string()));
        }
        let mut permits = PolicySet::new();
        let mut forbids = Vec::new();
        for note in &notes {
            let Some(policy) = all.policy(&note.cedar_id) else { continue };
            match policy.effect() {
                Effect::Permit => permits.add(policy.clone()).map_err(misfit)?,
                Effect::Forbid => forbids.push(Forbid::of(note)?),
            }
        }
        let policy_ids = notes.into_iter().map(|note| note.id).collect();
        let Names { actions, roles, operator, console, entities } = names;
        let authorizer = Authorizer::new();
        let set = Self { permits, forbids, all, actions, roles, operator, console, entities, policy_ids, authorizer };
        set.check_fit(&schema)?;
        Ok(set)
    }

    /// The policies' identifiers, in the order of their text.
    pub fn policy_ids(&self) -> &[PolicyId] {
        &self.policy_ids
    }

    /// Whether `caller` may do `action`, to which `amount_microcredits` belong where it moves money: without an amount
    /// nobody who has a limit may.
    pub fn decide(
        &self,
        caller: &ConsoleCaller<'_>,
        action: ConsoleAction,
        amount_microcredits: Option<i64>,
    ) -> ConsoleDecision {
        self.explain(caller, action, amount_microcredits).0
    }

    /// The same with the policies that determined it, in the order of their text.
    pub fn explain(
        &self,
        caller: &ConsoleCaller<'_>,
        action: ConsoleAction,
        amount_microcredits: Option<i64>,
    ) -> (ConsoleDecision, Vec<PolicyId>) {
        let Ok((question, entities)) = self.question(caller, action, amount_microcredits, None) else {
            tracing::error!(action = action.as_str(), "a deed in the console could not be put to the policies");
            return (ConsoleDecision::Denied(no_permit()), Vec::new());
        };
        let permitted = self.authorizer.is_authorized(&question, &self.permits, &entities);
        if permitted.decision() != CedarDecision::Allow || is_faulty(&permitted) {
            return (ConsoleDecision::Denied(no_permit()), Vec::new());
        }
        let response = self.authorizer.is_authorized(&question, &self.all, &entities);
        let determining = self.determining(&response);
        if is_faulty(&response) {
            return (ConsoleDecision::Denied(no_permit()), Vec::new());
        }
        if response.decision() == CedarDecision::Allow {
            return (ConsoleDecision::Allowed, determining);
        }
        let held: HashSet<&cedar_policy::PolicyId> = response.diagnostics().reason().collect();
        let speaker = self.forbids.iter().find(|forbid| held.contains(&forbid.policy));
        (ConsoleDecision::Denied(speaker.map_or_else(no_permit, |forbid| forbid.denial.clone())), determining)
    }

    fn determining(&self, response: &Response) -> Vec<PolicyId> {
        let held: HashSet<&str> = response.diagnostics().reason().map(AsRef::as_ref).collect();
        self.policy_ids.iter().filter(|id| held.contains(id.as_str())).cloned().collect()
    }

    /// What Cedar is asked. With `schema` the result is checked against it; without, it is trusted.
    fn question(
        &self,
        caller: &ConsoleCaller<'_>,
        action: ConsoleAction,
        amount_microcredits: Option<i64>,
        schema: Option<&Schema>,
    ) -> Result<(Request, Entities), PolicyLoadError> {
        let roles = caller.roles.iter().filter_map(|role| self.roles.get(role)).cloned().collect();
        let operator = EntityUid::from_type_name_and_id(self.operator.clone(), EntityId::new(caller.id.to_string()));
        let entity = Entity::new_no_attrs(operator.clone(), roles);
        let flag = |name: &str, value| (name.to_owned(), RestrictedExpression::new_bool(value));
        let facts = [
            flag("fresh", caller.is_fresh),
            flag("factor", caller.has_factor),
            flag("may_postpone", caller.may_postpone),
        ];
        let amount = amount_microcredits.map(|amount| ("amount".to_owned(), RestrictedExpression::new_long(amount)));
        let context = Context::from_pairs(facts.into_iter().chain(amount)).map_err(misfit)?;
        let action = self.actions.get(&action).cloned().ok_or_else(|| misfit("an action that the schema lacks"))?;
        let question = Request::new(operator, action, self.console.clone(), context, schema).map_err(misfit)?;
        let entities = self.entities.clone().add_entities([entity], schema).map_err(misfit)?;
        Ok((question, entities))
    }

    /// Puts every deed by everybody to the schema, so that real ones need no check.
    fn check_fit(&self, schema: &Schema) -> Result<(), PolicyLoadError> {
        let roles = Role::ALL.map(|(role, _)| role);
        let id = OperatorId::from(uuid::Uuid::nil());
        let caller = ConsoleCaller { id, roles: &roles, is_fresh: true, has_factor: true, may_postpone: false };
        for (action, ..) in ConsoleAction::ALL {
            for amount in [None, Some(1)] {
                self.question(&caller, action, amount, Some(schema))?;
            }
        }
        Ok(())
    }
}

impl Forbid {
    fn of(note: &Annotated) -> Result<Self, PolicyLoadError> {
        let code = note.code.as_deref().and_then(ConsoleDenialCode::from_word);
        let code = code.ok_or_else(|| {
            rule_broken(Some(note.id.clone()), "a `forbid` of the console needs a `@code`".to_owned())
        })?;
        let reason = note.reason.as_ref().map_or_else(String::new, |reason: &Arc<str>| reason.to_string());
        let denial = ConsoleDenial { policy: note.id.to_string(), code, reason };
        Ok(Self { policy: note.cedar_id.clone(), denial })
    }
}

/// The schema's names, ready for use.
struct Names {
    actions: BTreeMap<ConsoleAction, EntityUid>,
    roles: BTreeMap<Role, EntityUid>,
    operator: EntityTypeName,
    console: EntityUid,
    entities: Entities,
}

impl Names {
    /// Looks whether the schema has every deed in its group, and no other ones.
    fn of(schema: &Schema) -> Result<Self, PolicyLoadError> {
        let type_name = |name: &str| name.parse::<EntityTypeName>().map_err(misfit);
        let uid = |name: &EntityTypeName, id: &str| EntityUid::from_type_name_and_id(name.clone(), EntityId::new(id));
        let (action_type, role_type) = (type_name("Action")?, type_name("Role")?);
        let declared = schema.action_entities().map_err(misfit)?;
        let mut found = Vec::new();
        let mut actions = BTreeMap::new();
        for (action, word, group) in ConsoleAction::ALL {
            let (deed, of) = (uid(&action_type, word), uid(&action_type, group.as_str()));
            if declared.get(&deed).is_none() || !declared.is_ancestor_of(&of, &deed) {
                found.push(format!("the action `{word}` in `{}` is missing", group.as_str()));
            }
            actions.insert(action, deed);
        }
        let known = ConsoleAction::ALL.iter().map(|(_, word, _)| *word);
        let known: HashSet<&str> = known.chain(ConsoleGroup::ALL.iter().map(|(_, word)| *word)).collect();
        let unknown = declared.iter().map(Entity::uid).filter(|uid| !known.contains(uid.id().unescaped()));
        found.extend(unknown.map(|uid| format!("the action `{}` is none of the console", uid.id().unescaped())));
        if !found.is_empty() {
            found.sort_unstable();
            let problem = |message| PolicyProblem { line: None, policy: None, message };
            return Err(PolicyLoadError::SchemaMisfit(found.into_iter().map(problem).collect()));
        }
        let roles: BTreeMap<Role, EntityUid> =
            Role::ALL.iter().map(|(role, word)| (*role, uid(&role_type, word))).collect();
        let console = uid(&type_name("Console")?, "console");
        Ok(Self { actions, roles, operator: type_name("Operator")?, console, entities: declared })
    }
}

fn is_faulty(response: &Response) -> bool {
    // Cedar leaves a failing policy out. It might have been a forbid that holds.
    let fault = response.diagnostics().errors().next();
    if let Some(error) = fault {
        tracing::error!(%error, "a policy of the console could not be evaluated");
    }
    fault.is_some()
}

fn no_permit() -> ConsoleDenial {
    ConsoleDenial { policy: NO_PERMIT.to_owned(), code: ConsoleDenialCode::Role, reason: NO_PERMIT_REASON.to_owned() }
}

#[cfg(test)]
mod tests;
