use serde_json::Value;
use tests::{
    program::folder,
    server::{ALICE, Server, config},
    wire,
};

const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"];

#[test]
fn every_route_names_the_methods_that_it_takes() {
    let folder = folder();
    let server = Server::start(folder.path(), &config("", "", ""));
    let document = server.get(ALICE, "/openapi.json").json;
    let mut routes: Vec<(String, Vec<String>)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(path, methods)| {
            let methods = methods.as_object().unwrap().keys().map(|method| method.to_uppercase()).collect();
            (path.replace(['{', '}'], ""), methods)
        })
        .collect();
    assert!(routes.len() >= 10, "{routes:?}");
    // Pages for people are not in the document.
    routes.push(("/openapi.json".to_owned(), vec!["GET".to_owned()]));
    routes.push(("/auth/page.css".to_owned(), vec!["GET".to_owned()]));
    routes.push(("/auth/link/secret".to_owned(), vec!["GET".to_owned(), "POST".to_owned()]));
    for (path, methods) in routes {
        let mut expected: Vec<&str> = methods.iter().map(String::as_str).collect();
        if expected.contains(&"GET") {
            expected.push("HEAD");
        }
        expected.sort_unstable();
        for method in METHODS.iter().filter(|method| !expected.contains(method)) {
            let answer = server.send(method, &path, &[], "");
            // The agent gateway says it in its own protocol's words.
            let code = if path == "/tools/invoke" { "" } else { "method_not_allowed" };
            assert_eq!((answer.status, answer.code()), (405, code), "{method} {path}: {}", answer.body);
            let mut allowed: Vec<&str> = answer.header("allow").unwrap().split(", ").collect();
            allowed.sort_unstable();
            assert_eq!(allowed, expected, "{method} {path}");
        }
    }
}

#[test]
fn a_path_that_is_not_there_is_a_404_with_a_body() {
    let folder = folder();
    let server = Server::start(folder.path(), &config("", "", ""));
    let not_there = ["/", "/nothing", "/invoke", "/invoke/acme", "/invoke/acme/x/y", "/tokens", "/auth", "//", "/%00"];
    for path in not_there {
        for method in ["GET", "POST"] {
            let answer = server.send(method, path, &[], "");
            assert_eq!((answer.status, answer.code()), (404, "not_found"), "{method} {path}: {}", answer.body);
        }
    }
    let bearer = format!("Bearer {ALICE}");
    for path in ["/invoke/%ff/x", "/invoke/acme/%c0%af", "/invoke/..%2f..%2f/x", "/invocations/%ff", "/invocations/x"] {
        let method = if path.starts_with("/invoke/") { "POST" } else { "GET" };
        let answer = server.send(method, path, &[("authorization", &bearer)], "{}");
        assert_eq!((answer.status, answer.code()), (404, "not_found"), "{method} {path}: {}", answer.body);
    }
}

#[test]
fn head_is_get_without_the_body() {
    let folder = folder();
    let server = Server::start(folder.path(), &config("", "", ""));
    let both: String = ["HEAD", "GET"].map(|method| wire::request(method, "/healthz", &[], "")).concat();
    let mut wire = wire::Wire::open(server.address());
    wire.write(both.as_bytes());
    wire.end();
    let text = wire.read_to_end();
    let answers: Vec<&str> = text.split("HTTP/1.1 ").collect();
    assert_eq!(answers.len(), 3, "{text}");
    assert!(answers[1].starts_with("200") && answers[1].ends_with("\r\n\r\n"), "{text}");
    let (_, body) = answers[2].split_once("\r\n\r\n").unwrap();
    assert_eq!(serde_json::from_str::<Value>(body).unwrap()["status"], "ok");
}
