//! Arguments that a publisher sets: static ones, which override the caller and are nobody's business, and defaults, which
//! stand in for what the caller leaves out.
//!
//! Callers see, and their arguments are checked against, the public schema: without the static arguments, and with the
//! defaults named as such. What the upstream hears are the merged arguments. Values are kept as they were written, so no
//! digit is lost on the way.

mod definitions;
mod elsewhere;

use serde_json::{Map, Value};

use super::{FieldFault, beginning};
use crate::{
    json::{self, JsonError, write_string},
    limits,
};

/// The arguments that a publisher sets for a tool.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SetArguments {
    fixed: Vec<(String, String)>,
    defaults: Vec<(String, String)>,
}

impl SetArguments {
    /// Reads the two JSON objects; an empty text is an empty object.
    ///
    /// # Errors
    ///
    /// [`FieldFault`] of `static_args` or `default_args`: not an object, too large, too many, or an argument in both.
    pub fn read(static_args: &str, default_args: &str) -> Result<Self, FieldFault> {
        let set =
            Self { fixed: members("static_args", static_args)?, defaults: members("default_args", default_args)? };
        let twice = set.defaults.iter().find(|(name, _)| set.is_static(name));
        match twice {
            Some((name, _)) => {
                Err(FieldFault::new("default_args", format!("names `{}`, which is a static argument", beginning(name))))
            }
            None => Ok(set),
        }
    }

    /// Whether nothing is set.
    pub const fn is_empty(&self) -> bool {
        self.fixed.is_empty() && self.defaults.is_empty()
    }

    /// Whether the publisher decides on this argument, whatever the caller says.
    pub fn is_static(&self, name: &str) -> bool {
        self.fixed.iter().any(|(fixed, _)| fixed == name)
    }

    /// The names of the static arguments.
    pub fn static_names(&self) -> impl Iterator<Item = &str> {
        self.fixed.iter().map(|(name, _)| name.as_str())
    }

    /// The names of the default arguments.
    pub fn default_names(&self) -> impl Iterator<Item = &str> {
        self.defaults.iter().map(|(name, _)| name.as_str())
    }

    /// The names of all that is set with the values, as JSON: the static arguments first.
    pub fn members(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fixed.iter().chain(&self.defaults).map(|(name, source)| (name.as_str(), source.as_str()))
    }

