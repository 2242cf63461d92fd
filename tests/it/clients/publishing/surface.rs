//! The routes one by one: what they take, and what they read back.

use serde_json::{Value, json};
use tests::{
    home::Kind,
    on_both_databases,
    patience::Ends as _,
    program::tollgate,
    server::{ALICE, BOB},
};

use super::{House, assert_names, id, register_bob};

on_both_databases!(
    every_write_is_read_back,
    a_picture_is_served_as_what_it_is,
    what_cannot_be_used_is_named,
    what_is_not_offered_says_so,
    reviews_are_given_from_the_command_line,
    whoever_approves_has_seen_all_of_it_and_no_secret,
);

fn every_write_is_read_back(kind: Kind) {
    let house = House::open(kind);
    let (namespace, tool) = house.publish();
    let again = house.send(ALICE, "POST", "/publishers/register", &json!({"display_name": "Acme"}));
    assert_eq!((again.status, again.code()), (409, "conflict"), "{}", again.body);
    let me = house.ask("PUT", "/publishers/me", &json!({"legal_name": "L", "country": "ES", "bio": "b"}));
    assert_eq!(house.get("/publishers/me"), me);
    assert_eq!((&me["display_name"], &me["country"]), (&json!("Acme"), &json!("ES")));

    let connection = house.get("/connections/")[0].clone();
    let path = format!("/connections/{}", id(&connection));
    assert_eq!(house.get(&path), connection);
    let credentials = json!({"api_key": "hunter2", "key_identifier": "X-Key", "param_location": "header"});
    let set = house.ask("PUT", &format!("{path}/credentials"), &credentials);
    assert_eq!((&set["has_credentials"], &set["key_identifier"]), (&json!(true), &json!("X-Key")));
    assert_eq!(house.get(&path)["credentials"], set);
    assert!(!house.get(&path).to_string().contains("hunter2"));
    let used = house.send(ALICE, "DELETE", &path, &Value::Null);
    assert_eq!((used.status, used.code()), (409, "conflict"), "{}", used.body);
    let own = house.ask("PUT", &format!("/namespaces/{namespace}/credentials"), &credentials);
    assert_eq!((&own["source"], &set["source"]), (&json!("namespace"), &json!("connection")));
    assert_eq!(house.get(&format!("/namespaces/{namespace}/credentials")), own);

    let listed = house.get("/namespaces/");
    assert_eq!(
        (&listed[0]["id"], &listed[0]["namespace"], &listed[0]["status"]),
        (&json!(namespace), &json!("sums"), &json!("draft"))
    );
    assert_eq!(house.get("/namespaces/sums"), house.get(&format!("/namespaces/{namespace}")));
    let of_tool = |part: &str, content: Value| {
        let shown = house.ask("PUT", &format!("/namespaces/{namespace}/tools/{tool}/{part}"), &content);
        assert_eq!(house.get("/namespaces/sums")["tools"][0], shown, "{part}");
        shown
    };
    assert_eq!(of_tool("rest", json!({"rest_path": "/q", "long_description": "more"}))["rest_path"], json!("/q"));
    assert_eq!(of_tool("visibility", json!({"visibility": "private"}))["visibility"], json!("private"));
    let set = of_tool("mcp", json!({"mcp_static_args": {"key": 1}, "mcp_default_args": {"q": "x"}}));
    assert_eq!(set["mcp_static_args"], json!({"key": 1}));
    assert_eq!(house.get("/tools/sums/add")["input_schema"]["properties"]["q"]["default"], json!("x"));
    let units = json!({"mcp_default_args": {}, "pricing_unit_fields": ["a", "b"], "pricing_credits_per_unit": "2.50"});
    assert_eq!(of_tool("mcp", units)["pricing_credits_per_unit"], json!(2.5));

    let group = house.ask("POST", &format!("/namespaces/{namespace}/groups"), &json!({"name": "G", "sort_order": 0}));
    let path = format!("/namespaces/{namespace}/groups/{}", id(&group));
    assert_eq!(house.ask("PUT", &path, &json!({"name": "H"}))["name"], json!("H"));
    assert_eq!(of_tool("group", json!({"tool_group_id": id(&group)}))["tool_group_id"], group["id"]);
    let price = json!({"pricing_mode": "tool_returned", "returned_credit_cost_path": "$.usage.credits",
        "returned_credit_multiplier": "1.2", "base_credit_cost": 1, "estimated_max_credit_cost": "500"});
    house.ask("PUT", &format!("{path}/pricing"), &price);
    let priced = house.get("/namespaces/sums")["tools"][0]["pricing"].clone();
    assert_eq!(
        (&priced["estimated_max_credit_cost"], &priced["pricing_unit_fields"]),
        (&json!(500), &json!(["a", "b"]))
    );
    assert_eq!(house.send(ALICE, "DELETE", &path, &Value::Null).status, 204);
    assert_eq!(house.get(&format!("/namespaces/{namespace}/groups")).as_array().unwrap().len(), 1);

    let period = house.get("/publishers/sales-summary?period=month&month=2026-01");
    assert_eq!((&period["from"], &period["to"]), (&json!("2026-01-01T00:00:00Z"), &json!("2026-02-01T00:00:00Z")));
    assert_eq!(house.get("/publishers/sales-summary?period=last_month")["daily"], json!([]));
    let calls = house.get("/publishers/invocations");
    assert_eq!((&calls["invocations"], &calls["warnings"]), (&json!([]), &json!([])));
}

