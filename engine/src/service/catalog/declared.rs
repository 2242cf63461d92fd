//! The catalog as a file declares it, checked for form but not yet against the database.

use secrecy::SecretString;

use crate::{
    catalog::Topics,
    credits::Credits,
    ledger::caps::CapWindow,
    pricing::PricingSpec,
    service::{access::CapOwner, partners::Funding},
};

/// Everything that a file declares.
#[derive(Debug, Clone, Default)]
pub struct DeclaredCatalog {
    /// Tools without a namespace, offered on `/tools/invoke`. What they earn is the platform's.
    pub core_tools: Vec<DeclaredTool>,
    /// Who sells, with everything they sell.
    pub publishers: Vec<DeclaredPublisher>,
    /// Customers.
    pub accounts: Vec<DeclaredAccount>,
    /// Platforms.
    pub partners: Vec<DeclaredPartner>,
}

/// A publisher. The fingerprint of an item changes exactly when its declaration does.
#[derive(Debug, Clone)]
pub struct DeclaredPublisher {
    /// By which the file knows it.
    pub slug: String,
    /// Shown.
    pub display_name: String,
    /// Its share of every charge, in basis points.
    pub share_bps: u16,
    /// Its namespaces.
    pub namespaces: Vec<DeclaredNamespace>,
    /// See the type.
    pub fingerprint: String,
}

/// A namespace.
#[derive(Debug, Clone)]
pub struct DeclaredNamespace {
    /// The slug.
    pub name: String,
    /// Its title, where that is not the slug.
    pub listing_name: Option<String>,
    /// Shown.
    pub description: String,
    /// What it is about.
    pub topics: Topics,
    /// Its tools.
    pub tools: Vec<DeclaredTool>,
    /// See [`DeclaredPublisher`].
    pub fingerprint: String,
}

/// A tool with an upstream.
#[derive(Debug, Clone)]
pub struct DeclaredTool {
    /// Unique in its namespace.
    pub name: String,
    /// Shown in lists.
    pub short_description: String,
    /// Shown on its page.
    pub long_description: String,
    /// What it is about, where that is not what its namespace is about.
    pub topics: Topics,
    /// JSON Schema of the arguments, as text.
    pub input_schema: String,
    /// Open to unverified accounts while its price is zero.
    pub is_unverified_ok: bool,
    /// The HTTP method of the upstream; `POST` for an MCP server.
    pub method: String,
    /// The URL of the upstream.
    pub url: String,
    /// The tool's name on the MCP server at the URL; `None` where that is a plain HTTP endpoint.
    pub mcp_tool: Option<String>,
    /// The upstream's deadline, in milliseconds.
    pub timeout_ms: u64,
    /// The price.
    pub pricing: PricingSpec,
    /// See [`DeclaredPublisher`].
    pub fingerprint: String,
}

/// A token with a known secret: for demos and tests.
#[derive(Debug, Clone)]
pub struct DeclaredToken {
    /// Shown in lists.
    pub name: String,
    /// The whole token.
    pub secret: String,
    /// Limits on this token alone.
    pub caps: Vec<DeclaredCap>,
}

/// A limit on spending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredCap {
    /// Whom it limits.
    pub per: CapOwner,
    /// How long it counts.
    pub window: CapWindow,
    /// How much, in micro-credits.
    pub limit: Credits,
}

/// A customer.
#[derive(Debug, Clone)]
pub struct DeclaredAccount {
    /// Its address.
    pub email: String,
    /// Counts as confirmed.
    pub is_verified: bool,
    /// A known password: for demos and tests.
    pub password: Option<SecretString>,
    /// Granted once, when the account is made; micro-credits.
    pub grant: Credits,
    /// Its tokens.
    pub tokens: Vec<DeclaredToken>,
    /// Limits on the account.
    pub caps: Vec<DeclaredCap>,
    /// See [`DeclaredPublisher`].
    pub fingerprint: String,
}

/// A platform that pays for its end users.
#[derive(Debug, Clone)]
pub struct DeclaredPartner {
    /// Unique.
    pub name: String,
    /// Its share of every charge, in basis points.
    pub margin_bps: u16,
    /// Who pays for the calls of its end users; `None`: as it is, and of a new partner the partner.
    pub funding: Option<Funding>,
    /// Granted once, when the partner is made; micro-credits.
    pub grant: Credits,
    /// Its tokens.
    pub tokens: Vec<DeclaredToken>,
    /// Limits on the partner and on each of its end users.
    pub caps: Vec<DeclaredCap>,
    /// See [`DeclaredPublisher`].
    pub fingerprint: String,
}
