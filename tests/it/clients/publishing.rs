//! What publishers do over HTTP with their own keys.

mod public;
mod surface;
mod written;

use serde_json::{Value, json};
use tests::{
    home::{Home, Kind},
    patience::Ends as _,
    patience::wait_until,
    program::{Answer, tollgate},
    server::{ALICE, ASKED_OFTEN, BOB, Server, config},
    upstream::Upstream,
    wire,
};

/// A server whose accounts are Alice, who publishes, and Bob.
struct House {
    server: Server,
    home: Home,
    upstream: Upstream,
}

impl House {
    fn open(kind: Kind) -> Self {
        let upstream = Upstream::answering(r#"{"done": true}"#);
        let home = Home::on(kind);
        let server = Server::start(home.path(), &config("", "", ASKED_OFTEN));
        Self { server, home, upstream }
    }

    fn send(&self, token: &str, method: &str, path: &str, body: &Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.server.send(method, path, &[("authorization", &format!("Bearer {token}"))], &body)
    }

    /// As Alice; it goes well.
    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.send(ALICE, method, path, body);
        assert!((200..300).contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.body);
        answer.json
    }

    fn get(&self, path: &str) -> Value {
        self.ask("GET", path, &Value::Null)
    }

    /// A file in a form.
    fn upload(&self, token: &str, path: &str, file: &str) -> Answer {
        let body = format!(
            "--b0\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.svg\"\r\n\
             Content-Type: image/svg+xml\r\n\r\n{file}\r\n--b0--\r\n"
        );
        let headers =
            [("authorization", &*format!("Bearer {token}")), ("content-type", "multipart/form-data; boundary=b0")];
        let request = wire::request("POST", path, &headers, &body);
        wire::send(self.server.address(), request.as_bytes()).unwrap()
    }

    /// Makes Alice a publisher with the namespace `acme` and the tool `add`: the namespace's identifier, and the tool's.
    fn publish(&self) -> (String, String) {
        self.ask("POST", "/publishers/register", &json!({"display_name": "Acme"}));
        let new = json!({"label": "Mine", "connection_type": "rest", "base_url": self.upstream.url("/")});
        let connection = id(&self.ask("POST", "/connections/", &new));
        let new = json!({"namespace": "sums", "connection_id": connection});
        let namespace = id(&self.ask("POST", "/namespaces/", &new));
        let tool = json!({
            "name": "add",
            "rest_method": "POST",
            "rest_path": "/add",
            "visibility": "public",
            "short_description": "Adds",
            "input_schema": {"type": "object", "properties": {"q": {"type": "string"}}},
        });
        let tool = id(&self.ask("POST", &format!("/namespaces/{namespace}/tools/rest"), &tool));
        (namespace, tool)
    }

    /// Describes the namespace `sums` and hands it in.
    fn hand_in(&self) {
        let listing =
            json!({"listing_name": "Sums", "description": "All sums", "category": "data", "tags": ["numbers"]});
        assert_eq!(self.ask("PUT", "/namespaces/sums/listing", &listing)["target"], json!("namespace"));
        assert_eq!(
            self.ask("PUT", "/namespaces/sums/publish", &json!({"action": "review"}))["status"],
            json!("review")
        );
    }

    /// What `tollgate` prints with these arguments.
    fn command(&self, arguments: &[&str]) -> (i32, Value) {
        let output = tollgate(self.home.path(), arguments).ended().unwrap();
        let printed = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
        (output.status.code().unwrap(), printed)
    }

    /// An operator looks at the namespace `sums` and approves it.
    fn approve(&self) {
        self.approve_until_seen("add");
    }

    /// The same, where this tool of it is to be seen then.
    fn approve_until_seen(&self, tool: &str) {
        let (code, shown) = self.command(&["listing", "show", "sums", "--json"]);
        assert_eq!(code, 0, "{shown}");
        let seen = shown["seen"].as_str().unwrap();
        let (code, approved) = self.command(&["listing", "approve", "sums", "--seen", seen, "--json"]);
        assert_eq!((code, &approved["status"]), (0, &json!("active")), "{approved}");
        // Other servers follow within a second.
        let cost = |tool: &Value| tool["pricing"]["fixed_credit_cost"].clone();
        wait_until("the server follows", || {
            let seen = self.send(BOB, "GET", &format!("/tools/sums/{tool}"), &Value::Null);
            (seen.status == 200 && cost(&seen.json) == cost(&approved["tools"][0])).then_some(())
        });
    }

    fn call(&self, token: &str, path: &str) -> Answer {
        self.send(token, "POST", &format!("/invoke/{path}"), &json!({"arguments": {"q": "1"}}))
    }
}

fn id(made: &Value) -> String {
    made["id"].as_str().unwrap().to_owned()
}

/// That `answer` is a 422 which names this place.
fn assert_names(answer: &Answer, place: &[&str]) {
    assert_eq!((answer.status, answer.code()), (422, "invalid_request"), "{place:?}: {}", answer.body);
    assert_eq!(answer.json["detail"][0]["loc"], json!(place), "{}", answer.body);
}

/// Bob is a publisher as well.
fn register_bob(house: &House) {
    let made = house.send(BOB, "POST", "/publishers/register", &json!({"display_name": "Globex"}));
    assert_eq!(made.status, 201, "{}", made.body);
}
