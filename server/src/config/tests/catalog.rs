//! The declarative catalog.

use secrecy::ExposeSecret as _;

use super::{accepted, check_refused, load_with, refused};
use crate::config::{
    CapScope, CapWindow, ChargeOn, Funding, HttpMethod, Loaded, Place, Position, PricingMode, Tier, UpstreamItem,
};

fn tool(rest: &str) -> String {
    format!("{{ catalog: {{ core_tools: [{{ name: 'x', {rest} }}] }} }}")
}

fn priced(pricing: &str) -> String {
    tool(&format!("upstream: {{ kind: 'builtin', name: 'x' }}, pricing: {{ {pricing} }}"))
}

#[test]
fn a_catalog_is_read_with_all_its_parts() {
    let config = accepted(
        "{ allow_fixture_secrets: true, catalog: {\n\
           publishers: [ { id: 'acme', display_name: 'Acme', share_bps: 8000, namespaces: [ { name: 'acme', description: 'd', tools: [\n\
             { name: 'note_add', short_description: 's', long_description: 'l', category: 'c', tags: ['t'], tier: 'paid',\n\
               upstream: { kind: 'http', url: 'https://x.example/a?b=c' },\n\
               pricing: { pricing_mode: 'tool_returned', returned_credit_cost_path: '$.cost', base_credit_cost: 0.1,\n\
                          pricing_unit_fields: ['n'], pricing_credits_per_unit: '2.50', charge_on: 'attempt' } } ] } ] } ],\n\
           accounts: [ { email: 'Ann@Example.com', verified: true, password: 'correct horse', tokens: [ { name: 'cli', token: 'faro_0123456789' } ],\n\
                         caps: [ { per: 'token', window: 'call', credits: 5 } ] } ],\n\
           partners: [ { name: 'Globex', token: 'faro_partner_0123456789', margin_bps: 2000, funding: 'per_user' },
             { name: 'Initech' } ] } }",
    );
    let publisher = &config.catalog.publishers[0];
    assert_eq!((publisher.id.as_str(), publisher.share_bps), ("acme", 8_000));
    assert_eq!(publisher.place, Place::File(Position { line: 2, column: 15 }));
    let tool = &publisher.namespaces[0].tools[0];
    assert_eq!((tool.tier, tool.tags.as_slice()), (Some(Tier::Paid), &["t".to_owned()][..]));
    assert_eq!(
        tool.upstream,
        UpstreamItem::Http { method: HttpMethod::Post, url: "https://x.example/a?b=c".to_owned(), timeout_ms: 25_000 }
    );
    let pricing = tool.pricing.as_ref().expect("a price");
    assert_eq!(pricing.charge_on, ChargeOn::Attempt);
    let PricingMode::ToolReturned { cost_path, multiplier, base, estimated_max, unit_fields, credits_per_unit } =
        &pricing.mode
    else {
        panic!("not tool_returned")
    };
    assert_eq!((cost_path.as_str(), multiplier.as_str(), base.as_str()), ("$.cost", "1", "0.1"));
    assert_eq!((estimated_max, unit_fields.as_slice()), (&None, &["n".to_owned()][..]));
    assert_eq!(credits_per_unit.as_ref().map(ToString::to_string).as_deref(), Some("2.50"));
    let account = &config.catalog.accounts[0];
    assert_eq!((account.email.as_str(), account.tokens[0].name.as_str()), ("ann@example.com", "cli"));
    assert_eq!((account.caps[0].per, account.caps[0].window), (CapScope::Token, CapWindow::Call));
    assert_eq!(config.catalog.partners[0].funding, Some(Funding::PerUser));
    assert_eq!(config.catalog.partners[1].funding, None);
}

#[test]
fn fixed_secrets_need_a_decision() {
    let wanted = "is a fixed secret: such are for demos and tests, and need `allow_fixture_secrets: true`";
    let cases = [
        ("accounts: [ { email: 'a@b.c', password: 'correct horse' } ]", "t:1:54: `catalog.accounts[0].password`"),
        (
            "accounts: [ { email: 'a@b.c', tokens: [ { name: 'x', token: 'faro_0123456789' } ] } ]",
            "t:1:74: `catalog.accounts[0].tokens[0].token`",
        ),
        ("partners: [ { name: 'P', token: 'faro_partner_0123456789' } ]", "t:1:46: `catalog.partners[0].token`"),
    ];
    for (text, place) in cases {
        let catalog = format!("catalog: {{ {text} }}");
        assert_eq!(refused(&format!("{{ {catalog} }}")), format!("{place} {wanted}"));
        accepted(&format!("{{ allow_fixture_secrets: true, {catalog} }}"));
    }
}

