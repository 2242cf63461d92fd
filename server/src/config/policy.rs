//! The sections `session`, `tools`, `agents` and `channels`: the policy of the dialects, kept as JSON; and the operators'
//! own Cedar policies beside it.
//!
//! What the members mean is the business of the policy compiler. Here their types are checked, unknown members are
//! refused with their position, and the members that the dialects know but Tollgate does not use are listed.

use std::{fs::File, io::Read as _};

use engine::policy::{
    OPERATOR_POLICIES,
    chain::{SESSION_UNUSED, TOOLS_UNUSED},
};
use serde_json::{Map, Value as Json};

use super::{
    FILE_BYTES_MAX,
    reader::{Fields, Value},
    server::parse_path,
};

/// The policy part of the file, each section as a JSON object.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Policy {
    /// The section `session`.
    pub session: Json,
    /// The section `tools`.
    pub tools: Json,
    /// The section `agents`.
    pub agents: Json,
    /// The section `channels`.
    pub channels: Json,
    /// The operators' own Cedar policies, from the file that `operator_policies` names; empty if there are none.
    pub operator: String,
}

impl Policy {
    pub(super) fn read(root: &mut Fields<'_>) -> Self {
        Self {
            session: root.section("session", read_session),
            tools: root.section("tools", read_tools),
            agents: root.section("agents", read_agents),
            channels: root.take("channels").map_or_else(empty, |value| read_channels(&value)),
            operator: root.take(OPERATOR_POLICIES).and_then(|value| read_cedar(&value)).unwrap_or_default(),
        }
    }
}

/// The text of the file that is named. What it says is the business of the policy compiler.
pub(super) fn read_cedar(value: &Value<'_>) -> Option<String> {
    let path = value.parsed(parse_path)?;
    let mut text = String::new();
    let read = File::open(&path).and_then(|file| file.take(FILE_BYTES_MAX.saturating_add(1)).read_to_string(&mut text));
    match read {
        Ok(length) if u64::try_from(length).is_ok_and(|length| length <= FILE_BYTES_MAX) => return Some(text),
        Ok(_) => value.wrong(format!("the file `{}` is larger than {FILE_BYTES_MAX} bytes", path.display())),
        Err(error) => value.wrong(format!("the file `{}` cannot be read: {error}", path.display())),
    }
    None
}

fn empty() -> Json {
    Json::Object(Map::new())
}

/// The members that are there, under their own names.
fn keep(members: impl IntoIterator<Item = (&'static str, Option<Json>)>) -> Json {
    Json::Object(members.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect())
}

fn text(fields: &mut Fields<'_>, key: &'static str) -> (&'static str, Option<Json>) {
    (key, fields.text(key).map(Json::String))
}

fn texts(fields: &mut Fields<'_>, key: &'static str) -> (&'static str, Option<Json>) {
    let items = fields.take(key).map(|value| {
        let items = value.items().into_iter().filter_map(|item| item.text().map(Json::from));
        Json::Array(items.collect())
    });
    (key, items)
}

fn object(fields: &mut Fields<'_>, key: &'static str) -> (&'static str, Option<Json>) {
    (key, fields.take(key).and_then(|value| read_object(&value)))
}

fn read_object(value: &Value<'_>) -> Option<Json> {
    let json = value.json()?;
    if !json.is_object() {
        value.wrong(format!("must be an object, not {}", value.node.type_name()));
        return None;
    }
    Some(json)
}

fn read_session(fields: &mut Fields<'_>) -> Json {
    fields.tolerate(SESSION_UNUSED);
    keep([text(fields, "scope"), text(fields, "mainKey")])
}

fn read_tools(fields: &mut Fields<'_>) -> Json {
    fields.tolerate(TOOLS_UNUSED);
    keep([
        text(fields, "profile"),
        texts(fields, "allow"),
        texts(fields, "alsoAllow"),
        texts(fields, "deny"),
        object(fields, "byProvider"),
        object(fields, "subagents"),
    ])
}

fn read_agents(fields: &mut Fields<'_>) -> Json {
    let list = fields.take("list").map(|value| Json::Array(value.items().iter().filter_map(read_object).collect()));
    keep([("list", list), object(fields, "defaults")])
}

fn read_channels(channels: &Value<'_>) -> Json {
    let entries = channels.entries();
    Json::Object(entries.iter().filter_map(|(name, value)| Some(((*name).to_owned(), read_object(value)?))).collect())
}
