//! The server that the file's requests fit, and what stands for the names in them.

use std::cell::{Cell, OnceCell};

use serde_json::{Value, json};
use tests::{
    home::{Home, Kind},
    mcp::{McpServer as _, PythonServer},
    program::Answer,
    server::Server,
    upstream::Upstream,
};

use super::line::Line;

/// Where the publishers' own routes begin.
const PUBLISHERS: [&str; 3] = ["/publishers/", "/connections/", "/namespaces/"];

/// Tokens and passwords have a least length, which those of the file have not.
const TOKEN: &str = "faro_k-0000000";
const TO_REVOKE: &str = "faro_t1-000000";
const NEWCOMER: &str = "faro_new-00000";
const PASSWORD: &str = "correct horse battery";
/// The file's namespace and tool, which it names by their identifiers.
const SPACE: &str = "5f6f1234-0000-4000-8000-000000000001";
const TOOL: &str = "1d000000-0000-4000-8000-000000000001";
const SPEC: &str = r#""spec":{"openapi":"3.0.3","info":{"title":"T","version":"1"},"paths":{"/s":{"post":{"operationId":"s",
    "responses":{"200":{"description":"x","content":{"application/json":{"schema":{"type":"object"}}}}}}}}}"#;
/// A picture of one point, where the file has one letter in a form.
const PICTURE: &str =
    r#"<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"><rect width="1" height="1"/></svg>"#;

pub(super) struct Stage {
    server: Server,
    receiver: Upstream,
    mcp: OnceCell<PythonServer>,
    /// What `POST /auth/login` has answered with.
    session: OnceCell<String>,
    /// What `POST /tokens/` has answered with.
    minted: OnceCell<String>,
    made: Cell<u32>,
    home: Home,
}

/// What a publisher's request may name.
struct Things {
    connection: String,
    space: String,
    slug: String,
    tool: String,
    group: String,
}

