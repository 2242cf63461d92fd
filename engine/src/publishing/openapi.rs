//! An `OpenAPI` document (3.0 or 3.1, JSON or YAML) as tools: one for every operation that takes JSON or no body.
//!
//! References lead to places in the document and nowhere else. Schemas that are referred to are copied once, so that one
//! which contains itself stays one. What a document may cost is bounded: its size, its operations, what is copied.
//! Whatever is missing or wrong is named with its place, a JSON pointer (RFC 6901).

mod copy;
mod operation;

use serde_json::{Map, Value};
use url::Url;

use super::{
    FieldFault, beginning,
    names::{Names, fitting},
    rest::RestShape,
    schema::CheckedSchema,
    yaml,
};
use crate::{catalog::http_url, json, limits};

/// A tool that a document describes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedTool {
    /// Fit to be a tool's name, and no other tool's of this document.
    pub name: String,
    /// One line.
    pub short_description: String,
    /// May be empty.
    pub long_description: String,
    /// What it takes.
    pub input_schema: CheckedSchema,
    /// How calls become requests.
    pub shape: RestShape,
    /// Where the document describes it, as a JSON pointer.
    pub at: String,
}

/// An operation that makes no tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Where the document describes it, as a JSON pointer.
    pub at: String,
    /// Why it makes none.
    pub reason: String,
}

/// What a document describes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// What the interface is called.
    pub title: Option<String>,
    /// About the interface; may be empty.
    pub description: String,
    /// The address of its first server with its variables filled in; may be relative to where the document is from.
    pub server: Option<String>,
    /// In the order of the document.
    pub tools: Vec<DescribedTool>,
    /// What cannot be a tool, as the body that it takes is not JSON or it needs a cookie.
    pub skipped: Vec<Skipped>,
}

const METHODS: [(&str, &str); 5] =
    [("get", "GET"), ("post", "POST"), ("put", "PUT"), ("patch", "PATCH"), ("delete", "DELETE")];

/// A reference to a reference, and so on, so often.
const REFERENCES_MAX: usize = 16;

/// Reads a document.
///
/// # Errors
///
/// [`FieldFault`] of `spec`, with the place in it.
pub fn read(text: &str) -> Result<Described, FieldFault> {
    if text.len() > limits::OPENAPI_BYTES_MAX {
        return Err(FieldFault::new("spec", format!("must have at most {} bytes", limits::OPENAPI_BYTES_MAX)));
    }
    let value = value_of(text.trim_start_matches('\u{feff}')).map_err(|error| FieldFault::new("spec", error))?;
    let root = value.as_object().ok_or_else(|| FieldFault::new("spec", "must be an object"))?;
    let document = Document { root: &value, is_3_0: version(root)? };
    let paths = match root.get("paths") {
        Some(Value::Object(paths)) => paths,
        Some(_) => return Err(fault("/paths", "must be an object")),
        None => return Err(fault("/paths", "is missing")),
    };
    let mut reading = Reading { document, names: Names::default(), copied: 0, tools: Vec::new(), skipped: Vec::new() };
    for (path, item) in paths.iter().filter(|(path, _)| !path.starts_with("x-")) {
        reading.path(path, item)?;
    }
    if reading.tools.is_empty() && reading.skipped.is_empty() {
        return Err(fault("/paths", "has no operation"));
    }
    let info = |key: &str| value.pointer(&format!("/info/{key}")).and_then(Value::as_str).unwrap_or_default();
    Ok(Described {
        title: Some(line(info("title"))).filter(|title| !title.is_empty()),
        description: bounded(info("description"), limits::DESCRIPTION_CHARS_MAX),
        server: server(root)?,
        tools: reading.tools,
        skipped: reading.skipped,
    })
}

/// What begins as JSON does is JSON; everything else is YAML.
fn value_of(text: &str) -> Result<Value, String> {
    if text.trim_start().starts_with(['{', '[', '"']) {
        return json::parse(text).map(|parsed| parsed.to_value()).map_err(|error| error.to_string());
    }
    yaml::parse(text).map_err(|error| error.to_string())
}

impl Described {
    /// The address below which its operations are.
    ///
    /// # Errors
    ///
    /// [`FieldFault`] if the document names none that is absolute, and is from no address that it could be relative to.
    pub fn base(&self, document: Option<&Url>) -> Result<Url, FieldFault> {
        let at = "/servers/0/url";
        let named =
            self.server.as_deref().ok_or_else(|| fault("/servers", "is missing, and no other address is given"))?;
        let text = match document {
            Some(document) => document.join(named).map_err(|_not_a_url| fault(at, "is not an address"))?.to_string(),
            None => named.to_owned(),
        };
        http_url(&text).map_err(|error| fault(at, error.to_string()))
    }
}

/// A fault of the document at a place.
fn fault(at: &str, message: impl Into<String>) -> FieldFault {
    FieldFault::new(format!("spec{at}"), message)
}

/// Whether it is 3.0.
fn version(root: &Map<String, Value>) -> Result<bool, FieldFault> {
    match root.get("openapi") {
        Some(Value::String(version)) if version.starts_with("3.0.") => Ok(true),
        Some(Value::String(version)) if version.starts_with("3.1.") => Ok(false),
        Some(_) => Err(fault("/openapi", "must be a version 3.0 or 3.1")),
        None if root.contains_key("swagger") => Err(fault("/swagger", "is a version that is not read, only OpenAPI 3")),
        None => Err(fault("/openapi", "is missing")),
    }
}