#[test]
fn shares_and_margins_leave_something_of_a_price() {
    let text = |share: u32, margin: u32| {
        format!(
            "{{ catalog: {{ publishers: [{{ id: 'p1', display_name: 'P', share_bps: {share} }}],\n\
               partners: [{{ name: 'Q', margin_bps: {margin} }}] }} }}"
        )
    };
    accepted(&text(9_500, 500));
    assert_eq!(
        refused(&text(9_501, 500)),
        "t:2:37: `catalog.partners[0].margin_bps` is 500, which with a publisher's `share_bps` of 9501 is more than 10000"
    );
    assert_eq!(
        refused(&text(10_001, 0)),
        "t:1:69: `catalog.publishers[0].share_bps` must be a whole number from 0 to 10000, not `10001`"
    );
}

#[test]
fn names_that_identify_something_are_unique() {
    let builtin = "upstream: { kind: 'builtin', name: 'x' }";
    let namespace = |name: &str, tools: &str| format!("{{ name: '{name}', tools: [{tools}] }}");
    let publisher = |id: &str, namespaces: &str| {
        format!("{{ id: '{id}', display_name: 'P', share_bps: 0, namespaces: [{namespaces}] }}")
    };
    let one_tool = format!("{{ name: 'a', {builtin} }}");
    let cases = [
        (
            format!("core_tools: [{one_tool},\n{one_tool}]"),
            "`catalog.core_tools[1].name` declares the core tool `a` again, first declared at 1:35",
        ),
        (
            format!("publishers: [{}]", publisher("p1", &namespace("n1", &format!("{one_tool},\n{one_tool}")))),
            "`catalog.publishers[0].namespaces[0].tools[1].name` declares the tool `a` again",
        ),
        (
            format!(
                "publishers: [{},\n{}]",
                publisher("p1", &namespace("n1", "")),
                publisher("p2", &namespace("n1", ""))
            ),
            "`catalog.publishers[1].namespaces[0].name` declares the namespace `n1` again",
        ),
        (
            format!("publishers: [{},\n{}]", publisher("p1", ""), publisher("p1", "")),
            "declares the publisher `p1` again",
        ),
        ("accounts: [{ email: 'a@b.c' },\n{ email: 'A@B.C' }]".to_owned(), "declares the account `a@b.c` again"),
        ("partners: [{ name: 'P' },\n{ name: 'P' }]".to_owned(), "declares the partner `P` again"),
    ];
    for (text, wanted) in cases {
        let error = refused(&format!("{{ catalog: {{ {text} }} }}"));
        assert!(error.starts_with("t:2:") && error.contains(wanted) && error.lines().count() == 1, "{error}");
    }
    let same_names = format!(
        "publishers: [{}]",
        publisher("p1", &[namespace("n1", &one_tool), namespace("n2", &one_tool)].join(","))
    );
    accepted(&format!("{{ catalog: {{ {same_names} }} }}"));
    let tokens = "{ allow_fixture_secrets: true, catalog: { accounts: [{ email: 'a@b.c', tokens: [{ name: 'x', token: 'faro_0123456789' }] },\n\
                  { email: 'd@e.f', tokens: [{ name: 'x', token: 'faro_0123456789' }] }] } }";
    assert_eq!(refused(tokens), "t:2:1: has a token that was declared before");
}

