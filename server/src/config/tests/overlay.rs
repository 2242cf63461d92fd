//! What the environment does to the file.

use secrecy::ExposeSecret;

use super::{accepted, load_with};
use crate::config::{Environment, MailTransport};

#[track_caller]
fn check_overridden(text: &str, variables: &[(&str, &str)]) -> crate::config::Loaded {
    load_with(text, variables).unwrap_or_else(|error| panic!("refused {variables:?}: {error}"))
}

#[test]
fn variables_in_strings_are_replaced() {
    let dir = |text: &str| {
        let text = format!("{{ mail: {{ dir: '{text}' }} }}");
        let loaded = load_with(&text, &[("HOME_DIR", "/srv"), ("B", "${HOME_DIR}"), ("EMPTY", "")])?;
        match loaded.config.mail.transport {
            MailTransport::File { dir } => Ok(dir.display().to_string()),
            MailTransport::Smtp { .. } => Err("not a file transport".to_owned()),
        }
    };
    let cases = [
        ("${HOME_DIR}/mail", "/srv/mail"),
        ("a${HOME_DIR}b${HOME_DIR}c", "a/srvb/srvc"),
        ("$${HOME_DIR}", "${HOME_DIR}"),
        ("$$${HOME_DIR}", "$${HOME_DIR}"),
        ("${B}", "${HOME_DIR}"),
        ("x${EMPTY}y", "xy"),
        ("$HOME_DIR $ {} 5$", "$HOME_DIR $ {} 5$"),
    ];
    for (written, wanted) in cases {
        assert_eq!(dir(written).as_deref(), Ok(wanted), "for `{written}`");
    }
    let errors = [
        ("${NOPE}", "the environment variable `NOPE` is not set, but is used in `mail.dir`"),
        ("${home-dir}", "`${home-dir}` names no environment variable (write `$${` for a plain `${`) in `mail.dir`"),
        ("${1}", "`${1}` names no environment variable (write `$${` for a plain `${`) in `mail.dir`"),
        ("${}", "`${}` names no environment variable (write `$${` for a plain `${`) in `mail.dir`"),
        ("a ${HOME_DIR", "`${` without a closing `}` (write `$${` for a plain `${`) in `mail.dir`"),
    ];
    for (written, wanted) in errors {
        assert_eq!(dir(written), Err(format!("t:1:16: {wanted}")));
    }
}

#[test]
fn every_unset_variable_is_named_with_its_line_and_key() {
    let text = "{ tools: { allow: [ '${A}', 'x',\n '${B}' ] },\n catalog: { accounts: [ { email: '${C}' } ] } }";
    let error = load_with(text, &[]).map(drop).expect_err("three variables are unset");
    let lines: Vec<&str> = error.lines().filter(|line| line.contains("is not set")).collect();
    assert_eq!(
        lines,
        [
            "t:1:21: the environment variable `A` is not set, but is used in `tools.allow[0]`",
            "t:2:2: the environment variable `B` is not set, but is used in `tools.allow[2]`",
            "t:3:34: the environment variable `C` is not set, but is used in `catalog.accounts[0].email`",
        ]
    );
}

#[test]
fn an_unset_variable_in_gateway_auth_counts_as_absent() {
    let config = accepted("{ gateway: { auth: { mode: 'token', token: '${FASED_GATEWAY_TOKEN}' } } }");
    assert!(config.gateway.auth.token.is_none());
    let config = accepted("{ gateway: { auth: { token: 'a${X}b', mode: '${Y}' } } }");
    assert!(config.gateway.auth.token.is_none());
}

#[test]
fn an_unset_variable_in_a_list_of_allowed_users_does_not_open_the_gate() {
    let text = "{ gateway: { trustedProxies: ['10.0.0.1'], auth: { mode: 'trusted-proxy',\n\
                trustedProxy: { userHeader: 'x-user', allowUsers: ['${ADMIN}'] } } } }";
    let error = load_with(text, &[]).map(drop).expect_err("an empty list would mean everybody");
    assert_eq!(
        error,
        "t:2:52: the environment variable `ADMIN` is not set, but is used in `gateway.auth.trustedProxy.allowUsers[0]`"
    );
}

#[test]
fn overrides_match_keys_whatever_their_spelling() {
    let text = "{ server: { bind: '127.0.0.1:1' }, gateway: { auth: { rateLimit: { maxAttempts: 3 } } } }";
    let config = check_overridden(
        text,
        &[
            ("TOLLGATE_SERVER__BIND", "127.0.0.1:2"),
            ("TOLLGATE_SERVER__PUBLIC_URL", "https://x.example"),
            ("TOLLGATE_server__trustedProxies", "['10.0.0.0/8', \"::1\"]"),
            ("TOLLGATE_GATEWAY__AUTH__RATE_LIMIT__MAX_ATTEMPTS", "7"),
            ("TOLLGATE_GATEWAY__AUTH__RATELIMIT__WINDOWMS", "0x10"),
            ("TOLLGATE_GATEWAY__AUTH__TOKEN", "12345"),
            ("TOLLGATE_TOOLS__BY_PROVIDER", "{ orbit: { deny: ['x'] } }"),
            ("TOLLGATE_ALLOW_FIXTURE_SECRETS", "true"),
            ("TOLLGATE_MASTER_KEY", "not an override"),
            ("TOLLGATEWAY", "not ours"),
        ],
    )
    .config;
    assert_eq!(config.server.bind.port(), 2);
    assert_eq!(config.server.public_url.as_deref(), Some("https://x.example"));
    assert_eq!(config.server.trusted_proxies.len(), 2);
    let limit = config.gateway.auth.rate_limit.expect("a rate limit");
    assert_eq!((limit.max_attempts, limit.window_ms, limit.lockout_ms), (7, 16, 300_000));
    assert_eq!(config.gateway.auth.token.expect("a token").expose_secret(), "12345");
    assert_eq!(config.policy.tools["byProvider"]["orbit"]["deny"][0], "x");
    assert!(config.allow_fixture_secrets);
}

