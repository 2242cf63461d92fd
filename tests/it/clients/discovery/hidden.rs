//! What is suspended, disabled or hidden is nowhere.

use std::collections::BTreeSet;

use serde_json::json;
use tests::{home::Kind, on_both_databases, patience::wait_until, server::ALICE};

use super::{Market, NEW};

on_both_databases!(what_a_policy_hides_is_nowhere, what_is_stopped_is_nowhere);

/// Every path that shows or lists the tool `namespace/name`, but for searches.
fn lists(namespace: &str) -> Vec<String> {
    vec![
        "/namespaces/public".to_owned(),
        format!("/namespaces/public/{namespace}"),
        "/docs/".to_owned(),
        "/llms.txt".to_owned(),
        "/llms-full.txt".to_owned(),
        format!("/llms/namespaces/{namespace}.md"),
        "/tools/search?q=weather&limit=50".to_owned(),
        "/tools/search?q=acme+geo+map+way&limit=50".to_owned(),
    ]
}

fn own_pages(namespace: &str, name: &str) -> [String; 3] {
    [
        format!("/tools/{namespace}/{name}"),
        format!("/docs/namespaces/{namespace}/{name}"),
        format!("/llms/namespaces/{namespace}/{name}.md"),
    ]
}

/// Fails unless the tool looks to this caller as if there were none.
fn check_nowhere(market: &Market, token: Option<&str>, namespace: &str, name: &str, word: &str) {
    let get = |path: &str| token.map_or_else(|| market.look(path), |token| market.server.get(token, path));
    for (path, other) in own_pages(namespace, name).iter().zip(own_pages(namespace, "nothing")) {
        let (hidden, none) = (get(path), get(&other));
        assert_eq!((hidden.status, &hidden.body), (404, &none.body), "{path}");
        // The server writes them in no particular order.
        let names = |answer: &tests::program::Answer| {
            answer.headers.iter().map(|(name, _)| name.clone()).collect::<BTreeSet<_>>()
        };
        assert_eq!(names(&hidden), names(&none), "{path}");
    }
    for path in lists(namespace) {
        let answer = get(&path);
        assert!([200, 404].contains(&answer.status), "{path}: {}", answer.body);
        assert!(!answer.body.contains(word), "{path}: {}", answer.body);
    }
    let searched = get(&format!("/tools/search?q={name}&limit=50"));
    assert!(!searched.body.contains(&format!("{namespace}/{name}")), "{}", searched.body);
}

fn what_a_policy_hides_is_nowhere(kind: Kind) {
    let market = Market::open(kind);
    for token in [None, Some(ALICE), Some(NEW)] {
        check_nowhere(&market, token, "acme", "secret", "Weather for nobody");
    }
    for token in [None, Some(NEW)] {
        check_nowhere(&market, token, "acme", "members", "Weather for members");
    }
    // A verified caller has it in all those places.
    for path in own_pages("acme", "members") {
        assert_eq!(market.server.get(ALICE, &path).status, 200, "{path}");
    }
    assert_eq!(market.found(Some(ALICE), "q=members").first().map(String::as_str), Some("acme/members"));
    // A call says the same.
    let (hidden, none) = (market.server.invoke(ALICE, "secret", "{}"), market.server.invoke(ALICE, "nothing", "{}"));
    assert_eq!((hidden.status, &hidden.body), (404, &none.body));
    // Who may not call a tool for another reason may know of it.
    assert_eq!(market.server.get(NEW, "/tools/acme/forecast").status, 200);
    assert_eq!(market.server.invoke(NEW, "forecast", r#"{"arguments": {"q": "a"}}"#).status, 403);
}

fn what_is_stopped_is_nowhere(kind: Kind) {
    let market = Market::open(kind);
    let (on, off) = if kind == Kind::Sqlite { ("1", "0") } else { ("true", "false") };
    for (table, condition, namespace, name, word) in [
        ("tool", "name = 'history'", "acme", "history", "The weather of the past"),
        ("namespace", "name = 'geo'", "geo", "route", "The way from here to there"),
        ("publisher", "slug = 'acme'", "acme", "forecast", "Tomorrow's weather"),
    ] {
        let page = format!("/tools/{namespace}/{name}");
        let before = market.look(&page);
        assert_eq!(before.status, 200, "{page}: {}", before.body);
        market.change(&format!("UPDATE {table} SET is_suspended = {on} WHERE {condition}"));
        wait_until("it is gone", || (market.look(&page).status == 404).then_some(()));
        for token in [None, Some(ALICE)] {
            check_nowhere(&market, token, namespace, name, word);
        }
        if table != "tool" {
            for path in [format!("/namespaces/public/{namespace}"), format!("/llms/namespaces/{namespace}.md")] {
                let (gone, none) = (market.look(&path), market.look(&path.replace(namespace, "nothing")));
                assert_eq!((gone.status, gone.body), (404, none.body), "{path}");
            }
            let items = market.look("/namespaces/public").json["items"].clone();
            assert!(items.as_array().unwrap().iter().all(|item| item["namespace"] != json!(namespace)), "{items}");
        }
        market.change(&format!("UPDATE {table} SET is_suspended = {off} WHERE {condition}"));
        wait_until("it is back", || (market.look(&page).status == 200).then_some(()));
        assert_eq!(market.found(None, &format!("q={name}")).first(), Some(&format!("{namespace}/{name}")));
    }
}
