//! The Unix socket beside the SQLite file, on which the running server takes commands from the same user.

use std::{
    fs, io,
    os::unix::fs::{FileTypeExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use aws_lc_rs::digest::{SHA256, digest};
use engine::{audit::Method, service::Services};
use tokio::{
    io::{AsyncWriteExt as _, BufReader},
    net::{UnixListener, UnixStream},
    sync::{Semaphore, watch},
    task::JoinSet,
};

use super::{Command, Done, NotDone, context, execute, protocol};
use crate::cli::Exit;

/// The longest path of a socket, in bytes: Linux has room for 108 with the zero at the end.
const PATH_BYTES_MAX: usize = 107;
/// How many commands are carried out at the same time; more wait.
const COMMANDS_MAX: usize = 4;
/// How long a client may take to send its command or to take its answer.
const TRANSFER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a command may take. Longer than a busy database may keep the writer waiting.
const COMMAND_TIMEOUT: Duration = Duration::from_mins(1);
/// How long to leave it after a connection could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// How long a client waits for everything.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(90);

/// Why the socket is not there.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// Somebody answers on it, though we are the writer of the database.
    #[error("`{}` is served by another process: stop it", .0.display())]
    Taken(PathBuf),
    /// Something else has its name.
    #[error("`{}` is in the way of the commands' socket: move it away", .0.display())]
    InTheWay(PathBuf),
    /// The system said no.
    #[error("the commands' socket `{}` cannot be used: {source}", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Where the socket of the database in the file `database` is: beside it, under its name and `.sock`. Where that is
/// longer than a socket's name may be, in a folder of this user below `/tmp`, under a digest of the file's name.
///
/// # Errors
/// There is no such file.
pub fn path_of(database: &Path) -> io::Result<PathBuf> {
    let mut name = database.canonicalize()?.into_os_string();
    name.push(".sock");
    if name.len() <= PATH_BYTES_MAX {
        return Ok(PathBuf::from(name));
    }
    let digest = digest(&SHA256, name.as_encoded_bytes());
    let short: String = digest.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    Ok(short_folder().join(format!("{short}.sock")))
}

fn short_folder() -> PathBuf {
    PathBuf::from(format!("/tmp/tollgate-{}", our_uid()))
}

fn our_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// The open socket of a running server. Removed when it is closed.
#[derive(Debug)]
pub struct OperatorSocket {
    path: PathBuf,
    stop: watch::Sender<bool>,
    serving: tokio::task::JoinHandle<()>,
}

impl OperatorSocket {
    /// Opens the socket of the database in the file `database` and takes commands on it. A socket that a dead server
    /// left is replaced; to be called by the writer of the database only, so that no other server's can be meant.
    ///
    /// # Errors
    /// See [`SocketError`].
    pub async fn open(database: &Path, services: Arc<Services>) -> Result<Self, SocketError> {
        let path = path_of(database).map_err(|source| SocketError::Io { path: database.to_owned(), source })?;
        let failed = |source| SocketError::Io { path: path.clone(), source };
        if path.starts_with(short_folder()) {
            make_short_folder().map_err(failed)?;
        }
        make_way(&path).await?;
        let listener = UnixListener::bind(&path).map_err(failed)?;
        // Whoever connects before this is asked for its user all the same.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).map_err(failed)?;
        let (stop, stopped) = watch::channel(false);
        let serving = tokio::spawn(serve(listener, services, stopped));
        Ok(Self { path, stop, serving })
    }

    /// Takes no more commands, waits for those under way, and removes the socket.
    pub async fn close(self) {
        remove(&self.path);
        self.stop.send_replace(true);
        if let Err(error) = self.serving.await {
            tracing::error!(%error, "the commands' socket ended in a panic");
        }
    }
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        tracing::warn!(%error, path = %path.display(), "the commands' socket could not be removed");
    }
}

/// A folder that nobody else can put anything into.
fn make_short_folder() -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
    let folder = short_folder();
    match fs::DirBuilder::new().mode(0o700).create(&folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let found = fs::symlink_metadata(&folder)?;
    if found.is_dir() && found.uid() == our_uid() && found.mode() & 0o777 == 0o700 {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::PermissionDenied, "its folder is not ours alone"))
}

/// Removes what a dead server left.
async fn make_way(path: &Path) -> Result<(), SocketError> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(SocketError::Io { path: path.to_owned(), source }),
        Ok(found) if !found.file_type().is_socket() => return Err(SocketError::InTheWay(path.to_owned())),
        Ok(_) => {}
    }
    match UnixStream::connect(path).await {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(|source| SocketError::Io { path: path.to_owned(), source })
        }
        Err(source) => Err(SocketError::Io { path: path.to_owned(), source }),
        Ok(_) => Err(SocketError::Taken(path.to_owned())),
    }
}

