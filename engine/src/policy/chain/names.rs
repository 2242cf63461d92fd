//! Which tools an entry of a list means: names, patterns, groups and plugins, resolved once against the catalog.

use std::{cell::RefCell, rc::Rc};

use foldhash::HashMap;

use super::{CatalogTool, ToolIndex};
use crate::dialect::ChainRules;

/// What an entry may say to name every tool of every namespace.
const ALL_PLUGINS: &str = "group:plugins";

/// A set of the catalog's tools.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct ToolBits(Vec<u64>);

impl ToolBits {
    pub(super) fn insert(&mut self, tool: ToolIndex) {
        let (word, bit) = place(tool);
        if self.0.len() <= word {
            self.0.resize(word.saturating_add(1), 0);
        }
        if let Some(word) = self.0.get_mut(word) {
            *word |= bit;
        }
    }

    pub(super) fn contains(&self, tool: ToolIndex) -> bool {
        let (word, bit) = place(tool);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }

    pub(super) fn union(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (own, other) in self.0.iter_mut().zip(&other.0) {
            *own |= other;
        }
    }

    /// Whether all of `other` is in here.
    pub(super) fn covers(&self, other: &Self) -> bool {
        other.0.iter().enumerate().all(|(at, word)| word & !self.0.get(at).copied().unwrap_or(0) == 0)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }
}

/// The word and the bit of a tool.
fn place(tool: ToolIndex) -> (usize, u64) {
    (tool.usize().wrapping_shr(6), 1_u64.wrapping_shl(tool.0 & 63))
}

/// Trimmed, in lower case, aliases resolved: how an entry and a name are compared. Aliases stand for whole names, so that
/// `namespace/name` means what it reads.
pub(super) fn normalised(text: &str, rules: &ChainRules) -> String {
    let lower = text.trim().to_lowercase();
    rules.aliases.get(&lower).cloned().unwrap_or(lower)
}

/// Whether `text` has the form of `pattern`, in which `*` stands for any characters, none included. Linear in both
/// lengths: what stands between two stars is searched for once, from where the one before ended, and never again.
pub(super) fn is_like(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut left) = text.strip_prefix(head) else { return false };
    let (middle, tail) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*').filter(|part| !part.is_empty()) {
        let Some((_, after)) = left.split_once(part) else { return false };
        left = after;
    }
    left.ends_with(tail)
}

/// A tool's names as policies compare them.
#[derive(Debug, Clone, Default)]
struct ToolNames {
    /// The name without its namespace.
    plain: String,
    /// `namespace/name` in lower case; of a core tool its plain name.
    path: String,
    namespace: Option<String>,
    /// Whether the plain name means this tool where it allows: a core tool, or the only one of that name.
    owns_plain: bool,
}

/// What a list does with the tools that it names. A name that two namespaces offer denies both and allows neither, and
/// one that a core tool has too allows the core tool alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Purpose {
    Allow,
    Deny,
}

/// The catalog's names.
#[derive(Debug)]
pub(super) struct Names {
    tools: Vec<ToolNames>,
    /// What a caller may write → the tool.
    reachable: HashMap<String, ToolIndex>,
    by_text: HashMap<String, Vec<ToolIndex>>,
    by_namespace: HashMap<String, Vec<ToolIndex>>,
    /// Plain names that more than one namespace offers.
    contested: Vec<String>,
}

