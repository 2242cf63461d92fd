//! Does every wrong of `tests/mutants.json` to a copy of the workspace and expects a test to notice. Part of
//! `tests/run --long`. With an argument only those are done whose name or file contains it.

use std::{io, process::ExitCode};

fn main() -> io::Result<ExitCode> {
    let this = std::env::current_exe()?;
    let target_folder = this.parent().and_then(|profile| profile.parent()).ok_or(io::ErrorKind::NotFound)?;
    let chosen = std::env::args().nth(1).unwrap_or_default();
    let all_caught = tests::mutants::hunt(target_folder, &chosen, &mut io::stdout())?;
    Ok(if all_caught { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