#[test]
fn an_override_of_a_key_stands_over_one_of_its_section() {
    let config = check_overridden(
        "{}",
        &[
            ("TOLLGATE_LIMITS", "{ invoke_burst: 1, mail_per_account_per_hour: 2 }"),
            ("TOLLGATE_LIMITS__INVOKE_BURST", "9"),
        ],
    )
    .config;
    assert_eq!((config.limits.invoke_burst, config.limits.mail_per_account_per_hour), (9, 2));
    assert_eq!(config.limits.invoke_per_token_per_s, 1_000);
}

#[test]
fn overrides_replace_values_that_would_be_wrong_and_are_taken_as_they_are() {
    let config = check_overridden(
        "{ mail: { dir: '${UNSET}' }, server: { bind: 7 } }",
        &[("TOLLGATE_MAIL__DIR", "${UNSET}/x"), ("TOLLGATE_SERVER__BIND", "127.0.0.1:3")],
    )
    .config;
    let MailTransport::File { dir } = config.mail.transport else { panic!("not a file transport") };
    assert_eq!(dir.display().to_string(), "${UNSET}/x");
}

#[test]
fn overrides_that_match_no_key_or_are_wrong_name_their_variable() {
    let cases = [
        ("TOLLGATE_SERVER__BNID", "x", "matches no key of the configuration (did you mean `server.bind`?)"),
        ("TOLLGATE_SEVER__BIND", "x", "matches no key of the configuration (did you mean `server`?)"),
        ("TOLLGATE_LOG", "debug", "matches no key of the configuration"),
        ("TOLLGATE_SERVER__BIND__X", "1", "`server.bind` must be a string, not an object"),
        ("TOLLGATE_SERVER____BIND", "1", "matches no key: a level of the name is empty"),
        ("TOLLGATE_", "1", "matches no key: a level of the name is empty"),
        ("TOLLGATE_MAIL__DIR__X", "1", "matches no key: what stands above `X` is a string"),
        ("TOLLGATE_EGRESS__PORTS__0", "1", "matches no key: what stands above `0` is a list"),
        (
            "TOLLGATE_SERVER__BIND",
            "hunter2",
            "`server.bind` must be an IP address with a port, such as `127.0.0.1:18789` or `[::]:443`, not this value",
        ),
        ("TOLLGATE_EGRESS__PORTS", "[0]", "`egress.ports[0]` must be a whole number from 1 to 65535, not this value"),
        (
            "TOLLGATE_LIMITS",
            "{ invokeBurst: 1 }",
            "unknown key `invokeBurst` in `limits` (did you mean `invoke_burst`?)",
        ),
        ("TOLLGATE_LIMITS__INVOKE_BURST", "many", "`limits.invoke_burst` must be a whole number, not a string"),
        ("TOLLGATE_CHANNELS__SLACK", "{}", "matches no key of `channels` in the file"),
        (
            "TOLLGATE_GATEWAY__BILLING__AGENTS__RESEARCH",
            "a@b.c",
            "matches no key of `gateway.billing.agents` in the file",
        ),
    ];
    let text = "{ mail: { dir: 'x' }, egress: { ports: [80] }, channels: {}, gateway: { billing: { account: 'a@b.c', agents: {} } } }";
    for (name, value, wanted) in cases {
        let error = load_with(text, &[(name, value)]).map(drop).expect_err(name);
        assert_eq!(error, format!("environment variable `{name}`: {wanted}"));
    }
}

#[test]
fn secrets_do_not_appear_in_messages_or_debug_output() {
    let text = "{ allow_fixture_secrets: true, mail: { transport: '${S}', url: 'ftp://u:hunter2@x' }, server: { public_url: '${S}' },\n\
                database: { url: 'mysql://u:hunter2@x/y' }, catalog: { accounts: [ { email: 'a@b.c', password: 'hunter2',\n\
                tokens: [ { name: 'x', token: 'hunter2' } ] } ] } }";
    let error = load_with(text, &[("S", "hunter2")]).map(drop).expect_err("everything is wrong here");
    assert!(error.lines().count() >= 5, "{error}");
    assert!(!error.contains("hunter2"), "{error}");

    let text = "{ allow_fixture_secrets: true, database: { url: 'postgres://u:hunter2@x/y?password=hunter2' },\n\
                mail: { transport: 'smtp', url: 'smtp://u:hunter2@x', from: 'a@b.c' }, gateway: { auth: { token: 'hunter2' } },\n\
                catalog: { accounts: [ { email: 'a@b.c', password: 'hunter2hunter2', tokens: [ { name: 'x', token: 'faro_hunter2hunter2' } ] } ] } }";
    let debug = format!("{:?}", accepted(text));
    assert!(debug.contains("a@b.c") && !debug.contains("hunter2"), "{debug}");
    let environment = format!("{:?}", Environment::from_pairs([("NAME", "hunter2")]));
    assert!(environment.contains("NAME") && !environment.contains("hunter2"), "{environment}");
}
