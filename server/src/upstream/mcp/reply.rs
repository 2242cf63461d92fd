//! What the reply to a `tools/call` means. Pure: the text of a JSON-RPC response in, [`UpstreamAnswer`] out.
//!
//! The reply is read from its text, because a price may be in it, and the library's own types hold numbers as doubles.

use engine::{limits::JSON_DEPTH_MAX, upstream::UpstreamAnswer};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::super::{
    answer::{BODY_BYTES_MAX, decide_text, failed, find_message, is_deeper_than, shorten},
    http::STATUS_REJECTED,
};

/// JSON-RPC: the parameters are not valid. What a server answers for arguments that it does not take.
const INVALID_PARAMS: i64 = -32_602;
/// The kind of result that is one; servers of older versions leave it out.
const COMPLETE: &str = "complete";

#[derive(Deserialize)]
struct Reply<'a> {
    #[serde(borrow, default)]
    result: Option<&'a RawValue>,
    #[serde(default)]
    error: Option<RpcError>,
}

#[derive(Deserialize)]
struct RpcError {
    #[serde(default)]
    code: Option<i64>,
    #[serde(default)]
    message: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToolResult<'a> {
    #[serde(borrow, default)]
    content: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default)]
    structured_content: Option<&'a RawValue>,
    #[serde(default)]
    is_error: Option<bool>,
    #[serde(borrow, default, rename = "_meta")]
    meta: Option<&'a RawValue>,
    #[serde(default)]
    result_type: Option<String>,
}

#[derive(Deserialize)]
struct Block {
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    text: Option<String>,
}

#[derive(Serialize)]
struct Blocks<'a> {
    content: &'a [&'a RawValue],
}

/// The meaning of a complete reply.
///
/// A tool that says `isError` has done what it could and says no: the call is rejected in the tool's own words, as one with
/// wrong arguments is, and paid for as any call that failed. An error of JSON-RPC comes from the server; of those only
/// the one about parameters is about this call.
pub(in crate::upstream) fn decide_reply(text: &str) -> UpstreamAnswer {
    let Some(reply) = read_object::<Reply<'_>>(text) else {
        return failed("the reply is not one of JSON-RPC".to_owned());
    };
    match (reply.result, reply.error) {
        (Some(result), None) => decide_result(result.get()),
        (None, Some(error)) => decide_error(error),
        (Some(_), Some(_)) | (None, None) => failed("the reply has not exactly one of result and error".to_owned()),
    }
}

/// An object with its known members: serde would take a list for one, whose members it has in their order.
fn read_object<'a, T: Deserialize<'a>>(text: &'a str) -> Option<T> {
    text.trim_start().starts_with('{').then(|| serde_json::from_str(text).ok()).flatten()
}

fn decide_error(error: RpcError) -> UpstreamAnswer {
    let message = error.message.as_deref().map(shorten).filter(|message| !message.is_empty());
    match error.code {
        Some(INVALID_PARAMS) => UpstreamAnswer::Rejected { status: STATUS_REJECTED, message },
        code => {
            let code = code.map_or_else(|| "without a code".to_owned(), |code| code.to_string());
            let said = message.as_deref().unwrap_or("nothing");
            UpstreamAnswer::Failed { detail: format!("the server answered with error {code}: {said}"), message }
        }
    }
}

fn decide_result(text: &str) -> UpstreamAnswer {
    let Some(result) = read_object::<ToolResult<'_>>(text) else {
        return failed("the result is not one of a tool".to_owned());
    };
    if let Some(kind) = result.result_type.as_deref().filter(|kind| *kind != COMPLETE) {
        return failed(format!("the result is not complete but `{}`", shorten(kind)));
    }
    let content = result.content.unwrap_or_default();
    if result.is_error == Some(true) {
        let said = shorten(&texts_of(&content).join(" "));
        let structured = || result.structured_content.and_then(|raw| find_message(raw.get().as_bytes()));
        let message = if said.is_empty() { structured() } else { Some(said) };
        return UpstreamAnswer::Rejected { status: STATUS_REJECTED, message };
    }
    let answer = match result.structured_content {
        Some(structured) => decide_bounded(structured.get().to_owned(), true),
        None => decide_content(&content),
    };
    match answer {
        UpstreamAnswer::Completed { result: found, meta: _ } => {
            let meta = result.meta.map(RawValue::get).filter(|meta| is_usable_meta(meta));
            UpstreamAnswer::Completed { result: found, meta: meta.map(str::to_owned) }
        }
        other => other,
    }
}

/// Texts alone are the text that they make; with anything else among them, the blocks are passed on as they are.
fn decide_content(content: &[&RawValue]) -> UpstreamAnswer {
    let texts = texts_of(content);
    if texts.len() == content.len() {
        return decide_bounded(texts.join("\n"), false);
    }
    // as they were written: through a value, numbers would lose digits
    match serde_json::to_string(&Blocks { content }) {
        Ok(text) => decide_bounded(text, true),
        Err(error) => failed(format!("the content cannot be passed on: {error}")),
    }
}

fn decide_bounded(text: String, is_json: bool) -> UpstreamAnswer {
    if text.len() > BODY_BYTES_MAX {
        return failed(format!("the result is longer than {BODY_BYTES_MAX} bytes"));
    }
    decide_text(text, is_json)
}

/// The texts of the blocks that are texts.
fn texts_of(content: &[&RawValue]) -> Vec<String> {
    let blocks = content.iter().filter_map(|raw| serde_json::from_str::<Block>(raw.get()).ok());
    blocks.filter(|block| block.kind.as_deref() == Some("text")).filter_map(|block| block.text).collect()
}

fn is_usable_meta(meta: &str) -> bool {
    meta.starts_with('{') && meta.len() <= BODY_BYTES_MAX && !is_deeper_than(JSON_DEPTH_MAX, meta)
}

#[cfg(test)]
mod tests;
