//! `tollgate serve` with a configuration of the test's own, and what a test asks it most.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    program::{Answer, tollgate},
    wire,
};

/// A token of the first account of [`config`], which has 10,000 credits.
pub const ALICE: &str = "faro_alice-00000000";
/// A token of the second one, which has 100 credits.
pub const BOB: &str = "faro_bob-0000000000";

/// A running program. Killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    folder: PathBuf,
    base_url: String,
    address: SocketAddr,
    reader: Option<JoinHandle<()>>,
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

/// A tool that costs `credits` per call, for [`config`].
pub fn tool(name: &str, url: &str, credits: u32, charge_on: &str, timeout_ms: u32) -> String {
    format!(
        "{{name: '{name}', input_schema: {{type: 'object', properties: {{q: {{type: 'string'}}}}}}, \
         upstream: {{kind: 'http', url: '{url}', timeout_ms: {timeout_ms}}}, \
         pricing: {{pricing_mode: 'fixed_per_request', fixed_credit_cost: {credits}, charge_on: '{charge_on}'}}}},"
    )
}

impl Server {
    /// Starts it on a free port with this configuration, and waits until it says where it listens. Its log goes into the
    /// file `log` of `folder`.
    ///
    /// # Panics
    /// It does not start.
    pub fn start(folder: &Path, config: &str) -> Self {
        std::fs::write(folder.join("tollgate.json5"), config).expect("the configuration can be written");
        let log = File::options().create(true).append(true).open(folder.join("log")).expect("a file for the log");
        let mut child =
            tollgate(folder, &["serve"]).stdout(Stdio::piped()).stderr(log).spawn().expect("the program starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let first = lines.next().and_then(Result::ok);
        let base_url = first.as_deref().and_then(|line| line.strip_prefix("tollgate listens on "));
        let Some(base_url) = base_url.map(str::to_owned) else {
            let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
            panic!("the program does not start: {first:?}\n{log}");
        };
        let address = base_url.strip_prefix("http://").and_then(|rest| rest.parse().ok()).expect("an address");
        let reader = Some(std::thread::spawn(move || lines.for_each(drop)));
        Self { child, folder: folder.to_owned(), base_url, address, reader }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens, as a URL without a trailing slash.
    pub fn base_url(&self) -> &str {
        &self.base_url
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
        wait_for(Duration::from_secs(30), &format!("the end of {id}"), || {
            let call = self.get(token, &format!("/invocations/{id}")).json;
            (call.get("is_settled") == Some(&Value::Bool(true))).then_some(call)
        })
    }

    /// What `tollgate ledger …  --json` prints beside this server.
    ///
    /// # Panics
    /// It fails.
    pub fn ledger(&self, command: &str) -> Value {
        let output = tollgate(&self.folder, &["ledger", command, "--json"]).output().expect("the program runs");
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

    /// Ends it without warning.
    ///
    /// # Panics
    /// It can't be killed.
    pub fn kill(mut self) {
        self.child.kill().expect("the program can be killed");
        self.child.wait().expect("the program ends");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail when the program has ended already.
        drop(self.child.kill());
        drop(self.child.wait());
        if let Some(reader) = self.reader.take() {
            drop(reader.join());
        }
    }
}

/// Asks again and again until there is a value.
///
/// # Panics
/// There is none within `bound`.
#[expect(clippy::disallowed_methods, reason = "the pause between two looks at a real condition, which has a bound")]
pub fn wait_for<T>(bound: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < bound, "waited {bound:?} for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
