//! A call as a request of a REST interface: which argument goes where.
//!
//! A shape belongs to a base URL, and no argument leads away from it: a path is put together from segments whose values
//! are percent-encoded, and the result is compared with the base once more. What a publisher may not set are the headers
//! that belong to the connection or say who asks; secrets are kept as credentials, not in a shape.
//!
//! Arguments go where `rest_param_map` says (`{"argument": "query"}` or `{"argument": {"in": "header", "name": "X-Page"}}`).
//! One that is not in it and that the path names in braces goes into the path; others go into the query with `GET` and
//! `DELETE` and into the body else, unless the publisher sets that name there itself or puts another argument there under it:
//! then it is left out. A `rest_body_template` is JSON with arguments in braces: `"{text}"` becomes the
//! argument as it is, `"of {text}"` a text with it.

mod build;
mod read;
mod template;

use std::fmt::Write as _;

use url::Url;

pub use build::ShapedRequest;
pub(crate) use read::check_header_name;

use super::{FieldFault, beginning};
use crate::{
    catalog::ArgumentFault,
    json::{Json, write_string},
};

/// Where an argument goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ParamPlace {
    /// Into a segment of the path.
    Path,
    /// Into the query: lists as often as they have elements, objects as JSON text.
    Query,
    /// Into a header.
    Header,
    /// Into the body, as a member of its object.
    Body,
}

impl ParamPlace {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
            Self::Body => "body",
        }
    }

    fn from_wire(text: &str) -> Option<Self> {
        [Self::Path, Self::Query, Self::Header, Self::Body].into_iter().find(|place| place.as_str() == text)
    }
}

/// Where one argument goes, and under which name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Param {
    /// The argument.
    pub argument: String,
    /// Where it goes.
    pub place: ParamPlace,
    /// What it is called there: the placeholder, the query parameter, the header, the member.
    pub name: String,
}

/// How calls of a tool become requests below a base URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestShape {
    method: &'static str,
    path: String,
    params: Vec<Param>,
    template: Option<String>,
    headers: Vec<(String, String)>,
    query: Vec<(String, String)>,
}

impl RestShape {
    /// Reads a JSON object with `rest_method`, `rest_path`, `rest_param_map`, `rest_body_template`,
    /// `rest_static_headers` and `rest_static_query`. Others of its members are left alone, `null` is as absent.
    ///
    /// # Errors
    ///
    /// [`FieldFault`] with the field that is wrong or missing.
    pub fn read(fields: &Json<'_>) -> Result<Self, FieldFault> {
        read::shape(None, fields)
    }

    /// The same shape with what `fields` has of it: absent fields stay, `null` takes an optional one away.
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub fn changed(&self, fields: &Json<'_>) -> Result<Self, FieldFault> {
        read::shape(Some(self), fields)
    }

    /// Reads what [`Self::to_text`] writes.
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub fn from_text(text: &str) -> Result<Self, FieldFault> {
        let fields = crate::json::parse(text).map_err(|error| FieldFault::new("rest", error.to_string()))?;
        Self::read(&fields)
    }

    /// The shape of a request without a body template and static parts.
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub fn plain(method: &str, path: &str, params: Vec<Param>) -> Result<Self, FieldFault> {
        let method = read::method(method)?;
        let shape =
            Self { method, path: path.to_owned(), params, template: None, headers: Vec::new(), query: Vec::new() };
        read::check(&shape)?;
        Ok(shape)
    }

    /// The method, upper case.
    pub const fn method(&self) -> &'static str {
        self.method
    }

    /// The path, with arguments in braces.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The names in braces in the path.
    pub fn placeholders(&self) -> impl Iterator<Item = &str> {
        read::placeholders(&self.path)
    }

    /// Where arguments go that are not where they would go by themselves.
    pub fn params(&self) -> &[Param] {
        &self.params
    }

    /// Everything as JSON text, for storing and showing: an object with the names that [`Self::read`] reads.
    pub fn to_text(&self) -> String {
        let mut text = String::from("{\"rest_method\":");
        write_string(&mut text, self.method);
        text.push_str(",\"rest_path\":");
        write_string(&mut text, &self.path);
        text.push_str(",\"rest_param_map\":{");
        for (index, param) in self.params.iter().enumerate() {
            text.push_str(if index > 0 { "," } else { "" });
            write_string(&mut text, &param.argument);
            // writing to a string never fails
            let _written = write!(text, ":{{\"in\":\"{}\",\"name\":", param.place.as_str());
            write_string(&mut text, &param.name);
            text.push('}');
        }
        text.push('}');
        if let Some(template) = &self.template {
            text.push_str(",\"rest_body_template\":");
            text.push_str(template);
        }
        for (name, pairs) in [("rest_static_headers", &self.headers), ("rest_static_query", &self.query)] {
            let _written = write!(text, ",\"{name}\":{{");
            for (index, (name, value)) in pairs.iter().enumerate() {
                text.push_str(if index > 0 { "," } else { "" });
                write_string(&mut text, name);
                text.push(':');
                write_string(&mut text, value);
            }
            text.push('}');
        }
        text.push('}');
        text
    }

    /// The request for `arguments` (a JSON object) below `base`.
    ///
    /// # Errors
    ///
    /// [`ArgumentFault`] with the argument that cannot be put where it belongs.
    pub fn shape(&self, base: &Url, arguments: &str) -> Result<ShapedRequest, ArgumentFault> {
        build::request(self, base, arguments)
    }

    /// Where an argument goes, and under which name.
    fn place_of<'a>(&'a self, argument: &'a str) -> (ParamPlace, &'a str) {
        if let Some(param) = self.params.iter().find(|param| param.argument == argument) {
            return (param.place, &param.name);
        }
        let is_in_path = template::pieces(&self.path).any(|piece| piece == template::Piece::Argument(argument));
        let place = match self.method {
            _ if is_in_path => ParamPlace::Path,
            "GET" | "DELETE" => ParamPlace::Query,
            _ => ParamPlace::Body,
        };
        (place, argument)
    }
}

#[cfg(test)]
mod tests;
