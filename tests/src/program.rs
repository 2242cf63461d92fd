//! The real program, started as a user would, in a folder of its own; and curl, as a user would call it.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
    thread::JoinHandle,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{environment, tollgate_binary};

/// A running `tollgate serve --demo`. Killed when dropped.
#[derive(Debug)]
pub struct Demo {
    child: Child,
    base_url: String,
    commands: Vec<String>,
    reader: Option<JoinHandle<()>>,
}

/// A folder for one database: several runs of the program may follow each other in it.
///
/// # Panics
/// No folder can be made.
pub fn folder() -> TempDir {
    TempDir::new().expect("a temporary folder")
}

/// A command of the program in `folder`. Settings of whoever runs the tests do not reach it.
pub fn tollgate(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(tollgate_binary());
    for setting in environment::settings_of_the_program() {
        command.env_remove(setting);
    }
    command.current_dir(folder).env("TOLLGATE_SERVER__BIND", "127.0.0.1:0").args(arguments).stdin(Stdio::null());
    command
}

impl Demo {
    /// Starts the demo on a free port and waits until it says where it listens.
    ///
    /// # Panics
    /// It does not start.
    pub fn start(folder: &Path) -> Self {
        let mut child =
            tollgate(folder, &["serve", "--demo"]).stdout(Stdio::piped()).spawn().expect("the program starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let first = lines.next().expect("the program says where it listens").expect("a line of text");
        let base_url = first.strip_prefix("tollgate listens on ").expect("an address").to_owned();
        let mut commands = Vec::new();
        // Three calls are printed, each behind its comment.
        while commands.len() < 3 {
            let line = lines.next().expect("three calls to paste").expect("a line of text");
            if line.starts_with("curl ") {
                commands.push(line);
            }
        }
        let reader = std::thread::spawn(move || lines.for_each(drop));
        Self { child, base_url, commands, reader: Some(reader) }
    }

    /// Where it listens.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The calls that it printed.
    pub fn commands(&self) -> &[String] {
        &self.commands
    }

    /// The token of the first printed call.
    ///
    /// # Panics
    /// There is none in it.
    pub fn token(&self) -> &str {
        let call = self.commands.first().expect("a call");
        let (_, rest) = call.split_once("Bearer ").expect("a token");
        rest.split_once('\'').expect("the end of the token").0
    }

    /// Ends it without warning, as a power cut would end the process.
    ///
    /// # Panics
    /// It can't be killed.
    pub fn kill(mut self) {
        self.child.kill().expect("the program can be killed");
        self.child.wait().expect("the program ends");
    }

    /// Asks it to stop and returns its exit code.
    ///
    /// # Panics
    /// It does not end by itself.
    pub fn stop(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs");
        assert!(told.success(), "no process {pid}");
        self.child.wait().expect("the program ends").code()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // Both fail when the program has ended already.
        drop(self.child.kill());
        drop(self.child.wait());
        if let Some(reader) = self.reader.take() {
            drop(reader.join());
        }
    }
}

/// An HTTP answer as curl saw it.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The header lines, lower-case names.
    pub headers: Vec<(String, String)>,
    /// The body; `null` if it is not JSON.
    pub json: Value,
    /// The body as sent.
    pub body: String,
}

impl Answer {
    /// The public code of an error; empty if there is none.
    pub fn code(&self) -> &str {
        self.json.pointer("/error/code").and_then(Value::as_str).unwrap_or_default()
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Calls `url` with curl and these further arguments.
///
/// # Panics
/// curl got no answer.
pub fn curl(url: &str, arguments: &[&str]) -> Answer {
    let output = Command::new("curl")
        .args(["-sS", "-i", "--noproxy", "*", "--max-time", "60"])
        .args(arguments)
        .arg(url)
        .output()
        .expect("curl runs");
    read_answer(&output)
}

/// Runs a printed line in a shell, with the headers shown.
///
/// # Panics
/// It got no answer.
pub fn paste(line: &str) -> Answer {
    let line = line.replacen("curl -sS", "curl -sS -i --noproxy '*'", 1);
    read_answer(&Command::new("sh").args(["-c", &line]).output().expect("a shell runs"))
}

fn read_answer(output: &Output) -> Answer {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "curl: {}\n{text}", String::from_utf8_lossy(&output.stderr));
    // An interim answer (100 Continue) stands before the real one.
    let text = text.strip_prefix("HTTP/1.1 100 Continue\r\n\r\n").unwrap_or(&text);
    let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
    parse_answer(head, body)
}

/// An answer from its head, without the empty line, and its body.
pub(crate) fn parse_answer(head: &str, body: &str) -> Answer {
    let mut lines = head.lines();
    let status_line = lines.next().expect("a status line");
    let status = status_line.split(' ').nth(1).and_then(|word| word.parse().ok()).expect("a status");
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    Answer { status, headers, json: serde_json::from_str(body).unwrap_or(Value::Null), body: body.to_owned() }
}
