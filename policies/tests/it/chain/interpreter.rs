//! The chain, interpreted plainly: raw JSON in, yes or no out. Nothing is compiled, resolved or sliced, and nothing of
//! `engine::policy` is used, so that a mistake in there is not repeated here.

use serde_json::Value;

/// One request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    pub key: String,
    pub channel: Option<String>,
    pub account: Option<String>,
    pub sender: [Option<String>; 4],
    pub model: Option<(String, String)>,
    pub is_owner: bool,
}

/// A tool: its namespace and its name.
pub(crate) type Tool = (Option<String>, String);

pub(crate) struct Interpreter<'a> {
    pub dialect: &'a Value,
    pub document: &'a Value,
    pub catalog: &'a [Tool],
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// `*` by trying every split.
pub(crate) fn globs(pattern: &[char], text: &[char]) -> bool {
    // reachable[i]: the pattern so far can have eaten i characters
    let mut reachable: Vec<bool> = (0..=text.len()).map(|eaten| eaten == 0).collect();
    for wanted in pattern {
        let before = reachable.clone();
        for eaten in 0..=text.len() {
            reachable[eaten] = if *wanted == '*' {
                before[..=eaten].iter().any(|was| *was)
            } else {
                eaten > 0 && before[eaten - 1] && text[eaten - 1] == *wanted
            };
        }
    }
    reachable[text.len()]
}

fn id_of(text: &str, fallback: &str) -> String {
    let mut out = String::new();
    let lower = text.trim().to_lowercase();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    let is_valid = lower.len() <= 64
        && lower.chars().all(plain)
        && lower.chars().next().is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    if is_valid {
        return lower;
    }
    for c in lower.chars() {
        if plain(c) {
            out.push(c);
        } else if !out.ends_with('-') {
            out.push('-');
        }
    }
    let out: String = out.trim_matches('-').chars().take(64).collect();
    if out.is_empty() { fallback.to_owned() } else { out }
}

