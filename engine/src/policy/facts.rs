//! What a decision may depend on.

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
    /// Which callers it is meant for.
    pub tier: ToolTier,
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

/// Which callers a tool is meant for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ToolTier {
    /// Accounts without a confirmed address too, as long as the tool is free.
    Unverified,
    /// Accounts with a confirmed address.
    Verified,
    /// Accounts with a confirmed address and money.
    Paid,
}

impl ToolTier {
    /// Every tier.
    pub const ALL: [Self; 3] = [Self::Unverified, Self::Verified, Self::Paid];

    /// The name on the wire, in configuration and in the schema.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unverified => "unverified",
            Self::Verified => "verified",
            Self::Paid => "paid",
        }
    }

    /// The tier of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| tier.name() == name)
    }
}
