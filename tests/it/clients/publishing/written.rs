//! What publishers write, member by member: it is read back, and it does what it says.

use serde_json::{Value, json};
use tests::{
    home::Kind,
    mcp::{McpServer as _, RustServer},
    on_both_databases,
    patience::Ends as _,
    patience::wait_until,
    program::tollgate,
    server::{ALICE, BOB},
};

use super::{House, id};

on_both_databases!(
    what_a_publisher_says_of_itself_stays_until_it_says_otherwise,
    where_more_is_said_is_told_to_who_approves,
    a_picture_elsewhere_is_shown_once_it_is_approved,
    a_request_carries_what_its_publisher_sets,
    what_is_imported_in_public_is_there_for_others,
);

fn what_a_publisher_says_of_itself_stays_until_it_says_otherwise(kind: Kind) {
    let house = House::open(kind);
    let new = json!({
        "display_name": "Acme", "website_url": "https://acme.example/", "support_email": "help@acme.example", "bio": "b",
    });
    let mut expected = house.ask("POST", "/publishers/register", &new);
    assert_eq!(house.get("/publishers/me"), expected);
    for (member, value) in new.as_object().unwrap() {
        assert_eq!(expected[member], *value, "{member}: {expected}");
    }
    // What is left out stays, and an empty text takes away.
    for (member, value, shown) in [
        ("logo_url", "https://cdn.example/acme.png?size=2", json!("https://cdn.example/acme.png?size=2")),
        ("support_email", "desk@acme.example", json!("desk@acme.example")),
        ("website_url", "https://acme.example/shop", json!("https://acme.example/shop")),
        ("support_email", "", Value::Null),
        ("logo_url", "", Value::Null),
    ] {
        let changed = house.ask("PUT", "/publishers/me", &json!({member: value}));
        expected[member] = shown;
        assert_eq!((&changed, &house.get("/publishers/me")), (&expected, &expected), "{member}");
    }
}

fn where_more_is_said_is_told_to_who_approves(kind: Kind) {
    let house = House::open(kind);
    house.publish();
    let connection = id(&house.get("/connections/")[0]);
    let new = json!({
        "namespace": "notes", "connection_id": connection, "readme_source_url": "https://docs.example/notes.md",
    });
    let made = house.ask("POST", "/namespaces/", &new);
    let of = |namespace: &str| house.get(&format!("/namespaces/{namespace}"))["readme_source_url"].clone();
    assert_eq!(
        (&made["readme_source_url"], of("notes")),
        (&new["readme_source_url"], new["readme_source_url"].clone())
    );
    let server = RustServer::start();
    let new = json!({
        "namespace": "cloud", "mcp_url": server.url(), "readme_source_url": "https://docs.example/cloud.md",
    });
    house.ask("POST", "/namespaces/quick-setup", &new);
    assert_eq!(of("cloud"), new["readme_source_url"]);

    assert_eq!(of("sums"), Value::Null);
    let put = |content: Value| house.ask("PUT", "/namespaces/sums", &content)["readme_source_url"].clone();
    for (content, expected) in [
        (json!({"readme_source_url": "https://docs.example/first.md"}), json!("https://docs.example/first.md")),
        (json!({"readme_source_url": ""}), Value::Null),
        (json!({"readme_source_url": "https://docs.example/sums.md"}), json!("https://docs.example/sums.md")),
        (json!({"namespace": "sums"}), json!("https://docs.example/sums.md")),
    ] {
        assert_eq!((put(content.clone()), of("sums")), (expected.clone(), expected), "{content}");
    }
    house.hand_in();
    let printed = tollgate(house.home.path(), &["listing", "show", "sums"]).ended().unwrap();
    let printed = String::from_utf8(printed.stdout).unwrap();
    assert!(printed.contains("readme from: https://docs.example/sums.md\n"), "{printed}");
}

fn a_picture_elsewhere_is_shown_once_it_is_approved(kind: Kind) {
    let house = House::open(kind);
    house.publish();
    let [first, second] = ["https://cdn.example/first.png", "https://cdn.example/second.png"];
    let put = |url: &str| house.ask("PUT", "/namespaces/sums", &json!({"namespace_icon_url": url}));
    assert_eq!(put(first)["namespace_icon_url"], json!(first));
    assert_eq!(house.get("/namespaces/sums")["namespace_icon_url"], json!(first), "a draft is changed at once");
    house.hand_in();
    house.approve();
    let seen = || house.send(BOB, "GET", "/namespaces/public/sums", &Value::Null).json["namespace_icon_url"].clone();
    wait_until("others see the picture", || (seen() == json!(first)).then_some(()));

    put(second);
    let staged = house.get("/namespaces/sums");
    assert_eq!(
        (&staged["namespace_icon_url"], &staged["draft_listing"]["namespace_icon_url"]),
        (&json!(first), &json!(second))
    );
    assert_eq!(seen(), json!(first), "what is in public waits for the next approval");
    house.ask("DELETE", "/namespaces/sums/draft", &Value::Null);
    let discarded = house.get("/namespaces/sums");
    assert_eq!((&discarded["namespace_icon_url"], &discarded["draft_listing"]), (&json!(first), &Value::Null));
    put(second);
    house.ask("PUT", "/namespaces/sums/publish", &json!({"action": "review"}));
    house.approve();
    wait_until("others see the new picture", || (seen() == json!(second)).then_some(()));
    assert_eq!(house.get("/namespaces/sums")["namespace_icon_url"], json!(second));
}

