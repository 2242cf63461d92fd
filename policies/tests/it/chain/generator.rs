//! Random documents, catalogs and requests, out of few words, so that they often meet.

use serde_json::{Map, Value, json};

use super::{Asked, Tool, dice::Dice, interpreter::path_of};

const CORE: &[&str] = &[
    "sessions_list",
    "sessions_send",
    "sessions_history",
    "session_status",
    "agents_list",
    "message",
    "cron",
    "gateway",
    "nodes",
    "screen",
    "browser",
    "web_search",
    "web_fetch",
    "memory_get",
    "image",
    "TTS",
    "read",
    "write",
    "exec",
    "apply_patch",
    "subagents",
    "sessions_spawn",
];
/// Some are called like core tools, like one another, or by aliases.
const PLUGIN: &[(&str, &str)] = &[
    ("acme", "note_add"),
    ("acme", "Note_Find"),
    ("acme", "image"),
    ("acme", "bash"),
    ("weather", "forecast"),
    ("weather", "note_add"),
    ("weather", "cron"),
    ("bash", "run"),
    ("apply-patch", "undo"),
];
/// Narrow entries and broad ones.
const ENTRIES: &[&str] = &[
    "*",
    "*",
    "web_*",
    "*_list",
    "s*s*",
    "*e*",
    "*e",
    "*a*",
    "*o*",
    "group:web",
    " Group:Sessions ",
    "group:fs",
    "group:plugins",
    "group:nope",
    "group:memory",
    "group:messaging",
    "group:runtime",
    "acme",
    "weather",
    "acme/note_add",
    "ACME/*",
    "acme/bash",
    "weather/cron",
    "bash/run",
    "note_*",
    "bash",
    "apply-patch",
    "exec",
    "write",
    "wr*",
    "",
    " ",
    "web?fetch",
    "image",
    "TTS",
    "message",
    "cron",
    "nope",
    "\"\n",
    "sessions_list",
    "session_status",
];
/// What allows no more than a plugin, or nothing.
const PLUGIN_ENTRIES: &[&str] = &["acme", "weather", "group:plugins", "acme/note_add", "nope", "note_*", " ", ""];
const NARROW: &[&str] = &[
    "web_search",
    "tts",
    "group:web",
    "acme",
    "note_add",
    "image",
    "cron",
    "message",
    "*_get",
    "sessions_list",
    "browser",
    "nodes",
    "exec",
    "memory_get",
    "acme/*",
    "acme/bash",
    "group:automation",
    "group:plugins",
    "bash",
    "",
    "read",
    "weather/cron",
];
/// As `gateway.tools` compares them.
const HTTP: &[&str] = &[
    "sessions_spawn",
    "sessions_send",
    "cron",
    "gateway",
    "nodes",
    "exec",
    "Exec",
    "TTS",
    "acme/image",
    "note_add",
    "browser",
    "web_*",
    "image",
    "message",
    "apply_patch",
    "weather",
];
/// What subagents may not use unless it is said.
const SUBAGENT: &[&str] =
    &["gateway", "session_status", "cron", "memory_get", "sessions_list", "sessions_history", "*"];
const PROFILES: &[&str] = &["minimal", "coding", "messaging", "messaging", "full"];
const AGENTS: &[&str] = &["main", "rhea", "Ops Team!", "deep-7"];
const CHANNELS: &[&str] = &["telegram", "telegram", "slack", "discord", "relay", "relay"];
const GROUPS: &[&str] = &["-1", "-2", "C0AB", "Room:9", "*"];
const MODELS: &[&str] = &["orbit/lark-2", "orbit/lark-3", "comet/x", "orbit"];
const PROVIDERS: &[&str] = &["orbit", "orbit", " ORBIT ", "orbit/lark-2", "comet", "comet/x"];
const SENDERS: &[&str] = &["id:42", "42", "username:@Mira", "e164:+351", "name: Big Bo ", "*", "*"];
const ODD_KEYS: &[&str] =
    &["global", "", "subagent:x", "agent:rhea", "::agent::rhea::main", "desk", "agent:", "Agent:rhea:SubAgent:1"];