impl Interpreter<'_> {
    fn rule(&self, key: &str) -> &Value {
        &self.dialect["chain"][key]
    }

    fn flag(&self, key: &str, default: bool) -> bool {
        self.rule(key).as_bool().unwrap_or(default)
    }

    fn normal(&self, text: &str) -> String {
        let text = text.trim().to_lowercase();
        self.rule("aliases")[&text].as_str().map_or(text, str::to_owned)
    }

    fn entries(&self, value: &Value) -> Vec<String> {
        strings(value).iter().map(|text| self.normal(text)).filter(|text| !text.is_empty()).collect()
    }

    fn plain(&self, tool: &Tool) -> String {
        self.normal(&tool.1)
    }

    /// Whether a caller reaches the tool without its namespace.
    fn owns(&self, tool: &Tool) -> bool {
        let same =
            |core: bool| self.catalog.iter().filter(|other| other.1 == tool.1 && other.0.is_none() == core).count();
        tool.0.is_none() || same(true) == 0 && same(false) == 1
    }

    fn entry_means(&self, entry: &str, tool: &Tool, is_deny: bool) -> bool {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        let plain = self.plain(tool);
        let named = |entry: &str| {
            if entry.contains('/') {
                let path = tool.0.as_ref().map(|space| format!("{}/{plain}", self.normal(space)));
                path.is_some_and(|path| globs(&chars(entry), &chars(&path)))
            } else {
                (is_deny || self.owns(tool)) && globs(&chars(entry), &chars(&plain))
            }
        };
        if entry.chars().all(|c| c == '*') {
            return true;
        }
        if entry.contains('*') {
            return named(entry);
        }
        if entry == "group:plugins" {
            return tool.0.is_some();
        }
        if self.rule("groups")[entry].is_array() {
            return strings(&self.rule("groups")[entry]).iter().any(|member| named(&self.normal(member)));
        }
        tool.0.as_ref().is_some_and(|space| self.normal(space) == entry) || named(entry)
    }

    /// Whether an allow list lets a tool through.
    fn allows(&self, list: &[String], tool: &Tool) -> bool {
        if list.iter().any(|entry| self.entry_means(entry, tool, false)) {
            return true;
        }
        let by = self.rule("implied")[self.plain(tool)].as_str().map(str::to_owned);
        by.is_some_and(|by| {
            let exec: Tool = (None, by);
            self.owns(tool)
                && list.iter().any(|entry| {
                    let members = &self.rule("groups")[entry];
                    if members.is_array() {
                        return strings(members).iter().any(|member| self.normal(member) == self.normal(&exec.1));
                    }
                    globs(&entry.chars().collect::<Vec<_>>(), &exec.1.chars().collect::<Vec<_>>())
                })
        })
    }

    fn is_core_entry(&self, entry: &str) -> bool {
        let there = |tool: &Tool| tool.0.is_none() && self.entry_means(entry, tool, false);
        entry == "*" || !entry.contains('*') && entry != "group:plugins" && self.catalog.iter().any(there)
    }

    /// One step with `allow` and `deny`; lists are effective ones.
    fn passes(&self, allow: &[String], deny: &[String], tool: &Tool, can_drop: bool) -> bool {
        let is_dropped = can_drop
            && self.flag("drops_plugin_only_allow", false)
            && !allow.iter().any(|entry| self.is_core_entry(entry));
        let allowed = allow.is_empty() || is_dropped || self.allows(allow, tool);
        allowed && !deny.iter().any(|entry| self.entry_means(entry, tool, true))
    }

    fn policy(&self, policy: &Value, tool: &Tool) -> bool {
        let mut allow = self.entries(&policy["allow"]);
        if !allow.is_empty() && self.flag("also_allow", true) {
            allow.extend(self.entries(&policy["alsoAllow"]));
        }
        self.passes(&allow, &self.entries(&policy["deny"]), tool, true)
    }

    fn profile(&self, name: &Value, extra: &Value, tool: &Tool) -> bool {
        let Some(list) = name.as_str().map(|name| &self.rule("profiles")[name]).filter(|list| list.is_array()) else {
            return true;
        };
        let mut allow = self.entries(list);
        if self.flag("also_allow", true) {
            allow.extend(self.entries(extra));
        }
        tool.0.is_some() && self.flag("profiles_pass_plugins", false) || self.passes(&allow, &[], tool, true)
    }

    fn parts(key: &str) -> Vec<&str> {
        key.split(':').filter(|part| !part.is_empty()).collect()
    }

    fn is_agent(&self, word: &str) -> bool {
        if self.flag("agent_prefix_any_case", true) { word.to_ascii_lowercase() == "agent" } else { word == "agent" }
    }

    fn agent(&self, asked: &Asked) -> &Value {
        let parts = Self::parts(asked.key.trim());
        let list = self.document["agents"]["list"].as_array().map_or(&[] as &[Value], Vec::as_slice);
        let id = |agent: &Value| id_of(agent["id"].as_str().unwrap_or(""), "main");
        let default = list.iter().find(|agent| agent["default"] == true).or(list.first()).map_or("main".to_owned(), id);
        let own = if parts.len() >= 3 && self.is_agent(parts[0]) {
            id_of(parts[1], "main")
        } else if self.flag("keyless_is_default_agent", false) {
            default
        } else {
            "main".to_owned()
        };
        list.iter().find(|agent| id(agent) == own).unwrap_or(&Value::Null)
    }

    fn is_subagent(&self, asked: &Asked) -> bool {
        let key = asked.key.trim();
        let parts = Self::parts(key);
        let starts = |text: &str| text.to_lowercase().starts_with("subagent:");
        starts(key)
            || parts.len() >= 3 && self.is_agent(parts[0]) && {
                // what follows the agent, with the empty parts in front of it dropped
                let mut rest = key;
                for part in &parts[..2] {
                    let at = rest.find(part).unwrap() + part.len();
                    rest = &rest[at..];
                }
                starts(rest.trim_start_matches(':'))
            }
    }

    fn hit<'v>(&self, tools: &'v Value, asked: &Asked, agent: &Value) -> &'v Value {
        let of = |value: &Value| value.as_str().or(value["primary"].as_str()).map(|text| text.trim().to_lowercase());
        let (provider, full) = match &asked.model {
            Some((provider, model)) => {
                let (provider, model) = (provider.trim().to_lowercase(), model.trim().to_lowercase());
                let full = if model.contains('/') { model } else { format!("{provider}/{model}") };
                (provider, full)
            }
            None => {
                let usable = |text: &String| text.contains('/');
                let text = of(&agent["model"])
                    .filter(usable)
                    .or(of(&self.document["agents"]["defaults"]["model"]).filter(usable));
                let Some(full) = text else { return &Value::Null };
                (full.split('/').next().unwrap().to_owned(), full)
            }
        };
        if provider.is_empty() {
            return &Value::Null;
        }
        let last = |wanted: &str| {
            let members = tools["byProvider"].as_object().into_iter().flatten();
            members.filter(|(key, _)| key.trim().to_lowercase() == wanted).last().map(|(_, value)| value)
        };
        last(&full).or_else(|| last(&provider)).unwrap_or(&Value::Null)
    }

    /// Channel and identifier of the group that a key names.
    fn group_key(&self, key: &str) -> Option<(String, String)> {
        let mut key = key.trim();
        let lower: String = key.chars().map(|c| c.to_ascii_lowercase()).collect();
        let marks = strings(self.rule("thread_marks"));
        let at = marks.iter().filter_map(|mark| lower.rfind(&format!(":{mark}:"))).max();
        if let Some(at) = at.filter(|at| *at > 0) {
            key = key[..at].trim();
        }
        let mut parts = Self::parts(key);
        if parts.first().is_some_and(|word| self.is_agent(word)) {
            parts = parts.into_iter().skip(2).collect();
        }
        if parts.first() == Some(&"subagent") {
            parts.remove(0);
        }
        let is_group = parts.len() >= 3 && (parts[1] == "group" || parts[1] == "channel");
        let id = is_group.then(|| parts[2..].join(":").trim().to_owned()).filter(|id| !id.is_empty())?;
        Some((parts[0].trim().to_lowercase(), id))
    }

    fn group_policy<'v>(&self, group: &'v Value, asked: &Asked) -> Option<&'v Value> {
        let senders = group["toolsBySender"].as_object().filter(|_| self.flag("tools_by_sender", true));
        let kinds = ["id", "e164", "username", "name"];
        let find = |kind: &str, value: &str| {
            senders.into_iter().flatten().find(|(key, _)| {
                let key = key.trim().to_lowercase();
                let typed = kinds.iter().find_map(|kind| Some((*kind, key.strip_prefix(&format!("{kind}:"))?)));
                let (own_kind, own) = typed.unwrap_or(("id", &key));
                if key == "*" {
                    return kind == "*";
                }
                let own = own.trim();
                let own = if own_kind == "username" { own.strip_prefix('@').unwrap_or(own) } else { own };
                own_kind == kind && own == value
            })
        };
        for (kind, value) in kinds.iter().zip(&asked.sender) {
            let Some(value) = value else { continue };
            let value = value.trim().to_lowercase();
            let value = if *kind == "username" { value.strip_prefix('@').unwrap_or(&value) } else { &value };
            if let Some((_, policy)) = find(kind, value) {
                return Some(policy);
            }
        }
        find("*", "").map(|(_, policy)| policy).or(group.get("tools"))
    }

    fn channel_policy(&self, channel: &str, id: &str, asked: &Asked) -> Option<&Value> {
        let channels = self.document["channels"].as_object()?;
        let own = channels.iter().find(|(name, _)| name.trim().to_lowercase() == channel)?.1;
        let account_id = id_of(asked.account.as_deref().unwrap_or(""), "default");
        let accounts = own["accounts"].as_object().into_iter().flatten();
        let account =
            accounts.filter(|(name, _)| name.trim().to_lowercase() == account_id).last().map(|(_, account)| account);
        let map = |key: &str| account.and_then(|account| account.get(key)).or(own.get(key)).unwrap_or(&Value::Null);
        let lookup = &self.rule("channels")[channel];
        let id = if lookup["id_ends_at_colon"] == true { id.split(':').next().unwrap() } else { id };
        if let Some(key) = lookup["entries"].as_str() {
            let entry = map(key).get(id).or(map(key).get("*"));
            if let Some(policy) = entry.and_then(|entry| self.group_policy(entry, asked)) {
                return Some(policy);
            }
        }
        if let Some(key) = lookup["guilds"].as_str() {
            // an account whose guilds say nothing for all of them leaves the channel's in force
            let all = account.and_then(|account| account[key].get("*")).or(own[key].get("*")).unwrap_or(&Value::Null);
            let channel = all["channels"].get(id).and_then(|channel| self.group_policy(channel, asked));
            if let Some(policy) = channel.or_else(|| self.group_policy(all, asked)) {
                return Some(policy);
            }
        }
        let groups = map("groups");
        let find = |id: &str| groups.get(id).and_then(|group| self.group_policy(group, asked));
        find(id).or_else(|| find("*"))
    }

    fn subagent(&self, tool: &Tool) -> bool {
        let own = &self.document["tools"]["subagents"]["tools"];
        let rules = self.rule("subagents");
        let also = if self.flag("also_allow", true) { self.entries(&own["alsoAllow"]) } else { Vec::new() };
        let mut allow = self.entries(&own["allow"]);
        let named: Vec<String> = allow.iter().chain(&also).cloned().collect();
        let depth = self.document["agents"]["defaults"]["subagents"]["maxSpawnDepth"].as_f64().unwrap_or(1.0).floor();
        let mut deny = strings(&rules["deny"]);
        if depth <= 1.0 {
            deny.extend(strings(&rules["deny_leaf"]));
        }
        let frees = rules["reenabled_by_allow"].as_bool().unwrap_or(true);
        deny.retain(|name| !frees || !named.contains(name));
        let mut deny: Vec<String> = deny.iter().map(|name| self.normal(name)).collect();
        deny.extend(self.entries(&own["deny"]));
        if !allow.is_empty() {
            allow.extend(also);
        }
        self.passes(&allow, &deny, tool, false)
    }

    fn http(&self, tool: &Tool) -> bool {
        let own = &self.document["gateway"]["tools"];
        let path = tool.0.as_ref().map_or(tool.1.clone(), |space| format!("{space}/{}", tool.1));
        let defaults = strings(self.rule("http_deny"));
        if self.rule("http_deny_match") == "normalised" {
            let freed = self.entries(&own["allow"]);
            let kept = defaults.iter().map(|name| self.normal(name)).filter(|name| !freed.contains(name));
            let deny: Vec<String> = kept.chain(self.entries(&own["deny"])).collect();
            let is_meant =
                |entry: &String| *entry == self.plain(tool) || tool.0.is_some() && self.entry_means(entry, tool, true);
            return !deny.iter().any(is_meant);
        }
        let freed = strings(&own["allow"]);
        let deny = defaults.into_iter().filter(|name| !freed.contains(name)).chain(strings(&own["deny"]));
        !deny.into_iter().any(|name| name == tool.1 || name == path)
    }

    /// Whether a session may call a tool; and how each step took part, by its number.
    pub(crate) fn steps(&self, asked: &Asked, tool: &Tool) -> Vec<(usize, bool)> {
        let tools = &self.document["tools"];
        let agent = self.agent(asked);
        let own = &agent["tools"];
        let (global_hit, own_hit) = (self.hit(tools, asked, agent), self.hit(own, asked, agent));
        let or = |first: &Value, second: &Value| if first.is_null() { second.clone() } else { first.clone() };
        let entry = if own_hit["profile"].is_string() { own_hit } else { global_hit };
        let group = self.group_key(&asked.key).and_then(|(channel, id)| {
            self.channel_policy(&channel, &id, asked).or_else(|| {
                let named = asked.channel.as_ref()?.trim().to_lowercase();
                let named = self.rule("channel_aliases")[&named].as_str().map_or(named, str::to_owned);
                self.channel_policy(&named, &id, asked)
            })
        });
        let owners = strings(self.rule("owner_only")).iter().any(|name| self.normal(name) == self.plain(tool));
        vec![
            (
                0,
                self.profile(
                    &or(&own["profile"], &tools["profile"]),
                    &or(&own["alsoAllow"], &tools["alsoAllow"]),
                    tool,
                ),
            ),
            (1, self.profile(&entry["profile"], &entry["alsoAllow"], tool)),
            (2, self.policy(tools, tool)),
            (3, self.policy(global_hit, tool)),
            (4, self.policy(own, tool)),
            (5, self.policy(own_hit, tool)),
            (6, group.is_none_or(|group| self.policy(group, tool))),
            (7, !self.is_subagent(asked) || self.subagent(tool)),
            (8, asked.is_owner || !owners),
            (9, self.http(tool)),
        ]
    }
}