    /// The arguments that `newer` sets otherwise, takes away or adds, each with its field: `static_args` or `default_args`.
    pub fn differences<'a>(&'a self, newer: &'a Self) -> Vec<(&'static str, &'a str)> {
        let fields = [("static_args", &self.fixed, &newer.fixed), ("default_args", &self.defaults, &newer.defaults)];
        let differing = fields.into_iter().flat_map(|(field, old, new)| {
            let gone = old.iter().filter(|member| !new.contains(member));
            let come = new.iter().filter(|member| !old.contains(member));
            gone.chain(come).map(move |(name, _)| (field, name.as_str()))
        });
        differing.collect()
    }

    /// The static arguments as JSON text.
    pub fn static_text(&self) -> String {
        object(self.fixed.iter().map(|(name, source)| (name.as_str(), source.as_str())))
    }

    /// The default arguments as JSON text.
    pub fn default_text(&self) -> String {
        object(self.defaults.iter().map(|(name, source)| (name.as_str(), source.as_str())))
    }

    /// Checks that the schema names the static arguments where they are taken out for callers, and nowhere else: it would tell
    /// of them, or ask callers for what they cannot give.
    ///
    /// # Errors
    ///
    /// [`FieldFault`] of `input_schema`, with the place within it.
    pub fn check_hidden(&self, input_schema: &str) -> Result<(), FieldFault> {
        if self.fixed.is_empty() {
            return Ok(());
        }
        let schema = json::parse(input_schema).map_err(|error| FieldFault::new("input_schema", error.to_string()))?;
        match elsewhere::find(&schema.to_value(), &|name| self.is_static(name)) {
            Some((name, place)) => {
                let message = format!(
                    "does not hide `{}`: the input schema names it at `{}`, and it is taken out of `/properties` and `/required` \
                     alone",
                    beginning(&name),
                    beginning(&place)
                );
                Err(FieldFault::new("input_schema", message))
            }
            None => Ok(()),
        }
    }

    /// The schema that callers see: static arguments are not in its `properties` and not `required`, nor are definitions that only
    /// they used; default arguments have their `default` and are not `required`.
    ///
    /// # Errors
    ///
    /// [`FieldFault`] of `input_schema` if that is not a JSON object.
    pub fn public_schema(&self, input_schema: &str) -> Result<String, FieldFault> {
        let schema = json::parse(input_schema).map_err(|error| FieldFault::new("input_schema", error.to_string()))?;
        if self.is_empty() {
            return Ok(input_schema.to_owned());
        }
        let Value::Object(mut schema) = schema.to_value() else {
            return Err(FieldFault::new("input_schema", "must be a JSON object"));
        };
        self.declare(&mut schema);
        Ok(Value::Object(schema).to_string())
    }

    fn declare(&self, schema: &mut Map<String, Value>) {
        if !self.defaults.is_empty() {
            schema.entry("properties").or_insert_with(|| Value::Object(Map::new()));
        }
        if let Some(Value::Object(properties)) = schema.get_mut("properties") {
            for (name, _) in &self.fixed {
                properties.shift_remove(name);
            }
            for (name, source) in &self.defaults {
                let value = json::parse(source).map_or(Value::Null, |value| value.to_value());
                match properties.get_mut(name) {
                    Some(Value::Object(property)) => {
                        property.insert("default".to_owned(), value);
                    }
                    Some(Value::Bool(false)) => {}
                    _ => {
                        properties.insert(name.clone(), Value::Object(Map::from_iter([("default".to_owned(), value)])));
                    }
                }
            }
        }
        let is_set = |name: &str| self.is_static(name) || self.defaults.iter().any(|(default, _)| default == name);
        let is_empty = match schema.get_mut("required") {
            Some(Value::Array(required)) => {
                required.retain(|name| !name.as_str().is_some_and(is_set));
                required.is_empty()
            }
            _ => false,
        };
        if is_empty {
            schema.shift_remove("required");
        }
        if !self.fixed.is_empty() {
            definitions::forget_unused(schema);
        }
    }

    /// The arguments for the upstream: the caller's, without what is static, above the defaults, and the static ones.
    ///
    /// # Errors
    ///
    /// [`JsonError`] if `arguments` is not a JSON object.
    pub fn merge(&self, arguments: &str) -> Result<String, JsonError> {
        let given = json::parse_members(arguments)?;
        let own = given.iter().filter(|member| !self.is_static(&member.name));
        let own = own.map(|member| (&*member.name, member.source));
        let left_out = self.defaults.iter().filter(|(name, _)| !given.iter().any(|member| *member.name == **name));
        let set = left_out.chain(&self.fixed).map(|(name, source)| (name.as_str(), source.as_str()));
        Ok(object(own.chain(set)))
    }
}

fn members(field: &'static str, text: &str) -> Result<Vec<(String, String)>, FieldFault> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    if text.len() > limits::SET_ARGUMENTS_BYTES_MAX {
        return Err(FieldFault::new(field, format!("must have at most {} bytes", limits::SET_ARGUMENTS_BYTES_MAX)));
    }
    let members = json::parse_members(text).map_err(|error| FieldFault::new(field, error.to_string()))?;
    if members.len() > limits::SET_ARGUMENTS_MAX {
        return Err(FieldFault::new(field, format!("must have at most {} arguments", limits::SET_ARGUMENTS_MAX)));
    }
    Ok(members.into_iter().map(|member| (member.name.into_owned(), member.source.to_owned())).collect())
}

/// An object of names and values that are JSON texts already.
fn object<'a>(members: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = String::from("{");
    for (name, source) in members {
        if text.len() > 1 {
            text.push(',');
        }
        write_string(&mut text, name);
        text.push(':');
        text.push_str(source);
    }
    text.push('}');
    text
}

#[cfg(test)]
mod tests;
