//! What changes for whom when one policy takes the place of another.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Chain, Scope, StepKind,
    scopes::{AgentSteps, StepIndex},
};

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
        let (old_agents, new_agents) = (self.homes(), new.homes());
        let agents: BTreeSet<&Option<String>> = old_agents.keys().chain(new_agents.keys()).collect();
        let (old_groups, new_groups) = (self.groups(), new.groups());
        let groups: BTreeSet<&String> = old_groups.keys().chain(new_groups.keys()).collect();
        let kinds: Vec<SessionKind> = [SessionKind::Main, SessionKind::Subagent]
            .into_iter()
            .chain(groups.into_iter().map(|key| SessionKind::Group(key.clone())))
            .collect();
        let mut changes = Vec::new();
        for agent in agents {
            for session in &kinds {
                let before = self.tools_of(home_of(agent.as_ref(), &old_agents), session, &old_groups);
                let after = new.tools_of(home_of(agent.as_ref(), &new_agents), session, &new_groups);
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

    /// How many sessions [`Self::diff`] compares at most.
    pub fn diff_size(&self, new: &Self) -> usize {
        let sum = |of: fn(&Self) -> usize| of(self).saturating_add(of(new));
        let kinds = sum(|chain| chain.groups().len()).saturating_add(2);
        sum(|chain| chain.plan.agents.len()).saturating_mul(kinds)
    }

    /// Policies of groups, by their keys.
    fn groups(&self) -> BTreeMap<String, StepIndex> {
        let steps = self.plan.steps.iter().zip(0..).filter(|(step, _)| step.kind == StepKind::Group);
        steps.map(|(step, index)| (step.id.clone(), StepIndex(index))).collect()
    }

    /// The main sessions of the agents; under `None` that of all others.
    fn homes(&self) -> BTreeMap<Option<String>, Scope> {
        let home = |(agent, index): (&AgentSteps, u32)| {
            let scope = Scope {
                agent: index,
                global_provider: agent.global_provider,
                agent_provider: agent.agent_provider,
                group: None,
                is_subagent: false,
                is_owner: false,
            };
            (agent.id.clone(), scope)
        };
        self.plan.agents.iter().zip(0..).map(home).collect()
    }

    fn tools_of(
        &self,
        home: Option<Scope>,
        session: &SessionKind,
        groups: &BTreeMap<String, StepIndex>,
    ) -> BTreeSet<&str> {
        let Some(home) = home else { return BTreeSet::new() };
        let scope = match session {
            SessionKind::Main => home,
            SessionKind::Subagent => Scope { is_subagent: true, ..home },
            SessionKind::Group(key) => Scope { group: groups.get(key).copied(), ..home },
        };
        self.available(&scope).into_iter().map(|tool| self.tool_name(tool)).collect()
    }
}

/// An agent that a document does not list has the sessions of all others.
fn home_of(agent: Option<&String>, homes: &BTreeMap<Option<String>, Scope>) -> Option<Scope> {
    homes.get(&agent.cloned()).or_else(|| homes.get(&None)).copied()
}
