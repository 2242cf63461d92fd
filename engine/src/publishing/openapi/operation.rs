//! One operation of a document: what it takes, and where that goes.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::{
    super::{
        beginning,
        rest::{Param, ParamPlace, RestShape},
        schema::CheckedSchema,
    },
    Document, FieldFault,
    copy::Copier,
    fault, fitting, token,
};
use crate::{json, limits};

/// Which operation it is.
pub(super) struct Place<'p> {
    pub(super) path: &'p str,
    pub(super) item_at: &'p str,
    pub(super) item: &'p Value,
    pub(super) method: &'static str,
    pub(super) at: String,
}

/// What an operation became.
pub(super) struct Read {
    pub(super) input_schema: CheckedSchema,
    pub(super) shape: RestShape,
}

pub(super) enum Outcome {
    Tool(Read),
    Skipped(String),
}

/// Headers that the document's own rules leave to others.
const HEADERS_OF_OTHERS: [&str; 3] = ["accept", "content-type", "authorization"];

/// The argument that is a body which is no object of named parts.
const WHOLE_BODY: &str = "body";

struct Parameter<'d> {
    name: &'d str,
    place: ParamPlace,
    is_required: bool,
    schema: &'d Value,
    schema_at: String,
    description: Option<&'d str>,
}

pub(super) fn read<'d>(
    document: Document<'d>,
    place: &Place<'d>,
    operation: &'d Value,
    copied: &mut usize,
) -> Result<Outcome, FieldFault> {
    if !operation.is_object() {
        return Err(fault(&place.at, "must be an object"));
    }
    let parameters = match parameters(document, place, operation)? {
        Ok(parameters) => parameters,
        Err(reason) => return Ok(Outcome::Skipped(reason)),
    };
    let body = match body(document, place, operation)? {
        Ok(body) => body,
        Err(reason) => return Ok(Outcome::Skipped(reason)),
    };
    let mut taking = Taking {
        copier: Copier::new(document, copied),
        method: place.method,
        properties: Map::new(),
        required: Vec::new(),
        params: Vec::new(),
        taken: HashSet::new(),
        in_path: HashSet::new(),
        is_whole_body: false,
    };
    for parameter in &parameters {
        taking.parameter(parameter)?;
    }
    if let Some(body) = body {
        taking.body(document, body)?;
    }
    taking.finish(place).map(Outcome::Tool)
}

type OrReason<T> = Result<T, String>;

fn parameters<'d>(
    document: Document<'d>,
    place: &Place<'d>,
    operation: &'d Value,
) -> Result<OrReason<Vec<Parameter<'d>>>, FieldFault> {
    let mut found: Vec<(String, Parameter<'d>)> = Vec::new();
    for (at, owner) in [(place.item_at.to_owned(), place.item), (place.at.clone(), operation)] {
        let list = match owner.get("parameters") {
            None => continue,
            Some(Value::Array(list)) => list,
            Some(_) => return Err(fault(&format!("{at}/parameters"), "must be a list")),
        };
        for (index, value) in list.iter().enumerate() {
            let (at, value) = document.follow(format!("{at}/parameters/{index}"), value)?;
            let kind = string(value, "in", &at)?;
            let name = string(value, "name", &at)?;
            let is_required = value.get("required") == Some(&Value::Bool(true));
            let place = match kind {
                "path" => ParamPlace::Path,
                "query" => ParamPlace::Query,
                "header" if HEADERS_OF_OTHERS.contains(&name.to_ascii_lowercase().as_str()) => continue,
                "header" if super::super::rest::check_header_name(name).is_ok() => ParamPlace::Header,
                "header" | "cookie" if !is_required => continue,
                "header" | "cookie" => return Ok(Err(format!("it needs the {kind} `{}`", beginning(name)))),
                _ => return Err(fault(&format!("{at}/in"), "must be one of `path`, `query`, `header`, `cookie`")),
            };
            let (schema_at, schema) = schema_of(document, value, &at)?;
            let description = value.get("description").and_then(Value::as_str);
            let is_required = is_required || place == ParamPlace::Path;
            let parameter = Parameter { name, place, is_required, schema, schema_at, description };
            let key = format!("{kind} {name}");
            found.retain(|(known, _)| *known != key);
            found.push((key, parameter));
            if found.len() > limits::REST_ENTRIES_MAX {
                let message = format!("has more than {} parameters", limits::REST_ENTRIES_MAX);
                return Err(fault(&at, message));
            }
        }
    }
    Ok(Ok(found.into_iter().map(|(_, parameter)| parameter).collect()))
}

