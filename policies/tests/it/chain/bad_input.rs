//! Documents and requests that nobody should write: a bounded, precise error or the documented meaning, never a panic,
//! never an allow by accident.

use engine::{document::DocumentProblem, policy::chain::ChainWarningKind};
use serde_json::{Value, json};

use super::{
    Asked, DIALECTS, Tool, dialect, dice::Dice, interpreter::Interpreter, is_available, policies_for, try_compile,
};
use crate::extent;

fn catalog() -> Vec<Tool> {
    let core = ["tts", "image", "exec", "apply_patch"].map(|name| (None, name.to_owned()));
    core.into_iter().chain([(Some("acme".to_owned()), "note".to_owned())]).collect()
}

fn asked(key: &str) -> Asked {
    Asked { key: key.to_owned(), ..Asked::default() }
}

/// The problems of a document; none if it is right.
fn problems(dialect_name: &str, document: &Value) -> Vec<DocumentProblem> {
    try_compile(&dialect(dialect_name), document, &catalog()).err().unwrap_or_default()
}

/// A document with everything in it that the chain reads.
fn full() -> Value {
    let policy = json!({"allow": ["*"], "alsoAllow": ["tts"], "deny": ["nope"]});
    let tools = json!({
        "profile": "full", "allow": ["*"], "alsoAllow": ["tts"], "deny": ["nope"],
        "byProvider": {"orbit": {"profile": "full", "allow": ["*"], "alsoAllow": ["tts"], "deny": ["nope"]}},
    });
    let group = json!({"tools": policy, "toolsBySender": {"*": policy}});
    let mut everybody = tools.clone();
    everybody["subagents"] = json!({"tools": policy});
    json!({
        "tools": everybody,
        "agents": {
            "list": [{"id": "rhea", "default": true, "model": "orbit/lark", "tools": tools}],
            "defaults": {"model": {"primary": "orbit/lark"}, "subagents": {"maxSpawnDepth": 2}},
        },
        "channels": {
            "slack": {"channels": {"C0": group}, "groups": {"*": group}, "accounts": {"office": {"groups": {"C0": group}}}},
            "discord": {"guilds": {"*": {"channels": {"7": group}, "tools": policy}}},
        },
        "gateway": {"tools": {"allow": ["cron"], "deny": ["nope"]}},
        "session": {"scope": "agent", "mainKey": "desk"},
    })
}

/// Every value of a document: the way to it for `pointer_mut`, and as problems write it.
fn values(value: &Value, pointer: &str, path: &str, found: &mut Vec<(String, String)>) {
    found.push((pointer.to_owned(), path.to_owned()));
    for (key, value) in value.as_object().into_iter().flatten() {
        let dot = if path.is_empty() { "" } else { "." };
        values(value, &format!("{pointer}/{key}"), &format!("{path}{dot}{key}"), found);
    }
    for (index, value) in value.as_array().into_iter().flatten().enumerate() {
        values(value, &format!("{pointer}/{index}"), &format!("{path}[{index}]"), found);
    }
}

fn is_same_type(a: &Value, b: &Value) -> bool {
    std::mem::discriminant(a) == std::mem::discriminant(b)
}

#[test]
fn a_wrong_type_anywhere_is_refused_by_its_path_and_once() {
    let mut places = Vec::new();
    values(&full(), "", "", &mut places);
    assert!(places.len() > 100, "{}", places.len());
    for (name, _) in DIALECTS {
        assert_eq!(problems(name, &full()), [], "{name}");
        for (pointer, path) in &places {
            for wrong in [json!(null), json!(true), json!(7), json!("x"), json!([]), json!({})] {
                let mut document = full();
                let place = document.pointer_mut(pointer).unwrap();
                // a model may be a text or an object
                let is_model = path.ends_with("model") && (wrong.is_string() || wrong.is_object());
                if is_same_type(place, &wrong) || is_model {
                    continue;
                }
                *place = wrong.clone();
                let found: Vec<String> = problems(name, &document).iter().map(|found| found.path.to_string()).collect();
                assert_eq!(found, [path.as_str()], "{name}: {wrong} for `{path}`");
            }
        }
    }
}

