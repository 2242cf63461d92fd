//! Waiting for other processes: they have no clock that a test could advance. Nothing here decides a test by how long
//! something took; a bound only ends a test that would never end.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

/// Long enough for anything that will happen at all, on a busy machine too.
const BOUND: Duration = Duration::from_mins(2);

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
    std::thread::sleep(time);
}
