//! Waiting for other processes: they have no clock that a test could advance. Nothing here decides a test by how long
//! something took; a bound only ends a test that would never end.

use std::{
    io::{self, Read, Write as _},
    process::{Child, Command, Output, Stdio},
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

/// Long enough for anything that will happen at all, on a busy machine too.
const BOUND: Duration = Duration::from_mins(2);

/// Long enough for any command that is waited for, in the long run too.
const COMMAND_BOUND: Duration = Duration::from_mins(10);

/// Waiting for a command that is to end by itself.
pub trait Ends {
    /// Runs it without input and gives its exit and what it printed, as `Command::output` does; but that waits for ever,
    /// and one command that hung at its end held up a whole run.
    ///
    /// # Errors
    /// It does not start, or what it prints cannot be read.
    ///
    /// # Panics
    /// It does not end; it is killed then.
    fn ended(&mut self) -> io::Result<Output>;

    /// As [`Self::ended`], with `input` to read, which is short.
    ///
    /// # Errors
    /// As for [`Self::ended`].
    ///
    /// # Panics
    /// As for [`Self::ended`].
    fn ended_with(&mut self, input: &str) -> io::Result<Output>;
}

impl Ends for Command {
    fn ended(&mut self) -> io::Result<Output> {
        self.ended_with("")
    }

    fn ended_with(&mut self, input: &str) -> io::Result<Output> {
        ended_within(self, input, COMMAND_BOUND)
    }
}

fn ended_within(command: &mut Command, input: &str, bound: Duration) -> io::Result<Output> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    // Whoever reads nothing may have ended before.
    drop(child.stdin.take().expect("its input").write_all(input.as_bytes()));
    wait_within(child, &format!("{command:?}"), bound)
}

/// The exit of `what`, a command that was started before, and what it printed into pipes that nobody has taken.
///
/// # Errors
/// What it prints cannot be read.
///
/// # Panics
/// It does not end; it is killed then.
pub fn wait_for_end(child: Child, what: &str) -> io::Result<Output> {
    wait_within(child, what, COMMAND_BOUND)
}

fn wait_within(mut child: Child, what: &str, bound: Duration) -> io::Result<Output> {
    drop(child.stdin.take());
    let (stdout, stderr) = (read(child.stdout.take()), read(child.stderr.take()));
    let deadline = Instant::now() + bound;
    let mut all_of = |printed: mpsc::Receiver<io::Result<Vec<u8>>>| {
        printed.recv_timeout(deadline.saturating_duration_since(Instant::now())).unwrap_or_else(|_| {
            child.kill().and_then(|()| child.wait()).expect("a process of ours is killed");
            panic!("{what} does not end")
        })
    };
    let (stdout, stderr) = (all_of(stdout)?, all_of(stderr)?);
    Ok(Output { status: child.wait()?, stdout, stderr })
}

/// All that comes from there, read by a thread: a process whose output nobody takes waits for that.
fn read(from: Option<impl Read + Send + 'static>) -> mpsc::Receiver<io::Result<Vec<u8>>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut all = Vec::new();
        let read = from.map_or(Ok(0), |mut from| from.read_to_end(&mut all));
        // Nobody waits any more for what came too late.
        drop(sender.send(read.map(|_| all)));
    });
    receiver
}

/// Sets a flag when it is dropped, by a panic as well: a scope waits for its threads, and those that work until they are
/// told to stop would make a test that fails one that never ends.
#[derive(Debug)]
pub struct SetOnDrop<'flag>(pub &'flag AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Looks again and again until there is something, and says how long that took.
///
/// # Panics
/// `what` does not happen.
pub fn wait_until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> (T, Duration) {
    let begin = Instant::now();
    loop {
        if let Some(found) = look() {
            return (found, begin.elapsed());
        }
        assert!(begin.elapsed() < BOUND, "waited in vain: {what}");
        pause(Duration::from_millis(5));
    }
}

/// Lets other processes work for a while: for moments that a seed chooses, and for the work of a made-up tool.
#[expect(clippy::disallowed_methods, reason = "there is no clock to advance in another process")]
pub fn pause(time: Duration) {
    thread::sleep(time);
}

#[cfg(test)]
mod tests;
