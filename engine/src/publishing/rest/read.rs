//! Reading a shape, strictly.

use super::{FieldFault, Param, ParamPlace, RestShape, beginning, template};
use crate::{
    catalog::HTTP_METHODS,
    json::{self, Json},
    limits,
};

/// Headers that belong to the connection, to us, or to a credential.
const HEADERS_REFUSED: [&str; 17] = [
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "idempotency-key",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-forwarded-for",
];
const HEADER_PREFIXES_REFUSED: [&str; 3] = ["proxy-", "x-tollgate-", "sec-"];

pub(super) fn shape(old: Option<&RestShape>, fields: &Json<'_>) -> Result<RestShape, FieldFault> {
    if fields.as_object().is_none() {
        return Err(FieldFault::new("rest", "must be a JSON object"));
    }
    let method = match (string(fields, "rest_method")?, old) {
        (Some(text), _) => method(text)?,
        (None, Some(old)) => old.method,
        (None, None) => return Err(FieldFault::new("rest_method", "is missing")),
    };
    let path = match (string(fields, "rest_path")?, old) {
        (Some(text), _) => text.to_owned(),
        (None, Some(old)) => old.path.clone(),
        (None, None) => return Err(FieldFault::new("rest_path", "is missing")),
    };
    let kept = |field: &str| fields.get(field).is_none().then_some(old).flatten();
    let given = |field: &str| fields.get(field).filter(|value| !value.is_null());
    let params = match kept("rest_param_map") {
        Some(old) => old.params.clone(),
        None => given("rest_param_map").map(param_map).transpose()?.unwrap_or_default(),
    };
    let template = match kept("rest_body_template") {
        Some(old) => old.template.clone(),
        None => given("rest_body_template").map(text_of),
    };
    let pairs = |field: &'static str, of: fn(&RestShape) -> &Vec<(String, String)>| match kept(field) {
        Some(old) => Ok(of(old).clone()),
        None => given(field).map_or_else(|| Ok(Vec::new()), |value| static_pairs(field, value)),
    };
    let headers = pairs("rest_static_headers", |old| &old.headers)?;
    let query = pairs("rest_static_query", |old| &old.query)?;
    let shape = RestShape { method, path, params, template, headers, query };
    check(&shape)?;
    Ok(shape)
}

/// As it was written, but for the order of members.
fn text_of(value: &Json<'_>) -> String {
    value.canonical()
}

fn string<'f>(fields: &'f Json<'_>, field: &'static str) -> Result<Option<&'f str>, FieldFault> {
    match fields.get(field) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) => Ok(Some(text)),
        Some(_) => Err(FieldFault::new(field, "must be a string")),
    }
}

pub(super) fn method(text: &str) -> Result<&'static str, FieldFault> {
    let upper = text.to_ascii_uppercase();
    HTTP_METHODS
        .into_iter()
        .find(|method| *method == upper)
        .ok_or_else(|| FieldFault::new("rest_method", format!("must be one of {}", HTTP_METHODS.join(", "))))
}

fn param_map(value: &Json<'_>) -> Result<Vec<Param>, FieldFault> {
    let members = value.as_object().ok_or_else(|| FieldFault::new("rest_param_map", "must be a JSON object"))?;
    members.iter().map(|(argument, value)| param(argument, value)).collect()
}

fn param(argument: &str, value: &Json<'_>) -> Result<Param, FieldFault> {
    let fault = |message: &str| FieldFault::new(format!("rest_param_map.{}", beginning(argument)), message);
    let place = |text: &str| {
        ParamPlace::from_wire(text).ok_or_else(|| fault("must be in one of `path`, `query`, `header`, `body`"))
    };
    let (place, name) = match value {
        Json::String(text) => (place(text)?, argument),
        Json::Object(members) => {
            if let Some((other, _)) = members.iter().find(|(name, _)| !matches!(&**name, "in" | "name")) {
                return Err(fault(&format!("has the member `{}`, which is not known", beginning(other))));
            }
            let text =
                value.get("in").and_then(Json::as_str).ok_or_else(|| fault("must say in a string `in` where"))?;
            let name = match value.get("name") {
                None | Some(Json::Null) => argument,
                Some(Json::String(name)) => name,
                Some(_) => return Err(fault("must have a string as its `name`")),
            };
            (place(text)?, name)
        }
        _ => return Err(fault("must be a string or an object with `in` and `name`")),
    };
    Ok(Param { argument: argument.to_owned(), place, name: name.to_owned() })
}

