//! What an upstream's answer means. Pure: status, headers and body in, [`UpstreamAnswer`] out.

use engine::{limits::JSON_DEPTH_MAX, upstream::UpstreamAnswer};
use serde::de::IgnoredAny;
use serde_json::{Value, json};

/// The longest result, in bytes.
pub const BODY_BYTES_MAX: usize = 2 * 1024 * 1024;
/// The longest message taken over from an upstream, in characters.
pub const MESSAGE_CHARS_MAX: usize = 500;

/// What kind of answer a status announces. Which status is which kind is decided where HTTP is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StatusClass {
    /// There is a result, in the body.
    Completed,
    /// The arguments were not accepted; the body may say why.
    Rejected,
    /// The caller was not accepted; the body may say why.
    Forbidden,
    /// Anything else, redirects included.
    Failed,
}

/// What the head of an answer says, as far as it matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    /// The HTTP status, to be told to the caller or the log.
    pub(super) status: u16,
    /// What the status announces.
    pub(super) class: StatusClass,
    /// The media type without parameters, in lower case.
    pub(super) media_type: Option<String>,
    /// The content coding, when there is one. We ask for none.
    pub(super) coding: Option<String>,
}

/// The meaning of a complete 2xx answer.
///
/// The declared media type is not trusted: whatever parses as JSON is JSON and passed on as it was written. What does
/// not is a broken answer if it claimed to be JSON, else text. Keys that occur twice do not make it broken: whoever reads
/// money from a result reads it strictly.
pub(super) fn decide_completed(head: &Head, body: Vec<u8>) -> UpstreamAnswer {
    if body.is_empty() {
        return UpstreamAnswer::Completed { result: None, meta: None };
    }
    if let Some(coding) = head.coding.as_deref() {
        return failed(format!("the body is encoded as `{}`, which was not asked for", shorten(coding)));
    }
    let mut text = match String::from_utf8(body) {
        Ok(text) => text,
        Err(error) => return failed(format!("the body is not utf-8 text: {}", error.utf8_error())),
    };
    if text.starts_with('\u{feff}') {
        text.remove(0);
    }
    decide_text(text, head.media_type.as_deref().is_some_and(is_json_type))
}

/// The meaning of a complete answer in words: JSON as it was written, or a text; nothing is none. What `is_said_to_be_json`
/// and is not is broken.
pub(super) fn decide_text(text: String, is_said_to_be_json: bool) -> UpstreamAnswer {
    if text.trim().is_empty() {
        return UpstreamAnswer::Completed { result: None, meta: None };
    }
    match serde_json::from_str::<IgnoredAny>(&text) {
        Ok(_) if is_deeper_than(JSON_DEPTH_MAX, &text) => {
            failed(format!("the body is nested deeper than {JSON_DEPTH_MAX}"))
        }
        Ok(_) => UpstreamAnswer::Completed { result: Some(text), meta: None },
        Err(error) if is_said_to_be_json => failed(format!("the body is declared as json and is not: {error}")),
        Err(_not_json) => UpstreamAnswer::Completed { result: Some(json!({ "text": text }).to_string()), meta: None },
    }
}

/// The meaning of any other answer. `body` is as much of it as was read.
pub(super) fn decide_refused(head: &Head, body: &[u8]) -> UpstreamAnswer {
    let status = head.status;
    let message = find_message(body);
    match head.class {
        StatusClass::Rejected => UpstreamAnswer::Rejected { status, message },
        StatusClass::Forbidden => UpstreamAnswer::Forbidden { status, message },
        StatusClass::Completed | StatusClass::Failed => {
            let detail = message.as_ref().map_or_else(
                || format!("the upstream answered with status {status}"),
                |message| format!("the upstream answered with status {status}: {message}"),
            );
            UpstreamAnswer::Failed { detail, message }
        }
    }
}

pub(super) fn failed(detail: String) -> UpstreamAnswer {
    UpstreamAnswer::Failed { detail, message: None }
}

fn is_json_type(media_type: &str) -> bool {
    media_type == "application/json" || media_type == "text/json" || media_type.ends_with("+json")
}

/// `error.message`, `message` or `detail`, the first that is a text with something in it.
pub(super) fn find_message(body: &[u8]) -> Option<String> {
    let value: Value = serde_json::from_slice(body).ok()?;
    ["/error/message", "/message", "/detail"]
        .into_iter()
        .filter_map(|path| value.pointer(path)?.as_str())
        .map(shorten)
        .find(|message| !message.is_empty())
}

/// Bounded, on one line, without control characters.
pub(super) fn shorten(text: &str) -> String {
    let flat: String =
        text.trim().chars().take(MESSAGE_CHARS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect();
    flat.trim_end().to_owned()
}

/// Whether valid JSON text nests deeper than `depth_max`.
pub(super) fn is_deeper_than(depth_max: usize, json: &str) -> bool {
    let (mut depth, mut is_in_string, mut is_escaped) = (0_usize, false, false);
    for byte in json.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_in_string => is_escaped = true,
            b'"' => is_in_string = !is_in_string,
            b'{' | b'[' if !is_in_string => depth = depth.saturating_add(1),
            b'}' | b']' if !is_in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > depth_max {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests;
