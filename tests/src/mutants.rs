//! Mutants: small wrongs done to the ledger and to the tool-policy chain on purpose, each with the test that must notice. `tests/mutants.json` is the
//! list; `tests/run --long` does them one by one to a copy of the workspace.

use std::{
    collections::BTreeSet,
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
    /// The test that must fail: a unit test of `engine`, one of the integration tests under the name of their binary, or
    /// one of the tests of `policies` under the name of the package.
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

/// Where a test stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Engine,
    Integration,
    Policies,
}

impl Place {
    /// The place of a test, and its name there.
    fn of(test: &str) -> (Self, &str) {
        let rest = |prefix| test.strip_prefix(prefix);
        match (rest("it::"), rest("policies::")) {
            (Some(test), _) => (Self::Integration, test),
            (None, Some(test)) => (Self::Policies, test),
            (None, None) => (Self::Engine, test),
        }
    }

    /// What cargo is told to build and run.
    const fn arguments(self) -> &'static [&'static str] {
        match self {
            // With `tests` beside it the engine's dependencies are those that have been built already.
            Self::Engine => &["--package", "tests", "--package", "engine", "--lib"],
            Self::Integration => &["--package", "tests", "--test", "it"],
            Self::Policies => &["--package", "policies", "--test", "it"],
        }
    }
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
        let (place, test) = Place::of(test);
        let run = |arguments: &[&str]| {
            let mut cargo = Command::new(environment::cargo());
            cargo.args(["test", "--quiet"]).args(place.arguments()).arg("--target-dir");
            cargo.arg(&self.target_folder).args(arguments).current_dir(&self.folder);
            cargo.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()
        };
        if !run(&["--no-run"])?.success() {
            return Ok(None);
        }
        run(&["--", "--exact", test]).map(|status| Some(status.success()))
    }
}

/// Lets every mutant whose name or file contains `chosen` live for one test and reports to `out`; true if each was
/// noticed. `target_folder` is where the workspace is built.
///
/// # Errors
/// A file can't be written, cargo can't be run, or no mutant is meant.
pub fn hunt(target_folder: &Path, chosen: &str, out: &mut impl Write) -> io::Result<bool> {
    let mut mutants = list_mutants();
    mutants.retain(|mutant| mutant.name.contains(chosen) || mutant.file.contains(chosen));
    if mutants.is_empty() {
        return Err(io::Error::other(format!("no mutant is called like `{chosen}`")));
    }
    let scratch = Scratch::make(target_folder)?;
    let tests: BTreeSet<&str> = mutants.iter().map(|mutant| mutant.test.as_str()).collect();
    for test in tests {
        if scratch.passes(test)? != Some(true) {
            return Err(io::Error::other(format!("`{test}` does not pass on the program as it is")));
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
