//! From the texts of a request to the steps that apply to it.

use std::borrow::Cow;

use foldhash::HashMap;

use super::{
    document::{AccountPolicies, ChannelPolicies, Group, GroupMap, Policy, PolicyDocument, ProviderPolicy, Sender},
    session_key::{self, GroupKey, MAIN, normalised_id},
    steps::{Condition, Maker, Step, StepKind, profile_extra},
};
use crate::dialect::ChainRules;

/// The account of messages that name none.
const DEFAULT_ACCOUNT: &str = "default";

/// What is known of a session, as texts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SessionFacts<'a> {
    /// The session's key, which stands for the main session no more.
    pub session_key: &'a str,
    /// The channel that a header names.
    pub channel: Option<&'a str>,
    /// The account on the channel.
    pub account: Option<&'a str>,
    /// Who wrote. Over HTTP nobody did.
    pub sender: SenderFacts<'a>,
    /// The provider and the model of the session, where they are not its agent's.
    pub model: Option<(&'a str, &'a str)>,
    /// The caller owns the gateway.
    pub is_owner: bool,
}

/// Who wrote on a channel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SenderFacts<'a> {
    /// The channel's identifier.
    pub id: Option<&'a str>,
    /// The telephone number.
    pub e164: Option<&'a str>,
    /// The name for mentions.
    pub username: Option<&'a str>,
    /// The name to show.
    pub name: Option<&'a str>,
}

/// One step of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::policy) struct StepIndex(pub(in crate::policy) u32);

/// All of a session that a chain depends on. It belongs to the chain that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scope {
    /// From 1; 0 is an agent without policies of its own.
    pub(in crate::policy) agent: u32,
    pub(in crate::policy) global_provider: Option<u32>,
    pub(in crate::policy) agent_provider: Option<u32>,
    pub(in crate::policy) group: Option<StepIndex>,
    pub(in crate::policy) is_subagent: bool,
    pub(in crate::policy) is_owner: bool,
}

/// The steps of one entry of `byProvider`.
#[derive(Debug, Clone, Copy)]
pub(super) struct ProviderSteps {
    pub(super) profile: Option<StepIndex>,
    pub(super) lists: StepIndex,
    /// A profile is named, also if it restricts nothing.
    has_profile: bool,
}

/// The steps of one agent.
#[derive(Debug)]
pub(super) struct AgentSteps {
    pub(super) id: Option<String>,
    pub(super) profile: Option<StepIndex>,
    pub(super) lists: Option<StepIndex>,
    by_provider: HashMap<String, u32>,
    /// What the agent's own model means.
    pub(super) global_provider: Option<u32>,
    pub(super) agent_provider: Option<u32>,
}

/// A group's policies, found by who writes.
#[derive(Debug, Default)]
struct GroupSteps {
    tools: Option<StepIndex>,
    by_sender: HashMap<Sender, StepIndex>,
}

#[derive(Debug, Default)]
struct AccountSteps {
    groups: Option<HashMap<String, GroupSteps>>,
    entries: Option<HashMap<String, GroupSteps>>,
    guild: Option<(GroupSteps, HashMap<String, GroupSteps>)>,
}

#[derive(Debug, Default)]
struct ChannelSteps {
    /// A group's identifier ends before the first colon.
    id_ends_at_colon: bool,
    own: AccountSteps,
    accounts: HashMap<String, AccountSteps>,
}

/// All steps, and how a session finds its own.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
    pub(super) agents: Vec<AgentSteps>,
    pub(super) providers: Vec<ProviderSteps>,
    pub(super) global: StepIndex,
    pub(super) subagent: StepIndex,
    pub(super) http: StepIndex,
    pub(super) owner: Option<StepIndex>,
    by_id: HashMap<String, u32>,
    by_provider: HashMap<String, u32>,
    keyless: u32,
    channels: HashMap<String, ChannelSteps>,
}

/// Collects steps.
struct Builder<'a> {
    maker: &'a Maker<'a>,
    steps: Vec<Step>,
    providers: Vec<ProviderSteps>,
}

