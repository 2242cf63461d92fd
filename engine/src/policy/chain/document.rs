//! A policy document: the dialects' own JSON (`tools`, `agents`, `channels`, `gateway.tools`, `session`), checked.
//!
//! Strict where a policy is meant: unknown keys, unknown profiles, wrong types and sizes beyond the limits are errors with
//! the path of the value. Keys that the dialects know and Tollgate does not use are listed, not refused. What a channel
//! keeps beside its groups is its own business.

mod channels;
mod lists;

use std::collections::HashSet;

use serde_json::Value;

pub use self::lists::TOOLS_UNUSED;
pub(super) use self::{
    channels::{AccountPolicies, ChannelPolicies, Group, GroupMap, Sender},
    lists::{Entries, Policy, ProviderPolicy, Tools},
};
use super::session_key::{MAIN, normalised_id};
use crate::{
    dialect::ChainRules,
    document::{DocumentPath, DocumentProblem, Fields, Node, Reader},
    limits,
};

/// Keys of `session` that the dialects know and Tollgate does not use.
pub const SESSION_UNUSED: &[&str] = &[
    "agentToAgent",
    "dmScope",
    "encrypt",
    "groupScope",
    "heartbeatIdleMinutes",
    "identityLinks",
    "idleMinutes",
    "maintenance",
    "parentForkMaxTokens",
    "reset",
    "resetByChannel",
    "resetByType",
    "resetTriggers",
    "sendPolicy",
    "sharing",
    "store",
    "threadBindings",
    "typingIntervalSeconds",
    "typingMode",
    "writeLock",
];

const AGENT_UNUSED: &[&str] = &[
    "agentDir",
    "cliBackends",
    "description",
    "fastModeDefault",
    "groupChat",
    "heartbeat",
    "humanDelay",
    "identity",
    "memorySearch",
    "name",
    "params",
    "reasoningDefault",
    "runtime",
    "sandbox",
    "skills",
    "subagents",
    "thinkingDefault",
    "workspace",
];

/// A policy document that was found right.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyDocument {
    /// The document as canonical text, which names its version.
    pub(in crate::policy) text: String,
    pub(super) tools: Tools,
    pub(super) subagents: Policy,
    pub(super) agents: Vec<Agent>,
    pub(super) default_model: Option<Model>,
    pub(super) spawn_depth_max: u64,
    pub(super) channels: Vec<(String, ChannelPolicies)>,
    pub(super) http: Policy,
    pub(super) is_global_scope: bool,
    pub(super) main_key: String,
    unused: Vec<DocumentPath>,
}

/// One agent of `agents.list`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Agent {
    /// Normalised.
    pub(super) id: String,
    pub(super) is_default: bool,
    pub(super) model: Option<Model>,
    pub(super) tools: Tools,
}

/// A model as `provider/model`, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Model {
    pub(super) provider: String,
    pub(super) full: String,
}

impl PolicyDocument {
    /// Reads a document for a dialect.
    ///
    /// # Errors
    /// Everything that is wrong, up to [`limits::DOCUMENT_PROBLEMS_MAX`].
    pub fn from_value(value: &Value, rules: &ChainRules) -> Result<Self, Vec<DocumentProblem>> {
        let reader = Reader::default();
        let read = reader.root(value).object(|fields| read_document(fields, rules));
        let unused = reader.finish()?;
        let document = read.map(|document| Self { unused, text: value.to_string(), ..document });
        // nothing was wrong, so the document is an object
        document.ok_or_else(Vec::new)
    }

    /// Keys that the dialects know and that mean nothing here.
    pub fn unused(&self) -> &[DocumentPath] {
        &self.unused
    }

    /// The configured agents' identifiers, normalised, in the order of the document.
    pub fn agent_ids(&self) -> impl Iterator<Item = &str> {
        self.agents.iter().map(|agent| agent.id.as_str())
    }

    /// The agent marked as default, else the first one, else `main`.
    pub fn default_agent(&self) -> &str {
        let marked = self.agents.iter().find(|agent| agent.is_default);
        marked.or_else(|| self.agents.first()).map_or(MAIN, |agent| &agent.id)
    }

    /// The session of calls that name none: `global`, or the main session of the default agent.
    pub fn main_session_key(&self) -> String {
        if self.is_global_scope {
            return "global".to_owned();
        }
        format!("agent:{}:{}", self.default_agent(), self.main_key)
    }
}

fn read_document(fields: &mut Fields<'_>, rules: &ChainRules) -> PolicyDocument {
    let mut tools = None;
    let mut subagents = None;
    if let Some(node) = fields.take("tools") {
        node.object(|fields| {
            tools = Some(Tools::read(fields, rules));
            subagents = fields.take("subagents").and_then(|node| read_subagents(&node));
        });
    }
    let root = &fields.node;
    let tools = tools.unwrap_or_else(|| Tools::absent(&root.path.key("tools")));
    let subagents = subagents.unwrap_or_else(|| Policy::absent(&root.path.key("tools").key("subagents").key("tools")));
    let http_path = root.path.key("gateway").key("tools");
    let (main_key, is_global_scope) = fields.take("session").map_or_else(session_defaults, |node| read_session(&node));
    let agents = fields.take("agents").map(|node| read_agents(&node, rules)).unwrap_or_default();
    let gateway = fields
        .take("gateway")
        .and_then(|node| node.object(|fields| fields.take("tools").and_then(|node| node.object(Policy::read_exact))));
    let document = PolicyDocument {
        text: String::new(),
        tools,
        subagents,
        agents: agents.list,
        default_model: agents.default_model,
        spawn_depth_max: agents.spawn_depth_max.unwrap_or(1),
        channels: fields.take("channels").map(|node| channels::read(&node, rules)).unwrap_or_default(),
        http: gateway.flatten().unwrap_or_else(|| Policy::absent(&http_path)),
        is_global_scope,
        main_key,
        unused: Vec::new(),
    };
    check_sizes(&fields.node, &document);
    document
}

