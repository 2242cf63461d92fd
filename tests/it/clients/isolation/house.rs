//! A server with two of everybody, and what can be named of theirs.

use std::cell::{Cell, OnceCell};

use serde_json::{Value, json};
use tests::{
    home::{Home, Kind},
    mcp::{McpServer as _, PythonServer},
    patience::Ends as _,
    program::{Answer, curl, tollgate},
    server::{ALICE, BOB, Server},
    upstream::Upstream,
};

use super::{
    table::{PICTURE, Row},
    things::{Made, digits_of},
};

mod make;
mod sellers;

const NED: &str = "faro_ned-0000000000";
const CAROL: &str = "faro_carol-00000000";
const DAVE: &str = "faro_dave-000000000";
const ERIN: &str = "faro_erin-000000000";
const GLOBEX: &str = "faro_partner_globex00";
const INITECH: &str = "faro_partner_initech0";
const UMBRELLA: &str = "faro_partner_umbrella";
const TYRELL: &str = "faro_partner_tyrell00";
const GATEWAY: &str = "key-Maple-73";
const PASSWORD: &str = "correct horse battery";
/// What calls of long ago came to, in credits and in micro-credits: a number that nothing else is.
pub(super) const COUNTED: &str = "4321.000321";
const COUNTED_MICROS: i64 = 4_321_000_321;
/// 1 and 5 October 2025, long before any call of a test, in microseconds since the Unix epoch.
const COUNTED_MONTH_US: i64 = 1_759_276_800_000_000;
const COUNTED_DAY_US: i64 = 1_759_622_400_000_000;
/// The subject of what is counted of all calls together.
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";
/// A picture of one point.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0\x3a\x7e\x9b\x55\0\0\0\nIDAT\
\x78\xda\x63\x60\0\0\0\x02\0\x01\xe5\x27\xde\xfc\0\0\0\0IEND\xae\x42\x60\x82";

/// Hides two namespaces from everybody without a confirmed address.
const POLICIES: &str = r#"
@id("wall.attic") @code("not_found") @reason("For members.")
forbid (principal, action in Action::"invoke", resource)
when { resource.name == "attic/quince" || resource.name == "cellar/medlar" }
unless { principal has account && principal.account.verified };
"#;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// An account, with its token.
    Alice,
    AliceSignedIn,
    /// Without a token, with her password.
    AliceHerself,
    /// Another account.
    Bob,
    BobSignedIn,
    /// An account whose address is not confirmed.
    Ned,
    /// Two publishers' accounts.
    Carol,
    Dave,
    /// Somebody who is to be a publisher.
    Erin,
    /// Two partners.
    Globex,
    Initech,
    /// Two partners whose end users pay themselves.
    Umbrella,
    Tyrell,
    Auditor,
    Gateway,
    /// Without a token and without a password.
    Nobody,
    /// With tokens that nobody has.
    Unknown,
    UnknownPartner,
}

pub(super) struct House {
    server: Server,
    receiver: Upstream,
    /// Started when it is needed first.
    mcp: OnceCell<PythonServer>,
    alice: String,
    bob: String,
    auditor: String,
    made: Cell<u32>,
    kind: Kind,
    home: Home,
}

fn tool(name: &str, url: &str, credits: u32, tier: &str) -> Value {
    json!({
        "name": name, "short_description": format!("The {name}."), "tier": tier, "input_schema": {"type": "object"},
        "upstream": {"kind": "http", "url": url},
        "pricing": {"pricing_mode": "fixed_per_request", "fixed_credit_cost": credits},
    })
}

