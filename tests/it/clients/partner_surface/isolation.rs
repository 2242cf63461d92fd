//! Nothing of another partner is there: every route below `/partners/` with something of somebody else's in its path.

use serde_json::{Value, json};
use tests::{home::Kind, on_both_databases, server::ALICE};

use super::{GLOBEX, House, INITECH, NOWHERE};

on_both_databases!(what_is_another_partners_is_not_there, nobody_but_partners_is_answered);

/// A route below `/partners/`: with something in its path, or of the partner itself.
const ROUTES: [(&str, &str); 32] = [
    ("GET", "/partners/me"),
    ("GET", "/partners/tokens"),
    ("POST", "/partners/tokens"),
    ("DELETE", "/partners/tokens/{id}"),
    ("GET", "/partners/tokens/{id}/caps"),
    ("PUT", "/partners/tokens/{id}/caps/{window}"),
    ("DELETE", "/partners/tokens/{id}/caps/{window}"),
    ("GET", "/partners/users"),
    ("POST", "/partners/users"),
    ("GET", "/partners/users/{external_id}"),
    ("PATCH", "/partners/users/{external_id}"),
    ("DELETE", "/partners/users/{external_id}"),
    ("GET", "/partners/users/{external_id}/export"),
    ("GET", "/partners/users/{external_id}/caps"),
    ("PUT", "/partners/users/{external_id}/caps/{window}"),
    ("DELETE", "/partners/users/{external_id}/caps/{window}"),
    ("GET", "/partners/caps"),
    ("PUT", "/partners/caps/{per}/{window}"),
    ("DELETE", "/partners/caps/{per}/{window}"),
    ("GET", "/partners/usage"),
    ("GET", "/partners/statements"),
    ("GET", "/partners/statements/{period}"),
    ("GET", "/partners/alerts"),
    ("POST", "/partners/alerts"),
    ("DELETE", "/partners/alerts/{id}"),
    ("GET", "/partners/events"),
    ("GET", "/partners/webhooks"),
    ("POST", "/partners/webhooks"),
    ("DELETE", "/partners/webhooks/{id}"),
    ("GET", "/partners/webhooks/{id}/deliveries"),
    ("POST", "/partners/webhooks/{id}/deliveries/{delivery}/replay"),
    ("GET", "/partners/usage?group_by=user&user={external_id}"),
];

/// What a request of this kind to this route has in it.
fn body(method: &str, route: &str) -> &'static str {
    match (method, route) {
        ("PATCH", _) => r#"{"state": "blocked"}"#,
        ("PUT", _) => r#"{"credits": 1}"#,
        _ => "",
    }
}

