//! Looking around: what is found, what is shown of it, and what is not there for whom.

mod common_words;
mod hidden;
mod pages;
mod queries;

use std::path::Path;

use serde_json::{Value, json};
use tests::{
    home::{Home, Kind},
    on_both_databases,
    patience::wait_until,
    program::Answer,
    server::{ALICE, Server},
    upstream::Upstream,
};

use crate::rows;

on_both_databases!(
    tools_are_found_by_words_and_shown_as_documented,
    the_price_that_is_shown_is_the_one_that_is_charged,
    an_answer_that_the_caller_has_is_not_sent_again,
    a_change_of_the_catalog_is_found,
);

/// More requests a second than a test sends.
const UNLIMITED: u32 = 1_000_000;
const PARTNER: &str = "faro_partner_globex00";
/// An account whose address is not confirmed.
const NEW: &str = "faro_new-0000000000";

/// A market with two publishers: `acme` with weather and `geo` with maps.
pub(crate) struct Market {
    pub(crate) home: Home,
    pub(crate) server: Server,
    pub(crate) upstream: Upstream,
}

fn tool(upstream: &Upstream, name: &str, short: &str, credits: &str) -> Value {
    json!({
        "name": name,
        "short_description": short,
        "input_schema": {
            "type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"], "additionalProperties": false,
        },
        "upstream": {"kind": "http", "url": upstream.url("/")},
        "pricing": {"pricing_mode": "fixed_per_request", "fixed_credit_cost": credits},
    })
}

fn catalog(upstream: &Upstream) -> Value {
    let tool = |name, short, credits| tool(upstream, name, short, credits);
    let mut forecast = tool("forecast", "Tomorrow's weather for a city", "2.5");
    forecast["long_description"] = json!("Looks at satellites.\nKnows rain, snow and it's wind.");
    forecast["tags"] = json!(["meteorology"]);
    let mut street = tool("street_map", "A map of streets", "0");
    street["category"] = json!("Maps & more");
    street["tier"] = json!("unverified");
    let account = |email: &str, verified: bool, token: &str| {
        let tokens = json!([{"name": "cli", "token": token}]);
        json!({"email": email, "verified": verified, "grant_credits": 1000, "tokens": tokens})
    };
    json!({
        "publishers": [
            {"id": "acme", "display_name": "Acme", "share_bps": 8000, "namespaces": [{
                "name": "acme", "listing_name": "Acme Weather", "description": "All about the weather.",
                "category": "data", "tags": ["climate"],
                "tools": [
                    forecast,
                    tool("history", "The weather of the past", "1"),
                    tool("secret", "Weather for nobody", "1"),
                    tool("members", "Weather for members", "1"),
                ],
            }]},
            {"id": "geo", "display_name": "Geo Ltd", "share_bps": 5000, "namespaces": [
                {"name": "geo", "description": "Maps.", "tools": [street, tool("route", "The way from here to there", "3")]},
            ]},
        ],
        "accounts": [account("alice@example.com", true, ALICE), account("new@example.com", false, NEW)],
        "partners": [{"name": "Globex", "token": PARTNER, "margin_bps": 1000, "grant_credits": 1000}],
    })
}

/// Hides one tool from everybody and one from whoever is not verified.
const POLICIES: &str = r#"
@id("market.secret") @code("not_found") @reason("Nobody may know.")
forbid (principal, action in Action::"invoke", resource) when { resource.name == "acme/secret" };
@id("market.members") @code("not_found") @reason("For members.")
forbid (principal, action in Action::"invoke", resource)
when { resource.name == "acme/members" && principal has account && !principal.account.verified };
"#;

fn start(folder: &Path, catalog: &Value, requests_per_s: u32) -> Server {
    std::fs::write(folder.join("market.cedar"), POLICIES).unwrap();
    let configuration = json!({
        "allow_fixture_secrets": true,
        "egress": {"allow_private": true},
        "gateway": {"auth": {"mode": "token", "token": "key-Maple-73"}},
        "agents": {"list": [{"id": "a"}]},
        "operator_policies": "market.cedar",
        "limits": {"discovery_per_caller_per_s": requests_per_s},
        "catalog": catalog,
    });
    Server::start(folder, &configuration.to_string())
}

impl Market {
    pub(crate) fn open(kind: Kind) -> Self {
        Self::open_with(kind, UNLIMITED)
    }

