//! The keys that sign checkpoints: Ed25519, the private part kept wrapped under a key that is made from the master key.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};

use crate::sealing::{NONCE_BYTES, SealError, Sealing};

/// A public key.
pub type PublicKey = [u8; 32];
/// A signature.
pub type Signature = [u8; 64];

/// A public key with the time from which on it signs. It signs until the next one does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberedKey {
    /// Counts from 1, without gaps.
    pub number: i64,
    /// The key.
    pub public: PublicKey,
    /// Since when, in microseconds since the Unix epoch.
    pub from_us: i64,
}

/// The library did not do what it does for every input of the right length, or a wrapped key is not what was wrapped: it
/// was changed, or the master key is another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signing key cannot be used: it was changed, or the master key is not the one that it was wrapped under")]
pub struct KeyError;

impl From<SealError> for KeyError {
    fn from(_: SealError) -> Self {
        Self
    }
}

/// What the private parts are wrapped under. `Debug` does not print it.
#[derive(Debug)]
pub struct WrappingKey(Sealing);

impl WrappingKey {
    /// From 32 bytes that were derived for this purpose alone.
    ///
    /// # Errors
    /// The library fails.
    pub fn new(key: &[u8; 32]) -> Result<Self, KeyError> {
        Ok(Self(Sealing::new(key)?))
    }

    /// The private part in a form that is of no use without this key, bound to number and public key; see
    /// [`Sealing::seal`].
    ///
    /// # Errors
    /// The library fails.
    pub fn wrap(&self, seed: &[u8; 32], nonce: [u8; NONCE_BYTES], number: i64) -> Result<Vec<u8>, KeyError> {
        let key = SigningKey::from_seed(seed, number)?;
        Ok(self.0.seal(seed, nonce, &bound_to(number, &key.public()))?)
    }

    /// Reads what [`Self::wrap`] made for the key with this number and public part.
    ///
    /// # Errors
    /// It is anything else.
    pub fn unwrap(&self, wrapped: &[u8], number: i64, public: &PublicKey) -> Result<SigningKey, KeyError> {
        let opened = self.0.open(wrapped, &bound_to(number, public))?;
        let seed = opened.as_slice().try_into().map_err(|_length| KeyError)?;
        SigningKey::from_seed(seed, number)
    }
}

/// What the private part of a key is bound to: its number and its public part.
pub(crate) fn bound_to(number: i64, public: &[u8]) -> Vec<u8> {
    [b"tollgate signing key".as_slice(), &number.to_be_bytes(), public].concat()
}

/// A key that can sign. `Debug` shows its number.
pub struct SigningKey {
    number: i64,
    pair: Ed25519KeyPair,
    public: PublicKey,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").field("number", &self.number).finish_non_exhaustive()
    }
}

impl SigningKey {
    /// The key whose private part is `seed`.
    ///
    /// # Errors
    /// The library fails.
    pub fn from_seed(seed: &[u8; 32], number: i64) -> Result<Self, KeyError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_rejected| KeyError)?;
        let public = pair.public_key().as_ref().try_into().map_err(|_length| KeyError)?;
        Ok(Self { number, pair, public })
    }

    /// Which one it is.
    pub const fn number(&self) -> i64 {
        self.number
    }

    /// Its public part.
    pub const fn public(&self) -> PublicKey {
        self.public
    }

    /// Signs.
    ///
    /// # Errors
    /// The library fails.
    pub fn sign(&self, message: &[u8]) -> Result<Signature, KeyError> {
        let signature = self.pair.try_sign(message).map_err(|_unspecified| KeyError)?;
        signature.as_ref().try_into().map_err(|_length| KeyError)
    }
}

/// Whether `key` signed `message`.
pub fn is_signed_by(key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
    UnparsedPublicKey::new(&ED25519, key).verify(message, signature).is_ok()
}

#[cfg(test)]
mod tests;
