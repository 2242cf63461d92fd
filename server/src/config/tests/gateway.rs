//! The gateway and the policy documents.

use secrecy::ExposeSecret;
use serde_json::json;

use super::{accepted, check_refused, load_with};
use crate::config::{AuthMode, Dialect, PolicySource};

#[test]
fn the_mode_follows_the_secrets_that_are_there() {
    type Case = (&'static str, &'static [(&'static str, &'static str)], AuthMode, Option<&'static str>);
    let cases: [Case; 9] = [
        ("{}", &[], AuthMode::Token, None),
        ("{ gateway: { auth: { token: 'tok' } } }", &[], AuthMode::Token, Some("tok")),
        ("{ gateway: { auth: { token: 'tok', password: 'pw' } } }", &[], AuthMode::Password, Some("tok")),
        ("{ gateway: { auth: { mode: 'token', password: 'pw' } } }", &[], AuthMode::Token, None),
        ("{}", &[("FASED_GATEWAY_TOKEN", "env")], AuthMode::Token, Some("env")),
        ("{ gateway: { auth: { token: 'tok' } } }", &[("FASED_GATEWAY_TOKEN", "env")], AuthMode::Token, Some("tok")),
        ("{ gateway: { dialect: 'zero' } }", &[("FASED_GATEWAY_TOKEN", "env")], AuthMode::Token, None),
        ("{ gateway: { dialect: 'openclaw' } }", &[("OPENCLAW_GATEWAY_PASSWORD", "pw")], AuthMode::Password, None),
        ("{ gateway: { auth: { token: '  ' } } }", &[("FASED_GATEWAY_TOKEN", " ")], AuthMode::Token, None),
    ];
    for (text, variables, mode, token) in cases {
        let auth = load_with(text, variables).unwrap_or_else(|error| panic!("{text}: {error}")).config.gateway.auth;
        assert_eq!(auth.mode, mode, "for `{text}` with {variables:?}");
        assert_eq!(auth.token.as_ref().map(ExposeSecret::expose_secret), token, "for `{text}` with {variables:?}");
    }
}

#[test]
fn modes_that_could_let_nobody_or_anybody_in_are_refused() {
    check_refused(&[
        (
            "{ gateway: { auth: { mode: 'password' } } }",
            "t:1:28: `gateway.auth.mode` is `password`, but there is none: set `gateway.auth.password` or `FASED_GATEWAY_PASSWORD`",
        ),
        (
            "{ gateway: { auth: { mode: 'trusted-proxy', trustedProxy: { userHeader: 'x' } } } }",
            "t:1:28: `gateway.auth.mode` is `trusted-proxy`, which needs at least one network in `gateway.trustedProxies`",
        ),
        (
            "{ gateway: { auth: { mode: 'trusted-proxy' }, trustedProxies: ['10.0.0.1'] } }",
            "t:1:28: `gateway.auth.mode` is `trusted-proxy`, which needs `gateway.auth.trustedProxy.userHeader`",
        ),
        (
            "{ gateway: { dialect: 'zero', auth: { mode: 'none' } } }",
            "t:1:45: `gateway.auth.mode` must be `token` or `password` in the dialect `zero`",
        ),
        (
            "{ gateway: { auth: { trustedProxy: { userHeader: 'x y' } } } }",
            "t:1:50: `gateway.auth.trustedProxy.userHeader` must be the name of a header, not `x y`",
        ),
        (
            "{ gateway: { auth: { trustedProxy: {} } } }",
            "t:1:36: `gateway.auth.trustedProxy` needs the key `userHeader`",
        ),
        ("{ gateway: { billing: {} } }", "t:1:23: `gateway.billing` needs the key `account`"),
        (
            "{ gateway: { billing: { account: 'a@b.c', agents: { x: 'nobody' } } } }",
            "t:1:56: `gateway.billing.agents.x` must be an e-mail address, not `nobody`",
        ),
        (
            "{ gateway: { namespaces: ['Acme'] } }",
            "t:1:27: `gateway.namespaces[0]` must be a slug: 2 to 64 lower-case letters, digits and inner hyphens, not `Acme`",
        ),
    ]);
}

#[test]
fn the_gateway_of_the_documents_is_read() {
    let config = accepted(
        "{ gateway: { dialect: 'openclaw', tools: { allow: ['cron'], deny: ['nodes'] }, trustedProxies: ['10.0.0.0/8'],\n\
           allowRealIpFallback: true, namespaces: ['acme'], policy_source: 'file',\n\
           auth: { mode: 'trusted-proxy', trustedProxy: { userHeader: 'X-Auth-Login', requiredHeaders: ['X-Edge'], allowLoopback: true } },\n\
           billing: { account: 'ops@b.c', agents: { research: 'r@b.c' } } } }",
    );
    let gateway = config.gateway;
    assert_eq!((gateway.dialect, gateway.dialect.name()), (Dialect::Openclaw, "openclaw"));
    assert_eq!((gateway.tools_allow, gateway.tools_deny), (vec!["cron".to_owned()], vec!["nodes".to_owned()]));
    assert!(gateway.allow_real_ip_fallback);
    assert_eq!(gateway.policy_source, PolicySource::File);
    assert_eq!(gateway.namespaces, Some(vec!["acme".to_owned()]));
    let proxy = gateway.auth.trusted_proxy.expect("a trusted proxy");
    assert_eq!((proxy.user_header.as_str(), proxy.required_headers), ("x-auth-login", vec!["x-edge".to_owned()]));
    assert!(proxy.allow_loopback && proxy.allow_users.is_empty());
    let billing = gateway.billing.expect("billing");
    assert_eq!((billing.account.as_str(), billing.agents["research"].as_str()), ("ops@b.c", "r@b.c"));
}

#[test]
fn policy_documents_are_kept_as_json() {
    let config = accepted(
        "{ session: { scope: 'agent', mainKey: 'desk' }, tools: { profile: 'coding', deny: ['x'], byProvider: { a: { deny: [] } } },\n\
           agents: { list: [ { id: 'main', default: true } ], defaults: { subagents: { maxSpawnDepth: 2 } } },\n\
           channels: { slack: { groups: { '*': { tools: { allow: ['web_search'] } } } } } }",
    );
    let policy = config.policy;
    assert_eq!(policy.session, json!({ "scope": "agent", "mainKey": "desk" }));
    assert_eq!(policy.tools, json!({ "profile": "coding", "deny": ["x"], "byProvider": { "a": { "deny": [] } } }));
    assert_eq!(
        policy.agents,
        json!({ "list": [{ "id": "main", "default": true }], "defaults": { "subagents": { "maxSpawnDepth": 2 } } })
    );
    assert_eq!(policy.channels["slack"]["groups"]["*"]["tools"]["allow"], json!(["web_search"]));
    assert_eq!(accepted("{}").policy.tools, json!({}));
}

#[test]
fn keys_that_only_the_dialects_use_are_accepted_and_listed() {
    let loaded = load_with(
        "{ gateway: { port: 18789, controlUi: { enabled: true }, auth: { trustedProxy: { userHeader: 'x', deviceAutoApprove: {} } } },\n\
           session: { dmScope: 'main', resetTriggers: ['/new'] }, tools: { exec: { security: 'full' }, web: {} } }",
        &[],
    )
    .expect("known keys");
    assert_eq!(
        loaded.unused_policy_keys,
        [
            "gateway.auth.trustedProxy.deviceAutoApprove",
            "gateway.port",
            "gateway.controlUi",
            "session.dmScope",
            "session.resetTriggers",
            "tools.exec",
            "tools.web"
        ]
    );
    assert_eq!(loaded.config.policy.session, json!({}));
}
