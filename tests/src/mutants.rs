//! Mutants: small wrongs done to the ledger on purpose, each with the test that must notice. `tests/mutants.json` is the
//! list; `tests/run --long` does them one by one to a copy of the workspace.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::{environment, source::source_files, workspace};

/// One wrong.
#[derive(Debug)]
pub struct Mutant {
    /// What it is called.
    pub name: String,
    /// What is wrong, in a sentence.
    pub what: String,
    /// The file, relative to the workspace root.
    pub file: String,
    /// The text to be replaced; it stands there once.
    pub from: String,
    /// The text in its stead.
    pub to: String,
    /// The test that must fail: a unit test of `engine`, or one of the integration tests under the name of their binary.
    pub test: String,
}

/// The list.
///
/// # Panics
/// It can't be read.
pub fn list_mutants() -> Vec<Mutant> {
    let list: Value = serde_json::from_str(&workspace::read("tests/mutants.json")).expect("the list is JSON");
    let text = |entry: &Value, name: &str| {
        let member = entry.get(name).and_then(Value::as_str);
        member.unwrap_or_else(|| panic!("a mutant without `{name}`: {entry}")).to_owned()
    };
    let entries = list.as_array().expect("the list is a list");
    entries
        .iter()
        .map(|entry| Mutant {
            name: text(entry, "name"),
            what: text(entry, "what"),
            file: text(entry, "file"),
            from: text(entry, "from"),
            to: text(entry, "to"),
            test: text(entry, "test"),
        })
        .collect()
}

/// The binary of the integration tests.
const INTEGRATION: &str = "it";

/// The name of an integration test within its binary.
fn integration_test(test: &str) -> Option<&str> {
    test.strip_prefix(INTEGRATION)?.strip_prefix("::")
}

/// A copy of the workspace that may be damaged.
#[derive(Debug)]
struct Scratch {
    folder: PathBuf,
    target_folder: PathBuf,
}

impl Scratch {
    /// Copies all files of ours into `<target folder>/mutants`; only our own crates are built again there.
    fn make(target_folder: &Path) -> io::Result<Self> {
        let scratch = Self { folder: target_folder.join("mutants"), target_folder: target_folder.to_path_buf() };
        for file in source_files() {
            scratch.write(&file.path, &file.text)?;
        }
        Ok(scratch)
    }

    fn write(&self, path: &str, text: &str) -> io::Result<()> {
        let path = self.folder.join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, text)
    }

    /// Runs one test; `None` if the copy can't be built.
    fn passes(&self, test: &str) -> io::Result<Option<bool>> {
        let (kind, test): (&[&str], _) = match integration_test(test) {
            Some(test) => (&["--package", "tests", "--test", INTEGRATION], test),
            // With `tests` beside it the engine's dependencies are those that have been built already.
            None => (&["--package", "tests", "--package", "engine", "--lib"], test),
        };
        let run = |arguments: &[&str]| {
            let mut cargo = Command::new(environment::cargo());
            cargo.args(["test", "--quiet"]).args(kind).arg("--target-dir");
            cargo.arg(&self.target_folder).args(arguments).current_dir(&self.folder);
            cargo.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()
        };
        if !run(&["--no-run"])?.success() {
            return Ok(None);
        }
        run(&["--", "--exact", test]).map(|status| Some(status.success()))
    }
}

/// Lets every mutant live for one test and reports to `out`; true if each was noticed. `target_folder` is where the
/// workspace is built.
///
/// # Errors
/// A file can't be written, or cargo can't be run.
pub fn hunt(target_folder: &Path, out: &mut impl Write) -> io::Result<bool> {
    let scratch = Scratch::make(target_folder)?;
    let mutants = list_mutants();
    for mutant in &mutants {
        if scratch.passes(&mutant.test)? != Some(true) {
            return Err(io::Error::other(format!("`{}` does not pass on the ledger as it is", mutant.test)));
        }
    }
    let mut all_caught = true;
    for mutant in &mutants {
        let text = workspace::read(&mutant.file);
        scratch.write(&mutant.file, &text.replacen(&mutant.from, &mutant.to, 1))?;
        let verdict = match scratch.passes(&mutant.test)? {
            Some(false) => "caught by",
            Some(true) => "NOT caught by",
            None => "does not compile, so it is no mutant for",
        };
        all_caught &= verdict == "caught by";
        writeln!(out, "{} ({}): {verdict} {}", mutant.name, mutant.what, mutant.test)?;
        scratch.write(&mutant.file, &text)?;
    }
    Ok(all_caught)
}

#[cfg(test)]
mod tests;
