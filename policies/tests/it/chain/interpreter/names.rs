//! Which tools the entries of a list mean.

use serde_json::Value;

use super::{Interpreter, Rule, Tool};

pub(super) fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// How a caller and a list write a tool with its namespace.
pub(crate) fn path_of((namespace, name): &Tool) -> String {
    namespace.as_ref().map_or_else(|| name.clone(), |namespace| format!("{namespace}/{name}"))
}

/// `*` by trying every split.
fn globs(pattern: &str, text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    // reachable[i]: the pattern so far can have eaten i characters
    let mut reachable: Vec<bool> = (0..=text.len()).map(|eaten| eaten == 0).collect();
    for wanted in pattern.chars() {
        let before = reachable.clone();
        for eaten in 0..=text.len() {
            reachable[eaten] = if wanted == '*' {
                before[..=eaten].iter().any(|was| *was)
            } else {
                eaten > 0 && before[eaten - 1] && text[eaten - 1] == wanted
            };
        }
    }
    reachable[text.len()]
}

impl Interpreter<'_> {
    pub(super) fn normal(&self, text: &str) -> String {
        let text = if self.knows(Rule::AnyCase) { text.trim().to_lowercase() } else { text.to_owned() };
        let alias = self.rule("aliases")[&text].as_str().filter(|_| self.knows(Rule::Aliases));
        alias.map_or_else(|| text.clone(), str::to_owned)
    }

    pub(super) fn entries(&self, value: &Value) -> Vec<String> {
        strings(value).iter().map(|text| self.normal(text)).filter(|text| !text.trim().is_empty()).collect()
    }

    pub(super) fn plain(&self, tool: &Tool) -> String {
        self.normal(&tool.1)
    }

    /// The tool that a caller means. Callers write names exactly.
    pub(crate) fn find(&self, requested: &str) -> Option<&Tool> {
        let by_path = self.catalog.iter().find(|tool| path_of(tool) == requested);
        let called: Vec<&Tool> = self.catalog.iter().filter(|tool| tool.1 == requested).collect();
        by_path.or(if let [only] = called[..] { Some(only) } else { None })
    }

    /// Whether a plain name in an allow list means this tool: a core tool, or the only one of that name.
    fn owns_name(&self, tool: &Tool) -> bool {
        let plain = self.plain(tool);
        tool.0.is_none()
            || !self.knows(Rule::Contested)
            || self.catalog.iter().filter(|other| self.plain(other) == plain).count() == 1
    }

    fn is_like(&self, entry: &str, name: &str) -> bool {
        entry == name || entry.contains('*') && self.knows(Rule::Patterns) && globs(entry, name)
    }

    fn names(&self, entry: &str, tool: &Tool, is_deny: bool) -> bool {
        if entry.contains('/') {
            // aliases stand for names, not for parts of paths
            let is_meant = |namespace: &String| {
                self.is_like(entry, &format!("{}/{}", namespace.to_lowercase(), tool.1.to_lowercase()))
            };
            return self.knows(Rule::Paths) && tool.0.as_ref().is_some_and(is_meant);
        }
        self.is_like(entry, &self.plain(tool)) && (is_deny || self.owns_name(tool))
    }

    pub(super) fn means(&self, entry: &str, tool: &Tool, is_deny: bool) -> bool {
        if entry.chars().all(|c| c == '*') {
            return true;
        }
        if entry.contains('*') {
            return self.names(entry, tool, is_deny);
        }
        if entry == "group:plugins" {
            return tool.0.is_some() && self.knows(Rule::AllPlugins);
        }
        if self.rule("groups")[entry].is_array() && self.knows(Rule::Groups) {
            let members = strings(&self.rule("groups")[entry]);
            return members.iter().any(|member| self.names(&self.normal(member), tool, is_deny));
        }
        let is_plugin = tool.0.as_ref().is_some_and(|namespace| self.normal(namespace) == entry);
        is_plugin && self.knows(Rule::PluginIds) || self.names(entry, tool, is_deny)
    }

    /// Whether an allow list lets a tool through.
    pub(super) fn allows(&self, list: &[String], tool: &Tool) -> bool {
        if list.iter().any(|entry| self.means(entry, tool, false)) {
            return true;
        }
        let Some(by) = self.rule("implied")[self.plain(tool)].as_str() else { return false };
        let brings = |entry: &String| {
            let members = &self.rule("groups")[entry];
            if members.is_array() {
                return strings(members).iter().any(|member| self.normal(member) == self.normal(by));
            }
            self.is_like(entry, by)
        };
        self.knows(Rule::Implied) && self.owns_name(tool) && list.iter().any(brings)
    }

    /// Whether an entry is what older programs take for a core tool that is there.
    pub(super) fn is_core(&self, entry: &str) -> bool {
        let is_meant = |tool: &Tool| tool.0.is_none() && self.means(entry, tool, false);
        entry == "*" || !entry.contains('*') && entry != "group:plugins" && self.catalog.iter().any(is_meant)
    }
}
