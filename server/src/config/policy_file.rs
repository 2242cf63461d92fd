//! A policy in a file: one that holds nothing else, or a whole configuration of which only the policy counts. Keeps the
//! place of every value, so that what the compiler says of it can name line and column.

use std::{collections::BTreeMap, path::Path};

use engine::{
    document::DocumentPath,
    policy::{OPERATOR_POLICIES, PolicyLoadError, SECTIONS, WrittenPolicy, WrittenPolicyError},
};
use serde_json::Value as Json;

use super::{
    ConfigError, Dialect, Environment, Place, Problem, list_keys, overlay,
    policy::read_cedar,
    read_text,
    reader::{Reader, Value},
    tree::{self, Kind, Node},
};

/// A policy that was read, not checked by the policy compiler yet.
#[derive(Debug, Clone)]
pub struct PolicyFile {
    name: String,
    places: BTreeMap<String, Place>,
    /// What it says.
    pub policy: WrittenPolicy,
    /// `gateway.dialect`, if it says that.
    pub dialect: Option<Dialect>,
}

impl PolicyFile {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, is not JSON5, has keys that no configuration has, or names Cedar policies that cannot be read.
    pub fn read(path: &Path, environment: &Environment) -> Result<Self, ConfigError> {
        let (name, text) = read_text(path)?;
        let mut root = tree::parse(&text).map_err(|problems| ConfigError::new(&name, problems))?;
        let mut problems = Vec::new();
        keep_policy(&mut root, &mut problems);
        overlay::substitute(&mut root, environment, &mut problems);
        let reader = Reader::new(environment);
        let value = Value { reader: &reader, node: &root, path: String::new() };
        let mut dialect = None;
        let mut operator = None;
        let mut sections = serde_json::Map::new();
        for (key, section) in value.entries() {
            match key {
                OPERATOR_POLICIES => operator = read_cedar(&section),
                "gateway" => {
                    let mut kept = serde_json::Map::new();
                    for (key, member) in section.entries() {
                        if key == "dialect" {
                            dialect = member.choice(&Dialect::NAMES);
                        } else if let Some(json) = member.json() {
                            kept.insert(key.to_owned(), json);
                        }
                    }
                    sections.insert(key.to_owned(), Json::Object(kept));
                }
                _ => sections.extend(section.json().map(|json| (key.to_owned(), json))),
            }
        }
        problems.extend(reader.finish().problems);
        if !problems.is_empty() {
            return Err(ConfigError::new(name, problems));
        }
        let mut places = BTreeMap::new();
        note_places(&root, &DocumentPath::default(), &mut places);
        let policy = WrittenPolicy { chain: Json::Object(sections), operator: operator.unwrap_or_default() };
        Ok(Self { name, places, policy, dialect })
    }

    /// `FILE:LINE:COLUMN` of a value, as exactly as that is known: what a policy's keys do not name is the file.
    pub fn place_of(&self, key: &str) -> String {
        match self.places.get(key) {
            Some(Place::File(position)) => format!("{}:{position}", self.name),
            _ => self.name.clone(),
        }
    }

    /// What is wrong with the policy, a line each, with the places.
    pub fn describe(&self, error: &WrittenPolicyError) -> Vec<String> {
        match error {
            WrittenPolicyError::Document(problems) => {
                let line = |path: &DocumentPath, text: String| format!("{}: {text}", self.place_of(&path.to_string()));
                problems.iter().map(|problem| line(&problem.path, problem.to_string())).collect()
            }
            WrittenPolicyError::Chain(error) => vec![format!("{}: {error}", self.name)],
            WrittenPolicyError::Cedar(error) => {
                let problems = match error {
                    PolicyLoadError::Schema(problems)
                    | PolicyLoadError::SchemaMisfit(problems)
                    | PolicyLoadError::Syntax(problems)
                    | PolicyLoadError::Rule(problems)
                    | PolicyLoadError::Validation(problems) => problems,
                };
                let place = self.place_of(OPERATOR_POLICIES);
                problems.as_slice().iter().map(|problem| format!("{place}: {OPERATOR_POLICIES}: {problem}")).collect()
            }
        }
    }
}

/// Leaves only what belongs to a policy; keys that no configuration has are problems.
fn keep_policy(root: &mut Node, problems: &mut Vec<Problem>) {
    let Kind::Object(members) = &mut root.kind else {
        problems.push(Problem::new(root.place.clone(), "the file must be an object"));
        return;
    };
    let known = list_keys();
    members.retain(|member| {
        let is_known = known.iter().any(|key| key.split('.').next() == Some(member.key.as_str()));
        if !is_known {
            problems.push(Problem::new(member.key_place.clone(), format!("unknown key `{}`", member.key)));
        }
        SECTIONS.contains(&member.key.as_str()) || member.key == OPERATOR_POLICIES
    });
    for member in members {
        if let ("gateway", Kind::Object(gateway)) = (member.key.as_str(), &mut member.value.kind) {
            gateway.retain(|member| matches!(member.key.as_str(), "dialect" | "tools"));
        }
    }
}

fn note_places(node: &Node, path: &DocumentPath, places: &mut BTreeMap<String, Place>) {
    places.entry(path.to_string()).or_insert_with(|| node.place.clone());
    match &node.kind {
        Kind::List(items) => {
            for (index, item) in items.iter().enumerate() {
                note_places(item, &path.index(index), places);
            }
        }
        Kind::Object(members) => {
            for member in members {
                let path = path.key(&member.key);
                places.insert(path.to_string(), member.key_place.clone());
                note_places(&member.value, &path, places);
            }
        }
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) => {}
    }
}
