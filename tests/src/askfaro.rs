//! The published client (`askfaro-cli`), unmodified, in both releases that are supported, with a home of its own.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    environment,
    patience::Ends as _,
    tools::{tool, tool_found_first_in},
};

/// Prints every subcommand of the client on a line.
const COMMANDS: &str = "\
import typer.main
from faro_cli.main import app
def walk(command, words):
    below = getattr(command, 'commands', None)
    if not below:
        print(' '.join(words))
    for name, inner in (below or {}).items():
        walk(inner, words + [name])
walk(typer.main.get_command(app), [])
";

/// A release of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// 0.3.0, the last that calls tools (`faro invoke`).
    Older,
    /// 0.6.3, which has generation 2 in place of that.
    Newer,
}

impl Release {
    /// Where it is installed.
    fn program(self) -> PathBuf {
        match self {
            Self::Older => tool("faro"),
            Self::Newer => {
                let own = [environment::tools_folder().join("askfaro").join("bin")];
                tool_found_first_in(&own, "askfaro")
            }
        }
    }

    /// Every subcommand that it has, with those it is below of.
    ///
    /// # Panics
    /// It is not installed.
    pub fn subcommands(self) -> Vec<String> {
        let python = self.program().with_file_name("python");
        let output = Command::new(python).args(["-c", COMMANDS]).ended().expect("python starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
    }
}

/// A user of the client.
#[derive(Debug)]
pub struct Askfaro {
    release: Release,
    home: TempDir,
    base_url: String,
    token: Option<String>,
}

/// What the client ended with and said.
#[derive(Debug)]
pub struct Said {
    /// Its exit code.
    pub exit: Option<i32>,
    /// The standard output; `null` if that is no JSON.
    pub json: Value,
    /// The standard output.
    pub out: String,
    /// The standard error.
    pub errors: String,
}

impl Said {
    /// The word for what went wrong, from the one line of JSON on the standard error; empty if there is none.
    pub fn code(&self) -> String {
        let told: Value = serde_json::from_str(self.errors.trim()).unwrap_or_default();
        told.pointer("/error/code").and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

impl Askfaro {
    /// Somebody who has no token yet, and talks to the server at `base_url`.
    ///
    /// # Panics
    /// There is no room for a home.
    pub fn of(base_url: &str) -> Self {
        let home = TempDir::new().expect("a temporary folder");
        Self { release: Release::Newer, home, base_url: base_url.to_owned(), token: None }
    }

    /// The same with this release.
    #[must_use]
    pub fn with_release(mut self, release: Release) -> Self {
        self.release = release;
        self
    }

    /// The same with a token in the environment.
    #[must_use]
    pub fn with_token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    /// The folder in which it is called.
    pub fn folder(&self) -> &Path {
        self.home.path()
    }

    /// Where the client keeps a token.
    pub fn credentials(&self) -> PathBuf {
        self.home.path().join(".config/faro/credentials")
    }

    /// Runs a subcommand.
    ///
    /// # Panics
    /// The client is not installed.
    pub fn run(&self, arguments: &[&str]) -> Said {
        self.run_with(arguments, "")
    }

    /// Runs a subcommand that reads something, for example a password.
    ///
    /// # Panics
    /// As [`Self::run`].
    pub fn run_with(&self, arguments: &[&str], input: &str) -> Said {
        // Without a terminal: a password would be read from there.
        let mut command = Command::new(tool("setsid"));
        command.arg("--wait").arg(self.release.program()).args(arguments).current_dir(self.home.path());
        command.env("HOME", self.home.path()).env("NO_PROXY", "127.0.0.1");
        for name in ["FARO_API_URL", "FARO_SITE_URL", "FARO_SKILL_URL"] {
            command.env(name, &self.base_url);
        }
        match &self.token {
            Some(token) => command.env("FARO_API_KEY", token),
            None => command.env_remove("FARO_API_KEY"),
        };
        let output = command.ended_with(input).expect("the client starts");
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        Said {
            exit: output.status.code(),
            json: serde_json::from_str(&out).unwrap_or_default(),
            out,
            errors: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}