#[test]
fn an_unknown_key_is_refused_wherever_a_policy_is_meant() {
    let places = [
        "/tools",
        "/tools/byProvider/orbit",
        "/tools/subagents",
        "/tools/subagents/tools",
        "/agents",
        "/agents/list/0",
        "/agents/list/0/tools",
        "/agents/list/0/tools/byProvider/orbit",
        "/channels/slack/channels/C0",
        "/channels/slack/channels/C0/tools",
        "/channels/slack/groups/*/toolsBySender/*",
        "/channels/slack/accounts/office/groups/C0",
        "/channels/discord/guilds/*",
        "/channels/discord/guilds/*/channels/7/tools",
        "/gateway",
        "/gateway/tools",
        "/session",
    ];
    for (name, _) in DIALECTS {
        for place in places {
            let mut document = full();
            document.pointer_mut(place).unwrap()["denny"] = json!(["tts"]);
            let found = problems(name, &document);
            assert_eq!(found.len(), 1, "{name}: {place}: {found:?}");
            assert!(found[0].to_string().ends_with(".denny` is not a known key"), "{name}: {place}: {}", found[0]);
        }
    }
}

#[test]
fn an_unknown_profile_is_refused_wherever_one_is_named() {
    for (name, _) in DIALECTS {
        for place in
            ["/tools", "/tools/byProvider/orbit", "/agents/list/0/tools", "/agents/list/0/tools/byProvider/orbit"]
        {
            for profile in ["codign", "", "Coding", "full ", "\"; permit (principal, action, resource);"] {
                let mut document = full();
                document.pointer_mut(place).unwrap()["profile"] = json!(profile);
                let found: Vec<String> = problems(name, &document).iter().map(ToString::to_string).collect();
                assert_eq!(found.len(), 1, "{name}: {place}: {found:?}");
                assert!(found[0].contains(".profile` must be one of the profiles `coding`, `full`, "), "{}", found[0]);
            }
        }
    }
}

#[test]
fn an_unknown_group_means_nothing_and_is_warned_about() {
    for (name, _) in DIALECTS {
        let rules = dialect(name);
        for list in ["allow", "deny"] {
            let policies = policies_for(&rules, &json!({"tools": {list: ["group:nope"]}}), &catalog());
            // an allow list of nothing that is there allows nothing, unless the dialect drops it
            let wanted = list == "deny" || name == "zero";
            assert_eq!(is_available(&policies, &asked("agent:main:main"), "tts", true), wanted, "{name}: {list}");
            let unknown = ChainWarningKind::UnknownName { entry: "group:nope".to_owned() };
            let warnings = policies.chain().unwrap().warnings();
            assert!(warnings.iter().any(|warning| warning.kind == unknown), "{name}: {warnings:?}");
        }
    }
}

