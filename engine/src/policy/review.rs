//! What to know of a policy before it is published: what is odd about it, and what it changes for whom.

use std::collections::BTreeMap;

use super::{
    Policies, PolicyLoadError,
    chain::{Chain, ChainDiff},
    policies_by_id,
};

/// Something odd in a policy that is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyOddity {
    /// The key in the document that it is about; none for the operators' Cedar policies.
    pub key: Option<String>,
    /// What, as one line.
    pub message: String,
}

/// What becomes of one of the operators' Cedar policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PolicyChange {
    /// It was not there.
    New,
    /// It says something else.
    Changed,
    /// It is not there any more.
    Gone,
}

impl PolicyChange {
    /// In a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Gone => "gone",
        }
    }
}

/// What changes when one policy takes the place of another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicyComparison {
    /// On the gateway, over the whole catalog: by agent and kind of session.
    pub sessions: Vec<ChainDiff>,
    /// The operators' Cedar policies that change, by their `@id`. Whom they concern only they say themselves.
    pub operator: Vec<(String, PolicyChange)>,
}

impl PolicyComparison {
    /// Nothing changes for anybody.
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty() && self.operator.is_empty()
    }

    /// How many tools become allowed, and how many denied, over all sessions.
    pub fn counts(&self) -> (usize, usize) {
        let sum = |of: fn(&ChainDiff) -> usize| self.sessions.iter().map(of).fold(0_usize, usize::saturating_add);
        (sum(|change| change.allowed.len()), sum(|change| change.denied.len()))
    }
}

impl Policies {
    /// Everything odd: of the chain by key, then keys that have no effect, then the Cedar policies.
    pub fn oddities(&self) -> Vec<PolicyOddity> {
        let chain = self.chain();
        let mut found: Vec<PolicyOddity> = chain
            .map(Chain::warnings)
            .unwrap_or_default()
            .iter()
            .map(|warning| PolicyOddity { key: Some(warning.key.clone()), message: warning.to_string() })
            .collect();
        let unused = chain.map(|chain| chain.document().unused()).unwrap_or_default().iter().map(ToString::to_string);
        found.extend(
            unused
                .map(|path| PolicyOddity { message: format!("`{path}` is known and has no effect"), key: Some(path) }),
        );
        found.extend(self.warnings().iter().map(|message| PolicyOddity { key: None, message: message.clone() }));
        found
    }

    /// What changes when `new` takes the place of this policy. The texts are those of the operators' Cedar policies.
    ///
    /// # Errors
    /// One of the texts cannot be read.
    pub fn compare(&self, new: &Self, own_text: &str, new_text: &str) -> Result<PolicyComparison, PolicyLoadError> {
        let chains = self.chain().zip(new.chain());
        let sessions = chains.map(|(old, new)| old.diff(new)).unwrap_or_default();
        let operator = changed_policies(&policies_by_id(own_text)?, &policies_by_id(new_text)?);
        Ok(PolicyComparison { sessions, operator })
    }
}

/// Those that are gone, then those that are new or changed.
fn changed_policies(old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) -> Vec<(String, PolicyChange)> {
    let gone = old.keys().filter(|id| !new.contains_key(*id)).map(|id| (id.clone(), PolicyChange::Gone));
    let kept = new.iter().filter_map(|(id, text)| match old.get(id) {
        None => Some((id.clone(), PolicyChange::New)),
        Some(before) if before != text => Some((id.clone(), PolicyChange::Changed)),
        Some(_) => None,
    });
    gone.chain(kept).collect()
}
