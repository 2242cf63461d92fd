//! The sections `server`, `database`, `mail`, `egress`, `limits`, `payloads`, `payments` and `metrics`.

use std::path::Path;

use super::{accepted, check_refused, load_with, refused};
use engine::service::payloads::ToolPattern;

use crate::config::{DatabaseKind, MailTransport, Payloads};

#[test]
fn an_empty_file_means_the_defaults() {
    let config = accepted("{}");
    assert_eq!(config.server.bind.to_string(), "127.0.0.1:18789");
    assert_eq!(config.server.base_url(config.server.bind), "http://127.0.0.1:18789");
    assert_eq!(config.database.sqlite_path(), Some(Path::new("data/tollgate.db")));
    assert_eq!(config.database.url.expose(), "sqlite://data/tollgate.db");
    assert_eq!(config.database.master_key_path(), Path::new("data/master.key"));
    assert!(matches!(&config.mail.transport, MailTransport::File { dir } if dir == Path::new("data/mail")));
    assert_eq!(config.mail.from, "Tollgate <tollgate@localhost>");
    assert_eq!(config.egress.ports, [80, 443]);
    assert!(!config.egress.allow_private && !config.egress.allow_http && config.egress.allow_hosts.is_empty());
    assert_eq!((config.limits.invoke_per_token_per_s, config.limits.invoke_burst), (1_000, 2_000));
    assert_eq!((config.limits.unknown_resolve_after_s, config.limits.body_wait_s), (60, 10));
    assert_eq!(config.payloads, Payloads { tools: Vec::new(), keep_s: 0, bytes_max: 65_536 });
    assert_eq!(config.payments.provider, None);
    assert!(config.metrics.enabled && !config.allow_fixture_secrets);
    assert!(load_with("{}", &[]).expect("defaults").warnings.is_empty());
}

#[test]
fn a_public_address_needs_tls_or_a_proxy_or_a_decision() {
    let wanted = "t:1:19: `server.bind` is reachable from other machines, but there is neither `server.tls` nor \
                  `server.trusted_proxies`: set one of them, bind to 127.0.0.1, or accept plain HTTP with \
                  `server.insecure_http: true`";
    for bind in ["0.0.0.0:80", "[::]:80", "192.168.1.5:80", "[2001:db8::1]:80"] {
        assert_eq!(refused(&format!("{{ server: {{ bind: '{bind}' }} }}")), wanted, "for {bind}");
    }
    let admin = refused("{ server: { admin_bind: '0.0.0.0:81' } }");
    assert!(admin.starts_with("t:1:25: `server.admin_bind` is reachable from other machines"), "{admin}");
    for text in [
        "{ server: { bind: '127.8.8.8:80' } }",
        "{ server: { bind: '[::1]:80' } }",
        "{ server: { bind: '[::ffff:127.0.0.1]:80' } }",
        "{ server: { bind: '0.0.0.0:80', trusted_proxies: ['10.0.0.1'] } }",
        "{ server: { bind: '0.0.0.0:80', tls: { cert: 'c', key: 'k' } } }",
    ] {
        accepted(text);
    }
    let loaded = load_with("{ server: { bind: '0.0.0.0:80', insecure_http: true } }", &[]).expect("a decision");
    assert!(loaded.warnings.iter().any(|text| text.contains("serves plain HTTP")), "{:?}", loaded.warnings);
    assert!(!loaded.config.metrics.enabled, "metrics are off by default on a public address");
    assert!(
        accepted("{ server: { bind: '0.0.0.0:80', insecure_http: true }, metrics: { enabled: true } }").metrics.enabled
    );
}

#[test]
fn public_settings_that_should_be_known_are_warned_about() {
    let text = "{ server: { bind: '0.0.0.0:80', trusted_proxies: ['0.0.0.0/0'] }, payments: { provider: 'demo' } }";
    let warnings = load_with(text, &[]).expect("allowed").warnings.join("\n");
    for part in ["`server.public_url` is not set", "every caller can choose", "`mail.transport` is `file`", "`demo`"] {
        assert!(warnings.contains(part), "`{part}` is missing in:\n{warnings}");
    }
}