fn static_pairs(field: &'static str, value: &Json<'_>) -> Result<Vec<(String, String)>, FieldFault> {
    let members = value.as_object().ok_or_else(|| FieldFault::new(field, "must be a JSON object"))?;
    members
        .iter()
        .map(|(name, value)| {
            let text = match value {
                Json::String(text) => text.clone().into_owned(),
                Json::Number(text) => (*text).to_owned(),
                Json::Bool(value) => value.to_string(),
                Json::Null | Json::Array(_) | Json::Object(_) => {
                    let field = format!("{field}.{}", beginning(name));
                    return Err(FieldFault::new(field, "must be a string, a number or a truth value"));
                }
            };
            Ok((name.clone().into_owned(), text))
        })
        .collect()
}

/// Everything that is wrong with a shape, whoever made it.
pub(super) fn check(shape: &RestShape) -> Result<(), FieldFault> {
    check_path(&shape.path)?;
    check_counts(shape)?;
    for param in &shape.params {
        check_param(shape, param)?;
    }
    for placeholder in placeholders(&shape.path) {
        let named = |param: &Param| param.place == ParamPlace::Path && param.name == placeholder;
        let is_elsewhere =
            shape.params.iter().any(|param| param.argument == placeholder && param.place != ParamPlace::Path);
        if is_elsewhere && !shape.params.iter().any(named) {
            let what = format!("has `{{{placeholder}}}`, which `rest_param_map` puts elsewhere");
            return Err(FieldFault::new("rest_path", what));
        }
    }
    for (name, value) in &shape.headers {
        let field = || format!("rest_static_headers.{}", beginning(name));
        check_header_name(name).map_err(|message| FieldFault::new(field(), message))?;
        check_header_value(value).map_err(|message| FieldFault::new(field(), message))?;
    }
    for (name, value) in &shape.query {
        let field = || format!("rest_static_query.{}", beginning(name));
        check_query_name(name).map_err(|message| FieldFault::new(field(), message))?;
        if value.len() > limits::REST_VALUE_BYTES_MAX || value.chars().any(char::is_control) {
            let message =
                format!("must have at most {} bytes without control characters", limits::REST_VALUE_BYTES_MAX);
            return Err(FieldFault::new(field(), message));
        }
    }
    check_once(shape)?;
    check_template(shape)
}

pub(super) fn placeholders(path: &str) -> impl Iterator<Item = &str> {
    template::pieces(path).filter_map(|piece| match piece {
        template::Piece::Argument(name) => Some(name),
        template::Piece::Literal(_) => None,
    })
}

fn check_path(path: &str) -> Result<(), FieldFault> {
    let fault = |message: &str| Err(FieldFault::new("rest_path", message));
    if path.len() > limits::REST_PATH_BYTES_MAX {
        return fault(&format!("must have at most {} bytes", limits::REST_PATH_BYTES_MAX));
    }
    if !path.starts_with('/') || path.starts_with("//") {
        return fault("must begin with one `/`");
    }
    for piece in template::pieces(path) {
        if let template::Piece::Literal(text) = piece
            && !text.bytes().all(is_path_byte)
        {
            return fault("must have letters, digits, `/`, `-._~!$&'()*+,;=:@%` and arguments in braces only");
        }
    }
    let without_arguments = path.replace(['{', '}'], "x");
    if super::build::has_dot_segment(&without_arguments) || !is_percent_encoded(path) {
        return fault("must not have `.` or `..` as a segment, nor a `%` without two hexadecimal digits");
    }
    Ok(())
}

const fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'/' | b'-'
                | b'.'
                | b'_'
                | b'~'
                | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b';'
                | b'='
                | b':'
                | b'@'
                | b'%'
        )
}

fn is_percent_encoded(path: &str) -> bool {
    path.split('%').skip(1).all(|after| {
        let digits: Vec<u8> = after.bytes().take(2).collect();
        digits.len() == 2 && digits.iter().all(u8::is_ascii_hexdigit)
    })
}

fn check_counts(shape: &RestShape) -> Result<(), FieldFault> {
    let counts = [
        ("rest_param_map", shape.params.len()),
        ("rest_static_headers", shape.headers.len()),
        ("rest_static_query", shape.query.len()),
    ];
    match counts.into_iter().find(|(_, count)| *count > limits::REST_ENTRIES_MAX) {
        Some((field, _)) => {
            Err(FieldFault::new(field, format!("must have at most {} entries", limits::REST_ENTRIES_MAX)))
        }
        None => Ok(()),
    }
}

