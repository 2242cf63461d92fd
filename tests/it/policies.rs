//! Policies as operators handle them: the commands, and Cedar policies of their own over both endpoints.

mod commands;
mod operators;

use std::path::Path;

use serde_json::{Value, json};
use tests::{patience::Ends as _, program::tollgate};

/// What a command ended with, its standard output and its errors.
fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = tollgate(folder, arguments).ended().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// The JSON of a command that ends with `exit`.
fn json_of(folder: &Path, arguments: &[&str], exit: i32) -> Value {
    let (code, out, errors) = run(folder, &[arguments, &["--json"]].concat());
    assert_eq!(code, Some(exit), "{arguments:?}: {out}{errors}");
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{errors}"))
}

/// A core tool of the catalog.
fn core_tool(name: &str) -> Value {
    json!({"name": name, "input_schema": {}, "upstream": {"kind": "http", "url": "http://127.0.0.1:9/"}})
}