fn a_request_carries_what_its_publisher_sets(kind: Kind) {
    let house = House::open(kind);
    let (namespace, tool) = house.publish();
    let connection = format!("/connections/{}", id(&house.get("/connections/")[0]));
    let rest = format!("/namespaces/{namespace}/tools/{tool}/rest");
    let credential = |place: &str, name: &str| {
        let content = json!({"api_key": "hunter2-hunter2", "key_identifier": name, "param_location": place});
        let set = house.ask("PUT", &format!("{connection}/credentials"), &content);
        assert_eq!((&set["param_location"], &set["key_identifier"]), (&json!(place), &json!(name)));
        assert_eq!(house.get(&connection)["credentials"], set);
    };
    let set_headers = |headers: Value| {
        let shown = house.ask("PUT", &rest, &json!({"rest_static_headers": headers}));
        assert_eq!(house.get("/namespaces/sums")["tools"][0], shown);
        assert_eq!(shown["rest_static_headers"], headers, "{shown}");
    };
    let sent = || {
        let called = house.call(ALICE, "sums/add");
        assert_eq!(called.status, 200, "{}", called.body);
        let sent = house.upstream.received().pop().unwrap();
        (sent.path.clone(), sent.header("x-own").map(str::to_owned), sent.header("x-key").map(str::to_owned))
    };
    let own = |value: &str| Some(value.to_owned());
    assert_eq!(sent(), ("/add".to_owned(), None, None));
    credential("query", "api_key");
    assert_eq!(sent(), ("/add?api_key=hunter2-hunter2".to_owned(), None, None));
    set_headers(json!({"X-Own": "one"}));
    assert_eq!(sent(), ("/add?api_key=hunter2-hunter2".to_owned(), own("one"), None));
    house.ask("PUT", &rest, &json!({"rest_static_query": {"v": "2"}}));
    set_headers(json!({"X-Own": "two"}));
    assert_eq!(sent(), ("/add?v=2&api_key=hunter2-hunter2".to_owned(), own("two"), None));
    credential("header", "X-Key");
    set_headers(json!({}));
    assert_eq!(sent(), ("/add?v=2".to_owned(), None, own("hunter2-hunter2")));
    // Nobody who looks for tools is told of any of it.
    let shown = house.get("/tools/sums/add").to_string();
    for word in ["hunter2", "api_key", "X-Own", "X-Key"] {
        assert!(!shown.contains(word), "{word}: {shown}");
    }
}

fn what_is_imported_in_public_is_there_for_others(kind: Kind) {
    let (house, server) = (House::open(kind), RustServer::start());
    house.ask("POST", "/publishers/register", &json!({"display_name": "Acme"}));
    let new = json!({"label": "Mine", "connection_type": "mcp", "mcp_url": server.url()});
    let connection = id(&house.ask("POST", "/connections/", &new));
    house.ask("POST", "/namespaces/", &json!({"namespace": "sums", "connection_id": connection}));
    for (name, visibility) in [("echo", Some("public")), ("say", Some("private")), ("say_json", None)] {
        let mut content = json!({"connection_id": connection, "mcp_tool_names": [name]});
        if let Some(visibility) = visibility {
            content["visibility"] = json!(visibility);
        }
        house.ask("POST", "/namespaces/sums/import-tools", &content);
        let shown = house.get("/namespaces/sums");
        let made = shown["tools"].as_array().unwrap().iter().find(|tool| tool["name"] == name).unwrap();
        assert_eq!(made["visibility"], json!(visibility.unwrap_or("private")), "{made}");
    }
    house.hand_in();
    house.approve_until_seen("echo");
    let call = |token: &str, tool: &str| house.call(token, &format!("sums/{tool}"));
    let called = call(BOB, "echo");
    assert_eq!((called.status, &called.json["result"]), (200, &json!({"said": {"q": "1"}})), "{}", called.body);
    let found = house.server.send("GET", "/tools/search?q=echo", &[], "").json;
    assert_eq!(found["items"][0]["display_name"], json!("sums/echo"), "{found}");
    for private in ["say", "say_json"] {
        let shown = house.send(BOB, "GET", &format!("/tools/sums/{private}"), &Value::Null);
        assert_eq!((shown.status, call(BOB, private).status), (404, 404), "{private}: {}", shown.body);
        let found = house.server.send("GET", &format!("/tools/search?q={private}"), &[], "").json;
        assert!(!found.to_string().contains(&format!("sums/{private}\"")), "{found}");
        assert_eq!(call(ALICE, private).status, 200, "its publisher calls it");
    }
}