fn what_is_another_partners_is_not_there(kind: Kind) {
    let house = House::open(kind);
    // A secret word in everything of Globex: it is never in an answer to Initech.
    house.paid(GLOBEX, "secret-user");
    let (token, _) = house.token();
    for (method, path, content) in [
        ("PATCH", "/partners/users/secret-user".to_owned(), json!({"metadata": {"note": "secret-note"}})),
        ("PUT", "/partners/users/secret-user/caps/day".to_owned(), json!({"credits": "777.000321"})),
        ("PUT", format!("/partners/tokens/{token}/caps/day"), json!({"credits": "777.000321"})),
        ("PUT", "/partners/caps/partner/day".to_owned(), json!({"credits": "777.000321"})),
    ] {
        assert_eq!(house.ask(method, &path, &content).status, 200, "{path}");
    }
    let make = |path: &str, content: Value| {
        let made = house.ask("POST", path, &content);
        assert_eq!(made.status, 201, "{}", made.body);
        made.json["id"].as_str().unwrap().to_owned()
    };
    let alert = make(
        "/partners/alerts",
        json!({"applies_to": "partner", "window": "day", "percent": 77, "email": "secret@example.com"}),
    );
    let hook = make("/partners/webhooks", json!({"url": "http://127.0.0.1:9/secret"}));
    let filled = |route: &str, own: bool| {
        let id = |prefix: &str, known: &str| if own { known.to_owned() } else { format!("{prefix}_{NOWHERE}") };
        let (kind, known) = match route {
            route if route.contains("/tokens/") => ("tok", &token),
            route if route.contains("/alerts/") => ("alt", &alert),
            _ => ("whk", &hook),
        };
        route
            .replace("{id}", &id(kind, known))
            .replace("{external_id}", if own { "secret-user" } else { "nobody" })
            .replace("{delivery}", &format!("dlv_{NOWHERE}"))
            .replace("{window}", "day")
            .replace("{per}", "partner")
            .replace("{period}", "2026-11")
    };
    let before = house.get("/partners/users/secret-user");
    for (method, route) in ROUTES {
        let is_named = route.contains("{id}") || route.contains("{external_id}");
        if method == "POST" && !is_named {
            continue;
        }
        let foreign = house.send(INITECH, method, &filled(route, true), body(method, route));
        for secret in ["secret", "777.000321", &*token, &alert, &hook, before["id"].as_str().unwrap()] {
            assert!(!foreign.body.contains(secret), "{method} {route}: {}", foreign.body);
        }
        if is_named {
            let unknown = house.send(INITECH, method, &filled(route, false), body(method, route));
            assert_eq!((foreign.status, foreign.code()), (404, "not_found"), "{method} {route}: {}", foreign.body);
            assert_eq!(foreign.body, unknown.body, "{method} {route}: not a byte tells them apart");
        }
    }
    let about = json!({"applies_to": "token", "token_id": token, "window": "day", "percent": 1}).to_string();
    let foreign = house.send(INITECH, "POST", "/partners/alerts", &about);
    let unknown = house.send(INITECH, "POST", "/partners/alerts", &about.replace(&token, &format!("tok_{NOWHERE}")));
    assert_eq!((foreign.status, &foreign.body), (422, &unknown.body));
    // Nothing of it has changed anything.
    assert_eq!(house.get("/partners/users/secret-user"), before);
    assert_eq!(house.get("/partners/caps")[0]["credits"], json!(777.000_321));
    assert_eq!(house.get("/partners/alerts")["alerts"][0]["id"], json!(alert));
    assert_eq!(house.get("/partners/webhooks")[0]["id"], json!(hook));
    house.paid(GLOBEX, "secret-user");
}

fn nobody_but_partners_is_answered(kind: Kind) {
    let house = House::open(kind);
    let document = house.server.get(GLOBEX, "/openapi.json").json;
    let described = document["paths"].as_object().unwrap().iter().filter(|(path, _)| path.starts_with("/partners/"));
    let mut described: Vec<(String, String)> = described
        .flat_map(|(path, methods)| {
            methods.as_object().unwrap().keys().map(|method| (method.to_uppercase(), path.clone())).collect::<Vec<_>>()
        })
        .collect();
    let mut listed: Vec<(String, String)> = ROUTES
        .iter()
        .filter(|(_, route)| !route.contains('?'))
        .map(|(method, route)| ((*method).to_owned(), (*route).to_owned()))
        .collect();
    described.sort();
    listed.sort();
    assert_eq!(listed, described, "a new route needs a row");
    for (method, route) in ROUTES {
        let path = route.replace(['{', '}'], "");
        let stranger = house.server.send(method, &path, &[], "");
        assert_eq!((stranger.status, stranger.code()), (401, "missing_token"), "{method} {path}: {}", stranger.body);
        let account = house.send(ALICE, method, &path, "");
        assert_eq!((account.status, account.code()), (403, "partner_required"), "{method} {path}: {}", account.body);
        let unknown = house.send("faro_partner_unknown0", method, &path, "");
        assert_eq!((unknown.status, unknown.code()), (401, "invalid_token"), "{method} {path}: {}", unknown.body);
    }
}