impl Builder<'_> {
    fn push(&mut self, step: Step) -> StepIndex {
        let index = StepIndex(u32::try_from(self.steps.len()).unwrap_or(u32::MAX));
        self.steps.push(step);
        index
    }

    fn profile(&mut self, step: Option<Step>) -> Option<StepIndex> {
        step.map(|step| self.push(step))
    }

    /// Of two keys that mean the same the last one counts.
    fn providers(&mut self, owner: &str, kind: StepKind, list: &[ProviderPolicy]) -> HashMap<String, u32> {
        let mut found = HashMap::default();
        for (at, provider) in list.iter().enumerate() {
            if list.iter().skip(at.saturating_add(1)).any(|later| later.key == provider.key) {
                continue;
            }
            let id = format!("{owner}.byProvider.{}", quoted(&provider.key));
            let extra = provider.policy.also_allow.as_ref();
            let profile = format!("{id}.profile");
            let profile = self.maker.profile(profile, StepKind::ProviderProfile, provider.profile.as_deref(), extra);
            let profile = self.profile(profile);
            let lists = self.maker.lists(id, kind, Condition::Found, &provider.policy);
            let lists = self.push(lists);
            found.insert(provider.key.clone(), u32::try_from(self.providers.len()).unwrap_or(u32::MAX));
            self.providers.push(ProviderSteps { profile, lists, has_profile: provider.profile.is_some() });
        }
        found
    }

    fn group(&mut self, group: &Group) -> GroupSteps {
        let tools = group.tools.as_ref().map(|policy| self.group_policy(policy));
        let mut steps = GroupSteps { tools, by_sender: HashMap::default() };
        for (sender, policy) in group.by_sender.iter().filter(|_| self.maker.resolver.rules.has_tools_by_sender) {
            // of two keys that mean the same the first one counts
            if !steps.by_sender.contains_key(sender) {
                let step = self.group_policy(policy);
                steps.by_sender.insert(sender.clone(), step);
            }
        }
        steps
    }

    fn group_policy(&mut self, policy: &Policy) -> StepIndex {
        let step = self.maker.lists(policy.path.to_string(), StepKind::Group, Condition::Found, policy);
        self.push(step)
    }

    /// In the order of the names, so that the same document makes the same steps.
    fn map(&mut self, map: &GroupMap) -> HashMap<String, GroupSteps> {
        let mut groups: Vec<(&String, &Group)> = map.iter().collect();
        groups.sort_unstable_by_key(|(id, _)| *id);
        groups.into_iter().map(|(id, group)| (id.clone(), self.group(group))).collect()
    }

    fn account(&mut self, account: &AccountPolicies) -> AccountSteps {
        AccountSteps {
            groups: account.groups.as_ref().map(|map| self.map(map)),
            entries: account.entries.as_ref().map(|map| self.map(map)),
            guild: account.guild.as_ref().map(|(guild, channels)| (self.group(guild), self.map(channels))),
        }
    }

    fn channel(&mut self, name: &str, channel: &ChannelPolicies) -> ChannelSteps {
        let accounts = channel.accounts.iter().map(|(id, account)| (id.clone(), self.account(account))).collect();
        let lookup = self.maker.resolver.rules.channels.get(name);
        let id_ends_at_colon = lookup.is_some_and(|lookup| lookup.id_ends_at_colon);
        ChannelSteps { id_ends_at_colon, own: self.account(&channel.own), accounts }
    }
}

/// A key as a part of an identifier.
fn quoted(key: &str) -> String {
    crate::document::DocumentPath::default().key(key).to_string()
}