impl Stage {
    /// With an account that has one more token (`t1`), and with the tool `acme/echo`.
    pub(super) fn open(kind: Kind) -> Self {
        let (home, receiver) = (Home::on(kind), Upstream::answering(r##"{"x": 1, "readme": "# hi"}"##));
        let account = |email: &str, tokens: Value| json!({"email": email, "verified": true, "password": PASSWORD, "grant_credits": 1000, "tokens": tokens});
        let echo = json!({
            "name": "echo", "short_description": "Says hello, q or not q", "input_schema": {"type": "object"},
            "upstream": {"kind": "http", "url": receiver.url("/echo")},
            "pricing": {"pricing_mode": "fixed_per_request", "fixed_credit_cost": "2.5"},
        });
        let configuration = json!({
            "allow_fixture_secrets": true,
            "egress": {"allow_private": true},
            // The trace is asked as fast as it goes, by one token.
            "limits": {"discovery_per_caller_per_s": 1_000_000},
            "catalog": {
                "publishers": [{"id": "acme", "display_name": "Acme", "share_bps": 8000, "namespaces": [
                    {"name": "acme", "description": "x", "category": "data", "tools": [echo]},
                ]}],
                "accounts": [
                    account("a@b.c", json!([{"name": "k", "token": TOKEN}, {"name": "t1", "token": TO_REVOKE}])),
                    account("new@b.c", json!([{"name": "k", "token": NEWCOMER}])),
                ],
            },
        });
        let server = Server::start(home.path(), &configuration.to_string());
        let (mcp, session, minted, made) = (OnceCell::new(), OnceCell::new(), OnceCell::new(), Cell::new(0));
        Self { server, receiver, mcp, session, minted, made, home }
    }

    /// Makes a publisher with a namespace of the account: of the file's first requests some are a publisher's already.
    pub(super) fn register(&self) {
        self.create("/publishers/register", &json!({"display_name": "Acme"}));
        self.make(false);
    }

    /// Reads something with the token that a line came with.
    pub(super) fn get_as(&self, line: &Line, path: &str) -> Answer {
        let bearer = line.headers.iter().filter(|(name, _)| *name == "authorization");
        let bearer: Vec<(&str, &str)> = bearer.map(|(name, value)| (*name, value.as_str())).collect();
        self.server.send("GET", path, &bearer, "")
    }

    /// Sends a line as it stands in the file, with what there is in the places of its names: as it was sent, and the answer.
    pub(super) fn send(&self, line: &Line) -> (Line, Answer) {
        let mut line = self.fitted(line);
        if PUBLISHERS.iter().any(|start| line.path.starts_with(start)) {
            line = self.fitted_for_publishers(&line);
        }
        let headers: Vec<(&str, &str)> = line.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = self.server.send(&line.method, &line.path, &headers, &line.body);
        // Later lines show what earlier ones were answered with. Only the first of each is taken.
        for (request, member, place) in
            [("POST /auth/login", "access_token", &self.session), ("POST /tokens/", "token", &self.minted)]
        {
            if let Some(secret) = answer.json[member].as_str().filter(|_| line.request() == request) {
                place.get_or_init(|| secret.to_owned());
            }
        }
        (line, answer)
    }

    fn fitted(&self, line: &Line) -> Line {
        let session = self.session.get().map_or("no session", String::as_str);
        let minted = self.minted.get().map_or("no token", String::as_str);
        let mut line = line.with("faro_minted", minted).with("faro_k", TOKEN).with("jwt.x.y", session);
        line = line.with(r#""password":"pw""#, &format!(r#""password":"{PASSWORD}""#));
        if line.path == "/tokens/t1" {
            let tokens = self.server.get(TOKEN, "/tokens/").json;
            let mut tokens = tokens.as_array().into_iter().flatten();
            let id = tokens.find(|token| token["name"] == "t1").and_then(|token| token["id"].as_str());
            line.path = format!("/tokens/{}", id.unwrap());
        }
        line
    }

    /// The publishers' things are made anew for every line: what one line deletes is there for the next one.
    fn fitted_for_publishers(&self, line: &Line) -> Line {
        let mut line = line.clone();
        if line.path == "/publishers/register" {
            return line.with(TOKEN, NEWCOMER);
        }
        if let Some(form) = line.body.strip_prefix("<multipart ") {
            let boundary = form.split_once("b'--").and_then(|(_, rest)| rest.split_once("\\r\\n")).unwrap().0;
            line.body = format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"logo.svg\"\r\n\
                 Content-Type: image/svg+xml\r\n\r\n{PICTURE}\r\n--{boundary}--\r\n"
            );
        }
        let mcp = ["/scan", "/mcp", "import-tools"].iter().any(|word| line.path.contains(word));
        let names_things = [SPACE, "c1", "/namespaces/acme", "invocations/i1"]
            .iter()
            .any(|name| line.path.contains(name) || line.body.contains(name));
        let slug = self.name();
        if names_things {
            let things = self.make(mcp);
            line = line
                .with(SPACE, &things.space)
                .with(TOOL, &things.tool)
                .with("/namespaces/acme", &format!("/namespaces/{}", things.slug))
                .with("namespace_id=n1", &format!("namespace_id={}", things.space))
                .with("/connections/c1", &format!("/connections/{}", things.connection))
                .with(r#""c1""#, &format!(r#""{}""#, things.connection))
                .with("/groups/g", &format!("/groups/{}", things.group))
                .with(r#""tool_group_id":"g""#, &format!(r#""tool_group_id":"{}""#, things.group));
            if line.path.contains("invocations/i1") {
                line = line.with("/i1/", &format!("/{}/", self.sell(&things)));
            }
            if line.method == "DELETE" && line.path.starts_with("/connections/") {
                line.path = format!("/connections/{}", self.connect(false));
            }
        }
        let taken = format!(r#""namespace":"{slug}""#);
        line = line.with(r#""namespace":"acme""#, &taken).with(r#""namespace":"acme2""#, &taken);
        line = line.with(r#""http://x""#, &format!(r#""{}""#, self.receiver.url("")));
        line = line.with(r#""http://y""#, &format!(r#""{}""#, self.receiver.url("")));
        line = line.with(r#""http://r""#, &format!(r#""{}""#, self.receiver.url("/readme")));
        if line.body.contains("http://m") {
            line = line.with("http://m", &self.mcp_url());
        }
        line.with(r#""spec":{}"#, SPEC).with(r#"["a","b"],"visibility""#, r#"["echo","say"],"visibility""#)
    }

    fn mcp_url(&self) -> String {
        self.mcp.get_or_init(|| PythonServer::start(self.home.path())).url()
    }

    fn name(&self) -> String {
        self.made.set(self.made.get() + 1);
        format!("wire-{}", self.made.get())
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let bearer = format!("Bearer {TOKEN}");
        let answer = self.server.send(method, path, &[("authorization", &bearer)], &body.to_string());
        assert!((200..300).contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.body);
        answer.json
    }

    fn create(&self, path: &str, body: &Value) -> Value {
        self.ask("POST", path, body)
    }

    fn connect(&self, mcp: bool) -> String {
        let (kind, url, address) =
            if mcp { ("mcp", "mcp_url", self.mcp_url()) } else { ("rest", "base_url", self.receiver.url("")) };
        id(&self.create("/connections/", &json!({"label": "L", "connection_type": kind, url: address})))
    }

    /// A namespace that is ready for review, with a tool and a group.
    fn make(&self, mcp: bool) -> Things {
        let (connection, slug) = (self.connect(mcp), self.name());
        let space = id(&self.create("/namespaces/", &json!({"namespace": slug, "connection_id": connection})));
        let base = format!("/namespaces/{space}");
        if mcp {
            self.create(&format!("{base}/scan"), &json!({}));
        } else {
            let tool = json!({"name": "s", "rest_method": "POST", "rest_path": "/s", "visibility": "public"});
            self.create(&format!("{base}/tools/rest"), &tool);
        }
        let tool = id(&self.server.get(TOKEN, &base).json["tools"][0]);
        let group = id(&self.create(&format!("{base}/groups"), &json!({"name": "G0", "sort_order": 1})));
        let listing = json!({
            "listing_name": "Acme", "description": "d", "category": "data", "tags": ["a"],
            "tools": [{"tool_id": tool, "short_description": "s", "example_prompts": ["p"], "display_order": 0}],
        });
        self.ask("PUT", &format!("{base}/listing"), &listing);
        self.ask("PUT", &format!("{base}/tools/{tool}/visibility"), &json!({"visibility": "public"}));
        Things { connection, space, slug, tool, group }
    }

    /// A call of the publisher's own tool, by the publisher itself, with a warning: where its price looks for a cost there
    /// is none.
    fn sell(&self, things: &Things) -> String {
        let base = format!("/namespaces/{}", things.space);
        let price = json!({
            "pricing_mode": "tool_returned", "charge_on": "success", "returned_credit_cost_path": "$.cost",
            "estimated_max_credit_cost": "5",
        });
        self.ask("PUT", &format!("{base}/groups/{}/pricing", things.group), &price);
        self.ask("PUT", &format!("{base}/tools/{}/group", things.tool), &json!({"tool_group_id": things.group}));
        let shown = self.server.get(TOKEN, &base).json;
        let tool = shown["tools"][0]["name"].as_str().unwrap();
        let paid = self.create(&format!("/invoke/{}/{tool}", things.slug), &json!({}));
        paid["invocation_id"].as_str().unwrap().to_owned()
    }
}

fn id(made: &Value) -> String {
    made["id"].as_str().unwrap_or_else(|| panic!("no `id` in {made}")).to_owned()
}
