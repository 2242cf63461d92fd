//! The sets of tools that a chain's lists mean, as the slices ask for them.
//!
//! Lists that mean the same tools share a set, and sets are numbered: a thousand agents rarely have a thousand different
//! lists. Which tools are in which sets is known when the chain is compiled, so the entities of all tools are built then,
//! and what Cedar is asked about a tool as well: a slice looks at nothing else.

use std::collections::HashMap;

use cedar_policy::{Context, Entities, Entity, EntityTypeName, EntityUid, Request};

use super::{
    ChainError, ToolIndex,
    cedar::{failed, uid},
    names::ToolBits,
    steps::List,
};

/// Numbers for sets of tools, the same for the same tools.
#[derive(Debug, Default)]
pub(super) struct ToolSets<'a> {
    numbers: HashMap<&'a ToolBits, usize>,
}

/// All tools of the catalog, as the slices of a chain see them.
#[derive(Debug)]
pub(super) struct Tools {
    /// What Cedar is asked about each.
    pub(super) questions: Vec<Request>,
    pub(super) entities: Entities,
}

impl<'a> ToolSets<'a> {
    pub(super) fn new(lists: impl Iterator<Item = &'a List>) -> Self {
        let mut sets = Self::default();
        for list in lists {
            let next = sets.numbers.len();
            sets.numbers.entry(&list.members).or_insert(next);
        }
        sets
    }

    /// The identifier of a list's set. A list that is none of those that the numbers were made of has a set without tools.
    pub(super) fn id(&self, list: &List) -> String {
        self.numbers.get(&list.members).map_or_else(String::new, ToString::to_string)
    }
}

impl Tools {
    pub(super) fn new(sets: &ToolSets<'_>, all: impl Iterator<Item = ToolIndex>) -> Result<Self, ChainError> {
        let type_name = |name: &str| name.parse::<EntityTypeName>().map_err(failed);
        let (tool_type, set_type) = (type_name("Tool")?, type_name(super::cedar::TOOL_SET)?);
        // slices leave caller and action out
        let (caller, action) = (uid(&type_name("Token")?, ""), uid(&type_name("Action")?, "invokeHttp"));
        let set_uids: Vec<(&ToolBits, EntityUid)> =
            sets.numbers.iter().map(|(members, number)| (*members, uid(&set_type, &number.to_string()))).collect();
        let (mut questions, mut tools) = (Vec::new(), Vec::new());
        for index in all {
            let tool = uid(&tool_type, &index.usize().to_string());
            let within = set_uids.iter().filter(|(members, _)| members.contains(index)).map(|(_, set)| set.clone());
            tools.push(Entity::new_no_attrs(tool.clone(), within.collect()));
            let question = Request::new(caller.clone(), action.clone(), tool, Context::empty(), None);
            questions.push(question.map_err(failed)?);
        }
        // adding closes only what is new, which is cheaper than closing a new hierarchy
        let entities = Entities::empty().add_entities(tools, None).map_err(failed)?;
        Ok(Self { questions, entities })
    }
}
