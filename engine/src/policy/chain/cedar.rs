//! From steps to Cedar: at most two `forbid` policies each, the entities that they speak of, and the slices of the whole
//! set.
//!
//! Policies are built from structures, never from text: whatever a document says is an identifier of an entity.
//!
//! A slice holds the policies of the steps that a session was found to be in. What each of them asks of the session and
//! the action is true by then, so that their slices' form leaves it out, and their sets of tools are numbered; under the
//! same identifier the whole set has the full form, which is what is validated, shown and compared with.

use std::{collections::HashMap, sync::Arc};

use cedar_policy::{
    Entities, EntityId, EntityTypeName, EntityUid, Policy, PolicyId as CedarPolicyId, PolicySet, Request,
};
use serde_json::{Value, json};

use super::{
    ChainError, ChainPlace, StepKind, ToolIndex,
    scopes::{Plan, Scope, StepIndex},
    sets::{SlicePolicies, Tools},
    steps::{Condition, List, Step},
};
use crate::policy::PolicyId;

const AGENT: &str = "Agent";
const SCOPE: &str = "Scope";
pub(super) const TOOL_SET: &str = "ToolSet";
/// The scope of callers who own the gateway.
const OWNER: &str = "owner";

/// What of a chain Cedar is asked about one call.
#[derive(Debug)]
pub(in crate::policy) struct Slice<'a> {
    pub(in crate::policy) question: &'a Request,
    pub(in crate::policy) entities: &'a Entities,
    /// Policies that forbid, of the steps that apply.
    pub(in crate::policy) parts: Vec<&'a Part>,
}

/// Policies that are asked together.
#[derive(Debug, Default)]
pub(in crate::policy) struct Part {
    pub(in crate::policy) set: PolicySet,
    /// Forbids what any policy of `set` does, and is asked first.
    pub(in crate::policy) gate: Option<Arc<PolicySet>>,
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
    part: Part,
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
    agents: Vec<Part>,
    /// The policies of the steps that belong to no agent and to no group, by [`session_kind`].
    sessions: Vec<Part>,
    tools: Tools,
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
    pub(super) fn new(plan: &Plan, tools: impl Iterator<Item = ToolIndex>) -> Result<Self, ChainError> {
        let type_name = |name: &str| name.parse::<EntityTypeName>().map_err(failed);
        let types = Types { agent: type_name(AGENT)?, scope: type_name(SCOPE)?, tool_set: type_name(TOOL_SET)? };
        let mut slices = SlicePolicies::default();
        let mut compiled = Self {
            steps: Vec::with_capacity(plan.steps.len()),
            agents: Vec::with_capacity(plan.agents.len()),
            sessions: Vec::new(),
            tools: Tools::default(),
            notes: HashMap::new(),
            owner: uid(&types.scope, OWNER),
        };
        for step in &plan.steps {
            compiled.add(step, &types, &mut slices)?;
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
            let part = compiled.part(plan, &mut slices, plan.own_steps(&scope))?;
            compiled.agents.push(part);
        }
        for (is_subagent, is_owner) in [(false, false), (false, true), (true, false), (true, true)] {
            let part = compiled.part(plan, &mut slices, plan.common_steps(is_subagent, is_owner))?;
            compiled.sessions.push(part);
        }
        compiled.tools = slices.tools(tools)?;
        Ok(compiled)
    }

