//! From steps to Cedar: at most two `forbid` policies each, the entities that they speak of, and the slices of the whole
//! set.
//!
//! Policies are built from structures, never from text: whatever a document says is an identifier of an entity.
//!
//! A slice holds the policies of the steps that a session was found to be in. What each of them asks of the session and
//! the action is true by then, so that their slices' form leaves it out; under the same identifier the whole set has the
//! full form, which is what is validated, shown and compared with.

use std::collections::{HashMap, HashSet};

use cedar_policy::{EntityId, EntityTypeName, EntityUid, Policy, PolicyId as CedarPolicyId, PolicySet};
use serde_json::{Value, json};

use super::{
    ChainError, ChainPlace, StepKind, ToolIndex,
    scopes::{Plan, Scope, StepIndex},
    steps::{Condition, List, Step},
};
use crate::policy::PolicyId;

const AGENT: &str = "Agent";
const SCOPE: &str = "Scope";
const TOOL_SET: &str = "ToolSet";
/// The scope of callers who own the gateway.
const OWNER: &str = "owner";

/// What of a chain Cedar is asked about one call.
#[derive(Debug, Default)]
pub(in crate::policy) struct Slice<'a> {
    /// Policies that forbid, of the steps that apply.
    pub(in crate::policy) sets: Vec<&'a PolicySet>,
    /// The sets of these steps that the tool is in.
    pub(in crate::policy) tool_parents: HashSet<EntityUid>,
}

/// What a chain adds to the entities of a call.
#[derive(Debug, Default)]
pub(in crate::policy) struct Parents {
    /// What the caller is in.
    pub(in crate::policy) token: Vec<EntityUid>,
    /// What the tool is in.
    pub(in crate::policy) tool: Vec<EntityUid>,
}

/// A policy's name and the step it belongs to.
#[derive(Debug, Clone)]
pub(in crate::policy) struct ChainNote {
    pub(in crate::policy) id: PolicyId,
    pub(in crate::policy) kind: StepKind,
}

#[derive(Debug)]
struct CompiledStep {
    set: PolicySet,
    /// What the caller must be in.
    parent: Option<EntityUid>,
    /// The lists of the step in their order.
    tool_sets: Vec<EntityUid>,
}

/// The policies of a chain.
#[derive(Debug)]
pub(in crate::policy) struct Compiled {
    steps: Vec<CompiledStep>,
    /// Agent → the policies of the agent and of its own model.
    agents: Vec<PolicySet>,
    /// The policies of the steps that apply to every session.
    always: PolicySet,
    pub(in crate::policy) notes: HashMap<CedarPolicyId, ChainNote>,
    owner: EntityUid,
}

/// The types of the chain's entities.
struct Types {
    agent: EntityTypeName,
    scope: EntityTypeName,
    tool_set: EntityTypeName,
}

impl Compiled {
    pub(super) fn new(plan: &Plan) -> Result<Self, ChainError> {
        let type_name = |name: &str| name.parse::<EntityTypeName>().map_err(failed);
        let types = Types { agent: type_name(AGENT)?, scope: type_name(SCOPE)?, tool_set: type_name(TOOL_SET)? };
        let mut compiled = Self {
            steps: Vec::with_capacity(plan.steps.len()),
            agents: Vec::with_capacity(plan.agents.len()),
            always: PolicySet::new(),
            notes: HashMap::new(),
            owner: uid(&types.scope, OWNER),
        };
        for step in &plan.steps {
            compiled.add(step, &types)?;
        }
        for (agent, index) in plan.agents.iter().zip(0..) {
            let scope = Scope {
                agent: index,
                global_provider: agent.global_provider,
                agent_provider: agent.agent_provider,
                group: None,
                is_subagent: false,
                is_owner: false,
            };
            let mut set = PolicySet::new();
            for step in plan.own_steps(&scope).into_iter().flatten().filter_map(|index| compiled.step(index)) {
                for policy in step.set.policies() {
                    set.add(policy.clone()).map_err(failed)?;
                }
            }
            compiled.agents.push(set);
        }
        Ok(compiled)
    }

    fn add(&mut self, step: &Step, types: &Types) -> Result<(), ChainError> {
        let mut set = PolicySet::new();
        for policy in policies_of(step, true) {
            let policy = policy?;
            let id: &str = policy.id().as_ref();
            let note = ChainNote { id: id.into(), kind: step.kind };
            if self.notes.insert(policy.id().clone(), note).is_some() {
                return Err(ChainError(format!("two lists have the identifier `{}`", policy.id())));
            }
            let to = if step.condition == Condition::Always { &mut self.always } else { &mut set };
            to.add(policy).map_err(failed)?;
        }
        let parent = parent_of(step)
            .map(|(type_name, id)| uid(if type_name == AGENT { &types.agent } else { &types.scope }, id));
        let tool_sets = step.lists().map(|list| uid(&types.tool_set, &list.id)).collect();
        self.steps.push(CompiledStep { set, parent, tool_sets });
        Ok(())
    }

    fn step(&self, index: StepIndex) -> Option<&CompiledStep> {
        self.steps.get(usize::try_from(index.0).ok()?)
    }

