//! The fixture `std` of the cases: small tools over one HTTP upstream.

use std::{io::Write as _, net::TcpStream};

use serde_json::{Map, Value, json};
use tests::upstream::{Received, Upstream, json_answer};

const CORE: [&str; 34] = [
    "sessions_list",
    "sessions_history",
    "sessions_send",
    "sessions_spawn",
    "sessions_yield",
    "subagents",
    "session_status",
    "agents_list",
    "update_plan",
    "message",
    "cron",
    "gateway",
    "nodes",
    "canvas",
    "browser",
    "diff_view",
    "web_search",
    "web_fetch",
    "x_search",
    "memory_search",
    "memory_get",
    "image",
    "image_generate",
    "music_generate",
    "video_generate",
    "tts",
    "code_execution",
    "whatsapp_login",
    "read",
    "write",
    "edit",
    "apply_patch",
    "exec",
    "process",
];
const WITH_ACTION: [&str; 8] = ["message", "cron", "gateway", "nodes", "canvas", "browser", "subagents", "t_action"];
const PROBES: [&str; 4] = ["t_echo", "t_action", "t_ctx", "t_fail"];
const NAMESPACES: [(&str, &[&str]); 2] = [("acme", &["note_add", "note_find"]), ("weather", &["forecast"])];

/// What a tool without a namespace, and one with, is called.
pub(crate) fn catalog() -> impl Iterator<Item = (Option<&'static str>, &'static str)> {
    let core = CORE.iter().chain(&PROBES).map(|name| (None, *name));
    core.chain(NAMESPACES.iter().flat_map(|(space, tools)| tools.iter().map(|tool| (Some(*space), *tool))))
}

/// The configuration of a case, with the fixture's catalog in it.
pub(crate) fn config(case: &Value, dialect: &str, upstream: &Upstream) -> Value {
    let tool = |name: &str| {
        let properties = if WITH_ACTION.contains(&name) { json!({"action": {}}) } else { json!({}) };
        json!({
            "name": name,
            "input_schema": {"type": "object", "properties": properties},
            "upstream": {"kind": "http", "url": upstream.url(&format!("/{name}")), "timeout_ms": 20_000},
        })
    };
    let namespace = |(name, tools): &(&str, &[&str])| json!({"name": name, "description": "x", "tools": tools.iter().map(|name| tool(name)).collect::<Vec<_>>()});
    let mut config = case.clone();
    config["gateway"]["dialect"] = dialect.into();
    config["egress"] = json!({"allow_private": true});
    config["catalog"] = json!({
        "core_tools": CORE.iter().chain(&PROBES).map(|name| tool(name)).collect::<Vec<_>>(),
        "publishers": [{"id": "std", "display_name": "Std", "share_bps": 8000,
                        "namespaces": NAMESPACES.iter().map(namespace).collect::<Vec<_>>()}],
    });
    config
}

pub(crate) fn upstream() -> Upstream {
    Upstream::start(answer)
}

fn answer(received: &Received, stream: &mut TcpStream) -> bool {
    let name = received.path.trim_start_matches('/');
    let arguments: Value = serde_json::from_str(&received.body).unwrap_or_default();
    let text = match name {
        "t_ctx" => json_answer("200 OK", &context(received).to_string()),
        "t_fail" => failure(arguments["mode"].as_str().unwrap_or_default()),
        _ => json_answer("200 OK", &json!({"tool": name, "args": arguments}).to_string()),
    };
    stream.write_all(text.as_bytes()).is_ok()
}

fn context(received: &Received) -> Value {
    let headers = [
        ("sessionKey", "x-tollgate-session-key"),
        ("channel", "x-tollgate-channel"),
        ("accountId", "x-tollgate-account-id"),
        ("to", "x-tollgate-message-to"),
        ("threadId", "x-tollgate-thread-id"),
    ];
    let member =
        |(name, header): (&str, &str)| (name.to_owned(), received.header(header).map_or(Value::Null, Value::from));
    Value::Object(headers.into_iter().map(member).collect::<Map<_, _>>())
}

fn failure(mode: &str) -> String {
    let words = |status: &str, text: &str| json_answer(status, &json!({"error": {"message": text}}).to_string());
    match mode {
        "input" => words("400 Bad Request", "field q is required"),
        "input_empty" => words("400 Bad Request", ""),
        "input_422" => words("422 Unprocessable Content", "q must be a list"),
        "auth" => words("403 Forbidden", "not for you"),
        "crash" => words("500 Internal Server Error", "db password is hunter2 at /srv/private"),
        "throw_string" => words("500 Internal Server Error", "boom-77"),
        "undef" => "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
        _ => json_answer("200 OK", "null"),
    }
}