impl Plan {
    pub(super) fn new(
        document: &PolicyDocument,
        maker: &Maker<'_>,
        is_exact: &dyn Fn(&str, super::ToolIndex) -> bool,
    ) -> Self {
        let mut builder = Builder { maker, steps: Vec::new(), providers: Vec::new() };
        let tools = &document.tools;
        let everybody = tools.profile.as_deref();
        let profile =
            maker.profile("tools.profile".to_owned(), StepKind::Profile, everybody, profile_extra(None, tools));
        let profile = builder.profile(profile);
        let global = maker.lists("tools".to_owned(), StepKind::Global, Condition::Always, &tools.policy);
        let global = builder.push(global);
        let by_provider = builder.providers("tools", StepKind::GlobalProvider, &tools.by_provider);
        let stranger = AgentSteps {
            id: None,
            profile,
            lists: None,
            by_provider: HashMap::default(),
            global_provider: None,
            agent_provider: None,
        };
        let mut agents = vec![stranger];
        for agent in &document.agents {
            let owner = format!("agents.{}.tools", agent.id);
            let is_own = agent.tools.profile.is_some() || agent.tools.policy.also_allow.is_some();
            let name = agent.tools.profile.as_deref().or(everybody);
            let extra = profile_extra(Some(&agent.tools), tools);
            let own = if is_own {
                let step = maker.profile(format!("{owner}.profile"), StepKind::Profile, name, extra);
                builder.profile(step)
            } else {
                profile
            };
            let by_provider = builder.providers(&owner, StepKind::AgentProvider, &agent.tools.by_provider);
            let lists = maker.lists(owner, StepKind::Agent, Condition::Agent(agent.id.clone()), &agent.tools.policy);
            agents.push(AgentSteps {
                id: Some(agent.id.clone()),
                profile: own,
                lists: Some(builder.push(lists)),
                by_provider,
                global_provider: None,
                agent_provider: None,
            });
        }
        let subagent = builder.push(maker.subagent(&document.subagents, document.spawn_depth_max));
        let owner = maker.owner_only();
        let owner = owner.map(|step| builder.push(step));
        let http = builder.push(maker.http(&document.http, is_exact));
        // of two channels that mean the same the first one counts
        let mut channels = HashMap::default();
        for (name, channel) in &document.channels {
            let steps = builder.channel(name, channel);
            channels.entry(name.clone()).or_insert(steps);
        }
        let ids = agents.iter().zip(0..).filter_map(|(agent, index)| Some((agent.id.clone()?, index)));
        let by_id: HashMap<String, u32> = ids.collect();
        let keyless = if maker.resolver.rules.keyless_is_default_agent { document.default_agent() } else { MAIN };
        let keyless = by_id.get(keyless).copied().unwrap_or(0);
        let Builder { steps, providers, .. } = builder;
        let mut plan =
            Self { steps, agents, providers, global, subagent, http, owner, by_id, by_provider, keyless, channels };
        plan.place_models(document);
        plan
    }

    /// Every agent's own model is looked up once.
    fn place_models(&mut self, document: &PolicyDocument) {
        let own = document.agents.iter().map(|agent| agent.model.as_ref());
        let models: Vec<_> =
            std::iter::once(None).chain(own).map(|model| model.or(document.default_model.as_ref())).collect();
        for (agent, model) in self.agents.iter_mut().zip(models) {
            let Some(model) = model else { continue };
            agent.global_provider = hit(&self.by_provider, &model.provider, &model.full);
            agent.agent_provider = hit(&agent.by_provider, &model.provider, &model.full);
        }
    }

    /// Finds what applies to a session.
    pub(super) fn scope(&self, facts: &SessionFacts<'_>, rules: &ChainRules) -> Scope {
        let key = session_key::read(facts.session_key, rules);
        let agent =
            key.agent.map_or(self.keyless, |id| self.by_id.get(normalised_id(id, MAIN).as_ref()).copied().unwrap_or(0));
        let own = self.agent(agent);
        let (global_provider, agent_provider) = match facts.model {
            Some((provider, model)) => {
                let (provider, full) = full_model(provider, model);
                let agent = own.and_then(|own| hit(&own.by_provider, &provider, &full));
                (hit(&self.by_provider, &provider, &full), agent)
            }
            None => own.map_or((None, None), |own| (own.global_provider, own.agent_provider)),
        };
        Scope {
            agent,
            global_provider,
            agent_provider,
            group: key.group.and_then(|group| self.group(group, facts, rules)),
            is_subagent: key.is_subagent,
            is_owner: facts.is_owner,
        }
    }

    /// The policy of a session's group. The key says which channel that is; the header's channel is asked only if the
    /// key's has nothing to say, so that no header lifts a restriction.
    fn group(&self, key: GroupKey<'_>, facts: &SessionFacts<'_>, rules: &ChainRules) -> Option<StepIndex> {
        if self.channels.is_empty() {
            return None;
        }
        let found = self.group_of(&lower(key.channel), key, facts);
        if found.is_some() {
            return found;
        }
        let named = lower(facts.channel?.trim());
        self.group_of(rules.channel_aliases.get(named.as_ref()).map_or(&named, String::as_str), key, facts)
    }

    fn group_of(&self, channel: &str, key: GroupKey<'_>, facts: &SessionFacts<'_>) -> Option<StepIndex> {
        let steps = self.channels.get(channel)?;
        let account = if steps.accounts.is_empty() {
            None
        } else {
            steps.accounts.get(normalised_id(facts.account.unwrap_or_default(), DEFAULT_ACCOUNT).as_ref())
        };
        let id = key.id();
        let id = if steps.id_ends_at_colon { id.split(':').next().unwrap_or(&id) } else { id.as_ref() };
        let entries = account.and_then(|own| own.entries.as_ref()).or(steps.own.entries.as_ref());
        let entry = entries.and_then(|map| map.get(id).or_else(|| map.get("*")));
        let guild = account.and_then(|own| own.guild.as_ref()).or(steps.own.guild.as_ref());
        let in_guild = |(guild, channels): &(GroupSteps, HashMap<String, GroupSteps>)| {
            let channel = channels.get(id).and_then(|group| group.find(&facts.sender));
            channel.or_else(|| guild.find(&facts.sender))
        };
        let groups = account.and_then(|own| own.groups.as_ref()).or(steps.own.groups.as_ref());
        let generic = || {
            let find = |id: &str| groups.and_then(|map| map.get(id)).and_then(|group| group.find(&facts.sender));
            find(id).or_else(|| find("*"))
        };
        entry.and_then(|group| group.find(&facts.sender)).or_else(|| guild.and_then(in_guild)).or_else(generic)
    }