    /// One that anybody may ask so many times a second.
    pub(crate) fn open_with(kind: Kind, requests_per_s: u32) -> Self {
        let upstream = Upstream::answering(r#"{"ok": true}"#);
        let home = Home::on(kind);
        let server = start(home.path(), &catalog(&upstream), requests_per_s);
        Self { home, server, upstream }
    }

    /// Reads something without a token.
    pub(crate) fn look(&self, path: &str) -> Answer {
        self.server.send("GET", path, &[], "")
    }

    /// What is found, as `namespace/name`, best first.
    pub(crate) fn found(&self, token: Option<&str>, query: &str) -> Vec<String> {
        let path = format!("/tools/search?{query}");
        let answer = token.map_or_else(|| self.look(&path), |token| self.server.get(token, &path));
        assert_eq!(answer.status, 200, "{query}: {}", answer.body);
        names(&answer)
    }

    /// Changes the catalog behind the program's back, as another server would.
    pub(crate) fn change(&self, sql: &str) {
        rows::change_home(&self.home, sql);
        rows::change_home(&self.home, "UPDATE version SET value = value + 1 WHERE name = 'catalog'");
    }
}

/// The findings of a search.
pub(crate) fn names(answer: &Answer) -> Vec<String> {
    let items = answer.json["items"].as_array().unwrap_or_else(|| panic!("{}", answer.body));
    items.iter().map(|item| item["display_name"].as_str().unwrap().to_owned()).collect()
}

fn tools_are_found_by_words_and_shown_as_documented(kind: Kind) {
    let market = Market::open(kind);
    let answer = market.look("/tools/search?q=Tomorrow%20weather&limit=3");
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!((&answer.json["query"], &answer.json["limit"]), (&json!("Tomorrow weather"), &json!(3)));
    assert_eq!(answer.json["returned"], json!(answer.json["items"].as_array().unwrap().len()));
    assert_eq!(
        answer.json["items"][0],
        json!({
            "object_type": "tool",
            "namespace": "acme",
            "name": "forecast",
            "display_name": "acme/forecast",
            "short_description": "Tomorrow's weather for a city",
            "category": "data",
            "input_schema": {
                "type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"], "additionalProperties": false,
            },
            "pricing": {"pricing_mode": "fixed_per_request", "fixed_credit_cost": 2.5, "charge_on": "success"},
        })
    );
    assert!(names(&answer).contains(&"acme/history".to_owned()), "one of the words, behind those with both");

    // The name counts most; stems, tags, listings and long texts count, too.
    for (query, first) in [
        ("q=history", "acme/history"),
        ("q=forecasts", "acme/forecast"),
        ("q=meteorology", "acme/forecast"),
        ("q=satellite", "acme/forecast"),
        ("q=street", "geo/street_map"),
        ("q=acme/history", "acme/history"),
        ("q=what+is+the+way+to+there", "geo/route"),
    ] {
        assert_eq!(market.found(None, query).first().map(String::as_str), Some(first), "{query}");
    }
    assert_eq!(market.found(None, "q=climate&limit=1").len(), 1);
    assert_eq!(market.found(None, "q=map&category=Maps+%26+more"), ["geo/street_map"]);
    assert_eq!(market.found(None, "q=map&category=data"), [""; 0]);
    assert_eq!(market.found(None, "q=weather&category=Data"), [""; 0], "as it is written");
    assert_eq!(market.found(None, "q=zebra"), [""; 0]);

