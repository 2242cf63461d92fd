//! The rules of the chain one by one, so that a run can say which of them its questions depend on.

use super::Interpreter;

/// A rule that an interpreter can forget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rule {
    /// Names are compared trimmed and in lower case.
    AnyCase,
    Aliases,
    Patterns,
    Groups,
    PluginIds,
    AllPlugins,
    /// `namespace/name` in lists.
    Paths,
    /// A plain name that two tools have is nobody's to allow.
    Contested,
    /// `exec` brings `apply_patch`, and the like.
    Implied,
    DenyBeatsAllow,
    /// An empty allow list restricts nothing.
    EmptyAllow,
    /// Allow lists of plugins alone are dropped.
    PluginOnlyAllow,
    ProfilesPassPlugins,
    AlsoAllow,
    /// `alsoAllow` widens a profile.
    ProfileExtra,
    /// An agent's `alsoAllow` takes the place of everybody's at the profile.
    OwnProfileExtra,
    OwnProfile,
    OwnProviderProfile,
    /// `byProvider` with `provider/model`.
    FullModel,
    /// `byProvider` with `provider`.
    Provider,
    ModelOfAgent,
    DefaultModel,
    /// A key without an agent belongs to the default agent.
    DefaultAgent,
    /// The word `agent` in any case.
    AgentInAnyCase,
    /// `:thread:` and `:topic:` end a key.
    ThreadMarks,
    /// `accounts` of a channel.
    Accounts,
    GroupForAll,
    /// The channel's own map of groups.
    OwnEntries,
    Guilds,
    IdEndsAtColon,
    TypedSenders,
    AnySender,
    /// The header's channel, where the key's has nothing to say.
    HeaderChannel,
    /// Subagents may start subagents.
    SpawnDepth,
    /// `tools.subagents.tools.allow` takes names out of what subagents may not use.
    Reenabled,
    /// `gateway.tools.allow` takes names out of what is denied over HTTP.
    Freed,
}

impl Rule {
    const ALL: [Self; 36] = [
        Self::AnyCase,
        Self::Aliases,
        Self::Patterns,
        Self::Groups,
        Self::PluginIds,
        Self::AllPlugins,
        Self::Paths,
        Self::Contested,
        Self::Implied,
        Self::DenyBeatsAllow,
        Self::EmptyAllow,
        Self::PluginOnlyAllow,
        Self::ProfilesPassPlugins,
        Self::AlsoAllow,
        Self::ProfileExtra,
        Self::OwnProfileExtra,
        Self::OwnProfile,
        Self::OwnProviderProfile,
        Self::FullModel,
        Self::Provider,
        Self::ModelOfAgent,
        Self::DefaultModel,
        Self::DefaultAgent,
        Self::AgentInAnyCase,
        Self::ThreadMarks,
        Self::Accounts,
        Self::GroupForAll,
        Self::OwnEntries,
        Self::Guilds,
        Self::IdEndsAtColon,
        Self::TypedSenders,
        Self::AnySender,
        Self::HeaderChannel,
        Self::SpawnDepth,
        Self::Reenabled,
        Self::Freed,
    ];

    /// The rules that the dialect has.
    pub(crate) fn of(interpreter: &Interpreter<'_>) -> Vec<Self> {
        let is_there = |rule: &Self| match rule {
            Self::AlsoAllow | Self::ProfileExtra | Self::OwnProfileExtra => interpreter.flag("also_allow", true),
            Self::TypedSenders | Self::AnySender => interpreter.flag("tools_by_sender", true),
            Self::PluginOnlyAllow => interpreter.flag("drops_plugin_only_allow", false),
            Self::ProfilesPassPlugins => interpreter.flag("profiles_pass_plugins", false),
            Self::DefaultAgent => interpreter.flag("keyless_is_default_agent", false),
            Self::AgentInAnyCase => interpreter.flag("agent_prefix_any_case", true),
            Self::SpawnDepth => interpreter.rule("subagents")["deny_leaf"] != serde_json::json!([]),
            Self::Reenabled => interpreter.rule("subagents")["reenabled_by_allow"] != false,
            Self::Freed => interpreter.rule("http_deny") != &serde_json::json!([]),
            _ => true,
        };
        Self::ALL.into_iter().filter(is_there).collect()
    }
}
