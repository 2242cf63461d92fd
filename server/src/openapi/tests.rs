use std::collections::BTreeSet;

use serde_json::Value;

use super::document;
use crate::app::mounted::routes;

/// What is mounted for callers and is not in the document, and why. Whoever adds a line says here why the route needs no row
/// in the table of isolation, which is kept for what the document has.
const UNDOCUMENTED: [(&str, &str); 5] = [
    ("GET /openapi.json", "it is the document, the same for everybody"),
    ("GET /docs", "`GET /docs/` under the name that people type"),
    ("GET /auth/page.css", "the style of the pages for people, the same for everybody"),
    ("GET /auth/link/{secret}", "a page for whoever was mailed the secret, which names nothing but itself"),
    ("POST /auth/link/{secret}", "the form of that page: who knows the secret uses it up"),
];

fn mounted() -> BTreeSet<String> {
    routes().iter().map(|route| format!("{} {}", route.method, route.path)).collect()
}

fn documented() -> BTreeSet<String> {
    let document: Value = serde_json::from_str(&document().unwrap()).unwrap();
    let paths = document["paths"].as_object().into_iter().flatten();
    let named = |(path, methods): (&String, &Value)| {
        let methods = methods.as_object().into_iter().flatten();
        methods.map(|(method, _)| format!("{} {path}", method.to_uppercase())).collect::<Vec<_>>()
    };
    paths.flat_map(named).collect()
}

/// What is wrong between what is mounted, what is documented and what need not be.
fn faults(mounted: &BTreeSet<String>, documented: &BTreeSet<String>, excepted: &[(&str, &str)]) -> Vec<String> {
    let is_excepted = |route: &str| excepted.iter().any(|(known, _)| *known == route);
    let silent = mounted.iter().filter(|route| !documented.contains(*route) && !is_excepted(route));
    let mut faults: Vec<String> = silent.map(|route| format!("{route} is mounted and not in the document")).collect();
    let nowhere = documented.difference(mounted);
    faults.extend(nowhere.map(|route| format!("{route} is in the document and not mounted")));
    for (route, reason) in excepted {
        if !mounted.contains(*route) || documented.contains(*route) {
            faults.push(format!("{route} is no exception any more"));
        }
        if reason.is_empty() {
            faults.push(format!("{route} has no reason"));
        }
    }
    faults
}

#[test]
fn every_route_that_is_mounted_is_in_the_document_or_says_why_not() {
    let mounted = mounted();
    assert!(mounted.len() > 100, "{mounted:?}");
    let faults = faults(&mounted, &documented(), &UNDOCUMENTED);
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn nothing_is_mounted_twice() {
    let mut seen = BTreeSet::new();
    for route in routes() {
        assert!(seen.insert((route.method.to_string(), route.path.clone())), "{route:?}: the second is never asked");
    }
}

#[test]
fn a_route_that_nobody_told_of_is_found() {
    let set = |routes: &[&str]| routes.iter().map(|route| (*route).to_owned()).collect::<BTreeSet<_>>();
    let told = |mounted: &[&str], documented: &[&str], excepted: &[(&str, &str)]| {
        faults(&set(mounted), &set(documented), excepted).join("; ")
    };
    assert_eq!(told(&["GET /a", "GET /b"], &["GET /a"], &[("GET /b", "a page")]), "");
    for (mounted, documented, excepted, fault) in [
        (&["GET /a", "POST /a"][..], &["GET /a"][..], &[][..], "POST /a is mounted and not in the document"),
        (&["GET /a/{id}"], &["GET /a/{name}"], &[], "GET /a/{id} is mounted and not in the document"),
        (&[], &["GET /a"], &[], "GET /a is in the document and not mounted"),
        (&["GET /a"], &["GET /a"], &[("GET /a", "a page")], "GET /a is no exception any more"),
        (&[], &[], &[("GET /b", "a page")], "GET /b is no exception any more"),
        (&["GET /b"], &[], &[("GET /b", "")], "GET /b has no reason"),
    ] {
        let told = told(mounted, documented, excepted);
        assert!(told.contains(fault), "{fault}: {told}");
    }
}

#[test]
fn whatever_is_of_partners_and_publishers_may_be_asked_too_often() {
    let described: Value = serde_json::from_str(&document().unwrap()).unwrap();
    let mut silent = Vec::new();
    for (path, methods) in described["paths"].as_object().unwrap() {
        let own = ["/partners/", "/publishers/", "/connections/", "/namespaces/"];
        if own.iter().any(|begin| path.starts_with(begin)) {
            let methods = methods.as_object().unwrap().iter().filter(|(_, one)| one["responses"].is_object());
            silent.extend(
                methods.filter(|(_, one)| one["responses"]["429"].is_null()).map(|(one, _)| format!("{one} {path}")),
            );
        }
    }
    assert!(silent.is_empty(), "{silent:?}");
}