#[test]
fn prices_that_cannot_work_are_refused() {
    let cases = [
        ("fixed_credit_cost: 1", "`catalog.core_tools[0].pricing` needs the key `pricing_mode`"),
        ("pricing_mode: 'fixed_per_request'", "needs the key `fixed_credit_cost` for the mode `fixed_per_request`"),
        (
            "pricing_mode: 'fixed_per_request', fixed_credit_cost: 1, base_credit_cost: 1",
            "`catalog.core_tools[0].pricing.base_credit_cost` has no meaning for the mode `fixed_per_request`",
        ),
        (
            "pricing_mode: 'fixed_per_request', fixed_credit_cost: 1, pricing_rules: []",
            "`catalog.core_tools[0].pricing.pricing_rules` is not supported: use `fixed_credit_cost` or `returned_credit_cost_path`",
        ),
        (
            "pricing_mode: 'tool_returned', estimated_max_credit_cost: 1",
            "needs the key `returned_credit_cost_path` for the mode `tool_returned`",
        ),
        (
            "pricing_mode: 'tool_returned', returned_credit_cost_path: '$.c'",
            "needs `estimated_max_credit_cost`, or `pricing_unit_fields` with `pricing_credits_per_unit`, to know what to hold before a call",
        ),
        (
            "pricing_mode: 'tool_returned', returned_credit_cost_path: 'c', estimated_max_credit_cost: 1",
            "`catalog.core_tools[0].pricing.returned_credit_cost_path` must be a JSONPath that starts with `$`, not `c`",
        ),
        (
            "pricing_mode: 'tool_returned', returned_credit_cost_path: '$.c', estimated_max_credit_cost: 1, base_credit_cost: 1.000001",
            "`catalog.core_tools[0].pricing` has a `base_credit_cost` above its `estimated_max_credit_cost`",
        ),
        (
            "pricing_mode: 'tool_returned', returned_credit_cost_path: '$.c', estimated_max_credit_cost: 1, pricing_unit_fields: ['n']",
            "must have both or neither of `pricing_unit_fields` and `pricing_credits_per_unit`",
        ),
        (
            "pricing_mode: 'tool_returned', returned_credit_cost_path: '$.c', estimated_max_credit_cost: 1, fixed_credit_cost: 1",
            "`catalog.core_tools[0].pricing.fixed_credit_cost` has no meaning for the mode `tool_returned`",
        ),
        (
            "pricing_mode: 'auction'",
            "`catalog.core_tools[0].pricing.pricing_mode` must be one of `fixed_per_request`, `tool_returned`, not `auction`",
        ),
        (
            "pricing_mode: 'fixed_per_request', fixed_credit_cost: 1, charge_on: 'always'",
            "must be one of `success`, `attempt`, not `always`",
        ),
    ];
    for (pricing, wanted) in cases {
        let error = refused(&priced(pricing));
        assert!(error.ends_with(wanted) && error.lines().count() == 1, "for `{pricing}`: {error}");
    }
}

#[test]
fn an_unverified_tier_is_for_tools_that_cost_nothing() {
    let text = |cost: &str| {
        tool(&format!(
            "tier: 'unverified', upstream: {{ kind: 'builtin', name: 'x' }}, pricing: {{ pricing_mode: 'fixed_per_request', fixed_credit_cost: {cost} }}"
        ))
    };
    assert_eq!(accepted(&text("'0.00'")).catalog.core_tools[0].tier, Some(Tier::Unverified));
    assert_eq!(
        refused(&text("0.000001")),
        "t:1:46: `catalog.core_tools[0].tier` is `unverified`, which is only for tools that cost nothing"
    );
}

#[test]
fn only_tools_that_cost_something_are_for_those_who_have_credits() {
    let text = |rest: &str| tool(&format!("tier: 'paid', upstream: {{ kind: 'builtin', name: 'x' }}{rest}"));
    let fixed =
        |cost: &str| text(&format!(", pricing: {{ pricing_mode: 'fixed_per_request', fixed_credit_cost: {cost} }}"));
    assert_eq!(accepted(&fixed("0.000001")).catalog.core_tools[0].tier, Some(Tier::Paid));
    for text in [text(""), fixed("0")] {
        assert_eq!(
            refused(&text),
            "t:1:46: `catalog.core_tools[0].tier` is `paid`, which is only for tools that cost something"
        );
    }
}

#[test]
fn the_catalog_s_text_reads_as_the_same_catalog_without_the_variables() {
    let text = r#"{
        server: { bind: '127.0.0.1:1' }, allow_fixture_secrets: true,
        catalog: {
            publishers: [{ id: 'acme', display_name: 'A "${WORD}" $${NOT}', share_bps: 8000, namespaces: [{
                name: 'acme', description: 'a\n\u2028\'"\x01', tools: [{
                    name: 'x', input_schema: { const: 5e-1, enum: [null, true, 0x1F] },
                    upstream: { kind: 'http', url: 'https://x.example/' },
                    pricing: { pricing_mode: 'fixed_per_request', fixed_credit_cost: 0.1 },
                }],
            }] }],
            accounts: [{ email: 'a@b.c', password: 'correct horse' }],
        },
    }"#;
    let variables = [
        ("WORD", "$${x} ${y}"),
        ("TOLLGATE_CATALOG__PARTNERS", "[{ name: '${WORD}', margin_bps: 1 }]"),
        ("TOLLGATE_CATALOG__CORE_TOOLS", "[]"),
    ];
    let first = load_with(text, &variables).expect("accepted");
    let again = load_with(first.catalog_text.expose_secret(), &[]).expect("accepted again");
    let fingerprints = |loaded: &Loaded| {
        let catalog = &loaded.config.catalog;
        let publisher = &catalog.publishers[0];
        let tool = &publisher.namespaces[0].tools[0];
        (
            (publisher.display_name.clone(), publisher.fingerprint.clone(), tool.fingerprint.clone()),
            (catalog.accounts[0].fingerprint.clone(), catalog.partners[0].fingerprint.clone()),
            (tool.input_schema.clone(), catalog.partners[0].name.clone()),
        )
    };
    assert_eq!(fingerprints(&again), fingerprints(&first));
    assert_eq!(again.config.catalog.partners[0].name, "${WORD}");
    assert_eq!(again.config.server.bind.port(), 18_789, "nothing but the catalog");
    let without = load_with("{}", &[]).expect("accepted");
    assert_eq!(without.catalog_text.expose_secret(), "{}");
}

