//! The master key: one secret per database, from which every other key is derived.
//!
//! It comes from `TOLLGATE_MASTER_KEY` (32 bytes in base64 or hexadecimal), else from a file beside the database that
//! is made at the first start and that only its owner may read. Losing it means that stored credentials cannot be
//! unwrapped and that issued sign-in tokens end.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, ErrorKind, Read, Write},
    path::{Path, PathBuf},
};

use aws_lc_rs::{
    hkdf::{HKDF_SHA256, KeyType, Salt},
    rand::SecureRandom,
};
use base64::{
    Engine as _,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use secrecy::{ExposeSecret, ExposeSecretMut, SecretBox, zeroize::Zeroizing};

use super::{Database, Environment};

/// The variable that holds the key; the one name with the prefix `TOLLGATE_` that is not an override.
pub const MASTER_KEY_VARIABLE: &str = "TOLLGATE_MASTER_KEY";

/// The length of the master key and of every derived key, in bytes.
pub const KEY_BYTES: usize = 32;

const FILE_BYTES_MAX: u64 = 1_024;
/// Extraction with a salt of our own keeps these keys apart from any other use of the same secret.
const SALT: &[u8] = b"tollgate master key v1";

/// The master key. `Debug` does not print it, and it is wiped when dropped.
#[derive(Debug)]
pub struct MasterKey {
    key: SecretBox<[u8; KEY_BYTES]>,
    origin: MasterKeyOrigin,
}

/// Where the master key came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MasterKeyOrigin {
    /// The variable [`MASTER_KEY_VARIABLE`].
    Variable,
    /// This file, which was there.
    File(PathBuf),
    /// This file, made just now.
    NewFile(PathBuf),
}

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// The variable or the file does not hold 32 bytes in base64 or hexadecimal.
    #[error("{origin} must hold {KEY_BYTES} bytes in base64 or hexadecimal")]
    Malformed {
        /// The variable or the file.
        origin: String,
    },
    /// The file can be read by others than its owner.
    #[error(
        "the master key's file `{}` has the mode {mode:04o}: others than its owner may read it (run `chmod 600 {}` \
         and consider the key known)", path.display(), path.display()
    )]
    Readable {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file could not be read or made.
    #[error("the master key's file `{}` cannot be {action}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The system gave no random bytes, or the key could not be expanded.
    #[error("the cryptographic library failed at the master key")]
    Crypto,
}

impl MasterKey {
    /// Reads the key from the environment, else from the file beside the database, which is made when it is missing.
    ///
    /// Two processes that start at once agree on the file that was there first.
    ///
    /// # Errors
    /// See [`MasterKeyError`].
    pub fn load_or_create(
        environment: &Environment,
        database: &Database,
        random: &dyn SecureRandom,
    ) -> Result<Self, MasterKeyError> {
        let path = database.master_key_path();
        if let Some(key) = Self::find(environment, &path)? {
            return Ok(key);
        }
        match create(&path, random) {
            Ok(key) => Ok(Self { key, origin: MasterKeyOrigin::NewFile(path) }),
            Err(MasterKeyError::File { source, .. }) if source.kind() == ErrorKind::AlreadyExists => {
                Self::load_existing(&path)
            }
            Err(error) => Err(error),
        }
    }

    /// Reads the key and makes none: for commands that only read.
    ///
    /// # Errors
    /// See [`MasterKeyError`]; a missing file is an error.
    pub fn load(environment: &Environment, database: &Database) -> Result<Self, MasterKeyError> {
        let path = database.master_key_path();
        Self::find(environment, &path)?.map_or_else(|| Self::load_existing(&path), Ok)
    }

    /// Reads another key from a file of its own: one that was in use before.
    ///
    /// # Errors
    /// See [`MasterKeyError`]; a missing file is an error.
    pub fn from_file(path: &Path) -> Result<Self, MasterKeyError> {
        Self::load_existing(path)
    }

