//! Generated files are committed, and a test keeps them current.

use std::path::Path;

use crate::environment;
use crate::workspace::workspace_root;

/// Fails unless the file at `path` (relative to the workspace root) holds exactly `expected`. With `BLESS=1` in the
/// environment the file is rewritten instead.
pub fn assert_file_is_current(path: &str, expected: &str) {
    if let Err(difference) = compare_or_write(&workspace_root().join(path), expected, environment::is_bless()) {
        panic!("`{path}` is not current ({difference}); rewrite it with BLESS=1 cargo test -p tests generated");
    }
}

fn compare_or_write(path: &Path, expected: &str, is_bless: bool) -> Result<(), String> {
    let found = match std::fs::read_to_string(path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(format!("it can't be read: {error}")),
    };
    if found.as_deref() == Some(expected) {
        return Ok(());
    }
    if !is_bless {
        return Err(found.map_or_else(|| "it is missing".to_owned(), |text| first_difference(&text, expected)));
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| format!("its folder can't be made: {error}"))?;
    }
    std::fs::write(path, expected).map_err(|error| format!("it can't be written: {error}"))
}

fn first_difference(found: &str, expected: &str) -> String {
    let (mut found_lines, mut expected_lines) = (found.lines(), expected.lines());
    let mut number = 1_usize;
    loop {
        match (found_lines.next(), expected_lines.next()) {
            (None, None) => return "only the line ends differ".to_owned(),
            (left, right) if left == right => number += 1,
            (left, right) => {
                return format!(
                    "line {number}: `{}`, expected `{}`",
                    left.unwrap_or_default(),
                    right.unwrap_or_default()
                );
            }
        }
    }
}

#[cfg(test)]
mod tests;
