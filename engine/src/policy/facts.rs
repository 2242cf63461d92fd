//! What a decision may depend on.

use super::chain::ChainPlace;
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