    fn add<'a>(&mut self, step: &'a Step, types: &Types, slices: &mut SlicePolicies<'a>) -> Result<(), ChainError> {
        let mut set = PolicySet::new();
        for (list, is_allow) in lists_of(step) {
            let policy = slices.policy(list, is_allow)?;
            let id: &str = policy.id().as_ref();
            let note = ChainNote { id: id.into(), kind: step.kind };
            if self.notes.insert(policy.id().clone(), note).is_some() {
                return Err(ChainError(format!("two lists have the identifier `{}`", policy.id())));
            }
            set.add(policy).map_err(failed)?;
        }
        let parent = parent_of(step)
            .map(|(type_name, id)| uid(if type_name == AGENT { &types.agent } else { &types.scope }, id));
        let tool_sets = step.lists().map(|list| uid(&types.tool_set, &list.id)).collect();
        // one policy or two are their own gate
        self.steps.push(CompiledStep { part: Part { set, gate: None }, parent, tool_sets });
        Ok(())
    }

    /// The policies of several steps together.
    fn part<'a>(
        &self,
        plan: &'a Plan,
        slices: &mut SlicePolicies<'a>,
        steps: impl IntoIterator<Item = Option<StepIndex>>,
    ) -> Result<Part, ChainError> {
        let mut set = PolicySet::new();
        // many lists mean the same tools, and once is enough for the gate
        let mut asked = Vec::new();
        for index in steps.into_iter().flatten() {
            let (Some(step), Some(compiled)) = (plan.step(index), self.step(index)) else { continue };
            for policy in compiled.part.set.policies() {
                set.add(policy.clone()).map_err(failed)?;
            }
            for (list, is_allow) in lists_of(step) {
                let list = slices.asked(list, is_allow);
                if !asked.contains(&list) {
                    asked.push(list);
                }
            }
        }
        Ok(Part { set, gate: slices.gate(asked)? })
    }

    fn step(&self, index: StepIndex) -> Option<&CompiledStep> {
        self.steps.get(usize::try_from(index.0).ok()?)
    }

    /// What of the chain matters to a call; nothing is known of a tool that is not in the catalog.
    pub(super) fn slice(&self, plan: &Plan, place: &ChainPlace) -> Option<Slice<'_>> {
        let scope = &place.scope;
        let part_of = |index| self.step(index).map(|step| &step.part);
        let mut parts = Vec::with_capacity(8);
        parts.extend(self.sessions.get(session_kind(scope.is_subagent, scope.is_owner)));
        if plan.is_own_model(scope) {
            parts.extend(usize::try_from(scope.agent).ok().and_then(|index| self.agents.get(index)));
        } else {
            parts.extend(plan.own_steps(scope).into_iter().flatten().filter_map(part_of));
        }
        parts.extend(scope.group.and_then(part_of));
        parts.retain(|part| !part.set.is_empty());
        Some(Slice { question: self.tools.questions.get(place.tool.usize())?, entities: &self.tools.entities, parts })
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

/// The place in [`Compiled::sessions`].
fn session_kind(is_subagent: bool, is_owner: bool) -> usize {
    usize::from(is_subagent).wrapping_shl(1) | usize::from(is_owner)
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
    plan.steps.iter().flat_map(policies_of).collect()
}

/// What a caller must be in for a step to apply: a type of entities and an identifier.
fn parent_of(step: &Step) -> Option<(&'static str, &str)> {
    match &step.condition {
        Condition::Always | Condition::UnlessOwner => None,
        Condition::Agent(id) => Some((AGENT, id)),
        Condition::Found => Some((SCOPE, &step.id)),
    }
}

/// The lists of a step, and whether they allow.
fn lists_of(step: &Step) -> impl Iterator<Item = (&List, bool)> {
    let allow = step.allow.iter().map(|list| (list, true));
    allow.chain(step.deny.iter().map(|list| (list, false)))
}

/// The policies of a step in full.
fn policies_of(step: &Step) -> impl Iterator<Item = Result<Policy, ChainError>> {
    let principal = parent_of(step).map_or_else(
        || json!({"op": "All"}),
        |(type_name, id)| json!({"op": "in", "entity": {"type": type_name, "id": id}}),
    );
    let action = json!({"op": "==", "entity": {"type": "Action", "id": "invokeHttp"}});
    lists_of(step).map(move |(list, is_allow)| {
        let head = json!({
            "effect": "forbid",
            "annotations": {"id": list.id},
            "principal": principal,
            "action": action,
        });
        let mut policy = forbid(head, &json!({"type": TOOL_SET, "id": list.id}), is_allow);
        if step.condition == Condition::UnlessOwner
            && let Some(conditions) = policy.get_mut("conditions").and_then(Value::as_array_mut)
        {
            let owner = within("principal", &json!({"type": SCOPE, "id": OWNER}));
            conditions.push(json!({"kind": "unless", "body": owner}));
        }
        Policy::from_json(Some(CedarPolicyId::new(&list.id)), policy).map_err(failed)
    })
}

/// A policy with this head about the tools of a set, or about all others if the set is what is allowed.
pub(super) fn forbid(mut head: Value, tool_set: &Value, is_allow: bool) -> Value {
    let (resource, conditions) = if is_allow {
        let body = within("resource", tool_set);
        (json!({"op": "All"}), json!([{"kind": "unless", "body": body}]))
    } else {
        (json!({"op": "in", "entity": tool_set}), json!([]))
    };
    if let Some(policy) = head.as_object_mut() {
        policy.insert("resource".to_owned(), resource);
        policy.insert("conditions".to_owned(), conditions);
    }
    head
}

/// Whether what `variable` stands for is in an entity.
pub(super) fn within(variable: &str, entity: &Value) -> Value {
    json!({"in": {"left": {"Var": variable}, "right": {"Value": {"__entity": entity}}}})
}

pub(super) fn uid(type_name: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(type_name.clone(), EntityId::new(id))
}

pub(super) fn failed(cause: impl std::fmt::Display) -> ChainError {
    ChainError(cause.to_string())
}