/// What keys are made of, in the wrong order too.
const KEY_PARTS: &[&str] = &[
    "agent", "Agent", "rhea", "main", " RHEA ", "group", "channel", "slack", "Telegram", "-1", "C0AB", "subagent",
    "SubAgent", "thread", "TOPIC", "", " ", "é", "\n", "工具", "\"",
];

/// One entry of a list.
pub(crate) fn entry(dice: &mut Dice) -> &'static str {
    ENTRIES[dice.below(ENTRIES.len())]
}

fn list(dice: &mut Dice, from: &[&str], most: usize) -> Value {
    (0..dice.below(most + 1)).map(|_| Value::from(dice.pick(from))).collect()
}

/// How much a policy takes away: what holds for everybody takes little, so that something is left for later steps.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Weight {
    Mild,
    Medium,
    Strict,
}

/// An object with lists.
fn policy(dice: &mut Dice, weight: Weight) -> Map<String, Value> {
    let mut policy = Map::new();
    // allow lists are so long that most tools pass most of them
    let (plugins, allowed, denied) = match weight {
        Weight::Mild => (0, 30, 1),
        Weight::Medium => (3, 18, 4),
        Weight::Strict => (3, 14, 9),
    };
    if dice.one_in(8) {
        policy.insert("allow".into(), list(dice, PLUGIN_ENTRIES, plugins));
    } else if dice.one_in(2) {
        policy.insert("allow".into(), list(dice, ENTRIES, allowed));
    }
    if dice.one_in(2) {
        policy.insert("alsoAllow".into(), list(dice, ENTRIES, 3));
    }
    if weight == Weight::Strict || dice.one_in(2) {
        policy.insert("deny".into(), list(dice, NARROW, denied));
    }
    policy
}

fn tools(dice: &mut Dice, weight: Weight) -> Map<String, Value> {
    let mut tools = policy(dice, weight);
    if dice.one_in(5) {
        tools.insert("profile".into(), dice.pick(PROFILES).into());
    }
    let mut providers = Map::new();
    // so many that the model's provider is often among them
    let least = if weight == Weight::Mild { 3 } else { 4 };
    for _ in 0..least + dice.below(4) {
        let mut own = policy(dice, if weight == Weight::Mild { Weight::Medium } else { Weight::Strict });
        if dice.one_in(3) {
            own.insert("profile".into(), dice.pick(PROFILES).into());
        }
        providers.insert(dice.pick(PROVIDERS).into(), own.into());
    }
    tools.insert("byProvider".into(), providers.into());
    tools
}

fn subagents(dice: &mut Dice) -> Value {
    let mut policy = policy(dice, Weight::Medium);
    let names = list(dice, SUBAGENT, 8);
    policy.insert(dice.pick(&["allow", "alsoAllow"]).into(), names);
    json!({"tools": policy})
}

fn groups(dice: &mut Dice) -> Value {
    let mut groups = Map::new();
    for _ in 0..2 + dice.below(4) {
        let mut group = Map::new();
        if dice.below(10) > 0 {
            group.insert("tools".into(), policy(dice, Weight::Strict).into());
        }
        if dice.one_in(2) {
            let senders =
                (0..dice.below(4)).map(|_| (dice.pick(SENDERS).to_owned(), policy(dice, Weight::Strict).into()));
            group.insert("toolsBySender".into(), Value::Object(senders.collect()));
        }
        groups.insert(dice.pick(GROUPS).into(), group.into());
    }
    groups.into()
}

fn channel(dice: &mut Dice) -> Map<String, Value> {
    let mut channel = Map::new();
    for key in ["groups", "channels", "guilds"] {
        if !dice.one_in(3) {
            let mut map = groups(dice);
            if key == "guilds" {
                let inner = groups(dice);
                map = json!({"*": {"channels": inner, "tools": policy(dice, Weight::Strict)}});
            }
            channel.insert(key.into(), map);
        }
    }
    channel
}

