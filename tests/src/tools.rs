//! Programs that are not ours and that the tests call: where they are, and what to do when they are missing.

use std::path::{Path, PathBuf};

use crate::environment;

/// The path of a program that `tests/run` provides: in the tools folder (`bin`, then the Python environment), else in
/// the search path.
///
/// # Panics
/// When it is nowhere: the test fails, it is never skipped.
pub fn tool(name: &str) -> PathBuf {
    tool_found_first_in(&[], name)
}

/// The same for a program that may have folders of its own, outside the search path.
///
/// # Panics
/// As [`tool`].
pub fn tool_found_first_in(folders: &[PathBuf], name: &str) -> PathBuf {
    let tools = environment::tools_folder();
    let mut folders = [folders, &[tools.join("bin"), tools.join("python").join("bin")]].concat();
    folders.extend(environment::search_path());
    find_in(&folders, name).unwrap_or_else(|| panic!("the program `{name}` is missing: run tests/run once"))
}

fn find_in(folders: &[PathBuf], name: &str) -> Option<PathBuf> {
    folders.iter().map(|folder| folder.join(name)).find(|path| is_executable(path))
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    path.is_file()
}

#[cfg(test)]
mod tests;
