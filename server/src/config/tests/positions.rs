//! Every kind of mistake, with the line and column that its message names.

use engine::document::written::DEPTH_MAX;

use super::{accepted, check_refused, refused};

#[test]
fn syntax_errors_name_the_line_and_column() {
    check_refused(&[
        ("", "t:1:1: not valid JSON5: unexpected end of the text inside value"),
        ("{\n  server: {", "t:2:12: not valid JSON5: unexpected end of the text inside object"),
        ("{ server: { bind: 'a\nb' } }", "t:1:21: not valid JSON5: line terminator in string"),
        ("{ a: 1 } x", "t:1:10: not valid JSON5: trailing characters"),
        ("{ a: 01 }", "t:1:6: not valid JSON5: leading zero"),
        ("{ a: '\\u12' }", "t:1:7: not valid JSON5: invalid escape sequence"),
        ("{ a 1 }", "t:1:5: not valid JSON5: expected colon"),
        ("{ a: tru }", "t:1:9: not valid JSON5: expected bool"),
        ("{ a: 1 // no end\n", "t:2:1: not valid JSON5: unexpected end of the text inside object"),
        ("{ a: /* no end ", "t:1:16: not valid JSON5: unexpected end of the text inside comment"),
        ("{ a: 1e }", "t:1:6: not valid JSON5: invalid float literal"),
    ]);
}

#[test]
fn unknown_keys_name_their_place_and_the_nearest_key() {
    check_refused(&[
        ("{ sever: {} }", "t:1:3: unknown key `sever` (did you mean `server`?)"),
        ("{\n  egress: {\n    prots: [] } }", "t:3:5: unknown key `prots` in `egress` (did you mean `ports`?)"),
        ("{ server: { publicUrl: '' } }", "t:1:13: unknown key `publicUrl` in `server` (did you mean `public_url`?)"),
        ("{ server: { Bind: '' } }", "t:1:13: unknown key `Bind` in `server` (did you mean `bind`?)"),
        ("{ server: { colour: 1 } }", "t:1:13: unknown key `colour` in `server`"),
        (
            "{ limits: { 'invoke_brust': 1 } }",
            "t:1:13: unknown key `invoke_brust` in `limits` (did you mean `invoke_burst`?)",
        ),
        (
            "{ gateway: { auth: { rateLimit: { maxAttemps: 1 } } } }",
            "t:1:35: unknown key `maxAttemps` in `gateway.auth.rateLimit` (did you mean `maxAttempts`?)",
        ),
        ("{ tools: { alow: [] } }", "t:1:12: unknown key `alow` in `tools` (did you mean `allow`?)"),
        (
            "{ catalog: { core_tools: [ { name: 'x', upsteam: {}, upstream: { kind: 'builtin', name: 'x' } } ] } }",
            "t:1:41: unknown key `upsteam` in `catalog.core_tools[0]` (did you mean `upstream`?)",
        ),
    ]);
}

#[test]
fn wrong_types_name_the_value_and_not_the_key() {
    check_refused(&[
        ("[]", "t:1:1: the file must be an object, not a list"),
        ("7", "t:1:1: the file must be an object, not a number"),
        ("{ server: 5 }", "t:1:11: `server` must be an object, not a number"),
        ("{ server: { bind: 5 } }", "t:1:19: `server.bind` must be a string, not a number"),
        ("{ server: { bind: null } }", "t:1:19: `server.bind` must be a string, not null"),
        ("{ server: { tls: true } }", "t:1:18: `server.tls` must be an object, not a boolean"),
        ("{ server: { insecure_http: 'yes' } }", "t:1:28: `server.insecure_http` must be true or false, not a string"),
        ("{ server: { workers: '4' } }", "t:1:22: `server.workers` must be a whole number, not a string"),
        ("{ server: { workers: 2.5 } }", "t:1:22: `server.workers` must be a whole number from 1 to 1024, not `2.5`"),
        ("{ server: { workers: -1 } }", "t:1:22: `server.workers` must be a whole number from 1 to 1024, not `-1`"),
        ("{ server: { trusted_proxies: '::1' } }", "t:1:30: `server.trusted_proxies` must be a list, not a string"),
        (
            "{ server: { trusted_proxies: [{}] } }",
            "t:1:31: `server.trusted_proxies[0]` must be a string, not an object",
        ),
        ("{ database: { url: [] } }", "t:1:20: `database.url` must be a string, not a list"),
        ("{ mail: { transport: 'pigeon' } }", "t:1:22: `mail.transport` must be one of `file`, `smtp`, not `pigeon`"),
        ("{ gateway: { dialect: 1 } }", "t:1:23: `gateway.dialect` must be a string, not a number"),
        ("{ gateway: { tools: { deny: [1] } } }", "t:1:30: `gateway.tools.deny[0]` must be a string, not a number"),
        ("{ gateway: { billing: [] } }", "t:1:23: `gateway.billing` must be an object, not a list"),
        ("{ session: { scope: 1 } }", "t:1:21: `session.scope` must be a string, not a number"),
        ("{ session: [] }", "t:1:12: `session` must be an object, not a list"),
        ("{ tools: { allow: 'x' } }", "t:1:19: `tools.allow` must be a list, not a string"),
        ("{ tools: { byProvider: [] } }", "t:1:24: `tools.byProvider` must be an object, not a list"),
        ("{ agents: { list: [1] } }", "t:1:20: `agents.list[0]` must be an object, not a number"),
        ("{ channels: { slack: 1 } }", "t:1:22: `channels.slack` must be an object, not a number"),
        ("{ channels: [] }", "t:1:13: `channels` must be an object, not a list"),
        ("{ catalog: { accounts: {} } }", "t:1:24: `catalog.accounts` must be a list, not an object"),
        ("{ catalog: { accounts: ['x'] } }", "t:1:25: `catalog.accounts[0]` must be an object, not a string"),
        (
            "{ egress: { ports: [70000] } }",
            "t:1:21: `egress.ports[0]` must be a whole number from 1 to 65535, not `70000`",
        ),
        (
            "{ limits: { invoke_burst: 0 } }",
            "t:1:27: `limits.invoke_burst` must be a whole number from 1 to 4294967295, not `0`",
        ),
        (
            "{ payments: { provider: 'card' } }",
            "t:1:25: `payments.provider` must be one of `manual`, `demo`, not `card`",
        ),
        ("{ metrics: true }", "t:1:12: `metrics` must be an object, not a boolean"),
        ("{ allow_fixture_secrets: 1 }", "t:1:26: `allow_fixture_secrets` must be true or false, not a number"),
    ]);
}

