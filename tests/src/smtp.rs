//! A real mail server, `aiosmtpd`, which takes what it is given, or refuses it (`tests/smtp/server.py` says what).

#![expect(clippy::indexing_slicing, reason = "what an answer lacks fails the test that wanted it")]

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::{environment, patience::wait_until, tools::tool_found_first_in, workspace_root};

/// The certificate, good for `localhost` and signed by itself, of a server that wants STARTTLS.
const CERTIFICATE: &str = "tests/src/postgres/server.crt";
const KEY: &str = "tests/src/postgres/server.key";

/// A running mail server. Killed when dropped.
#[derive(Debug)]
pub struct MailServer {
    child: Child,
    port: u16,
    log: PathBuf,
}

impl MailServer {
    /// Starts one with its log in `folder`, on this port; 0 is any free one.
    ///
    /// # Panics
    /// It does not start.
    pub fn start(folder: &Path, port: u16) -> Self {
        Self::launch(folder, port, &[])
    }

    /// Starts one that takes nothing without STARTTLS.
    ///
    /// # Panics
    /// It does not start.
    pub fn start_secured(folder: &Path) -> Self {
        Self::launch(folder, 0, &[&certificate(), &workspace_root().join(KEY)])
    }

    fn launch(folder: &Path, port: u16, secured: &[&PathBuf]) -> Self {
        let own = [environment::tools_folder().join("smtp").join("bin")];
        // Where that program is, is the Python that knows it.
        let python = tool_found_first_in(&own, "aiosmtpd").with_file_name("python");
        let log = folder.join("smtp.jsonl");
        let mut command = Command::new(python);
        command.arg(workspace_root().join("tests/smtp/server.py")).arg(port.to_string()).arg(&log).args(secured);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("python starts");
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().expect("its output"));
        output.read_line(&mut line).expect("a line of text");
        let port = line.trim().parse().unwrap_or_else(|_| panic!("the mail server did not start: {line}"));
        Self { child, port, log }
    }

    /// Where it listens, on loopback.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// What it was asked and what it got, in that order.
    pub fn log(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        // The last line may be half there.
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// What it replied to the attempts to write to this address.
    pub fn replies(&self, to: &str) -> Vec<String> {
        let asked = self.log().into_iter().filter(|entry| entry["event"] == "rcpt" && entry["to"] == to);
        asked.map(|entry| entry["reply"].as_str().expect("a reply").to_owned()).collect()
    }

    /// The first mail to this address, when it has come.
    ///
    /// # Panics
    /// It does not come.
    pub fn wait_for(&self, to: &str) -> Received {
        let arrived = |entry: &Value| entry["event"] == "mail" && entry["to"][0] == to;
        let (entry, _) = wait_until(&format!("a mail to {to}"), || self.log().into_iter().find(arrived));
        Received(entry)
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The certificate of a server that wants STARTTLS.
pub fn certificate() -> PathBuf {
    workspace_root().join(CERTIFICATE)
}

/// A mail, as the server got it.
#[derive(Debug, Clone)]
pub struct Received(Value);

impl Received {
    /// The value of a header, decoded.
    ///
    /// # Panics
    /// It is not there exactly once.
    pub fn header(&self, name: &str) -> String {
        let all = self.0["headers"].as_array().expect("headers");
        let found: Vec<&Value> = all.iter().filter(|header| header[0] == name).map(|header| &header[1]).collect();
        assert_eq!(found.len(), 1, "{name} in {all:?}");
        found.first().and_then(|value| value.as_str()).expect("a text").to_owned()
    }

    /// The headers as they were sent.
    pub fn raw_headers(&self) -> &str {
        self.0["raw"].as_str().unwrap_or_default()
    }

    /// Its type, and those of its parts, in their order.
    pub fn types(&self) -> Vec<&str> {
        let parts = self.0["parts"].as_array().into_iter().flatten();
        let types = std::iter::once(&self.0["type"]).chain(parts.map(|part| &part["type"]));
        types.filter_map(Value::as_str).collect()
    }

    /// The text of its part of this type, decoded.
    ///
    /// # Panics
    /// There is none.
    pub fn part(&self, kind: &str) -> &str {
        let found = self.0["parts"].as_array().into_iter().flatten().find(|part| part["type"] == kind);
        found.and_then(|part| part["text"].as_str()).unwrap_or_else(|| panic!("no {kind} in {}", self.0))
    }

    /// It came over TLS.
    pub fn is_private(&self) -> bool {
        self.0["tls"] == true
    }

    /// Whom it says that it comes from, outside of its headers.
    pub fn sender(&self) -> &str {
        self.0["from"].as_str().unwrap_or_default()
    }
}
