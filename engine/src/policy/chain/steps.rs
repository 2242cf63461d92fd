//! From a document to the chain's steps: what each one allows and denies, of the tools that are there.

use super::{
    document::{Entries, Policy, Tools},
    names::{EntryKind, Purpose, Resolver, ToolBits, normalised},
};
use crate::dialect::HttpDenyMatch;

/// The steps in their order (FASED and ZERO; OpenClaw adds the owners').
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StepKind {
    /// The profile of everybody or of an agent.
    Profile,
    /// The profile that belongs to the model.
    ProviderProfile,
    /// `tools`.
    Global,
    /// `tools.byProvider`.
    GlobalProvider,
    /// `agents.list[].tools`.
    Agent,
    /// `agents.list[].tools.byProvider`.
    AgentProvider,
    /// The policy of a group or a channel.
    Group,
    /// What subagents may use.
    Subagent,
    /// What owners alone may use.
    Owner,
    /// The deny list of `POST /tools/invoke`.
    Http,
}

impl StepKind {
    /// Every kind, in the order of the chain.
    pub const ALL: [Self; 10] = [
        Self::Profile,
        Self::ProviderProfile,
        Self::Global,
        Self::GlobalProvider,
        Self::Agent,
        Self::AgentProvider,
        Self::Group,
        Self::Subagent,
        Self::Owner,
        Self::Http,
    ];

    /// The kind of step that a policy of the chain belongs to, read from its identifier alone: it begins with the step's
    /// name, whichever version of the document made it. `None` of a policy that no chain makes.
    pub fn of_policy(id: &str) -> Option<Self> {
        let step = id.strip_suffix(".allow").or_else(|| id.strip_suffix(".deny"));
        match step {
            Some("tools") => return Some(Self::Global),
            Some("tools.subagents.tools") => return Some(Self::Subagent),
            Some("owner") => return Some(Self::Owner),
            Some("gateway.tools") => return Some(Self::Http),
            _ => {}
        }
        if let Some(of_channel) = id.strip_prefix("channels") {
            let is_group = step.is_some() && of_channel.starts_with(['.', '[']);
            return is_group.then_some(Self::Group);
        }
        let (is_agent, of_tools) = match id.strip_prefix("agents.") {
            // an agent's identifier has no dots
            Some(rest) => (true, rest.split_once('.')?.1.strip_prefix("tools.")?),
            None => (false, id.strip_prefix("tools.")?),
        };
        if of_tools.starts_with("byProvider.") {
            return match step {
                Some(_) if is_agent => Some(Self::AgentProvider),
                Some(_) => Some(Self::GlobalProvider),
                None => of_tools.ends_with(".profile").then_some(Self::ProviderProfile),
            };
        }
        match of_tools {
            "profile" => Some(Self::Profile),
            "allow" | "deny" if is_agent => Some(Self::Agent),
            _ => None,
        }
    }

    /// For machines.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Profile => "profile",
            Self::ProviderProfile => "provider_profile",
            Self::Global => "global",
            Self::GlobalProvider => "global_provider",
            Self::Agent => "agent",
            Self::AgentProvider => "agent_provider",
            Self::Group => "group",
            Self::Subagent => "subagent",
            Self::Owner => "owner",
            Self::Http => "http",
        }
    }

    /// The place in the chain, from 0.
    pub(in crate::policy) const fn place(self) -> usize {
        match self {
            Self::Profile => 0,
            Self::ProviderProfile => 1,
            Self::Global => 2,
            Self::GlobalProvider => 3,
            Self::Agent => 4,
            Self::AgentProvider => 5,
            Self::Group => 6,
            Self::Subagent => 7,
            Self::Owner => 8,
            Self::Http => 9,
        }
    }
}

/// To which sessions a step applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    Always,
    /// To those of an agent.
    Agent(String),
    /// To those that the step was found for. Steps that replace one another are found one at a time.
    Found,
    /// To all but owners.
    UnlessOwner,
}

/// One step.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) kind: StepKind,
    /// Names it; the policies' identifiers begin like this.
    pub(super) id: String,
    pub(super) condition: Condition,
    pub(super) allow: Option<List>,
    pub(super) deny: Option<List>,
    /// An allow list that the dialect drops.
    pub(super) dropped: Option<List>,
}

