//! Tools of real MCP servers, one written with `rmcp` and one with `mcp` from PyPI.

use tests::{
    mcp::{Called, McpServer, PythonServer, RustServer},
    on_both_databases,
};

use super::*;

on_both_databases!(
    one_step_leads_from_an_address_to_tools_that_can_be_called,
    static_arguments_reach_the_server_and_are_nobody_elses_business,
    what_is_imported_is_what_was_named,
);

const NAMES: [&str; 7] = ["echo", "hang", "priced", "priced_beside", "refuse", "say", "say_json"];

fn with_both(kind: Kind, check: impl Fn(&House, &str, &dyn Fn(&str) -> Vec<Called>)) {
    let rust = RustServer::start();
    check(&House::open(kind), &rust.url(), &|tool| rust.calls(tool));
    let house = House::open(kind);
    let python = PythonServer::start(house.home.path());
    check(&house, &python.url(), &|tool| python.calls(tool));
}

fn set_up(house: &House, url: &str) {
    house.done("POST", "/namespaces/quick-setup", &json!({"namespace": "desk", "mcp_url": url}));
    house.price("desk", 5);
}

fn one_step_leads_from_an_address_to_tools_that_can_be_called(kind: Kind) {
    with_both(kind, |house, url, calls| {
        assert_eq!(house.ask("GET", "/publishers/me", &Value::Null).status, 403);
        set_up(house, url);
        assert_eq!(house.tools("desk"), NAMES);
        assert_eq!(house.get("/publishers/me")["display_name"], "desk");
        let connections = house.get("/connections/");
        assert_eq!((connections.as_array().unwrap().len(), &connections[0]["mcp_url"]), (1, &json!(url)));
        let answer = house.call("desk/echo", &json!({"q": "é"}));
        assert_eq!((answer.status, &answer.json["credits_charged"]), (200, &json!(5)), "{}", answer.body);
        assert_eq!(calls("echo").last().unwrap().arguments, json!({"q": "é"}));
        // it is a draft, and its tools are private: to others there is nothing
        let path = "/invoke/desk/echo";
        assert_eq!(house.send(BOB, "POST", path, &json!({"arguments": {}})).status, 404);
        assert_eq!(calls("echo").len(), 1);
        house.server.verified_postings();
    });
}

fn static_arguments_reach_the_server_and_are_nobody_elses_business(kind: Kind) {
    with_both(kind, |house, url, calls| {
        set_up(house, url);
        let arguments = format!("/namespaces/desk/tools/{}/mcp", house.tool_id("desk", "echo"));
        let public = || house.get("/tools/desk/echo")["input_schema"].clone();
        let heard = || calls("echo").last().unwrap().arguments.clone();

        house.done("PUT", &arguments, &json!({"mcp_static_args": {"q": "ours"}}));
        assert_eq!(public()["properties"].get("q"), None, "{}", public());
        for given in [json!({}), json!({"q": "theirs"})] {
            let answer = house.call("desk/echo", &given);
            assert_eq!(answer.status, 200, "{given}: {}", answer.body);
            assert_eq!(heard(), json!({"q": "ours"}), "{given}");
        }

        let defaults = json!({"mcp_static_args": {}, "mcp_default_args": {"q": "usual"}});
        house.done("PUT", &arguments, &defaults);
        assert_eq!(public()["properties"]["q"]["default"], "usual", "{}", public());
        for (given, expected) in [(json!({}), "usual"), (json!({"q": "theirs"}), "theirs")] {
            assert_eq!(house.call("desk/echo", &given).status, 200);
            assert_eq!(heard(), json!({"q": expected}), "{given}");
        }

        house.done("PUT", &arguments, &json!({"mcp_default_args": {}}));
        assert_eq!(house.call("desk/echo", &json!({"q": "theirs"})).status, 200);
        assert_eq!(heard(), json!({"q": "theirs"}));
    });
}

fn what_is_imported_is_what_was_named(kind: Kind) {
    let rust = RustServer::start();
    let house = House::open(kind);
    house.register(ALICE, "Alice");
    let connection = house.connection("mcp", &rust.url());
    let scanned = house.done("POST", &format!("/connections/{connection}/scan"), &Value::Null);
    let names: Vec<&str> =
        scanned["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!((names.len(), &scanned["returned"]), (NAMES.len(), &json!(NAMES.len())), "{scanned}");
    assert!(scanned.get("import").is_none() && house.get("/namespaces/") == json!([]), "a look changes nothing");

    house.namespace("desk", &connection);
    let import = |body: &Value| house.ask("POST", "/namespaces/desk/import-tools", body);
    let refused = import(&json!({"connection_id": connection, "mcp_tool_names": ["echo", "nobody"]}));
    assert_names(&refused, "mcp_tool_names");
    assert_names(&import(&json!({"connection_id": connection, "visibility": "hidden"})), "visibility");
    assert_names(&import(&json!({"connection_id": "nothing"})), "connection_id");
    assert_eq!(house.tools("desk"), Vec::<String>::new());

    let named = json!({"connection_id": connection, "mcp_tool_names": ["echo", "say"], "visibility": "public"});
    let imported = import(&named);
    assert_eq!(imported.status, 200, "{}", imported.body);
    assert_eq!(imported.json["import"], json!({"imported": ["echo", "say"], "already_there": []}));
    assert_eq!(house.tools("desk"), ["echo", "say"]);
    assert!(imported.json["tools"].as_array().unwrap().iter().all(|tool| tool["visibility"] == "public"));
    assert_eq!(import(&named).json["import"], json!({"imported": [], "already_there": ["echo", "say"]}));

    let again = house.done("POST", "/namespaces/desk/scan", &Value::Null);
    assert_eq!(again["import"]["already_there"], json!(["echo", "say"]), "{again}");
    assert_eq!((&again["changed"], &again["gone"]), (&json!([]), &json!([])), "{again}");
    assert_eq!(house.tools("desk"), NAMES);

    // nobody else's connection or namespace is there
    house.register(BOB, "Bob");
    for path in [format!("/connections/{connection}/scan"), "/namespaces/desk/scan".to_owned()] {
        assert_eq!(house.send(BOB, "POST", &path, &Value::Null).status, 404, "{path}");
    }
    assert_eq!(house.send(BOB, "POST", "/namespaces/desk/import-tools", &named).status, 404);
}