fn check_param(shape: &RestShape, param: &Param) -> Result<(), FieldFault> {
    let fault = |message: String| FieldFault::new(format!("rest_param_map.{}", beginning(&param.argument)), message);
    if param.argument.is_empty() || param.argument.len() > limits::REST_NAME_BYTES_MAX {
        return Err(fault(format!("must be of an argument with 1 to {} bytes", limits::REST_NAME_BYTES_MAX)));
    }
    match param.place {
        ParamPlace::Path if !placeholders(&shape.path).any(|name| name == param.name) => {
            Err(fault("is in the path, which has no such place".to_owned()))
        }
        ParamPlace::Query => check_query_name(&param.name).map_err(fault),
        ParamPlace::Header => check_header_name(&param.name).map_err(fault),
        ParamPlace::Body if shape.method == "GET" => Err(fault("is in the body, which `GET` does not have".to_owned())),
        ParamPlace::Body if param.name.is_empty() || param.name.len() > limits::REST_NAME_BYTES_MAX => {
            Err(fault(format!("must have a name with 1 to {} bytes", limits::REST_NAME_BYTES_MAX)))
        }
        ParamPlace::Path | ParamPlace::Body => Ok(()),
    }
}

fn check_query_name(name: &str) -> Result<(), String> {
    if (1..=limits::REST_NAME_BYTES_MAX).contains(&name.len()) && !name.chars().any(char::is_control) {
        Ok(())
    } else {
        Err(format!("must have a name with 1 to {} bytes without control characters", limits::REST_NAME_BYTES_MAX))
    }
}

/// The name of a header that a publisher or a caller may set.
pub(crate) fn check_header_name(name: &str) -> Result<(), String> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if !(1..=limits::REST_NAME_BYTES_MAX).contains(&name.len()) || !name.bytes().all(is_token) {
        return Err("is not the name of a header".to_owned());
    }
    let lower = name.to_ascii_lowercase();
    let is_refused = HEADERS_REFUSED.contains(&lower.as_str())
        || HEADER_PREFIXES_REFUSED.iter().any(|prefix| lower.starts_with(prefix));
    if is_refused { Err("is a header that cannot be set here".to_owned()) } else { Ok(()) }
}

pub(super) fn check_header_value(value: &str) -> Result<(), String> {
    if value.len() <= limits::REST_VALUE_BYTES_MAX && value.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        Ok(())
    } else {
        Err(format!("must have at most {} visible ASCII characters", limits::REST_VALUE_BYTES_MAX))
    }
}

/// Nothing is set twice: by two arguments, or by the publisher and an argument.
fn check_once(shape: &RestShape) -> Result<(), FieldFault> {
    let mut seen: Vec<(ParamPlace, String)> = Vec::new();
    let fixed = shape.headers.iter().map(|(name, _)| ("rest_static_headers", ParamPlace::Header, name.as_str(), name));
    let asked = shape.query.iter().map(|(name, _)| ("rest_static_query", ParamPlace::Query, name.as_str(), name));
    let given = shape.params.iter().map(|param| ("rest_param_map", param.place, param.name.as_str(), &param.argument));
    for (field, place, name, shown) in fixed.chain(asked).chain(given) {
        let name = if place == ParamPlace::Header { name.to_ascii_lowercase() } else { name.to_owned() };
        if seen.contains(&(place, name.clone())) {
            let message = format!("sets `{}` in the {} a second time", beginning(&name), place.as_str());
            return Err(FieldFault::new(format!("{field}.{}", beginning(shown)), message));
        }
        seen.push((place, name));
    }
    Ok(())
}

fn check_template(shape: &RestShape) -> Result<(), FieldFault> {
    let Some(text) = &shape.template else { return Ok(()) };
    let fault = |message: String| Err(FieldFault::new("rest_body_template", message));
    if shape.method == "GET" {
        return fault("is for a body, which `GET` does not have".to_owned());
    }
    if text.len() > limits::REST_TEMPLATE_BYTES_MAX {
        return fault(format!("must have at most {} bytes", limits::REST_TEMPLATE_BYTES_MAX));
    }
    match json::parse(text) {
        Err(error) => fault(error.to_string()),
        Ok(Json::Object(_)) => Ok(()),
        Ok(_) if shape.params.iter().any(|param| param.place == ParamPlace::Body) => {
            fault("must be a JSON object, because arguments are put into it".to_owned())
        }
        Ok(_) => Ok(()),
    }
}
