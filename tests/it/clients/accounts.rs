//! What the owner of an account does with it over HTTP.

mod explanations;
mod resets;
mod token_caps;
mod transactions;

use serde_json::json;
use tests::{
    program::Answer,
    server::{self, Server},
};

const PASSWORD: &str = "correct horse battery";

/// [`server::config`], whose two accounts have a password.
fn config(tools: &str, partners: &str, more: &str) -> String {
    let config = server::config(tools, partners, more);
    let with_password = format!("verified: true, password: '{PASSWORD}',");
    config.replace("verified: true,", &with_password)
}

fn sign_in(server: &Server, email: &str, password: &str) -> Answer {
    server.send("POST", "/auth/login", &[], &json!({"email": email, "password": password}).to_string())
}

/// A session of the account.
fn session(server: &Server, email: &str) -> String {
    let answer = sign_in(server, email, PASSWORD);
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json["access_token"].as_str().unwrap().to_owned()
}

fn send_as(server: &Server, bearer: &str, method: &str, path: &str, body: &str) -> Answer {
    server.send(method, path, &[("authorization", &format!("Bearer {bearer}"))], body)
}

/// That `answer` is a 422 which names this place.
fn assert_names(answer: &Answer, place: [&str; 2]) {
    assert_eq!((answer.status, answer.code()), (422, "invalid_request"), "{place:?}: {}", answer.body);
    assert_eq!(answer.json["detail"][0]["loc"], json!(place), "{}", answer.body);
}