fn a_picture_is_served_as_what_it_is(kind: Kind) {
    let house = House::open(kind);
    let (namespace, _) = house.publish();
    let picture = r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><rect width="1" height="1"/></svg>"#;
    let icon = house.upload(ALICE, &format!("/namespaces/{namespace}/icon"), picture);
    assert_eq!(icon.status, 200, "{}", icon.body);
    let url = icon.json["namespace_icon_url"].as_str().unwrap();
    assert_eq!(house.get("/namespaces/sums")["namespace_icon_url"], json!(url));
    // As clients send it back with the rest of the listing.
    house.ask("PUT", "/namespaces/sums/listing", &json!({"namespace_icon_url": url}));
    assert_eq!(house.get("/namespaces/sums")["namespace_icon_url"], json!(url));
    let path = url.strip_prefix(house.server.base_url()).unwrap();
    let served = house.server.send("GET", path, &[], "");
    assert_eq!((served.status, served.body.as_str()), (200, picture));
    assert_eq!(served.header("content-type"), Some("image/svg+xml"));
    assert_eq!(served.header("x-content-type-options"), Some("nosniff"));
    assert!(served.header("content-security-policy").unwrap().contains("sandbox"));
    assert!(served.header("ratelimit").is_some_and(|limit| limit.contains("discovery")), "it is counted");
    let tag = served.header("etag").unwrap();
    for (method, known, status) in [("GET", tag, 304), ("HEAD", "*", 304), ("GET", "\"x\"", 200)] {
        let again = house.server.send(method, path, &[("if-none-match", known)], "");
        assert_eq!((again.status, again.body.is_empty()), (status, status == 304), "{method} {known}");
        assert_eq!(again.header("etag"), Some(tag), "{method} {known}");
    }
    let logo = house.upload(ALICE, "/publishers/me/logo", picture);
    assert_eq!((logo.status, &logo.json["logo_url"]), (200, &json!(url)), "{}", logo.body);
    // As clients send it back with the rest of the profile: it is still the picture that is kept here.
    let me = house.ask("PUT", "/publishers/me", &json!({"logo_url": url, "bio": "b"}));
    assert_eq!(me["logo_url"], json!(url));
    house.ask("PUT", "/namespaces/sums/listing", &json!({"namespace_icon_url": ""}));
    assert_eq!(house.server.send("GET", path, &[], "").status, 200, "the logo shows it");
    let nowhere = json!({"namespace_icon_url": format!("/assets/{}", "0".repeat(64))});
    let refused = house.send(ALICE, "PUT", "/namespaces/sums/listing", &nowhere);
    assert_names(&refused, &["body", "namespace_icon_url"]);
    for nothing in ["", "x", "<html></html>", r#"<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>"#] {
        assert_names(&house.upload(ALICE, "/publishers/me/logo", nothing), &["body", "file"]);
    }
    let bare = house.send(ALICE, "POST", "/publishers/me/logo", &json!({"file": "x"}));
    assert_names(&bare, &["body", "file"]);
    let large = house.upload(ALICE, "/publishers/me/logo", &"x".repeat(3 << 20));
    assert_eq!((large.status, large.code()), (413, "body_too_large"), "{}", large.body);
    assert_eq!(house.get("/publishers/me")["logo_url"], json!(url));
    for nowhere in ["/assets/x", &format!("/assets/{}", "0".repeat(64)), "/assets/..%2fx"] {
        assert_eq!(house.server.send("GET", nowhere, &[], "").status, 404, "{nowhere}");
    }
}

