//! The real program, started as a user would, in a folder of its own; and curl, as a user would call it.

use std::{
    fs::File,
    io::{BufRead, BufReader, Lines},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio},
    thread::JoinHandle,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{environment, home, patience::Ends as _, tollgate_binary, workspace_root};

/// A running `tollgate serve`. Killed when dropped.
///
/// Its log goes to `tollgate.log` in its folder, behind those of earlier runs.
#[derive(Debug)]
pub struct Server {
    child: Child,
    base_url: String,
    log: PathBuf,
    reader: Option<JoinHandle<()>>,
}

/// A running `tollgate serve --demo`. Killed when dropped.
#[derive(Debug)]
pub struct Demo {
    server: Server,
    commands: Vec<String>,
    console: String,
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
    command.args(arguments);
    at_home(command, folder)
}

/// Lets `command`, which runs the program in some way, run in `folder` and on a free port, without the settings of
/// whoever runs the tests.
pub fn at_home(mut command: Command, folder: &Path) -> Command {
    for setting in environment::settings_of_the_program() {
        command.env_remove(setting);
    }
    command.current_dir(folder).env("TOLLGATE_SERVER__BIND", "127.0.0.1:0").stdin(Stdio::null());
    if let Some(url) = home::database_url(folder) {
        command.env("TOLLGATE_DATABASE__URL", url);
    }
    command
}

/// Writes the configuration of the program in `folder`.
///
/// # Panics
/// The file can't be written.
pub fn configure(folder: &Path, configuration: &Value) {
    std::fs::write(folder.join("tollgate.json5"), configuration.to_string()).expect("a configuration file");
}

impl Server {
    /// Starts the server that is configured in `folder` and waits until it says where it listens.
    ///
    /// # Panics
    /// It does not start.
    pub fn start(folder: &Path) -> Self {
        Self::start_as(tollgate(folder, &["serve"]))
    }

    /// The same with a command made by [`tollgate`] or [`at_home`].
    ///
    /// # Panics
    /// It does not start.
    pub fn start_as(command: Command) -> Self {
        let (mut server, lines) = Self::launch(command);
        server.reader = Some(std::thread::spawn(move || lines.for_each(drop)));
        server
    }

    fn launch(mut command: Command) -> (Self, Lines<BufReader<ChildStdout>>) {
        let log = command.get_current_dir().expect("a folder of its own").join("tollgate.log");
        let sink = File::options().create(true).append(true).open(&log).expect("a log file");
        let mut child = command.stdout(Stdio::piped()).stderr(sink).spawn().expect("the program starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let first = lines.next().map(|line| line.expect("a line of text"));
        let Some(base_url) = first.as_deref().and_then(|line| line.strip_prefix("tollgate listens on ")) else {
            let status = child.wait().expect("the program ends");
            panic!("the program ended with {status}:\n{}", std::fs::read_to_string(&log).unwrap_or_default());
        };
        (Self { base_url: base_url.to_owned(), child, log, reader: None }, lines)
    }

    /// Where it listens.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Where it listens, as `address:port`.
    pub fn address(&self) -> &str {
        self.base_url.trim_start_matches("http://")
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it and its predecessors in the folder have logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Ends it without warning (SIGKILL), as a power cut would end the process.
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
        let pid = self.pid().to_string();
        let told = Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs");
        assert!(told.success(), "no process {pid}");
        self.child.wait().expect("the program ends").code()
    }

    /// How it ended, if it has.
    ///
    /// # Panics
    /// The system does not say.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("the state of the program")
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

impl Demo {
    /// Starts the demo on a free port and waits until it says where it listens.
    ///
    /// # Panics
    /// It does not start.
    pub fn start(folder: &Path) -> Self {
        // As a newcomer does it: what cargo builds for that is there already.
        let readme = std::fs::read_to_string(workspace_root().join("README.md")).expect("a README");
        let first = readme.lines().find_map(|line| line.strip_prefix("cargo run --release -- "));
        let arguments: Vec<&str> = first.expect("the command that a newcomer types").split(' ').collect();
        Self::start_as(tollgate(folder, &arguments))
    }

    /// The same with a command made by [`tollgate`] or [`at_home`].
    ///
    /// # Panics
    /// It does not start.
    pub fn start_as(command: Command) -> Self {
        let (mut server, mut lines) = Server::launch(command);
        let (mut commands, mut console) = (Vec::new(), String::new());
        // Four calls are printed, each behind its comment.
        while commands.len() < 4 {
            let line = lines.next().expect("four calls to paste").expect("a line of text");
            if line.starts_with("curl ") {
                commands.push(line);
            } else if let Some((_, rest)) = line.split_once("/admin/link/") {
                let secret = rest.split_whitespace().next().unwrap_or_default();
                console = format!("/admin/link/{secret}");
            }
        }
        server.reader = Some(std::thread::spawn(move || lines.for_each(drop)));
        Self { server, commands, console }
    }

    /// Where it listens.
    pub fn base_url(&self) -> &str {
        self.server.base_url()
    }

    /// The calls that it printed.
    pub fn commands(&self) -> &[String] {
        &self.commands
    }

    /// The path of the link that it printed, at which its owner chooses a password; empty if it printed none.
    pub fn console_link(&self) -> &str {
        &self.console
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
    pub fn kill(self) {
        self.server.kill();
    }

    /// Asks it to stop and returns its exit code.
    ///
    /// # Panics
    /// It does not end by itself.
    pub fn stop(self) -> Option<i32> {
        self.server.stop()
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
        .ended()
        .expect("curl runs");
    read_answer(&output)
}

/// Runs a printed line in a shell, with the headers shown.
///
/// # Panics
/// It got no answer.
pub fn paste(line: &str) -> Answer {
    let line = line.replacen("curl -sS", "curl -sS -i --noproxy '*'", 1);
    read_answer(&Command::new("sh").args(["-c", &line]).ended().expect("a shell runs"))
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
