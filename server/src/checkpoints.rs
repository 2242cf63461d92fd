//! Checkpoints of the books: made from time to time, and kept in a file outside of the database.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use engine::{
    ledger::{
        jsonl::read_checkpoint,
        signing::{KeyError, WrappingKey},
        verify::Kept,
    },
    service::{
        Services,
        checkpoints::{CheckpointRules, CheckpointSetup},
        work::Work,
    },
    store::StoreError,
};

use crate::{
    config::{
        Ledger,
        master_key::{MasterKey, MasterKeyError},
    },
    master_key::SIGNING_KEYS_LABEL,
};

/// How often it is looked whether a checkpoint is due.
const TICK: Duration = Duration::from_millis(500);
/// The name of the file in the folder that is configured.
const FILE: &str = "checkpoints.jsonl";
/// The longest line that is read, in bytes: far more than a checkpoint has.
const LINE_BYTES_MAX: u64 = 1024 * 1024;
/// How much of the file's end is looked at, in bytes.
const TAIL_BYTES_MAX: u64 = LINE_BYTES_MAX;

/// Why no checkpoints can be made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The master key does not give a key for this.
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    /// The library fails.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// What checkpoints are made with, as configured.
///
/// # Errors
/// The cryptographic library fails.
pub fn setup(config: &Ledger, key: &MasterKey) -> Result<CheckpointSetup, SetupError> {
    let every_us = i64::try_from(config.checkpoint_every_s).unwrap_or(i64::MAX).saturating_mul(1_000_000);
    let rules = CheckpointRules { every_us, auditors: config.auditors.clone() };
    Ok(CheckpointSetup { rules, wrapping: WrappingKey::new(&key.derive(SIGNING_KEYS_LABEL)?)? })
}

/// Makes checkpoints when they are due and keeps a copy of all of them in the configured folder, until it is stopped.
pub async fn run(services: Arc<Services>, dir: PathBuf) {
    let mut tick = tokio::time::interval(TICK);
    let mut copy = KeptCopy { path: dir.join(FILE), written: 0, complaint: None };
    loop {
        tick.tick().await;
        let made = services.make_due_checkpoint().await;
        services.note_work(Work::Checkpoints, made.as_ref().err().map(ToString::to_string));
        if let Err(error) = made {
            tracing::error!(%error, "no checkpoint was made");
        }
        copy.follow(&services).await;
    }
}

/// Why the copy is not up to date.
#[derive(Debug, thiserror::Error)]
enum CopyError {
    #[error("`{path}`: {source}")]
    File { path: String, source: io::Error },
    #[error(
        "`{path}` ends with a checkpoint {number} that is not the database's: the books were written again, or restored \
         from before; run `tollgate ledger verify --against {path}`, and move the file away if that was meant to be"
    )]
    Other { path: String, number: i64 },
    #[error("`{0}` does not end with a checkpoint: move it away")]
    NoCheckpoint(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The copy outside of the database.
struct KeptCopy {
    path: PathBuf,
    /// The number of the last checkpoint in it; 0 if this process has to look.
    written: i64,
    /// What was said last: once is enough.
    complaint: Option<String>,
}

impl KeptCopy {
    async fn follow(&mut self, services: &Services) {
        match self.append_new(services).await {
            Ok(()) => self.complaint = None,
            Err(CopyError::Store(error)) if error.is_away() => {}
            Err(error) => {
                let text = error.to_string();
                if self.complaint.as_ref() != Some(&text) {
                    tracing::error!(%error, "checkpoints are not copied out of the database");
                    self.complaint = Some(text);
                }
            }
        }
    }

    /// Appends what the database has and the file has not. What stands in the file is never changed.
    async fn append_new(&mut self, services: &Services) -> Result<(), CopyError> {
        loop {
            let mut new = services.list_checkpoints_after(self.written).await?;
            if new.is_empty() {
                return Ok(());
            }
            if self.written == 0 {
                let last = on_disk(&self.path, read_last).await?;
                if let Some(kept) = last {
                    let number = kept.signed.checkpoint.number;
                    let stored = services.find_checkpoint(number).await?;
                    if stored.is_none_or(|stored| stored.signed != kept.signed) {
                        return Err(CopyError::Other { path: self.path.display().to_string(), number });
                    }
                    self.written = number;
                    continue;
                }
            }
            let Some(last) = new.last().map(|known| known.signed.checkpoint.number) else { return Ok(()) };
            let lines: String = new.drain(..).map(|known| format!("{}\n", known.view())).collect();
            self.write(lines, last).await?;
        }
    }

    /// Appends `lines`, which end with the checkpoint of the number `last`.
    async fn write(&mut self, lines: String, last: i64) -> Result<(), CopyError> {
        // A full disk may take half a line. Until all of it stands there, only the file knows where it ends: what comes
        // next looks, and cuts that half off.
        self.written = 0;
        on_disk(&self.path, move |path| append(path, &lines)).await?;
        self.written = last;
        Ok(())
    }
}

async fn on_disk<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce(&Path) -> Result<T, CopyError> + Send + 'static,
) -> Result<T, CopyError> {
    let (owned, name) = (path.to_owned(), path.display().to_string());
    let done = tokio::task::spawn_blocking(move || work(&owned)).await;
    done.unwrap_or_else(|error| Err(CopyError::File { path: name, source: io::Error::other(error) }))
}

