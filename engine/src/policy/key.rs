//! What a remembered decision is found by.

use super::{
    Surface,
    chain::ChainPlace,
    decide::Reads,
    facts::{
        AccountFacts, Caller, DecisionRequest, EndUserFacts, NamespaceFacts, PartnerFacts, PublisherFacts, ToolFacts,
    },
    kinds::{CallerKind, ToolKind},
};

/// All facts that a decision depends on, and no others: the time and the names are among them only if a policy reads them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct DecisionKey {
    surface: Surface,
    caller: CallerKind,
    tool: ToolKind,
    now_s: Option<i64>,
    place: Option<ChainPlace>,
    /// Without names it is empty, and takes no memory.
    names: Box<[u8]>,
}

impl DecisionRequest<'_> {
    /// Every structure is taken apart by name, here and for the kinds, so that a new fact cannot be left out.
    pub(super) fn key(&self, reads: Reads) -> DecisionKey {
        let Self { surface, token: _, caller, tool, now_s, place } = self;
        DecisionKey {
            surface: *surface,
            caller: caller.kind(),
            tool: tool.kind(),
            now_s: reads.clock.then_some(*now_s),
            place: *place,
            names: if reads.names { self.names() } else { Box::default() },
        }
    }

    fn names(&self) -> Box<[u8]> {
        let Self { surface: _, token, caller, tool, now_s: _, place: _ } = self;
        let mut names = Names(Vec::with_capacity(384));
        names.add(token);
        match caller {
            Caller::Account(AccountFacts { id, is_suspended: _, is_verified: _ }) => names.add(id),
            Caller::Partner {
                partner: PartnerFacts { id: partner, is_suspended: _ },
                end_user: EndUserFacts { id: end_user, is_blocked: _ },
            } => {
                names.add(partner);
                names.add(end_user);
            }
        }
        let ToolFacts { id, name, is_disabled: _, is_free: _, tier: _, namespace } = tool;
        names.add(id);
        names.add(name);
        if let Some(NamespaceFacts { id, name, is_suspended: _, publisher }) = namespace {
            let PublisherFacts { id: publisher, is_suspended: _ } = publisher;
            names.add(id);
            names.add(name);
            names.add(publisher);
        }
        names.0.into_boxed_slice()
    }
}

/// Names being written. Which ones they are, the kinds say.
struct Names(Vec<u8>);

impl Names {
    /// With its length in front, so that two neighbours cannot swap characters.
    fn add(&mut self, name: &str) {
        self.0.extend_from_slice(&name.len().to_le_bytes());
        self.0.extend_from_slice(name.as_bytes());
    }
}

#[cfg(test)]
mod tests;
