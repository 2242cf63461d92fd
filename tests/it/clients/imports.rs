//! What publishers bring along: tools of MCP servers, `OpenAPI` documents, texts; and what of it reaches their servers when
//! somebody calls.

mod documents;
mod hostile;
mod mcp;
mod mcp_secrets;
mod secrets;

use serde_json::{Value, json};
use tests::{
    home::{Home, Kind},
    program::Answer,
    server::{ALICE, ASKED_OFTEN, BOB, Server, config},
};

/// A server where Alice and Bob have accounts and nobody publishes yet.
struct House {
    server: Server,
    home: Home,
}

impl House {
    fn open(kind: Kind) -> Self {
        let home = Home::on(kind);
        Self { server: Server::start(home.path(), &config("", "", ASKED_OFTEN)), home }
    }

    fn send(&self, token: &str, method: &str, path: &str, body: &Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.server.send(method, path, &[("authorization", &format!("Bearer {token}"))], &body)
    }

    /// As Alice.
    fn ask(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.send(ALICE, method, path, body)
    }

    /// As Alice; it goes well.
    fn done(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.ask(method, path, body);
        assert!((200..300).contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.body);
        answer.json
    }

    fn get(&self, path: &str) -> Value {
        self.done("GET", path, &Value::Null)
    }

    fn register(&self, token: &str, name: &str) {
        let answer = self.send(token, "POST", "/publishers/register", &json!({"display_name": name}));
        assert!((200..300).contains(&answer.status), "{}", answer.body);
    }

    /// A new connection of Alice's.
    fn connection(&self, kind: &str, url: &str) -> String {
        let field = if kind == "mcp" { "mcp_url" } else { "base_url" };
        let made = self.done("POST", "/connections/", &json!({"label": "L", "connection_type": kind, field: url}));
        made["id"].as_str().unwrap().to_owned()
    }

    /// A new namespace of this connection.
    fn namespace(&self, name: &str, connection: &str) {
        self.done("POST", "/namespaces/", &json!({"namespace": name, "connection_id": connection}));
    }

    /// Everything in a namespace costs that much.
    fn price(&self, namespace: &str, credits: u32) {
        let group = self.get(&format!("/namespaces/{namespace}"))["groups"][0]["id"].as_str().unwrap().to_owned();
        let pricing = json!({"pricing_mode": "fixed_per_request", "fixed_credit_cost": credits.to_string()});
        self.done("PUT", &format!("/namespaces/{namespace}/groups/{group}/pricing"), &pricing);
    }

    /// The names of a namespace's tools.
    fn tools(&self, namespace: &str) -> Vec<String> {
        let shown = self.get(&format!("/namespaces/{namespace}"));
        let tools = shown["tools"].as_array().unwrap().iter();
        let mut names: Vec<String> = tools.map(|tool| tool["name"].as_str().unwrap().to_owned()).collect();
        names.sort_unstable();
        names
    }

    fn tool_id(&self, namespace: &str, name: &str) -> String {
        let shown = self.get(&format!("/namespaces/{namespace}"));
        let tools = shown["tools"].as_array().unwrap();
        let tool = tools.iter().find(|tool| tool["name"] == name).unwrap_or_else(|| panic!("{name}: {shown}"));
        tool["id"].as_str().unwrap().to_owned()
    }

    /// Alice calls a tool of her own.
    fn call(&self, path: &str, arguments: &Value) -> Answer {
        self.ask("POST", &format!("/invoke/{path}"), &json!({"arguments": arguments}))
    }

    /// Alice has nothing: she may be a publisher or not.
    fn assert_nothing_was_made(&self) {
        for path in ["/connections/", "/namespaces/"] {
            let answer = self.ask("GET", path, &Value::Null);
            assert!(answer.status == 403 || answer.json == json!([]), "{path}: {} {}", answer.status, answer.body);
        }
    }
}

/// That `answer` is a 422 which names this field.
fn assert_names(answer: &Answer, field: &str) {
    assert_eq!((answer.status, answer.code()), (422, "invalid_request"), "{field}: {}", answer.body);
    assert_eq!(answer.json["detail"][0]["loc"], json!(["body", field]), "{}", answer.body);
}