#[test]
fn links_are_made_from_the_public_url_or_the_bound_address() {
    let cases = [
        ("{ server: { public_url: 'https://x.example/' } }", "127.0.0.1:1", "https://x.example"),
        ("{ server: { bind: '127.0.0.1:0' } }", "127.0.0.1:4567", "http://127.0.0.1:4567"),
        ("{ server: { tls: { cert: 'c', key: 'k' } } }", "[::1]:443", "https://[::1]:443"),
        ("{}", "0.0.0.0:80", "http://localhost:80"),
    ];
    for (text, bound, wanted) in cases {
        assert_eq!(accepted(text).server.base_url(bound.parse().expect("an address")), wanted, "for `{text}`");
    }
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let origin = "must be an origin without a path, such as `https://tools.example.com`";
    let url = "must be an absolute `http` or `https` URL without user, password and fragment";
    let host = "must be a host or `host:port`, such as `tools.internal:8080` or `[::1]:9000`";
    let cases = [
        ("{ server: { bind: 'localhost:80' } }", "t:1:19: `server.bind` must be an IP address with a port, such as `127.0.0.1:18789` or `[::]:443`, not `localhost:80`".to_owned()),
        ("{ server: { public_url: 'https://x/y' } }", format!("t:1:25: `server.public_url` {origin}, not `https://x/y`")),
        ("{ server: { public_url: 'ftp://x' } }", format!("t:1:25: `server.public_url` {url}, not `ftp://x`")),
        ("{ server: { public_url: 'http://u:p@x' } }", format!("t:1:25: `server.public_url` {url}, not `http://u:p@x`")),
        ("{ server: { trusted_proxies: ['10.0.0.0/33'] } }", "t:1:31: `server.trusted_proxies[0]` must be an IP address or a network such as `10.0.0.0/8`, not `10.0.0.0/33`".to_owned()),
        ("{ server: { tls: { cert: 'c' } } }", "t:1:18: `server.tls` needs the key `key`".to_owned()),
        ("{ server: { tls: { cert: '', key: 'k' } } }", "t:1:26: `server.tls.cert` must be the path of a file, not ``".to_owned()),
        (
            "{ server: { admin_url: 'https://desk.example' } }",
            "t:1:11: `server.admin_url` is of no use without `server.admin_bind`".to_owned(),
        ),
        ("{ server: { bind: '127.0.0.1:80', admin_bind: '127.0.0.1:80' } }", "t:1:11: `server.admin_bind` must differ from `server.bind`".to_owned()),
        ("{ database: { url: 'sqlite::memory:' } }", "t:1:20: `database.url` must name a file: books in memory would be lost".to_owned()),
        ("{ database: { url: 'sqlite://x.db?mode=ro' } }", "t:1:20: `database.url` must be `sqlite://` and the path of a file, without parameters".to_owned()),
        ("{ database: { url: 'mysql://x' } }", "t:1:20: `database.url` must be a `sqlite://` or `postgres://` URL".to_owned()),
        ("{ mail: { transport: 'smtp', from: 'a@b.c' } }", "t:1:9: `mail` needs the key `url` for the transport `smtp`".to_owned()),
        ("{ mail: { transport: 'smtp', url: 'smtp://x' } }", "t:1:9: `mail` needs a valid `from` for the transport `smtp`".to_owned()),
        ("{ mail: { from: 'x\\r\\nBcc: a@b.c <a@b.c>' } }", "t:1:17: `mail.from` must be an address, or a name and an address as in `Tollgate <tollgate@example.com>`, not `x\r\nBcc: a@b.c <a@b.c>`".to_owned()),
        ("{ egress: { allow_hosts: ['*.x'] } }", format!("t:1:27: `egress.allow_hosts[0]` {host}, not `*.x`")),
        ("{ egress: { allow_hosts: ['http://x'] } }", format!("t:1:27: `egress.allow_hosts[0]` {host}, not `http://x`")),
        ("{ egress: { allow_hosts: ['x:0'] } }", format!("t:1:27: `egress.allow_hosts[0]` {host}, not `x:0`")),
    ];
    for (text, wanted) in cases {
        check_refused(&[(text, &wanted)]);
    }
}