    let posted = market.server.send("POST", "/tools/search", &[], r#"{"q": "street", "limit": 5, "category": null}"#);
    assert_eq!((posted.status, names(&posted)), (200, vec!["geo/street_map".to_owned()]), "{}", posted.body);
    assert_eq!(posted.json["limit"], json!(5));

    let shown = market.look("/tools/acme/forecast");
    assert_eq!(shown.status, 200, "{}", shown.body);
    for (field, value) in [
        ("namespace", json!("acme")),
        ("name", json!("forecast")),
        ("long_description", json!("Looks at satellites.\nKnows rain, snow and it's wind.")),
        ("tags", json!(["meteorology", "climate"])),
        ("category", json!("data")),
        ("tier", json!("standard")),
    ] {
        assert_eq!(shown.json[field], value, "{field}");
    }
    assert!(shown.json["id"].as_str().unwrap().starts_with("tol_"), "{}", shown.body);
    for path in ["/tools/acme/nothing", "/tools/nothing/forecast", "/tools/acme/%00", "/tools/%2e%2e/x"] {
        let missing = market.look(path);
        assert_eq!((missing.status, missing.code()), (404, "not_found"), "{path}: {}", missing.body);
    }
}

fn the_price_that_is_shown_is_the_one_that_is_charged(kind: Kind) {
    let market = Market::open(kind);
    let shown = market.look("/tools/acme/forecast").json["pricing"]["fixed_credit_cost"].clone();
    let paid = market.server.invoke(ALICE, "forecast", r#"{"arguments": {"q": "Berlin"}}"#);
    assert_eq!((paid.status, &paid.json["credits_charged"]), (200, &shown), "{}", paid.body);

    // Another price, from now on.
    let mut dearer = catalog(&market.upstream);
    dearer["publishers"][0]["namespaces"][0]["tools"][0]["pricing"]["fixed_credit_cost"] = json!("7.000001");
    let Market { home, server, upstream } = market;
    assert_eq!(server.stop(), Some(0));
    let market = Market { server: start(home.path(), &dearer, UNLIMITED), home, upstream };
    for path in ["/tools/acme/forecast", "/docs/namespaces/acme/forecast"] {
        assert_eq!(market.look(path).json["pricing"]["fixed_credit_cost"], json!(7.000_001), "{path}");
    }
    assert!(market.look("/llms/namespaces/acme/forecast.md").body.contains("7.000001"));
    let paid = market.server.invoke(ALICE, "forecast", r#"{"arguments": {"q": "Berlin"}}"#);
    assert_eq!(paid.json["credits_charged"], json!(7.000_001), "{}", paid.body);
}

fn an_answer_that_the_caller_has_is_not_sent_again(kind: Kind) {
    let market = Market::open(kind);
    for path in [
        "/tools/search?q=weather",
        "/tools/acme/forecast",
        "/namespaces/public",
        "/namespaces/public/acme",
        "/docs",
        "/docs/",
        "/docs/namespaces/acme/forecast",
        "/llms.txt",
        "/llms-full.txt",
        "/llms/search.md",
        "/llms/namespaces/acme.md",
        "/llms/namespaces/acme/forecast.md",
        "/openapi.json",
    ] {
        let first = market.look(path);
        assert_eq!(first.status, 200, "{path}: {}", first.body);
        let tag = first.header("etag").unwrap().to_owned();
        assert_eq!(first.header("cache-control"), Some("no-cache"), "{path}");
        for (known, status) in [(tag.clone(), 304), (format!("W/{tag}"), 304), ("\"x\"".to_owned(), 200)] {
            let again = market.server.send("GET", path, &[("if-none-match", &known)], "");
            assert_eq!((again.status, again.body.is_empty()), (status, status == 304), "{path} {known}");
            assert_eq!(again.header("etag"), Some(&*tag), "{path}");
        }
        if path != "/openapi.json" {
            assert_eq!(market.server.get(ALICE, path).header("cache-control"), Some("private, no-cache"), "{path}");
        }
    }
    // What is asked with `POST` has no tag, and is answered whole whatever the caller says to have.
    let tag = market.look("/tools/search?q=weather").header("etag").unwrap().to_owned();
    for known in [&*tag, "*"] {
        let found = market.server.send("POST", "/tools/search", &[("if-none-match", known)], r#"{"q": "weather"}"#);
        assert_eq!((found.status, found.header("etag")), (200, None), "{}", found.body);
        assert_eq!(found.json, market.look("/tools/search?q=weather").json);
    }
    let tag = market.look("/tools/acme/forecast").header("etag").unwrap().to_owned();
    market.change("UPDATE tool SET short_description = 'Another text' WHERE name = 'forecast'");
    wait_until("another content", || {
        let again = market.server.send("GET", "/tools/acme/forecast", &[("if-none-match", &tag)], "");
        (again.status == 200).then_some(())
    });
}

fn a_change_of_the_catalog_is_found(kind: Kind) {
    let market = Market::open(kind);
    assert_eq!(market.found(None, "q=zeppelin"), [""; 0]);
    market.change("UPDATE tool SET long_description = 'zeppelin' WHERE name = 'route'");
    let (_, took) = wait_until("the new word", || (market.found(None, "q=zeppelin") == ["geo/route"]).then_some(()));
    println!("a new word was found after {} ms", took.as_millis());
    market.change("UPDATE namespace SET tags = '[\"airship\"]' WHERE name = 'geo'");
    wait_until("the new tag", || (market.found(None, "q=airship").len() == 2).then_some(()));
    market.change("UPDATE tool SET name = 'path' WHERE name = 'route'");
    wait_until("the new name", || (market.found(None, "q=zeppelin") == ["geo/path"]).then_some(()));
    assert_eq!(market.look("/tools/geo/route").status, 404, "an old name is none");
}
