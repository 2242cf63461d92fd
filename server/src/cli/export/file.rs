//! A file that appears under its name when it is whole and on disk, and otherwise not at all.

use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::super::{Exit, Failure};

/// A file that is being written.
#[derive(Debug)]
pub(super) struct NewFile {
    file: File,
    /// Where its bytes are until it has its name; `None`: nowhere, and they go with the process.
    draft: Option<Draft>,
    path: PathBuf,
}

/// A name that is taken away again unless the file gets its own.
#[derive(Debug)]
struct Draft(PathBuf);

impl Drop for Draft {
    fn drop(&mut self) {
        // It is gone already if the file got its own name.
        drop(std::fs::remove_file(&self.0));
    }
}

/// A whole file that waits for its name.
#[derive(Debug)]
pub(super) struct WholeFile {
    draft: Draft,
    path: PathBuf,
}

impl NewFile {
    /// Only its owner may read it: books are nobody else's business.
    pub(super) fn create(path: &Path) -> Result<Self, Failure> {
        if path.is_dir() {
            return Err(Failure::new(Exit::Refused, format!("`{}` is a folder", path.display())));
        }
        let nameless = nameless_file(folder_of(path));
        if let Some(file) = nameless {
            return Ok(Self { file, draft: None, path: path.to_owned() });
        }
        let draft = Draft(draft_path(path));
        let mut options = File::options();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&draft.0).map_err(|error| failed(path, &error))?;
        Ok(Self { file, draft: Some(draft), path: path.to_owned() })
    }

    /// Waits until it is on disk.
    pub(super) fn finish(self) -> Result<WholeFile, Failure> {
        let Self { file, draft, path } = self;
        let failed = |error: io::Error| failed(&path, &error);
        file.sync_all().map_err(failed)?;
        let draft = match draft {
            Some(draft) => draft,
            None => name_file(&file, draft_path(&path)).map_err(failed)?,
        };
        Ok(WholeFile { draft, path })
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl WholeFile {
    /// Gives it its name: in place of whatever has it, or only if nobody has it.
    pub(super) fn publish(self, may_replace: bool) -> Result<(), Failure> {
        let Self { draft, path } = self;
        let named = match std::fs::hard_link(&draft.0, &path) {
            Err(error) if !may_replace && error.kind() == io::ErrorKind::AlreadyExists => Err(error),
            // Somebody has it, or the file system knows no second names.
            Err(_no_second_name) => std::fs::rename(&draft.0, &path),
            Ok(()) => Ok(()),
        };
        named.and_then(|()| sync_folder(folder_of(&path))).map_err(|error| failed(&path, &error))
    }
}

/// A name is on disk when its folder is.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Beside the file, so that a rename is enough; of this process alone.
fn draft_path(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.part", std::process::id()));
    path.with_file_name(name)
}

pub(super) fn failed(path: &Path, error: &io::Error) -> Failure {
    Failure::new(Exit::Refused, format!("`{}` cannot be written: {error}", path.display()))
}

/// A file without a name, where the system and the folder's file system have such files: whatever ends this process,
/// nothing is left of it.
#[cfg(target_os = "linux")]
fn nameless_file(folder: &Path) -> Option<File> {
    use rustix::fs::{Mode, OFlags, open};
    let opened = open(folder, OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC, Mode::RUSR | Mode::WUSR);
    opened.ok().map(File::from)
}

#[cfg(not(target_os = "linux"))]
fn nameless_file(_folder: &Path) -> Option<File> {
    None
}

/// Gives a file without a name this one.
#[cfg(target_os = "linux")]
fn name_file(file: &File, draft: PathBuf) -> io::Result<Draft> {
    use std::os::fd::AsRawFd as _;

    use rustix::fs::{AtFlags, CWD, linkat};
    // Of an earlier process with this number.
    drop(std::fs::remove_file(&draft));
    let ours = format!("/proc/self/fd/{}", file.as_raw_fd());
    linkat(CWD, ours, CWD, &draft, AtFlags::SYMLINK_FOLLOW)?;
    Ok(Draft(draft))
}

#[cfg(not(target_os = "linux"))]
fn name_file(_file: &File, _draft: PathBuf) -> io::Result<Draft> {
    Err(io::ErrorKind::Unsupported.into())
}
