//! What operators do from the command line, beside a running server and without one.

mod audit;
mod auditors;
mod backup;
mod books;
mod commands;
mod console;
mod doctor;
mod fixtures;
mod listening;
mod master_key;
mod movements;
mod old_databases;
mod policy_versions;
mod postgres;
mod prices;
mod proof;
mod socket;

use std::{path::Path, process::Output};

use serde_json::{Value, json};
use tests::{patience::Ends as _, program::tollgate};

/// What a command of the program ended with and said.
#[derive(Debug)]
struct Said {
    exit: Option<i32>,
    out: String,
    errors: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { exit: output.status.code(), out: text(&output.stdout), errors: text(&output.stderr) }
    }
}

impl Said {
    /// The one JSON object on the standard output.
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

fn run(folder: &Path, arguments: &[&str]) -> Said {
    tollgate(folder, arguments).ended().unwrap().into()
}

/// Runs a command that must succeed and returns its JSON.
pub(super) fn json_of(folder: &Path, arguments: &[&str]) -> Value {
    let said = run(folder, &[arguments, &["--json"]].concat());
    assert_eq!(said.exit, Some(0), "{arguments:?}: {said:?}");
    said.json()
}

fn verify(folder: &Path) {
    let report = json_of(folder, &["ledger", "verify"]);
    assert_eq!(report["ok"], json!(true), "{report}");
}

fn socket_of(folder: &Path) -> std::path::PathBuf {
    folder.join("data/tollgate.db.sock")
}
