//! `POST /tools/invoke`, called as the dialects' clients call it.

use std::{net::SocketAddr, path::Path};

use serde_json::{Value, json};
use tests::{
    program::{Answer, Server, configure, tollgate},
    upstream::Upstream,
    wire,
};

use crate::gateway_cases::fixture;

mod abandoned;
mod bodies;
mod demo;
mod documents;
mod money;
mod start;

/// The token of these tests.
const TOKEN: &str = "key-Maple-73";

/// A running program with the small tools of the conformance cases.
struct Gateway {
    server: Server,
    address: SocketAddr,
}

impl Gateway {
    /// With a configuration in the dialect's own shape; without a credential in it, [`TOKEN`] is one.
    fn start(folder: &Path, dialect: &str, mut config: Value, upstream: &Upstream) -> Self {
        if config.pointer("/gateway/auth").is_none() {
            config["gateway"]["auth"] = json!({"mode": "token", "token": TOKEN});
        }
        Self::start_with(folder, &fixture::config(&config, dialect, upstream), &[])
    }

    /// With this configuration and environment.
    fn start_with(folder: &Path, config: &Value, environment: &[(&str, &str)]) -> Self {
        configure(folder, config);
        let mut command = tollgate(folder, &["serve"]);
        command.envs(environment.iter().copied());
        let server = Server::start_as(command);
        let address = server.address().parse().unwrap();
        Self { server, address }
    }

    /// With the credential of these tests.
    fn call(&self, body: &Value) -> Answer {
        self.call_with(&[], body)
    }

    /// The same with further headers.
    fn call_with(&self, headers: &[(&str, &str)], body: &Value) -> Answer {
        let bearer = format!("Bearer {TOKEN}");
        let all: Vec<(&str, &str)> = [("authorization", bearer.as_str())].iter().chain(headers).copied().collect();
        self.send("POST", "/tools/invoke", &all, &body.to_string())
    }

    fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let bytes = wire::request(method, path, headers, body);
        wire::send(self.address, bytes.as_bytes()).unwrap_or_else(|| panic!("no answer to {method} {path}"))
    }
}

fn is_error(answer: &Answer, status: u16, kind: &str) -> bool {
    answer.status == status
        && answer.json["ok"] == json!(false)
        && answer.json["error"]["type"] == json!(kind)
        && answer.json["error"]["message"].is_string()
        && answer.header("content-type") == Some("application/json; charset=utf-8")
}