#[test]
fn documents_are_bounded_and_so_is_what_is_said_about_them() {
    let list = |entries: usize| json!({"tools": {"deny": vec!["tts"; entries]}});
    let groups = |count: usize, entries: usize| {
        let policy = json!({"tools": {"deny": vec!["tts"; entries]}});
        let groups = (0..count).map(|number| (number.to_string(), policy.clone())).collect();
        json!({"channels": {"relay": {"groups": Value::Object(groups)}}})
    };
    let long = "a".repeat(257);
    let table = [
        (list(10_000), None),
        (list(10_001), Some("`tools.deny` has 10001 entries, and at most 10000 are taken")),
        (groups(10, 10_000), None),
        (groups(11, 10_000), Some("the document has 110000 entries in its lists, and at most 100000 are taken")),
        // `tools`, `tools.subagents.tools` and `gateway.tools` count too
        (groups(19_997, 0), None),
        (groups(19_998, 0), Some("the document holds 20001 policies, and at most 20000 are taken")),
        (json!({"tools": {"allow": [&long[1..]]}}), None),
        (
            json!({"tools": {"allow": [long]}}),
            Some("`tools.allow` has an entry, number 0 from 0, of more than 256 bytes"),
        ),
    ];
    let fased = dialect("fased");
    for (document, wanted) in table {
        let found = try_compile(&fased, &document, &[]).err().unwrap_or_default();
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), wanted.into_iter().collect::<Vec<_>>());
    }
    let nonsense = json!({"tools": {"deny": vec![7; 9_000]}, "x".repeat(100_000): 1});
    let found = problems("fased", &nonsense);
    assert_eq!(found.len(), 100);
    let mut keys = serde_json::Map::new();
    keys.extend((0..1_000).map(|number| (format!("{}{number}", "ü".repeat(50_000)), json!(1))));
    let said: usize = problems("fased", &Value::Object(keys)).iter().map(|problem| problem.to_string().len()).sum();
    assert!(said < 100_000, "{said} bytes");
}

#[test]
fn ten_thousand_pathological_patterns_mean_what_they_say() {
    let longest = "a".repeat(128);
    let catalog: Vec<Tool> = vec![(None, longest.clone()), (None, format!("{}b", &longest[1..]))];
    let pattern = "*a".repeat(120);
    let never = |number: usize| format!("{pattern}*c{number}");
    let mut patterns: Vec<String> = (0..9_999).map(never).collect();
    let rules = dialect("fased");
    let answers = |patterns: &[String], list: &str| {
        let policies = policies_for(&rules, &json!({"tools": {list: patterns}}), &catalog);
        [0, 1].map(|tool| is_available(&policies, &asked("agent:main:main"), &catalog[tool].1, true))
    };
    assert_eq!(answers(&patterns, "deny"), [true, true]);
    assert_eq!(answers(&patterns, "allow"), [false, false]);
    patterns.push(format!("{pattern}*b"));
    assert_eq!(answers(&patterns, "deny"), [true, false]);
    assert_eq!(answers(&patterns, "allow"), [false, true]);
    patterns[9_999] = "*".repeat(256);
    assert_eq!(answers(&patterns, "deny"), [false, false]);
    assert_eq!(answers(&patterns, "allow"), [true, true]);
}

/// Texts with the syntax of everything that a text could end up in.
const NASTY: &[&str] = &[
    "\"",
    "\\",
    "\\\"",
    "a\"; permit (principal, action, resource); //",
    "\"}; permit (principal, action, resource); //",
    "ToolSet::\"tools.deny\"",
    "line\nbreak\r\0",
    "\u{2028}permit (principal, action, resource);\u{85}",
    "*/ permit (principal, action, resource);",
    "工具 🛠",
    "?principal",
    "?resource",
    "@id(\"base.permit\")",
    "__cedar::x",
    "__entity",
    "__extn",
    "tools",
    "tools.deny",
    "tools.profile",
    "gateway.tools.deny",
    "agents.rhea.tools.deny",
    "owner",
    "invokeHttp",
];

