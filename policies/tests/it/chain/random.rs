//! Random documents, catalogs and requests: the compiled chain and the plain interpreter must agree.

use std::{collections::BTreeMap, env};

use serde_json::{Map, Value, json};

use super::{Asked, DIALECTS, Tool, dialect, interpreter::Interpreter, is_available, policies_for};

/// Numbers that look random (splitmix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

const CORE: &[&str] = &[
    "sessions_list",
    "sessions_send",
    "session_status",
    "agents_list",
    "message",
    "cron",
    "gateway",
    "nodes",
    "browser",
    "web_search",
    "web_fetch",
    "memory_get",
    "image",
    "tts",
    "read",
    "write",
    "exec",
    "apply_patch",
    "subagents",
    "sessions_spawn",
];
const PLUGIN: &[(&str, &str)] =
    &[("acme", "note_add"), ("acme", "note_find"), ("weather", "forecast"), ("weather", "note_add"), ("acme", "image")];
/// Narrow entries and broad ones.
const ENTRIES: &[&str] = &[
    "*",
    "*",
    "web_*",
    "*_list",
    "s*s*",
    "*e*",
    "*a*",
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
    "acme/*",
    "note_*",
    "bash",
    "apply-patch",
    "exec",
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
    "group:automation",
    "",
    "read",
];
const AGENTS: &[&str] = &["main", "rhea", "Ops Team!", "deep-7"];
const CHANNELS: &[&str] = &["telegram", "slack", "discord", "relay"];
const GROUPS: &[&str] = &["-1", "-2", "C0AB", "Room:9", "*"];
const MODELS: &[&str] = &["orbit/lark-2", "orbit/lark-3", "comet/x", "orbit"];
const PROVIDERS: &[&str] = &["orbit", " ORBIT ", "orbit/lark-2", "comet", "comet/x"];
const SENDERS: &[&str] = &["id:42", "42", "username:@Mira", "e164:+351", "name: Big Bo ", "*"];

fn list(dice: &mut Dice, from: &[&str], most: usize) -> Value {
    (0..dice.below(most + 1)).map(|_| Value::from(dice.pick(from))).collect()
}

fn policy(dice: &mut Dice) -> Map<String, Value> {
    let mut policy = Map::new();
    if dice.one_in(2) {
        // long enough that most tools pass most lists
        policy.insert("allow".into(), list(dice, ENTRIES, 12));
    }
    if dice.one_in(4) {
        policy.insert("alsoAllow".into(), list(dice, ENTRIES, 3));
    }
    if dice.one_in(2) {
        policy.insert("deny".into(), list(dice, NARROW, 2));
    }
    policy
}

fn profile(dice: &mut Dice, policy: &mut Map<String, Value>) {
    if dice.one_in(3) {
        policy
            .insert("profile".into(), dice.pick(&["minimal", "coding", "messaging", "full", "full", "coding"]).into());
    }
}

fn tools(dice: &mut Dice) -> Map<String, Value> {
    let mut tools = policy(dice);
    profile(dice, &mut tools);
    let mut providers = Map::new();
    for _ in 0..dice.below(4) {
        let mut own = policy(dice);
        profile(dice, &mut own);
        providers.insert(dice.pick(PROVIDERS).into(), own.into());
    }
    tools.insert("byProvider".into(), providers.into());
    tools
}

fn groups(dice: &mut Dice) -> Value {
    let mut groups = Map::new();
    for _ in 0..dice.below(4) {
        let mut group = Map::new();
        if dice.below(4) > 0 {
            group.insert("tools".into(), policy(dice).into());
        }
        if dice.one_in(3) {
            let senders = (0..dice.below(4)).map(|_| (dice.pick(SENDERS).to_owned(), policy(dice).into()));
            group.insert("toolsBySender".into(), Value::Object(senders.collect::<Vec<_>>().into_iter().collect()));
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
                map = json!({"*": {"channels": inner, "tools": policy(dice)}});
            }
            channel.insert(key.into(), map);
        }
    }
    channel
}

fn document(dice: &mut Dice) -> Value {
    let mut all = tools(dice);
    if dice.one_in(2) {
        all.insert("subagents".into(), json!({"tools": policy(dice)}));
    }
    let mut agents = Vec::new();
    for id in AGENTS {
        if dice.one_in(3) {
            continue;
        }
        let mut agent = json!({"id": id, "default": dice.one_in(4)});
        if dice.below(3) > 0 {
            agent["tools"] = tools(dice).into();
        }
        if dice.one_in(2) {
            agent["model"] =
                if dice.one_in(2) { dice.pick(MODELS).into() } else { json!({"primary": dice.pick(MODELS)}) };
        }
        agents.push(agent);
    }
    let mut defaults = json!({"subagents": {"maxSpawnDepth": 1 + dice.below(2)}});
    if dice.one_in(2) {
        defaults["model"] = dice.pick(MODELS).into();
    }
    let mut channels = Map::new();
    for name in CHANNELS.iter().filter(|name| **name != "relay") {
        let mut own = channel(dice);
        if dice.one_in(2) {
            own.insert("accounts".into(), json!({"work": channel(dice)}));
        }
        channels.insert((*name).into(), own.into());
    }
    json!({
        "tools": all, "agents": {"list": agents, "defaults": defaults}, "channels": channels,
        "gateway": {"tools": {"allow": list(dice, NARROW, 2), "deny": list(dice, NARROW, 2)}},
    })
}

