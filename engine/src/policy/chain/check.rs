//! What is odd in a document that is right.

use std::fmt;

use super::{
    Chain,
    names::{EntryKind, Purpose, Resolver},
    steps::Step,
};

/// Something odd.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChainWarning {
    /// The key of the list, or the name of the tool.
    pub key: String,
    /// What is odd about it.
    pub kind: ChainWarningKind,
}

/// What is odd.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChainWarningKind {
    /// An entry means nothing that is there.
    UnknownName {
        /// As it is written.
        entry: String,
    },
    /// The list is there, and restricts nothing.
    RestrictsNothing,
    /// What an entry allows is denied by the same step.
    ShadowedByDeny {
        /// As it is written.
        entry: String,
    },
    /// The dialect drops the list, because it names no core tool that is there.
    Dropped,
    /// The dialect has no such list.
    Ignored,
    /// More than one namespace offers a tool of this name, so it is reached only as `namespace/name`.
    Contested,
}

impl fmt::Display for ChainWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = &self.key;
        match &self.kind {
            ChainWarningKind::UnknownName { entry } => write!(f, "`{key}`: nothing is called `{entry}`"),
            ChainWarningKind::RestrictsNothing => write!(f, "`{key}` restricts nothing"),
            ChainWarningKind::ShadowedByDeny { entry } => {
                write!(f, "`{key}`: everything that `{entry}` allows is denied beside it")
            }
            ChainWarningKind::Dropped => write!(
                f,
                "`{key}` is dropped and restricts nothing: this dialect ignores an allow list without a core tool that is there"
            ),
            ChainWarningKind::Ignored => write!(f, "`{key}` means nothing in this dialect"),
            ChainWarningKind::Contested => {
                write!(f, "several namespaces offer `{key}`: it can only be called with its namespace in front")
            }
        }
    }
}

impl Chain {
    /// Everything odd, sorted by key.
    pub fn warnings(&self) -> Vec<ChainWarning> {
        let resolver = Resolver::new(&self.names, &self.rules);
        let mut found = Vec::new();
        let mut warn = |key: &str, kind| found.push(ChainWarning { key: key.to_owned(), kind });
        for step in &self.plan.steps {
            step_warnings(step, &resolver, &mut warn);
        }
        self.document.each_policy(&mut |policy| {
            let is_empty = |entries: &super::document::Entries| entries.kept().next().is_none();
            for entries in [&policy.allow, &policy.deny].into_iter().flatten().filter(|entries| is_empty(entries)) {
                warn(&entries.path.to_string(), ChainWarningKind::RestrictsNothing);
            }
            if let Some(entries) = policy.also_allow.as_ref().filter(|_| !self.rules.has_also_allow) {
                warn(&entries.path.to_string(), ChainWarningKind::Ignored);
            }
        });
        let groups = self.document.channels.iter().flat_map(|(_, channel)| channel.groups());
        for group in groups.filter(|group| !self.rules.has_tools_by_sender && !group.by_sender.is_empty()) {
            warn(&group.by_sender_path.to_string(), ChainWarningKind::Ignored);
        }
        for name in self.names.contested() {
            warn(name, ChainWarningKind::Contested);
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

fn step_warnings(step: &Step, resolver: &Resolver<'_>, warn: &mut dyn FnMut(&str, ChainWarningKind)) {
    let allow = step.allow.iter().chain(&step.dropped).map(|list| (list, Purpose::Allow));
    for (list, purpose) in allow.chain(step.deny.iter().map(|list| (list, Purpose::Deny))) {
        // the dialect's own lists name what may be absent
        for source in list
            .sources
            .iter()
            .filter(|source| !source.key.starts_with("what ") && !source.key.starts_with("profile `"))
        {
            for entry in &source.entries {
                let members = resolver.members(entry, purpose);
                let is_shadowed = purpose == Purpose::Allow
                    && !members.is_empty()
                    && step.deny.as_ref().is_some_and(|deny| deny.members.covers(&members));
                if matches!(resolver.kind(entry), EntryKind::Unknown | EntryKind::EmptyGroup)
                    || members.is_empty() && resolver.kind(entry) == EntryKind::Pattern
                {
                    warn(&source.key, ChainWarningKind::UnknownName { entry: entry.clone() });
                } else if is_shadowed {
                    warn(&source.key, ChainWarningKind::ShadowedByDeny { entry: entry.clone() });
                }
            }
        }
    }
    if let Some(source) = step.dropped.as_ref().and_then(|list| list.sources.first()) {
        warn(&source.key, ChainWarningKind::Dropped);
    }
    if let Some(allow) = &step.allow
        && resolver.names.all().all(|tool| allow.members.contains(tool))
        && let Some(source) = allow.sources.first()
    {
        warn(&source.key, ChainWarningKind::RestrictsNothing);
    }
}
