//! Putting a request together.

use std::borrow::Cow;

use url::Url;

use super::{
    ParamPlace, RestShape,
    read::check_header_value,
    template::{Piece, only_argument, pieces},
};
use crate::{
    catalog::ArgumentFault,
    json::{self, Json, Member, Segment, write_string},
    limits,
};

/// A request, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShapedRequest {
    /// The method, upper case.
    pub method: &'static str,
    /// At the host of the base URL, below its path.
    pub url: Url,
    /// Names as they were given, values of visible ASCII characters.
    pub headers: Vec<(String, String)>,
    /// JSON text.
    pub body: Option<String>,
}

fn fault(argument: &str, message: impl Into<String>) -> ArgumentFault {
    ArgumentFault { path: vec![Segment::Key(argument.into()).to_bounded()], message: message.into() }
}

fn fault_of_all(message: impl Into<String>) -> ArgumentFault {
    ArgumentFault { path: Vec::new(), message: message.into() }
}

pub(super) fn request(shape: &RestShape, base: &Url, arguments: &str) -> Result<ShapedRequest, ArgumentFault> {
    let members = json::parse_members(arguments).map_err(|error| fault_of_all(error.to_string()))?;
    let mut url = base.clone();
    url.set_fragment(None);
    let base_path = base.path().trim_end_matches('/').to_owned();
    url.set_path(&format!("{base_path}{}", path(shape, &members)?));
    let is_below = url.path().strip_prefix(&*base_path).is_some_and(|rest| rest.starts_with('/'));
    if url.origin() != base.origin() || !is_below {
        return Err(fault_of_all("lead away from the address of the tool"));
    }
    let mut query: Vec<(&str, Cow<'_, str>)> =
        shape.query.iter().map(|(name, value)| (name.as_str(), Cow::Borrowed(value.as_str()))).collect();
    let mut headers = shape.headers.clone();
    let mut in_body = Vec::new();
    for member in &members {
        let (place, name) = shape.place_of(&member.name);
        if is_taken(shape, base, (place, &member.name)) {
            continue;
        }
        match place {
            ParamPlace::Path => {}
            ParamPlace::Query => add_query(&mut query, name, member),
            ParamPlace::Header => headers.extend(header(name, member)?),
            ParamPlace::Body => in_body.push((name, member)),
        }
    }
    if !query.is_empty() {
        let mut pairs = url.query_pairs_mut();
        for (name, value) in &query {
            pairs.append_pair(name, value);
        }
    }
    let body = body(shape, &members, &in_body)?;
    Ok(ShapedRequest { method: shape.method, url, headers, body })
}

/// Whether an argument that nobody has put anywhere would stand beside what the publisher sets, or what another argument is
/// put as: whichever of two the upstream reads, the caller does not choose it.
fn is_taken(shape: &RestShape, base: &Url, (place, argument): (ParamPlace, &str)) -> bool {
    if shape.params.iter().any(|param| param.argument == argument) {
        return false;
    }
    let is_anothers = shape.params.iter().any(|param| param.place == place && param.name == argument);
    match place {
        ParamPlace::Path | ParamPlace::Header => false,
        ParamPlace::Query => {
            is_anothers
                || shape.query.iter().any(|(name, _)| name == argument)
                || base.query_pairs().any(|(name, _)| name == argument)
        }
        ParamPlace::Body => is_anothers,
    }
}

/// A text, a number or a truth value as text.
fn scalar<'a>(value: &'a Json<'_>) -> Option<Cow<'a, str>> {
    match value {
        Json::String(text) => Some(Cow::Borrowed(text)),
        Json::Number(text) => Some(Cow::Borrowed(text)),
        Json::Bool(value) => Some(Cow::Borrowed(if *value { "true" } else { "false" })),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

fn path(shape: &RestShape, members: &[Member<'_>]) -> Result<String, ArgumentFault> {
    let mut path = String::new();
    let mut last = "";
    for piece in pieces(&shape.path) {
        match piece {
            Piece::Literal(text) => path.push_str(text),
            Piece::Argument(name) => {
                let argument = shape
                    .params
                    .iter()
                    .find(|param| param.place == ParamPlace::Path && param.name == name)
                    .map_or(name, |param| &param.argument);
                let given = members.iter().find(|member| member.name == argument);
                let value = given.and_then(|member| scalar(&member.value)).filter(|value| !value.is_empty());
                let value =
                    value.ok_or_else(|| fault(argument, "must be given, as a text or a number: it is in the path"))?;
                if value.len() > limits::REST_VALUE_BYTES_MAX {
                    return Err(fault(argument, format!("must have at most {} bytes", limits::REST_VALUE_BYTES_MAX)));
                }
                percent_encode(&mut path, &value);
                last = argument;
            }
        }
    }
    if has_dot_segment(&path) { Err(fault(last, "must not be `.` or `..`")) } else { Ok(path) }
}

/// Whether a segment of the path means the same or the outer directory, however it is written.
pub(super) fn has_dot_segment(path: &str) -> bool {
    path.split(['/', '\\']).any(|segment| {
        let plain = segment.replace("%2e", ".").replace("%2E", ".");
        matches!(plain.as_str(), "." | "..")
    })
}

/// Everything but letters, digits and `-._~`.
fn percent_encode(out: &mut String, text: &str) {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or('0');
            out.extend(['%', digit(byte >> 4), digit(byte & 0x0f)]);
        }
    }
}

fn add_query<'a>(query: &mut Vec<(&'a str, Cow<'a, str>)>, name: &'a str, member: &'a Member<'_>) {
    match &member.value {
        Json::Null => {}
        Json::Array(elements) => {
            for element in elements.iter().filter(|element| !element.is_null()) {
                query.push((name, scalar(element).unwrap_or_else(|| Cow::Owned(element.canonical()))));
            }
        }
        value => query.push((name, scalar(value).unwrap_or(Cow::Borrowed(member.source)))),
    }
}

fn header(name: &str, member: &Member<'_>) -> Result<Option<(String, String)>, ArgumentFault> {
    if member.value.is_null() {
        return Ok(None);
    }
    let value = scalar(&member.value)
        .ok_or_else(|| fault(&member.name, "must be a text, a number or a truth value: it is a header"))?;
    check_header_value(&value).map_err(|message| fault(&member.name, message))?;
    Ok(Some((name.to_owned(), value.into_owned())))
}

fn body(
    shape: &RestShape,
    members: &[Member<'_>],
    in_body: &[(&str, &Member<'_>)],
) -> Result<Option<String>, ArgumentFault> {
    if shape.method == "GET" || (shape.method == "DELETE" && shape.template.is_none() && in_body.is_empty()) {
        return Ok(None);
    }
    let mut out = Body(String::new());
    let Some(text) = &shape.template else {
        out.object(in_body.iter().map(|(name, member)| (*name, Value::Source(member.source))), members)?;
        return Ok(Some(out.0));
    };
    let template = json::parse(text).map_err(|error| fault_of_all(error.to_string()))?;
    if let Some(argument) = template.as_str().and_then(only_argument)
        && find(members, argument).is_none()
    {
        return Ok(None);
    }
    if let Json::Object(entries) = &template {
        let mut named = Vec::new();
        find_named(&template, &mut named);
        let of_template = entries.iter().map(|(name, value)| (&**name, Value::Template(value)));
        let others = in_body.iter().filter(|(name, member)| {
            !named.contains(&&*member.name) && !entries.iter().any(|(entry, _)| **entry == **name)
        });
        let others = others.map(|(name, member)| (*name, Value::Source(member.source)));
        out.object(of_template.chain(others), members)?;
    } else {
        out.value(&template, members)?;
    }
    Ok(Some(out.0))
}

/// The arguments that a template names.
fn find_named<'t>(template: &'t Json<'_>, named: &mut Vec<&'t str>) {
    match template {
        Json::String(text) => named.extend(pieces(text).filter_map(|piece| match piece {
            Piece::Argument(name) => Some(name),
            Piece::Literal(_) => None,
        })),
        Json::Array(elements) => elements.iter().for_each(|element| find_named(element, named)),
        Json::Object(entries) => entries.iter().for_each(|(_, value)| find_named(value, named)),
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

/// A value on its way into a body.
#[derive(Clone, Copy)]
enum Value<'a> {
    /// JSON text.
    Source(&'a str),
    /// Part of a template.
    Template(&'a Json<'a>),
}

/// A body that grows, within bounds: a template may name an argument often.
struct Body(String);

impl Body {
    fn push(&mut self, text: &str) -> Result<(), ArgumentFault> {
        if self.0.len().saturating_add(text.len()) > limits::INVOKE_BODY_BYTES_MAX {
            let message = format!("make a body of more than {} bytes", limits::INVOKE_BODY_BYTES_MAX);
            return Err(fault_of_all(message));
        }
        self.0.push_str(text);
        Ok(())
    }

    fn string(&mut self, text: &str) -> Result<(), ArgumentFault> {
        let mut written = String::new();
        write_string(&mut written, text);
        self.push(&written)
    }

    fn object<'a>(
        &mut self,
        entries: impl Iterator<Item = (&'a str, Value<'a>)>,
        members: &[Member<'_>],
    ) -> Result<(), ArgumentFault> {
        self.push("{")?;
        let mut is_first = true;
        for (name, value) in entries {
            // what the caller leaves out is left out
            if let Value::Template(Json::String(text)) = value
                && let Some(argument) = only_argument(text)
                && find(members, argument).is_none()
            {
                continue;
            }
            if !is_first {
                self.push(",")?;
            }
            is_first = false;
            self.string(name)?;
            self.push(":")?;
            match value {
                Value::Source(source) => self.push(source)?,
                Value::Template(template) => self.value(template, members)?,
            }
        }
        self.push("}")
    }

    fn value(&mut self, template: &Json<'_>, members: &[Member<'_>]) -> Result<(), ArgumentFault> {
        match template {
            Json::String(text) => match only_argument(text) {
                Some(argument) => self.push(find(members, argument).map_or("null", |member| member.source)),
                None => self.text(text, members),
            },
            Json::Array(elements) => {
                self.push("[")?;
                for (index, element) in elements.iter().enumerate() {
                    if index > 0 {
                        self.push(",")?;
                    }
                    self.value(element, members)?;
                }
                self.push("]")
            }
            Json::Object(entries) => {
                self.object(entries.iter().map(|(name, value)| (&**name, Value::Template(value))), members)
            }
            Json::Null | Json::Bool(_) | Json::Number(_) => self.push(&template.canonical()),
        }
    }

    /// A text with arguments in it.
    fn text(&mut self, text: &str, members: &[Member<'_>]) -> Result<(), ArgumentFault> {
        let mut filled = String::new();
        for piece in pieces(text) {
            match piece {
                Piece::Literal(text) => filled.push_str(text),
                Piece::Argument(name) => {
                    if let Some(member) = find(members, name) {
                        let value = if member.value.is_null() { Cow::Borrowed("") } else { text_of(member) };
                        filled.push_str(&value);
                    }
                }
            }
            if filled.len() > limits::INVOKE_BODY_BYTES_MAX {
                break;
            }
        }
        self.string(&filled)
    }
}

fn text_of<'a>(member: &'a Member<'_>) -> Cow<'a, str> {
    scalar(&member.value).unwrap_or(Cow::Borrowed(member.source))
}

fn find<'a, 'm>(members: &'a [Member<'m>], argument: &str) -> Option<&'a Member<'m>> {
    members.iter().find(|member| member.name == argument)
}