fn catalog(dice: &mut Dice) -> Vec<Tool> {
    let core = CORE.iter().map(|name| (None, (*name).to_owned()));
    let plugin = PLUGIN.iter().map(|(space, name)| (Some((*space).to_owned()), (*name).to_owned()));
    core.chain(plugin).filter(|_| !dice.one_in(8)).collect()
}

fn asked(dice: &mut Dice) -> Asked {
    let agent = dice.pick(&["main", "rhea", "RHEA", "ops-team", "deep-7", "ghost"]);
    let channel = dice.pick(CHANNELS);
    let group = dice.pick(&["-1", "-2:topic:7", "C0AB:thread:9", "Room:9", "-9", ":-1:"]);
    let kind = dice.pick(&["group", "channel", "dm"]);
    let key = match dice.below(8) {
        0 | 1 => format!("agent:{agent}:main"),
        2 => format!("Agent:{agent}:{channel}:group:{group}"),
        3 => format!("agent:{agent}:subagent:7f3c"),
        4 => format!("agent:{agent}:subagent:{channel}:group:{group}"),
        5 => format!("{channel}:{kind}:{group}"),
        6 => dice
            .pick(&[
                "global",
                "",
                "subagent:x",
                "agent:rhea",
                "::agent::rhea::main",
                "desk",
                "agent:",
                "Agent:rhea:SubAgent:1",
            ])
            .into(),
        _ => format!("agent:{agent}:{channel}:{kind}:{group}"),
    };
    let mut maybe = |from: &[&str]| (!dice.one_in(2)).then(|| dice.pick(from).to_owned());
    let sender = [maybe(&["42", "43"]), maybe(&["+351"]), maybe(&["mira", "@MIRA"]), maybe(&["big bo"])];
    let (channel, account) = (maybe(&["Telegram", "slack", "nope", " "]), maybe(&["work", "Work", "other"]));
    let model = maybe(MODELS).map(|model| {
        let (provider, name) = model.split_once('/').unwrap_or((&model, "big"));
        (provider.to_owned(), name.to_owned())
    });
    Asked { key, channel, account, sender, model, is_owner: dice.one_in(2) }
}

/// How often each step refused a call, and how many calls passed.
#[derive(Default)]
struct Tally {
    asked: usize,
    allowed: usize,
    refused: BTreeMap<usize, usize>,
}

#[test]
fn the_chain_and_its_plain_interpreter_agree() {
    let number = |name: &str, default: u64| env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    let seed = number("CHAIN_SEED", 4);
    let documents = number("CHAIN_DOCUMENTS", 60);
    for (name, text) in DIALECTS {
        let raw: Value = json5::from_str(text).unwrap();
        let rules = dialect(name);
        let mut tally = Tally::default();
        for round in 0..documents {
            let mut dice = Dice(seed.wrapping_mul(1_000_003).wrapping_add(round));
            let (document, catalog) = (document(&mut dice), catalog(&mut dice));
            let interpreter = Interpreter { dialect: &raw, document: &document, catalog: &catalog };
            let policies = policies_for(&rules, &document, &catalog);
            for call in 0..60 {
                let asked = asked(&mut dice);
                let tool = &catalog[dice.below(catalog.len())];
                let requested = tool.0.as_ref().map_or_else(|| tool.1.clone(), |space| format!("{space}/{}", tool.1));
                let steps = interpreter.steps(&asked, tool);
                let wanted = steps.iter().all(|(_, passes)| *passes);
                let got = is_available(&policies, &asked, &requested, call % 10 == 0);
                assert_eq!(
                    got, wanted,
                    "{name}, CHAIN_SEED={seed}, round {round}: {asked:?} {requested}: {steps:?} in {document:#}"
                );
                tally.asked += 1;
                tally.allowed += usize::from(wanted);
                for (step, _) in steps.iter().filter(|(_, passes)| !passes) {
                    *tally.refused.entry(*step).or_default() += 1;
                }
            }
        }
        let share = |count: usize| count * 1_000 / tally.asked;
        println!(
            "{name}, CHAIN_SEED={seed}: {} asked, allowed {} per mille, refused by step: {:?}",
            tally.asked,
            share(tally.allowed),
            tally.refused.iter().map(|(step, count)| (*step, share(*count))).collect::<Vec<_>>()
        );
        assert!((200..=800).contains(&share(tally.allowed)), "{name}: too few or too many calls pass");
        assert!(tally.refused.values().all(|count| share(*count) >= 20), "{name}: a step hardly takes part");
    }
}
