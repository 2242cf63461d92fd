//! The only place of the harness that reads the environment.
//!
//! | variable | values | meaning |
//! | --- | --- | --- |
//! | `TESTS_EXTENT` | `default` (also when absent), `long` | how far the random and the killing tests go |
//! | `TESTS_TOOLS` | a folder | where `tests/run` put project-local tools; absent: `.tools` in the workspace |
//! | `TESTS_GALLERY` | `1` | pictures of the console's pages are written into `target/gallery` |
//! | `BLESS` | `1` | generated files are rewritten instead of compared |

use std::path::PathBuf;

use crate::workspace::workspace_root;

/// How far tests with a size of their own go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// What every run does.
    Default,
    /// Seeds of millions, fifty kills, soaks: asked for with `tests/run --long`.
    Long,
}

impl Extent {
    /// The value for this extent.
    pub fn pick<T>(self, default: T, long: T) -> T {
        match self {
            Self::Default => default,
            Self::Long => long,
        }
    }

    fn parse(value: Option<&str>) -> Self {
        match value {
            None | Some("default") => Self::Default,
            Some("long") => Self::Long,
            Some(other) => panic!("TESTS_EXTENT is `{other}`; it can be `default` or `long`"),
        }
    }
}

/// The extent asked for with `TESTS_EXTENT`.
pub fn extent() -> Extent {
    Extent::parse(variable("TESTS_EXTENT").as_deref())
}

/// The folder of the project-local tools.
pub fn tools_folder() -> PathBuf {
    variable("TESTS_TOOLS").map_or_else(|| workspace_root().join(".tools"), PathBuf::from)
}

/// Whether generated files are to be rewritten.
pub fn is_bless() -> bool {
    variable("BLESS").as_deref() == Some("1")
}

/// Whether pictures of the console's pages are wanted.
pub fn is_gallery() -> bool {
    variable("TESTS_GALLERY").as_deref() == Some("1")
}

/// The names of the variables that the program would read as settings.
pub(crate) fn settings_of_the_program() -> impl Iterator<Item = std::ffi::OsString> {
    all().map(|(name, _)| name).filter(|name| name.to_string_lossy().starts_with("TOLLGATE_"))
}

/// The folders in which the shell looks for programs, in its order.
pub(crate) fn search_path() -> Vec<PathBuf> {
    variable("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default()
}

/// The cargo that runs these tests, else the one in the search path.
pub(crate) fn cargo() -> PathBuf {
    variable("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

#[expect(clippy::disallowed_methods, reason = "the harness has no configuration; its switches are documented above")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn all() -> std::env::VarsOs {
    std::env::vars_os()
}

#[cfg(test)]
mod tests;
