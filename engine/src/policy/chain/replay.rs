//! Recorded decisions against a draft: who would be answered differently.

use super::{ChainPlace, SessionFacts};
use crate::policy::{Decision, DecisionRequest, Policies};

/// A decision as it was recorded.
#[derive(Debug, Clone, Copy)]
pub struct RecordedDecision<'a> {
    /// The session's texts; `None` for a call on the marketplace.
    pub session: Option<SessionFacts<'a>>,
    /// The tool as the caller wrote it.
    pub requested: &'a str,
    /// The facts of the call. Its place in a chain is looked up anew.
    pub request: DecisionRequest<'a>,
    /// How it was decided.
    pub was_allowed: bool,
}

/// A decision that the draft turns over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flip {
    /// Its place in the recording, from 0.
    pub index: usize,
    /// The draft's decision; `None` where the draft's catalog has no such tool.
    pub decision: Option<Decision>,
}

/// Decides recorded calls again and returns those that are decided differently.
pub fn replay<'a>(draft: &Policies, recording: impl IntoIterator<Item = RecordedDecision<'a>>) -> Vec<Flip> {
    let again = recording.into_iter().enumerate().filter_map(|(index, recorded)| {
        let decision = decide_again(draft, &recorded);
        let is_allowed = decision.as_ref().is_some_and(|decision| decision.allowed);
        (is_allowed != recorded.was_allowed).then_some(Flip { index, decision })
    });
    again.collect()
}

/// Decides a recorded call again; `None` where the draft's catalog has no such tool.
pub fn decide_again(draft: &Policies, recorded: &RecordedDecision<'_>) -> Option<Decision> {
    let place = match (&recorded.session, draft.chain()) {
        (Some(session), Some(chain)) => {
            Some(ChainPlace { scope: chain.scope(session), tool: chain.find_tool(recorded.requested)? })
        }
        _ => None,
    };
    Some(draft.decide(&DecisionRequest { place, ..recorded.request }))
}
