//! `tollgate serve` with a configuration of the test's own, and what a test asks it most.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::{
    patience::{Ends as _, wait_until},
    program::{self, Answer, tollgate},
    wire,
};

/// A token of the first account of [`config`], which has 10,000 credits.
pub const ALICE: &str = "faro_alice-00000000";
/// A token of the second one, which has 100 credits.
pub const BOB: &str = "faro_bob-0000000000";

/// A running program, in the folder of its configuration. Killed when dropped.
#[derive(Debug)]
pub struct Server {
    program: program::Server,
    folder: PathBuf,
    address: SocketAddr,
}

/// A configuration with one publisher `acme` (80 %), whose namespace `acme` has `tools` (JSON5 objects, each with a
/// comma behind it), two accounts with tokens, and `more` top-level members.
pub fn config(tools: &str, partners: &str, more: &str) -> String {
    let account = |email: &str, credits: u32, token: &str| {
        format!(
            "{{email: '{email}', verified: true, grant_credits: {credits}, tokens: [{{name: 'cli', token: '{token}'}}]}}"
        )
    };
    format!(
        "{{allow_fixture_secrets: true, egress: {{allow_private: true}}, {more} catalog: {{ \
         publishers: [{{id: 'acme', display_name: 'Acme', share_bps: 8000, \
         namespaces: [{{name: 'acme', description: 'x', tools: [{tools}]}}]}}], \
         accounts: [{}, {}], partners: [{partners}]}}}}",
        account("alice@example.com", 10_000, ALICE),
        account("bob@example.com", 100, BOB),
    )
}

/// For [`config`], as what is more: a test asks and waits faster than a partner or a publisher may.
pub const ASKED_OFTEN: &str = "limits: {discovery_per_caller_per_s: 1000000},";

/// A tool that costs `credits` per call, for [`config`].
pub fn tool(name: &str, url: &str, credits: u32, charge_on: &str, timeout_ms: u32) -> String {
    format!(
        "{{name: '{name}', input_schema: {{type: 'object', properties: {{q: {{type: 'string'}}}}}}, \
         upstream: {{kind: 'http', url: '{url}', timeout_ms: {timeout_ms}}}, \
         pricing: {{pricing_mode: 'fixed_per_request', fixed_credit_cost: {credits}, charge_on: '{charge_on}'}}}},"
    )
}

impl Server {
    /// Starts it on a free port with this configuration, and waits until it says where it listens.
    ///
    /// # Panics
    /// It does not start.
    pub fn start(folder: &Path, config: &str) -> Self {
        std::fs::write(folder.join("tollgate.json5"), config).expect("the configuration can be written");
        let program = program::Server::start(folder);
        let address = program.address().parse().expect("an address");
        Self { program, folder: folder.to_owned(), address }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens, as a URL without a trailing slash.
    pub fn base_url(&self) -> &str {
        self.program.base_url()
    }

    /// Sends one request as JSON and gives the answer.
    ///
    /// # Panics
    /// There is no answer.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let bytes = wire::request(method, path, headers, body);
        wire::send(self.address, bytes.as_bytes()).unwrap_or_else(|| panic!("no answer to {method} {path}"))
    }

    /// Calls a tool of the namespace `acme`.
    ///
    /// # Panics
    /// There is no answer.
    pub fn invoke(&self, token: &str, tool: &str, body: &str) -> Answer {
        self.send("POST", &format!("/invoke/acme/{tool}"), &[("authorization", &format!("Bearer {token}"))], body)
    }

    /// Reads something.
    ///
    /// # Panics
    /// There is no answer.
    pub fn get(&self, token: &str, path: &str) -> Answer {
        self.send("GET", path, &[("authorization", &format!("Bearer {token}"))], "")
    }

    /// The body of `GET /credits/balance`.
    ///
    /// # Panics
    /// There is no answer.
    pub fn balance(&self, token: &str) -> Value {
        self.get(token, "/credits/balance").json
    }

    /// The call that an answer is about, once it is settled.
    ///
    /// # Panics
    /// It is not settled in time.
    pub fn wait_until_settled(&self, token: &str, id: &str) -> Value {
        let look = || {
            let call = self.get(token, &format!("/invocations/{id}")).json;
            (call.get("is_settled") == Some(&Value::Bool(true))).then_some(call)
        };
        wait_until(&format!("the end of {id}"), look).0
    }

    /// What `tollgate ledger …  --json` prints beside this server.
    ///
    /// # Panics
    /// It fails.
    pub fn ledger(&self, command: &str) -> Value {
        let output = tollgate(&self.folder, &["ledger", command, "--json"]).ended().expect("the program runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    /// How many postings the books have, which must be in order.
    ///
    /// # Panics
    /// They are not.
    pub fn verified_postings(&self) -> u64 {
        let report = self.ledger("verify");
        assert_eq!(report.get("ok"), Some(&Value::Bool(true)), "{report}");
        report.get("postings").and_then(Value::as_u64).expect("a count")
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.program.pid()
    }

    /// What it and its predecessors in the folder have logged.
    pub fn log(&self) -> String {
        self.program.log()
    }

    /// Asks it to stop and returns its exit code.
    ///
    /// # Panics
    /// It does not end by itself.
    pub fn stop(self) -> Option<i32> {
        self.program.stop()
    }

    /// Ends it without warning.
    ///
    /// # Panics
    /// It can't be killed.
    pub fn kill(self) {
        self.program.kill();
    }
}