fn failed(path: &Path) -> impl Fn(io::Error) -> CopyError {
    let path = path.display().to_string();
    move |source| CopyError::File { path: path.clone(), source }
}

/// The last checkpoint of the file. What a crash left of a line is cut off.
fn read_last(path: &Path) -> Result<Option<Kept>, CopyError> {
    let mut file = match OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(path)(error)),
    };
    let length = file.metadata().map_err(failed(path))?.len();
    let from = length.saturating_sub(TAIL_BYTES_MAX);
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(from)).and_then(|_| file.read_to_end(&mut tail)).map_err(failed(path))?;
    let whole = tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at.saturating_add(1));
    if whole < tail.len() && (whole > 0 || from == 0) {
        let end = from.saturating_add(u64::try_from(whole).unwrap_or(0));
        file.set_len(end).and_then(|()| file.sync_all()).map_err(failed(path))?;
    }
    let Some(text) = tail.get(..whole).filter(|lines| !lines.is_empty()) else { return Ok(None) };
    let line = text.trim_ascii_end().rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    let kept = serde_json::from_slice(line).ok().and_then(|view| read_kept(&view));
    kept.map(Some).ok_or_else(|| CopyError::NoCheckpoint(path.display().to_string()))
}

fn append(path: &Path, lines: &str) -> Result<(), CopyError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || {
        fs::create_dir_all(folder)?;
        let is_new = !path.exists();
        let mut file = OpenOptions::new().append(true).create(true).open(path)?;
        file.write_all(lines.as_bytes())?;
        file.sync_all()?;
        if is_new { File::open(folder)?.sync_all() } else { Ok(()) }
    };
    write().map_err(failed(path))
}

fn read_kept(view: &serde_json::Value) -> Option<Kept> {
    read_checkpoint(view).map(|(signed, public)| Kept { signed, public })
}

/// The checkpoints in a file that was kept: one on every line, as the server writes and shows them.
///
/// # Errors
/// It cannot be read, or a line is no checkpoint or longer than one can be; as a sentence.
pub fn read_file(path: &Path) -> Result<Vec<Kept>, String> {
    let name = path.display();
    let failed = |error: io::Error| format!("`{name}`: {error}");
    let mut file = BufReader::new(File::open(path).map_err(failed)?);
    let (mut kept, mut line, mut number) = (Vec::new(), Vec::new(), 0_u64);
    loop {
        line.clear();
        number = number.saturating_add(1);
        if file.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line).map_err(failed)? == 0 {
            break;
        }
        let length = u64::try_from(line.len()).unwrap_or(u64::MAX);
        if length >= LINE_BYTES_MAX && !line.ends_with(b"\n") {
            return Err(format!("`{name}`: line {number} is too long: {LINE_BYTES_MAX} bytes are no checkpoint"));
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let read = serde_json::from_slice(&line).ok().and_then(|view| read_kept(&view));
        kept.push(read.ok_or_else(|| format!("`{name}`: line {number} is no checkpoint with its key"))?);
    }
    if kept.is_empty() { Err(format!("`{name}`: there is no checkpoint in it")) } else { Ok(kept) }
}

#[cfg(test)]
mod tests;
