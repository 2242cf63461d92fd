//! Copies of the books in an SQLite file: made beside a running server, each as the file was at one moment.
//!
//! A copy grows under another name beside its place, is on the disk before it gets there, and never takes the place of
//! something else. So whatever ends it too early, a full disk or a signal, there is no half file where a whole one belongs.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OpenFlags};

/// What an SQLite file begins with.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// What SQLite keeps beside a file.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Why there is no copy. Nothing was left behind.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// Something is there.
    #[error("`{}` is there already: nothing is ever overwritten", .0.display())]
    Exists(PathBuf),
    /// There is no such file.
    #[error("there is no file `{}`", .0.display())]
    NotThere(PathBuf),
    /// It is no SQLite database.
    #[error("`{}` is no SQLite database", .0.display())]
    NoDatabase(PathBuf),
    /// It has a write-ahead log beside it: it is no backup, but a database in use or one that was cut off.
    #[error("`{}` is not whole without `{}`: make a backup of it with `tollgate backup`", .0.display(), .1.display())]
    InUse(PathBuf, PathBuf),
    /// SQLite cannot read it to its end.
    #[error("`{}` is damaged: {}", .0.display(), .1)]
    Damaged(PathBuf, String),
    /// The system said no: the disk is full, for example.
    #[error("`{}` cannot be written: {source}", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// SQLite said no.
    #[error("the copy cannot be made: {0}")]
    Sqlite(#[from] rusqlite::Error),
}

/// A copy that is not in its place yet. Removed when dropped.
#[derive(Debug)]
pub struct BooksCopy {
    to: PathBuf,
    partial: PathBuf,
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> CopyError {
    let path = path.to_owned();
    move |source| CopyError::Io { path, source }
}

/// Whether something has this name, be it a link that leads nowhere.
fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

impl BooksCopy {
    /// Begins a copy that is to be at `to`, with a file that only its owner may read.
    fn begin(to: &Path) -> Result<(Self, File), CopyError> {
        // What SQLite left beside a file that was moved away would be taken for a part of the new one.
        let mut in_the_way = std::iter::once(to.to_owned()).chain(BESIDE.iter().map(|suffix| beside(to, suffix)));
        if let Some(there) = in_the_way.find(|path| is_there(path)) {
            return Err(CopyError::Exists(there));
        }
        let partial = beside(to, &format!(".{}.partial", std::process::id()));
        let mut options = OpenOptions::new();
        options.create_new(true).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&partial).map_err(io_error(&partial))?;
        Ok((Self { to: to.to_owned(), partial }, file))
    }

    /// Copies the database at `from`, as it is at one moment, for the place `to`. Whoever writes goes on.
    ///
    /// # Errors
    /// There is no database, something is at `to`, or the copy cannot be written.
    pub fn of_database(from: &Path, to: &Path) -> Result<Self, CopyError> {
        expect_database(from)?;
        let (copy, file) = Self::begin(to)?;
        // SQLite opens it by its name.
        drop(file);
        let connection =
            Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.execute_batch("PRAGMA trusted_schema = OFF")?;
        let name = copy.partial.to_str().ok_or_else(|| {
            let source = io::Error::new(io::ErrorKind::InvalidFilename, "the name is not UTF-8");
            CopyError::Io { path: copy.partial.clone(), source }
        })?;
        connection.execute("VACUUM INTO ?1", [name])?;
        copy.flush()?;
        Ok(copy)
    }

    /// Copies the backup at `from` for the place `to`.
    ///
    /// # Errors
    /// It is no backup, something is at `to`, or the copy cannot be written.
    pub fn of_backup(from: &Path, to: &Path) -> Result<Self, CopyError> {
        expect_database(from)?;
        for suffix in ["-wal", "-journal"] {
            let log = beside(from, suffix);
            if log.metadata().is_ok_and(|found| found.len() > 0) {
                return Err(CopyError::InUse(from.to_owned(), log));
            }
        }
        let mut source = File::open(from).map_err(io_error(from))?;
        let (copy, mut file) = Self::begin(to)?;
        let copied = io::copy(&mut source, &mut file).and_then(|_bytes| file.flush());
        copied.map_err(io_error(&copy.partial))?;
        copy.flush()?;
        match find_damage(&copy.partial)? {
            Some(damage) => Err(CopyError::Damaged(from.to_owned(), damage)),
            None => Ok(copy),
        }
    }

    /// Where it is for now.
    pub fn path(&self) -> &Path {
        &self.partial
    }

    /// How large it is, in bytes.
    ///
    /// # Errors
    /// It cannot be looked at.
    pub fn size(&self) -> Result<u64, CopyError> {
        Ok(self.partial.metadata().map_err(io_error(&self.partial))?.len())
    }

    fn flush(&self) -> Result<(), CopyError> {
        File::open(&self.partial).and_then(|file| file.sync_all()).map_err(io_error(&self.partial))
    }

    /// Whatever stands in a write-ahead log of the copy goes into the copy.
    fn make_whole(&self) -> Result<(), CopyError> {
        let connection = Connection::open_with_flags(&self.partial, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.pragma_update_and_check(None, "journal_mode", "delete", |_row| Ok(()))?;
        connection.close().map_err(|(_connection, error)| error.into())
    }

    /// Puts it in its place.
    ///
    /// # Errors
    /// Somebody else has put something there, or the disk says no.
    pub fn finish(self) -> Result<(), CopyError> {
        self.make_whole()?;
        self.flush()?;
        match std::fs::hard_link(&self.partial, &self.to) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(CopyError::Exists(self.to.clone()));
            }
            // A file system without links.
            Err(_) if !is_there(&self.to) => std::fs::rename(&self.partial, &self.to).map_err(io_error(&self.to))?,
            linked => linked.map_err(io_error(&self.to))?,
        }
        let folder = self.to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(io_error(folder))
    }
}

impl Drop for BooksCopy {
    fn drop(&mut self) {
        let files = BESIDE.iter().chain(&[".lock"]).map(|suffix| beside(&self.partial, suffix));
        for path in files.chain([self.partial.clone()]).filter(|path| is_there(path)) {
            if let Err(error) = std::fs::remove_file(&path) {
                tracing::warn!(%error, path = %path.display(), "a file of an unfinished copy could not be removed");
            }
        }
    }
}

/// What SQLite finds wrong with the file, in its own words.
fn find_damage(path: &Path) -> Result<Option<String>, CopyError> {
    // Not read-only: a copy of a file with a write-ahead log wants an index of it.
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let said = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get::<_, String>(0));
    match said {
        Ok(said) => Ok(Some(said).filter(|said| said != "ok")),
        Err(error) => match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Ok(Some(error.to_string())),
            _ => Err(error.into()),
        },
    }
}

fn expect_database(path: &Path) -> Result<(), CopyError> {
    let mut first = [0; 16];
    match File::open(path).and_then(|mut file| file.read_exact(&mut first)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(CopyError::NotThere(path.to_owned())),
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(io_error(path)(error)),
        Ok(()) if first == *MAGIC => Ok(()),
        _ => Err(CopyError::NoDatabase(path.to_owned())),
    }
}