    /// What of the chain matters to a call.
    pub(super) fn slice(&self, plan: &Plan, place: &ChainPlace) -> Slice<'_> {
        let scope = &place.scope;
        let mut slice = Slice::default();
        for index in plan.steps_of(scope) {
            let (Some(step), Some(compiled)) = (plan.step(index), self.step(index)) else { continue };
            slice.tool_parents.extend(compiled.tool_sets_with(step, place.tool));
        }
        let is_used = |set: &&PolicySet| !set.is_empty();
        slice.sets.extend(Some(&self.always).filter(is_used));
        if plan.is_own_model(scope) {
            let agent = usize::try_from(scope.agent).ok().and_then(|index| self.agents.get(index));
            slice.sets.extend(agent.filter(is_used));
        } else {
            let own = plan.own_steps(scope).into_iter().flatten().filter_map(|index| self.step(index));
            slice.sets.extend(own.map(|step| &step.set).filter(is_used));
        }
        let owner = plan.owner.filter(|_| !scope.is_owner);
        let session = [scope.group, scope.is_subagent.then_some(plan.subagent), owner];
        let session = session.into_iter().flatten().filter_map(|index| self.step(index));
        slice.sets.extend(session.map(|step| &step.set).filter(is_used));
        slice
    }

    /// Everything that the caller and the tool are in: of the steps that apply, and of all.
    pub(super) fn whole_parents(&self, plan: &Plan, place: &ChainPlace) -> Parents {
        let found = plan.steps_of(&place.scope).filter_map(|index| self.step(index)?.parent.clone());
        let owner = place.scope.is_owner.then(|| self.owner.clone());
        let steps = plan.steps.iter().zip(&self.steps);
        Parents {
            token: found.chain(owner).collect(),
            tool: steps.flat_map(|(step, compiled)| compiled.tool_sets_with(step, place.tool)).collect(),
        }
    }
}

impl CompiledStep {
    /// The sets of the step that a tool is in.
    fn tool_sets_with(&self, step: &Step, tool: ToolIndex) -> impl Iterator<Item = EntityUid> {
        let lists = step.lists().zip(&self.tool_sets);
        lists.filter(move |(list, _)| list.members.contains(tool)).map(|(_, set)| set.clone())
    }
}

/// Every policy in its full form, in the order of the steps.
pub(super) fn whole(plan: &Plan) -> Result<Vec<Policy>, ChainError> {
    plan.steps.iter().flat_map(|step| policies_of(step, false)).collect()
}

/// What a caller must be in for a step to apply: a type of entities and an identifier.
fn parent_of(step: &Step) -> Option<(&'static str, &str)> {
    match &step.condition {
        Condition::Always | Condition::UnlessOwner => None,
        Condition::Agent(id) => Some((AGENT, id)),
        Condition::Found => Some((SCOPE, &step.id)),
    }
}

/// The policies of a step, in the form for slices or in full.
fn policies_of(step: &Step, is_slice: bool) -> impl Iterator<Item = Result<Policy, ChainError>> {
    let all = json!({"op": "All"});
    let within = |(type_name, id): (&str, &str)| json!({"op": "in", "entity": {"type": type_name, "id": id}});
    let principal = parent_of(step).filter(|_| !is_slice).map_or_else(|| all.clone(), within);
    let action = if is_slice { all } else { json!({"op": "==", "entity": {"type": "Action", "id": "invokeHttp"}}) };
    let is_unless_owner = step.condition == Condition::UnlessOwner && !is_slice;
    let allow = step.allow.iter().map(|list| (list, true));
    let lists = allow.chain(step.deny.iter().map(|list| (list, false)));
    lists.map(move |(list, is_allow)| {
        let est = policy(list, &principal, &action, is_allow, is_unless_owner);
        Policy::from_json(Some(CedarPolicyId::new(&list.id)), est).map_err(failed)
    })
}

/// One policy: what is in the list is forbidden, or what is not in it.
fn policy(list: &List, principal: &Value, action: &Value, is_allow: bool, is_unless_owner: bool) -> Value {
    let tool_set = json!({"type": TOOL_SET, "id": list.id});
    let all = json!({"op": "All"});
    let within = |variable: &str, entity: &Value| json!({"kind": "unless", "body": {"in": {"left": {"Var": variable}, "right": {"Value": {"__entity": entity}}}}});
    let (resource, mut conditions) = if is_allow {
        (all, vec![within("resource", &tool_set)])
    } else {
        (json!({"op": "in", "entity": tool_set}), Vec::new())
    };
    if is_unless_owner {
        conditions.push(within("principal", &json!({"type": SCOPE, "id": OWNER})));
    }
    json!({
        "effect": "forbid",
        "annotations": {"id": list.id},
        "principal": principal,
        "action": action,
        "resource": resource,
        "conditions": conditions,
    })
}

fn uid(type_name: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(type_name.clone(), EntityId::new(id))
}

fn failed(cause: impl std::fmt::Display) -> ChainError {
    ChainError(cause.to_string())
}
