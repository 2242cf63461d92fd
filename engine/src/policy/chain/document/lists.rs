//! Lists of tools, wherever they stand: `allow`, `alsoAllow`, `deny`, with `profile` and `byProvider` where these belong.

use crate::{
    dialect::ChainRules,
    document::{DocumentPath, Fields, Node},
    limits,
};

/// Keys of `tools` that the dialects know and Tollgate does not use.
pub const TOOLS_UNUSED: &[&str] = &[
    "agentToAgent",
    "codeMode",
    "elevated",
    "exec",
    "experimental",
    "fs",
    "links",
    "loopDetection",
    "media",
    "message",
    "sandbox",
    "sessions",
    "sessions_spawn",
    "toolSearch",
    "toolsBySender",
    "updatePlan",
    "web",
];

/// The entries of one list, as they are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::policy::chain) struct Entries {
    pub(in crate::policy::chain) path: DocumentPath,
    pub(in crate::policy::chain) texts: Vec<String>,
}

impl Entries {
    fn read(node: &Node<'_>) -> Option<Self> {
        if !node.value.is_array() {
            node.texts();
            return None;
        }
        let texts = node.texts();
        if texts.len() > limits::POLICY_LIST_ENTRIES_MAX {
            node.wrong(format!(
                "has {} entries, and at most {} are taken",
                texts.len(),
                limits::POLICY_LIST_ENTRIES_MAX
            ));
            return None;
        }
        if let Some(at) = texts.iter().position(|text| text.len() > limits::POLICY_PATTERN_BYTES_MAX) {
            node.wrong(format!(
                "has an entry, number {at} from 0, of more than {} bytes",
                limits::POLICY_PATTERN_BYTES_MAX
            ));
            return None;
        }
        Some(Self { path: (*node.path).clone(), texts: texts.into_iter().map(str::to_owned).collect() })
    }

    /// The entries that are not blank. Blank ones vanish, and a list of nothing else is an empty one.
    pub(in crate::policy::chain) fn kept(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(String::as_str).filter(|text| !text.trim().is_empty())
    }
}

/// One object with lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::policy::chain) struct Policy {
    pub(in crate::policy::chain) path: DocumentPath,
    pub(in crate::policy::chain) allow: Option<Entries>,
    pub(in crate::policy::chain) also_allow: Option<Entries>,
    pub(in crate::policy::chain) deny: Option<Entries>,
}

impl Policy {
    pub(in crate::policy::chain) fn absent(path: &DocumentPath) -> Self {
        Self { path: path.clone(), allow: None, also_allow: None, deny: None }
    }

    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let mut entries = |key| fields.take(key).and_then(|node| Entries::read(&node));
        let (allow, also_allow, deny) = (entries("allow"), entries("alsoAllow"), entries("deny"));
        Self { path: (*fields.node.path).clone(), allow, also_allow, deny }
    }

    /// Where `alsoAllow` does not exist.
    pub(super) fn read_exact(fields: &mut Fields<'_>) -> Self {
        let mut entries = |key| fields.take(key).and_then(|node| Entries::read(&node));
        let (allow, deny) = (entries("allow"), entries("deny"));
        Self { path: (*fields.node.path).clone(), allow, also_allow: None, deny }
    }

    pub(super) fn entry_count(&self) -> usize {
        [&self.allow, &self.also_allow, &self.deny].into_iter().flatten().map(|entries| entries.texts.len()).sum()
    }
}

/// `tools`, of everybody or of one agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::policy::chain) struct Tools {
    pub(in crate::policy::chain) policy: Policy,
    pub(in crate::policy::chain) profile: Option<String>,
    /// In the order of the document; of two keys that mean the same the last one counts.
    pub(in crate::policy::chain) by_provider: Vec<ProviderPolicy>,
}

/// One entry of `byProvider`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::policy::chain) struct ProviderPolicy {
    /// `provider` or `provider/model`, trimmed and in lower case.
    pub(in crate::policy::chain) key: String,
    pub(in crate::policy::chain) policy: Policy,
    pub(in crate::policy::chain) profile: Option<String>,
}

impl Tools {
    pub(super) fn absent(path: &DocumentPath) -> Self {
        Self { policy: Policy::absent(path), profile: None, by_provider: Vec::new() }
    }

    pub(super) fn read(fields: &mut Fields<'_>, rules: &ChainRules) -> Self {
        fields.tolerate(TOOLS_UNUSED);
        let policy = Policy::read(fields);
        let profile = read_profile(fields, rules);
        let by_provider = fields.entries("byProvider").into_iter().filter_map(|(key, node)| {
            let (policy, profile) = node.object(|fields| (Policy::read(fields), read_profile(fields, rules)))?;
            Some(ProviderPolicy { key: key.trim().to_lowercase(), policy, profile })
        });
        Self { policy, profile, by_provider: by_provider.collect() }
    }
}

fn read_profile(fields: &mut Fields<'_>, rules: &ChainRules) -> Option<String> {
    let node = fields.take("profile")?;
    let name = node.text()?;
    if !rules.profiles.contains_key(name) {
        let known: Vec<String> = rules.profiles.keys().map(|name| format!("`{name}`")).collect();
        node.wrong(format!("must be one of the profiles {}", known.join(", ")));
        return None;
    }
    Some(name.to_owned())
}