#[test]
fn hosts_are_kept_in_the_form_in_which_they_are_compared() {
    let text =
        "{ egress: { allow_hosts: ['Tools.Internal.', 'x:8080', '[::1]', '[0:0::1]:90', '127.1', 'bücher.example'] } }";
    let hosts: Vec<String> = accepted(text).egress.allow_hosts.iter().map(ToString::to_string).collect();
    assert_eq!(hosts, ["tools.internal", "x:8080", "[::1]", "[::1]:90", "127.0.0.1", "xn--bcher-kva.example"]);
}

#[test]
fn both_databases_are_recognised() {
    let path = |text: &str| accepted(text).database.sqlite_path().map(|path| path.display().to_string());
    assert_eq!(path("{ database: { url: 'sqlite:///var/lib/t.db' } }").as_deref(), Some("/var/lib/t.db"));
    assert_eq!(path("{ database: { url: 'sqlite:t.db' } }").as_deref(), Some("t.db"));
    let postgres = accepted("{ database: { url: 'postgresql://u:p@h/db' } }").database;
    assert_eq!(postgres.kind, DatabaseKind::Postgres);
    assert_eq!(postgres.url.expose(), "postgresql://u:p@h/db");
    assert_eq!(postgres.master_key_path(), Path::new("data/master.key"));
}

#[test]
fn the_console_is_found_where_it_is() {
    for (text, wanted) in [
        ("{}", "http://127.0.0.1:18789"),
        ("{ server: { public_url: 'https://tools.example' } }", "https://tools.example"),
        (
            "{ server: { public_url: 'https://tools.example', admin_bind: '127.0.0.1:18790' } }",
            "http://127.0.0.1:18790",
        ),
        ("{ server: { admin_bind: '127.0.0.1:18790', admin_url: 'https://desk.example' } }", "https://desk.example"),
    ] {
        assert_eq!(accepted(text).server.console_url(), wanted, "for `{text}`");
    }
}

#[test]
fn payloads_are_kept_of_named_tools_and_for_a_time() {
    let config = accepted("{ payloads: { tools: ['acme/*', 'exec'], keep_s: 604800, bytes_max: 1000 } }");
    let tools = vec![ToolPattern::Of("acme/".to_owned()), ToolPattern::One("exec".to_owned())];
    assert_eq!(config.payloads, Payloads { tools, keep_s: 604_800, bytes_max: 1_000 });
    let pattern = "must be `*`, `NAMESPACE/*` or `NAMESPACE/TOOL`";
    check_refused(&[
        (
            "{ payloads: { tools: ['*'] } }",
            "t:1:13: `payloads.keep_s` must be set where `payloads.tools` names tools: nothing is kept for ever",
        ),
        (
            "{ payloads: { keep_s: 60 } }",
            "t:1:13: `payloads.tools` must name the tools that `payloads.keep_s` is for, such as `acme/*`",
        ),
        ("{ payloads: { tools: ['a*'], keep_s: 60 } }", &format!("t:1:23: `payloads.tools[0]` {pattern}, not `a*`")),
        (
            "{ payloads: { tools: ['*'], keep_s: 0 } }",
            "t:1:37: `payloads.keep_s` must be a whole number from 1 to 31622400, not `0`",
        ),
        (
            "{ payloads: { tools: ['*'], keep_s: 1, bytes_max: 1048577 } }",
            "t:1:51: `payloads.bytes_max` must be a whole number from 1 to 1048576, not `1048577`",
        ),
    ]);
}
