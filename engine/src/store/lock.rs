//! At most one process writes to a SQLite file: an advisory lock on a file beside it.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
};

use super::StoreError;

/// Held as long as this process is the writer; the kernel frees it when the process ends, however it ends.
#[derive(Debug)]
pub struct WriterLock {
    _file: File,
}

impl WriterLock {
    /// Takes the lock of the database at `database`, or says who cannot.
    pub fn take(database: &Path) -> Result<Self, StoreError> {
        // By its real name: a link to the file is the same database.
        let path = lock_path(&database.canonicalize().unwrap_or_else(|_absent| database.to_owned()));
        let file_error = |source| StoreError::File { path: path.display().to_string(), source };
        let file = OpenOptions::new().create(true).append(true).open(&path).map_err(file_error)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::Locked { path: database.display().to_string() }),
            Err(TryLockError::Error(source)) => Err(file_error(source)),
        }
    }
}

fn lock_path(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}