    fn find(environment: &Environment, path: &Path) -> Result<Option<Self>, MasterKeyError> {
        if environment.not_unicode().any(|name| name == MASTER_KEY_VARIABLE) {
            return Err(malformed_variable());
        }
        if let Some(text) = environment.get(MASTER_KEY_VARIABLE) {
            let key = decode(text).ok_or_else(malformed_variable)?;
            return Ok(Some(Self { key, origin: MasterKeyOrigin::Variable }));
        }
        match Self::load_existing(path) {
            Ok(key) => Ok(Some(key)),
            Err(MasterKeyError::File { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn load_existing(path: &Path) -> Result<Self, MasterKeyError> {
        let failed = |source| MasterKeyError::File { path: path.to_owned(), action: "read", source };
        // the open file is checked, not the name, so that nothing can be put in its place in between
        let file = File::open(path).map_err(failed)?;
        let mode = mode_of(&file.metadata().map_err(failed)?.permissions());
        if mode & 0o077 != 0 {
            return Err(MasterKeyError::Readable { path: path.to_owned(), mode });
        }
        let mut text = Zeroizing::new(String::new());
        file.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(failed)?;
        let key = decode(&text)
            .ok_or_else(|| MasterKeyError::Malformed { origin: format!("the file `{}`", path.display()) })?;
        Ok(Self { key, origin: MasterKeyOrigin::File(path.to_owned()) })
    }

    /// Where the key came from.
    pub fn origin(&self) -> &MasterKeyOrigin {
        &self.origin
    }

    /// The key for one purpose: HKDF-SHA256 with the label as info. Different labels give unrelated keys.
    ///
    /// # Errors
    /// [`MasterKeyError::Crypto`] if the library fails, which it does for no input of this length.
    pub fn derive(&self, label: &str) -> Result<[u8; KEY_BYTES], MasterKeyError> {
        let mut derived = [0; KEY_BYTES];
        Salt::new(HKDF_SHA256, SALT)
            .extract(self.key.expose_secret())
            .expand(&[label.as_bytes()], DerivedKey)
            .and_then(|okm| okm.fill(&mut derived))
            .map_err(|_unspecified| MasterKeyError::Crypto)?;
        Ok(derived)
    }
}

struct DerivedKey;

impl KeyType for DerivedKey {
    fn len(&self) -> usize {
        KEY_BYTES
    }
}

fn malformed_variable() -> MasterKeyError {
    MasterKeyError::Malformed { origin: format!("the environment variable `{MASTER_KEY_VARIABLE}`") }
}

/// Both alphabets of base64, with or without padding.
fn decode(text: &str) -> Option<SecretBox<[u8; KEY_BYTES]>> {
    let text = text.trim();
    let bytes =
        Zeroizing::new(if text.len() == 2 * KEY_BYTES { decode_hexadecimal(text)? } else { decode_base64(text)? });
    let key: Zeroizing<[u8; KEY_BYTES]> = Zeroizing::new(bytes.as_slice().try_into().ok()?);
    Some(SecretBox::init_with_mut(|secret: &mut [u8; KEY_BYTES]| secret.copy_from_slice(key.as_slice())))
}

fn decode_hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = Zeroizing::new(digits?);
    Some(digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte: u8, digit| byte << 4 | digit)).collect())
}

fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let alphabet = if text.contains(['-', '_']) { &URL_SAFE } else { &STANDARD };
    GeneralPurpose::new(alphabet, config).decode(text).ok()
}

fn create(path: &Path, random: &dyn SecureRandom) -> Result<SecretBox<[u8; KEY_BYTES]>, MasterKeyError> {
    let failed = |source| MasterKeyError::File { path: path.to_owned(), action: "made", source };
    let mut key = SecretBox::<[u8; KEY_BYTES]>::default();
    random.fill(key.expose_secret_mut()).map_err(|_unspecified| MasterKeyError::Crypto)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(failed)?;
    let encoded = Zeroizing::new(base64::engine::general_purpose::STANDARD.encode(key.expose_secret()));
    // written under another name and then linked: a crash in between leaves no half a key under the real name, and
    // of two processes that start at once only one gets the name
    let mut suffix = [0; 8];
    random.fill(&mut suffix).map_err(|_unspecified| MasterKeyError::Crypto)?;
    let draft = path.with_extension(format!("{:016x}.new", u64::from_be_bytes(suffix)));
    let link = || match fs::hard_link(&draft, path) {
        // a file system without links: the name is still claimed by one process only
        Err(error) if error.kind() != ErrorKind::AlreadyExists => write_private(path, &encoded),
        linked => linked,
    };
    let written = write_private(&draft, &encoded).and_then(|()| link());
    let removed = fs::remove_file(&draft);
    written.and(removed).and_then(|()| File::open(folder)?.sync_all()).map_err(failed)?;
    Ok(key)
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

#[cfg(unix)]
fn mode_of(permissions: &Permissions) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(permissions) & 0o7777
}

/// Elsewhere than on Unix there are no such bits; the folder's access list protects the file.
#[cfg(not(unix))]
fn mode_of(_permissions: &Permissions) -> u32 {
    0
}

#[cfg(test)]
mod tests;