#[test]
fn names_with_the_syntax_of_cedar_never_become_policy_text() {
    for (name, _) in DIALECTS {
        for text in NASTY {
            let policy = json!({"allow": ["*", text], "deny": [text]});
            let group = json!({"tools": policy, "toolsBySender": {*text: policy}});
            let tools = json!({"allow": ["*", text], "deny": [text], "byProvider": {*text: policy, "orbit": policy}});
            let channel = json!({"groups": {*text: group}, "accounts": {*text: {"groups": {*text: group}}}});
            let document = json!({
                "tools": tools,
                "agents": {"list": [{"id": text, "tools": tools}, {"id": "rhea", "tools": {"deny": ["tts"]}}]},
                "channels": {*text: channel.clone(), "slack": channel},
                "gateway": {"tools": {"deny": [text], "allow": [text]}},
            });
            let mut catalog = catalog();
            catalog.push((Some((*text).to_owned()), "note".to_owned()));
            let policies = policies_for(&dialect(name), &document, &catalog);
            let chain = policies.chain().unwrap();
            // no policy more than there are lists, and every one of them forbids
            let written = chain.cedar_text().unwrap();
            let heads = |start: &str| written.lines().filter(|line| line.trim_start().starts_with(start)).count();
            assert_eq!(heads("forbid("), chain.source_map().len(), "{name}: {text:?}: {written}");
            assert_eq!(heads("permit"), 0, "{name}: {text:?}: {written}");
            for key in [*text, &format!("agent:{text}:main"), &format!("agent:rhea:slack:group:{text}")] {
                let texts = Some((*text).to_owned());
                let asked = Asked {
                    channel: texts.clone(),
                    account: texts.clone(),
                    sender: [texts.clone(), texts.clone(), texts.clone(), texts],
                    model: Some(((*text).to_owned(), (*text).to_owned())),
                    ..asked(key)
                };
                assert!(is_available(&policies, &asked, "image", true), "{name}: {text:?} {key:?}");
                let is_rhea = key.starts_with("agent:rhea:");
                assert_eq!(is_available(&policies, &asked, "tts", true), !is_rhea, "{name}: {text:?} {key:?}");
            }
        }
    }
}

/// A text of any length and alphabet.
fn junk(dice: &mut Dice) -> String {
    let pieces = [
        "agent:",
        "rhea",
        ":",
        "::",
        "slack:group:",
        "C0",
        "thread:",
        ":topic:",
        "subagent:",
        "工具",
        "\0",
        "\n",
        "İ",
        "ß",
        " ",
        "\u{301}",
        "*",
        "/",
    ];
    let piece = dice.pick(&pieces);
    match dice.below(4) {
        0 => piece.repeat(10_000 / piece.len()),
        1 => NASTY[dice.below(NASTY.len())].to_owned(),
        _ => (0..dice.below(40)).map(|_| dice.pick(&pieces)).collect(),
    }
}

#[test]
fn no_text_of_a_request_lifts_what_holds_for_everybody() {
    let denied = json!({"deny": ["image"]});
    let document = json!({
        "tools": {"deny": ["tts"], "byProvider": {"orbit": denied}},
        "agents": {"list": [{"id": "rhea", "tools": {"deny": ["acme"]}}]},
        "channels": {"slack": {"groups": {"*": {"tools": {"deny": ["exec"]}}}}},
    });
    let catalog = catalog();
    for (name, text) in DIALECTS {
        let raw: Value = json5::from_str(text).unwrap();
        let interpreter = Interpreter { dialect: &raw, document: &document, catalog: &catalog, forgotten: None };
        let policies = policies_for(&dialect(name), &document, &catalog);
        let mut dice = Dice::new(extent::seed(), 0);
        for _ in 0..extent::pick(300, 3_000) {
            let mut some = || (!dice.one_in(3)).then(|| junk(&mut dice));
            let asked = Asked {
                key: some().unwrap_or_default(),
                channel: some(),
                account: some(),
                sender: [some(), some(), some(), some()],
                model: some().zip(some()),
                is_owner: true,
            };
            assert!(!is_available(&policies, &asked, "tts", true), "{name}: {asked:?}");
            for tool in ["image", "exec", "acme/note"] {
                let wanted = interpreter.is_available(&asked, tool);
                assert_eq!(is_available(&policies, &asked, tool, false), wanted, "{name}: {tool}: {asked:?}");
            }
            let requested = junk(&mut dice);
            assert!(!is_available(&policies, &asked, &requested, false), "{name}: `{requested}`");
        }
    }
}
