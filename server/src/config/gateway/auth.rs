//! The section `gateway.auth`: who may call `/tools/invoke`.

use engine::dialect::{AuthMode, Dialect};
use secrecy::SecretString;

use crate::config::reader::{Fields, Value};

const MILLISECONDS_MAX: u64 = 365 * 24 * 60 * 60 * 1_000;
const ATTEMPTS_MAX: u64 = 1_000_000;

/// The section `gateway.auth`, with the dialect's environment variables already taken into account.
#[derive(Debug, Clone)]
pub struct GatewayAuth {
    /// How callers show who they are.
    pub mode: AuthMode,
    /// The shared token. In the mode `token` its absence means that one is made at the first start.
    pub token: Option<SecretString>,
    /// The shared password; present in the mode `password`.
    pub password: Option<SecretString>,
    /// Limits failed attempts; without the section there is no limit, as in the dialects.
    pub rate_limit: Option<RateLimit>,
    /// What the proxy asserts; present in the mode `trusted-proxy`.
    pub trusted_proxy: Option<TrustedProxy>,
    /// In the mode `none` it refuses everybody, as in the dialects; identity headers of Tailscale are not read.
    pub allow_tailscale: bool,
}

/// The section `gateway.auth.rateLimit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// Failures within the window that lock a client out.
    pub max_attempts: u32,
    /// Length of the sliding window in milliseconds.
    pub window_ms: u64,
    /// How long a client stays locked out, in milliseconds.
    pub lockout_ms: u64,
    /// Whether loopback clients are never locked out.
    pub exempt_loopback: bool,
}

/// The section `gateway.auth.trustedProxy`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedProxy {
    /// The header that names the user, in lower case.
    pub user_header: String,
    /// Headers that must be there and not blank, in lower case.
    pub required_headers: Vec<String>,
    /// The users that may call; empty means every user that the proxy names.
    pub allow_users: Vec<String>,
    /// Whether a proxy on a loopback address counts.
    pub allow_loopback: bool,
}

impl GatewayAuth {
    pub(super) fn read(fields: &mut Fields<'_>, dialect: &Dialect, has_trusted_proxies: bool) -> Self {
        let mode_value = fields.take("mode");
        let token = read_secret(fields, "token", dialect, "TOKEN");
        let password = read_secret(fields, "password", dialect, "PASSWORD");
        let rate_limit = fields.optional("rateLimit", RateLimit::read);
        let trusted_proxy = fields.optional("trustedProxy", TrustedProxy::read).flatten();
        let allow_tailscale = fields.flag("allowTailscale", false);
        // the dialects: a password stands over a token; without either the start makes a token
        let default = if password.is_some() { AuthMode::Password } else { AuthMode::Token };
        let mode = mode_value.as_ref().and_then(read_mode).unwrap_or(default);
        let auth = Self { mode, token, password, rate_limit, trusted_proxy, allow_tailscale };
        if let Some(value) = mode_value {
            auth.check_mode(&value, dialect, has_trusted_proxies);
        }
        auth
    }

    fn check_mode(&self, value: &Value<'_>, dialect: &Dialect, has_trusted_proxies: bool) {
        let (prefix, modes) = (&dialect.http.environment, &dialect.http.auth.modes);
        match self.mode {
            mode if !modes.contains(&mode) => {
                let names: Vec<String> = modes.iter().map(|mode| format!("`{}`", mode.name())).collect();
                value.wrong(format!("must be {} in the dialect `{}`", names.join(" or "), dialect.name));
            }
            AuthMode::TrustedProxy if !has_trusted_proxies => {
                value.wrong("is `trusted-proxy`, which needs at least one network in `gateway.trustedProxies`");
            }
            AuthMode::TrustedProxy if self.trusted_proxy.is_none() => {
                value.wrong("is `trusted-proxy`, which needs `gateway.auth.trustedProxy.userHeader`");
            }
            AuthMode::Password if self.password.is_none() => value.wrong(format!(
                "is `password`, but there is none: set `gateway.auth.password` or `{prefix}_GATEWAY_PASSWORD`"
            )),
            AuthMode::Token | AuthMode::Password | AuthMode::None | AuthMode::TrustedProxy => {}
        }
    }
}

fn read_mode(value: &Value<'_>) -> Option<AuthMode> {
    value.choice(&AuthMode::ALL)
}

/// A configured secret, else the dialect's environment variable; a blank one counts as absent and never lets anybody in.
fn read_secret(fields: &mut Fields<'_>, key: &'static str, dialect: &Dialect, suffix: &str) -> Option<SecretString> {
    let variable = format!("{}_GATEWAY_{suffix}", dialect.http.environment);
    let configured = fields.take(key).and_then(|value| value.text()).filter(|text| !text.trim().is_empty());
    let inherited = || fields.reader.environment.get(&variable).filter(|text| !text.trim().is_empty());
    configured.or_else(inherited).map(|text| SecretString::from(text.trim()))
}

impl RateLimit {
    fn read(fields: &mut Fields<'_>) -> Self {
        let attempts = fields.whole_number("maxAttempts", 10, 1..=ATTEMPTS_MAX);
        Self {
            max_attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
            window_ms: fields.whole_number("windowMs", 60_000, 1..=MILLISECONDS_MAX),
            lockout_ms: fields.whole_number("lockoutMs", 300_000, 1..=MILLISECONDS_MAX),
            exempt_loopback: fields.flag("exemptLoopback", true),
        }
    }
}

impl TrustedProxy {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        fields.tolerate(&["deviceAutoApprove"]);
        let user_header = fields.require("userHeader").and_then(|value| value.parsed(parse_header_name));
        let required_headers = fields.list("requiredHeaders", |item| item.parsed(parse_header_name));
        let allow_users = fields.texts("allowUsers");
        let allow_loopback = fields.flag("allowLoopback", false);
        Some(Self { user_header: user_header?, required_headers, allow_users, allow_loopback })
    }
}

fn parse_header_name(text: &str) -> Result<String, String> {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if text.is_empty() || !text.chars().all(is_token) {
        return Err("must be the name of a header".to_owned());
    }
    Ok(text.to_ascii_lowercase())
}