impl Names {
    pub(super) fn new(catalog: &[CatalogTool<'_>], rules: &ChainRules) -> Self {
        let mut offers: HashMap<&str, (usize, usize)> = HashMap::default();
        // as lists compare them, more tools are called alike
        let mut bearers: HashMap<String, usize> = HashMap::default();
        for tool in catalog {
            let (core, plugin) = offers.entry(tool.name).or_default();
            let count = if tool.namespace.is_none() { core } else { plugin };
            *count = count.saturating_add(1);
            let count = bearers.entry(normalised(tool.name, rules)).or_default();
            *count = count.saturating_add(1);
        }
        let mut names = Self {
            tools: Vec::with_capacity(catalog.len()),
            reachable: HashMap::default(),
            by_text: HashMap::default(),
            by_namespace: HashMap::default(),
            contested: Vec::new(),
        };
        for (tool, index) in catalog.iter().zip(0..) {
            let plain = normalised(tool.name, rules);
            let is_alone = |count: Option<usize>| tool.namespace.is_none() || count == Some(1);
            if is_alone(offers.get(tool.name).map(|(core, plugin)| core.saturating_add(*plugin))) {
                names.reachable.insert(tool.name.to_owned(), ToolIndex(index));
            }
            let owns_plain = is_alone(bearers.get(&plain).copied());
            names.add(ToolIndex(index), tool, ToolNames { plain, owns_plain, ..ToolNames::default() }, rules);
        }
        names.contested = offers
            .iter()
            .filter(|(_, (core, plugin))| *core == 0 && *plugin > 1)
            .map(|(name, _)| (*name).to_owned())
            .collect();
        names.contested.sort_unstable();
        names
    }

    fn add(&mut self, index: ToolIndex, tool: &CatalogTool<'_>, own: ToolNames, rules: &ChainRules) {
        self.by_text.entry(own.plain.clone()).or_default().push(index);
        let Some(namespace) = tool.namespace else {
            self.tools.push(ToolNames { path: own.plain.clone(), ..own });
            return;
        };
        let path = format!("{namespace}/{}", tool.name);
        let lower = path.to_lowercase();
        self.reachable.insert(path, index);
        self.by_text.entry(lower.clone()).or_default().push(index);
        let namespace = normalised(namespace, rules);
        self.by_namespace.entry(namespace.clone()).or_default().push(index);
        self.tools.push(ToolNames { path: lower, namespace: Some(namespace), ..own });
    }

    /// The tool that a caller means: exactly as it is called, or with its namespace in front.
    pub(super) fn find(&self, requested: &str) -> Option<ToolIndex> {
        self.reachable.get(requested).copied()
    }

    pub(super) fn contested(&self) -> &[String] {
        &self.contested
    }

    pub(super) fn all(&self) -> impl Iterator<Item = ToolIndex> + use<> {
        (0..u32::try_from(self.tools.len()).unwrap_or(u32::MAX)).map(ToolIndex)
    }

    pub(super) fn is_plugin(&self, tool: ToolIndex) -> bool {
        self.get(tool).is_some_and(|names| names.namespace.is_some())
    }

    /// The name without its namespace.
    pub(super) fn plain(&self, tool: ToolIndex) -> &str {
        self.get(tool).map_or("", |names| &names.plain)
    }

    fn get(&self, tool: ToolIndex) -> Option<&ToolNames> {
        self.tools.get(tool.usize())
    }

    fn is_namespace(&self, entry: &str) -> bool {
        self.by_namespace.contains_key(entry)
    }

    /// Whether a tool answers to a text. Texts with a slash mean a namespace's tool, others the name alone.
    fn answers(names: &ToolNames, purpose: Purpose, text: &str, is_match: impl Fn(&str, &str) -> bool) -> bool {
        if text.contains('/') {
            return names.namespace.is_some() && is_match(text, &names.path);
        }
        (names.owns_plain || purpose == Purpose::Deny) && is_match(text, &names.plain)
    }

    /// The tools that a pattern means.
    fn globbed(&self, pattern: &str, purpose: Purpose) -> ToolBits {
        let mut bits = ToolBits::default();
        // a star alone means everything, however it is called
        let is_everything = pattern.bytes().all(|byte| byte == b'*');
        for (index, names) in self.all().zip(&self.tools) {
            if is_everything || Self::answers(names, purpose, pattern, is_like) {
                bits.insert(index);
            }
        }
        bits
    }

    fn exactly(&self, text: &str, purpose: Purpose, bits: &mut ToolBits) {
        for index in self.by_text.get(text).into_iter().flatten() {
            if self.get(*index).is_some_and(|names| Self::answers(names, purpose, text, |a, b| a == b)) {
                bits.insert(*index);
            }
        }
    }
}

/// Resolves entries, each distinct one once.
#[derive(Debug)]
pub(super) struct Resolver<'a> {
    pub(super) names: &'a Names,
    pub(super) rules: &'a ChainRules,
    resolved: RefCell<HashMap<(Purpose, String), Rc<ToolBits>>>,
}