fn server(root: &Map<String, Value>) -> Result<Option<String>, FieldFault> {
    let Some(server) = root.get("servers").and_then(|servers| servers.get(0)) else { return Ok(None) };
    let url = server.get("url").ok_or_else(|| fault("/servers/0/url", "is missing"))?;
    let mut url = url.as_str().ok_or_else(|| fault("/servers/0/url", "must be a string"))?.to_owned();
    if let Some(Value::Object(variables)) = server.get("variables") {
        for (name, variable) in variables.iter().take(limits::REST_ENTRIES_MAX) {
            let default = variable.get("default").and_then(Value::as_str);
            let at = format!("/servers/0/variables/{}/default", token(name));
            let default = default.ok_or_else(|| fault(&at, "must be a string"))?;
            url = url.replace(&format!("{{{name}}}"), default);
            if url.len() > limits::REST_VALUE_BYTES_MAX {
                break;
            }
        }
    }
    if url.len() > limits::REST_VALUE_BYTES_MAX {
        return Err(fault("/servers/0/url", format!("must have at most {} bytes", limits::REST_VALUE_BYTES_MAX)));
    }
    Ok(Some(url))
}

/// A token of a JSON pointer.
fn token(name: &str) -> String {
    let shown = name.replace('~', "~0").replace('/', "~1");
    if shown.len() > 4 * limits::ECHO_CHARS_MAX { beginning(&shown) } else { shown }
}

/// On one line, as long as a line may be.
fn line(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    bounded(&words.join(" "), limits::LINE_CHARS_MAX)
}

fn bounded(text: &str, chars_max: usize) -> String {
    let plain = text.trim().chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t'));
    plain.take(chars_max).collect()
}

#[derive(Clone, Copy)]
struct Document<'d> {
    root: &'d Value,
    is_3_0: bool,
}

impl<'d> Document<'d> {
    /// What is at a place, behind all references, and the place where it really is.
    fn follow(self, at: String, value: &'d Value) -> Result<(String, &'d Value), FieldFault> {
        let (mut at, mut value) = (at, value);
        for _ in 0..REFERENCES_MAX {
            let Some(reference) = value.get("$ref") else { return Ok((at, value)) };
            let pointer = local(reference, &at)?;
            value = self.find(&pointer, &at)?;
            at = pointer;
        }
        Err(fault(&at, "refers to itself, or too often to something else"))
    }

    fn find(self, pointer: &str, at: &str) -> Result<&'d Value, FieldFault> {
        self.root
            .pointer(pointer)
            .ok_or_else(|| fault(&format!("{at}/$ref"), format!("leads to `{}`, which is missing", beginning(pointer))))
    }
}

/// The pointer of a reference to a place in the document.
fn local(reference: &Value, at: &str) -> Result<String, FieldFault> {
    let at = format!("{at}/$ref");
    let text = reference.as_str().ok_or_else(|| fault(&at, "must be a string"))?;
    let pointer = text.strip_prefix("#/").ok_or_else(|| fault(&at, "must lead to a place in the document (`#/…`)"))?;
    let pointer = crate::catalog::fragment(pointer).ok_or_else(|| fault(&at, "is not encoded as a fragment"))?;
    Ok(format!("/{pointer}"))
}

struct Reading<'d> {
    document: Document<'d>,
    names: Names,
    /// How many values were copied into schemas.
    copied: usize,
    tools: Vec<DescribedTool>,
    skipped: Vec<Skipped>,
}

impl<'d> Reading<'d> {
    fn path(&mut self, path: &str, item: &'d Value) -> Result<(), FieldFault> {
        let (at, item) = self.document.follow(format!("/paths/{}", token(path)), item)?;
        if !item.is_object() {
            return Err(fault(&at, "must be an object"));
        }
        for (key, method) in METHODS {
            let Some(operation) = item.get(key) else { continue };
            if self.tools.len().saturating_add(self.skipped.len()) >= limits::OPENAPI_OPERATIONS_MAX {
                let message = format!("has more than {} operations", limits::OPENAPI_OPERATIONS_MAX);
                return Err(fault("/paths", message));
            }
            let at = operation::Place { path, item_at: &at, item, method, at: format!("{at}/{key}") };
            match operation::read(self.document, &at, operation, &mut self.copied)? {
                operation::Outcome::Tool(read) => self.tool(&at, operation, read),
                operation::Outcome::Skipped(reason) => self.skipped.push(Skipped { at: at.at, reason }),
            }
        }
        Ok(())
    }

    fn tool(&mut self, place: &operation::Place<'_>, operation: &Value, read: operation::Read) {
        let text = |key: &str| operation.get(key).and_then(Value::as_str).unwrap_or_default();
        let long = bounded(text("description"), limits::DESCRIPTION_CHARS_MAX);
        let first = |text: &str| line(text.trim().lines().next().unwrap_or_default());
        let short = [line(text("summary")), first(&long), format!("{} {}", place.method, line(place.path))];
        let wanted = match text("operationId") {
            "" => format!("{}_{}", place.method.to_ascii_lowercase(), place.path),
            id => id.to_owned(),
        };
        let name = self.names.take(&wanted);
        self.tools.push(DescribedTool {
            name,
            short_description: short.into_iter().find(|line| !line.is_empty()).unwrap_or_default(),
            long_description: long,
            input_schema: read.input_schema,
            shape: read.shape,
            at: place.at.clone(),
        });
    }
}

#[cfg(test)]
mod tests;
