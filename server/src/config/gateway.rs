//! The section `gateway`: the agent gateway, in the JSON shape of the dialects' own configuration.

mod auth;

use std::{collections::BTreeMap, sync::Arc};

use ipnet::IpNet;

pub use engine::dialect::AuthMode;

pub use self::auth::{GatewayAuth, RateLimit, TrustedProxy};
use super::{
    reader::Fields,
    values::{parse_email, parse_line, parse_network},
};

/// Keys of the dialects' section `gateway` that mean nothing here (their servers, user interfaces and devices).
const UNUSED: &[&str] = &[
    "port",
    "mode",
    "bind",
    "customBindHost",
    "controlUi",
    "webchat",
    "handshakeTimeoutMs",
    "channelHealthCheckMinutes",
    "channelStaleEventThresholdMinutes",
    "channelMaxRestartsPerHour",
    "tailscale",
    "remote",
    "reload",
    "tls",
    "http",
    "push",
    "nodes",
];

/// The section `gateway`.
#[derive(Debug, Clone)]
pub struct Gateway {
    /// Which protocol `/tools/invoke` speaks.
    pub dialect: Dialect,
    /// What that means.
    pub rules: Arc<engine::dialect::Dialect>,
    /// Who may call.
    pub auth: GatewayAuth,
    /// Names taken out of the dialect's HTTP deny list (exact strings).
    pub tools_allow: Vec<String>,
    /// Names added to the HTTP deny list (exact strings).
    pub tools_deny: Vec<String>,
    /// Networks whose forwarding headers are believed on `/tools/invoke`.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether `X-Real-IP` of a trusted proxy counts when `X-Forwarded-For` names nobody.
    pub allow_real_ip_fallback: bool,
    /// The namespaces that the gateway offers; without the key, those declared in the file.
    pub namespaces: Option<Vec<String>>,
    /// Who pays for priced tools.
    pub billing: Option<Billing>,
    /// Whether the file or the database leads once the policy has been seeded.
    pub policy_source: PolicySource,
}

/// The protocols of `/tools/invoke`; their rules are data in `policies/dialects`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// The Fased agent gateway.
    Fased,
    /// The ZERO gateway.
    Zero,
    /// OpenClaw, newest version.
    Openclaw,
}

impl Dialect {
    /// What the configuration calls them.
    pub(super) const NAMES: [(&str, Self); 3] =
        [("fased", Self::Fased), ("zero", Self::Zero), ("openclaw", Self::Openclaw)];

    /// Its rules.
    ///
    /// # Errors
    /// The data file is wrong. A test reads them all.
    pub fn rules(self) -> Result<engine::dialect::Dialect, engine::dialect::DialectError> {
        engine::dialect::Dialect::from_text(self.text())
    }

    /// The name in the configuration and of the dialect's data file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fased => "fased",
            Self::Zero => "zero",
            Self::Openclaw => "openclaw",
        }
    }

    /// The dialect's data file.
    fn text(self) -> &'static str {
        match self {
            Self::Fased => policies::dialects::FASED,
            Self::Zero => policies::dialects::ZERO,
            Self::Openclaw => policies::dialects::OPENCLAW,
        }
    }
}

/// Who leads once the policy has been seeded from the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicySource {
    /// The database: a changed file becomes a draft.
    Database,
    /// The file: a changed file is published at start, and the console shows it read-only.
    File,
}

/// The section `gateway.billing`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Billing {
    /// The e-mail address of the account that pays unless an agent has its own.
    pub account: String,
    /// Agent id → e-mail address of the account that pays for that agent.
    pub agents: BTreeMap<String, String>,
}

impl Gateway {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        fields.tolerate(UNUSED);
        let dialect = fields.choice("dialect", &Dialect::NAMES).unwrap_or(Dialect::Fased);
        let rules = dialect.rules().unwrap_or_else(|error| {
            fields.reader.problem(&fields.place, format!("`gateway.dialect`: {error}"));
            engine::dialect::Dialect::default()
        });
        let trusted_proxies = fields.list("trustedProxies", |item| item.parsed(parse_network));
        let has_trusted_proxies = !trusted_proxies.is_empty();
        let auth = fields.section("auth", |fields| GatewayAuth::read(fields, &rules, has_trusted_proxies));
        let (tools_allow, tools_deny) = fields.section("tools", |tools| (tools.texts("allow"), tools.texts("deny")));
        let namespaces = fields
            .take("namespaces")
            .map(|value| value.items().iter().filter_map(|item| item.parsed(super::catalog::parse_slug)).collect());
        let sources = [("database", PolicySource::Database), ("file", PolicySource::File)];
        Self {
            dialect,
            rules: Arc::new(rules),
            auth,
            tools_allow,
            tools_deny,
            trusted_proxies,
            allow_real_ip_fallback: fields.flag("allowRealIpFallback", false),
            namespaces,
            billing: fields.optional("billing", Billing::read).flatten(),
            policy_source: fields.choice("policy_source", &sources).unwrap_or(PolicySource::Database),
        }
    }
}

impl Billing {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let account = fields.require("account").and_then(|value| value.parsed(parse_email));
        let agents = fields.take("agents").map(|value| value.entries()).unwrap_or_default();
        let agents = agents.into_iter().filter_map(|(agent, value)| {
            if let Err(error) = parse_line(agent) {
                value.wrong(format!("has a key that {error}"));
            }
            Some((agent.to_owned(), value.parsed(parse_email)?))
        });
        let agents = agents.collect();
        Some(Self { account: account?, agents })
    }
}
