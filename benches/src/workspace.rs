//! Where things are: the workspace, the target folder of this very build, and a folder for the files of one run.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::failure::{Context as _, Failure, Outcome};

/// The folder of the workspace's `Cargo.toml`.
pub(crate) fn root() -> Outcome<&'static Path> {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or_else(|| Failure::new("this crate lies outside a workspace"))
}

/// Cargo's target folder and the folder of the profile that this program was built with.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// For example `target`.
    pub(crate) folder: PathBuf,
    /// For example `release`; `debug` for the profile `dev`.
    pub(crate) profile: String,
}

impl Target {
    /// Read from where this program lies: `<target>/<profile>/load`.
    pub(crate) fn of_this_program() -> Outcome<Self> {
        let program = std::env::current_exe().context(|| "cannot find my own program file".to_owned())?;
        let profile_folder = program.parent();
        let profile = profile_folder.and_then(Path::file_name).and_then(|name| name.to_str());
        let folder = profile_folder.and_then(Path::parent);
        let (Some(profile), Some(folder)) = (profile, folder) else {
            return Err(Failure::new(format!("`{}` does not lie in a target folder", program.display())));
        };
        Ok(Self { folder: folder.to_owned(), profile: profile.to_owned() })
    }
}

/// The files of one run: below the target folder, so on a disk and not in memory. Deleted with this value.
#[derive(Debug)]
pub(crate) struct RunFolder(TempDir);

impl RunFolder {
    /// Makes a new one.
    pub(crate) fn create() -> Outcome<Self> {
        let parent = Target::of_this_program()?.folder.join("load");
        std::fs::create_dir_all(&parent).context(|| format!("cannot make `{}`", parent.display()))?;
        let folder = tempfile::Builder::new().prefix("run-").tempdir_in(&parent)?;
        Ok(Self(folder))
    }

    /// The folder itself.
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// A new folder inside.
    pub(crate) fn subfolder(&self, name: &str) -> Outcome<PathBuf> {
        let path = self.path().join(name);
        std::fs::create_dir_all(&path).context(|| format!("cannot make `{}`", path.display()))?;
        Ok(path)
    }

    /// Leaves the folder where it is and says where.
    pub(crate) fn keep(self) -> PathBuf {
        self.0.keep()
    }
}
