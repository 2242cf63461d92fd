//! The demo with operators, each with the least role that does their job, and what can be asked of it without a browser.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicI64, Ordering},
};

use engine::clock::{Clock as _, SystemClock};
use serde_json::{Value, json};
use tests::{
    home::{Home, Kind},
    operator_console::{Operator, OperatorConsole},
    patience::Ends as _,
    program::{Answer, configure, tollgate},
    publisher::{Reaction, Received, Upstream},
    wire,
};

/// Who does which job, and as what. Who has signed in has used a code of the second factor, which is good once: so
/// everybody has one job.
const PEOPLE: &[(&str, &str)] = &[
    ("Mara", "operator"),
    ("Nils", "operator"),
    ("Olga", "operator"),
    ("Pia", "support"),
    ("Quin", "finance"),
    ("Rosa", "finance"),
    ("Sven", "policy_editor"),
    ("Tara", "policy_editor"),
    ("Ulla", "finance"),
    ("Vito", "operator"),
    ("Wera", "support"),
    ("Xena", "auditor"),
];

/// One posting of the books: from, to, micro-credits. Owners are named by their kind alone: `liabilities:wallet:acc`.
pub(super) type Posting = (String, String, i64);

pub(super) struct World {
    pub(super) console: OperatorConsole,
    /// Where the publisher's tool is.
    pub(super) upstream: Upstream,
    pub(super) has_scripts: bool,
    people: BTreeMap<&'static str, Operator>,
    home: Home,
    tried: AtomicI64,
}

fn answer(_: &Received) -> Reaction {
    Reaction { after_ms: 0, status: 200, body: json!({"found": true}) }
}

impl World {
    pub(super) fn start(kind: Kind, has_scripts: bool) -> Self {
        let (home, upstream) = (Home::on(kind), Upstream::start(answer));
        configure(home.path(), &json!({"egress": {"allow_hosts": [upstream.address().to_string()]}}));
        let console = OperatorConsole::start_demo(home.path());
        Self { console, upstream, has_scripts, people: BTreeMap::new(), home, tried: AtomicI64::new(0) }
    }

    /// Lets everybody in, with a second factor.
    pub(super) fn invite_people(&mut self) {
        self.people = PEOPLE.iter().map(|(name, role)| (*name, self.person(name, role))).collect();
    }

    fn person(&self, name: &str, role: &str) -> Operator {
        let mut person = self.console.operator(name, &format!("{}@example.com", name.to_lowercase()), role);
        person.enrol();
        person
    }

    pub(super) fn who(&self, name: &str) -> &Operator {
        self.people.get(name).unwrap_or_else(|| panic!("nobody is called {name}"))
    }

