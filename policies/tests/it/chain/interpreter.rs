//! The chain, interpreted plainly: raw JSON in, yes or no out. Nothing is compiled, resolved or sliced, and nothing of
//! `engine` is used, so that a mistake in there is not repeated here.

mod keys;
mod names;
mod rule;

use serde_json::Value;

use self::{keys::id_of, names::strings};
pub(crate) use self::{names::path_of, rule::Rule};

/// One request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    pub key: String,
    pub channel: Option<String>,
    pub account: Option<String>,
    /// Identifier, telephone number, name for mentions, name to show.
    pub sender: [Option<String>; 4],
    pub model: Option<(String, String)>,
    pub is_owner: bool,
}

/// A tool: its namespace and its name.
pub(crate) type Tool = (Option<String>, String);

/// The steps, in their order.
pub(crate) const STEPS: [&str; 10] = [
    "profile",
    "provider's profile",
    "global",
    "global byProvider",
    "agent",
    "agent's byProvider",
    "group",
    "subagent",
    "owner",
    "http",
];

pub(crate) struct Interpreter<'a> {
    pub dialect: &'a Value,
    pub document: &'a Value,
    pub catalog: &'a [Tool],
    /// A rule that it does not know.
    pub forgotten: Option<Rule>,
}

impl Interpreter<'_> {
    fn rule(&self, key: &str) -> &Value {
        &self.dialect["chain"][key]
    }

    fn flag(&self, key: &str, default: bool) -> bool {
        self.rule(key).as_bool().unwrap_or(default)
    }

    fn knows(&self, rule: Rule) -> bool {
        self.forgotten != Some(rule)
    }

    fn has_also_allow(&self, rule: Rule) -> bool {
        self.flag("also_allow", true) && self.knows(rule)
    }

    /// Whether the dialect has a step at all.
    pub(crate) fn has_step(&self, step: usize) -> bool {
        STEPS[step] != "owner" || self.rule("owner_only").is_array()
    }

    /// One step with `allow` and `deny`, of entries that are not blank.
    fn passes(&self, allow: Option<&[String]>, deny: &[String], tool: &Tool, can_drop: bool) -> bool {
        let drops = can_drop && self.flag("drops_plugin_only_allow", false) && self.knows(Rule::PluginOnlyAllow);
        let is_open = allow.is_none_or(|allow| match allow {
            [] => self.knows(Rule::EmptyAllow),
            entries => drops && !entries.iter().any(|entry| self.is_core(entry)),
        });
        let is_allowed = !is_open && allow.is_some_and(|allow| self.allows(allow, tool));
        let is_denied = deny.iter().any(|entry| self.means(entry, tool, true));
        (is_open || is_allowed) && !(is_denied && (self.knows(Rule::DenyBeatsAllow) || !is_allowed))
    }

    /// The allow list of an object, with `alsoAllow` where there is something to add to.
    fn allow_list(&self, policy: &Value) -> Option<Vec<String>> {
        let mut allow = policy["allow"].is_array().then(|| self.entries(&policy["allow"]))?;
        if !allow.is_empty() && self.has_also_allow(Rule::AlsoAllow) {
            allow.extend(self.entries(&policy["alsoAllow"]));
        }
        Some(allow)
    }

    fn policy(&self, policy: &Value, tool: &Tool) -> bool {
        self.passes(self.allow_list(policy).as_deref(), &self.entries(&policy["deny"]), tool, true)
    }

    fn profile(&self, name: &Value, extra: &Value, tool: &Tool) -> bool {
        let Some(list) = name.as_str().map(|name| &self.rule("profiles")[name]).filter(|list| list.is_array()) else {
            return true;
        };
        let mut allow = self.entries(list);
        if self.has_also_allow(Rule::ProfileExtra) {
            allow.extend(self.entries(extra));
        }
        let passes_plugins = self.flag("profiles_pass_plugins", false) && self.knows(Rule::ProfilesPassPlugins);
        tool.0.is_some() && passes_plugins || self.passes(Some(&allow), &[], tool, true)
    }

    /// The entry of `byProvider` for a session's model, or null.
    fn hit<'v>(&self, tools: &'v Value, asked: &Asked, agent: &Value) -> &'v Value {
        let of = |value: &Value, rule: Rule| {
            let text = value.as_str().or(value["primary"].as_str()).map(|text| text.trim().to_lowercase());
            text.filter(|text| text.contains('/') && self.knows(rule))
        };
        let (provider, full) = if let Some((provider, model)) = &asked.model {
            let (provider, model) = (provider.trim().to_lowercase(), model.trim().to_lowercase());
            let full = if model.contains('/') { model } else { format!("{provider}/{model}") };
            (provider, full)
        } else {
            let own = of(&agent["model"], Rule::ModelOfAgent);
            let default = || of(&self.document["agents"]["defaults"]["model"], Rule::DefaultModel);
            let Some(full) = own.or_else(default) else { return &Value::Null };
            (full.split('/').next().unwrap().to_owned(), full)
        };
        if provider.is_empty() {
            return &Value::Null;
        }
        let find = |wanted: &str, rule: Rule| {
            let members = tools["byProvider"].as_object().into_iter().flatten().filter(|_| self.knows(rule));
            // of two keys that mean the same the last one counts
            members.filter(|(key, _)| key.trim().to_lowercase() == wanted).last().map(|(_, value)| value)
        };
        find(&full, Rule::FullModel).or_else(|| find(&provider, Rule::Provider)).unwrap_or(&Value::Null)
    }

    fn group_policy<'v>(&self, group: &'v Value, asked: &Asked) -> Option<&'v Value> {
        let senders = group["toolsBySender"].as_object().filter(|_| self.flag("tools_by_sender", true));
        let kinds = ["id", "e164", "username", "name"];
        let find = |kind: &str, value: &str| {
            let is_meant = |key: &str| {
                let key = key.trim().to_lowercase();
                if key == "*" {
                    return kind == "*";
                }
                let typed = kinds.iter().find_map(|kind| Some((*kind, key.strip_prefix(&format!("{kind}:"))?)));
                let (own_kind, own) = typed.unwrap_or(("id", &key));
                let own = own.trim();
                let own = if own_kind == "username" { own.strip_prefix('@').unwrap_or(own) } else { own };
                own_kind == kind && own == value
            };
            senders.into_iter().flatten().find(|(key, _)| is_meant(key)).map(|(_, policy)| policy)
        };
        for (kind, value) in kinds.iter().zip(&asked.sender).filter(|_| self.knows(Rule::TypedSenders)) {
            let Some(value) = value else { continue };
            let value = value.trim().to_lowercase();
            let value = if *kind == "username" { value.strip_prefix('@').unwrap_or(&value) } else { &value };
            if let Some(policy) = find(kind, value) {
                return Some(policy);
            }
        }
        find("*", "").filter(|_| self.knows(Rule::AnySender)).or(group.get("tools"))
    }

    fn channel_policy(&self, channel: &str, id: &str, asked: &Asked) -> Option<&Value> {
        let channels = self.document["channels"].as_object()?;
        let own = channels.iter().find(|(name, _)| name.trim().to_lowercase() == channel)?.1;
        let account_id = id_of(asked.account.as_deref().unwrap_or(""), "default");
        let accounts = own["accounts"].as_object().into_iter().flatten().filter(|_| self.knows(Rule::Accounts));
        let account =
            accounts.filter(|(name, _)| name.trim().to_lowercase() == account_id).last().map(|(_, account)| account);
        let map = |key: &str| account.and_then(|account| account.get(key)).or(own.get(key)).unwrap_or(&Value::Null);
        let lookup = &self.rule("channels")[channel];
        let ends_at_colon = lookup["id_ends_at_colon"] == true && self.knows(Rule::IdEndsAtColon);
        let id = if ends_at_colon { id.split(':').next().unwrap() } else { id };
        if let Some(key) = lookup["entries"].as_str().filter(|_| self.knows(Rule::OwnEntries)) {
            let for_all = map(key).get("*").filter(|_| self.knows(Rule::GroupForAll));
            let entry = map(key).get(id).or(for_all);
            if let Some(policy) = entry.and_then(|entry| self.group_policy(entry, asked)) {
                return Some(policy);
            }
        }
        if let Some(key) = lookup["guilds"].as_str().filter(|_| self.knows(Rule::Guilds)) {
            // an account whose guilds say nothing for all of them leaves the channel's in force
            let all = account.and_then(|account| account[key].get("*")).or(own[key].get("*")).unwrap_or(&Value::Null);
            let channel = all["channels"].get(id).and_then(|channel| self.group_policy(channel, asked));
            if let Some(policy) = channel.or_else(|| self.group_policy(all, asked)) {
                return Some(policy);
            }
        }
        let groups = map("groups");
        let find = |id: &str| groups.get(id).and_then(|group| self.group_policy(group, asked));
        find(id).or_else(|| find("*").filter(|_| self.knows(Rule::GroupForAll)))
    }

    /// The policy of a session's group. The header's channel counts only where the key's has nothing to say.
    fn policy_of_group(&self, asked: &Asked) -> Option<&Value> {
        let (channel, id) = self.group_key(&asked.key)?;
        let by_header = || {
            let named = asked.channel.as_ref().filter(|_| self.knows(Rule::HeaderChannel))?.trim().to_lowercase();
            let named = self.rule("channel_aliases")[&named].as_str().map_or(named, str::to_owned);
            self.channel_policy(&named, &id, asked)
        };
        self.channel_policy(&channel, &id, asked).or_else(by_header)
    }

    fn subagent(&self, tool: &Tool) -> bool {
        let own = &self.document["tools"]["subagents"]["tools"];
        let rules = self.rule("subagents");
        let mut named = self.entries(&own["allow"]);
        if self.has_also_allow(Rule::AlsoAllow) {
            named.extend(self.entries(&own["alsoAllow"]));
        }
        let depth = self.document["agents"]["defaults"]["subagents"]["maxSpawnDepth"].as_f64().unwrap_or(1.0).floor();
        let mut deny = strings(&rules["deny"]);
        // over HTTP a subagent is always of the first depth
        if depth <= 1.0 || !self.knows(Rule::SpawnDepth) {
            deny.extend(strings(&rules["deny_leaf"]));
        }
        let frees = rules["reenabled_by_allow"].as_bool().unwrap_or(true) && self.knows(Rule::Reenabled);
        deny.retain(|name| !frees || !named.contains(name));
        let mut deny: Vec<String> = deny.iter().map(|name| self.normal(name)).collect();
        deny.extend(self.entries(&own["deny"]));
        self.passes(self.allow_list(own).as_deref(), &deny, tool, false)
    }

    fn http(&self, tool: &Tool) -> bool {
        let own = &self.document["gateway"]["tools"];
        let frees = self.knows(Rule::Freed);
        let defaults = strings(self.rule("http_deny"));
        if self.rule("http_deny_match") == "normalised" {
            let freed = self.entries(&own["allow"]);
            let defaults = defaults.iter().map(|name| self.normal(name));
            let deny = defaults.filter(|name| !frees || !freed.contains(name)).chain(self.entries(&own["deny"]));
            let is_meant =
                |entry: &String| *entry == self.plain(tool) || tool.0.is_some() && self.means(entry, tool, true);
            return !deny.collect::<Vec<_>>().iter().any(is_meant);
        }
        let freed = strings(&own["allow"]);
        let deny = defaults.into_iter().filter(|name| !frees || !freed.contains(name)).chain(strings(&own["deny"]));
        !deny.into_iter().any(|name| name == tool.1 || name == path_of(tool))
    }

    /// Which steps a tool passes.
    pub(crate) fn steps(&self, asked: &Asked, tool: &Tool) -> [bool; STEPS.len()] {
        let tools = &self.document["tools"];
        let agent = self.agent(asked);
        let own = &agent["tools"];
        let (global_hit, own_hit) = (self.hit(tools, asked, agent), self.hit(own, asked, agent));
        let or = |first: &Value, second: &Value, rule: Rule| {
            if first.is_null() || !self.knows(rule) { second.clone() } else { first.clone() }
        };
        let profile = or(&own["profile"], &tools["profile"], Rule::OwnProfile);
        let extra = or(&own["alsoAllow"], &tools["alsoAllow"], Rule::OwnProfileExtra);
        let has_own = own_hit["profile"].is_string() && self.knows(Rule::OwnProviderProfile);
        let entry = if has_own { own_hit } else { global_hit };
        let owners = strings(self.rule("owner_only")).iter().any(|name| self.means(&self.normal(name), tool, true));
        [
            self.profile(&profile, &extra, tool),
            self.profile(&entry["profile"], &entry["alsoAllow"], tool),
            self.policy(tools, tool),
            self.policy(global_hit, tool),
            self.policy(own, tool),
            self.policy(own_hit, tool),
            self.policy_of_group(asked).is_none_or(|group| self.policy(group, tool)),
            !self.is_subagent(asked) || self.subagent(tool),
            asked.is_owner || !owners,
            self.http(tool),
        ]
    }

    /// Whether a session may call what it asks for.
    pub(crate) fn is_available(&self, asked: &Asked, requested: &str) -> bool {
        self.find(requested).is_some_and(|tool| self.steps(asked, tool).iter().all(|passes| *passes))
    }
}