/// One list with what it means.
#[derive(Debug, Clone)]
pub(super) struct List {
    /// The identifier of its policy, and of its set of tools.
    pub(super) id: String,
    pub(super) sources: Vec<Source>,
    pub(super) members: ToolBits,
}

/// Where the entries of a list stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    /// The key in the document, or what of the dialect it is.
    pub(super) key: String,
    pub(super) entries: Vec<String>,
}

impl Source {
    fn written(entries: &Entries) -> Self {
        Self { key: entries.path.to_string(), entries: entries.kept().map(str::to_owned).collect() }
    }

    fn built_in(key: impl Into<String>, entries: &[String]) -> Self {
        Self { key: key.into(), entries: entries.to_vec() }
    }
}

impl Step {
    pub(super) fn lists(&self) -> impl Iterator<Item = &List> {
        self.allow.iter().chain(&self.deny)
    }

    /// Whether a tool survives this step.
    pub(super) fn passes(&self, tool: super::ToolIndex) -> bool {
        self.allow.as_ref().is_none_or(|allow| allow.members.contains(tool))
            && !self.deny.as_ref().is_some_and(|deny| deny.members.contains(tool))
    }
}

/// Makes steps.
#[derive(Debug)]
pub(super) struct Maker<'a> {
    pub(super) resolver: Resolver<'a>,
}