fn check_sizes(root: &Node<'_>, document: &PolicyDocument) {
    let mut policies = 0_usize;
    let mut entries = 0_usize;
    document.each_policy(&mut |policy| {
        policies = policies.saturating_add(1);
        entries = entries.saturating_add(policy.entry_count());
    });
    if policies > limits::POLICY_OBJECTS_MAX {
        root.wrong(format!("holds {policies} policies, and at most {} are taken", limits::POLICY_OBJECTS_MAX));
    }
    if entries > limits::POLICY_ENTRIES_MAX {
        root.wrong(format!("has {entries} entries in its lists, and at most {} are taken", limits::POLICY_ENTRIES_MAX));
    }
}

impl PolicyDocument {
    /// Visits everything with lists of its own.
    pub(super) fn each_policy<'a>(&'a self, visit: &mut dyn FnMut(&'a Policy)) {
        for tools in std::iter::once(&self.tools).chain(self.agents.iter().map(|agent| &agent.tools)) {
            visit(&tools.policy);
            tools.by_provider.iter().for_each(|provider| visit(&provider.policy));
        }
        visit(&self.subagents);
        for (_, channel) in &self.channels {
            channel.each_policy(visit);
        }
        visit(&self.http);
    }
}

fn read_subagents(node: &Node<'_>) -> Option<Policy> {
    node.object(|fields| {
        fields.tolerate(&["model", "thinking", "maxConcurrent", "archiveAfterMinutes"]);
        fields.take("tools").and_then(|node| node.object(Policy::read))
    })
    .flatten()
}

fn session_defaults() -> (String, bool) {
    (MAIN.to_owned(), false)
}

fn read_session(node: &Node<'_>) -> (String, bool) {
    let read = |fields: &mut Fields<'_>| {
        fields.tolerate(SESSION_UNUSED);
        // every scope but `global` gives each agent sessions of its own
        let scopes = [("global", true), ("per-sender", false), ("agent", false)];
        let is_global = fields.choice("scope", &scopes).unwrap_or(false);
        let main_key = fields.text("mainKey").map(|text| text.trim().to_lowercase()).filter(|key| !key.is_empty());
        (main_key.unwrap_or_else(|| MAIN.to_owned()), is_global)
    };
    node.object(read).unwrap_or_else(session_defaults)
}

#[derive(Debug, Default)]
struct Agents {
    list: Vec<Agent>,
    default_model: Option<Model>,
    spawn_depth_max: Option<u64>,
}

fn read_agents(node: &Node<'_>, rules: &ChainRules) -> Agents {
    let mut agents = Agents::default();
    node.object(|fields| {
        let items = fields.take("list").map(|node| node.items()).unwrap_or_default();
        let mut seen = HashSet::new();
        for item in items {
            let Some(Some(agent)) = item.object(|fields| read_agent(fields, rules)) else { continue };
            if seen.insert(agent.id.clone()) {
                agents.list.push(agent);
            } else {
                item.wrong(format!("has the same `id` as another agent: `{}`", agent.id));
            }
        }
        // the rest of the defaults belongs to the agents themselves
        for (key, value) in fields.entries("defaults") {
            match key {
                "model" => agents.default_model = read_model(&value),
                "subagents" => agents.spawn_depth_max = read_spawn_depth(&value),
                _ => {}
            }
        }
    });
    agents
}

fn read_agent(fields: &mut Fields<'_>, rules: &ChainRules) -> Option<Agent> {
    fields.tolerate(AGENT_UNUSED);
    let id = fields.require("id").and_then(|node| node.text());
    let tools = fields.take("tools").and_then(|node| node.object(|fields| Tools::read(fields, rules)));
    let is_default = fields.flag("default", false);
    let model = fields.take("model").and_then(|node| read_model(&node));
    let id = normalised_id(id?, MAIN).into_owned();
    let tools = tools.unwrap_or_else(|| Tools::absent(&fields.node.path.key("tools")));
    Some(Agent { id, is_default, model, tools })
}

/// `provider/model`, or an object whose `primary` is one. A model without a provider is nobody's.
fn read_model(node: &Node<'_>) -> Option<Model> {
    let text = if node.value.is_object() {
        node.entries().into_iter().find(|(key, _)| *key == "primary").and_then(|(_, node)| node.text())
    } else {
        node.text()
    }?;
    let full = text.trim().to_lowercase();
    let provider = full.split_once('/')?.0.to_owned();
    Some(Model { provider, full })
}

/// How deep subagents may start subagents. Fractions are cut off.
fn read_spawn_depth(node: &Node<'_>) -> Option<u64> {
    let (_, depth) = node.entries().into_iter().find(|(key, _)| *key == "maxSpawnDepth")?;
    let text = depth.value.as_number().map(ToString::to_string);
    let whole = text.as_deref().map(|text| text.split('.').next().unwrap_or(text)).and_then(|text| text.parse().ok());
    if whole.is_none() {
        depth.wrong("must be a number from 0 on");
    }
    whole
}
