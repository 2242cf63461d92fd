//! The process that drives Chromium (`tests/browser/drive.mjs`): lines of JSON to it and from it.

use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader, Lines, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Sender},
    },
    thread::JoinHandle,
    time::Duration,
};

use serde_json::{Value, json};

use crate::{environment::tools_folder, patience::pause, tools::tool, workspace::workspace_root};

/// The driver itself gives a command up after 15 seconds; this ends a test whose driver says nothing at all.
const SILENCE_MAX: Duration = Duration::from_mins(1);
/// How often an ending browser is looked at, and how many times before it is killed.
const END_TICK: Duration = Duration::from_millis(20);
const END_TICKS: u32 = 250;

type Waiting = Arc<Mutex<HashMap<u64, Sender<Result<Value, String>>>>>;

/// A running driver with its Chromium. Killed when dropped.
#[derive(Debug)]
pub(super) struct Driver {
    child: Child,
    /// The browser ends when this does, however the process of the tests ends.
    input: Mutex<Option<ChildStdin>>,
    waiting: Waiting,
    numbers: AtomicU64,
    reader: Option<JoinHandle<()>>,
}

/// The one that is shared, as long as a test has it.
static RUNNING: Mutex<Weak<Driver>> = Mutex::new(Weak::new());

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Driver {
    /// The running one, else a new one: all tests that want a browser at the same time share it.
    pub(super) fn shared() -> Arc<Self> {
        let mut running = lock(&RUNNING);
        if let Some(driver) = running.upgrade() {
            return driver;
        }
        let driver = Arc::new(Self::start());
        *running = Arc::downgrade(&driver);
        driver
    }

    fn start() -> Self {
        let mut child = Command::new(tool("node"))
            .arg(workspace_root().join("tests/browser/drive.mjs"))
            .arg(tools_folder().join("browser"))
            .env("TESTS_CHROMIUM", tool("chromium"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let first = lines.next().and_then(Result::ok).unwrap_or_default();
        if !first.contains("\"ready\"") {
            // It may have ended already.
            drop(child.kill());
            drop(child.wait());
            panic!("no browser: {first}: run tests/run once");
        }
        let waiting = Waiting::default();
        let for_reader = Arc::clone(&waiting);
        Self {
            input: Mutex::new(child.stdin.take()),
            child,
            waiting,
            numbers: AtomicU64::new(1),
            reader: Some(std::thread::spawn(move || read(lines, &for_reader))),
        }
    }

    /// A number that nothing else has here.
    pub(super) fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// Has a command carried out in a tab; the arguments are an object, or nothing.
    pub(super) fn ask(&self, tab: u64, command: &str, mut arguments: Value) -> Result<Value, String> {
        let id = self.number();
        if arguments.is_null() {
            arguments = json!({});
        }
        for (name, value) in [("id", json!(id)), ("tab", json!(tab)), ("do", json!(command))] {
            arguments.as_object_mut().expect("arguments by name").insert(name.to_owned(), value);
        }
        let (sender, receiver) = mpsc::channel();
        lock(&self.waiting).insert(id, sender);
        let written = lock(&self.input).as_mut().map(|input| writeln!(input, "{arguments}"));
        if !matches!(written, Some(Ok(()))) {
            return Err(format!("{command}: the browser has ended"));
        }
        receiver.recv_timeout(SILENCE_MAX).unwrap_or_else(|_| Err(format!("{command}: the browser says nothing")))
    }
}

/// Hands the answers to those who wait for them. When there are no more, nobody goes on waiting.
fn read(lines: Lines<BufReader<ChildStdout>>, waiting: &Waiting) {
    for line in lines.map_while(Result::ok) {
        let answer: Value = serde_json::from_str(&line).unwrap_or_default();
        let sender = answer.get("id").and_then(Value::as_u64).and_then(|id| lock(waiting).remove(&id));
        let Some(sender) = sender else { continue };
        let result = match answer.get("error") {
            Some(error) => Err(error.as_str().unwrap_or_default().to_owned()),
            None => Ok(answer.get("done").cloned().unwrap_or_default()),
        };
        // Who asked may have given up.
        drop(sender.send(result));
    }
    lock(waiting).clear();
}

impl Drop for Driver {
    fn drop(&mut self) {
        drop(lock(&self.input).take());
        let mut ticks = 0;
        while matches!(self.child.try_wait(), Ok(None)) && ticks < END_TICKS {
            ticks += 1;
            pause(END_TICK);
        }
        // Both fail when it has ended. Chromium ends with it: its pipe is closed.
        drop(self.child.kill());
        drop(self.child.wait());
        if let Some(reader) = self.reader.take() {
            drop(reader.join());
        }
    }
}