fn configuration(upstream: &Upstream) -> Value {
    let url = upstream.url("/tool");
    let account = |email: &str, verified: bool, token: &str| {
        // What is in Alice's wallet is in nobody else's.
        let grant = if token == ALICE { "100000.000321" } else { "100000" };
        json!({
            "email": email, "verified": verified, "password": PASSWORD, "grant_credits": grant,
            "tokens": [{"name": "cli", "token": token}],
        })
    };
    let partner = |name: &str, token: &str, funding: &str| json!({"name": name, "token": token, "margin_bps": 500, "grant_credits": 100_000, "funding": funding});
    let most = 1_000_000;
    json!({
        "allow_fixture_secrets": true,
        "egress": {"allow_private": true},
        "gateway": {"auth": {"mode": "token", "token": GATEWAY}},
        "agents": {"list": [{"id": "a"}]},
        "operator_policies": "wall.cedar",
        "limits": {
            "discovery_per_caller_per_s": most, "invoke_per_token_per_s": most, "invoke_burst": most,
            "login_per_address_per_min": most, "login_per_account_per_min": most,
            "signup_per_address_per_hour": most, "mail_per_account_per_hour": most,
        },
        "catalog": {
            "publishers": [{"id": "acme", "display_name": "Acme", "share_bps": 8000, "namespaces": [
                {"name": "acme", "description": "x", "tools": [
                    tool("paid", &url, 50, "verified"), tool("open", &url, 0, "unverified"),
                ]},
                {"name": "attic", "description": "x", "tools": [tool("quince", &url, 0, "unverified")]},
                {"name": "cellar", "description": "x", "tools": [tool("medlar", &url, 0, "unverified")]},
            ]}],
            "accounts": [
                account("alice@example.com", true, ALICE), account("bob@example.com", true, BOB),
                account("ned@example.com", false, NED), account("carol@example.com", true, CAROL),
                account("dave@example.com", true, DAVE), account("erin@example.com", true, ERIN),
            ],
            "partners": [
                partner("Globex", GLOBEX, "partner"), partner("Initech", INITECH, "partner"),
                partner("Umbrella", UMBRELLA, "per_user"), partner("Tyrell", TYRELL, "per_user"),
            ],
        },
    })
}

impl House {
    pub(super) fn open(kind: Kind) -> Self {
        let home = Home::on(kind);
        let receiver = Upstream::answering(r#"{"done": true}"#);
        std::fs::write(home.path().join("wall.cedar"), POLICIES).unwrap();
        let server = Server::start(home.path(), &configuration(&receiver).to_string());
        let sign_in = |email: &str| {
            let body = json!({"email": email, "password": PASSWORD}).to_string();
            let answer = server.send("POST", "/auth/login", &[], &body);
            answer.json["access_token"].as_str().unwrap_or_else(|| panic!("{}", answer.body)).to_owned()
        };
        let (alice, bob) = (sign_in("alice@example.com"), sign_in("bob@example.com"));
        let order = |arguments: &[&str]| {
            let output = tollgate(home.path(), arguments).ended().unwrap();
            assert!(output.status.success(), "{arguments:?}: {output:?}");
            output.stdout
        };
        let made = order(&["operator", "create", "--role", "auditor", "--name", "Arthur", "--json"]);
        let made: Value = serde_json::from_slice(&made).unwrap();
        let auditor = made["token"].as_str().unwrap().to_owned();
        order(&["ledger", "checkpoint"]);
        Self { server, receiver, mcp: OnceCell::new(), alice, bob, auditor, made: Cell::new(0), kind, home }
    }

    /// Makes publishers of the two accounts that are to be some.
    pub(super) fn register_publishers(&self) {
        for (who, name) in [(Who::Carol, "Quetzal Works"), (Who::Dave, "Dave's")] {
            self.create(who, "/publishers/register", &json!({"display_name": name}));
        }
    }

    fn mcp_url(&self) -> String {
        self.mcp.get_or_init(|| PythonServer::start(self.home.path())).url()
    }

    /// What nobody else may read of somebody's, whatever is asked for.
    pub(super) fn words_of(who: Who) -> &'static [&'static str] {
        match who {
            Who::Alice | Who::AliceSignedIn | Who::AliceHerself => &["alice", "correct horse"],
            Who::Globex => &["Globex", "globex"],
            Who::Umbrella => &["Umbrella", "umbrella"],
            Who::Carol => &["carol", "Quetzal"],
            _ => &[],
        }
    }

