//! The program `tollgate`, built by the harness itself, so that no test ever runs yesterday's.

use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use cargo_metadata::Message;

use crate::environment;
use crate::workspace::workspace_root;

/// The path of the binary `tollgate`, built once per run in the profile and the target folder of the running test.
///
/// # Panics
/// When cargo can't build it; cargo's own messages stand above the panic.
pub fn tollgate_binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| build("tollgate", &[]))
}

/// The same program with failpoints (`engine::failpoint`), under a name of its own: cargo keeps both side by side and
/// builds nothing twice.
///
/// # Panics
/// As for [`tollgate_binary`].
pub fn binary_with_failpoints() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| build("tollgate-failpoints", &["--features", "failpoints"]))
}

fn build(name: &str, features: &[&str]) -> PathBuf {
    let this = std::env::current_exe().expect("the path of the running test");
    let place = Place::of(&this).unwrap_or_else(|| panic!("`{}` is not in a target folder", this.display()));
    let mut cargo = Command::new(environment::cargo())
        .current_dir(workspace_root())
        .args(["build", "--quiet", "--package", "server", "--bin", name])
        .args(features)
        .args(["--message-format", "json-render-diagnostics", "--profile", &place.profile, "--target-dir"])
        .arg(&place.target_folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("cargo starts");
    let messages = BufReader::new(cargo.stdout.take().expect("the output is piped"));
    let executable = Message::parse_stream(messages)
        .filter_map(Result::ok)
        .filter_map(|message| executable_of(message, name))
        .last();
    let status = cargo.wait().expect("cargo ends");
    assert!(status.success(), "`cargo build --package server --bin {name}` failed: {status}");
    executable.expect("cargo reports the executable that it built")
}

fn executable_of(message: Message, name: &str) -> Option<PathBuf> {
    let Message::CompilerArtifact(artifact) = message else { return None };
    (artifact.target.name == name).then_some(artifact.executable?.into_std_path_buf())
}

/// Where cargo put a test: `<target folder>/<profile's folder>/deps/<test>`.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    profile: String,
    target_folder: PathBuf,
}

impl Place {
    fn of(test: &Path) -> Option<Self> {
        let profile_folder = test.parent()?.parent()?;
        let profile = match profile_folder.file_name()?.to_str()? {
            "debug" => "dev",
            other => other,
        };
        Some(Self { profile: profile.to_owned(), target_folder: profile_folder.parent()?.to_path_buf() })
    }
}

#[cfg(test)]
mod tests;
