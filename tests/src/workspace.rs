//! Where the workspace is and how to read a file of it.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The folder that holds the root `Cargo.toml`.
pub fn workspace_root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        package.parent().expect("the package `tests` lies inside the workspace").to_path_buf()
    })
}

/// The text of a file that must exist, by its path relative to the workspace root.
pub fn read(path: &str) -> String {
    std::fs::read_to_string(workspace_root().join(path))
        .unwrap_or_else(|error| panic!("`{path}` can't be read: {error}"))
}