    fn token_of(&self, who: Who) -> Option<&str> {
        match who {
            Who::Alice => Some(ALICE),
            Who::AliceSignedIn => Some(&self.alice),
            Who::Bob => Some(BOB),
            Who::BobSignedIn => Some(&self.bob),
            Who::Ned => Some(NED),
            Who::Carol => Some(CAROL),
            Who::Dave => Some(DAVE),
            Who::Erin => Some(ERIN),
            Who::Globex => Some(GLOBEX),
            Who::Initech => Some(INITECH),
            Who::Umbrella => Some(UMBRELLA),
            Who::Tyrell => Some(TYRELL),
            Who::Auditor => Some(&self.auditor),
            Who::Gateway => Some(GATEWAY),
            Who::Unknown => Some("faro_unknown-000000"),
            Who::UnknownPartner => Some("faro_partner_unknown0"),
            Who::AliceHerself | Who::Nobody => None,
        }
    }

    /// Sends what a row says, with these things in their places.
    pub(super) fn ask(&self, who: Who, row: &Row, made: &Made) -> Answer {
        let (method, route) = row.route.split_once(' ').unwrap();
        let path = format!("{}{}", place(route, row, made), made.fill(row.query));
        let password = if who == Who::AliceHerself { PASSWORD } else { "incorrect horse battery" };
        let body = made.fill(row.body).replace("{password}", password).replace("{receiver}", &self.receiver.url(""));
        let body = if body.contains("{mcp}") { body.replace("{mcp}", &self.mcp_url()) } else { body };
        let header = made.fill(row.header);
        if path.starts_with("/ledger/export") || row.body == PICTURE {
            return self.ask_with_curl(who, method, &path, row.body == PICTURE);
        }
        let bearer = self.token_of(who).map(|token| format!("Bearer {token}"));
        let bearer = bearer.as_deref().map(|bearer| ("authorization", bearer));
        let headers: Vec<(&str, &str)> = bearer.into_iter().chain(header.split_once(": ")).collect();
        self.server.send(method, &path, &headers, &body)
    }

    /// For answers in pieces, and for forms.
    fn ask_with_curl(&self, who: Who, method: &str, path: &str, with_picture: bool) -> Answer {
        let url = format!("{}{path}", self.server.base_url());
        let header = self.token_of(who).map(|token| format!("authorization: Bearer {token}"));
        let mut arguments = vec!["-X", method];
        arguments.extend(header.iter().flat_map(|header| ["-H", header]));
        let picture = self.home.path().join("icon.png");
        let form = format!("file=@{};type=image/png", picture.display());
        if with_picture {
            std::fs::write(&picture, PNG).unwrap();
            arguments.extend(["-F", &form]);
        }
        curl(&url, &arguments)
    }

    /// An identifier, whatever stands before and between its digits, as the database writes it in a statement.
    fn literal(&self, id: &str) -> String {
        let digits = digits_of(id).unwrap_or_else(|| panic!("{id} is no identifier"));
        match self.kind {
            Kind::Sqlite => format!("X'{digits}'"),
            Kind::Postgres => format!("'{digits}'"),
        }
    }

    /// Reads something of one's own.
    pub(super) fn look(&self, who: Who, path: &str) -> Answer {
        self.send(who, "GET", path, "")
    }

    fn send(&self, who: Who, method: &str, path: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {}", self.token_of(who).unwrap());
        self.server.send(method, path, &[("authorization", &bearer)], body)
    }

    fn do_as(&self, who: Who, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.send(who, method, path, &body.to_string());
        assert!((200..300).contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.body);
        answer.json
    }

    fn create(&self, who: Who, path: &str, body: &Value) -> Value {
        self.do_as(who, "POST", path, body)
    }
}

/// The route with the things of the row in the places of its parameters.
fn place(route: &str, row: &Row, made: &Made) -> String {
    let mut ids = row.ids.iter().filter(|(name, _)| !name.starts_with('+'));
    let parts = route.split('/').map(|part| {
        let Some((parameter, end)) = part.strip_prefix('{').and_then(|rest| rest.split_once('}')) else {
            return part.to_owned();
        };
        let value = match parameter {
            "window" => "day",
            "per" => "partner",
            "period" => "2025-10",
            _ => made.get(ids.next().unwrap_or_else(|| panic!("{route} has more parameters")).0),
        };
        format!("{value}{end}")
    });
    parts.collect::<Vec<_>>().join("/")
}

fn text(object: &Value, member: &str) -> String {
    object[member].as_str().unwrap_or_else(|| panic!("no `{member}` in {object}")).to_owned()
}
