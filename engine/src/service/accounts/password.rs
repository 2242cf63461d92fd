//! Passwords: argon2id with bounded memory. Hashing happens on blocking threads, two at a time for the whole process,
//! so that nobody can fill the memory or the processors with guesses.

use std::sync::Arc;

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Semaphore;
use zxcvbn::{Score, zxcvbn};

/// Shortest password, in characters (OWASP ASVS 5.0, 6.2.1 asks for 8 and recommends 15).
pub const PASSWORD_CHARS_MIN: usize = 12;
/// Longest password, in characters.
pub const PASSWORD_CHARS_MAX: usize = 128;
/// Length of a salt, in bytes.
pub(super) const SALT_BYTES: usize = 16;

/// The setting that OWASP's password storage cheat sheet gives first for argon2id: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// How many passwords are hashed at the same time.
const RUNNING_MAX: usize = 2;
/// How many more may wait for that.
const WAITING_MAX: usize = 64;

/// Why a password was not hashed or checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too short or too long.
    #[error("a password has {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} characters")]
    Length,
    /// Among the first that somebody would try: a well-known one, a pattern, or the account's own address.
    #[error("the password is easy to guess")]
    Guessable,
    /// Too many others are being hashed.
    #[error("too many passwords are being checked")]
    Busy,
    /// There was not enough memory.
    #[error("the password could not be hashed")]
    Failed,
}

/// The places for hashing.
#[derive(Debug)]
pub(in crate::service) struct PasswordWork {
    running: Arc<Semaphore>,
    admitted: Arc<Semaphore>,
}

impl Default for PasswordWork {
    fn default() -> Self {
        Self {
            running: Arc::new(Semaphore::new(RUNNING_MAX)),
            admitted: Arc::new(Semaphore::new(RUNNING_MAX.saturating_add(WAITING_MAX))),
        }
    }
}

impl PasswordWork {
    /// The hash of a new password for the account with this address, as text with its settings and salt.
    pub(super) async fn hash(
        &self,
        password: &SecretString,
        email: &str,
        salt: [u8; SALT_BYTES],
    ) -> Result<String, PasswordError> {
        if !(PASSWORD_CHARS_MIN..=PASSWORD_CHARS_MAX).contains(&password.expose_secret().chars().count()) {
            return Err(PasswordError::Length);
        }
        let (password, email) = (password.clone(), email.to_owned());
        self.run(move || {
            if is_guessable(password.expose_secret(), &email) {
                return Err(PasswordError::Guessable);
            }
            let hash: PasswordHash = hasher()?
                .hash_password_with_salt(password.expose_secret().as_bytes(), &salt)
                .map_err(|_failed| PasswordError::Failed)?;
            Ok(hash.to_string())
        })
        .await
    }

    /// Whether `password` is the one that was stored. Without a stored one the same work is done, for nothing.
    pub(in crate::service) async fn verify(
        &self,
        password: &SecretString,
        stored: Option<String>,
    ) -> Result<bool, PasswordError> {
        // Longer ones are nobody's; hashing them would only take time.
        if password.expose_secret().chars().count() > PASSWORD_CHARS_MAX {
            return Ok(false);
        }
        let password = password.clone();
        self.run(move || {
            let bytes = password.expose_secret().as_bytes();
            if let Some(stored) = stored {
                return Ok(hasher()?.verify_password(bytes, stored.as_str()).is_ok());
            }
            let mut out = [0; 32];
            hasher()?.hash_password_into(bytes, &[0; SALT_BYTES], &mut out).map_err(|_failed| PasswordError::Failed)?;
            Ok(false)
        })
        .await
    }

    /// Runs `work` when there is a place. The place is kept until the work is done, also when the caller has gone.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let admitted = Arc::clone(&self.admitted).try_acquire_owned().map_err(|_full| PasswordError::Busy)?;
        let running = Arc::clone(&self.running).acquire_owned().await.map_err(|_closed| PasswordError::Failed)?;
        tokio::task::spawn_blocking(move || {
            let done = work();
            drop((running, admitted));
            done
        })
        .await
        .map_err(|_panicked| PasswordError::Failed)?
    }
}

/// Whether somebody who knows the usual passwords, words, names, keyboards and dates, and the account's address, would be
/// through with this one within a hundred million tries. The lists come with the library and never leave the process.
fn is_guessable(password: &str, email: &str) -> bool {
    let known: Vec<&str> = email.split(['@', '.', '+', '-', '_']).chain([email, "tollgate"]).collect();
    zxcvbn(password, &known).score() < Score::Three
}

fn hasher() -> Result<Argon2<'static>, PasswordError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_invalid| PasswordError::Failed)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests;