fn string<'d>(value: &'d Value, key: &str, at: &str) -> Result<&'d str, FieldFault> {
    match value.get(key) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        Some(_) => Err(fault(&format!("{at}/{key}"), "must be a string that is not empty")),
        None => Err(fault(&format!("{at}/{key}"), "is missing")),
    }
}

/// The schema of a parameter, which may be that of its only media type.
fn schema_of<'d>(document: Document<'d>, value: &'d Value, at: &str) -> Result<(String, &'d Value), FieldFault> {
    if let Some(schema) = value.get("schema") {
        return Ok((format!("{at}/schema"), schema));
    }
    let content = value.get("content").and_then(Value::as_object).and_then(|content| content.iter().next());
    let Some((media_type, content)) = content else { return Err(fault(&format!("{at}/schema"), "is missing")) };
    let (at, content) = document.follow(format!("{at}/content/{}", token(media_type)), content)?;
    let schema = content.get("schema").ok_or_else(|| fault(&format!("{at}/schema"), "is missing"))?;
    Ok((format!("{at}/schema"), schema))
}

struct JsonBody<'d> {
    schema: Option<&'d Value>,
    schema_at: String,
    is_required: bool,
}

fn body<'d>(
    document: Document<'d>,
    place: &Place<'d>,
    operation: &'d Value,
) -> Result<OrReason<Option<JsonBody<'d>>>, FieldFault> {
    let Some(value) = operation.get("requestBody") else { return Ok(Ok(None)) };
    let (at, value) = document.follow(format!("{}/requestBody", place.at), value)?;
    let content = match value.get("content") {
        Some(Value::Object(content)) => content,
        Some(_) => return Err(fault(&format!("{at}/content"), "must be an object")),
        None => return Err(fault(&format!("{at}/content"), "is missing")),
    };
    let is_required = value.get("required") == Some(&Value::Bool(true));
    if place.method == "GET" {
        return Ok(if is_required { Err("it is a `GET` with a body".to_owned()) } else { Ok(None) });
    }
    let Some((media_type, content)) = content.iter().find(|(media_type, _)| is_json(media_type)) else {
        return Ok(if is_required { Err("its body is not JSON".to_owned()) } else { Ok(None) });
    };
    let (at, content) = document.follow(format!("{at}/content/{}", token(media_type)), content)?;
    Ok(Ok(Some(JsonBody { schema: content.get("schema"), schema_at: format!("{at}/schema"), is_required })))
}

fn is_json(media_type: &str) -> bool {
    let plain = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(plain.as_str(), "application/json" | "text/json" | "*/*" | "application/*") || plain.ends_with("+json")
}

/// Gathers the arguments of a tool.
struct Taking<'d, 'c> {
    copier: Copier<'d, 'c>,
    method: &'static str,
    properties: Map<String, Value>,
    required: Vec<Value>,
    params: Vec<Param>,
    taken: HashSet<String>,
    in_path: HashSet<String>,
    is_whole_body: bool,
}

