//! What `/tools/invoke` looks like in a dialect.

use std::collections::BTreeMap;

use crate::document::{Fields, Node};

mod errors;

pub use self::errors::{ErrorRule, ErrorRules, FailureKind};

/// The rules of the endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HttpRules {
    /// What the dialect's environment variables begin with: `FASED` in `FASED_GATEWAY_TOKEN`.
    pub environment: String,
    /// The headers in which a caller hints at where its call belongs.
    pub headers: ContextHeaders,
    /// Who may call.
    pub auth: AuthRules,
    /// What wrong credentials cost.
    pub limiter: LimiterRules,
    /// How session keys are read.
    pub sessions: SessionRules,
    /// What every refusal and failure looks like.
    pub errors: ErrorRules,
}

/// The names of the context headers, in lower case. A header that the dialect does not have is not looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContextHeaders {
    /// The channel: `slack`, `telegram` …
    pub channel: Option<String>,
    /// The account on the channel.
    pub account: Option<String>,
    /// The recipient on the channel.
    pub to: Option<String>,
    /// The thread or topic.
    pub thread: Option<String>,
}

/// How callers show who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthMode {
    /// The shared token as bearer.
    Token,
    /// The shared password as bearer.
    Password,
    /// Nothing, from a direct loopback peer only.
    None,
    /// Headers of a trusted proxy.
    TrustedProxy,
}

impl AuthMode {
    /// Every mode, with its name in the configuration.
    pub const ALL: [(&'static str, Self); 4] = [
        ("token", Self::Token),
        ("password", Self::Password),
        ("none", Self::None),
        ("trusted-proxy", Self::TrustedProxy),
    ];

    /// The name in the configuration.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, mode)| *mode == self).map_or("", |(name, _)| name)
    }
}

/// Who may call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuthRules {
    /// The modes that exist.
    pub modes: Vec<AuthMode>,
    /// A trusted proxy on this machine counts only with `trustedProxy.allowLoopback`.
    pub loopback_proxy_needs_flag: bool,
    /// Forwarding headers must come from a trusted proxy, and in the mode `trusted-proxy` must name a client that is not
    /// on this machine; else the request is refused before anything else is looked at.
    pub needs_attribution: bool,
    /// Scopes that callers without a shared secret can restrict themselves to.
    pub scopes: Option<ScopeRules>,
}

/// Scopes of callers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeRules {
    /// The header that lists them; without it a caller has all of them.
    pub header: String,
    /// The scope that a call needs.
    pub needed: String,
    /// The scope that includes all others and makes its bearer an owner.
    pub owner: String,
}

/// What wrong credentials cost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a member of the file, and they vary one by one")]
pub struct LimiterRules {
    /// There is a limit also without `gateway.auth.rateLimit`.
    pub is_always_on: bool,
    /// A request without credentials counts as a failure.
    pub counts_missing: bool,
    /// A request that the mode `none` refuses counts as a failure.
    pub counts_refused_none: bool,
    /// A locked-out client is told when to come back.
    pub tells_when: bool,
    /// How long the answers to failures from this machine wait, one after the other; the last one stays. In milliseconds.
    pub loopback_delays_ms: Vec<u64>,
}

/// How session keys are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionRules {
    /// Keys are put into lower case and in front of them, where it is missing, `agent:<owner>:`. A key that begins like
    /// one of an agent and is none is refused.
    pub is_canonical: bool,
    /// Keys that begin like this are refused.
    pub reserved: Vec<String>,
    /// `agentId` must be one of the configured agents, where there are any.
    pub needs_known_agent: bool,
}

impl HttpRules {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            environment: fields.require("environment").and_then(|node| node.text()).unwrap_or_default().to_owned(),
            headers: section(fields, "headers", ContextHeaders::read),
            auth: section(fields, "auth", AuthRules::read),
            limiter: section(fields, "limiter", LimiterRules::read),
            sessions: section(fields, "sessions", SessionRules::read),
            errors: section(fields, "errors", ErrorRules::read),
        }
    }
}

impl ContextHeaders {
    fn read(fields: &mut Fields<'_>) -> Self {
        let mut header = |key| fields.text(key).map(str::to_ascii_lowercase);
        Self { channel: header("channel"), account: header("account"), to: header("to"), thread: header("thread") }
    }
}

impl AuthRules {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            modes: fields.require("modes").map(|node| modes(&node)).unwrap_or_default(),
            loopback_proxy_needs_flag: fields.flag("loopback_proxy_needs_flag", false),
            needs_attribution: fields.flag("needs_attribution", false),
            scopes: fields.take("scopes").and_then(|node| node.object(ScopeRules::read)).flatten(),
        }
    }
}

fn modes(node: &Node<'_>) -> Vec<AuthMode> {
    let known: BTreeMap<&str, AuthMode> = AuthMode::ALL.into_iter().collect();
    let mode = |item: &Node<'_>| {
        let found = item.text().and_then(|text| known.get(text).copied());
        if found.is_none() {
            item.wrong("must be one of `token`, `password`, `none`, `trusted-proxy`");
        }
        found
    };
    node.items().iter().filter_map(mode).collect()
}

impl ScopeRules {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let mut text = |key| fields.require(key).and_then(|node| node.text()).map(str::to_owned);
        Some(Self { header: text("header")?, needed: text("needed")?, owner: text("owner")? })
    }
}

impl LimiterRules {
    fn read(fields: &mut Fields<'_>) -> Self {
        let delays = fields.take("loopback_delays_ms").map(|node| node.items()).unwrap_or_default();
        Self {
            is_always_on: fields.flag("always_on", false),
            counts_missing: fields.flag("counts_missing", true),
            counts_refused_none: fields.flag("counts_refused_none", false),
            tells_when: fields.flag("tells_when", true),
            loopback_delays_ms: delays.iter().filter_map(Node::whole_number).collect(),
        }
    }
}

impl SessionRules {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            is_canonical: fields.flag("canonical", false),
            reserved: fields.texts("reserved").into_iter().map(str::to_owned).collect(),
            needs_known_agent: fields.flag("needs_known_agent", false),
        }
    }
}

fn section<T: Default>(fields: &mut Fields<'_>, key: &'static str, read: impl FnOnce(&mut Fields<'_>) -> T) -> T {
    fields.require(key).and_then(|node| node.object(read)).unwrap_or_default()
}
