//! The program `tollgate` for tests of crashes: `FAILPOINT=after_hold:3` ends it at that place (`engine::failpoint`).

use engine::failpoint::{Failpoint, arm};
use server::{cli, config::Environment};

fn main() -> std::process::ExitCode {
    match Environment::of_process().get("FAILPOINT").map(str::parse::<Failpoint>) {
        None => {}
        Some(Ok(failpoint)) => arm(failpoint),
        // Without the failpoint the test would prove nothing: no start.
        Some(Err(_unknown)) => return cli::Exit::Usage.into(),
    }
    cli::run().into()
}
