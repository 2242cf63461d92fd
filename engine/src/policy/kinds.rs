//! Callers and tools without their names.
//!
//! Building entities takes as long as deciding. Where no policy reads a name (a literal account, tool or the like, or a
//! `name`), it cannot tell two callers apart of whom it is told the same; the same goes for tools. There are few such kinds,
//! so their entities are built once, and a call is put to Cedar with those of its kinds.

use cedar_policy::{Entities, EntityUid};

use super::facts::{AccountFacts, Caller, EndUserFacts, NamespaceFacts, PartnerFacts, PublisherFacts, ToolFacts};
use crate::catalog::Tier;

/// What is known of a caller but for names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct CallerKind(u8);

/// What is known of a tool but for names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ToolKind(u8);

/// The entities of every kind.
#[derive(Debug)]
pub(super) struct Kinds {
    pub(super) callers: Vec<EntityUid>,
    pub(super) tools: Vec<EntityUid>,
    pub(super) entities: Entities,
}

impl Kinds {
    /// The caller, and the tool.
    pub(super) fn of(&self, caller: &Caller<'_>, tool: &ToolFacts<'_>) -> Option<(&EntityUid, &EntityUid)> {
        Some((self.callers.get(caller.kind().usize())?, self.tools.get(tool.kind().usize())?))
    }
}

impl CallerKind {
    /// The place among all kinds.
    pub(super) fn usize(self) -> usize {
        usize::from(self.0)
    }
}

impl ToolKind {
    /// The place among all kinds.
    pub(super) fn usize(self) -> usize {
        usize::from(self.0)
    }
}

// Every structure is taken apart by name, so that a new fact cannot be left out.

impl Caller<'_> {
    pub(super) fn kind(&self) -> CallerKind {
        CallerKind(match self {
            Self::Account(AccountFacts { id: _, is_suspended, is_verified }) => {
                bits([false, *is_suspended, *is_verified])
            }
            Self::Partner {
                partner: PartnerFacts { id: _, is_suspended },
                end_user: EndUserFacts { id: _, is_blocked },
            } => bits([true, *is_suspended, *is_blocked]),
        })
    }

    /// A nameless one of every kind, by the kind's place.
    pub(super) fn of_all_kinds() -> impl Iterator<Item = Caller<'static>> {
        (0..8_u8).map(|kind| {
            let [is_partner, is_suspended, flag] = flags(kind);
            if is_partner {
                let partner = PartnerFacts { id: "", is_suspended };
                Caller::Partner { partner, end_user: EndUserFacts { id: "", is_blocked: flag } }
            } else {
                Caller::Account(AccountFacts { id: "", is_suspended, is_verified: flag })
            }
        })
    }
}

impl ToolFacts<'_> {
    pub(super) fn kind(&self) -> ToolKind {
        let Self { id: _, name: _, is_disabled, is_free, tier, namespace } = self;
        let is_standard = match tier {
            Tier::Unverified => false,
            Tier::Standard => true,
        };
        let (has_namespace, is_suspended, is_publisher_suspended) = match namespace {
            None => (false, false, false),
            Some(NamespaceFacts { id: _, name: _, is_suspended, publisher }) => {
                let PublisherFacts { id: _, is_suspended: is_publisher_suspended } = publisher;
                (true, *is_suspended, *is_publisher_suspended)
            }
        };
        ToolKind(bits([*is_disabled, *is_free, is_standard, has_namespace, is_suspended, is_publisher_suspended]))
    }

    /// A nameless one of every kind, by the kind's place. Those that cannot be (a namespace that is absent and suspended)
    /// are the one without a namespace.
    pub(super) fn of_all_kinds() -> impl Iterator<Item = ToolFacts<'static>> {
        (0..64_u8).map(|kind| {
            let [is_disabled, is_free, is_standard, has_namespace, is_suspended, is_publisher_suspended] = flags(kind);
            let publisher = PublisherFacts { id: "", is_suspended: is_publisher_suspended };
            let namespace = has_namespace.then_some(NamespaceFacts { id: "", name: "", is_suspended, publisher });
            let tier = if is_standard { Tier::Standard } else { Tier::Unverified };
            ToolFacts { id: "", name: "", is_disabled, is_free, tier, namespace }
        })
    }
}

/// The first flag is the highest bit.
fn bits<const N: usize>(flags: [bool; N]) -> u8 {
    flags.into_iter().fold(0, |bits: u8, flag| bits.wrapping_shl(1) | u8::from(flag))
}

fn flags<const N: usize>(bits: u8) -> [bool; N] {
    let mut place = u32::try_from(N).unwrap_or(0);
    [(); N].map(|()| {
        place = place.saturating_sub(1);
        bits.wrapping_shr(place) & 1 == 1
    })
}

#[cfg(test)]
mod tests;