#[test]
fn tools_need_a_name_and_an_upstream_that_is_whole() {
    let kind = "must be one of `http`, `mcp`, `builtin`";
    let cases = [
        (tool("input_schema: {}"), "t:1:27: `catalog.core_tools[0]` needs the key `upstream`".to_owned()),
        (tool("upstream: 'x'"), "t:1:50: `catalog.core_tools[0].upstream` must be an object, not a string".to_owned()),
        (tool("upstream: { kind: 'ftp' }"), format!("t:1:58: `catalog.core_tools[0].upstream.kind` {kind}, not `ftp`")),
        (tool("upstream: { kind: 'http' }"), "t:1:50: `catalog.core_tools[0].upstream` needs the key `url` for the kind `http`".to_owned()),
        (tool("upstream: { kind: 'http', url: '/x' }"), "t:1:71: `catalog.core_tools[0].upstream.url` must be an absolute `http` or `https` URL without user, password and fragment, not `/x`".to_owned()),
        (tool("upstream: { kind: 'http', url: 'http://x', tool: 'y' }"), "t:1:89: `catalog.core_tools[0].upstream.tool` has no meaning for the kind `http`".to_owned()),
        (tool("upstream: { kind: 'http', url: 'http://x', timeout_ms: 0 }"), "t:1:95: `catalog.core_tools[0].upstream.timeout_ms` must be a whole number from 1 to 600000, not `0`".to_owned()),
        (tool("upstream: { kind: 'http', url: 'http://x', method: 'TRACE' }"), "t:1:91: `catalog.core_tools[0].upstream.method` must be one of `GET`, `POST`, `PUT`, `PATCH`, `DELETE`, not `TRACE`".to_owned()),
        (tool("upstream: { kind: 'builtin', name: 'x' }, input_schema: []"), "t:1:96: `catalog.core_tools[0].input_schema` must be a JSON Schema (an object or a boolean), not a list".to_owned()),
    ];
    for (text, wanted) in cases {
        assert_eq!(refused(&text), wanted);
    }
    for name in ["", "a/b", "a b", ".x", "ä", "a\\nb"] {
        let error = refused(&format!(
            "{{ catalog: {{ core_tools: [{{ name: '{name}', upstream: {{ kind: 'builtin', name: 'x' }} }}] }} }}"
        ));
        assert!(error.starts_with("t:1:35: `catalog.core_tools[0].name` must be a tool's name"), "{error}");
    }
}

#[test]
fn a_tool_of_an_mcp_server_has_its_own_name_there_unless_the_file_says_another() {
    let read = |upstream: &str| {
        accepted(&tool(&format!("upstream: {{ kind: 'mcp', {upstream} }}"))).catalog.core_tools[0].clone()
    };
    let expected = |tool: &str, timeout_ms: u64| UpstreamItem::Mcp {
        url: "https://x.example/mcp".to_owned(),
        tool: tool.to_owned(),
        timeout_ms,
    };
    let plain = read("url: 'https://x.example/mcp'");
    assert_eq!(plain.upstream, expected(&plain.name, 25_000));
    let other = read("url: 'https://x.example/mcp', tool: 'another name', timeout_ms: 7");
    assert_eq!(other.upstream, expected("another name", 7));
    for (upstream, wanted) in [
        ("tool: 'y'", "needs the key `url` for the kind `mcp`"),
        ("url: 'http://x', method: 'GET'", "has no meaning for the kind `mcp`"),
        ("url: 'http://x', tool: 'a\\nb'", "`catalog.core_tools[0].upstream.tool`"),
        ("url: 'http://x', tool: ''", "`catalog.core_tools[0].upstream.tool`"),
    ] {
        let error = refused(&tool(&format!("upstream: {{ kind: 'mcp', {upstream} }}")));
        assert!(error.contains(wanted), "{error}");
    }
}