fn agents(dice: &mut Dice) -> Value {
    let mut agents = Vec::new();
    for id in AGENTS {
        if dice.one_in(5) {
            continue;
        }
        let mut agent = json!({"id": id, "default": dice.one_in(4)});
        if dice.below(5) > 0 {
            let weight = if dice.one_in(2) { Weight::Medium } else { Weight::Strict };
            agent["tools"] = tools(dice, weight).into();
        }
        if dice.one_in(2) {
            agent["model"] =
                if dice.one_in(2) { dice.pick(MODELS).into() } else { json!({"primary": dice.pick(MODELS)}) };
        }
        agents.push(agent);
    }
    let depths = [json!(0), json!(1), json!(1.5), json!(2), json!(3)];
    let mut defaults = json!({"subagents": {"maxSpawnDepth": depths[dice.below(depths.len())]}});
    if dice.one_in(2) {
        defaults["model"] = dice.pick(MODELS).into();
    }
    json!({"list": agents, "defaults": defaults})
}

pub(crate) fn document(dice: &mut Dice) -> Value {
    let mut all = tools(dice, Weight::Mild);
    if dice.below(3) > 0 {
        all.insert("subagents".into(), subagents(dice));
    }
    let agents = agents(dice);
    let mut channels = Map::new();
    for name in ["Telegram", "slack", "discord"] {
        let mut own = channel(dice);
        if dice.one_in(2) {
            own.insert("accounts".into(), json!({"Work": channel(dice)}));
        }
        channels.insert(name.into(), own.into());
    }
    json!({
        "tools": all, "agents": agents, "channels": channels,
        "gateway": {"tools": {"allow": list(dice, HTTP, 30), "deny": list(dice, HTTP, 7)}},
    })
}

pub(crate) fn catalog(dice: &mut Dice) -> Vec<Tool> {
    let core = CORE.iter().map(|name| (None, (*name).to_owned()));
    let plugin = PLUGIN.iter().map(|(space, name)| (Some((*space).to_owned()), (*name).to_owned()));
    core.chain(plugin).filter(|_| !dice.one_in(8)).collect()
}

/// What a caller asks for: mostly a tool that is there, often one that is for owners or that another one brings.
pub(crate) fn requested(dice: &mut Dice, catalog: &[Tool]) -> String {
    match dice.below(16) {
        0 => dice.pick(&["nope", "WEB_SEARCH", "note_add", "image", "group:web", "*", "acme/", "Bash", ""]).to_owned(),
        1 => catalog[dice.below(catalog.len())].1.clone(),
        2..=4 => dice.pick(&["screen", "screen", "screen", "screen", "apply_patch"]).to_owned(),
        _ => path_of(&catalog[dice.below(catalog.len())]),
    }
}

fn key(dice: &mut Dice) -> String {
    let agent = dice.pick(&["main", "rhea", "RHEA", "ops-team", "deep-7", "deep-7", "ghost"]);
    let channel = dice.pick(CHANNELS);
    let group =
        dice.pick(&["-1", "-1:7", "-1:7", "-2:topic:7", "C0AB:thread:9", "-1:Thread:2", "Room:9", "-9", ":-1:", "-2"]);
    let kind = dice.pick(&["group", "channel", "group", "channel", "group", "channel", "dm"]);
    match dice.below(13) {
        0 => format!("agent:{agent}:main"),
        1 => format!("Agent:{agent}:{channel}:group:{group}"),
        2 | 3 => format!("agent:{agent}:subagent:7f3c"),
        4 => format!("agent:{agent}:subagent:{channel}:group:{group}"),
        5 => dice.pick(ODD_KEYS).to_owned(),
        6 => (0..dice.below(8)).map(|_| dice.pick(KEY_PARTS)).collect::<Vec<_>>().join(":"),
        7 => format!("{channel}:{kind}:{group}"),
        _ => format!("agent:{agent}:{channel}:{kind}:{group}"),
    }
}

pub(crate) fn asked(dice: &mut Dice) -> Asked {
    let key = key(dice);
    let sender =
        [dice.maybe(&["42", "43"]), dice.maybe(&["+351"]), dice.maybe(&["mira", "@MIRA"]), dice.maybe(&["big bo"])];
    // over HTTP nobody is known
    let sender = if dice.one_in(2) { sender } else { Default::default() };
    let channel = dice.maybe(&["Telegram", "slack", "Discord", "nope"]);
    let account = dice.maybe(&["work", "Work", "other"]);
    let model = dice.maybe(MODELS).map(|model| {
        let (provider, name) = model.split_once('/').unwrap_or((&model, "big"));
        (provider.to_owned(), name.to_owned())
    });
    Asked { key, channel, account, sender, model, is_owner: dice.one_in(2) }
}