async fn serve(listener: UnixListener, services: Arc<Services>, mut stopped: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(COMMANDS_MAX));
    let mut running = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            _ = stopped.changed() => break,
            Some(_) = running.join_next() => continue,
            accepted = accept(&listener, &places) => accepted,
        };
        match accepted {
            Ok((stream, place)) => {
                let services = Arc::clone(&services);
                running.spawn(async move {
                    attend(stream, &services).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a command could not be taken");
                // Too many open files, for example: that does not get better by trying at once.
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    while running.join_next().await.is_some() {}
}

async fn accept(
    listener: &UnixListener,
    places: &Arc<Semaphore>,
) -> io::Result<(UnixStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _address) = listener.accept().await?;
    Ok((stream, place))
}

/// Carries out one command.
async fn attend(mut stream: UnixStream, services: &Services) {
    let outcome = match peer_is_ours(&stream) {
        Ok(true) => take(&mut stream, services).await,
        Ok(false) => Err(NotDone::new(Exit::Refused, "the server runs as another user: run the command as that one")),
        Err(error) => Err(NotDone::new(Exit::Refused, format!("your user cannot be told: {error}"))),
    };
    let sent = match protocol::write_answer(outcome) {
        Ok(line) => within(TRANSFER_TIMEOUT, stream.write_all(line.as_bytes())).await,
        Err(error) => Err(error.into()),
    };
    if let Err(error) = sent {
        tracing::warn!(%error, "a command's answer was not taken");
    }
}

async fn take(stream: &mut UnixStream, services: &Services) -> Result<Done, NotDone> {
    let line = within(TRANSFER_TIMEOUT, protocol::read_line(&mut BufReader::new(stream))).await;
    let line = line.map_err(|error| NotDone::new(Exit::Usage, format!("the command was not understood: {error}")))?;
    let command = protocol::read_request(&line)?;
    // Whoever is on the other end is the server's own user: that was looked at first.
    let by = context(services, Method::Socket);
    let outcome = tokio::time::timeout(COMMAND_TIMEOUT, execute(services, &by, &command)).await;
    let outcome = outcome.unwrap_or_else(|_elapsed| Err(unknown("the server did not finish in time")));
    if !matches!(command, Command::Settings) {
        let exit = outcome.as_ref().map_or_else(|not_done| not_done.exit, |_done| Exit::Ok);
        tracing::info!(command = command.name(), exit = exit.number(), "a command was taken over the socket");
    }
    outcome
}

fn unknown(why: impl std::fmt::Display) -> NotDone {
    let message = format!("{why}: whether the command was carried out is not known; look before you repeat it");
    NotDone::new(Exit::Refused, message)
}

fn peer_is_ours(stream: &UnixStream) -> io::Result<bool> {
    Ok(stream.peer_cred()?.uid() == our_uid())
}

async fn within<T>(limit: Duration, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_elapsed| Err(io::ErrorKind::TimedOut.into()))
}

/// Hands a command to the server of the database in the file `database`; `None` if nobody serves it.
///
/// # Errors
/// The command was not carried out, or the server cannot be asked.
pub async fn ask(database: &Path, command: &Command) -> Option<Result<Done, NotDone>> {
    let path = path_of(database).ok()?;
    let stream = match UnixStream::connect(&path).await {
        Ok(stream) => stream,
        Err(error) if is_absent(&error) => return None,
        Err(error) => {
            let message = format!("the running server cannot be asked over `{}`: {error}", path.display());
            return Some(Err(NotDone::new(Exit::Refused, message)));
        }
    };
    let answered = tokio::time::timeout(ANSWER_TIMEOUT, converse(stream, command)).await;
    Some(answered.unwrap_or_else(|_elapsed| Err(unknown("the running server did not answer in time"))))
}

/// Nobody listens, or something that is no socket has the name, which the server would refuse.
fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
}

async fn converse(mut stream: UnixStream, command: &Command) -> Result<Done, NotDone> {
    match peer_is_ours(&stream) {
        Ok(true) => {}
        Ok(false) => {
            let message = "the server of this database runs as another user: run the command as that one";
            return Err(NotDone::new(Exit::Refused, message));
        }
        Err(error) => return Err(NotDone::new(Exit::Refused, format!("the server's user cannot be told: {error}"))),
    }
    let request = protocol::write_request(command)
        .map_err(|error| NotDone::new(Exit::Refused, format!("the command cannot be written: {error}")))?;
    // An answer may come before all was sent: a refusal.
    let sent = stream.write_all(request.as_bytes()).await;
    match protocol::read_line(&mut BufReader::new(&mut stream)).await {
        Ok(line) => protocol::read_answer(&line),
        Err(error) => Err(unknown(format!("the running server gave no answer ({})", sent.err().unwrap_or(error)))),
    }
}

#[cfg(test)]
mod tests;
