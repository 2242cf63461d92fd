//! What a decision may depend on.

use super::chain::ChainPlace;
#[cfg(feature = "store")]
use super::chain::Scope;
use crate::catalog::Tier;

/// Through which endpoint a call came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Surface {
    /// `POST /invoke/{namespace}/{tool}`: Cedar's action `invokeMarketplace`.
    Marketplace,
    /// `POST /tools/invoke`: Cedar's action `invokeHttp`.
    Http,
}

/// Everything that one decision depends on.
#[derive(Debug, Clone, Copy)]
pub struct DecisionRequest<'a> {
    /// Through which endpoint.
    pub surface: Surface,
    /// Identifies what the caller showed: a token or a session.
    pub token: &'a str,
    /// Whose it is.
    pub caller: Caller<'a>,
    /// What is called.
    pub tool: ToolFacts<'a>,
    /// Seconds since the Unix epoch.
    pub now_s: i64,
    /// On `/tools/invoke`: where the call stands in the tool-policy chain.
    pub place: Option<ChainPlace>,
}

/// Who calls, and so who pays.
#[derive(Debug, Clone, Copy)]
pub enum Caller<'a> {
    /// A customer, for itself.
    Account(AccountFacts<'a>),
    /// A partner, for one of its end users.
    Partner {
        /// The platform.
        partner: PartnerFacts<'a>,
        /// Its customer.
        end_user: EndUserFacts<'a>,
    },
}

/// An account, as far as policies look at it.
#[derive(Debug, Clone, Copy)]
pub struct AccountFacts<'a> {
    /// The public identifier.
    pub id: &'a str,
    /// An operator has suspended it.
    pub is_suspended: bool,
    /// Its address has been confirmed.
    pub is_verified: bool,
}

/// A partner, as far as policies look at it.
#[derive(Debug, Clone, Copy)]
pub struct PartnerFacts<'a> {
    /// The public identifier.
    pub id: &'a str,
    /// An operator has suspended it.
    pub is_suspended: bool,
}

/// An end user, as far as policies look at it.
#[derive(Debug, Clone, Copy)]
pub struct EndUserFacts<'a> {
    /// Our identifier, not the partner's.
    pub id: &'a str,
    /// The partner or an operator has blocked it.
    pub is_blocked: bool,
}

/// A tool, as far as policies look at it.
#[derive(Debug, Clone, Copy)]
pub struct ToolFacts<'a> {
    /// The public identifier.
    pub id: &'a str,
    /// `namespace/tool`, or the plain name of a core tool.
    pub name: &'a str,
    /// Its publisher or an operator has switched it off.
    pub is_disabled: bool,
    /// The price in force is zero.
    pub is_free: bool,
    /// Which accounts may call it.
    pub tier: Tier,
    /// Where it belongs; core tools have no namespace.
    pub namespace: Option<NamespaceFacts<'a>>,
}

/// A namespace, as far as policies look at it.
#[derive(Debug, Clone, Copy)]
pub struct NamespaceFacts<'a> {
    /// The public identifier.
    pub id: &'a str,
    /// The slug.
    pub name: &'a str,
    /// An operator has suspended it.
    pub is_suspended: bool,
    /// Whose it is.
    pub publisher: PublisherFacts<'a>,
}

/// A publisher, as far as policies look at it.
#[derive(Debug, Clone, Copy)]
pub struct PublisherFacts<'a> {
    /// The public identifier.
    pub id: &'a str,
    /// An operator has suspended it.
    pub is_suspended: bool,
}

#[cfg(feature = "store")]
impl DecisionRequest<'_> {
    /// All facts in one text: two requests have the same key only if all their facts are the same, apart from the time
    /// unless `with_time`. Every structure is taken apart by name, so that a new fact cannot be left out.
    pub(super) fn key(&self, with_time: bool) -> Vec<u8> {
        let Self { surface, token, caller, tool, now_s, place } = self;
        let mut key = Key(Vec::with_capacity(384));
        key.byte(match surface {
            Surface::Marketplace => 0,
            Surface::Http => 1,
        });
        if with_time {
            key.0.extend_from_slice(&now_s.to_le_bytes());
        }
        key.flag(place.is_some());
        if let Some(place) = place {
            key.place(place);
        }
        key.text(token);
        key.caller(caller);
        key.tool(tool);
        key.0
    }
}

/// A key being written.
#[cfg(feature = "store")]
struct Key(Vec<u8>);

#[cfg(feature = "store")]
impl Key {
    fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    fn flag(&mut self, flag: bool) {
        self.byte(u8::from(flag));
    }

    /// With its length in front, so that two neighbours cannot swap characters.
    fn text(&mut self, text: &str) {
        self.0.extend_from_slice(&text.len().to_le_bytes());
        self.0.extend_from_slice(text.as_bytes());
    }

    fn place(&mut self, place: &ChainPlace) {
        let ChainPlace { scope, tool } = place;
        let Scope { agent, global_provider, agent_provider, group, is_subagent, is_owner } = scope;
        // a place that is absent is none that a document has room for
        let number = |part: Option<u32>| part.unwrap_or(u32::MAX);
        for part in [*agent, number(*global_provider), number(*agent_provider), number(group.map(|step| step.0))] {
            self.0.extend_from_slice(&part.to_le_bytes());
        }
        self.0.extend_from_slice(&tool.usize().to_le_bytes());
        self.flag(*is_subagent);
        self.flag(*is_owner);
    }

    fn caller(&mut self, caller: &Caller<'_>) {
        match caller {
            Caller::Account(AccountFacts { id, is_suspended, is_verified }) => {
                self.byte(0);
                self.text(id);
                self.flag(*is_suspended);
                self.flag(*is_verified);
            }
            Caller::Partner {
                partner: PartnerFacts { id: partner, is_suspended },
                end_user: EndUserFacts { id: end_user, is_blocked },
            } => {
                self.byte(1);
                self.text(partner);
                self.flag(*is_suspended);
                self.text(end_user);
                self.flag(*is_blocked);
            }
        }
    }

    fn tool(&mut self, tool: &ToolFacts<'_>) {
        let ToolFacts { id, name, is_disabled, is_free, tier, namespace } = tool;
        self.text(id);
        self.text(name);
        self.flag(*is_disabled);
        self.flag(*is_free);
        self.byte(match tier {
            Tier::Unverified => 0,
            Tier::Standard => 1,
        });
        let Some(NamespaceFacts { id, name, is_suspended, publisher }) = namespace else { return self.byte(0) };
        self.byte(1);
        self.text(id);
        self.text(name);
        self.flag(*is_suspended);
        let PublisherFacts { id, is_suspended } = publisher;
        self.text(id);
        self.flag(*is_suspended);
    }
}
