//! From the configuration to the gateway: what it offers and allows, and who comes in.

use engine::{
    dialect::AuthMode,
    gateway::{
        address::TrustedProxies,
        auth::{AuthSettings, Door, ProxyAssertion, SharedSecret},
        limiter::{Limit, Limiter},
    },
    policy::{WrittenPolicy, chain::normalised_agent},
    snapshot::{Billing, GatewaySetup},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};

use super::Gateway;
use crate::config::{Config, GatewayAuth};

/// The policy of the configuration.
pub fn written_policy(config: &Config) -> WrittenPolicy {
    let (gateway, policy) = (&config.gateway, &config.policy);
    let lists = [("allow", &gateway.tools_allow), ("deny", &gateway.tools_deny)];
    // A list that is not there is no list that restricts nothing.
    let tools: Map<String, Value> = lists
        .into_iter()
        .filter(|(_, list)| !list.is_empty())
        .map(|(key, list)| (key.to_owned(), json!(list)))
        .collect();
    let chain = json!({
        "session": policy.session,
        "tools": policy.tools,
        "agents": policy.agents,
        "channels": policy.channels,
        "gateway": {"tools": tools},
    });
    WrittenPolicy { chain, operator: policy.operator.clone() }
}

/// Whether a configuration has no policy at all, as one with a catalog alone.
pub fn has_no_policy(config: &Config) -> bool {
    let (gateway, policy) = (&config.gateway, &config.policy);
    let sections = [&policy.session, &policy.tools, &policy.agents, &policy.channels];
    sections.iter().all(|section| section.as_object().is_none_or(Map::is_empty))
        && gateway.tools_allow.is_empty()
        && gateway.tools_deny.is_empty()
        && policy.operator.is_empty()
}

/// What the gateway offers. `namespaces` are offered where the configuration names none.
pub fn gateway_setup(config: &Config, namespaces: Vec<String>) -> GatewaySetup {
    let gateway = &config.gateway;
    let billing = gateway.billing.as_ref().map_or_else(Billing::default, |billing| Billing {
        account: Some(billing.account.clone()),
        agents: billing.agents.iter().map(|(agent, email)| (normalised_agent(agent), email.clone())).collect(),
    });
    GatewaySetup {
        dialect: (*gateway.rules).clone(),
        schema: policies::SCHEMA,
        base: policies::BASE,
        namespaces: gateway.namespaces.clone().unwrap_or(namespaces),
        billing,
    }
}

/// The namespaces that the configuration declares.
pub fn declared_namespaces(config: &Config) -> Vec<String> {
    let publishers = config.catalog.publishers.iter();
    publishers.flat_map(|publisher| &publisher.namespaces).map(|namespace| namespace.name.clone()).collect()
}

/// The gateway's door. `token` is the one made at the first start, for when none is configured.
pub fn gateway(config: &Config, token: &SecretString) -> Gateway {
    let (rules, auth) = (&config.gateway.rules.http, &config.gateway.auth);
    let settings = AuthSettings {
        door: door(auth, token),
        proxies: TrustedProxies {
            networks: config.gateway.trusted_proxies.clone(),
            allows_real_ip: config.gateway.allow_real_ip_fallback,
        },
        rules: rules.auth.clone(),
        limiter: rules.limiter.clone(),
    };
    let configured = auth.rate_limit.map(|limit| Limit {
        max_attempts: limit.max_attempts,
        window_ms: limit.window_ms,
        lockout_ms: limit.lockout_ms,
        exempts_loopback: limit.exempt_loopback,
    });
    let limit = configured.or_else(|| rules.limiter.is_always_on.then(Limit::default));
    Gateway::new(settings, Limiter::new(limit, &rules.limiter.loopback_delays_ms), rules.errors.clone())
}

fn door(auth: &GatewayAuth, token: &SecretString) -> Door {
    // A mode whose secret is missing falls back on the token that was made: never open.
    let secret = |configured: Option<&SecretString>| {
        Door::Secret(SharedSecret::new(configured.unwrap_or(token).expose_secret()))
    };
    match (auth.mode, &auth.trusted_proxy) {
        (AuthMode::Password, _) => secret(auth.password.as_ref()),
        (AuthMode::None, _) => Door::Open { allows_tailscale: auth.allow_tailscale },
        (AuthMode::TrustedProxy, Some(proxy)) => Door::Proxy(ProxyAssertion {
            user_header: proxy.user_header.clone(),
            required_headers: proxy.required_headers.clone(),
            allow_users: proxy.allow_users.clone(),
            allows_loopback: proxy.allow_loopback,
        }),
        (AuthMode::Token, _) | (AuthMode::TrustedProxy, None) => secret(auth.token.as_ref()),
    }
}

/// Whether callers show the token that is made at the first start.
pub fn needs_token(auth: &GatewayAuth) -> bool {
    auth.mode == AuthMode::Token && auth.token.is_none()
}