/// What an entry is, for warnings and for the rule of plugin-only lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EntryKind {
    /// It means a core tool that is there, or is `*`.
    Core,
    /// It means a plugin, its tools or all plugins.
    Plugin,
    /// It is a pattern, which older programs do not know for a name.
    Pattern,
    /// It is the name of a group, but no tool of it is there.
    EmptyGroup,
    /// Nothing is called like that.
    Unknown,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(names: &'a Names, rules: &'a ChainRules) -> Self {
        Self { names, rules, resolved: RefCell::default() }
    }

    /// The tools that an entry, as it is written, means.
    pub(super) fn members(&self, entry: &str, purpose: Purpose) -> Rc<ToolBits> {
        let entry = normalised(entry, self.rules);
        if let Some(known) = self.resolved.borrow().get(&(purpose, entry.clone())) {
            return Rc::clone(known);
        }
        let bits = Rc::new(self.resolve(&entry, purpose));
        self.resolved.borrow_mut().insert((purpose, entry), Rc::clone(&bits));
        bits
    }

    fn resolve(&self, entry: &str, purpose: Purpose) -> ToolBits {
        if entry.contains('*') {
            return self.names.globbed(entry, purpose);
        }
        let mut bits = ToolBits::default();
        if entry == ALL_PLUGINS {
            self.names.all().filter(|tool| self.names.is_plugin(*tool)).for_each(|tool| bits.insert(tool));
        } else if let Some(members) = self.rules.groups.get(entry) {
            for member in members {
                self.names.exactly(&normalised(member, self.rules), purpose, &mut bits);
            }
        } else {
            self.names.by_namespace.get(entry).into_iter().flatten().for_each(|tool| bits.insert(*tool));
            self.names.exactly(entry, purpose, &mut bits);
        }
        bits
    }

    /// The tools that are called so; never those of a plugin of that name.
    pub(super) fn called(&self, name: &str, purpose: Purpose) -> ToolBits {
        let mut bits = ToolBits::default();
        self.names.exactly(&normalised(name, self.rules), purpose, &mut bits);
        bits
    }

    /// Whether an entry means a name, whether or not a tool of that name is there.
    pub(super) fn means(&self, entry: &str, name: &str) -> bool {
        let entry = normalised(entry, self.rules);
        let in_group = |members: &Vec<String>| {
            members.iter().any(|member| normalised(member, self.rules) == normalised(name, self.rules))
        };
        self.rules.groups.get(&entry).map_or_else(|| is_like(&entry, name), in_group)
    }

    pub(super) fn kind(&self, entry: &str) -> EntryKind {
        let members = self.members(entry, Purpose::Allow);
        let entry = normalised(entry, self.rules);
        let has_core = self.names.all().any(|tool| members.contains(tool) && !self.names.is_plugin(tool));
        if entry == "*" {
            EntryKind::Core
        } else if entry.contains('*') {
            EntryKind::Pattern
        } else if has_core {
            EntryKind::Core
        } else if entry == ALL_PLUGINS || self.names.is_namespace(&entry) || !members.is_empty() {
            EntryKind::Plugin
        } else if self.rules.groups.contains_key(&entry) {
            EntryKind::EmptyGroup
        } else {
            EntryKind::Unknown
        }
    }
}