    fn agent(&self, index: u32) -> Option<&AgentSteps> {
        self.agents.get(usize::try_from(index).ok()?)
    }

    pub(super) fn step(&self, index: StepIndex) -> Option<&Step> {
        self.steps.get(usize::try_from(index.0).ok()?)
    }

    fn provider(&self, index: Option<u32>) -> Option<ProviderSteps> {
        self.providers.get(usize::try_from(index?).ok()?).copied()
    }

    /// The steps that belong to an agent and its model.
    pub(super) fn own_steps(&self, scope: &Scope) -> [Option<StepIndex>; 5] {
        let agent = self.agent(scope.agent);
        let (global, own) = (self.provider(scope.global_provider), self.provider(scope.agent_provider));
        let profile = if own.is_some_and(|own| own.has_profile) { own } else { global };
        [
            agent.and_then(|agent| agent.profile),
            profile.and_then(|provider| provider.profile),
            global.map(|provider| provider.lists),
            agent.and_then(|agent| agent.lists),
            own.map(|provider| provider.lists),
        ]
    }

    /// The steps that belong to no agent and to no group.
    pub(super) fn common_steps(&self, is_subagent: bool, is_owner: bool) -> [Option<StepIndex>; 4] {
        let subagent = is_subagent.then_some(self.subagent);
        [Some(self.global), subagent, self.owner.filter(|_| !is_owner), Some(self.http)]
    }

    /// The scope has its agent's own model.
    pub(super) fn is_own_model(&self, scope: &Scope) -> bool {
        self.agent(scope.agent).is_some_and(|agent| {
            (agent.global_provider, agent.agent_provider) == (scope.global_provider, scope.agent_provider)
        })
    }

    /// The steps that apply to a scope, in the order of the chain.
    pub(super) fn steps_of(&self, scope: &Scope) -> impl Iterator<Item = StepIndex> + use<> {
        let [profile, provider_profile, global_provider, agent, agent_provider] = self.own_steps(scope);
        let [global, subagent, owner, http] = self.common_steps(scope.is_subagent, scope.is_owner);
        [profile, provider_profile, global, global_provider, agent, agent_provider, scope.group, subagent, owner, http]
            .into_iter()
            .flatten()
    }
}

impl GroupSteps {
    /// Identifier, telephone number, name for mentions, name to show, anybody: the first that is there counts.
    fn find(&self, sender: &SenderFacts<'_>) -> Option<StepIndex> {
        if self.by_sender.is_empty() {
            return self.tools;
        }
        let normal = |text: Option<&str>| text.map(|text| text.trim().to_lowercase());
        let username = normal(sender.username).map(|name| name.strip_prefix('@').unwrap_or(&name).to_owned());
        let tried = [
            normal(sender.id).map(Sender::Id),
            normal(sender.e164).map(Sender::E164),
            username.map(Sender::Username),
            normal(sender.name).map(Sender::Name),
            Some(Sender::Anybody),
        ];
        tried.iter().flatten().find_map(|sender| self.by_sender.get(sender).copied()).or(self.tools)
    }
}

fn lower(text: &str) -> Cow<'_, str> {
    let is_lower = text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    if is_lower { Cow::Borrowed(text) } else { Cow::Owned(text.to_lowercase()) }
}

/// `provider/model` if there is an entry for it, else `provider`.
fn hit(entries: &HashMap<String, u32>, provider: &str, full: &str) -> Option<u32> {
    if provider.is_empty() {
        return None;
    }
    entries.get(full).or_else(|| entries.get(provider)).copied()
}

/// A model whose identifier has a slash is its own full name.
fn full_model(provider: &str, model: &str) -> (String, String) {
    let (provider, model) = (provider.trim().to_lowercase(), model.trim().to_lowercase());
    let full = if model.contains('/') { model } else { format!("{provider}/{model}") };
    (provider, full)
}