impl<'d> Taking<'d, '_> {
    fn argument(&mut self, name: &str, place: ParamPlace, is_required: bool, schema: Value) {
        let wanted = fitting(name, limits::ECHO_CHARS_MAX);
        let other = format!("{wanted}_{}", place.as_str());
        let numbered = (2_usize..).map(|number| format!("{other}_{number}"));
        let free = [wanted.clone(), other.clone()].into_iter().chain(numbered).find(|name| !self.taken.contains(name));
        let argument = free.unwrap_or_default();
        self.taken.insert(argument.clone());
        if is_required {
            self.required.push(Value::String(argument.clone()));
        }
        self.properties.insert(argument.clone(), schema);
        let goes_there_by_itself = argument == name
            && match place {
                ParamPlace::Path => true,
                ParamPlace::Query => matches!(self.method, "GET" | "DELETE"),
                ParamPlace::Body => !matches!(self.method, "GET" | "DELETE"),
                ParamPlace::Header => false,
            };
        if !goes_there_by_itself {
            self.params.push(Param { argument, place, name: name.to_owned() });
        }
    }

    fn parameter(&mut self, parameter: &Parameter<'d>) -> Result<(), FieldFault> {
        if parameter.place == ParamPlace::Path {
            self.in_path.insert(parameter.name.to_owned());
        }
        let mut schema = self.copier.schema(parameter.schema, &parameter.schema_at)?;
        if let (Value::Object(keywords), Some(description)) = (&mut schema, parameter.description)
            && !keywords.contains_key("$ref")
        {
            let text = super::bounded(description, limits::PRICING_DESCRIPTION_CHARS_MAX);
            keywords.entry("description").or_insert(Value::String(text));
        }
        self.argument(parameter.name, parameter.place, parameter.is_required, schema);
        Ok(())
    }

    /// The parts of an object become arguments of their own; any other body is one argument.
    fn body(&mut self, document: Document<'d>, body: JsonBody<'d>) -> Result<(), FieldFault> {
        let Some(schema) = body.schema else {
            self.whole_body(json!({}), body.is_required);
            return Ok(());
        };
        let (at, target) = document.follow(body.schema_at.clone(), schema)?;
        let is_object = target.get("type").is_none_or(|kind| kind.as_str() == Some("object"));
        let is_composed = ["allOf", "anyOf", "oneOf", "not", "if", "patternProperties", "dependentSchemas"]
            .into_iter()
            .any(|keyword| target.get(keyword).is_some());
        let is_nullable = target.get("nullable") == Some(&Value::Bool(true));
        let parts = target.get("properties").and_then(Value::as_object);
        let fits = |parts: &&Map<String, Value>| {
            !parts.is_empty()
                && parts.len().saturating_add(self.params.len()) <= limits::REST_ENTRIES_MAX
                && parts.keys().all(|name| !name.is_empty() && name.len() <= limits::REST_NAME_BYTES_MAX)
        };
        let Some(parts) = parts.filter(fits).filter(|_| is_object && !is_composed && !is_nullable) else {
            let copied = self.copier.schema(schema, &body.schema_at)?;
            self.whole_body(copied, body.is_required);
            return Ok(());
        };
        let required = target.get("required").and_then(Value::as_array);
        for (name, part) in parts {
            let is_required = body.is_required
                && required.is_some_and(|required| required.iter().any(|required| required.as_str() == Some(name)));
            let schema = self.copier.schema(part, &format!("{at}/properties/{}", token(name)))?;
            self.argument(name, ParamPlace::Body, is_required, schema);
        }
        Ok(())
    }

    fn whole_body(&mut self, schema: Value, is_required: bool) {
        let numbered = (2_usize..).map(|number| format!("{WHOLE_BODY}_{number}"));
        let free = std::iter::once(WHOLE_BODY.to_owned()).chain(numbered).find(|name| !self.taken.contains(name));
        let argument = free.unwrap_or_default();
        self.taken.insert(argument.clone());
        if is_required {
            self.required.push(Value::String(argument.clone()));
        }
        self.properties.insert(argument, schema);
        self.is_whole_body = true;
    }

    fn finish(mut self, place: &Place<'_>) -> Result<Read, FieldFault> {
        let definitions = self.copier.definitions()?;
        let template = self.is_whole_body.then(|| self.properties.keys().next_back().cloned()).flatten();
        let mut schema = Map::from_iter([("type".to_owned(), json!("object"))]);
        schema.insert("properties".to_owned(), Value::Object(self.properties));
        if !self.required.is_empty() {
            schema.insert("required".to_owned(), Value::Array(self.required));
        }
        if !definitions.is_empty() {
            schema.insert("$defs".to_owned(), Value::Object(definitions));
        }
        let input_schema = CheckedSchema::new(Value::Object(schema).to_string())
            .map_err(|refused| fault(&place.at, format!("its input schema {}", refused.message)))?;
        let of_path = |refused: FieldFault| fault(&place.at, format!("`{}` {}", refused.field, refused.message));
        let mut shape = RestShape::plain(place.method, place.path, self.params).map_err(of_path)?;
        if let Some(argument) = template {
            let field = json!({ "rest_body_template": format!("{{{argument}}}") }).to_string();
            let fields = json::parse(&field).map_err(|error| fault(&place.at, error.to_string()))?;
            shape = shape.changed(&fields).map_err(of_path)?;
        }
        if let Some(name) = shape.placeholders().find(|name| !self.in_path.contains(*name)) {
            let what = format!("`parameters` has none in the path with the name `{}`", beginning(name));
            return Err(fault(&place.at, what));
        }
        if let Some(name) = self.in_path.iter().find(|name| !shape.placeholders().any(|known| known == **name)) {
            let what = format!("`parameters` has `{}` in the path, which has no such place", beginning(name));
            return Err(fault(&place.at, what));
        }
        Ok(Read { input_schema, shape })
    }
}
