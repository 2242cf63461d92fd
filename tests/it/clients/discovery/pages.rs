//! Namespaces, the guide, and the pages for language models.

use serde_json::{Value, json};
use tests::{home::Kind, on_both_databases, server::ALICE};

use super::Market;

on_both_databases!(
    namespaces_are_listed_and_shown_as_documented,
    the_guide_names_every_endpoint,
    every_page_for_language_models_is_there,
);

fn namespaces_are_listed_and_shown_as_documented(kind: Kind) {
    let market = Market::open(kind);
    let acme = json!({
        "namespace": "acme",
        "listing_name": "Acme Weather",
        "description": "All about the weather.",
        "category": "data",
        "tags": ["climate"],
        "publisher": "Acme",
        "status": "active",
    });
    let geo = json!({
        "namespace": "geo",
        "listing_name": null,
        "description": "Maps.",
        "category": null,
        "tags": [],
        "publisher": "Geo Ltd",
        "status": "active",
    });
    let list = |query: &str| market.look(&format!("/namespaces/public{query}")).json;
    assert_eq!(list(""), json!({"limit": 100, "returned": 2, "next_after": null, "items": [acme, geo]}));
    assert_eq!(list("?limit=1"), json!({"limit": 1, "returned": 1, "next_after": "acme", "items": [acme]}));
    assert_eq!(list("?limit=1&after=acme"), json!({"limit": 1, "returned": 1, "next_after": null, "items": [geo]}));
    assert_eq!(list("?after=geo"), json!({"limit": 100, "returned": 0, "next_after": null, "items": []}));

    let shown = market.look("/namespaces/public/geo");
    assert_eq!((shown.status, &shown.json["namespace"]), (200, &json!("geo")), "{}", shown.body);
    assert_eq!((&shown.json["publisher"], &shown.json["has_more_tools"]), (&json!("Geo Ltd"), &json!(false)));
    let tools: Vec<&Value> = shown.json["tools"].as_array().unwrap().iter().map(|tool| &tool["name"]).collect();
    assert_eq!(tools, ["route", "street_map"], "by name");
    assert_eq!(shown.json["tools"][0]["pricing"]["fixed_credit_cost"], json!(3));
    assert_eq!(market.look("/namespaces/public/nothing").status, 404);
}

fn the_guide_names_every_endpoint(kind: Kind) {
    let market = Market::open(kind);
    let guide = market.look("/docs/");
    assert_eq!(guide.status, 200, "{}", guide.body);
    assert_eq!(market.look("/docs").body, guide.body);
    assert!(guide.json["version"].is_string(), "{}", guide.body);
    let authentication = &guide.json["authentication"];
    let methods = authentication["methods"].as_array().unwrap();
    assert_eq!(
        methods.iter().map(|method| &method["prefix"]).collect::<Vec<_>>(),
        [&json!("faro_"), &Value::Null, &json!("faro_partner_")]
    );
    for method in methods {
        for field in ["type", "description", "header"] {
            assert!(method[field].is_string(), "{field}: {method}");
        }
    }
    assert!(authentication["note"].is_string() && authentication["fastest_start"].is_string(), "{authentication}");
    let endpoints = guide.json["endpoints"].as_array().unwrap();
    let find = |method: &str, path: &str| {
        let found = endpoints.iter().find(|one| one["method"] == method && one["path"] == path);
        found.unwrap_or_else(|| panic!("{method} {path} is not in the guide")).clone()
    };
    let document = market.look("/openapi.json").json;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let endpoint = find(&method.to_uppercase(), path);
            assert!(endpoint["description"].is_string() && endpoint["parameters"].is_array(), "{endpoint}");
        }
    }
    let search = find("GET", "/tools/search");
    assert_eq!(search["auth_required"], json!(false));
    assert_eq!(
        search["parameters"][1],
        json!({"name": "limit", "in": "query", "type": "integer", "description": "1 to 50; 10 when absent"})
    );
    let invoke = find("POST", "/invoke/{namespace}/{tool_name}");
    assert_eq!(invoke["auth_required"], json!(true));
    assert!(invoke["parameters"].as_array().unwrap().iter().any(|one| one["name"] == "arguments"), "{invoke}");

    let docs = market.look("/docs/namespaces/acme/forecast");
    let tool = market.look("/tools/acme/forecast").json;
    for (name, value) in tool.as_object().unwrap() {
        assert_eq!(docs.json.get(name), Some(value), "{name}");
    }
    assert_eq!(docs.json["endpoint"], json!({"method": "POST", "path": "/invoke/acme/forecast"}));
    let curl = docs.json["example_curl"].as_str().unwrap();
    let expected = format!("curl -X POST {}/invoke/acme/forecast ", market.server.base_url());
    assert!(curl.starts_with(&expected) && curl.contains(r#"{"arguments":{"q":"text"}}"#), "{curl}");
}

fn every_page_for_language_models_is_there(kind: Kind) {
    let market = Market::open(kind);
    let index = market.look("/llms.txt");
    assert_eq!(index.status, 200, "{}", index.body);
    assert_eq!(index.header("content-type"), Some("text/markdown; charset=utf-8"));
    let links: Vec<&str> = index.body.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    assert!(links.len() >= 10, "{}", index.body);
    for link in links {
        let page = market.look(link);
        assert_eq!(page.status, 200, "{link}: {}", page.body);
        assert!(page.body.starts_with("# ") && !page.body.contains("{base_url}"), "{link}: {}", page.body);
    }
    for topic in ["quickstart", "skill", "search", "invoke", "run", "cli", "publish", "catalog"] {
        let page = market.look(&format!("/llms/{topic}.md"));
        assert_eq!(page.status, 200, "{topic}: {}", page.body);
        assert!(market.look("/llms-full.txt").body.contains(&page.body), "{topic}");
    }
    for path in ["/llms/nothing.md", "/llms/namespaces/nothing.md", "/llms/namespaces/acme/nothing.md"] {
        assert_eq!(market.look(path).status, 404, "{path}");
    }
    let namespace = market.look("/llms/namespaces/acme.md").body;
    for part in
        ["# Acme Weather", "`acme`", "Publisher: Acme", "Category: data", "> All about the weather.", "forecast.md"]
    {
        assert!(namespace.contains(part), "{part}: {namespace}");
    }
    let tool = market.look("/llms/namespaces/acme/forecast.md").body;
    for part in [
        "# acme/forecast",
        "Tomorrow's weather for a city",
        "> Looks at satellites.\n> Knows rain",
        "POST /invoke/acme/forecast",
        "\"fixed_credit_cost\": 2.5",
        "\"additionalProperties\": false",
    ] {
        assert!(tool.contains(part), "{part}: {tool}");
    }
    assert_eq!(market.server.get(ALICE, "/llms/namespaces/acme/members.md").status, 200);
}