    /// The role of somebody.
    pub(super) fn role(name: &str) -> &'static str {
        PEOPLE.iter().find(|(known, _)| *known == name).map_or("owner", |(_, role)| *role)
    }

    /// Somebody of finance, for what is no part of a job.
    pub(super) fn somebody_of_finance(&self) -> Operator {
        self.person("Zoe", "finance")
    }

    pub(super) fn token(&self) -> &str {
        self.console.demo().expect("the demo").token()
    }

    fn send(&self, method: &str, path: &str, token: &str, more: &[(&str, &str)], body: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers = [&[("authorization", bearer.as_str()), ("content-type", "application/json")], more].concat();
        let bytes = wire::request(method, path, &headers, body);
        wire::send(self.console.address(), bytes.as_bytes()).unwrap_or_else(|| panic!("no answer to {method} {path}"))
    }

    /// Calls a tool of `/invoke`.
    pub(super) fn call_as(&self, token: &str, more: &[(&str, &str)], tool: &str, arguments: &Value) -> Answer {
        let body = json!({"arguments": arguments}).to_string();
        self.send("POST", &format!("/invoke/{tool}"), token, more, &body)
    }

    /// Calls the publisher's tool for the demo's customer.
    pub(super) fn call(&self) -> Answer {
        let number = self.tried.fetch_add(1, Ordering::Relaxed);
        self.call_as(self.token(), &[], "acme/lookup", &json!({"text": format!("No. {number}")}))
    }

    /// The same, charged: the identifier of the call and the credits.
    #[track_caller]
    pub(super) fn paid_call(&self) -> (String, i64) {
        let answer = self.call();
        assert_eq!(answer.status, 200, "{}", answer.body);
        let charged = answer.json["credits_charged"].as_i64().expect("credits");
        (answer.json["invocation_id"].as_str().expect("an identifier").to_owned(), charged)
    }

    /// `GET /invocations/{id}`, for the demo's customer.
    #[track_caller]
    pub(super) fn invocation(&self, id: &str) -> Value {
        let answer = self.send("GET", &format!("/invocations/{id}"), self.token(), &[], "");
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json
    }

    /// What the demo's customer has, from `GET /credits/balance`.
    #[track_caller]
    pub(super) fn balance(&self) -> f64 {
        let answer = self.send("GET", "/credits/balance", self.token(), &[], "");
        answer.json["balance"].as_f64().unwrap_or_else(|| panic!("no balance: {}", answer.body))
    }

    /// The newest entry of the audit trail with this action.
    #[track_caller]
    pub(super) fn told(&self, action: &str) -> Value {
        let told = self.console.command(&["audit", "list", "--action", action, "--limit", "1"]);
        let entry = told["audit"].get(0).cloned();
        entry.unwrap_or_else(|| panic!("the audit trail tells of no {action}"))
    }

    /// The same, which says that an operator did it in the console, and why.
    #[track_caller]
    pub(super) fn expect_told(&self, action: &str, reason: &str) {
        let entry = self.told(action);
        let found = (entry["actor"]["kind"].as_str(), entry["method"].as_str(), entry["reason"].as_str());
        assert_eq!(found, (Some("operator"), Some("session"), Some(reason)), "{entry}");
    }

    /// The lines of a report of the books, as `tollgate ledger export` writes it, without the one about itself.
    #[track_caller]
    pub(super) fn rows(&self, report: &str) -> Vec<Value> {
        let arguments = ["ledger", "export", "--report", report, "--format", "jsonl", "--out", "-"];
        let output = tollgate(self.home.path(), &arguments).ended().expect("the program runs");
        assert!(output.status.success(), "{report}: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).expect("text");
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        lines.filter(|line| line.get("manifest").is_none()).collect()
    }

    /// What was posted with this identifier (`inv_…`, `ent_…`).
    #[track_caller]
    pub(super) fn postings(&self, id: &str) -> Vec<Posting> {
        let id = id.split_once('_').map_or(id, |(_, id)| id);
        let rows = self.rows("postings").into_iter();
        rows.filter(|row| row["transaction"] == id).map(|row| posting(&row)).collect()
    }
}

fn posting(row: &Value) -> Posting {
    let name = |side: &str| row[side].as_str().expect("an account").split('_').next().unwrap_or_default().to_owned();
    let micros = row["amount_micros"].as_str().and_then(|text| text.parse().ok()).expect("an amount");
    (name("debit"), name("credit"), micros)
}

/// Postings as the books would have them.
pub(super) fn expected<const N: usize>(postings: [(&str, &str, i64); N]) -> Vec<Posting> {
    postings.map(|(from, to, micros)| (from.to_owned(), to.to_owned(), micros)).into()
}

/// The moment, in microseconds since the Unix epoch.
pub(super) fn now_us() -> i64 {
    SystemClock::start().now_us()
}

/// A moment in UTC, to the second, as the browser's fields for moments take it.
pub(super) fn second_text(us: i64) -> String {
    jiff::Timestamp::from_microsecond(us).expect("a moment").strftime("%Y-%m-%dT%H:%M:%S").to_string()
}
