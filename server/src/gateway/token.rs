//! The gateway's token where none is configured: made at the first start, kept in a file that only its owner may read.
//!
//! It is derived from the master key, so that every server of one database makes the same; from then on the file counts,
//! and whoever writes another token into it has changed it.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Read as _, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::SecretString;

use crate::config::{
    Database,
    master_key::{MasterKey, MasterKeyError},
};

const FILE_NAME: &str = "gateway.token";
const FILE_BYTES_MAX: u64 = 4_096;
/// A shorter one in the file is a mistake.
const TOKEN_CHARS_MIN: usize = 16;

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It is made from the master key.
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    /// The file can be read by others than its owner.
    #[error(
        "the gateway token's file `{}` has the mode {mode:04o}: others than its owner may read it (run `chmod 600 {}`, \
         and delete it if somebody has)", path.display(), path.display()
    )]
    Readable {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// What stands in the file is too short to be one.
    #[error("the gateway token's file `{}` must hold one line of at least {TOKEN_CHARS_MIN} characters", .0.display())]
    Short(PathBuf),
    /// The file could not be read or made.
    #[error("the gateway token's file `{}` cannot be {action}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

/// Where the token is: beside the master key.
pub fn token_path(database: &Database) -> PathBuf {
    database.master_key_path().with_file_name(FILE_NAME)
}

/// Reads the token, or makes it.
///
/// # Errors
/// See [`TokenError`].
pub fn load_or_create(database: &Database, key: &MasterKey) -> Result<SecretString, TokenError> {
    let path = token_path(database);
    match read(&path) {
        Err(TokenError::File { source, .. }) if source.kind() == ErrorKind::NotFound => {}
        found => return found,
    }
    let token = URL_SAFE_NO_PAD.encode(key.derive("gateway-token")?);
    match write(&path, &token) {
        Ok(()) => Ok(token.into()),
        // Another process was first.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => read(&path),
        Err(source) => Err(TokenError::File { path, action: "made", source }),
    }
}

fn read(path: &Path) -> Result<SecretString, TokenError> {
    let failed = |source| TokenError::File { path: path.to_owned(), action: "read", source };
    // the open file is checked, not the name, so that nothing can be put in its place in between
    let file = File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(TokenError::Readable { path: path.to_owned(), mode });
    }
    let mut text = String::new();
    file.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(failed)?;
    let token = text.trim();
    if token.chars().count() < TOKEN_CHARS_MIN {
        return Err(TokenError::Short(path.to_owned()));
    }
    Ok(token.to_owned().into())
}

/// Under another name first: a crash in between leaves no half a token under the real one.
fn write(path: &Path, token: &str) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let draft = path.with_extension(format!("{}.new", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    let linked = writeln!(file, "{token}").and_then(|()| file.sync_all()).and_then(|()| fs::hard_link(&draft, path));
    let removed = fs::remove_file(&draft);
    linked.and(removed)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests;
