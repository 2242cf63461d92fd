//! What the environment changes in the configuration: `TOLLGATE_…` overrides, then `${NAME}` inside strings.

use std::sync::Arc;

use super::{
    environment::Environment,
    error::{Place, Problem},
    master_key::MASTER_KEY_VARIABLE,
    tree::{Kind, Member, Node, parse},
};

const OVERRIDE_PREFIX: &str = "TOLLGATE_";
const LEVEL_SEPARATOR: &str = "__";

/// A key's name without the differences between `camelCase`, `snake_case` and `UPPER_CASE`.
pub(super) fn normalised(key: &str) -> String {
    key.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect()
}

/// Puts the value of every `TOLLGATE_A__B` over the key `a.b`, whole sections before the keys in them.
///
/// A key that the file does not have is added under the variable's spelling and marked with the variable: only the
/// reader of the section knows whether it exists there.
pub(super) fn apply_overrides(root: &mut Node, environment: &Environment, problems: &mut Vec<Problem>) {
    for name in environment.not_unicode().filter(|name| name.starts_with(OVERRIDE_PREFIX)) {
        problems.push(Problem::new(Place::Variable(name.into()), "the value is not Unicode text"));
    }
    let mut overrides: Vec<(Vec<&str>, &str, &str)> = environment
        .iter()
        .filter(|(name, _)| *name != MASTER_KEY_VARIABLE)
        .filter_map(|(name, value)| {
            let levels = name.strip_prefix(OVERRIDE_PREFIX)?.split(LEVEL_SEPARATOR).collect();
            Some((levels, name, value))
        })
        .collect();
    overrides.sort_by_key(|(levels, _, _)| levels.len());
    for (levels, name, value) in overrides {
        let place = Place::Variable(Arc::from(name));
        if let Err(text) = put(root, &levels, &override_node(value, &place), &place) {
            problems.push(Problem::new(place, text));
        }
    }
}

fn override_node(value: &str, place: &Place) -> Node {
    let mut node = parse(value).unwrap_or_else(|_not_json5| Node::new(Place::Whole, Kind::Text(value.to_owned())));
    node.set_place(place);
    node.raw = Some(value.to_owned());
    node
}

fn put(node: &mut Node, levels: &[&str], value: &Node, place: &Place) -> Result<(), String> {
    let Some((level, deeper)) = levels.split_first() else {
        *node = value.clone();
        return Ok(());
    };
    let Kind::Object(members) = &mut node.kind else {
        return Err(format!("matches no key: what stands above `{level}` is {}", node.type_name()));
    };
    let wanted = normalised(level);
    if wanted.is_empty() {
        return Err("matches no key: a level of the name is empty".to_owned());
    }
    if let Some(member) = members.iter_mut().find(|member| normalised(&member.key) == wanted) {
        return put(&mut member.value, deeper, value, place);
    }
    let mut added = Node::new(place.clone(), Kind::Object(Vec::new()));
    put(&mut added, deeper, value, place)?;
    members.push(Member { key: (*level).to_owned(), key_place: place.clone(), is_added: true, value: added });
    Ok(())
}

/// Replaces every `${NAME}` inside the strings of the file by the variable's value, and `$${` by `${`.
///
/// Values of overrides are taken as they are. An unset variable is a problem, except for a string directly in
/// `gateway.auth` or a section of it: such a member counts as absent. (An element of a list there does not: an empty
/// list of allowed users means everybody.)
pub(super) fn substitute(root: &mut Node, environment: &Environment, problems: &mut Vec<Problem>) {
    let mut pass = Substitution { environment, problems };
    pass.visit(root, "");
}

struct Substitution<'a> {
    environment: &'a Environment,
    problems: &'a mut Vec<Problem>,
}

impl Substitution<'_> {
    fn visit(&mut self, node: &mut Node, path: &str) {
        if node.raw.is_some() {
            return;
        }
        match &mut node.kind {
            Kind::Text(text) if text.contains("${") => match expand(text, self.environment) {
                Ok(expanded) => {
                    *text = expanded;
                    node.is_substituted = true;
                }
                Err(error) => {
                    let text = format!("{} in `{path}`", error.describe());
                    self.problems.push(Problem::new(node.place.clone(), text));
                }
            },
            Kind::List(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.visit(item, &format!("{path}[{index}]"));
                }
            }
            Kind::Object(members) => self.visit_members(members, path),
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) => {}
        }
    }

    fn visit_members(&mut self, members: &mut Vec<Member>, path: &str) {
        if path == "gateway.auth" || path.starts_with("gateway.auth.") {
            members.retain(|member| match &member.value {
                Node { kind: Kind::Text(text), raw: None, .. } => {
                    !matches!(expand(text, self.environment), Err(ExpandError::Unset(_)))
                }
                _ => true,
            });
        }
        for member in members {
            let path = if path.is_empty() { member.key.clone() } else { format!("{path}.{}", member.key) };
            self.visit(&mut member.value, &path);
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum ExpandError {
    Unset(String),
    BadName(String),
    Unclosed,
}

impl ExpandError {
    fn describe(&self) -> String {
        match self {
            Self::Unset(name) => format!("the environment variable `{name}` is not set, but is used"),
            Self::BadName(name) => {
                format!("`${{{name}}}` names no environment variable (write `$${{` for a plain `${{`)")
            }
            Self::Unclosed => "`${` without a closing `}` (write `$${` for a plain `${`)".to_owned(),
        }
    }
}

fn expand(text: &str, environment: &Environment) -> Result<String, ExpandError> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(before) = before.strip_suffix('$') {
            expanded.push_str(before);
            expanded.push_str("${");
            rest = after;
            continue;
        }
        expanded.push_str(before);
        let (name, after) = after.split_once('}').ok_or(ExpandError::Unclosed)?;
        if !is_variable_name(name) {
            return Err(ExpandError::BadName(name.to_owned()));
        }
        expanded.push_str(environment.get(name).ok_or_else(|| ExpandError::Unset(name.to_owned()))?);
        rest = after;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

fn is_variable_name(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric())
}
