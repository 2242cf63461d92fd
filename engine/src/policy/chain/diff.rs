//! What changes for whom when one policy takes the place of another.

use std::collections::{BTreeMap, BTreeSet};

use super::{Chain, Scope, SessionFacts, StepKind, scopes::StepIndex, session_key::MAIN};

/// A kind of session of an agent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SessionKind {
    /// Its main session, and every other without a policy of its own.
    Main,
    /// A subagent's.
    Subagent,
    /// One in a group or a channel with this policy, by its key in the document.
    Group(String),
}

/// What changes for one kind of session of one agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainDiff {
    /// The agent; `None` stands for all that neither document lists.
    pub agent: Option<String>,
    /// Which of its sessions.
    pub session: SessionKind,
    /// Tools that the new policy allows and the old one did not, or that were not there.
    pub allowed: Vec<String>,
    /// Tools that the old policy allowed and the new one does not, or that are gone.
    pub denied: Vec<String>,
}

impl Chain {
    /// Compares with the chain that is to take this one's place, over both catalogs. Sessions for which nothing changes
    /// are left out. A group's policy of the old document is compared with that of the same key in the new one; where
    /// there is none, with the agent's main session.
    pub fn diff(&self, new: &Self) -> Vec<ChainDiff> {
        let ids = |chain: &Self| chain.plan.agents.iter().map(|agent| agent.id.clone()).collect::<Vec<_>>();
        let agents: BTreeSet<Option<String>> = ids(self).into_iter().chain(ids(new)).collect();
        let (old_groups, new_groups) = (self.groups(), new.groups());
        let groups: BTreeSet<&String> = old_groups.keys().chain(new_groups.keys()).collect();
        let kinds: Vec<SessionKind> = [SessionKind::Main, SessionKind::Subagent]
            .into_iter()
            .chain(groups.into_iter().map(|key| SessionKind::Group(key.clone())))
            .collect();
        let mut changes = Vec::new();
        for agent in agents {
            for session in &kinds {
                let (before, after) = (
                    self.tools_of(agent.as_deref(), session, &old_groups),
                    new.tools_of(agent.as_deref(), session, &new_groups),
                );
                let names =
                    |a: &BTreeSet<&str>, b: &BTreeSet<&str>| a.difference(b).map(|name| (*name).to_owned()).collect();
                let (allowed, denied): (Vec<String>, Vec<String>) = (names(&after, &before), names(&before, &after));
                if !allowed.is_empty() || !denied.is_empty() {
                    changes.push(ChainDiff { agent: agent.clone(), session: session.clone(), allowed, denied });
                }
            }
        }
        changes
    }

    /// Policies of groups, by their keys.
    fn groups(&self) -> BTreeMap<String, StepIndex> {
        let steps = self.plan.steps.iter().zip(0..).filter(|(step, _)| step.kind == StepKind::Group);
        steps.map(|(step, index)| (step.id.clone(), StepIndex(index))).collect()
    }

    fn tools_of(
        &self,
        agent: Option<&str>,
        session: &SessionKind,
        groups: &BTreeMap<String, StepIndex>,
    ) -> BTreeSet<&str> {
        // an agent that no document can list stands for the others
        let key = agent.map_or_else(|| format!("agent:{}:{MAIN}", "-".repeat(3)), |id| format!("agent:{id}:{MAIN}"));
        let own = self.scope(&SessionFacts { session_key: &key, ..SessionFacts::default() });
        let scope = match session {
            SessionKind::Main => own,
            SessionKind::Subagent => Scope { is_subagent: true, ..own },
            SessionKind::Group(key) => Scope { group: groups.get(key).copied(), ..own },
        };
        self.available(&scope).into_iter().map(|tool| self.tool_name(tool)).collect()
    }
}