#[test]
fn columns_count_characters_and_lines_end_as_in_json5() {
    check_refused(&[
        ("{ /* æøå */ x: 1 }", "t:1:13: unknown key `x`"),
        ("{\r\n\r\n  x: 1 }", "t:3:3: unknown key `x`"),
        ("{\r  x: 1 }", "t:2:3: unknown key `x`"),
        ("{\u{2028} x: 1 }", "t:2:2: unknown key `x`"),
        ("\u{feff}{ x: 1 }", "t:1:4: unknown key `x`"),
        ("{ // {[\"\n 'x': 1 }", "t:2:2: unknown key `x`"),
        ("{ mail: { dir: 'a \\\n b' }, x: 1 }", "t:2:8: unknown key `x`"),
        ("{ mail: { dir: 'it\\'s' }, x: 1 }", "t:1:27: unknown key `x`"),
    ]);
}

#[test]
fn duplicate_keys_are_refused_with_both_places() {
    check_refused(&[
        ("{ server: {},\n  server: {} }", "t:2:3: duplicate key `server`, first written at 1:3"),
        (
            "{ a: 1, 'a': 2, \"\\u0061\": 3 }",
            "t:1:9: duplicate key `a`, first written at 1:3\nt:1:17: duplicate key `a`, first written at 1:3",
        ),
        ("{ \\u0061b: 1, ab: 2 }", "t:1:15: duplicate key `ab`, first written at 1:3"),
        (
            "{ catalog: { accounts: [ { email: 'a@b.c', grant_credits: 1, grant_credits: 2 } ] } }",
            "t:1:62: duplicate key `grant_credits`, first written at 1:44",
        ),
    ]);
}

#[test]
fn all_problems_are_reported_in_the_order_of_the_file() {
    let text = "{\n allow_fixture_secrets: 1,\n server: { bind: 1 },\n egress: { ports: 1 },\n x: 1,\n}";
    let lines: Vec<String> =
        refused(text).lines().map(|line| line.split(": ").next().unwrap_or_default().to_owned()).collect();
    assert_eq!(lines, ["t:2:25", "t:3:18", "t:4:19", "t:5:2"]);
}

#[test]
fn texts_nested_too_deeply_are_refused_without_recursion() {
    let nested =
        |depth: usize| format!("{{ channels: {{ a: {{ b: {}1{} }} }} }}", "[".repeat(depth), "]".repeat(depth));
    accepted(&nested(DEPTH_MAX - 3));
    assert_eq!(refused(&nested(DEPTH_MAX - 2)), "t:1:84: objects and lists are nested deeper than 64");
    let huge = "[".repeat(4_000_000);
    assert_eq!(refused(&huge), "t:1:65: objects and lists are nested deeper than 64");
    let alternating = "{a:[".repeat(500_000);
    assert_eq!(refused(&alternating), "t:1:129: objects and lists are nested deeper than 64");
}

#[test]
fn brackets_in_strings_and_comments_do_not_count_as_nesting() {
    let brackets = "[{".repeat(500);
    accepted(&format!("{{ /* {brackets} */ mail: {{ dir: '{brackets}' }} // {brackets}\n}}"));
}
