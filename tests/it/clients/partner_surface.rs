//! What partners do over HTTP with their own tokens.

mod alerts;
mod caps;
mod deliveries;
mod funding;
mod tokens;
mod usage;
mod users;

use serde_json::{Value, json};
use tests::{
    home::{Home, Kind},
    program::Answer,
    server::{ASKED_OFTEN, Server, config, tool},
    upstream::Upstream,
};

const GLOBEX: &str = "faro_partner_globex00";
const INITECH: &str = "faro_partner_initech0";
/// An identifier that nothing has.
const NOWHERE: &str = "00000000000070008000000000000000";

/// A server with a tool for 50 credits and two partners.
struct House {
    server: Server,
    home: Home,
    _upstream: Upstream,
}

impl House {
    fn open(kind: Kind) -> Self {
        Self::open_with(kind, |config| config)
    }

    /// With a configuration that `change` has changed.
    fn open_with(kind: Kind, change: impl Fn(String) -> String) -> Self {
        let upstream = Upstream::answering(r#"{"done": true}"#);
        let home = Home::on(kind);
        let partner = |name: &str, token: &str| {
            format!("{{name: '{name}', token: '{token}', margin_bps: 500, grant_credits: 1000}}")
        };
        let partners = [partner("Globex", GLOBEX), partner("Initech", INITECH)].join(", ");
        let tools = tool("paid", &upstream.url("/"), 50, "success", 5_000);
        let server = Server::start(home.path(), &change(config(&tools, &partners, ASKED_OFTEN)));
        Self { server, home, _upstream: upstream }
    }

    /// With `tool` of the namespace `acme` as well.
    fn open_with_tool(kind: Kind, more: &str, tool: &str) -> Self {
        let tools = format!("tools: [{tool}{{name: 'paid'");
        Self::open_with(kind, |config| {
            let config = config.replacen('{', &format!("{{{more}"), 1);
            assert!(config.contains("tools: [{name: 'paid'"), "{config}");
            config.replace("tools: [{name: 'paid'", &tools)
        })
    }

    /// Stops it, and starts it again with the same configuration when `between` is done.
    fn restart(self, between: impl FnOnce(&Home)) -> Self {
        let Self { server, home, _upstream } = self;
        let config = std::fs::read_to_string(home.path().join("tollgate.json5")).unwrap();
        assert_eq!(server.stop(), Some(0));
        between(&home);
        let server = Server::start(home.path(), &config);
        Self { server, home, _upstream }
    }

    fn send(&self, token: &str, method: &str, path: &str, body: &str) -> Answer {
        self.server.send(method, path, &[("authorization", &format!("Bearer {token}"))], body)
    }

    /// As Globex.
    fn ask(&self, method: &str, path: &str, body: &Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(GLOBEX, method, path, &body)
    }

    /// As Globex; it goes well.
    fn get(&self, path: &str) -> Value {
        let answer = self.ask("GET", path, &Value::Null);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.json
    }

    fn call(&self, token: &str, user: &str) -> Answer {
        self.call_of("paid", token, user)
    }

    fn call_of(&self, tool: &str, token: &str, user: &str) -> Answer {
        let headers = [("authorization", &*format!("Bearer {token}")), ("x-faro-user", user)];
        self.server.send("POST", &format!("/invoke/acme/{tool}"), &headers, "{}")
    }

    fn paid(&self, token: &str, user: &str) {
        let paid = self.call(token, user);
        assert_eq!(paid.status, 200, "{user}: {}", paid.body);
    }

    /// A new token of Globex: its identifier, and its secret.
    fn token(&self) -> (String, String) {
        let made = self.ask("POST", "/partners/tokens", &json!({"name": "more"}));
        assert_eq!(made.status, 201, "{}", made.body);
        let text = |name: &str| made.json[name].as_str().unwrap().to_owned();
        (text("id"), text("token"))
    }
}

/// That `answer` is a 422 which names this place.
fn assert_names(answer: &Answer, place: [&str; 2]) {
    assert_eq!((answer.status, answer.code()), (422, "invalid_request"), "{place:?}: {}", answer.body);
    assert_eq!(answer.json["detail"][0]["loc"], json!(place), "{}", answer.body);
}