fn what_cannot_be_used_is_named(kind: Kind) {
    let house = House::open(kind);
    let (namespace, tool) = house.publish();
    let group = house.get(&format!("/namespaces/{namespace}/groups"))[0]["id"].as_str().unwrap().to_owned();
    let of = |part: &str| format!("/namespaces/{namespace}/{part}");
    let (tool, pricing) = (|part: &str| of(&format!("tools/{tool}/{part}")), of(&format!("groups/{group}/pricing")));
    for (method, path, content, place) in [
        ("PUT", "/publishers/me".to_owned(), json!({"support_email": "a@b\nc"}), &["body", "support_email"][..]),
        ("PUT", "/publishers/me".to_owned(), json!({"logo_url": "u"}), &["body", "logo_url"]),
        ("PUT", "/publishers/me".to_owned(), json!({"surname": "u"}), &["body", "surname"]),
        (
            "POST",
            "/connections/".to_owned(),
            json!({"label": "L", "connection_type": "ftp"}),
            &["body", "connection_type"],
        ),
        ("POST", "/connections/".to_owned(), json!({"label": "L", "connection_type": "rest"}), &["body", "base_url"]),
        (
            "POST",
            "/namespaces/".to_owned(),
            json!({"namespace": "x y", "connection_id": "c1"}),
            &["body", "connection_id"],
        ),
        ("PUT", of(""), json!({"namespace": "public"}), &["body", "namespace"]),
        ("PUT", of("listing"), json!({"tags": "a"}), &["body", "tags"]),
        ("PUT", of("listing"), json!({"tools": [{"tool_id": "x"}]}), &["body", "tools", "0", "tool_id"]),
        ("PUT", of("publish"), json!({"action": "now"}), &["body", "action"]),
        ("PUT", of("status"), json!({"status": "active"}), &["body", "status"]),
        ("PUT", tool("name"), json!({"name": "a/b"}), &["body", "name"]),
        ("PUT", tool("visibility"), json!({"visibility": "all"}), &["body", "visibility"]),
        ("PUT", tool("group"), json!({"tool_group_id": "x"}), &["body", "tool_group_id"]),
        ("PUT", tool("mcp"), json!({"mcp_static_args": []}), &["body", "mcp_static_args"]),
        ("PUT", tool("mcp"), json!({"pricing_credits_per_unit": "1e3"}), &["body", "pricing_credits_per_unit"]),
        ("PUT", tool("rest"), json!({"rest_path": "http://evil.example/"}), &["body", "rest_path"]),
        ("PUT", pricing.clone(), json!({"pricing_mode": "free"}), &["body", "pricing_mode"]),
        (
            "PUT",
            pricing.clone(),
            json!({"pricing_mode": "tool_returned", "pricing_rules": []}),
            &["body", "pricing_rules"],
        ),
        (
            "PUT",
            pricing,
            json!({"pricing_mode": "tool_returned", "returned_credit_cost_path": "$[", "estimated_max_credit_cost": 1}),
            &["body", "returned_credit_cost_path"],
        ),
    ] {
        let path = path.trim_end_matches('/');
        let path = if ["/connections", "/namespaces"].contains(&path) { format!("{path}/") } else { path.to_owned() };
        assert_names(&house.send(ALICE, method, &path, &content), place);
    }
    let month = house.send(ALICE, "GET", "/publishers/sales-summary?period=month&month=2026-13", &Value::Null);
    assert_names(&month, &["query", "month"]);
}

fn what_is_not_offered_says_so(kind: Kind) {
    let house = House::open(kind);
    let (namespace, _) = house.publish();
    for part in ["generate-listing", "auto-listing"] {
        let refused = house.send(ALICE, "POST", &format!("/namespaces/{namespace}/{part}"), &Value::Null);
        assert_eq!((refused.status, refused.code()), (501, "not_offered"), "{}", refused.body);
    }
    let incomplete = house.send(ALICE, "PUT", "/namespaces/sums/publish", &json!({"action": "review"}));
    assert_eq!((incomplete.status, incomplete.code()), (422, "listing_incomplete"), "{}", incomplete.body);
    assert_eq!(incomplete.json["detail"][0]["loc"], json!(["listing", "listing_name"]));
}

