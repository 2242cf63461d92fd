//! What the names and lists of a policy document mean in a dialect.

use std::collections::BTreeMap;

use crate::document::{Fields, Node};

/// The rules of a dialect's tool-policy chain. All names in here are normalised: trimmed and in lower case.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a member of the file, and they vary one by one")]
pub struct ChainRules {
    /// The text that they stand in: part of what names a version of the policies.
    pub source: String,
    /// Group (`group:web`) → its members.
    pub groups: BTreeMap<String, Vec<String>>,
    /// Profile → the entries of its allow list; `None` filters nothing.
    pub profiles: BTreeMap<String, Option<Vec<String>>>,
    /// What another name in a policy stands for.
    pub aliases: BTreeMap<String, String>,
    /// Tools that an allow list lets through because it lets another one through.
    pub implied: Vec<ImpliedTool>,
    /// Whether `alsoAllow` means something.
    pub has_also_allow: bool,
    /// Whether `toolsBySender` means something.
    pub has_tools_by_sender: bool,
    /// An allow list that names no core tool that is there, only plugins and unknown names, restricts nothing.
    pub drops_plugin_only_allow: bool,
    /// Profiles let every tool of a plugin through.
    pub profiles_pass_plugins: bool,
    /// Whether the word `agent` in front of a session key is known in any case.
    pub agent_prefix_any_case: bool,
    /// Whether a session key that names no agent belongs to the default agent, or else to the agent `main`.
    pub keyless_is_default_agent: bool,
    /// Session keys end before the last of these words between colons (`thread`, `topic`).
    pub thread_marks: Vec<String>,
    /// What another name of a channel in the header stands for.
    pub channel_aliases: BTreeMap<String, String>,
    /// Channels that keep the policies of their groups in their own way.
    pub channels: BTreeMap<String, ChannelLookup>,
    /// What subagents may not use.
    pub subagents: SubagentRules,
    /// Denied on `/tools/invoke` unless `gateway.tools.allow` names it.
    pub http_deny: Vec<String>,
    /// How `gateway.tools` is compared with names.
    pub http_deny_match: HttpDenyMatch,
    /// Tools for owners of the gateway alone.
    pub owner_only: Vec<String>,
}

/// `tool` passes an allow list that lets `by` through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImpliedTool {
    /// What passes as well.
    pub tool: String,
    /// What the list allows.
    pub by: String,
}

/// How a channel finds the policy of a group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChannelLookup {
    /// Looked at before `groups`: a map under this key, in which an entry without tools stands for itself.
    pub entries: Option<String>,
    /// Looked at before `groups`: under this key a map whose entry `*` has `channels` and tools of its own.
    pub guilds: Option<String>,
    /// The group's identifier ends before the first colon.
    pub id_ends_at_colon: bool,
}

/// What subagents may not use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubagentRules {
    /// No subagent.
    pub deny: Vec<String>,
    /// No subagent at the greatest depth (`agents.defaults.subagents.maxSpawnDepth`).
    pub deny_leaf: Vec<String>,
    /// Whether `tools.subagents.tools.allow` takes names out of these lists.
    pub is_reenabled_by_allow: bool,
}

/// How the entries of `gateway.tools` are compared with names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HttpDenyMatch {
    /// As they are written.
    #[default]
    Exact,
    /// Trimmed, in lower case, aliases resolved; patterns, plugins and `group:plugins` in `deny` count for tools of
    /// plugins.
    Normalised,
}

impl ChainRules {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let matches = [("exact", HttpDenyMatch::Exact), ("normalised", HttpDenyMatch::Normalised)];
        let profiles = fields.entries("profiles").into_iter().map(|(name, node)| {
            let list = (!node.value.is_null()).then(|| owned(node.texts()));
            (name.to_owned(), list)
        });
        Self {
            source: String::new(),
            profiles: profiles.collect(),
            groups: fields
                .entries("groups")
                .iter()
                .map(|(name, node)| ((*name).to_owned(), owned(node.texts())))
                .collect(),
            aliases: names(fields, "aliases"),
            implied: fields.entries("implied").iter().filter_map(implied).collect(),
            has_also_allow: fields.flag("also_allow", true),
            has_tools_by_sender: fields.flag("tools_by_sender", true),
            drops_plugin_only_allow: fields.flag("drops_plugin_only_allow", false),
            profiles_pass_plugins: fields.flag("profiles_pass_plugins", false),
            agent_prefix_any_case: fields.flag("agent_prefix_any_case", true),
            keyless_is_default_agent: fields.flag("keyless_is_default_agent", false),
            thread_marks: owned(fields.texts("thread_marks")),
            channel_aliases: names(fields, "channel_aliases"),
            channels: fields.entries("channels").iter().map(channel).collect(),
            subagents: fields
                .require("subagents")
                .and_then(|node| node.object(SubagentRules::read))
                .unwrap_or_default(),
            http_deny: owned(fields.texts("http_deny")),
            http_deny_match: fields.choice("http_deny_match", &matches).unwrap_or(HttpDenyMatch::Exact),
            owner_only: owned(fields.texts("owner_only")),
        }
    }
}

impl SubagentRules {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            deny: owned(fields.texts("deny")),
            deny_leaf: owned(fields.texts("deny_leaf")),
            is_reenabled_by_allow: fields.flag("reenabled_by_allow", true),
        }
    }
}

impl Default for SubagentRules {
    fn default() -> Self {
        Self { deny: Vec::new(), deny_leaf: Vec::new(), is_reenabled_by_allow: true }
    }
}

fn owned(texts: Vec<&str>) -> Vec<String> {
    texts.into_iter().map(str::to_owned).collect()
}

fn names(fields: &mut Fields<'_>, key: &'static str) -> BTreeMap<String, String> {
    fields.entries(key).iter().filter_map(|(from, to)| Some(((*from).to_owned(), to.text()?.to_owned()))).collect()
}

fn implied((tool, by): &(&str, Node<'_>)) -> Option<ImpliedTool> {
    Some(ImpliedTool { tool: (*tool).to_owned(), by: by.text()?.to_owned() })
}

fn channel((name, node): &(&str, Node<'_>)) -> (String, ChannelLookup) {
    let read = |fields: &mut Fields<'_>| ChannelLookup {
        entries: fields.text("entries").map(str::to_owned),
        guilds: fields.text("guilds").map(str::to_owned),
        id_ends_at_colon: fields.flag("id_ends_at_colon", false),
    };
    ((*name).to_owned(), node.object(read).unwrap_or_default())
}