impl Maker<'_> {
    /// `id`, `policy`: `tools` is the policy of `tools`. The profile's step, if a profile restricts something.
    pub(super) fn profile(
        &self,
        id: String,
        kind: StepKind,
        name: Option<&str>,
        extra: Option<&Entries>,
    ) -> Option<Step> {
        let name = name?;
        let entries = self.resolver.rules.profiles.get(name)?.as_ref()?;
        let mut sources = vec![Source::built_in(format!("profile `{name}`"), entries)];
        if self.resolver.rules.has_also_allow {
            sources.extend(extra.map(Source::written));
        }
        let mut allow = self.allow_list(id.clone(), sources);
        if self.resolver.rules.profiles_pass_plugins {
            self.resolver.names.all().filter(|tool| self.resolver.names.is_plugin(*tool)).for_each(|tool| {
                allow.members.insert(tool);
            });
        }
        let (allow, dropped) = self.kept_or_dropped(allow);
        Some(Step { kind, id, condition: Condition::Found, allow, deny: None, dropped })
    }

    /// The step of an object with lists. There is one also if nothing is restricted: it stands in for others.
    pub(super) fn lists(&self, id: String, kind: StepKind, condition: Condition, policy: &Policy) -> Step {
        let (allow, dropped) =
            self.effective_allow(&id, policy).map_or((None, None), |list| self.kept_or_dropped(list));
        let deny = policy.deny.as_ref().map(Source::written).and_then(|source| self.deny_list(&id, vec![source]));
        Step { kind, id, condition, allow, deny, dropped }
    }

    /// `allow` with `alsoAllow`. Nothing in `allow` allows everything.
    fn effective_allow(&self, id: &str, policy: &Policy) -> Option<List> {
        let mut sources = vec![Source::written(policy.allow.as_ref()?)];
        if sources.iter().all(|source| source.entries.is_empty()) {
            return None;
        }
        if self.resolver.rules.has_also_allow {
            sources.extend(policy.also_allow.as_ref().map(Source::written));
        }
        Some(self.allow_list(format!("{id}.allow"), sources))
    }

    fn allow_list(&self, id: String, sources: Vec<Source>) -> List {
        let mut members = self.members(&sources, Purpose::Allow);
        for implied in &self.resolver.rules.implied {
            if sources.iter().flat_map(|source| &source.entries).any(|entry| self.resolver.means(entry, &implied.by)) {
                members.union(&self.resolver.called(&implied.tool, Purpose::Allow));
            }
        }
        List { id, sources, members }
    }

    fn deny_list(&self, id: &str, sources: Vec<Source>) -> Option<List> {
        let members = self.members(&sources, Purpose::Deny);
        let is_empty = sources.iter().all(|source| source.entries.is_empty());
        (!is_empty).then(|| List { id: format!("{id}.deny"), sources, members })
    }

    fn members(&self, sources: &[Source], purpose: Purpose) -> ToolBits {
        let mut members = ToolBits::default();
        for entry in sources.iter().flat_map(|source| &source.entries) {
            members.union(&self.resolver.members(entry, purpose));
        }
        members
    }

    /// Some dialects drop an allow list without a single core tool that is there.
    fn kept_or_dropped(&self, list: List) -> (Option<List>, Option<List>) {
        let is_core = |entry: &String| self.resolver.kind(entry) == EntryKind::Core;
        let is_dropped = self.resolver.rules.drops_plugin_only_allow
            && !list.sources.iter().flat_map(|source| &source.entries).any(is_core);
        if is_dropped { (None, Some(list)) } else { (Some(list), None) }
    }

    /// What subagents may not use. The configured lists are exempt from the rule of plugin-only lists.
    pub(super) fn subagent(&self, policy: &Policy, spawn_depth_max: u64) -> Step {
        let rules = self.resolver.rules;
        let also = policy.also_allow.as_ref().filter(|_| rules.has_also_allow);
        let named: Vec<String> = [policy.allow.as_ref(), also]
            .into_iter()
            .flatten()
            .flat_map(Entries::kept)
            .map(|entry| normalised(entry, rules))
            .collect();
        let is_kept = |name: &&String| !rules.subagents.is_reenabled_by_allow || !named.contains(name);
        let kept = |names: &[String]| names.iter().filter(is_kept).cloned().collect::<Vec<_>>();
        let mut denied = vec![Source::built_in("what no subagent may use", &kept(&rules.subagents.deny))];
        // over HTTP a subagent is always of the first depth
        if spawn_depth_max.max(1) == 1 {
            denied.push(Source::built_in(
                "what no subagent of the last depth may use",
                &kept(&rules.subagents.deny_leaf),
            ));
        }
        denied.extend(policy.deny.as_ref().map(Source::written));
        let id = policy.path.to_string();
        Step {
            kind: StepKind::Subagent,
            allow: self.effective_allow(&id, policy),
            deny: self.deny_list(&id, denied),
            id,
            condition: Condition::Found,
            dropped: None,
        }
    }

    /// The deny list of the endpoint: the dialect's without `gateway.tools.allow`, and `gateway.tools.deny`.
    pub(super) fn http(&self, policy: &Policy, is_exact: &dyn Fn(&str, super::ToolIndex) -> bool) -> Step {
        let rules = self.resolver.rules;
        let is_normalised = rules.http_deny_match == HttpDenyMatch::Normalised;
        let compared = |text: &str| if is_normalised { normalised(text, rules) } else { text.to_owned() };
        let freed: Vec<String> = policy.allow.iter().flat_map(Entries::kept).map(compared).collect();
        let kept: Vec<String> =
            rules.http_deny.iter().filter(|name| !freed.contains(&compared(name))).cloned().collect();
        let mut sources = vec![Source::built_in("what is denied over HTTP", &kept)];
        sources.extend(policy.deny.as_ref().map(Source::written));
        let mut members = ToolBits::default();
        for entry in sources.iter().flat_map(|source| &source.entries) {
            for tool in self.resolver.names.all() {
                let is_meant = if is_normalised {
                    normalised(entry, rules) == self.resolver.names.plain(tool)
                        || self.resolver.names.is_plugin(tool)
                            && self.resolver.members(entry, Purpose::Deny).contains(tool)
                } else {
                    is_exact(entry, tool)
                };
                if is_meant {
                    members.insert(tool);
                }
            }
        }
        let id = policy.path.to_string();
        let deny = List { id: format!("{id}.deny"), sources, members };
        Step { kind: StepKind::Http, id, condition: Condition::Always, allow: None, deny: Some(deny), dropped: None }
    }

    /// What is for owners alone, where the dialect has such a list.
    pub(super) fn owner_only(&self) -> Option<Step> {
        let names = &self.resolver.rules.owner_only;
        let source = Source::built_in("what owners alone may use", names);
        let deny = self.deny_list("owner", vec![source])?;
        Some(Step {
            kind: StepKind::Owner,
            id: "owner".to_owned(),
            condition: Condition::UnlessOwner,
            allow: None,
            deny: Some(deny),
            dropped: None,
        })
    }
}

/// The extra entries of a profile: the agent's `alsoAllow`, also an empty one, else everybody's.
pub(super) fn profile_extra<'a>(own: Option<&'a Tools>, global: &'a Tools) -> Option<&'a Entries> {
    own.and_then(|tools| tools.policy.also_allow.as_ref()).or(global.policy.also_allow.as_ref())
}
