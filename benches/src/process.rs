//! Child processes: started on the same cores, told apart by name, stopped by their own id.

use std::{
    ffi::OsStr,
    io::{BufRead as _, BufReader, Read as _},
    net::SocketAddr,
    path::Path,
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

use crate::{
    failure::{Context as _, Failure, Outcome},
    wire,
};

/// The processors that every part runs on when the machine has more than two.
const CORES: &str = "0,1";

/// How long a child may take to end after it was asked to.
const STOP_S_MAX: u64 = 30;

/// A child that is asked to end, and waited for, when this value goes.
#[derive(Debug)]
pub(crate) struct Process {
    name: &'static str,
    child: Child,
    /// Held open: our own subcommands end when it closes, so they never outlive us.
    _stdin: Option<ChildStdin>,
}

impl Process {
    /// Starts `command` with a pipe as its standard input.
    pub(crate) fn start(name: &'static str, mut command: Command) -> Outcome<Self> {
        let mut child = command.stdin(Stdio::piped()).spawn().context(|| format!("cannot start {name}"))?;
        let stdin = child.stdin.take();
        Ok(Self { name, child, _stdin: stdin })
    }

    /// The process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks the child to end with SIGTERM and waits until it has.
    pub(crate) fn stop(mut self) -> Outcome<ExitStatus> {
        self.end()
    }

    /// How the child ended, if it has.
    pub(crate) fn ended(&mut self) -> Outcome<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    fn end(&mut self) -> Outcome<ExitStatus> {
        if let Some(status) = self.child.try_wait()? {
            return Ok(status);
        }
        // the shell's own `kill`: no unsafe code and no further dependency for one signal
        let pid = self.child.id();
        let told = Command::new("sh").arg("-c").arg(format!("kill -TERM {pid}")).status()?;
        if told.success() {
            let asked = Instant::now();
            while asked.elapsed() < Duration::from_secs(STOP_S_MAX) {
                if let Some(status) = self.child.try_wait()? {
                    return Ok(status);
                }
                pause(Duration::from_millis(2));
            }
        }
        self.child.kill()?;
        let status = self.child.wait()?;
        Err(Failure::new(format!("{} did not end within {STOP_S_MAX} s and was killed ({status})", self.name)))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // nobody is left to tell: whoever cares for the exit status calls `stop`
        drop(self.end());
    }
}

/// A command that runs on the cores that all parts share.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    if is_pinned() {
        let mut command = Command::new("taskset");
        command.arg("-c").arg(CORES).arg(program);
        command
    } else {
        Command::new(program)
    }
}

/// Whether the parts are held on two cores: only where there are more, and `taskset` to do it.
pub(crate) fn is_pinned() -> bool {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    cores > 2 && find_program("taskset").is_some()
}

/// The first place in the usual folders where `name` is installed.
pub(crate) fn find_program(name: &str) -> Option<std::path::PathBuf> {
    ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin", "/opt/homebrew/bin"]
        .iter()
        .map(|folder| Path::new(folder).join(name))
        .find(|path| path.is_file())
}

/// The end of a log, for a person who has to find out why.
pub(crate) fn last_lines(log: &str) -> String {
    const LINES: usize = 20;
    let lines: Vec<&str> = log.lines().collect();
    lines.get(lines.len().saturating_sub(LINES)..).unwrap_or_default().join("\n")
}

/// Starts this very program again with a hidden subcommand that announces its address on standard output.
pub(crate) fn start_self(name: &'static str, arguments: &[String]) -> Outcome<(Process, SocketAddr)> {
    let program = std::env::current_exe().context(|| "cannot find my own program file".to_owned())?;
    let mut command = command(program);
    command.arg(name).args(arguments).stdout(Stdio::piped());
    let mut process = Process::start(name, command)?;
    let stdout = process.child.stdout.take().ok_or_else(|| Failure::new(format!("no standard output from {name}")))?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line).context(|| format!("cannot read the address of {name}"))?;
    let address =
        line.trim().parse().context(|| format!("{name} announced `{}` instead of an address", line.trim()))?;
    Ok((process, address))
}

/// Waits until `path` on `address` answers 200, and returns how long that took.
pub(crate) fn wait_ready(process: &mut Process, address: SocketAddr, path: &str, limit: Duration) -> Outcome<Duration> {
    let begin = Instant::now();
    loop {
        let last = match wire::get(address, path) {
            Ok((200, _)) => return Ok(begin.elapsed()),
            Ok((status, _)) => format!("status {status}"),
            Err(failure) => failure.to_string(),
        };
        if let Some(status) = process.ended()? {
            return Err(Failure::new(format!("{} ended at once ({status})", process.name)));
        }
        if begin.elapsed() > limit {
            return Err(Failure::new(format!("{} is not ready after {} s: {last}", process.name, limit.as_secs())));
        }
        pause(Duration::from_millis(1));
    }
}

/// Ends when the parent has closed our standard input, which also happens when the parent dies.
pub(crate) fn parent_gone() -> oneshot::Receiver<()> {
    let (tell, told) = oneshot::channel();
    std::thread::spawn(move || {
        let mut sink = [0_u8; 64];
        while std::io::stdin().read(&mut sink).is_ok_and(|count| count > 0) {}
        drop(tell);
    });
    told
}

/// Waits for another process to get somewhere.
#[expect(clippy::disallowed_methods, reason = "there is no clock to advance in another process")]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}