#[test]
fn addresses_tokens_and_passwords_are_checked_without_repeating_secrets() {
    for email in [
        "",
        "a",
        "@b.c",
        "a@",
        "a@b@c",
        "a b@c.d",
        "a@b..c",
        "a@-b.c",
        "a\\u0000@b.c",
        "a\\n@b.c",
        "<a@b.c>",
        "a,b@c.d",
    ] {
        let error = refused(&format!("{{ catalog: {{ accounts: [{{ email: '{email}' }}] }} }}"));
        assert!(error.starts_with("t:1:34: `catalog.accounts[0].email` must be an e-mail address"), "{error}");
    }
    let account_token = "must be `faro_` and at least 8 letters, digits, `_` or `-`, at most 128 characters together";
    for token in ["secret-token", "faro_short", "faro_partner_0123456789", "faro_audit_0123456789", "faro_with space00"]
    {
        let error = refused(&format!(
            "{{ allow_fixture_secrets: true, catalog: {{ accounts: [{{ email: 'a@b.c', tokens: [{{ name: 'n', token: '{token}' }}] }}] }} }}"
        ));
        assert_eq!(error, format!("t:1:101: `catalog.accounts[0].tokens[0].token` {account_token}"));
    }
    check_refused(&[
        (
            "{ allow_fixture_secrets: true, catalog: { partners: [{ name: 'P', token: 'faro_0123456789' }] } }",
            "t:1:74: `catalog.partners[0].token` must be `faro_partner_` and at least 8 letters, digits, `_` or `-`, at most 128 characters together",
        ),
        (
            "{ allow_fixture_secrets: true, catalog: { accounts: [{ email: 'a@b.c', password: 'short' }] } }",
            "t:1:82: `catalog.accounts[0].password` must have 12 to 128 characters",
        ),
        (
            "{ catalog: { accounts: [{ email: 'a@b.c', caps: [{ per: 'end_user', window: 'day', credits: 1 }] }] } }",
            "t:1:57: `catalog.accounts[0].caps[0].per` must be one of `account`, `token`, not `end_user`",
        ),
    ]);
}

#[test]
fn fingerprints_follow_the_content_and_nothing_else() {
    let fingerprint = |text: &str| accepted(&tool(text)).catalog.core_tools[0].fingerprint.clone();
    let one = fingerprint("upstream: { kind: 'http', url: 'https://x' }, tags: ['a', 'b']");
    assert_eq!(one.len(), 64);
    assert_eq!(one, fingerprint("tags: [\"a\", /* ! */ 'b',], \n upstream: { url: 'https://x', kind: 'http' }"));
    assert_ne!(one, fingerprint("upstream: { kind: 'http', url: 'https://x' }, tags: ['b', 'a']"));
    assert_ne!(one, fingerprint("upstream: { kind: 'http', url: 'https://y' }, tags: ['a', 'b']"));
    assert_ne!(one, fingerprint("upstream: { kind: 'http', url: 'https://x' }, tags: ['a', 'b'], category: 'c'"));
    let from_variable =
        load_with(&tool("upstream: { kind: 'http', url: '${U}' }, tags: ['a', 'b']"), &[("U", "https://x")]);
    assert_eq!(one, from_variable.expect("a variable").config.catalog.core_tools[0].fingerprint);

    let publisher = |name: &str, tools: &str| {
        let text = format!(
            "{{ catalog: {{ publishers: [{{ id: 'p1', display_name: '{name}', share_bps: 1, namespaces: [{{ name: 'n1', tools: [{tools}] }}] }}] }} }}"
        );
        let publisher = accepted(&text).catalog.publishers.remove(0);
        (publisher.fingerprint, publisher.namespaces[0].fingerprint.clone())
    };
    let (before, namespace_before) = publisher("A", "");
    let (after, namespace_after) = publisher("A", "{ name: 'x', upstream: { kind: 'builtin', name: 'x' } }");
    assert_eq!((&before, namespace_before), (&after, namespace_after), "a tool is not its owner's content");
    assert_ne!(before, publisher("B", "").0);
}