fn reviews_are_given_from_the_command_line(kind: Kind) {
    let house = House::open(kind);
    let (namespace, tool) = house.publish();
    let arguments = format!("/namespaces/{namespace}/tools/{tool}/mcp");
    house.ask("PUT", &arguments, &json!({"mcp_static_args": {"key": "s3cret"}}));
    register_bob(&house);
    assert_eq!(house.command(&["listing", "list", "--json"]), (0, json!({"listings": []})));
    house.hand_in();
    let (_, waiting) = house.command(&["listing", "list", "--json"]);
    assert_eq!(
        (&waiting["listings"][0]["namespace"], &waiting["listings"][0]["publisher"]),
        (&json!("sums"), &json!("Acme"))
    );
    let (code, _) = house.command(&["listing", "approve", "sums", "--seen", "0000", "--json"]);
    assert_eq!(code, 1, "nobody approves what they have not seen");
    let (_, shown) = house.command(&["listing", "show", "sums", "--json"]);
    assert_eq!(shown["tools"][0]["mcp_static_args"], json!(["key"]), "of what is nobody's business only the name");
    assert!(!shown.to_string().contains("s3cret"), "{shown}");
    let seen = shown["seen"].as_str().unwrap();
    let (code, _) = house.command(&["listing", "reject", "sums", "--seen", seen, "--reason", "no examples", "--json"]);
    assert_eq!(code, 0);
    let rejected = house.get("/namespaces/sums");
    assert_eq!((&rejected["status"], &rejected["rejected_because"]), (&json!("draft"), &json!("no examples")));
    house.ask("PUT", &arguments, &json!({"mcp_static_args": {}}));
    house.hand_in();
    house.approve();
    assert_eq!(house.get("/namespaces/sums")["rejected_because"], Value::Null);
    assert_eq!(house.call(BOB, "sums/add").status, 200);
    let told = crate::rows::of_home(
        &house.home,
        "SELECT action, actor_kind FROM audit WHERE action LIKE 'listing.%' ORDER BY action",
    );
    assert_eq!(
        told,
        [
            ["listing.approve", "operator"],
            ["listing.reject", "operator"],
            ["listing.submit", "account"],
            ["listing.submit", "account"]
        ]
    );
}

fn whoever_approves_has_seen_all_of_it_and_no_secret(kind: Kind) {
    let house = House::open(kind);
    let (namespace, tool) = house.publish();
    let of_tool = |part: &str| format!("/namespaces/{namespace}/tools/{tool}/{part}");
    let rest = json!({
        "long_description": "at length",
        "rest_static_headers": {"X-Own": "hunter2"},
        "rest_static_query": {"own": "hunter2"},
    });
    house.ask("PUT", &of_tool("rest"), &rest);
    let set = json!({"mcp_static_args": {"key": "hunter2"}, "mcp_default_args": {"q": "hunter2"}});
    let set = house.ask("PUT", &of_tool("mcp"), &set);
    assert_eq!(set["mcp_static_args"], json!({"key": "hunter2"}), "its publisher sees it");
    house.hand_in();
    house.approve();
    let readme = format!("# {}\nthe end", "long ".repeat(100));
    let listing = json!({
        "listing_name": "More sums", "description": "Even more\nof them", "category": "maths", "tags": ["new"],
        "readme_content": readme,
        "tools": [{
            "tool_id": tool, "short_description": "Adds a lot", "example_prompts": ["What is 1 + 1?", "And 2?"],
            "display_order": 7,
        }],
    });
    assert_eq!(house.ask("PUT", "/namespaces/sums/listing", &listing)["target"], json!("draft"));
    house.ask("PUT", "/namespaces/sums/publish", &json!({"action": "review"}));

    let printed = tollgate(house.home.path(), &["listing", "show", "sums"]).ended().unwrap();
    let printed = String::from_utf8(printed.stdout).unwrap();
    let long = "long ".repeat(100);
    for lines in [
        "title: Sums\n  -> More sums\n",
        "description: All sums\n  -> Even more\n  | of them\n",
        "category: data\n  -> maths\n",
        "tags: numbers\n  -> new\n",
        &format!("readme: (nothing)\n  -> # {long}\n  | the end\n"),
        "tool add (public)\n",
        "  short description: Adds\n    -> Adds a lot\n",
        "  long description: at length\n",
        "  example prompts: (nothing)\n    -> What is 1 + 1?\n    | And 2?\n",
        "  order: 0\n    -> 7\n",
    ] {
        assert!(printed.contains(lines), "`{lines}` is missing: {printed}");
    }
    let (_, shown) = house.command(&["listing", "show", "sums", "--json"]);
    assert!(printed.contains(shown["seen"].as_str().unwrap()), "{printed}");
    let of = &shown["tools"][0];
    for (member, names) in [
        ("mcp_static_args", json!(["key"])),
        ("mcp_default_args", json!(["q"])),
        ("rest_static_headers", json!(["X-Own"])),
        ("rest_static_query", json!(["own"])),
    ] {
        assert_eq!(of[member], names, "{member}: {shown}");
    }
    assert!(printed.contains(r#""rest_static_headers":["X-Own"]"#), "{printed}");
    // What stands in for an argument is in the schema that callers are shown.
    let told = printed.matches("hunter2").count();
    assert_eq!(told, printed.matches(r#""default":"hunter2""#).count(), "{printed}");
    let told = shown.to_string().matches("hunter2").count();
    assert_eq!(told, shown["tools"][0]["public_input_schema"].to_string().matches("hunter2").count(), "{shown}");
}
