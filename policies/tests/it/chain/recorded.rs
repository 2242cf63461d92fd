//! The cases that were recorded from the real gateways, as far as they are about the chain. The rest of each case (status,
//! bytes, headers) is looked at over HTTP.

use std::{env, fs, path::PathBuf};

use serde_json::{Value, json};

use super::{Asked, Tool, dialect, is_available, policies_for};

/// Cases that follow a weakness of the forks: a header that names another channel takes the place of the session key's,
/// and so can lift a restriction. Here the key's channel comes first.
const DEVIATIONS: [&str; 2] = ["channel-group-22", "channel-group-29"];

/// The tools of the fixture `std`.
fn fixture() -> Vec<Tool> {
    let core = "sessions_list sessions_history sessions_send sessions_spawn sessions_yield subagents session_status \
        agents_list update_plan message cron gateway nodes canvas browser diff_view web_search web_fetch x_search \
        memory_search memory_get image image_generate music_generate video_generate tts code_execution whatsapp_login \
        read write edit apply_patch exec process t_echo t_action t_ctx t_fail";
    let plugins = [("acme", "note_add"), ("acme", "note_find"), ("weather", "forecast")];
    let core = core.split_whitespace().map(|name| (None, name.to_owned()));
    core.chain(plugins.iter().map(|(space, name)| (Some((*space).to_owned()), (*name).to_owned()))).collect()
}

fn cases() -> Vec<Value> {
    let folder = env!("CARGO_MANIFEST_DIR");
    let default = || PathBuf::from(folder).join("../tests/cases");
    let folder = env::var_os("GATEWAY_CASES").map_or_else(default, PathBuf::from);
    let text = fs::read_to_string(folder.join("gateway.jsonl")).unwrap_or_else(|error| panic!("{error}"));
    let cases: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(!cases.is_empty(), "the file holds no cases");
    cases
}

/// What a case expects of the chain; `None` if it is about something else.
fn expected(case: &Value) -> Option<bool> {
    let expect = &case["expect"];
    let by_policy = ["tools", "agents", "channels", "session"].iter().any(|key| !case["config"][key].is_null());
    match (&expect["tool_available"], &expect["status"]) {
        (Value::Bool(available), _) => Some(*available),
        (_, Value::Number(status)) if by_policy && *status == 404.into() => Some(false),
        (_, Value::Number(status)) if by_policy && *status == 200.into() => Some(true),
        _ => None,
    }
}

fn asked(case: &Value, brand: &str) -> Asked {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let headers = case["request"]["headers"].as_object();
    let header = |suffix: &str| {
        let name = format!("x-{brand}-{suffix}");
        headers.into_iter().flatten().find(|(key, _)| key.to_lowercase() == name).and_then(|(_, value)| text(value))
    };
    let context = &case["context"];
    let sender = ["senderId", "senderE164", "senderUsername", "senderName"].map(|key| text(&context[key]));
    Asked {
        key: text(&case["request"]["body"]["sessionKey"]).unwrap_or_default(),
        channel: header("message-channel"),
        account: header("account-id"),
        sender,
        model: text(&context["modelProvider"]).zip(text(&context["modelId"])),
        // in the cases only a trusted proxy's caller is not an owner
        is_owner: case["config"]["gateway"]["auth"]["mode"] != "trusted-proxy",
    }
}

#[test]
fn every_case_about_policies_gets_its_answer() {
    let catalog = fixture();
    let (mut ran, mut failed, mut deviating) = (0, Vec::new(), Vec::new());
    for case in cases() {
        let Some(wanted) = expected(&case) else { continue };
        for name in case["dialects"].as_array().unwrap().iter().filter_map(Value::as_str) {
            let config = &case["config"];
            let mut document =
                json!({"gateway": {"tools": config["gateway"].get("tools").cloned().unwrap_or(json!({}))}});
            for key in ["tools", "agents", "channels", "session"] {
                if let Some(value) = config.get(key) {
                    document[key] = value.clone();
                }
            }
            let policies = policies_for(&dialect(name), &document, &catalog);
            let mut asked = asked(&case, name);
            if matches!(asked.key.trim(), "" | "main") {
                asked.key = policies.chain().unwrap().document().main_session_key();
            }
            let body = &case["request"]["body"];
            let tool = body["tool"].as_str().unwrap_or_default().trim();
            ran += 1;
            if is_available(&policies, &asked, tool, true) != wanted {
                let id = case["id"].as_str().unwrap();
                let list = if DEVIATIONS.contains(&id) { &mut deviating } else { &mut failed };
                list.push(format!("{id} ({name}): wanted {wanted}: {}", case["note"]));
            }
        }
    }
    println!("{ran} cases of the chain, {} deviations: {deviating:#?}", deviating.len());
    assert!(failed.is_empty(), "{} of {ran} failed: {failed:#?}", failed.len());
    assert!(ran > 100, "{ran}");
}
