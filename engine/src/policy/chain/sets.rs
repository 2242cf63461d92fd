//! How the slices of a chain ask for sets of tools.
//!
//! Lists that mean the same tools share a set, and sets are numbered: a thousand agents rarely have a thousand different
//! lists. Policies and gates that ask for the same are built once. Which tools are in which sets is known when the chain
//! is compiled, so the entities of all tools are built then, and what Cedar is asked about a tool as well: a slice looks
//! at nothing else.

use std::sync::Arc;

use cedar_policy::{
    Context, Entities, Entity, EntityTypeName, EntityUid, Policy, PolicyId as CedarPolicyId, PolicySet, Request,
};
use foldhash::HashMap;
use serde_json::json;

use super::{
    ChainError, ToolIndex,
    cedar::{TOOL_SET, failed, forbid, uid, within},
    names::ToolBits,
    steps::List,
};
use crate::policy::gate;

/// What a list asks of a tool: to be in a set, or not to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Asked {
    set: usize,
    is_allow: bool,
}

/// The policies of slices while a chain is compiled.
#[derive(Debug, Default)]
pub(super) struct SlicePolicies<'a> {
    sets: HashMap<&'a ToolBits, usize>,
    policies: HashMap<Asked, Policy>,
    gates: HashMap<Vec<Asked>, Arc<PolicySet>>,
}

/// All tools of the catalog, as the slices of a chain see them.
#[derive(Debug, Default)]
pub(super) struct Tools {
    /// What Cedar is asked about each.
    pub(super) questions: Vec<Request>,
    pub(super) entities: Entities,
}

impl<'a> SlicePolicies<'a> {
    pub(super) fn asked(&mut self, list: &'a List, is_allow: bool) -> Asked {
        let next = self.sets.len();
        Asked { set: *self.sets.entry(&list.members).or_insert(next), is_allow }
    }

    /// The policy of a list under its own name.
    pub(super) fn policy(&mut self, list: &'a List, is_allow: bool) -> Result<Policy, ChainError> {
        let asked = self.asked(list, is_allow);
        let id = CedarPolicyId::new(&list.id);
        if let Some(same) = self.policies.get(&asked) {
            return Ok(same.new_id(id));
        }
        let all = json!({"op": "All"});
        let head = json!({"effect": "forbid", "principal": all, "action": all});
        let policy = Policy::from_json(Some(id), forbid(head, &asked.tool_set(), is_allow)).map_err(failed)?;
        self.policies.insert(asked, policy.clone());
        Ok(policy)
    }

    /// What forbids whatever a policy of these does; `None` if there are none.
    pub(super) fn gate(&mut self, asked: Vec<Asked>) -> Result<Option<Arc<PolicySet>>, ChainError> {
        if asked.is_empty() {
            return Ok(None);
        }
        if let Some(same) = self.gates.get(&asked) {
            return Ok(Some(Arc::clone(same)));
        }
        let condition = |asked: &Asked| {
            let within = within("resource", &asked.tool_set());
            if asked.is_allow { gate::not(within) } else { within }
        };
        let conditions: Vec<_> = asked.iter().map(condition).collect();
        let gate = gate::policy(&conditions).map_err(failed)?;
        let gate = Arc::new(PolicySet::from_policies([gate]).map_err(failed)?);
        self.gates.insert(asked, Arc::clone(&gate));
        Ok(Some(gate))
    }

    /// The tools, in all sets that were asked for.
    pub(super) fn tools(&self, all: impl Iterator<Item = ToolIndex>) -> Result<Tools, ChainError> {
        let type_name = |name: &str| name.parse::<EntityTypeName>().map_err(failed);
        let (tool_type, set_type) = (type_name("Tool")?, type_name(TOOL_SET)?);
        // slices leave caller and action out
        let (caller, action) = (uid(&type_name("Token")?, ""), uid(&type_name("Action")?, "invokeHttp"));
        let sets: Vec<(&ToolBits, EntityUid)> =
            self.sets.iter().map(|(members, number)| (*members, uid(&set_type, &number.to_string()))).collect();
        let (mut questions, mut tools) = (Vec::new(), Vec::new());
        for index in all {
            let tool = uid(&tool_type, &index.usize().to_string());
            let within = sets.iter().filter(|(members, _)| members.contains(index)).map(|(_, set)| set.clone());
            tools.push(Entity::new_no_attrs(tool.clone(), within.collect()));
            let question = Request::new(caller.clone(), action.clone(), tool, Context::empty(), None);
            questions.push(question.map_err(failed)?);
        }
        // adding closes only what is new, which is cheaper than closing a new hierarchy
        let entities = Entities::empty().add_entities(tools, None).map_err(failed)?;
        Ok(Tools { questions, entities })
    }
}

impl Asked {
    fn tool_set(self) -> serde_json::Value {
        json!({"type": TOOL_SET, "id": self.set.to_string()})
    }
}
